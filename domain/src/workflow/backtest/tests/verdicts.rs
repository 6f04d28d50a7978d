//! One report, its verdict then, and what other rules would have said.

use super::world::{Past, Told, approved_at, captured, date, id, ruled, travel_elsewhere};
use crate::chart::PeriodState;
use crate::ids::DocumentKind;
use crate::posting::tests::world::{Case, RULES, carded, owed, report};
use crate::report::tests::samples::transaction;
use crate::report::{Exclusion, ReasonCode, ReportEvent};
use crate::rules::Counts;
use crate::workflow::map::claimed;
use crate::workflow::{ChangeKind as Kind, Verdict};

fn taxi() -> Case {
    report(vec![owed(5_000)]).with(|case| case.payload.facts.lines[0].category = "Taxi".into())
}

/// A log with this report alone, judged by its own rules.
fn past(case: &Case) -> Past {
    let mut past = Past::of(&case.masters);
    past.coded(1, case);
    past
}

#[track_caller]
fn comes_out(told: &Told, kind: Kind) {
    assert_eq!(told.kinds(), [(1, kind)]);
    let none = Counts {
        reports: 1,
        ..Counts::default()
    };
    let expected = match kind {
        Kind::NewlyMapped => Counts {
            newly_mapped: 1,
            ..none
        },
        Kind::NewlyRejected => Counts {
            newly_rejected: 1,
            ..none
        },
        Kind::NewlyHeld => Counts {
            newly_held: 1,
            ..none
        },
        Kind::DocumentsChanged => Counts {
            documents_changed: 1,
            ..none
        },
        Kind::ReasonsChanged => Counts {
            reasons_changed: 1,
            ..none
        },
    };
    assert_eq!(told.said.backtest.counts, expected);
    assert!(told.balances(), "{:?}", told.moved());
}

#[test]
fn the_rules_that_judged_history_change_nothing_of_it() {
    let mut past = Past::of(&report(vec![]).masters);
    past.coded(1, &report(vec![owed(5_000)]));
    past.coded(2, &report(vec![owed(5_000), carded(-700)]));
    past.coded(3, &taxi());
    past.coded(4, &report(vec![]));
    let told = past.under(RULES);
    told.nothing_changes();
    assert_eq!(told.said.backtest.counts.reports, 4);
}

#[test]
fn another_account_moves_exactly_what_was_on_the_one_before() {
    let told = past(&report(vec![owed(5_000), owed(-700)])).under(&travel_elsewhere());
    comes_out(&told, Kind::DocumentsChanged);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/11 1010 OH: 0 0 > 50.00 7.00",
            "USD 2026/11 6410 OH: 50.00 7.00 > 0 0",
        ],
        "what is owed to the supplier stays, and is not named"
    );
    let change = &told.changes[0];
    assert_eq!(change.report, id(1));
    let account = |verdict: &Verdict| verdict.documents()[0].lines[0].coding.account.to_string();
    assert_eq!(
        (account(&change.before), account(&change.after)),
        ("6410".into(), "1010".into())
    );
}

#[test]
fn a_report_that_was_rejected_and_would_be_mapped_brings_all_of_its_amounts() {
    let told = past(&taxi()).under(&ruled(r#""Hotel"] }"#, r#""Hotel", "Taxi"] }"#));
    comes_out(&told, Kind::NewlyMapped);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/11 6410 OH: 0 0 > 50.00 0",
            "USD 2026/11 EMP-E1001: 0 0 > 0 50.00"
        ]
    );
    assert_eq!(
        told.changes[0].before.reasons()[0].code,
        ReasonCode::UnmappedAccount
    );
}

#[test]
fn a_report_that_was_mapped_and_would_be_rejected_takes_them_away() {
    let told = past(&report(vec![carded(5_000)])).under(&ruled(r#"["Airfare", "Hotel"]"#, r#""Hotel""#));
    comes_out(&told, Kind::NewlyRejected);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/11 2161 -: 0 50.00 > 0 0",
            "USD 2026/11 6410 OH: 50.00 0 > 0 0"
        ]
    );
}

#[test]
fn a_report_that_is_rejected_for_another_reason_is_told_and_moves_nothing() {
    // 6900 takes no cost centre, and the tag gives one.
    let told = past(&taxi()).under(&ruled(r#"category = "Fees""#, r#"category = ["Fees", "Taxi"]"#));
    comes_out(&told, Kind::ReasonsChanged);
    assert_eq!(told.moved(), Vec::<String>::new());
    assert_eq!(
        told.changes[0].after.reasons()[0].code,
        ReasonCode::CostCentreForbidden
    );
}

#[test]
fn a_report_that_was_held_for_its_period_is_mapped_by_a_set_that_posts_to_the_next_one_and_the_other_way_round()
 {
    let closed =
        report(vec![owed(5_000)]).with(|case| case.masters.periods[1].purchasing = PeriodState::Closed);
    let next_open = ruled("\"hold\"", "\"next_open\"");
    let told = past(&closed).under(&next_open);
    comes_out(&told, Kind::NewlyMapped);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/12 6410 OH: 0 0 > 50.00 0",
            "USD 2026/12 EMP-E1001: 0 0 > 0 50.00"
        ]
    );
    past(&closed).under(RULES).nothing_changes();

    let told = past(&closed.ruled("\"hold\"", "\"next_open\"")).under(RULES);
    comes_out(&told, Kind::NewlyHeld);
    assert_eq!(told.changes[0].after.reasons()[0].code, ReasonCode::ClosedPeriod);
}

#[test]
fn a_report_that_needs_no_document_needs_none_under_any_rules() {
    let told = past(&report(vec![])).under(&travel_elsewhere());
    told.nothing_changes();
    assert_eq!(told.said.backtest.counts.reports, 1);
}

#[test]
fn an_expense_that_another_report_carries_is_rejected_under_any_rules() {
    let case = taxi();
    let mut past = Past::of(&case.masters);
    let elsewhere = claimed(&transaction(1), id(77));
    let ReportEvent::Rejected { basis, mut reasons } = past.judged(1, &case) else {
        panic!("no rule maps a taxi")
    };
    reasons.push(elsewhere.clone());
    let rejected = ReportEvent::Rejected { basis, reasons };
    past.keep(1, vec![captured(1, &case), rejected]);

    past.under(RULES).nothing_changes();
    let told = past.under(&ruled(r#""Hotel"] }"#, r#""Hotel", "Taxi"] }"#));
    comes_out(&told, Kind::ReasonsChanged);
    assert_eq!(told.changes[0].after, Verdict::Rejected(vec![elsewhere]));
    assert_eq!(told.moved(), Vec::<String>::new());
}

#[test]
fn a_report_on_two_documents_is_one_change() {
    let told = past(&report(vec![owed(5_000), carded(700)])).under(&travel_elsewhere());
    comes_out(&told, Kind::DocumentsChanged);
    let kinds: Vec<DocumentKind> = told.changes[0]
        .after
        .documents()
        .iter()
        .map(|d| d.kind())
        .collect();
    assert_eq!(kinds, [DocumentKind::SupplierInvoice, DocumentKind::Journal]);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/11 1010 OH: 0 0 > 57.00 0",
            "USD 2026/11 6410 OH: 57.00 0 > 0 0",
        ]
    );
}

#[test]
fn another_status_of_an_invoice_changes_the_document_and_moves_nothing() {
    let told = past(&report(vec![owed(5_000)])).under(&ruled("AP-INITIAL", "AP-FINAL"));
    comes_out(&told, Kind::DocumentsChanged);
    assert_eq!(told.moved(), Vec::<String>::new());
}

#[test]
fn currencies_are_kept_apart() {
    let mut past = Past::of(&report(vec![]).masters);
    past.coded(1, &report(vec![carded(5_000)]));
    past.coded(2, &report(vec![carded(5_000)]).in_currency("EUR"));
    let told = past.under(&travel_elsewhere());
    assert_eq!(
        told.moved(),
        [
            "EUR 2026/11 1010 OH: 0 0 > 50.00 0",
            "EUR 2026/11 6410 OH: 50.00 0 > 0 0",
            "USD 2026/11 1010 OH: 0 0 > 50.00 0",
            "USD 2026/11 6410 OH: 50.00 0 > 0 0",
        ]
    );
    assert!(told.balances());
}

#[test]
fn codes_that_differ_only_in_case_are_the_same_code() {
    let told = past(&report(vec![owed(5_000)])).under(&ruled(
        r#"set = { cost_centre = { from = "tag_gl_code" } }"#,
        "when = { tag = \"Ohio\" }\nset = { cost_centre = \"oh\" }",
    ));
    told.nothing_changes();
}

#[test]
fn what_was_left_out_before_going_live_was_so_whatever_the_rules_and_whichever_day_that_is_now() {
    let early = approved_at(report(vec![owed(5_000)]), "2026-10-30 10:00:00");
    let mut past = past(&early);
    assert!(matches!(
        past.judged(1, &early),
        ReportEvent::Excluded(Exclusion::BeforeGoLive { .. })
    ));
    past.under(&travel_elsewhere()).nothing_changes();
    past.plant.connection.go_live = date("2026-10-01");
    past.under(&travel_elsewhere()).nothing_changes();
    past.plant.connection.go_live = date("2026-12-01");
    past.coded(2, &report(vec![]));
    past.under(&travel_elsewhere()).nothing_changes();
}

#[test]
fn what_was_judged_before_going_live_was_put_off_is_judged_again_all_the_same() {
    let case = report(vec![owed(5_000)]);
    let mut past = past(&case);
    past.plant.connection.go_live = date("2026-12-01");
    past.under(&case.rules).nothing_changes();
    comes_out(&past.under(&travel_elsewhere()), Kind::DocumentsChanged);
}
