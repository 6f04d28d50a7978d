//! `evolve`: what an event makes of a report. Total: an event that the table does not allow from a stage (which
//! `decide` never yields, but a damaged log might hold) changes nothing but the count of steps.

use std::sync::Arc;

use super::admit::admit;
use super::case::Case;
use super::event::{AfterReversal, ReportEvent, Step};
use super::state::{Capture, DocumentFile, DocumentState, Dossier, Report, Stage, derive};
use crate::ids::Reference;

impl Report {
    /// Folds events in order.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a ReportEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::evolve)
    }

    /// Folds one event in.
    #[must_use]
    pub fn evolve(mut self, event: &ReportEvent) -> Self {
        let step = Step(self.steps);
        self.steps = self.steps.saturating_add(1);
        if admit(&self, event).is_err() {
            return self;
        }
        let before = std::mem::take(&mut self.stage);
        self.stage = self.next_stage(before, event);
        let waypoint = matches!(
            event,
            ReportEvent::Discovered { .. }
                | ReportEvent::Revised { .. }
                | ReportEvent::Mapped(_)
                | ReportEvent::Rejected { .. }
                | ReportEvent::Held { .. }
        );
        if waypoint {
            self.waypoints.insert(step, self.stage.clone());
        }
        self
    }

    /// A mapping from before a reversal names references that are spent: its documents bear the present generation.
    fn under_present_generations(&self, stage: Stage) -> Stage {
        match stage {
            Stage::Mapped(mut dossier) => {
                for file in &mut dossier.documents {
                    let generation = self.generation(file.document.kind());
                    if file.document.reference.generation != generation {
                        let mut document = file.document.as_ref().clone();
                        document.reference.generation = generation;
                        file.document = Arc::new(document);
                    }
                }
                Stage::Mapped(dossier)
            }
            other => other,
        }
    }

    fn next_stage(&mut self, before: Stage, event: &ReportEvent) -> Stage {
        use ReportEvent as E;
        match event {
            E::Discovered {
                payload,
                payload_hash,
                material_hash,
            }
            | E::Revised {
                payload,
                payload_hash,
                material_hash,
            } => Stage::Discovered(Arc::new(Capture {
                payload: Arc::clone(payload),
                payload_hash: payload_hash.clone(),
                material_hash: material_hash.clone(),
            })),
            E::Withdrawn => with_capture(before, Stage::Withdrawn),
            E::Mapped(mapping) => with_capture(before, |capture| {
                let documents = mapping
                    .documents
                    .iter()
                    .map(|document| DocumentFile {
                        document: Arc::clone(document),
                        state: DocumentState::Planned,
                    })
                    .collect();
                Stage::Mapped(Dossier {
                    capture,
                    mapping: Arc::clone(mapping),
                    documents,
                })
            }),
            E::Rejected { basis, reasons } => with_capture(before, |capture| Stage::Rejected {
                capture,
                basis: basis.clone(),
                reasons: reasons.clone(),
            }),
            E::Held {
                basis,
                reasons,
                until,
            } => with_capture(before, |capture| Stage::Held {
                capture,
                basis: basis.clone(),
                reasons: reasons.clone(),
                until: *until,
            }),
            E::PostingStarted {
                document,
                attempt,
                owner,
                ..
            } => {
                self.attempts.insert(document.reference, *attempt);
                with_dossier(before, |mut dossier| {
                    let state = DocumentState::Sending {
                        attempt: *attempt,
                        owner: *owner,
                    };
                    if let Some(file) = dossier
                        .documents
                        .iter_mut()
                        .find(|file| file.document.reference == document.reference)
                    {
                        *file = DocumentFile {
                            document: Arc::clone(document),
                            state,
                        };
                    }
                    derive(dossier)
                })
            }
            E::DocumentPosted {
                reference,
                key,
                date,
                proof,
                ..
            } => set(before, *reference, |_| DocumentState::Posted {
                key: key.clone(),
                date: *date,
                proof: *proof,
            }),
            E::DocumentRefused { reference, messages } => {
                set(before, *reference, |_| DocumentState::Refused {
                    messages: messages.clone(),
                })
            }
            E::PostingInDoubt {
                reference,
                doubt,
                since,
            } => set(before, *reference, |was| match was {
                DocumentState::InDoubt {
                    attempt,
                    since: first,
                    ..
                } => DocumentState::InDoubt {
                    attempt: *attempt,
                    doubt: doubt.clone(),
                    // The first time counts, but where the wall clock was set back over a reboot: then the quarantine
                    // begins anew, rather than when the wall clock is past it again.
                    since: if since.was_set_back_since(first) {
                        since.clone()
                    } else {
                        first.clone()
                    },
                },
                DocumentState::Sending { attempt, .. } => DocumentState::InDoubt {
                    attempt: *attempt,
                    doubt: doubt.clone(),
                    since: since.clone(),
                },
                other => other.clone(),
            }),
            E::PostingFailed { reference, .. } => set(before, *reference, |_| DocumentState::Planned),
            E::Posted => with_dossier(before, |dossier| Stage::Posted {
                dossier,
                marking: None,
            }),
            E::MarkingStarted { label } => with_dossier(before, |dossier| Stage::Posted {
                dossier,
                marking: Some(label.clone()),
            }),
            E::MarkedExported { label, listed_at } => with_dossier(before, |dossier| Stage::MarkedExported {
                dossier,
                label: label.clone(),
                listed_at: *listed_at,
            }),
            E::Rewound { to, .. } => self
                .waypoints
                .get(to)
                .cloned()
                .map_or(before, |stage| self.under_present_generations(stage)),
            E::Excluded(why) => with_capture(before, |capture| Stage::Excluded {
                capture,
                why: why.clone(),
            }),
            E::DocumentReversed {
                reference,
                ledger_reference,
                then,
                ..
            } => {
                let next = reference.generation.next();
                self.generations.insert(reference.kind, next);
                let after = with_dossier(before, |mut dossier| {
                    if let Some(file) = dossier
                        .documents
                        .iter_mut()
                        .find(|file| file.document.reference == *reference)
                    {
                        match then {
                            AfterReversal::Excluded => {
                                file.state = DocumentState::Reversed {
                                    ledger_reference: ledger_reference.clone(),
                                }
                            }
                            AfterReversal::PlannedAgain => {
                                let mut document = file.document.as_ref().clone();
                                document.reference = Reference {
                                    generation: next,
                                    ..*reference
                                };
                                *file = DocumentFile {
                                    document: Arc::new(document),
                                    state: DocumentState::Planned,
                                };
                            }
                        }
                    }
                    derive(dossier)
                });
                close_with_the_document(&mut self.cases, *reference, &after);
                after
            }
            E::SourceDrifted {
                payload,
                payload_hash,
                material_hash,
                ..
            } => {
                self.cases.retain(|case| !matches!(case, Case::SourceDrifted(_)));
                self.cases.push(Case::SourceDrifted(Arc::new(Capture {
                    payload: Arc::clone(payload),
                    payload_hash: payload_hash.clone(),
                    material_hash: material_hash.clone(),
                })));
                before
            }
            E::SourceGone => {
                self.cases.push(Case::SourceGone);
                before
            }
            E::DocumentDrifted {
                reference,
                differences,
            } => {
                // What QAD holds now takes the place of what it held when it was last looked at.
                self.cases.retain(|case| case.reference() != Some(*reference));
                self.cases.push(Case::DocumentDrifted {
                    reference: *reference,
                    differences: differences.clone(),
                });
                before
            }
            E::PaidAtSource => {
                self.cases.push(Case::PaidAtSource);
                before
            }
            E::CaseClosed { case, reference } => {
                self.cases
                    .retain(|open| open.name() != *case || open.reference() != *reference);
                before
            }
        }
    }
}

/// A case about a document goes when that document is reversed; that a payable was paid, when no payable stands any more;
/// and what the source shows is no matter of posting once nothing of the report stands.
fn close_with_the_document(cases: &mut Vec<Case>, reversed: Reference, after: &Stage) {
    let standing = || {
        let files = after.dossier().map(|dossier| dossier.documents.as_slice());
        files
            .unwrap_or_default()
            .iter()
            .filter(|file| file.state.stands())
    };
    let any = standing().next().is_some();
    let payable = standing().any(|file| file.document.supplier().is_some());
    cases.retain(|case| match case {
        Case::DocumentDrifted { reference, .. } => *reference != reversed,
        Case::PaidAtSource => payable,
        Case::SourceDrifted(_) | Case::SourceGone => any,
    });
}

fn with_capture(before: Stage, next: impl FnOnce(Arc<Capture>) -> Stage) -> Stage {
    match before.capture().cloned() {
        Some(capture) => next(capture),
        None => before,
    }
}

fn with_dossier(before: Stage, next: impl FnOnce(Dossier) -> Stage) -> Stage {
    match before {
        Stage::Mapped(dossier)
        | Stage::Posting(dossier)
        | Stage::PartlyPosted(dossier)
        | Stage::Posted { dossier, .. }
        | Stage::MarkedExported { dossier, .. } => next(dossier),
        other => other,
    }
}

fn set(before: Stage, reference: Reference, state: impl FnOnce(&DocumentState) -> DocumentState) -> Stage {
    with_dossier(before, |mut dossier| {
        if let Some(file) = dossier
            .documents
            .iter_mut()
            .find(|file| file.document.reference == reference)
        {
            file.state = state(&file.state);
        }
        derive(dossier)
    })
}
