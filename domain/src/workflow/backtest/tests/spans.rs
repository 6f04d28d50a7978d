//! Over which reports, and under which chart.

use super::world::{Past, approved_at, travel_elsewhere};
use crate::chart::PeriodState;
use crate::posting::tests::world::{Case, RULES, owed, report};
use crate::report::ReasonCode;
use crate::workflow::ChangeKind as Kind;

fn travel() -> Case {
    report(vec![owed(5_000)])
}

#[test]
fn a_span_holds_the_reports_approved_on_its_days_in_the_zone_of_the_connection_both_ends_included() {
    let mut past = Past::of(&travel().masters);
    past.coded(1, &approved_at(travel(), "2026-11-05 04:59:59"));
    past.coded(2, &approved_at(travel(), "2026-11-05 05:00:00"));
    past.coded(3, &approved_at(travel(), "2026-11-06 04:59:59"));
    past.coded(4, &approved_at(travel(), "2026-11-06 05:00:00"));
    let reports = |from, to| -> Vec<u64> {
        past.approved(from, to)
            .kinds()
            .into_iter()
            .map(|(number, _)| number)
            .collect()
    };
    assert_eq!(reports(None, None), [1, 2, 3, 4]);
    assert_eq!(
        reports(Some("2026-11-05"), Some("2026-11-05")),
        [2, 3],
        "the fifth in New York"
    );
    assert_eq!(reports(Some("2026-11-05"), None), [2, 3, 4]);
    assert_eq!(reports(None, Some("2026-11-05")), [1, 2, 3]);
    assert_eq!(reports(Some("2026-11-07"), None), [0u64; 0]);
    assert_eq!(
        past.approved(Some("2026-11-05"), Some("2026-11-05"))
            .said
            .backtest
            .counts
            .reports,
        2
    );
}

#[test]
fn a_report_whose_day_of_approval_nobody_can_read_belongs_to_all_of_history_and_to_no_part_of_it() {
    let mut past = Past::of(&travel().masters);
    past.coded(1, &approved_at(travel(), "yesterday"));
    let reports = |from| past.approved(from, None).said.backtest.counts.reports;
    assert_eq!((reports(None), reports(Some("2000-01-01"))), (1, 0));
    past.under(RULES).nothing_changes();
}

#[test]
fn each_report_is_judged_under_the_chart_it_was_judged_by_or_all_under_the_codes_of_today() {
    let mut past = Past::of(&travel().masters);
    past.coded(1, &travel());
    let mut later = travel().masters;
    later.account("6410").active = false;
    past.observe(&later);
    past.coded(2, &travel());
    past.under(RULES).nothing_changes();
    let told = past.under_codes_of_today(RULES);
    assert_eq!(told.kinds(), [(1, Kind::NewlyRejected)]);
    assert_eq!(
        told.changes[0].after.reasons()[0].code,
        ReasonCode::InactiveAccount
    );
    assert!(told.balances());

    let elsewhere = past.under(&travel_elsewhere());
    assert_eq!(
        elsewhere.kinds(),
        [(1, Kind::DocumentsChanged), (2, Kind::NewlyMapped)]
    );
}

#[test]
fn under_the_codes_of_today_periods_are_as_open_as_they_were() {
    let mut past = Past::of(&travel().masters);
    past.coded(1, &travel());
    let mut later = travel().masters;
    later.periods[1].purchasing = PeriodState::Closed;
    later.periods[1].general_ledger = PeriodState::Closed;
    past.observe(&later);
    past.under_codes_of_today(RULES).nothing_changes();
    past.coded(2, &travel());
    assert_eq!(
        past.under_codes_of_today(RULES).kinds(),
        [],
        "and as closed as they were"
    );
}

#[test]
fn what_needed_no_document_is_judged_under_the_chart_that_stood_then() {
    let zero = report(vec![owed(0)]);
    let mut past = Past::of(&zero.masters);
    past.coded(1, &zero);
    let mut later = zero.masters.clone();
    later.account("6410").active = false;
    past.observe(&later);
    past.under(RULES).nothing_changes();
    past.coded(2, &zero);
    past.under(RULES).nothing_changes();
}

#[test]
fn many_versions_of_the_chart_are_each_folded_as_they_were_in_whichever_order_they_are_asked_for() {
    let masters = travel().masters;
    let mut past = Past::of(&masters);
    // Every second version takes travel's account; reports are read in the order of their ids, not of time.
    for number in 1..=24u64 {
        let mut version = masters.clone();
        version.account("6410").active = number % 2 == 0;
        version.account("6900").description = format!("as of {number}");
        past.observe(&version);
        past.coded(number * 7 % 25, &travel());
    }
    past.under(RULES).nothing_changes();
    let all = past.under(&travel_elsewhere());
    let counts = all.said.backtest.counts;
    assert_eq!((counts.newly_mapped, counts.documents_changed), (12, 12));
}
