//! Doubt, a person's word on it, and reversal.

use super::asks::*;
use super::given::given;
use super::samples::*;
use crate::report::{
    AfterReversal, Attempt, Command, Decision, DocumentState, Doubt, Exclusion, Proof, ReportEvent, Stage,
    StageName,
};

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

/// After a reboot with the wall clock set back, the instant of the first doubt lies ahead: counted from there, the
/// quarantine would end when the wall clock is past it again, hours later perhaps.
#[test]
fn a_wall_clock_set_back_over_a_reboot_begins_the_quarantine_anew() {
    let mut rebooted = moment(-3_600);
    rebooted.steady.epoch = "boot-2".into();
    let again = ReportEvent::PostingInDoubt {
        reference: i1(),
        doubt: unknown(),
        since: rebooted.clone(),
    };
    let anew = given(two_planned())
        .and([started(i1()), in_doubt(i1(), unknown())])
        .when(Command::RecordDoubt {
            reference: i1(),
            doubt: unknown(),
            since: rebooted.clone(),
        })
        .then([again]);
    let DocumentState::InDoubt { since, .. } = state(&anew, i1()) else {
        panic!()
    };
    assert_eq!(since, rebooted);
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
    let warned = warned_of_duplicate(Some(key(i1())));
    for doubt in [unknown(), differs(i1()), duplicated(i1()), warned] {
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
            .when(settle(i1(), absent(660)))
            .then([ReportEvent::PostingFailed {
                reference: i1(),
                why: "a person found it absent: seen in QAD".into(),
            }]);
        stage(&planned, StageName::Mapped);
    }
}

#[test]
fn nobody_can_find_absent_what_may_still_be_on_its_way() {
    let given_up = || given(two_planned()).and([started(i1()), in_doubt(i1(), unknown())]);
    for (second, words) in [
        (60, "say that it is absent in 600 s"),
        (659, "say that it is absent in 1 s"),
    ] {
        given_up().when(settle(i1(), absent(second))).then_refused(words);
    }
    // What a clock that ran backwards shows proves nothing.
    given_up()
        .when(settle(i1(), absent(0)))
        .then_refused("quarantine of 600 s");
    given_up()
        .when(settle(i1(), absent(660)))
        .then([ReportEvent::PostingFailed {
            reference: i1(),
            why: "a person found it absent: seen in QAD".into(),
        }]);
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
        (
            warned_of_duplicate(Some(key(i1()))),
            "warned that the reference exists already: it is not absent",
        ),
    ] {
        given(two_planned())
            .and([started(i1()), in_doubt(i1(), doubt)])
            .when(settle(i1(), absent(660)))
            .then_refused(words);
    }
}

#[test]
fn what_is_not_in_doubt_is_not_settled() {
    for decision in [adopt(), absent(660)] {
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
        .then([reversed(i1(), AfterReversal::Excluded), ReportEvent::Posted]);
    stage(&one, StageName::Posted);
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

#[test]
fn a_document_reversed_for_good_beside_a_refused_one_is_not_planned_again_by_itself() {
    let refused = ReportEvent::DocumentRefused {
        reference: j1(),
        messages: vec![],
    };
    let mut events = both_posted();
    // The journal is refused instead of posted.
    let at = events
        .iter()
        .position(
            |event| matches!(event, ReportEvent::DocumentPosted { reference, .. } if *reference == j1()),
        )
        .unwrap();
    events.truncate(at);
    events.push(refused);
    let report = given(events)
        .when(reverse(i1(), AfterReversal::Excluded))
        .then([reversed(i1(), AfterReversal::Excluded)]);
    assert_eq!(report.0.stage().name(), crate::report::StageName::Excluded);
}
