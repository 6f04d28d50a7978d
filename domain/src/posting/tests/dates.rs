//! The posting date, and the period it falls in.

use super::world::{Case, carded, owed, report};
use crate::chart::PeriodState;
use crate::report::tests::samples::day;
use crate::report::{Exclusion, ReasonCode};
use crate::time::SourceTime;

fn case() -> Case {
    let mut late = owed(100);
    late.modified_created = SourceTime::new("2026-11-04");
    report(vec![owed(5_000), late])
}

fn dated(policy: &str) -> Case {
    case().ruled("date = \"approved\"", &format!("date = \"{policy}\""))
}

fn posted_on(case: &Case) -> String {
    let period = case.document().period;
    format!("{} in {}/{}", period.date, period.year, period.number)
}

#[test]
fn the_posting_date_is_the_one_the_set_names() {
    assert_eq!(posted_on(&dated("approved")), "2026-11-06 in 2026/11");
    assert_eq!(posted_on(&dated("submitted")), "2026-11-05 in 2026/11");
    assert_eq!(posted_on(&dated("posted")), "2026-11-10 in 2026/11");
    assert_eq!(
        posted_on(&dated("last_expense")),
        "2026-11-04 in 2026/11",
        "after edits"
    );
}

#[test]
fn the_latest_expense_is_not_known_while_the_date_of_one_cannot_be_read() {
    let mut case = dated("last_expense");
    case.payload.facts.lines[0].created = SourceTime::new("soon");
    case.payload.facts.lines[0].modified_created = SourceTime::new("");
    case.rejected_for(ReasonCode::UnreadableDate, "soon");
}

#[test]
fn only_a_set_that_posts_by_the_day_of_posting_rests_on_the_day() {
    assert_eq!(dated("posted").mapped().basis.day, Some(day("2026-11-10")));
    assert_eq!(dated("approved").mapped().basis.day, None);
}

#[test]
fn an_approval_late_on_the_last_day_in_new_york_belongs_to_that_month() {
    let mut case = case();
    case.payload.facts.approved = SourceTime::new("2026-12-01 03:00:00");
    assert_eq!(posted_on(&case), "2026-11-30 in 2026/11");
    case.zone = chrono_tz::UTC;
    assert_eq!(posted_on(&case), "2026-12-01 in 2026/12");
    let why = &case.mapped().headers[0].fields;
    let date = why.iter().find(|why| why.field == "posting date").unwrap();
    assert_eq!(date.source, "approved = 2026-12-01 03:00:00, in UTC");
}

#[test]
fn an_approval_in_auckland_on_the_morning_of_the_first_belongs_to_the_new_month() {
    let mut case = case();
    case.zone = chrono_tz::Pacific::Auckland;
    case.payload.facts.approved = SourceTime::new("2026-11-30 11:30:00");
    assert_eq!(posted_on(&case), "2026-12-01 in 2026/12");
}

// ── before go-live ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_was_approved_before_go_live_is_left_out_whatever_else_is_wrong_with_it() {
    let mut case = case();
    case.payload.facts.approved = SourceTime::new("2026-10-31 23:00:00");
    case.payload.facts.lines[0].category = "Unheard".into();
    let left_out = Exclusion::BeforeGoLive {
        approved: day("2026-10-31"),
        go_live: day("2026-11-01"),
    };
    assert_eq!(case.excluded(), left_out);
}

#[test]
fn the_day_of_go_live_is_taken_in_the_connections_zone() {
    let mut case = case();
    case.payload.facts.approved = SourceTime::new("2026-11-01 03:59:59");
    assert!(
        matches!(case.excluded(), Exclusion::BeforeGoLive { .. }),
        "still 31 October in New York"
    );
    case.payload.facts.approved = SourceTime::new("2026-11-01 04:00:00");
    assert_eq!(posted_on(&case), "2026-11-01 in 2026/11");
}

// ── closed periods ───────────────────────────────────────────────────────────────────────────────────────────────

fn november_closed(case: Case) -> Case {
    case.with(|case| case.masters.periods[1].general_ledger = PeriodState::Closed)
}

#[test]
fn a_closed_period_holds_the_report_where_the_set_says_so() {
    november_closed(case()).held_for(
        ReasonCode::ClosedPeriod,
        "period 2026/11 is closed for supplier invoice postings",
    );
}

#[test]
fn a_closed_period_moves_the_report_to_the_next_open_one_where_the_set_says_so_and_the_reason_is_on_record() {
    let case = november_closed(case()).ruled("closed_period = \"hold\"", "closed_period = \"next_open\"");
    assert_eq!(posted_on(&case), "2026-12-01 in 2026/12");
    let mapping = case.mapped();
    assert_eq!(
        mapping.notes,
        [
            "2026-11-06 lies in period 2026/11, which is closed for supplier invoice postings: moved to 2026-12-01, the first day of 2026/12"
        ]
    );
    assert_eq!(
        mapping.documents[0].document_date,
        day("2026-11-06"),
        "the invoice is dated as it was"
    );
}

#[test]
fn a_journal_that_is_moved_bears_its_posting_date() {
    let case = november_closed(report(vec![carded(100)]))
        .ruled("closed_period = \"hold\"", "closed_period = \"next_open\"");
    let journal = case.document();
    assert_eq!(
        (journal.period.date, journal.document_date),
        (day("2026-12-01"), day("2026-12-01"))
    );
}

#[test]
fn a_report_is_held_where_no_later_period_is_open_either() {
    november_closed(case())
        .with(|case| case.masters.periods[2].general_ledger = PeriodState::Closed)
        .ruled("closed_period = \"hold\"", "closed_period = \"next_open\"")
        .held_for(ReasonCode::ClosedPeriod, "2026/11");
}

#[test]
fn an_earlier_open_period_is_no_way_out() {
    november_closed(case())
        .with(|case| case.masters.periods.truncate(2))
        .ruled("closed_period = \"hold\"", "closed_period = \"next_open\"")
        .held_for(ReasonCode::ClosedPeriod, "2026/11");
}

#[test]
fn a_period_closed_for_purchases_holds_invoices_and_takes_journals() {
    let closed = |case: Case| case.with(|case| case.masters.periods[1].purchasing = PeriodState::Closed);
    closed(report(vec![owed(100)])).held_for(ReasonCode::ClosedPeriod, "supplier invoice");
    closed(report(vec![owed(-100)])).held_for(ReasonCode::ClosedPeriod, "credit note");
    assert_eq!(
        posted_on(&closed(report(vec![carded(100)]))),
        "2026-11-06 in 2026/11"
    );
}

#[test]
fn a_report_waits_whole_when_one_of_its_documents_must() {
    let case = report(vec![owed(100), carded(100)]);
    case.with(|case| case.masters.periods[1].purchasing = PeriodState::Closed)
        .held_for(ReasonCode::ClosedPeriod, "supplier invoice");
}

#[test]
fn a_correction_period_is_not_for_routine_postings() {
    case()
        .with(|case| case.masters.periods[1].normal = false)
        .rejected_for(ReasonCode::NoPeriod, "no period of QAD contains 2026-11-06");
}

#[test]
fn a_date_in_no_period_is_rejected() {
    case()
        .with(|case| case.masters.periods.retain(|period| period.number != 11))
        .rejected_for(ReasonCode::NoPeriod, "no period of QAD contains 2026-11-06");
}

// ── dates that are none ──────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_date_that_cannot_be_read_is_rejected_and_shown() {
    let mut unapproved = case();
    unapproved.payload.facts.approved = SourceTime::new("last Friday");
    unapproved.rejected_for(ReasonCode::UnreadableDate, "the approval is dated `last Friday`");
    let mut unsubmitted = dated("submitted");
    unsubmitted.payload.facts.submitted = SourceTime::default();
    unsubmitted.rejected_for(ReasonCode::UnreadableDate, "submitted is ``");
    let mut undated = dated("last_expense");
    undated.payload.facts.lines[0].created = SourceTime::new("03/11/2026");
    undated.rejected_for(ReasonCode::UnreadableDate, "the expense date is `03/11/2026`");
    assert_eq!(undated.rejected().len(), 1, "said once, for the line");
}
