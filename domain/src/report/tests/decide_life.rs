//! What the source, the rules and people make of a report, up to and after its posting.

use super::given::given;
use super::samples::*;
use crate::report::{
    AfterReversal, Case, Command, Exclusion, Flag, MapOutcome, Payload, Personal, Reason, ReasonCode,
    ReportEvent, Stage, Step,
};

fn see(payload: Box<Payload>) -> Command {
    Command::Observe(payload)
}

/// The same report under another salt: what a fresh download brings.
fn with_fresh_salt(mut payload: Box<Payload>) -> Box<Payload> {
    if let Personal::Known(personal) = &mut payload.personal {
        personal.salt = "ff".repeat(16);
    }
    payload
}

fn forgotten(mut payload: Box<Payload>) -> Box<Payload> {
    payload.personal = Personal::Forgotten;
    payload
}

// ── the source shows it ──────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_report_seen_for_the_first_time_is_captured_whole() {
    given([]).when(see(payload())).then([discovered()]);
}

#[test]
fn a_report_seen_again_as_it_was_is_no_news() {
    for life in [
        vec![discovered()],
        vec![discovered(), mapped_two()],
        vec![discovered(), rejected()],
        vec![discovered(), held()],
        both_posted(),
    ] {
        given(life.clone()).when(see(payload())).then_nothing();
        given(life).when(see(with_fresh_salt(payload()))).then_nothing();
    }
}

#[test]
fn a_change_of_what_is_not_material_is_no_news() {
    let mut retitled = payload();
    retitled.facts.policy_name = "Acme United States".into();
    if let Personal::Known(personal) = &mut retitled.personal {
        personal.report_name = "Another title".into();
        personal.lines[0].comment = "Another comment".into();
    }
    given([discovered()]).when(see(retitled)).then_nothing();
}

#[test]
fn a_material_change_revises_under_the_salt_of_the_first_capture() {
    for life in [
        vec![discovered()],
        two_planned(),
        vec![discovered(), rejected()],
        vec![discovered(), held()],
    ] {
        given(life)
            .when(see(with_fresh_salt(edited())))
            .then([revised(edited())]);
    }
}

#[test]
fn a_report_withdrawn_and_seen_again_is_revised_even_if_nothing_changed() {
    let back = given([discovered(), ReportEvent::Withdrawn])
        .when(see(payload()))
        .then([revised(payload())]);
    assert!(matches!(back.0.stage(), Stage::Discovered(_)));
}

#[test]
fn a_complete_listing_without_it_withdraws_it_once() {
    for life in [
        vec![discovered()],
        two_planned(),
        vec![discovered(), rejected()],
        vec![discovered(), held()],
    ] {
        let gone = given(life).when(Command::Withdraw).then([ReportEvent::Withdrawn]);
        gone.when(Command::Withdraw).then_nothing();
    }
}

#[test]
fn what_is_at_work_in_qad_or_left_out_is_neither_revised_nor_withdrawn() {
    let sending = [two_planned(), vec![started(i1())]].concat();
    let excluded = vec![discovered(), ReportEvent::Excluded(by_hand())];
    for life in [sending, partly_posted(), excluded] {
        given(life.clone()).when(see(edited())).then_nothing();
        given(life).when(Command::Withdraw).then_nothing();
    }
}

#[test]
fn once_the_person_was_forgotten_a_fresh_salt_begins() {
    let empty = forgotten(payload());
    let before = ReportEvent::Discovered {
        payload_hash: payload().payload_hash().unwrap(),
        material_hash: payload().material_hash(SALT),
        payload: empty,
    };
    let again = with_fresh_salt(payload());
    given([before]).when(see(again.clone())).then([revised(again)]);
}

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
    ReportEvent::Mapped(Box::new(mapping(vec![invoice(), journal()], chart)))
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
        older.0.stage().capture().unwrap().payload,
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

// ── the flag at the source ───────────────────────────────────────────────────────────────────────────────────────

fn confirm() -> Command {
    Command::ConfirmMarked {
        label: label(),
        listed_at: instant("2026-11-07T06:00:00Z"),
    }
}

#[test]
fn the_flag_is_set_only_after_qad_has_everything() {
    let half = [two_planned(), vec![started(i1()), document_posted(i1())]].concat();
    for life in [two_planned(), half, partly_posted()] {
        given(life.clone())
            .when(Command::StartMarking(label()))
            .then_refused("cannot become MarkingStarted");
        given(life)
            .when(confirm())
            .then_refused("cannot become MarkedExported");
    }
}

#[test]
fn the_flag_has_an_intent_before_it_and_evidence_after_it() {
    given(both_posted())
        .when(confirm())
        .then_refused("no intent to mark");
    let asked = given(both_posted())
        .when(Command::StartMarking(label()))
        .then([marking()]);
    // An intent whose outcome was lost is declared again: setting a flag twice harms nobody.
    let again = asked.when(Command::StartMarking(label())).then([marking()]);
    let done = again.when(confirm()).then([marked()]);
    done.clone().when(Command::StartMarking(label())).then_nothing();
    done.when(confirm()).then_nothing();
}

// ── what happens after posting ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_edit_after_posting_opens_a_case_and_changes_nothing_else() {
    for life in [both_posted(), [both_posted(), vec![marking(), marked()]].concat()] {
        let posted = given(life);
        let stage = posted.0.stage().clone();
        let drifted = posted
            .when(see(with_fresh_salt(edited())))
            .then([source_drifted(edited())]);
        assert_eq!(drifted.0.stage(), &stage);
        drifted.when(see(edited())).then_nothing();
    }
}

#[test]
fn a_second_edit_replaces_the_case_of_the_first() {
    let mut third = edited();
    third.facts.lines[0].category = "Hotel".into();
    let report = given(both_posted())
        .and([source_drifted(edited())])
        .when(see(third.clone()))
        .then([source_drifted(third.clone())]);
    let [Case::SourceDrifted(capture)] = report.0.cases() else {
        panic!("{:?}", report.0.cases())
    };
    assert_eq!(capture.payload, *third);
}

#[test]
fn a_payable_that_the_source_then_pays_is_an_open_case_beside_the_drift() {
    let report = given(both_posted())
        .when(see(paid()))
        .then([ReportEvent::PaidAtSource, source_drifted(paid())]);
    report.when(see(paid())).then_nothing();
}

#[test]
fn every_sign_of_payment_at_the_source_is_one() {
    let mut by_ach = payload();
    by_ach.facts.ach_reimbursed = Flag::Yes;
    let mut by_entry = payload();
    by_entry.facts.entry_id = "77".into();
    for payment in [by_ach, by_entry] {
        given(both_posted())
            .when(see(payment.clone()))
            .then([ReportEvent::PaidAtSource, source_drifted(payment)]);
    }
}

#[test]
fn payment_at_the_source_is_said_once() {
    let mut paid_and_edited = paid();
    paid_and_edited.facts.lines[0].category = "Hotel".into();
    given(both_posted())
        .and([ReportEvent::PaidAtSource, source_drifted(paid())])
        .when(see(paid_and_edited.clone()))
        .then([source_drifted(paid_and_edited)]);
}

#[test]
fn payment_of_what_was_never_payable_is_only_a_drift() {
    let journal_only = ReportEvent::Mapped(Box::new(mapping(vec![journal()], 1)));
    given([
        discovered(),
        journal_only,
        started(j1()),
        document_posted(j1()),
        ReportEvent::Posted,
    ])
    .when(see(paid()))
    .then([source_drifted(paid())]);
}

#[test]
fn a_document_that_drifted_is_one_case_for_each_difference() {
    let drift = || Command::RaiseDocumentDrift {
        reference: i1(),
        differences: differences(),
    };
    let report = given(both_posted()).when(drift()).then([document_drifted(i1())]);
    report.clone().when(drift()).then_nothing();
    report
        .when(Command::RaiseDocumentDrift {
            reference: j1(),
            differences: differences(),
        })
        .then([document_drifted(j1())]);
    given(two_planned())
        .when(drift())
        .then_refused("cannot become DocumentDrifted");
}

#[test]
fn a_report_gone_from_the_source_after_posting_is_said_once() {
    let report = given(both_posted())
        .when(Command::RaiseGone)
        .then([ReportEvent::SourceGone]);
    report.when(Command::RaiseGone).then_nothing();
    given([discovered()])
        .when(Command::RaiseGone)
        .then_refused("cannot become SourceGone");
}

#[test]
fn cases_stay_open_when_the_document_is_reversed() {
    let report = given(both_posted()).and([
        source_drifted(edited()),
        reversed(i1(), AfterReversal::PlannedAgain),
    ]);
    assert_eq!(report.0.cases().len(), 1);
}
