//! What the source shows of a report, before its posting, with the exported flag, and after it.

use std::sync::Arc;

use super::given::given;
use super::samples::*;
use crate::ids::Label;
use crate::report::{AfterReversal, Case, CaseName, Command, Flag, Payload, Personal, ReportEvent, Stage};

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
    for life in [sending, excluded] {
        given(life.clone()).when(see(edited())).then_nothing();
        given(life).when(Command::Withdraw).then_nothing();
    }
}

/// The missing document posts only as the source showed it when it was mapped. Where it shows something else by now, the
/// report would wait for ever without a word.
#[test]
fn what_stands_in_part_and_changed_at_the_source_is_a_case_until_it_changes_back() {
    let half = [two_planned(), vec![started(i1()), document_posted(i1())]].concat();
    for life in [half, partly_posted()] {
        let drifted = given(life.clone())
            .when(see(edited()))
            .then([source_drifted(edited())]);
        drifted.when(see(payload())).then([ReportEvent::CaseClosed {
            case: CaseName::SourceDrifted,
            reference: None,
        }]);
        given(life.clone())
            .when(Command::RaiseGone)
            .then([ReportEvent::SourceGone]);
        given(life).when(Command::Withdraw).then_nothing();
    }
}

#[test]
fn of_a_person_who_was_forgotten_nothing_is_captured_again() {
    let empty = forgotten(payload());
    let before = ReportEvent::Discovered {
        payload_hash: payload().payload_hash().unwrap(),
        material_hash: payload().material_hash(SALT),
        payload: empty.into(),
    };
    given([before])
        .when(see(with_fresh_salt(payload())))
        .then_nothing();
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
    done.clone().when(confirm()).then_nothing();
    // Another label is another flag, and that one was never set.
    let other = Label::new("Booked").unwrap();
    done.clone()
        .when(Command::StartMarking(other.clone()))
        .then_refused("cannot become MarkingStarted");
    done.when(Command::ConfirmMarked {
        label: other,
        listed_at: instant("2026-11-07T06:00:00Z"),
    })
    .then_refused("cannot become MarkedExported");
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
    assert_eq!(*capture.payload, *third);
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
    let journal_only = ReportEvent::Mapped(Arc::new(mapping(vec![journal()], 1)));
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
