//! The roster tells of every report what the aggregate would, from far less.

use proptest::prelude::*;

use super::*;
use crate::ids::ConnectionId;
use crate::journal::StoredEvent;
use crate::ports::{NewEvent, Revision};
use crate::report::tests::samples::*;
use crate::report::{AfterReversal, DocumentState, Report, ReportEvent, admit};

fn recorded(roster: &Roster, revision: u64, event: &ReportEvent) -> Recorded {
    Recorded {
        stream: roster.streams.report(report_id()),
        revision: Revision(revision),
        position: Position(revision, revision),
        event: NewEvent {
            id: crate::ids::EventId(uuid::Uuid::from_u128(u128::from(revision))),
            kind: event.kind().to_owned(),
            data: format!(r#"{{"facts":{}}}"#, event.facts().unwrap()).into_bytes(),
            metadata: b"{}".to_vec(),
        },
    }
}

/// The brief after each event of a life, held against the aggregate on the way.
fn told(life: &[ReportEvent]) -> Brief {
    let mut roster = Roster::new(Streams(ConnectionId(uuid::Uuid::nil())));
    let mut report = Report::default();
    for (revision, event) in life.iter().enumerate() {
        roster.apply(&recorded(&roster, revision as u64, event)).unwrap();
        report = report.evolve(event);
        let brief = roster.get(report_id()).unwrap();
        let life: Vec<&str> = life[..=revision].iter().map(StoredEvent::kind).collect();
        assert_eq!(brief.stage, report.stage().name(), "{life:?}");
        let Some(dossier) = report.dossier() else { continue };
        let any = |test: fn(&DocumentState) -> bool| dossier.documents.iter().any(|file| test(&file.state));
        assert_eq!(
            brief.in_flight(),
            any(|s| matches!(s, DocumentState::Sending { .. } | DocumentState::InDoubt { .. })),
            "{life:?}"
        );
        assert_eq!(
            brief.lacks_a_document(),
            any(|s| matches!(s, DocumentState::Planned | DocumentState::Refused { .. })),
            "{life:?}"
        );
    }
    roster.get(report_id()).cloned().unwrap_or_default()
}

#[test]
fn the_record_that_the_log_was_moved_is_of_no_report_and_explains_no_document() {
    let mut roster = Roster::new(Streams(ConnectionId(uuid::Uuid::nil())));
    let event = crate::workflow::LogEvent::LogMoved {
        from: "here".into(),
        to: "there".into(),
        events: 4,
        streams: 2,
        sha256: "ef".repeat(32),
    };
    let moved = Recorded {
        stream: crate::workflow::LogEvent::stream(),
        revision: Revision(0),
        position: Position(4, 4),
        event: NewEvent {
            id: crate::ids::EventId(uuid::Uuid::from_u128(4)),
            kind: event.kind().to_owned(),
            data: format!(r#"{{"facts":{}}}"#, event.facts().unwrap()).into_bytes(),
            metadata: b"{}".to_vec(),
        },
    };
    roster.apply(&moved).unwrap();
    roster.known.apply(&moved).unwrap();
    assert_eq!(roster.iter().count(), 0);
    assert!(roster.known().stood_at(i1()).is_empty() && !roster.known().is_in_flight(i1()));
}

fn marked_both() -> Vec<ReportEvent> {
    [both_posted(), vec![marking(), marked()]].concat()
}

#[test]
fn a_report_that_bore_the_label_is_asked_for_by_name_while_it_is_open_again() {
    let again = |reference| reversed(reference, AfterReversal::PlannedAgain);
    let open = [marked_both(), vec![again(i1()), again(j1())]].concat();
    assert!(told(&open).asked_for_by_name());
    assert!(
        told(&[marked_both(), vec![again(i1())]].concat()).asked_for_by_name(),
        "in part"
    );
    let withdrawn = [open.clone(), vec![ReportEvent::Withdrawn]].concat();
    assert!(told(&withdrawn).asked_for_by_name(), "it may come back");
    assert!(told(&[withdrawn, vec![revised(edited())]].concat()).asked_for_by_name());

    assert!(!told(&marked_both()).asked_for_by_name());
    let unmarked = [both_posted(), vec![again(i1()), again(j1())]].concat();
    assert!(
        !told(&unmarked).asked_for_by_name(),
        "the unlabelled listing shows it"
    );
    let left_out = [
        marked_both(),
        vec![
            reversed(i1(), AfterReversal::Excluded),
            ReportEvent::Posted,
            reversed(j1(), AfterReversal::Excluded),
        ],
    ]
    .concat();
    assert!(!told(&left_out).asked_for_by_name());
    assert!(
        told(&[left_out, vec![rewound(0)]].concat()).asked_for_by_name(),
        "taken in again"
    );
}

/// Everything that can happen to the sample report, about its documents of two generations.
fn anything() -> Vec<ReportEvent> {
    let about = |reference| {
        vec![
            started(reference),
            document_posted(reference),
            refused(reference),
            in_doubt(reference, unknown()),
            failed(reference),
            reversed(reference, AfterReversal::PlannedAgain),
            reversed(reference, AfterReversal::Excluded),
            document_drifted(reference),
        ]
    };
    let documents = [i1(), j1(), next(i1()), next(j1())].into_iter().flat_map(about);
    let usual = [
        discovered(),
        mapped_two(),
        ReportEvent::Posted,
        marking(),
        marked(),
    ];
    every_shape()
        .into_iter()
        .map(|(_, event)| event)
        .chain(documents)
        .chain((0..10).map(rewound))
        .chain(usual)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_brief_tells_the_stage_of_the_aggregate_after_whatever_happens(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..400),
    ) {
        let anything = anything();
        let mut report = Report::default();
        let mut life = Vec::new();
        for pick in picks {
            let event = pick.get(&anything);
            if admit(&report, event).is_ok() {
                report = report.evolve(event);
                life.push(event.clone());
            }
        }
        told(&life);
    }
}

#[test]
fn what_may_stand_in_qad_is_told_from_what_is_still_to_be_sent() {
    let begun = |more: Vec<ReportEvent>| told(&[two_planned(), more].concat());
    // (posted in QAD and nothing under way, perhaps hidden by its label)
    for (brief, posted, hidden) in [
        (told(&two_planned()), false, false),
        (begun(vec![started(i1())]), false, true),
        (begun(vec![started(i1()), document_posted(i1())]), true, true),
        (
            begun(vec![started(i1()), document_posted(i1()), started(j1())]),
            false,
            false,
        ),
        (
            begun(vec![
                started(i1()),
                document_posted(i1()),
                started(j1()),
                document_posted(j1()),
            ]),
            true,
            false,
        ),
        (told(&partly_posted()), true, true),
        (told(&both_posted()), true, false),
        (
            told(&[both_posted(), vec![marking(), marked()]].concat()),
            true,
            false,
        ),
        (told(&[discovered(), rejected()]), false, false),
    ] {
        assert_eq!(
            (brief.is_posted(), brief.may_be_hidden()),
            (posted, hidden),
            "{:?}: {:?}",
            brief.stage,
            brief.documents
        );
    }
}

#[test]
fn a_report_taken_back_to_its_mapping_plans_the_next_generation_of_each_document_that_was_reversed() {
    let again = |reference| reversed(reference, AfterReversal::PlannedAgain);
    let back = told(&[both_posted(), vec![again(i1()), again(j1()), rewound(1)]].concat());
    assert_eq!(
        back.documents,
        [(next(i1()), Mark::Planned), (next(j1()), Mark::Planned)]
    );
    let twice = vec![
        started(next(i1())),
        document_posted(next(i1())),
        again(next(i1())),
        rewound(1),
    ];
    let back = told(&[both_posted(), vec![again(i1()), again(j1())], twice].concat());
    assert_eq!(
        back.documents,
        [(next(next(i1())), Mark::Planned), (next(j1()), Mark::Planned)]
    );
}

#[test]
fn the_day_on_which_qad_was_listed_is_the_last_one_told_and_none_before() {
    let mut roster = Roster::new(Streams(ConnectionId(uuid::Uuid::nil())));
    assert_eq!(roster.listed_on(), None);
    for listed in ["2026-11-06", "2026-11-07"] {
        roster.set_listed_on(day(listed));
    }
    assert_eq!(roster.listed_on(), Some(day("2026-11-07")));
}
