//! In what a report at the source differs from what was posted: each field that decides the posting, with both values.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::payload::{LineFacts, Payload, PersonalLine, TagLevel};
use crate::money::Hundredths;
use crate::posting::Difference;

/// What stands for a value that names or describes a person: differences lie in the open part of an event.
const PERSONAL: &str = "(personal)";

/// Compares what was posted with what the source shows, over exactly the fields of the material hash. Of what is personal
/// it says only that it differs.
pub fn source_differences(posted: &Payload, shown: &Payload) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let (before, after) = (&posted.facts, &shown.facts);
    found.check("report", before.report.to_string(), after.report.to_string());
    found.check("policy", before.policy.to_string(), after.policy.to_string());
    found.check(
        "status",
        String::from(before.status.clone()),
        String::from(after.status.clone()),
    );
    found.check("currency", before.currency.clone(), after.currency.clone());
    found.check("total", money(&before.total), money(&after.total));
    for (field, was, is) in [
        ("submitted", &before.submitted, &after.submitted),
        ("approved", &before.approved, &after.approved),
        ("reimbursed", &before.reimbursed, &after.reimbursed),
    ] {
        found.check(field, was.as_str().to_owned(), is.as_str().to_owned());
    }
    found.check(
        "paid by ACH",
        String::from(before.ach_reimbursed.clone()),
        String::from(after.ach_reimbursed.clone()),
    );
    found.check(
        "reimbursement id",
        before.entry_id.clone(),
        after.entry_id.clone(),
    );
    let count = |declared: Option<u64>| declared.map_or_else(String::new, |count| count.to_string());
    found.check(
        "number of expenses",
        count(before.declared_lines),
        count(after.declared_lines),
    );
    let submitter = |payload: &Payload| {
        let personal = payload.personal.known();
        personal.map(|personal| personal.submitter.trim().to_lowercase())
    };
    found.personal("submitter", submitter(posted) != submitter(shown));
    let names: BTreeSet<&String> = before.fields.keys().chain(after.fields.keys()).collect();
    for name in names {
        let value = |fields: &BTreeMap<String, String>| fields.get(name).cloned();
        found.maybe(
            &format!("report field {name}"),
            value(&before.fields),
            value(&after.fields),
        );
    }
    lines(posted, shown, &mut found);
    found.0
}

/// Each expense with its personal part, by its transaction. A transaction that came twice counts by its place.
fn by_transaction(payload: &Payload) -> BTreeMap<(String, usize), (&LineFacts, Option<&PersonalLine>)> {
    let mut lines = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, line) in payload.facts.lines.iter().enumerate() {
        let personal = payload.personal.known().and_then(|p| p.lines.get(index));
        let id = line.transaction.to_string();
        let place = seen.entry(id.clone()).or_insert(0);
        lines.insert((id, *place), (line, personal));
        *place += 1;
    }
    lines
}

fn lines(posted: &Payload, shown: &Payload, found: &mut Found) {
    let (before, after) = (by_transaction(posted), by_transaction(shown));
    let whole = |line: &LineFacts| {
        let amount = if line.modified_amount == Hundredths::Blank {
            &line.amount
        } else {
            &line.modified_amount
        };
        format!("{} {}", money(amount), line.currency)
    };
    let keys: BTreeSet<&(String, usize)> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let field = format!("expense {}", key.0);
        match (before.get(key), after.get(key)) {
            (Some((was, of_was)), Some((is, of_is))) => {
                line(&field, was, is, found);
                let merchant = |personal: &Option<&PersonalLine>| {
                    personal.map_or_else(String::new, |personal| personal.merchant().to_owned())
                };
                found.personal(&format!("{field} merchant"), merchant(of_was) != merchant(of_is));
            }
            (was, is) => {
                let value =
                    |side: Option<&(&LineFacts, Option<&PersonalLine>)>| side.map(|(line, _)| whole(line));
                found.maybe(&field, value(was), value(is));
            }
        }
    }
}

fn line(expense: &str, was: &LineFacts, is: &LineFacts, found: &mut Found) {
    let mut check =
        |field: &str, was: String, is: String| found.check(&format!("{expense} {field}"), was, is);
    check("kind", was.kind.clone(), is.kind.clone());
    for (field, was, is) in [
        ("amount", &was.amount, &is.amount),
        ("edited amount", &was.modified_amount, &is.modified_amount),
        ("converted amount", &was.converted_amount, &is.converted_amount),
        ("tax", &was.tax_amount, &is.tax_amount),
        ("edited tax", &was.modified_tax_amount, &is.modified_tax_amount),
    ] {
        check(field, money(was), money(is));
    }
    for (field, was, is) in [
        ("currency", was.currency.as_str(), is.currency.as_str()),
        ("date", was.created.as_str(), is.created.as_str()),
        (
            "edited date",
            was.modified_created.as_str(),
            is.modified_created.as_str(),
        ),
        ("category", &was.category, &is.category),
        ("category code", &was.category_gl, &is.category_gl),
        ("tag", &was.tag, &is.tag),
        ("tag code", &was.tag_gl, &is.tag_gl),
        ("bank", &was.bank, &is.bank),
        ("card id", &was.card_id, &is.card_id),
        ("card", &was.card_name, &is.card_name),
        ("merchant category", &was.mcc, &is.mcc),
        ("tax code", &was.tax_code, &is.tax_code),
    ] {
        check(field, was.to_owned(), is.to_owned());
    }
    for (field, was, is) in [
        ("reimbursable", &was.reimbursable, &is.reimbursable),
        ("has tax", &was.has_tax, &is.has_tax),
    ] {
        check(field, String::from(was.clone()), String::from(is.clone()));
    }
    check("tag levels", levels(&was.tag_levels), levels(&is.tag_levels));
}

fn levels(levels: &[TagLevel]) -> String {
    let level = |level: &TagLevel| {
        if level.gl.is_empty() {
            level.name.clone()
        } else {
            format!("{} ({})", level.name, level.gl)
        }
    };
    levels.iter().map(level).collect::<Vec<_>>().join(" : ")
}

/// Hundredths as an amount; what is no number stands as it came.
fn money(hundredths: &Hundredths) -> String {
    hundredths.get().map_or_else(
        || hundredths.to_string(),
        |value| Decimal::new(value, 2).to_string(),
    )
}

/// The differences so far.
struct Found(Vec<Difference>);
impl Found {
    fn check(&mut self, field: &str, posted: String, shown: String) {
        self.maybe(field, Some(posted), Some(shown));
    }
    /// `None` is no such thing at all, which is not the same as a blank.
    fn maybe(&mut self, field: &str, posted: Option<String>, shown: Option<String>) {
        if posted == shown {
            return;
        }
        let words = |value: Option<String>| match value {
            None => "nothing".to_owned(),
            Some(value) if value.is_empty() => "blank".to_owned(),
            Some(value) => value,
        };
        self.0.push(Difference {
            field: field.to_owned(),
            sent: words(posted),
            held: words(shown),
        });
    }
    fn personal(&mut self, field: &str, differs: bool) {
        if differs {
            self.0.push(Difference {
                field: field.to_owned(),
                sent: PERSONAL.to_owned(),
                held: format!("another {PERSONAL}"),
            });
        }
    }
}
