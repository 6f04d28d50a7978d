//! Reads the sections of a rule file beside its rules: `[posting]`, `[daybooks]`, `[clearing]`, `[[card_program]]`,
//! `[suppliers]`, `[tax]`.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::MerchantPattern;
use super::fault::{Place, RuleFault};
use super::parse::patterns;
use super::places::{Setting, SettingPlaces};
use super::position::Position;
use super::reader::{Found, Reader};
use super::settings::{
    CardProgram, Clearing, ClosedPeriod, Daybooks, PostedMeans, PostingDate, PostingPolicy, Settings,
    SupplierMatch, Suppliers, Tax,
};
use crate::ids::{DocumentKind, Email, SupplierCode};

fn section<'a>(file: &mut Reader<'a>, key: &'static str, name: &str) -> Reader<'a> {
    let found = file.table(key).unwrap_or_default();
    file.inner(Place::Section(name.to_owned()), found)
}

/// Reads every section; `None` where something required is missing or unreadable, which is then among the faults.
/// Notes where the codes of QAD stand in them.
pub(super) fn settings(
    file: &mut Reader<'_>,
    places: &mut SettingPlaces,
    faults: &mut Vec<RuleFault>,
) -> Option<Settings> {
    let posting = posting(section(file, "posting", "[posting]"), faults);
    let mut reader = section(file, "daybooks", "[daybooks]");
    for (key, kind) in [
        ("invoice", DocumentKind::SupplierInvoice),
        ("credit_note", DocumentKind::CreditNote),
        ("journal", DocumentKind::Journal),
    ] {
        places.put(Setting::Daybook(kind), reader.at_key(key));
    }
    let daybooks = Daybooks {
        invoice: reader.code("invoice"),
        credit_note: reader.code("credit_note"),
        journal: reader.code("journal"),
    };
    reader.finish(faults);
    let mut reader = section(file, "clearing", "[clearing]");
    places.put(Setting::ReimbursementClearing, reader.at_key("reimbursement"));
    places.put(Setting::CardsDefault, reader.at_key("cards_default"));
    let clearing = Clearing {
        reimbursement: reader.coding("reimbursement"),
        cards_default: reader.coding("cards_default"),
    };
    reader.finish(faults);
    let programs = file
        .tables("card_program")
        .into_iter()
        .zip(1..)
        .filter_map(|(found, number)| card_program(file, number, found, places, faults))
        .collect();
    let card_programs = distinct_programs(programs, faults);
    let suppliers = suppliers(section(file, "suppliers", "[suppliers]"), places, faults);
    let tax = tax(section(file, "tax", "[tax]"), places, faults);
    Some(Settings {
        posting: posting?,
        daybooks,
        clearing,
        card_programs,
        suppliers: suppliers?,
        tax,
    })
}

fn posting(mut reader: Reader<'_>, faults: &mut Vec<RuleFault>) -> Option<PostingPolicy> {
    let date = reader.required_choice(
        "date",
        &[
            ("last_expense", PostingDate::LastExpense),
            ("submitted", PostingDate::Submitted),
            ("approved", PostingDate::Approved),
            ("posted", PostingDate::Posted),
        ],
    );
    let closed_period = reader.required_choice(
        "closed_period",
        &[
            ("hold", ClosedPeriod::Hold),
            ("next_open", ClosedPeriod::NextOpen),
        ],
    );
    let posted_means = reader.required_choice(
        "posted_means",
        &[("initial", PostedMeans::Initial), ("final", PostedMeans::Final)],
    );
    if !reader.has("invoice_status") {
        reader.lacks(
            "`invoice_status` is missing",
            "Name the QAD status code that invoices are to bear",
        );
    }
    let invoice_status = reader.code("invoice_status");
    reader.finish(faults);
    Some(PostingPolicy {
        date: date?,
        closed_period: closed_period?,
        posted_means: posted_means?,
        invoice_status: invoice_status?,
    })
}

fn card_program<'a>(
    file: &Reader<'a>,
    number: usize,
    found: Found<'a>,
    places: &mut SettingPlaces,
    faults: &mut Vec<RuleFault>,
) -> Option<(CardProgram, Position)> {
    let name = found.table.get("name").and_then(|name| name.get_ref().as_str());
    let title = name.map_or_else(
        || number.to_string(),
        |name| format!("{number} \"{}\"", name.trim()),
    );
    let mut reader = file.inner(Place::Section(format!("[[card_program]] {title}")), found);
    let at = reader.at();
    for key in ["name", "clearing"] {
        if !reader.has(key) {
            reader.lacks(
                format!("`{key}` is missing"),
                "Give each card program a name and a clearing account",
            );
        }
    }
    let name = reader.text("name");
    let card_names = patterns(&mut reader, "card_name");
    let banks = patterns(&mut reader, "bank").unwrap_or_default();
    let clearing_at = reader.at_key("clearing");
    let clearing = reader.coding("clearing");
    reader.finish(faults);
    let name = name?;
    places.put(Setting::CardProgram(name.clone()), clearing_at);
    let card_names = match card_names {
        Some(names) => names,
        None if banks.is_empty() => MerchantPattern::new(&name).into_iter().collect(),
        None => BTreeSet::new(),
    };
    let program = CardProgram {
        name,
        card_names,
        banks,
        clearing: clearing?,
    };
    Some((program, at))
}

fn distinct_programs(
    programs: Vec<(CardProgram, Position)>,
    faults: &mut Vec<RuleFault>,
) -> Vec<CardProgram> {
    for (i, (a, _)) in programs.iter().enumerate() {
        for (b, at) in programs.iter().skip(i + 1) {
            let place = Place::Section("[[card_program]]".to_owned());
            if a.name == b.name {
                let what = format!("two programs are called \"{}\"", a.name);
                faults.push(RuleFault::content(
                    &place,
                    *at,
                    what,
                    "Give each its own name, or make them one",
                ));
            }
            for pattern in a
                .card_names
                .intersection(&b.card_names)
                .chain(a.banks.intersection(&b.banks))
            {
                let what = format!(
                    "\"{}\" belongs to both \"{}\" and \"{}\"",
                    pattern.written(),
                    a.name,
                    b.name
                );
                faults.push(RuleFault::content(&place, *at, what, "Leave it to one of them"));
            }
        }
    }
    programs.into_iter().map(|(program, _)| program).collect()
}

fn suppliers(
    mut reader: Reader<'_>,
    places: &mut SettingPlaces,
    faults: &mut Vec<RuleFault>,
) -> Option<Suppliers> {
    let choices = [
        ("table", SupplierMatch::Table),
        ("business_relation", SupplierMatch::BusinessRelation),
    ];
    let by = reader.required_choice("match", &choices);
    let mut rows = section(&mut reader, "table", "[suppliers.table]");
    let mut table = BTreeMap::new();
    for (key, value) in rows.rest() {
        let code = rows.text_of(&value);
        let email = match Email::new(&key) {
            Ok(email) => email,
            Err(error) => {
                rows.fault(
                    error.to_string(),
                    "Write the employee's address as Expensify shows it",
                );
                continue;
            }
        };
        let Some(code) = code else {
            rows.fault(
                format!("`{key}` has no supplier code in quotes"),
                "Write the code of the supplier in QAD",
            );
            continue;
        };
        places.put(Setting::Supplier(email.clone()), rows.at_last());
        if let Some(code) = rows.code_of::<SupplierCode>(&key, code)
            && table.insert(email, code).is_some()
        {
            rows.fault(format!("`{key}` is there twice, in different case"), "Keep one");
        }
    }
    rows.finish(faults);
    reader.finish(faults);
    Some(Suppliers { by: by?, table })
}

fn tax(mut reader: Reader<'_>, places: &mut SettingPlaces, faults: &mut Vec<RuleFault>) -> Tax {
    let treat_as_cost = reader.flag("treat_as_cost").unwrap_or(false);
    let mut rows = section(&mut reader, "codes", "[tax.codes]");
    let mut codes = BTreeMap::new();
    for (key, value) in rows.rest() {
        let coding = rows.coding_of(&key, value);
        places.put(Setting::TaxCode(key.trim().to_owned()), rows.at_last());
        if let Some(coding) = coding
            && codes.insert(key.trim().to_owned(), coding).is_some()
        {
            rows.fault(format!("`{key}` is there twice"), "Keep one");
        }
    }
    rows.finish(faults);
    reader.finish(faults);
    Tax { treat_as_cost, codes }
}
