//! The table of design §4, written out a second time and walked whole: every stage with every event type, and every
//! state of a document with every event about it.

use std::sync::Arc;

use super::tests::samples::*;
use super::{
    AfterReversal, CaseName, DocumentState, Exclusion, Report, ReportEvent, StageName, Step, admit,
    event_name,
};
use crate::ids::Reference;
use crate::posting::Document;
use StageName as S;

/// Event, the stages it is allowed from, the stages it may lead to. `Same` stands for the stage it came from.
struct Row(&'static str, &'static [StageName], Then);

enum Then {
    One(&'static [StageName]),
    Same,
}
use Then::{One, Same};

/// Where nothing of the report is being sent, in doubt or posted.
const CLEAR: &[S] = &[
    S::Discovered,
    S::Mapped,
    S::Rejected,
    S::Held,
    S::Withdrawn,
    S::Excluded,
];
/// Where a document may be posted.
const STANDING: &[S] = &[S::Posting, S::PartlyPosted, S::Posted, S::MarkedExported];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row("Discovered", &[S::Unseen], One(&[S::Discovered])),
    Row("Revised", &[S::Discovered, S::Mapped, S::Rejected, S::Held, S::Withdrawn], One(&[S::Discovered])),
    Row("Withdrawn", &[S::Discovered, S::Mapped, S::Rejected, S::Held], One(&[S::Withdrawn])),
    Row("Mapped", &[S::Discovered, S::Held], One(&[S::Mapped])),
    Row("Rejected", &[S::Discovered, S::Held], One(&[S::Rejected])),
    Row("Held", &[S::Discovered, S::Held], One(&[S::Held])),
    Row("PostingStarted", &[S::Mapped, S::PartlyPosted, S::Posting], One(&[S::Posting])),
    Row("DocumentPosted", &[S::Posting], One(&[S::Posting, S::PartlyPosted])),
    Row("DocumentRefused", &[S::Posting], One(&[S::Posting, S::PartlyPosted, S::Rejected])),
    Row("PostingInDoubt", &[S::Posting], One(&[S::Posting])),
    Row("PostingFailed", &[S::Posting], One(&[S::Posting, S::Mapped, S::Rejected])),
    Row("Posted", &[S::Posting], One(&[S::Posted])),
    Row("MarkingStarted", &[S::Posted], One(&[S::Posted])),
    Row("MarkedExported", &[S::Posted], One(&[S::MarkedExported])),
    Row("Rewound", CLEAR, One(&[S::Discovered, S::Mapped, S::Rejected, S::Held])),
    Row("Excluded", CLEAR, One(&[S::Excluded])),
    Row("DocumentReversed", STANDING, One(&[S::Mapped, S::Posting, S::PartlyPosted, S::Rejected, S::Excluded])),
    Row("SourceDrifted", STANDING, Same),
    Row("SourceGone", STANDING, Same),
    Row("DocumentDrifted", STANDING, Same),
    Row("PaidAtSource", STANDING, Same),
    Row("CaseClosed", STANDING, Same),
];

/// Each kind of case opened.
fn every_case() -> Vec<ReportEvent> {
    vec![
        ReportEvent::PaidAtSource,
        source_drifted(paid()),
        ReportEvent::SourceGone,
        document_drifted(i1()),
    ]
}

/// Reports in every stage, in each constellation of documents a stage can have. Each is folded from what really
/// happens, so that none is in a state that cannot be.
fn reports() -> Vec<Report> {
    let two = |more: Vec<ReportEvent>| [two_planned(), more].concat();
    let after_reversal = |then| [both_posted(), vec![reversed(i1(), then)]].concat();
    let lives: Vec<Vec<ReportEvent>> = vec![
        vec![],
        vec![discovered()],
        vec![discovered(), rejected()],
        vec![discovered(), held()],
        vec![discovered(), ReportEvent::Withdrawn],
        vec![discovered(), ReportEvent::Excluded(Exclusion::NothingToPost)],
        vec![discovered(), mapped_one(), started(i1()), refused(i1())],
        vec![discovered(), rejected(), rewound(0), held(), mapped_two()],
        two(vec![]),
        two(vec![started(i1())]),
        two(vec![started(i1()), started(j1())]),
        two(vec![started(i1()), in_doubt(i1(), unknown())]),
        two(vec![started(i1()), document_posted(i1())]),
        two(vec![started(i1()), started(j1()), refused(j1())]),
        two(vec![
            started(i1()),
            document_posted(i1()),
            started(j1()),
            document_posted(j1()),
        ]),
        partly_posted(),
        both_posted(),
        [both_posted(), vec![marking()]].concat(),
        [both_posted(), vec![marking(), marked()]].concat(),
        [two(vec![started(i1()), document_posted(i1())]), every_case()].concat(),
        [partly_posted(), every_case()].concat(),
        [both_posted(), every_case()].concat(),
        [both_posted(), vec![marking(), marked()], every_case()].concat(),
        after_reversal(AfterReversal::PlannedAgain),
        after_reversal(AfterReversal::Excluded),
        [
            after_reversal(AfterReversal::Excluded),
            vec![reversed(j1(), AfterReversal::Excluded)],
        ]
        .concat(),
        [
            after_reversal(AfterReversal::PlannedAgain),
            vec![reversed(j1(), AfterReversal::PlannedAgain)],
        ]
        .concat(),
    ];
    lives
        .iter()
        .map(|life| {
            for (at, event) in life.iter().enumerate() {
                let before = Report::fold(&life[..at]);
                assert_eq!(admit(&before, event), Ok(()), "step {at} of {:?}", names(life));
            }
            Report::fold(life)
        })
        .collect()
}

fn names(life: &[ReportEvent]) -> Vec<&'static str> {
    life.iter().map(event_name).collect()
}

/// Every type of event, in every shape, about every document.
fn events() -> Vec<ReportEvent> {
    let about = |reference: Reference| {
        [
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
    let steps = (0..8).map(rewound);
    let documents = [i1(), j1(), next(i1()), next(j1())].into_iter().flat_map(about);
    every_shape()
        .into_iter()
        .map(|(_, event)| event)
        .chain(documents)
        .chain(steps)
        .collect()
}

#[test]
fn the_table_names_every_event_type_once() {
    let mut told: Vec<&str> = TABLE.iter().map(|row| row.0).collect();
    let mut known: Vec<&str> = events().iter().map(event_name).collect();
    told.sort_unstable();
    known.sort_unstable();
    known.dedup();
    assert_eq!(told, known);
    assert_eq!(told.len(), 22);
}

#[test]
fn every_stage_meets_every_event_as_the_design_says() {
    let (reports, events) = (reports(), events());
    let mut wrong = Vec::new();
    for stage in StageName::ALL {
        let here: Vec<&Report> = reports
            .iter()
            .filter(|report| report.stage().name() == stage)
            .collect();
        assert!(!here.is_empty(), "no report was built that is {stage}");
        for Row(name, from, _) in TABLE {
            let mut of_type = events.iter().filter(|event| event_name(event) == *name);
            let allowed = of_type.any(|event| here.iter().any(|report| admit(report, event).is_ok()));
            if allowed != from.contains(&stage) {
                wrong.push(format!(
                    "{name} from {stage}: {}",
                    if allowed { "allowed" } else { "refused" }
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "the code departs from design §4: {wrong:#?}");
}

#[test]
fn what_is_allowed_leads_where_the_design_says_and_what_is_refused_leads_nowhere() {
    for report in reports() {
        for event in events() {
            let Row(name, _, then) = TABLE.iter().find(|row| row.0 == event_name(&event)).unwrap();
            let (from, after) = (report.stage().name(), report.clone().evolve(&event));
            if admit(&report, &event).is_ok() {
                let to = after.stage().name();
                let right = match then {
                    One(stages) => stages.contains(&to),
                    Same => to == from && after.stage() == report.stage() && case_is_told(&event, &after),
                };
                assert!(right, "{name} led a report that was {from} to {to}");
            } else {
                let counted = Step(report.next_step().0 + 1);
                assert_eq!(
                    after.next_step(),
                    counted,
                    "{name} is counted, so that steps number the log"
                );
                let undone = Report {
                    steps: report.steps,
                    ..after
                };
                assert_eq!(
                    undone, report,
                    "{name} is refused from {from}, and changed the report"
                );
            }
        }
    }
}

/// After an event about a case, that case is open or not, as the event says.
fn case_is_told(event: &ReportEvent, after: &Report) -> bool {
    use CaseName as C;
    match event {
        ReportEvent::SourceDrifted { .. } => after.has_case(C::SourceDrifted, None),
        ReportEvent::SourceGone => after.has_case(C::SourceGone, None),
        ReportEvent::PaidAtSource => after.has_case(C::PaidAtSource, None),
        ReportEvent::DocumentDrifted { reference, .. } => {
            after.has_case(C::DocumentDrifted, Some(*reference))
        }
        ReportEvent::CaseClosed { case, reference } => !after.has_case(*case, *reference),
        other => panic!("{other:?} is about no case"),
    }
}

/// Design §4: *planned → sending → posted*, or *in doubt*, or *refused*; later perhaps *reversed*.
#[rustfmt::skip]
const DOCUMENT_TABLE: &[(&str, &[&str])] = &[
    ("planned", &["PostingStarted"]),
    ("sending", &["DocumentPosted", "DocumentRefused", "PostingInDoubt", "PostingFailed"]),
    ("in doubt", &["DocumentPosted", "DocumentRefused", "PostingInDoubt", "PostingFailed"]),
    ("posted", &["DocumentReversed"]),
    // Only beside a posted one: a refused document whose report is rejected is mapped again instead.
    ("refused", &["PostingStarted"]),
    ("reversed", &[]),
];

fn about(event: &ReportEvent) -> Option<Reference> {
    match event {
        ReportEvent::PostingStarted { document, .. } => Some(document.reference),
        ReportEvent::DocumentPosted { reference, .. }
        | ReportEvent::DocumentRefused { reference, .. }
        | ReportEvent::PostingInDoubt { reference, .. }
        | ReportEvent::PostingFailed { reference, .. }
        | ReportEvent::DocumentReversed { reference, .. } => Some(*reference),
        _ => None,
    }
}

#[test]
fn every_state_of_a_document_meets_every_event_as_the_design_says() {
    let (reports, events) = (reports(), events());
    for (state, allowed) in DOCUMENT_TABLE {
        let mut seen = std::collections::BTreeSet::new();
        let mut met = false;
        for report in &reports {
            let Some(dossier) = report.dossier() else { continue };
            for file in dossier
                .documents
                .iter()
                .filter(|file| file.state.name() == *state)
            {
                met = true;
                for event in events
                    .iter()
                    .filter(|event| about(event) == Some(file.document.reference))
                {
                    if admit(report, event).is_ok() {
                        seen.insert(event_name(event));
                    }
                }
            }
        }
        assert!(met, "no document was built that is {state}");
        assert_eq!(
            seen,
            allowed.iter().copied().collect(),
            "a document that is {state}"
        );
    }
}

#[test]
fn an_event_about_a_document_the_report_does_not_have_is_refused() {
    let posting = Report::fold(&[discovered(), mapped_one(), started(i1())]);
    let posted = Report::fold(&[
        discovered(),
        mapped_one(),
        started(i1()),
        document_posted(i1()),
        ReportEvent::Posted,
    ]);
    for event in [
        started(j1()),
        document_posted(j1()),
        refused(j1()),
        failed(j1()),
        document_posted(next(i1())),
    ] {
        assert!(
            admit(&posting, &event)
                .unwrap_err()
                .to_string()
                .contains("has no document"),
            "{event:?}"
        );
    }
    assert!(admit(&posted, &reversed(j1(), AfterReversal::Excluded)).is_err());
}

#[test]
fn a_refused_document_is_sent_again_only_beside_a_posted_one() {
    let rejected = Report::fold(&[discovered(), mapped_one(), started(i1()), refused(i1())]);
    assert!(admit(&rejected, &started(i1())).is_err());
    assert_eq!(admit(&Report::fold(&partly_posted()), &started(j1())), Ok(()));
    // While its sibling's fate is open, the report may yet be rejected as a whole.
    let open = [two_planned(), vec![started(i1()), started(j1()), refused(j1())]].concat();
    assert!(admit(&Report::fold(&open), &started(j1())).is_err());
}

#[test]
fn a_mapping_without_documents_with_too_many_or_with_one_that_does_not_balance_is_refused() {
    let discovered = Report::fold(&[discovered()]);
    let mut lopsided = invoice();
    lopsided.lines[0].amount = amount("212.49");
    let three = vec![
        invoice(),
        journal(),
        Document {
            reference: next(i1()),
            ..invoice()
        },
    ];
    for documents in [vec![], vec![lopsided], vec![invoice(), invoice()], three] {
        let event = ReportEvent::Mapped(Arc::new(mapping(documents, 1)));
        assert!(
            admit(&discovered, &event)
                .unwrap_err()
                .to_string()
                .contains("balances")
        );
    }
}

#[test]
fn posted_is_said_only_when_every_document_is() {
    let half = [two_planned(), vec![started(i1()), document_posted(i1())]].concat();
    let refusal = admit(&Report::fold(&half), &ReportEvent::Posted).unwrap_err();
    assert!(refusal.to_string().contains("not every document is posted"));
}

#[test]
fn marked_is_said_only_after_the_intent_to_mark() {
    let refusal = admit(&Report::fold(&both_posted()), &marked()).unwrap_err();
    assert!(refusal.to_string().contains("no intent to mark it"));
}

#[test]
fn a_step_that_was_no_capture_and_no_mapping_cannot_be_returned_to() {
    let report = Report::fold(&[discovered(), rejected(), ReportEvent::Withdrawn]);
    let refusal = admit(&report, &rewound(2)).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "there is no step 2 to return to; the report can return to 0, 1"
    );
}

#[test]
fn the_state_of_a_document_has_a_name_for_people() {
    let file = |life: &[ReportEvent]| Report::fold(life).dossier().unwrap().documents[0].state.clone();
    assert!(matches!(file(&two_planned()), DocumentState::Planned));
    assert_eq!(file(&both_posted()).name(), "posted");
}
