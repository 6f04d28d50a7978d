//! Whatever is on a report: its documents balance, and together they say what the report says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::world::{carded, orphan, owed, report, signed};
use crate::money::Hundredths;
use crate::posting::LineOrigin;
use crate::report::{Exclusion, Flag, LineFacts, MapOutcome, SourceStatus};

pub(crate) fn any_line() -> impl Strategy<Value = LineFacts> {
    let cents =
        prop_oneof![1 => Just(0i64), 6 => -500_000i64..500_000, 1 => Just(100i64), 1 => Just(-100i64)];
    let category = prop::sample::select(vec!["Airfare", "Hotel", "Tooling"]);
    (cents, 0u8..4, category, 0i64..=100, any::<bool>()).prop_map(
        |(cents, way, category, tax_percent, taxed)| {
            let mut line = match way {
                0 | 1 => owed(cents),
                2 => carded(cents),
                _ => orphan(cents),
            };
            // Only hotels have a credit account when nobody is owed and no card paid.
            line.category = if way == 3 { "Hotel".into() } else { category.into() };
            let tax = cents * tax_percent / 100;
            if taxed && tax != 0 {
                line.has_tax = Flag::Yes;
                line.tax_amount = Hundredths::Of(tax);
                line.tax_code = "VAT20".into();
            } else if !taxed && way != 3 && cents != 0 {
                // A foreign line: the original amount is another one.
                line.currency = "EUR".into();
                line.amount = Hundredths::Of(cents.saturating_mul(9) / 10 + cents.signum());
            }
            line
        },
    )
}

proptest! {
    #[test]
    fn documents_balance_are_positive_carry_each_expense_once_and_add_up_to_the_report(
        lines in prop::collection::vec(any_line(), 0..9),
        paid in any::<bool>(),
    ) {
        let mut case = report(lines);
        if paid {
            case.payload.facts.status = SourceStatus::Reimbursed;
        }
        let facts = &case.payload.facts;
        let nonzero: Vec<_> = facts.lines.iter().filter(|line| line.converted_amount != Hundredths::Of(0)).collect();
        let mapping = match case.outcome() {
            MapOutcome::Mapped(mapping) => mapping,
            MapOutcome::Excluded(Exclusion::NothingToPost) => {
                prop_assert!(nonzero.is_empty());
                return Ok(());
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert!((1..=2).contains(&mapping.documents.len()));
        let mut carried = BTreeMap::new();
        let mut tax_lines = BTreeMap::new();
        for document in &mapping.documents {
            prop_assert!(document.balances(), "{document:?}");
            prop_assert!(document.lines.iter().all(|line| line.amount > Decimal::ZERO), "{document:?}");
            prop_assert!(document.lines.iter().all(|line| line.amount.scale() == 2), "in the decimals of the currency");
            prop_assert_eq!(document.texts.known().unwrap().lines.len(), document.lines.len());
            for transaction in document.transactions() {
                *carried.entry(transaction.clone()).or_insert(0) += 1;
            }
            for line in &document.lines {
                if let LineOrigin::Expense { transaction } = &line.origin {
                    *tax_lines.entry(transaction.clone()).or_insert(0) += 1;
                }
            }
        }
        let expected: BTreeMap<_, _> = nonzero.iter().map(|line| (line.transaction.clone(), 1)).collect();
        prop_assert_eq!(&carried, &expected, "each expense is carried once");
        prop_assert!(tax_lines.values().all(|count| *count == 1), "on one line of its own");
        let total: Decimal = mapping.documents.iter().map(|document| signed(document)).sum();
        prop_assert_eq!(total, Decimal::new(facts.total.get().unwrap(), 2), "the documents say what the report says");
        let whys: Decimal = mapping.lines.iter().map(|why| why.amount).sum();
        prop_assert_eq!(whys, total, "and so does the lineage");
        prop_assert_eq!(mapping.lines.len(), facts.lines.len());
        if paid {
            prop_assert!(mapping.documents.iter().all(|document| document.supplier().is_none()), "never payable twice");
        }
    }
}
