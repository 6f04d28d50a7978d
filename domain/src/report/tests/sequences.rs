//! Whatever is asked in whatever order: nothing panics, nothing happens that the table forbids, and what the log says
//! of posted documents is never denied by the state.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::asks::absent;
use super::samples::*;
use crate::ids::Reference;
use crate::posting::Document;
use crate::report::{
    AfterReversal, Basis, Command, Decision, DocumentState, Doubt, Exclusion, Flag, MapOutcome, Payload,
    Personal, Proof, Report, ReportEvent, StageName, Step, admit, decide,
};

fn any_payload() -> impl Strategy<Value = Box<Payload>> {
    prop_oneof![
        4 => Just(payload()),
        2 => Just(edited()),
        1 => Just(paid()),
        1 => Just({ let mut p = payload(); p.facts.ach_reimbursed = Flag::Yes; p }),
        1 => Just({ let mut p = payload(); p.personal = Personal::Forgotten; p }),
    ]
}

fn any_reference() -> impl Strategy<Value = Reference> {
    prop::sample::select(vec![i1(), j1(), next(i1()), next(j1()), next(next(i1()))])
}

fn any_doubt() -> impl Strategy<Value = Doubt> {
    prop::sample::select(vec![
        unknown(),
        Doubt::Abandoned { owner: owner() },
        Doubt::Unread {
            key: Some(key(i1())),
            detail: "503".into(),
        },
        Doubt::Unread {
            key: None,
            detail: "503".into(),
        },
        differs(i1()),
        duplicated(i1()),
        warned_of_duplicate(None),
        warned_of_duplicate(Some(key(i1()))),
    ])
}

fn any_exclusion() -> impl Strategy<Value = Exclusion> {
    prop::sample::select(vec![by_hand(), Exclusion::NothingToPost])
}

fn any_basis() -> impl Strategy<Value = Basis> {
    prop_oneof![3 => Just(basis(1)), 1 => Just(basis(2))]
}

/// A request that knows nothing of the report: an outsider's, or one that comes too late.
fn blind() -> impl Strategy<Value = Command> {
    let outcome = prop_oneof![
        any_basis().prop_map(|b| MapOutcome::Mapped(mapping(vec![invoice(), journal()], b.chart.0))),
        any_basis().prop_map(|b| MapOutcome::Mapped(mapping(vec![invoice()], b.chart.0))),
        any_basis().prop_map(|basis| MapOutcome::Rejected {
            basis,
            reasons: reasons()
        }),
        any_basis().prop_map(|basis| MapOutcome::Held {
            basis,
            reasons: reasons(),
            until: None
        }),
        any_exclusion().prop_map(MapOutcome::Excluded),
    ];
    let then = prop::sample::select(vec![AfterReversal::PlannedAgain, AfterReversal::Excluded]);
    let decision = prop_oneof![
        any_reference().prop_map(|r| Decision::Adopt {
            key: key(r),
            date: day("2026-11-06")
        }),
        (0i64..9_999).prop_map(absent),
    ];
    prop_oneof![
        any_payload().prop_map(Command::Observe),
        Just(Command::Withdraw),
        outcome.prop_map(Command::Map),
        (any_reference(), any_basis(), any::<bool>()).prop_map(|(reference, in_force, seen)| {
            Command::StartPosting {
                reference,
                owner: owner(),
                in_force,
                seen: seen.then(|| payload().material_hash(SALT)),
            }
        }),
        any_reference().prop_map(posted),
        any_reference().prop_map(|reference| Command::RecordRefused {
            reference,
            messages: vec![message()]
        }),
        (any_reference(), any_doubt(), 0i64..9_999).prop_map(|(reference, doubt, s)| Command::RecordDoubt {
            reference,
            doubt,
            since: moment(s)
        }),
        any_reference().prop_map(|reference| Command::RecordFailed {
            reference,
            why: "no".into()
        }),
        Just(Command::StartMarking(label())),
        Just(Command::ConfirmMarked {
            label: label(),
            listed_at: instant("2026-11-07T06:00:00Z")
        }),
        prop::option::of(0u32..40).prop_map(|to| Command::Rewind {
            to: to.map(Step),
            why: "no".into()
        }),
        any_exclusion().prop_map(Command::Exclude),
        (any_reference(), decision).prop_map(|(reference, decision)| Command::Settle {
            reference,
            decision,
            why: "no".into()
        }),
        (any_reference(), then).prop_map(|(reference, then)| Command::Reverse {
            reference,
            ledger_reference: "X".into(),
            then,
            why: None,
        }),
        any_reference().prop_map(|reference| Command::RaiseDocumentDrift {
            reference,
            differences: differences()
        }),
        any_reference().prop_map(|reference| Command::ConfirmDocument { reference }),
        Just(Command::RaiseGone),
    ]
}

fn posted(reference: Reference) -> Command {
    Command::RecordPosted {
        reference,
        key: key(reference),
        date: day("2026-11-06"),
        proof: Proof::Confirmed,
        warnings: Vec::new(),
    }
}

/// What a well-behaved cycle would ask next, so that random walks get far.
fn sighted(report: &Report, choice: usize) -> Command {
    let present = |document: Document| Document {
        reference: Reference {
            generation: report.generation(document.kind()),
            ..document.reference
        },
        ..document
    };
    let documents = report
        .dossier()
        .map(|dossier| dossier.documents.clone())
        .unwrap_or_default();
    let pick = |wanted: &[&str]| {
        let mut fitting = documents
            .iter()
            .filter(|file| wanted.contains(&file.state.name()));
        fitting
            .nth(choice % 2)
            .or_else(|| documents.iter().find(|file| wanted.contains(&file.state.name())))
    };
    match report.stage().name() {
        StageName::Unseen | StageName::Withdrawn => Command::Observe(payload()),
        StageName::Discovered | StageName::Held | StageName::Rejected => {
            let all = vec![present(invoice()), present(journal())];
            Command::Map(MapOutcome::Mapped(mapping(all, 1)))
        }
        StageName::Excluded => Command::Rewind {
            to: None,
            why: "it posts after all".into(),
        },
        StageName::Posted if choice.is_multiple_of(3) => Command::StartMarking(label()),
        StageName::Posted | StageName::MarkedExported => match pick(&["posted"]) {
            Some(file) => Command::Reverse {
                reference: file.document.reference,
                ledger_reference: "X".into(),
                then: if choice.is_multiple_of(2) {
                    AfterReversal::PlannedAgain
                } else {
                    AfterReversal::Excluded
                },
                why: Some("wrong".into()),
            },
            None => Command::RaiseGone,
        },
        StageName::Mapped | StageName::Posting | StageName::PartlyPosted => {
            match pick(&["sending", "in doubt"]) {
                Some(file) if choice.is_multiple_of(5) => Command::RecordRefused {
                    reference: file.document.reference,
                    messages: vec![message()],
                },
                Some(file) if choice % 5 == 1 => Command::RecordDoubt {
                    reference: file.document.reference,
                    doubt: unknown(),
                    since: moment(60),
                },
                Some(file) => posted(file.document.reference),
                None => match (pick(&["planned", "refused"]), report.dossier()) {
                    (Some(file), Some(dossier)) => Command::StartPosting {
                        reference: file.document.reference,
                        owner: owner(),
                        in_force: dossier.mapping.basis.clone(),
                        seen: Some(dossier.capture.material_hash.clone()),
                    },
                    _ => Command::RaiseGone,
                },
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Ask {
    Blindly(Box<Command>),
    Sensibly(usize),
}

/// The log's own tale of what stands in QAD, told without the aggregate.
#[derive(Default)]
struct Ledger {
    standing: BTreeSet<Reference>,
    in_flight: BTreeSet<Reference>,
    doubtful_since: BTreeMap<Reference, crate::time::Moment>,
}
impl Ledger {
    fn note(&mut self, event: &ReportEvent) {
        match event {
            ReportEvent::PostingStarted { document, .. } => {
                assert!(self.in_flight.insert(document.reference), "sent twice at once");
                assert!(
                    !self.standing.contains(&document.reference),
                    "sent although it stands"
                );
            }
            ReportEvent::DocumentPosted { reference, .. } => {
                self.settled(*reference);
                self.standing.insert(*reference);
            }
            ReportEvent::DocumentRefused { reference, .. } | ReportEvent::PostingFailed { reference, .. } => {
                self.settled(*reference);
            }
            ReportEvent::PostingInDoubt { reference, since, .. } => {
                self.doubtful_since
                    .entry(*reference)
                    .or_insert_with(|| since.clone());
            }
            ReportEvent::DocumentReversed { reference, .. } => {
                assert!(
                    self.standing.remove(reference),
                    "reversed although it never stood"
                );
            }
            _ => {}
        }
    }
    fn settled(&mut self, reference: Reference) {
        assert!(self.in_flight.remove(&reference), "an outcome without an intent");
        self.doubtful_since.remove(&reference);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_requests_breaks_the_laws(
        asks in prop::collection::vec(
            prop_oneof![
                2 => blind().prop_map(|command| Ask::Blindly(Box::new(command))),
                3 => (0usize..60).prop_map(Ask::Sensibly),
            ],
            0..60,
        ),
    ) {
        let mut report = Report::default();
        let mut log: Vec<ReportEvent> = Vec::new();
        let mut ledger = Ledger::default();
        for ask in asks {
            let command = match ask {
                Ask::Blindly(command) => *command,
                Ask::Sensibly(choice) => sighted(&report, choice),
            };
            for event in decide(&report, command).unwrap_or_default() {
                prop_assert_eq!(admit(&report, &event), Ok(()), "what is decided is allowed");
                ledger.note(&event);
                report = report.evolve(&event);
                log.push(event);
            }
            let dossier = report.dossier();
            let standing: BTreeSet<Reference> = dossier
                .into_iter()
                .flat_map(|dossier| &dossier.documents)
                .filter(|file| matches!(file.state, DocumentState::Posted { .. }))
                .map(|file| file.document.reference)
                .collect();
            prop_assert_eq!(&standing, &ledger.standing, "what stands in QAD stands in the state");
            if !ledger.standing.is_empty() || !ledger.in_flight.is_empty() {
                let stage = report.stage().name();
                prop_assert!(
                    matches!(stage, StageName::Posting | StageName::PartlyPosted | StageName::Posted | StageName::MarkedExported),
                    "{} with {:?} standing and {:?} in flight", stage, ledger.standing, ledger.in_flight
                );
            }
            for file in dossier.into_iter().flat_map(|dossier| &dossier.documents) {
                if let DocumentState::InDoubt { since, .. } = &file.state {
                    prop_assert_eq!(Some(since), ledger.doubtful_since.get(&file.document.reference));
                }
            }
        }
        prop_assert_eq!(Report::fold(&log), report.clone(), "the state is the fold of the log");
        prop_assert_eq!(report.next_step(), Step(u32::try_from(log.len()).unwrap()));
    }

    /// `evolve` is total: a damaged log folds too, and what the table forbids changes nothing.
    #[test]
    fn any_events_in_any_order_fold(picks in prop::collection::vec((0usize..64, any_reference()), 0..60)) {
        let shapes: Vec<ReportEvent> = every_shape().into_iter().map(|(_, event)| event).collect();
        let mut report = Report::default();
        for (at, reference) in picks {
            let event = match at % (shapes.len() + 6) {
                0 => started(reference),
                1 => document_posted(reference),
                2 => refused(reference),
                3 => in_doubt(reference, unknown()),
                4 => failed(reference),
                5 => reversed(reference, AfterReversal::PlannedAgain),
                at => shapes[at - 6].clone(),
            };
            let allowed = admit(&report, &event).is_ok();
            let after = report.clone().evolve(&event);
            prop_assert_eq!(after.next_step(), Step(report.next_step().0 + 1));
            if !allowed {
                prop_assert_eq!(after.stage(), report.stage());
                prop_assert_eq!(after.cases(), report.cases());
            }
            report = after;
        }
    }
}
