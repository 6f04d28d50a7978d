//! Whatever is on the reports: the rules that coded them change nothing, what moves balances, and the hash is of what is
//! said and nothing else.

use proptest::prelude::*;

use super::world::{Past, approved_at, ruled, travel_elsewhere};
use crate::posting::tests::properties::any_line;
use crate::posting::tests::world::{Case, RULES, report};
use crate::report::SourceStatus;

fn any_report() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(any_line(), 0..5),
        any::<bool>(),
        any::<bool>(),
        1u32..28,
    )
        .prop_map(|(lines, paid, unmapped, approved)| {
            let mut case = report(lines);
            let facts = &mut case.payload.facts;
            if paid {
                facts.status = SourceStatus::Reimbursed;
            }
            if unmapped && let Some(line) = facts.lines.first_mut() {
                line.category = "Taxi".into();
            }
            approved_at(case, &format!("2026-11-{approved:02} 10:00:00"))
        })
}

fn any_rules() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        RULES.to_owned(),
        travel_elsewhere(),
        ruled(r#"["Airfare", "Hotel"]"#, r#""Hotel""#),
        ruled(r#""Hotel"] }"#, r#""Hotel", "Taxi"] }"#),
        ruled(r#"date = "approved""#, r#"date = "last_expense""#),
        ruled("cards_default = \"2160\"", "cards_default = \"2155\""),
        ruled("clearing = \"2161\"", "clearing = \"2160\""),
        ruled("treat_as_cost = false", "treat_as_cost = true"),
    ])
}

fn past(cases: &[Case], rules: &str) -> Past {
    let mut past = Past::of(&report(vec![]).masters);
    for (case, number) in cases.iter().zip(1..) {
        let case = case.clone().with(|case| case.rules = rules.to_owned());
        past.coded(number, &case);
    }
    past
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_that_coded_history_change_nothing_of_it(
        cases in prop::collection::vec(any_report(), 0..5),
        rules in any_rules(),
    ) {
        let past = past(&cases, &rules);
        let told = past.under(&rules);
        prop_assert_eq!(told.changes.as_slice(), &[]);
        prop_assert_eq!(told.said.backtest.counts.reports, cases.len() as u64);
        prop_assert!(told.moved().is_empty());
        // Nor under the codes of today, where those are the codes of then.
        prop_assert!(past.under_codes_of_today(&rules).changes.is_empty());
    }

    #[test]
    fn what_stands_and_what_would_stand_balance_in_every_currency_and_period(
        cases in prop::collection::vec(any_report(), 0..5),
        was in any_rules(),
        draft in any_rules(),
    ) {
        let told = past(&cases, &was).under(&draft);
        prop_assert!(told.balances(), "{:?}", told.moved());
        for (key, movement) in told.said.movements.iter() {
            let sides = [movement.before.debit, movement.before.credit, movement.after.debit, movement.after.credit];
            prop_assert!(!sides.iter().any(rust_decimal::Decimal::is_sign_negative), "{:?}", key);
        }
        // The net of all that moved is zero: what does not move is on both sides.
        for (total, movement) in told.said.movements.totals() {
            prop_assert!(movement.net().is_zero(), "{total:?}");
        }
        let counts = told.said.backtest.counts;
        let counted = counts.newly_mapped + counts.newly_rejected + counts.newly_held
            + counts.documents_changed + counts.reasons_changed;
        prop_assert_eq!(counted, told.changes.len() as u64);
    }

    #[test]
    fn the_result_has_one_hash_however_it_is_read_and_another_where_it_says_something_else(
        cases in prop::collection::vec(any_report(), 0..6),
        was in any_rules(),
        draft in any_rules(),
        other in any_rules(),
        ahead in 1usize..50,
    ) {
        let past = past(&cases, &was);
        let (one, two) = (past.under(&draft), past.under(&other));
        prop_assert_eq!(&past.read_ahead(ahead, &draft), &one);
        prop_assert_eq!(&past.helped(&draft), &one);
        let says_the_same = one.changes == two.changes && one.said.movements == two.said.movements;
        prop_assert_eq!(one.hash() == two.hash(), says_the_same);
    }
}
