//! Intent and outcome of documents, and what every pair of outcomes makes of the report.

use std::sync::Arc;

use super::asks::*;
use super::given::given;
use super::samples::*;
use crate::ids::AccountCode;
use crate::posting::{Document, LineOrigin};
use crate::report::{
    Attempt, Basis, Command, DocumentState, MapOutcome, ReasonCode, ReportEvent, Stage, StageName,
};

#[test]
fn the_intent_holds_the_exact_document_its_attempt_its_owner_and_what_was_seen() {
    let sending = given(two_planned()).when(start(i1())).then([started(i1())]);
    stage(&sending, StageName::Posting);
    assert_eq!(
        state(&sending, i1()),
        DocumentState::Sending {
            attempt: Attempt(1),
            owner: owner()
        }
    );
    assert_eq!(state(&sending, j1()), DocumentState::Planned);
}

#[test]
fn a_basis_that_is_no_longer_in_force_is_refused() {
    let other_rules = Basis {
        rules: crate::rules::RuleSetVersion {
            number: 2,
            hash: "cd".repeat(32),
        },
        ..basis(1)
    };
    let another_day = Basis {
        day: Some(day("2026-11-07")),
        ..basis(1)
    };
    for in_force in [basis(2), other_rules, another_day] {
        let command = Command::StartPosting {
            reference: i1(),
            owner: owner(),
            in_force,
            seen: Some(payload().material_hash(SALT)),
        };
        given(two_planned())
            .when(command)
            .then_refused("it is mapped again before it posts");
    }
}

#[test]
fn a_report_not_seen_in_this_cycle_or_seen_otherwise_is_refused() {
    for seen in [None, Some(edited().material_hash(SALT))] {
        let command = Command::StartPosting {
            reference: i1(),
            owner: owner(),
            in_force: basis(1),
            seen,
        };
        given(two_planned())
            .when(command)
            .then_refused("does not show the report as it was mapped");
    }
}

#[test]
fn a_document_the_report_does_not_have_is_refused() {
    given(vec![discovered(), mapped_one()])
        .when(start(j1()))
        .then_refused("has no document");
    given(two_planned())
        .when(start(next(i1())))
        .then_refused("has no document");
    given([discovered()])
        .when(start(i1()))
        .then_refused("has no document");
}

#[test]
fn a_document_is_not_declared_twice() {
    let sending = given(two_planned()).and([started(i1())]);
    sending.clone().when(start(i1())).then_refused("is sending");
    let doubtful = sending.clone().and([in_doubt(i1(), unknown())]);
    doubtful.when(start(i1())).then_refused("is in doubt");
    let posted = sending.and([document_posted(i1())]);
    posted.when(start(i1())).then_refused("is posted");
}

#[test]
fn the_second_document_may_be_declared_while_the_first_is_at_work() {
    given(two_planned())
        .and([started(i1())])
        .when(start(j1()))
        .then([started(j1())]);
}

#[test]
fn an_attempt_that_never_arrived_is_followed_by_the_next_one() {
    let failed_once = given(two_planned())
        .and([started(i1())])
        .when(Command::RecordFailed {
            reference: i1(),
            why: "the connection was refused".into(),
        });
    let planned = failed_once.then([failed(i1())]);
    stage(&planned, StageName::Mapped);
    planned.when(start(i1())).then([started_again(i1(), 2)]);
}

#[test]
fn an_outcome_without_an_intent_is_refused() {
    for command in [
        record_posted(i1()),
        record_refused(i1()),
        record_doubt(i1(), unknown(), 60),
        Command::RecordFailed {
            reference: i1(),
            why: "-".into(),
        },
    ] {
        given(two_planned())
            .when(command.clone())
            .then_refused("Mapped cannot become");
        given(two_planned())
            .and([started(j1())])
            .when(command)
            .then_refused("not being sent");
    }
}

// ── two documents, every pair of outcomes ────────────────────────────────────────────────────────────────────────

#[test]
fn the_last_document_posted_makes_the_report_posted_in_the_same_append() {
    let one = given(two_planned())
        .and([started(i1())])
        .when(record_posted(i1()))
        .then([document_posted(i1())]);
    stage(&one, StageName::Posting);
    let both = one
        .when(start(j1()))
        .then([started(j1())])
        .when(record_posted(j1()))
        .then([document_posted(j1()), ReportEvent::Posted]);
    stage(&both, StageName::Posted);
}

#[test]
fn what_is_missing_of_a_report_that_stands_in_part_is_sent_recoded_with_the_same_expenses_only() {
    let recoded = |change: fn(&mut Document)| {
        let mut document = journal();
        change(&mut document);
        Command::StartRecoded {
            document: Arc::new(document),
            owner: owner(),
            seen: Some(payload().material_hash(SALT)),
        }
    };
    let another_account: fn(&mut Document) =
        |document| document.lines[0].coding.account = AccountCode::new("6499").unwrap();
    let partly = given(partly_posted());
    for change in [
        // Out of balance with the same expenses, and in balance with others.
        (|document| document.lines[0].amount += amount("1.00")) as fn(&mut Document),
        |document| {
            for line in &mut document.lines {
                if let LineOrigin::Expense { transaction } = &mut line.origin {
                    *transaction = super::samples::transaction(9);
                }
            }
        },
    ] {
        partly
            .clone()
            .when(recoded(change))
            .then_refused("would carry other expenses than were mapped to it");
    }
    given(two_planned())
        .when(recoded(another_account))
        .then_refused("it is mapped again as a whole");
    let sent = partly.when(recoded(another_account));
    let mut document = journal();
    another_account(&mut document);
    sent.then([ReportEvent::PostingStarted {
        attempt: Attempt(2),
        document: Arc::new(document),
        owner: owner(),
        material_hash: payload().material_hash(SALT),
    }]);
}

#[test]
fn a_report_with_one_document_is_posted_with_it() {
    given(vec![discovered(), mapped_one(), started(i1())])
        .when(record_posted(i1()))
        .then([document_posted(i1()), ReportEvent::Posted]);
}

#[test]
fn posted_then_refused_is_partly_posted_and_never_rejected() {
    let partly = given(two_planned())
        .and([started(i1()), document_posted(i1()), started(j1())])
        .when(record_refused(j1()))
        .then([refused(j1())]);
    stage(&partly, StageName::PartlyPosted);
}

#[test]
fn refused_then_posted_is_partly_posted_too() {
    let partly = given(two_planned())
        .and([started(i1()), started(j1()), refused(j1())])
        .when(record_posted(i1()))
        .then([document_posted(i1())]);
    stage(&partly, StageName::PartlyPosted);
}

#[test]
fn the_missing_document_alone_is_tried_again() {
    let partly = given(partly_posted());
    partly.clone().when(start(i1())).then_refused("is posted");
    let whole = partly
        .when(start(j1()))
        .then([started_again(j1(), 2)])
        .when(record_posted(j1()))
        .then([document_posted(j1()), ReportEvent::Posted]);
    stage(&whole, StageName::Posted);
}

#[test]
fn the_first_document_refused_rejects_the_report_in_qads_own_words() {
    let rejected = given(two_planned())
        .and([started(i1())])
        .when(record_refused(i1()))
        .then([refused(i1())]);
    let Stage::Rejected { reasons, .. } = rejected.0.stage() else {
        panic!()
    };
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].code, ReasonCode::RefusedByQad);
    assert_eq!(
        reasons[0].message,
        format!("supplier invoice {}: PostingDate: Period is closed [12345]", i1())
    );
}

#[test]
fn both_documents_refused_reject_the_report_with_both_refusals() {
    let rejected = given(two_planned())
        .and([started(i1()), started(j1()), refused(i1())])
        .when(record_refused(j1()))
        .then([refused(j1())]);
    let Stage::Rejected { reasons, .. } = rejected.0.stage() else {
        panic!()
    };
    assert_eq!(reasons.len(), 2);
}

#[test]
fn a_refused_report_is_mapped_again_when_the_chart_changes() {
    let outcome = MapOutcome::Mapped(mapping(vec![invoice()], 2));
    given(vec![discovered(), mapped_one(), started(i1()), refused(i1())])
        .when(Command::Map(outcome))
        .then([
            ReportEvent::Rewound {
                to: crate::report::Step(0),
                why: format!("mapped again under {} and chart 2", basis(2).rules),
            },
            ReportEvent::Mapped(Arc::new(mapping(vec![invoice()], 2))),
        ])
        .when(Command::StartPosting {
            reference: i1(),
            owner: owner(),
            in_force: basis(2),
            seen: Some(payload().material_hash(SALT)),
        })
        .then([started_again(i1(), 2)]);
}
