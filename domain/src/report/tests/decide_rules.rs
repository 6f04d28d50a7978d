//! What the rules and people make of a report.

use std::sync::Arc;

use super::given::given;
use super::samples::*;
use crate::report::{Command, Exclusion, MapOutcome, Reason, ReasonCode, ReportEvent, Step};

// ── the rules are applied ────────────────────────────────────────────────────────────────────────────────────────

fn to_mapped(chart: u64) -> Command {
    Command::Map(MapOutcome::Mapped(mapping(vec![invoice(), journal()], chart)))
}

fn to_rejected(chart: u64, reasons: Vec<Reason>) -> Command {
    Command::Map(MapOutcome::Rejected {
        basis: basis(chart),
        reasons,
    })
}

fn mapped_under(chart: u64) -> ReportEvent {
    ReportEvent::Mapped(Arc::new(mapping(vec![invoice(), journal()], chart)))
}

fn back_to_capture(chart: u64) -> ReportEvent {
    ReportEvent::Rewound {
        to: Step(0),
        why: format!("mapped again under {} and chart {chart}", basis(chart).rules),
    }
}

#[test]
fn a_captured_report_is_mapped_rejected_held_or_left_out() {
    given([discovered()]).when(to_mapped(1)).then([mapped_two()]);
    given([discovered()])
        .when(to_rejected(1, reasons()))
        .then([rejected()]);
    let nothing = Exclusion::NothingToPost;
    given([discovered()])
        .when(Command::Map(MapOutcome::Excluded(nothing.clone())))
        .then([ReportEvent::Excluded(nothing)]);
}

#[test]
fn a_new_basis_takes_a_mapped_report_back_and_maps_it_in_one_append() {
    given(two_planned())
        .when(to_mapped(2))
        .then([back_to_capture(2), mapped_under(2)]);
}

#[test]
fn the_same_mapping_on_the_same_basis_is_no_news() {
    given(two_planned()).when(to_mapped(1)).then_nothing();
}

#[test]
fn a_rejected_report_with_the_same_reasons_stays_as_it_is_however_the_chart_moves() {
    given([discovered(), rejected()])
        .when(to_rejected(9, reasons()))
        .then_nothing();
}

#[test]
fn a_rejected_report_with_other_reasons_says_so() {
    let fewer = reasons()[..1].to_vec();
    let now = ReportEvent::Rejected {
        basis: basis(2),
        reasons: fewer.clone(),
    };
    given([discovered(), rejected()])
        .when(to_rejected(2, fewer))
        .then([back_to_capture(2), now]);
}

#[test]
fn a_rejected_report_whose_cause_is_gone_is_mapped() {
    given([discovered(), rejected()])
        .when(to_mapped(2))
        .then([back_to_capture(2), mapped_under(2)]);
}

#[test]
fn a_held_report_is_mapped_without_being_taken_back_and_held_again_only_for_news() {
    let still = |chart, until| {
        Command::Map(MapOutcome::Held {
            basis: basis(chart),
            reasons: vec![Reason::of_report(
                ReasonCode::ClosedPeriod,
                "period 2026/11 is closed",
            )],
            until,
        })
    };
    let report = given([discovered(), held()]);
    report
        .clone()
        .when(still(5, Some(day("2026-12-01"))))
        .then_nothing();
    report.clone().when(still(5, None)).then([ReportEvent::Held {
        basis: basis(5),
        reasons: vec![Reason::of_report(
            ReasonCode::ClosedPeriod,
            "period 2026/11 is closed",
        )],
        until: None,
    }]);
    report.when(to_mapped(2)).then([mapped_under(2)]);
}

#[test]
fn a_revised_report_is_mapped_from_its_last_capture() {
    let after = given(two_planned())
        .and([revised(edited())])
        .when(to_mapped(1))
        .then([mapped_two()]);
    let again = after.when(to_mapped(2));
    let to_revision = ReportEvent::Rewound {
        to: Step(2),
        why: format!("mapped again under {} and chart 2", basis(2).rules),
    };
    again.then([to_revision, mapped_under(2)]);
}

#[test]
fn what_is_at_work_in_qad_withdrawn_or_left_out_is_not_mapped() {
    let sending = [two_planned(), vec![started(i1())]].concat();
    for life in [
        sending,
        partly_posted(),
        both_posted(),
        vec![discovered(), ReportEvent::Withdrawn],
        vec![],
    ] {
        given(life)
            .when(to_mapped(2))
            .then_refused("cannot become Mapped");
    }
    given([discovered(), ReportEvent::Excluded(by_hand())])
        .when(to_mapped(2))
        .then_refused("Excluded cannot become Mapped");
}

#[test]
fn a_report_that_needs_no_document_any_more_is_left_out_once() {
    let nothing = || Command::Map(MapOutcome::Excluded(Exclusion::NothingToPost));
    let out = given(two_planned())
        .when(nothing())
        .then([ReportEvent::Excluded(Exclusion::NothingToPost)]);
    out.when(nothing()).then_nothing();
}

// ── a person decides ─────────────────────────────────────────────────────────────────────────────────────────────

fn rewind(to: Option<u32>) -> Command {
    Command::Rewind {
        to: to.map(Step),
        why: "a new rule".into(),
    }
}

#[test]
fn a_report_is_taken_back_to_its_last_capture_or_to_a_named_step() {
    let report = given(two_planned()).and([revised(edited()), mapped_two()]);
    report.clone().when(rewind(None)).then([rewound(2)]);
    let older = report.when(rewind(Some(1))).then([rewound(1)]);
    assert_eq!(
        *older.0.stage().capture().unwrap().payload,
        *payload(),
        "the capture of that step, not the last one"
    );
}

#[test]
fn a_report_is_taken_back_from_every_stage_that_touches_nothing_in_qad() {
    for life in [
        vec![discovered()],
        two_planned(),
        vec![discovered(), rejected()],
        vec![discovered(), held()],
        vec![discovered(), ReportEvent::Withdrawn],
        vec![discovered(), ReportEvent::Excluded(by_hand())],
    ] {
        given(life).when(rewind(None)).then([rewound(0)]);
    }
}

#[test]
fn nothing_is_taken_back_or_left_out_while_a_document_is_sending_in_doubt_or_posted() {
    let sending = [two_planned(), vec![started(i1())]].concat();
    let doubtful = [sending.clone(), vec![in_doubt(i1(), unknown())]].concat();
    let half = [sending.clone(), vec![document_posted(i1())]].concat();
    let marked = [both_posted(), vec![marking(), marked()]].concat();
    for life in [sending, doubtful, half, partly_posted(), both_posted(), marked] {
        given(life.clone())
            .when(rewind(None))
            .then_refused("being sent, in doubt or posted");
        given(life)
            .when(Command::Exclude(by_hand()))
            .then_refused("being sent, in doubt or posted");
    }
}

#[test]
fn a_report_nobody_has_seen_is_neither_taken_back_nor_left_out() {
    given([])
        .when(rewind(None))
        .then_refused("nothing is known of it");
    given([])
        .when(Command::Exclude(by_hand()))
        .then_refused("nothing is known of it");
}

#[test]
fn a_step_that_never_was_is_refused_with_those_there_are() {
    given(two_planned())
        .when(rewind(Some(9)))
        .then_refused("no step 9 to return to; the report can return to 0, 1");
}

#[test]
fn leaving_out_twice_for_the_same_reason_is_no_news_and_for_another_is() {
    let out = given([discovered(), rejected()])
        .when(Command::Exclude(by_hand()))
        .then([ReportEvent::Excluded(by_hand())]);
    out.clone().when(Command::Exclude(by_hand())).then_nothing();
    out.when(Command::Exclude(Exclusion::NothingToPost))
        .then([ReportEvent::Excluded(Exclusion::NothingToPost)]);
}

#[test]
fn a_failed_attempt_leaves_the_report_free_to_be_taken_back() {
    given(two_planned())
        .and([started(i1()), failed(i1())])
        .when(rewind(None))
        .then([rewound(0)]);
}
