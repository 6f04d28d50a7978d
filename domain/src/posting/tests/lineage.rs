//! Every field of a document says where it comes from: what it holds stands in a *why*, with the same value.

use std::collections::BTreeMap;
use std::fmt::Display;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::properties::any_line;
use super::world::{carded, orphan, owed, report, signed_line};
use crate::ids::{CostCentreCode, DocumentKind, ProjectCode, SubAccountCode, TransactionId};
use crate::money::Hundredths;
use crate::posting::{Body, Coding, Document, LineOrigin};
use crate::report::{FieldWhy, Flag, LineFacts, LineWhy, MapOutcome, Mapping, SourceStatus};

/// Fields of documents that no *why* accounts for.
#[derive(Default)]
struct Gaps(Vec<String>);

fn gaps(mapping: &Mapping) -> Vec<String> {
    let mut gaps = Gaps::default();
    for document in &mapping.documents {
        gaps.of_header(mapping, document);
        gaps.of_lines(mapping, document);
    }
    gaps.0
}

/// A *why* says from what and by which rule.
fn is_whole(why: &&FieldWhy) -> bool {
    !why.source.is_empty() && !why.rule.is_empty()
}

impl Gaps {
    fn wants(&mut self, whys: &[FieldWhy], field: &str, value: impl Display) {
        let value = value.to_string();
        let of_it = whys.iter().filter(is_whole).filter(|why| why.field == field);
        let said: Vec<&str> = of_it.map(|why| why.value.as_str()).collect();
        if said != [value.as_str()] {
            self.0
                .push(format!("{field} is {value}, and is said to be {said:?}"));
        }
    }

    fn wants_coding(&mut self, whys: &[FieldWhy], of: &str, coding: &Coding) {
        for (dimension, code) in dimensions(coding) {
            let field = format!("{of}{dimension}");
            match code {
                Some(code) => self.wants(whys, &field, code),
                None if whys.iter().any(|why| why.field == field) => {
                    self.0.push(format!("{field} is not there"))
                }
                None => {}
            }
        }
    }

    fn of_header(&mut self, mapping: &Mapping, document: &Document) {
        let mut headers = mapping.headers.iter();
        let Some(header) = headers.find(|header| header.document == document.kind()) else {
            return self.0.push(format!("no header of {}", document.reference));
        };
        let period = &document.period;
        self.wants(&header.fields, "daybook", &document.daybook);
        self.wants(&header.fields, "posting date", period.date);
        self.wants(
            &header.fields,
            "period",
            format!("{}/{}", period.year, period.number),
        );
        self.wants(&header.fields, "document date", document.document_date);
        self.wants(&header.fields, "currency", document.currency);
        match &document.body {
            Body::SupplierInvoice {
                supplier,
                status,
                total,
            }
            | Body::CreditNote {
                supplier,
                status,
                total,
            } => {
                self.wants(&header.fields, "supplier", supplier);
                self.wants(&header.fields, "invoice status", status);
                self.wants(&header.fields, "total", total);
            }
            Body::Journal => {}
        }
    }

    fn of_lines(&mut self, mapping: &Mapping, document: &Document) {
        let kind = document.kind();
        for line in &document.lines {
            let (transaction, of) = match &line.origin {
                LineOrigin::Expense { transaction } => (transaction, ""),
                LineOrigin::Tax { transaction } => (transaction, "tax "),
                LineOrigin::Clearing => continue,
            };
            let mut whys = mapping.lines.iter();
            let Some(why) = whys.find(|why| why.transaction == *transaction && why.document == Some(kind))
            else {
                self.0
                    .push(format!("expense {transaction} of the {kind} has no why"));
                continue;
            };
            self.wants_coding(&why.fields, of, &line.coding);
            if of.is_empty() {
                self.wants(&why.fields, "amount", with_tax(document, transaction));
            } else {
                self.wants(&why.fields, "tax amount", signed_line(line));
            }
        }
        if kind == DocumentKind::Journal {
            let (said, stands) = (credits_said(mapping), credits(document));
            if said != stands {
                self.0
                    .push(format!("credited is {stands:?}, and is said to be {said:?}"));
            }
        }
    }
}

fn with_tax(document: &Document, expense: &TransactionId) -> Decimal {
    let is_of_it = |origin: &LineOrigin| match origin {
        LineOrigin::Expense { transaction } | LineOrigin::Tax { transaction } => transaction == expense,
        LineOrigin::Clearing => false,
    };
    let lines = document.lines.iter().filter(|line| is_of_it(&line.origin));
    lines.map(signed_line).sum()
}

/// Taken apart here by itself, so that a dimension more must be thought of here, too.
fn dimensions(coding: &Coding) -> [(&'static str, Option<&str>); 4] {
    let Coding {
        account,
        cost_centre,
        sub_account,
        project,
    } = coding;
    let cost_centre = cost_centre.as_ref().map(CostCentreCode::as_str);
    let sub_account = sub_account.as_ref().map(SubAccountCode::as_str);
    let project = project.as_ref().map(ProjectCode::as_str);
    [
        ("account", Some(account.as_str())),
        ("cost centre", cost_centre),
        ("sub-account", sub_account),
        ("project", project),
    ]
}

/// What is credited, by its coding. What comes to nothing is on no line.
type Credits = BTreeMap<Vec<(String, String)>, Decimal>;

fn credits(document: &Document) -> Credits {
    let mut credits = Credits::new();
    let clearing = document.lines.iter();
    for line in clearing.filter(|line| line.origin == LineOrigin::Clearing) {
        let coding = dimensions(&line.coding)
            .into_iter()
            .filter_map(|(dimension, code)| Some((format!("credit {dimension}"), code?.to_owned())));
        *credits.entry(coding.collect()).or_default() -= signed_line(line);
    }
    credits
}

fn credits_said(mapping: &Mapping) -> Credits {
    let mut credits = Credits::new();
    let on_journal = |why: &&LineWhy| why.document == Some(DocumentKind::Journal);
    for line in mapping.lines.iter().filter(on_journal) {
        let whys = line.fields.iter().filter(is_whole);
        let coding = whys
            .filter(|why| why.field.starts_with("credit "))
            .map(|why| (why.field.clone(), why.value.clone()));
        *credits.entry(coding.collect()).or_default() += line.amount;
    }
    credits.retain(|_, amount| !amount.is_zero());
    credits
}

fn mapped(lines: Vec<LineFacts>, paid: bool) -> Option<Mapping> {
    let mut case = report(lines).ruled(
        r#"VAT20 = { account = "1410" }"#,
        r#"VAT20 = { account = "1010", cost_centre = "OH", sub_account = "01", project = "P-7" }"#,
    );
    if paid {
        case.payload.facts.status = SourceStatus::Reimbursed;
        case = case.ruled(
            r#"reimbursement = "2155""#,
            r#"reimbursement = { account = "2155", cost_centre = "OH", project = "P-7" }"#,
        );
    }
    match case.outcome() {
        MapOutcome::Mapped(mapping) => Some(mapping),
        _ => None,
    }
}

proptest! {
    #[test]
    fn every_field_of_every_document_has_its_lineage(
        lines in prop::collection::vec(any_line(), 1..9),
        paid in any::<bool>(),
    ) {
        if let Some(mapping) = mapped(lines, paid) {
            prop_assert_eq!(gaps(&mapping), Vec::<String>::new());
        }
    }
}

/// An expense with tax on an account of its own, one of tooling with a project, one on the card, one that a rule credits.
fn of_every_kind(paid: bool) -> Mapping {
    let mut taxed = owed(12_000);
    taxed.has_tax = Flag::Yes;
    taxed.tax_amount = Hundredths::Of(2_000);
    taxed.tax_code = "VAT20".into();
    let mut tooling = owed(5_000);
    tooling.category = "Tooling".into();
    let mut petty = orphan(900);
    petty.category = "Hotel".into();
    mapped(vec![taxed, tooling, carded(4_500), petty], paid).expect("it maps")
}

#[test]
fn a_why_that_is_left_out_or_says_another_value_is_missed() {
    let wrong: [fn(&mut Vec<FieldWhy>, usize); 4] = [
        |whys, at| drop(whys.remove(at)),
        |whys, at| whys[at].value.push('x'),
        |whys, at| whys[at].rule.clear(),
        |whys, at| whys[at].source.clear(),
    ];
    for mapping in [of_every_kind(false), of_every_kind(true)] {
        assert_eq!(gaps(&mapping), Vec::<String>::new());
        let count = mapping.headers.len() + mapping.lines.len();
        for of in 0..count {
            for at in 0..whys(&mut mapping.clone(), of).len() {
                let why = whys(&mut mapping.clone(), of)[at].clone();
                // What was decided of the tax is a note: no field of a document holds it.
                if why.field == "tax" {
                    continue;
                }
                for spoil in wrong {
                    let mut spoilt = mapping.clone();
                    spoil(whys(&mut spoilt, of), at);
                    assert!(!gaps(&spoilt).is_empty(), "{why:?}");
                }
            }
        }
    }
}

/// Those of a header, or, from there on, of a line.
fn whys(mapping: &mut Mapping, of: usize) -> &mut Vec<FieldWhy> {
    let headers = mapping.headers.len();
    if of < headers {
        &mut mapping.headers[of].fields
    } else {
        &mut mapping.lines[of - headers].fields
    }
}
