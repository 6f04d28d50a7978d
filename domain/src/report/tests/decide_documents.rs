//! The life of documents: intent, outcome, doubt, a person's word, reversal; and what they make of the report.

use super::given::{Given, given};
use super::samples::*;
use crate::ids::Reference;
use crate::report::{
    AfterReversal, Attempt, Basis, Command, Decision, DocumentState, Doubt, Exclusion, MapOutcome, Proof,
    ReasonCode, ReportEvent, Stage, StageName,
};

fn start(reference: Reference) -> Command {
    Command::StartPosting {
        reference,
        owner: owner(),
        in_force: basis(1),
        seen: Some(payload().material_hash(SALT)),
    }
}

fn record_posted(reference: Reference) -> Command {
    Command::RecordPosted {
        reference,
        key: key(reference),
        date: day("2026-11-06"),
        proof: Proof::Confirmed,
        warnings: Vec::new(),
    }
}

fn record_refused(reference: Reference) -> Command {
    Command::RecordRefused {
        reference,
        messages: vec![message()],
    }
}

fn record_doubt(reference: Reference, doubt: Doubt, seconds: i64) -> Command {
    Command::RecordDoubt {
        reference,
        doubt,
        since: moment(seconds),
    }
}

fn settle(reference: Reference, decision: Decision) -> Command {
    Command::Settle {
        reference,
        decision,
        why: "seen in QAD".into(),
    }
}

fn reverse(reference: Reference, then: AfterReversal) -> Command {
    Command::Reverse {
        reference,
        ledger_reference: "2026/EXPINV/4800".into(),
        then,
    }
}

#[track_caller]
fn stage(given: &Given, expected: StageName) {
    assert_eq!(given.0.stage().name(), expected);
}

fn state(given: &Given, reference: Reference) -> DocumentState {
    given.0.dossier().unwrap().file(reference).unwrap().state.clone()
}

// ── intent ───────────────────────────────────────────────────────────────────────────────────────────────────────

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
            ReportEvent::Mapped(Box::new(mapping(vec![invoice()], 2))),
        ])
        .when(Command::StartPosting {
            reference: i1(),
            owner: owner(),
            in_force: basis(2),
            seen: Some(payload().material_hash(SALT)),
        })
        .then([started_again(i1(), 2)]);
}

// ── doubt ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_doubt_keeps_the_instant_the_request_was_first_given_up() {
    let doubtful = given(two_planned())
        .and([started(i1())])
        .when(record_doubt(i1(), unknown(), 60))
        .then([in_doubt(i1(), unknown())]);
    let later = Doubt::Unread {
        key: Some(key(i1())),
        detail: "503".into(),
    };
    let again = doubtful
        .when(record_doubt(i1(), later.clone(), 900))
        .then([ReportEvent::PostingInDoubt {
            reference: i1(),
            doubt: later.clone(),
            since: moment(900),
        }]);
    assert_eq!(
        state(&again, i1()),
        DocumentState::InDoubt {
            attempt: Attempt(1),
            doubt: later,
            since: moment(60)
        }
    );
    stage(&again, StageName::Posting);
}

#[test]
fn the_same_doubt_again_is_no_news() {
    given(two_planned())
        .and([started(i1()), in_doubt(i1(), unknown())])
        .when(record_doubt(i1(), unknown(), 900))
        .then_nothing();
}

#[test]
fn a_doubt_of_a_later_attempt_begins_its_own_quarantine() {
    let again = given(two_planned())
        .and([
            started(i1()),
            in_doubt(i1(), unknown()),
            failed(i1()),
            started_again(i1(), 2),
        ])
        .when(record_doubt(i1(), unknown(), 900));
    let event = ReportEvent::PostingInDoubt {
        reference: i1(),
        doubt: unknown(),
        since: moment(900),
    };
    let DocumentState::InDoubt { since, attempt, .. } = state(&again.then([event]), i1()) else {
        panic!()
    };
    assert_eq!((since, attempt), (moment(900), Attempt(2)));
}

#[test]
fn a_document_in_doubt_is_settled_by_what_a_look_up_finds() {
    let doubtful = given(vec![
        discovered(),
        mapped_one(),
        started(i1()),
        in_doubt(i1(), unknown()),
    ]);
    let posted = doubtful
        .clone()
        .when(record_posted(i1()))
        .then([document_posted(i1()), ReportEvent::Posted]);
    stage(&posted, StageName::Posted);
    let absent = doubtful
        .when(Command::RecordFailed {
            reference: i1(),
            why: "the connection was refused".into(),
        })
        .then([failed(i1())]);
    stage(&absent, StageName::Mapped);
}

// ── a person's word ──────────────────────────────────────────────────────────────────────────────────────────────

fn adopt() -> Decision {
    Decision::Adopt {
        key: key(i1()),
        date: day("2026-11-06"),
    }
}

#[test]
fn a_person_adopts_a_document_and_the_word_is_on_record() {
    let decided = ReportEvent::DocumentPosted {
        reference: i1(),
        key: key(i1()),
        date: day("2026-11-06"),
        proof: Proof::Decided,
        warnings: Vec::new(),
        why: Some("seen in QAD".into()),
    };
    for doubt in [unknown(), differs(i1()), duplicated(i1())] {
        given(vec![
            discovered(),
            mapped_one(),
            started(i1()),
            in_doubt(i1(), doubt),
        ])
        .when(settle(i1(), adopt()))
        .then([decided.clone(), ReportEvent::Posted]);
    }
}

#[test]
fn a_person_finds_it_absent_where_nothing_says_otherwise() {
    let unnumbered = Doubt::Unread {
        key: None,
        detail: "503".into(),
    };
    for doubt in [unknown(), Doubt::Abandoned { owner: owner() }, unnumbered] {
        let planned = given(two_planned())
            .and([started(i1()), in_doubt(i1(), doubt)])
            .when(settle(i1(), Decision::Absent))
            .then([ReportEvent::PostingFailed {
                reference: i1(),
                why: "a person found it absent: seen in QAD".into(),
            }]);
        stage(&planned, StageName::Mapped);
    }
}

#[test]
fn a_word_that_the_log_contradicts_is_refused() {
    let unread = Doubt::Unread {
        key: Some(key(i1())),
        detail: "503".into(),
    };
    for (doubt, words) in [
        (
            differs(i1()),
            "was seen in QAD as 2026/EXPINV/4711: it is not absent",
        ),
        (duplicated(i1()), "2 documents with reference"),
        (unread, "QAD confirmed document"),
    ] {
        given(two_planned())
            .and([started(i1()), in_doubt(i1(), doubt)])
            .when(settle(i1(), Decision::Absent))
            .then_refused(words);
    }
}

#[test]
fn what_is_not_in_doubt_is_not_settled() {
    for decision in [adopt(), Decision::Absent] {
        for life in [
            two_planned(),
            [two_planned(), vec![started(i1())]].concat(),
            both_posted(),
        ] {
            given(life)
                .when(settle(i1(), decision.clone()))
                .then_refused("there is nothing to settle");
        }
    }
}

// ── reversal ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_reversed_document_is_planned_again_under_the_next_generation_and_its_own_attempts() {
    let again = given(both_posted())
        .when(reverse(i1(), AfterReversal::PlannedAgain))
        .then([reversed(i1(), AfterReversal::PlannedAgain)]);
    stage(&again, StageName::Posting);
    assert_eq!(state(&again, next(i1())), DocumentState::Planned);
    assert_eq!(again.0.generation(i1().kind).get(), 2);
    assert_eq!(again.0.generation(j1().kind).get(), 1);
    let posted = again
        .when(start(next(i1())))
        .then([started(next(i1()))])
        .when(record_posted(next(i1())))
        .then([document_posted(next(i1())), ReportEvent::Posted]);
    stage(&posted, StageName::Posted);
}

#[test]
fn a_document_is_reversed_from_every_stage_in_which_it_stands() {
    let half = [two_planned(), vec![started(i1()), document_posted(i1())]].concat();
    let marked = [both_posted(), vec![marking(), marked()]].concat();
    for life in [half, partly_posted(), both_posted(), marked] {
        given(life)
            .when(reverse(i1(), AfterReversal::PlannedAgain))
            .then([reversed(i1(), AfterReversal::PlannedAgain)]);
    }
}

#[test]
fn what_is_not_posted_is_not_reversed() {
    for life in [two_planned(), [two_planned(), vec![started(i1())]].concat()] {
        given(life)
            .when(reverse(i1(), AfterReversal::Excluded))
            .then_refused("not posted");
    }
    given(both_posted())
        .when(reverse(next(i1()), AfterReversal::Excluded))
        .then_refused("has no document");
}

#[test]
fn a_document_reversed_for_good_leaves_the_other_one_standing() {
    let one = given(both_posted())
        .when(reverse(i1(), AfterReversal::Excluded))
        .then([reversed(i1(), AfterReversal::Excluded)]);
    assert!(one.0.stage().touches_the_ledger());
    let none = one
        .when(reverse(j1(), AfterReversal::Excluded))
        .then([reversed(j1(), AfterReversal::Excluded)]);
    let Stage::Excluded {
        why: Exclusion::Decided { ledger_reference, .. },
        ..
    } = none.0.stage()
    else {
        panic!()
    };
    assert_eq!(
        ledger_reference.as_deref(),
        Some("2026/EXPINV/4800, 2026/EXPINV/4800")
    );
}

#[test]
fn a_mapping_from_before_a_reversal_bears_the_present_generation_when_returned_to() {
    let back = given(vec![
        discovered(),
        mapped_one(),
        started(i1()),
        document_posted(i1()),
        ReportEvent::Posted,
    ])
    .and([reversed(i1(), AfterReversal::PlannedAgain), rewound(1)]);
    let documents = &back.0.dossier().unwrap().documents;
    assert_eq!(
        documents[0].document.reference,
        next(i1()),
        "the first reference is spent"
    );
}
