//! Reading back: every line and every header field is compared, in whatever order QAD keeps the lines (design §5.5).

use proptest::prelude::*;

use crate::ids::{AccountCode, CostCentreCode, DocumentKind, ProjectCode, SubAccountCode, SupplierCode};
use crate::posting::{Document, LedgerDocument, LedgerLine, Side, differences};
use crate::report::tests::samples::{amount, day, invoice, journal, key};

/// The document as a faithful ledger holds it.
fn held(document: &Document) -> LedgerDocument {
    LedgerDocument {
        reference: document.reference.to_string(),
        key: key(document.reference),
        kind: document.kind(),
        supplier: document.supplier().cloned(),
        currency: document.currency.to_string(),
        date: document.period.date,
        total: document.supplier().map(|_| document.amount()),
        lines: document
            .lines
            .iter()
            .map(|line| LedgerLine {
                coding: line.coding.clone(),
                side: line.side,
                amount: line.amount,
            })
            .collect(),
        reversed: false,
    }
}

#[test]
fn a_faithful_ledger_differs_in_nothing() {
    for document in [invoice(), journal()] {
        assert_eq!(differences(&document, &held(&document)), []);
    }
}

#[test]
fn the_case_and_the_zeros_of_what_qad_shows_are_no_difference() {
    let document = invoice();
    let mut shown = held(&document);
    shown.reference = format!(" {} ", shown.reference.to_lowercase());
    shown.currency = "usd".into();
    shown.supplier = SupplierCode::new("emp-e1001").ok();
    shown.total = Some(amount("212.5"));
    shown.lines[0].amount = amount("212.500");
    shown.lines[0].coding.cost_centre = CostCentreCode::new("oh").ok();
    assert_eq!(differences(&document, &shown), []);
}

#[test]
fn each_field_that_differs_is_named_with_both_values() {
    type Change = fn(&mut LedgerDocument);
    let changes: [(&str, Change); 14] = [
        ("reference", |held| held.reference = "E000KHJVOP5PT7I2".into()),
        ("kind", |held| held.kind = DocumentKind::CreditNote),
        ("supplier", |held| {
            held.supplier = SupplierCode::new("EMP-OTHER").ok()
        }),
        ("supplier", |held| held.supplier = None),
        ("currency", |held| held.currency = "EUR".into()),
        ("posting date", |held| held.date = day("2026-11-07")),
        ("total", |held| held.total = Some(amount("212.51"))),
        ("total", |held| held.total = None),
        ("line 1 account", |held| {
            held.lines[0].coding.account = AccountCode::new("6420").unwrap()
        }),
        ("line 1 sub-account", |held| {
            held.lines[0].coding.sub_account = SubAccountCode::new("02").ok()
        }),
        ("line 1 cost centre", |held| {
            held.lines[0].coding.cost_centre = None
        }),
        ("line 1 project", |held| {
            held.lines[0].coding.project = ProjectCode::new("P-8").ok()
        }),
        ("line 1 side", |held| held.lines[0].side = Side::Credit),
        ("line 1 amount", |held| held.lines[0].amount = amount("212.05")),
    ];
    for (field, change) in changes {
        let mut shown = held(&invoice());
        change(&mut shown);
        let found = differences(&invoice(), &shown);
        let fields: Vec<&str> = found.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(fields, [field]);
        assert_ne!(found[0].sent, found[0].held);
        assert!(
            found[0]
                .to_string()
                .starts_with(&format!("{field}: sent {}, QAD holds ", found[0].sent))
        );
    }
}

#[test]
fn a_line_less_and_a_line_more_are_named_and_counted() {
    let mut fewer = held(&journal());
    fewer.lines.remove(1);
    let fields: Vec<String> = differences(&journal(), &fewer)
        .into_iter()
        .map(|d| d.field)
        .collect();
    assert_eq!(fields, ["number of lines", "line 2"]);
    let mut more = held(&journal());
    more.lines.push(more.lines[0].clone());
    let fields: Vec<String> = differences(&journal(), &more)
        .into_iter()
        .map(|d| d.field)
        .collect();
    assert_eq!(fields, ["number of lines", "a line more"]);
}

#[test]
fn a_line_that_differs_is_held_against_the_one_of_the_same_amount() {
    let document = journal();
    let mut shown = held(&document);
    for line in &mut shown.lines {
        line.coding.account = AccountCode::new("9999").unwrap();
    }
    shown.lines.reverse();
    let found = differences(&document, &shown);
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|one| one.field.ends_with("account")),
        "{found:?}"
    );
}

#[test]
fn one_line_twice_does_not_stand_for_two() {
    let mut doubled = held(&journal());
    doubled.lines[1] = doubled.lines[0].clone();
    assert!(!differences(&journal(), &doubled).is_empty());
}

proptest! {
    #[test]
    fn the_order_in_which_qad_keeps_lines_is_no_difference(
        order in Just((0..3usize).collect::<Vec<_>>()).prop_shuffle(),
        changed in prop::option::of(0..3usize),
    ) {
        let mut shown = held(&journal());
        if let Some(at) = changed {
            shown.lines[at].amount += amount("0.01");
        }
        shown.lines = order.iter().map(|at| shown.lines[*at].clone()).collect();
        prop_assert_eq!(differences(&journal(), &shown).is_empty(), changed.is_none());
    }
}
