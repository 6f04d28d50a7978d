//! Where a report is, as a fold of its events. An enum, so that what cannot happen cannot be written down.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::case::Case;
use super::event::{Attempt, Basis, CaseName, Doubt, Exclusion, Mapping, Proof, Step};
use super::payload::{MaterialHash, Payload, PayloadHash};
use super::reason::Reason;
use crate::ids::{DocumentKind, Generation, InstanceId, Label, Reference};
use crate::ports::LedgerMessage;
use crate::posting::{Document, DocumentKey};
use crate::time::Moment;

/// The report as last captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// As it came.
    pub payload: Arc<Payload>,
    /// Over all of it.
    pub payload_hash: PayloadHash,
    /// Over what decides the posting.
    pub material_hash: MaterialHash,
}

/// The state of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentState {
    /// Not sent, or proven never to have arrived.
    Planned,
    /// Its intent is on record and no outcome yet.
    Sending {
        /// Which attempt.
        attempt: Attempt,
        /// Whose.
        owner: InstanceId,
    },
    /// Nobody knows.
    InDoubt {
        /// Which attempt.
        attempt: Attempt,
        /// Why, as last recorded.
        doubt: Doubt,
        /// When the request was given up: the first time, so that a later doubt does not begin the quarantine anew.
        since: Moment,
    },
    /// It stands in QAD.
    Posted {
        /// Where.
        key: DocumentKey,
        /// Posting date.
        date: NaiveDate,
        /// How that is known.
        proof: Proof,
    },
    /// QAD refused it.
    Refused {
        /// QAD's words.
        messages: Vec<LedgerMessage>,
    },
    /// Reversed in QAD and not to be posted again.
    Reversed {
        /// Where the reversal stands.
        ledger_reference: String,
    },
}
impl DocumentState {
    /// Its name, as people read it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending { .. } => "sending",
            Self::InDoubt { .. } => "in doubt",
            Self::Posted { .. } => "posted",
            Self::Refused { .. } => "refused",
            Self::Reversed { .. } => "reversed",
        }
    }
    fn in_flight(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::InDoubt { .. })
    }
    pub(super) fn stands(&self) -> bool {
        matches!(self, Self::Posted { .. })
    }
}

/// A document and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFile {
    /// Exactly what was or will be sent.
    pub document: Arc<Document>,
    /// Its state.
    pub state: DocumentState,
}

/// A mapped report with its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// As captured.
    pub capture: Arc<Capture>,
    /// As mapped.
    pub mapping: Arc<Mapping>,
    /// One or two.
    pub documents: Vec<DocumentFile>,
}
impl Dossier {
    /// The document of a reference.
    pub fn file(&self, reference: Reference) -> Option<&DocumentFile> {
        self.documents
            .iter()
            .find(|file| file.document.reference == reference)
    }
    /// Is every document posted (or reversed for good, with at least one posted)?
    pub fn complete(&self) -> bool {
        self.documents.iter().any(|file| file.state.stands())
            && self
                .documents
                .iter()
                .all(|file| file.state.stands() || matches!(file.state, DocumentState::Reversed { .. }))
    }
}

/// The stage a report has reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nothing is known of it.
    #[default]
    Unseen,
    /// Captured.
    Discovered(Arc<Capture>),
    /// Resolved; its documents are planned.
    Mapped(Dossier),
    /// It cannot post as it is.
    Rejected {
        /// As captured.
        capture: Arc<Capture>,
        /// What was looked at.
        basis: Basis,
        /// Why; QAD's refusal among them.
        reasons: Vec<Reason>,
    },
    /// It can post, but not yet.
    Held {
        /// As captured.
        capture: Arc<Capture>,
        /// What was looked at.
        basis: Basis,
        /// Why.
        reasons: Vec<Reason>,
        /// Until when, where known.
        until: Option<NaiveDate>,
    },
    /// The source took it back.
    Withdrawn(Arc<Capture>),
    /// Left out.
    Excluded {
        /// As captured.
        capture: Arc<Capture>,
        /// Why.
        why: Exclusion,
    },
    /// At least one document is being sent, in doubt, or still to be sent beside a posted one.
    Posting(Dossier),
    /// One document stands in QAD, and another was refused.
    PartlyPosted(Dossier),
    /// Every document stands in QAD.
    Posted {
        /// With its documents.
        dossier: Dossier,
        /// The label under which the exported flag was asked for, once it was.
        marking: Option<Label>,
    },
    /// And the source's flag is set.
    MarkedExported {
        /// With its documents.
        dossier: Dossier,
        /// Under this label.
        label: Label,
        /// When the listing that proves it was complete.
        listed_at: DateTime<Utc>,
    },
}

/// A stage's name alone: what the table of design §4 speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// See [`Stage::Unseen`].
    Unseen,
    /// See [`Stage::Discovered`].
    Discovered,
    /// See [`Stage::Mapped`].
    Mapped,
    /// See [`Stage::Rejected`].
    Rejected,
    /// See [`Stage::Held`].
    Held,
    /// See [`Stage::Withdrawn`].
    Withdrawn,
    /// See [`Stage::Excluded`].
    Excluded,
    /// See [`Stage::Posting`].
    Posting,
    /// See [`Stage::PartlyPosted`].
    PartlyPosted,
    /// See [`Stage::Posted`].
    Posted,
    /// See [`Stage::MarkedExported`].
    MarkedExported,
}
impl StageName {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unseen,
        Self::Discovered,
        Self::Mapped,
        Self::Rejected,
        Self::Held,
        Self::Withdrawn,
        Self::Excluded,
        Self::Posting,
        Self::PartlyPosted,
        Self::Posted,
        Self::MarkedExported,
    ];
}
impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unseen => "Unseen",
            Self::Discovered => "Discovered",
            Self::Mapped => "Mapped",
            Self::Rejected => "Rejected",
            Self::Held => "Held",
            Self::Withdrawn => "Withdrawn",
            Self::Excluded => "Excluded",
            Self::Posting => "Posting",
            Self::PartlyPosted => "PartlyPosted",
            Self::Posted => "Posted",
            Self::MarkedExported => "MarkedExported",
        })
    }
}

/// The aggregate: everything a decision about a report needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub(super) stage: Stage,
    /// How many events were folded.
    pub(super) steps: u32,
    /// Stages a rewind may return to, by the step that led there.
    pub(super) waypoints: BTreeMap<Step, Stage>,
    /// The generation of the next document of each kind, where it is not the first.
    pub(super) generations: BTreeMap<DocumentKind, Generation>,
    /// Attempts made for each reference.
    pub(super) attempts: BTreeMap<Reference, Attempt>,
    /// Open cases.
    pub(super) cases: Vec<Case>,
}

impl Report {
    /// The stage reached.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }
    /// How many events were folded: the next one's step.
    pub fn next_step(&self) -> Step {
        Step(self.steps)
    }
    /// Open cases.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
    /// Is a case of this kind open, about this document where it is about one?
    pub fn has_case(&self, name: CaseName, reference: Option<Reference>) -> bool {
        self.cases
            .iter()
            .any(|case| case.name() == name && case.reference() == reference)
    }
    /// The generation a new document of this kind bears.
    pub fn generation(&self, kind: DocumentKind) -> Generation {
        self.generations.get(&kind).copied().unwrap_or(Generation::FIRST)
    }
    /// Was a document of it ever reversed?
    pub fn was_reversed(&self) -> bool {
        !self.generations.is_empty()
    }
    /// The number of the next attempt to send a document.
    pub fn next_attempt(&self, reference: Reference) -> Attempt {
        Attempt(
            self.attempts
                .get(&reference)
                .map_or(1, |attempt| attempt.0.saturating_add(1)),
        )
    }
    /// The stages a rewind may return to.
    pub fn waypoints(&self) -> impl Iterator<Item = (Step, StageName)> {
        self.waypoints.iter().map(|(step, stage)| (*step, stage.name()))
    }
    /// The last step at which the report was captured.
    pub fn captured_at(&self) -> Option<Step> {
        self.waypoints
            .iter()
            .rev()
            .find(|(_, stage)| stage.name() == StageName::Discovered)
            .map(|(step, _)| *step)
    }
    /// The last capture.
    pub fn capture(&self) -> Option<&Arc<Capture>> {
        self.stage.capture()
    }
    /// The documents, where there are any.
    pub fn dossier(&self) -> Option<&Dossier> {
        self.stage.dossier()
    }
}

impl Stage {
    /// Its name.
    pub fn name(&self) -> StageName {
        match self {
            Self::Unseen => StageName::Unseen,
            Self::Discovered(_) => StageName::Discovered,
            Self::Mapped(_) => StageName::Mapped,
            Self::Rejected { .. } => StageName::Rejected,
            Self::Held { .. } => StageName::Held,
            Self::Withdrawn(_) => StageName::Withdrawn,
            Self::Excluded { .. } => StageName::Excluded,
            Self::Posting(_) => StageName::Posting,
            Self::PartlyPosted(_) => StageName::PartlyPosted,
            Self::Posted { .. } => StageName::Posted,
            Self::MarkedExported { .. } => StageName::MarkedExported,
        }
    }
    /// The capture it rests on.
    pub fn capture(&self) -> Option<&Arc<Capture>> {
        match self {
            Self::Unseen => None,
            Self::Discovered(capture)
            | Self::Withdrawn(capture)
            | Self::Rejected { capture, .. }
            | Self::Held { capture, .. }
            | Self::Excluded { capture, .. } => Some(capture),
            Self::Mapped(dossier)
            | Self::Posting(dossier)
            | Self::PartlyPosted(dossier)
            | Self::Posted { dossier, .. }
            | Self::MarkedExported { dossier, .. } => Some(&dossier.capture),
        }
    }
    /// Its documents.
    pub fn dossier(&self) -> Option<&Dossier> {
        match self {
            Self::Mapped(dossier)
            | Self::Posting(dossier)
            | Self::PartlyPosted(dossier)
            | Self::Posted { dossier, .. }
            | Self::MarkedExported { dossier, .. } => Some(dossier),
            _ => None,
        }
    }
    /// Is a document of it being sent, in doubt, or posted?
    pub fn touches_the_ledger(&self) -> bool {
        self.dossier().is_some_and(|d| {
            d.documents
                .iter()
                .any(|file| file.state.in_flight() || file.state.stands())
        })
    }
}

impl Stage {
    /// Is a document of it posted, and none being sent or in doubt?
    pub fn rests_in_the_ledger(&self) -> bool {
        self.dossier().is_some_and(|d| {
            d.documents.iter().any(|file| file.state.stands())
                && !d.documents.iter().any(|file| file.state.in_flight())
        })
    }
}

/// The stage that the states of the documents amount to. `Posted` is not derived: its event says so once.
pub(super) fn derive(dossier: Dossier) -> Stage {
    let any = |test: &dyn Fn(&DocumentState) -> bool| dossier.documents.iter().any(|file| test(&file.state));
    let refused = any(&|state| matches!(state, DocumentState::Refused { .. }));
    if any(&DocumentState::in_flight) {
        Stage::Posting(dossier)
    } else if any(&DocumentState::stands) {
        if refused {
            Stage::PartlyPosted(dossier)
        } else {
            Stage::Posting(dossier)
        }
    } else if any(&|state| matches!(state, DocumentState::Reversed { .. })) {
        // A person reversed a document for good: nothing of the report posts again unless a person replays it.
        let references: Vec<String> = dossier
            .documents
            .iter()
            .filter_map(|file| match &file.state {
                DocumentState::Reversed { ledger_reference } => Some(ledger_reference.clone()),
                _ => None,
            })
            .collect();
        Stage::Excluded {
            capture: dossier.capture,
            why: Exclusion::Decided {
                reason: "a document was reversed in QAD for good".into(),
                ledger_reference: Some(references.join(", ")),
            },
        }
    } else if refused {
        let reasons = dossier.documents.iter().flat_map(refusal_reasons).collect();
        Stage::Rejected {
            capture: dossier.capture,
            basis: dossier.mapping.basis.clone(),
            reasons,
        }
    } else {
        Stage::Mapped(dossier)
    }
}

/// QAD's refusal of a document, as reasons.
pub fn refusal_reasons(file: &DocumentFile) -> Vec<Reason> {
    match &file.state {
        DocumentState::Refused { messages } => messages
            .iter()
            .map(|m| {
                let field = if m.field.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", m.field)
                };
                let code = if m.code.is_empty() {
                    String::new()
                } else {
                    format!(" [{}]", m.code)
                };
                Reason::of_report(
                    super::reason::ReasonCode::RefusedByQad,
                    format!(
                        "{} {}: {field}{}{code}",
                        file.document.kind(),
                        file.document.reference,
                        m.message
                    ),
                )
            })
            .collect(),
        _ => Vec::new(),
    }
}
