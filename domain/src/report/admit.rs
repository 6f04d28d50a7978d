//! The table of design §4: from which stage which event is allowed. What is not in it is refused.

use std::collections::BTreeSet;

use super::event::ReportEvent;
use super::state::{DocumentState, Report, Stage, StageName};
use crate::ids::Reference;

/// Why a report does not allow what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table does not allow the event from this stage.
    #[error("a report that is {stage} cannot become {event}: {why}")]
    NotAllowed {
        /// Where it is.
        stage: StageName,
        /// What was asked.
        event: &'static str,
        /// Why not.
        why: String,
    },
    /// What the mapping rests on is no longer in force: map again first.
    #[error("the mapping rests on {mapped}, and {in_force} is in force: it is mapped again before it posts")]
    Stale {
        /// What it rests on.
        mapped: String,
        /// What is in force.
        in_force: String,
    },
    /// The source was not seen in this cycle as it was mapped.
    #[error(
        "this cycle's poll does not show the report as it was mapped: it posts when a complete poll does"
    )]
    NotSeenAsMapped,
    /// There is no such document on the report.
    #[error("the report has no document {0}")]
    NoSuchDocument(Reference),
    /// There is no such step to return to.
    #[error("there is no step {step} to return to; the report can return to {available}")]
    NoSuchStep {
        /// What was asked.
        step: u32,
        /// What there is.
        available: String,
    },
    /// A decision that the log shows cannot be true.
    #[error("{0}")]
    Contradicted(String),
    /// A payload that cannot be hashed.
    #[error("the payload cannot be written as JSON: {0}")]
    Unwritable(String),
}

/// Does the table allow this event now?
pub fn admit(report: &Report, event: &ReportEvent) -> Result<(), Refusal> {
    use ReportEvent as E;
    use StageName as S;
    let stage = report.stage.name();
    let refuse = |why: &str| {
        Err(Refusal::NotAllowed {
            stage,
            event: event_name(event),
            why: why.to_owned(),
        })
    };
    let among = |allowed: &[S]| {
        if allowed.contains(&stage) {
            Ok(())
        } else {
            let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            refuse(&format!("that is allowed from {} only", list.join(", ")))
        }
    };
    let clear_of_the_ledger = || {
        if stage == S::Unseen {
            refuse("nothing is known of it")
        } else if report.stage.touches_the_ledger() {
            refuse("a document of it is being sent, in doubt or posted")
        } else {
            Ok(())
        }
    };
    // Posted in part it rests too: what is missing may never post, because the source shows something else by now.
    let resting_in_the_ledger = || {
        if report.stage.rests_in_the_ledger() {
            Ok(())
        } else {
            refuse("nothing of it is posted, or a document of it is being sent or in doubt")
        }
    };
    match event {
        E::Discovered { .. } => among(&[S::Unseen]),
        E::Revised { .. } => among(&[S::Discovered, S::Mapped, S::Rejected, S::Held, S::Withdrawn]),
        E::Withdrawn => among(&[S::Discovered, S::Mapped, S::Rejected, S::Held]),
        E::Mapped(mapping) => {
            among(&[S::Discovered, S::Held])?;
            let documents = &mapping.documents;
            let references: BTreeSet<Reference> =
                documents.iter().map(|document| document.reference).collect();
            let each_its_own = (1..=2).contains(&documents.len()) && references.len() == documents.len();
            if !each_its_own || !documents.iter().all(|document| document.balances()) {
                return refuse(
                    "a mapping has one or two documents, each with its own reference, and each balances",
                );
            }
            Ok(())
        }
        E::Rejected { .. } | E::Held { .. } => among(&[S::Discovered, S::Held]),
        E::PostingStarted { document, .. } => {
            among(&[S::Mapped, S::PartlyPosted, S::Posting])?;
            let reference = document.reference;
            match file(report, reference)? {
                DocumentState::Planned => Ok(()),
                DocumentState::Refused { .. } if stage == S::PartlyPosted => Ok(()),
                other => refuse(&format!("document {reference} is {}", other.name())),
            }
        }
        E::DocumentPosted { reference, .. }
        | E::DocumentRefused { reference, .. }
        | E::PostingInDoubt { reference, .. }
        | E::PostingFailed { reference, .. } => {
            among(&[S::Posting])?;
            match file(report, *reference)? {
                DocumentState::Sending { .. } | DocumentState::InDoubt { .. } => Ok(()),
                other => refuse(&format!(
                    "document {reference} is {}, not being sent",
                    other.name()
                )),
            }
        }
        E::Posted => {
            among(&[S::Posting])?;
            match &report.stage {
                Stage::Posting(dossier) if dossier.complete() => Ok(()),
                _ => refuse("not every document is posted"),
            }
        }
        E::MarkingStarted { .. } => among(&[S::Posted]),
        E::MarkedExported { .. } => {
            among(&[S::Posted])?;
            match &report.stage {
                Stage::Posted { marking: Some(_), .. } => Ok(()),
                _ => refuse("no intent to mark it is on record"),
            }
        }
        E::Rewound { to, .. } => {
            clear_of_the_ledger()?;
            if report.waypoints.contains_key(to) {
                Ok(())
            } else {
                let available: Vec<String> = report.waypoints.keys().map(ToString::to_string).collect();
                Err(Refusal::NoSuchStep {
                    step: to.0,
                    available: available.join(", "),
                })
            }
        }
        E::Excluded(_) => clear_of_the_ledger(),
        E::DocumentReversed { reference, .. } => match file(report, *reference)? {
            DocumentState::Posted { .. } => Ok(()),
            other => refuse(&format!("document {reference} is {}, not posted", other.name())),
        },
        E::SourceDrifted { .. } | E::SourceGone | E::DocumentDrifted { .. } | E::PaidAtSource => {
            resting_in_the_ledger()
        }
        E::CaseClosed { case, reference } => {
            resting_in_the_ledger()?;
            if report.has_case(*case, *reference) {
                Ok(())
            } else {
                refuse("no such case is open")
            }
        }
    }
}

fn file(report: &Report, reference: Reference) -> Result<&DocumentState, Refusal> {
    report
        .dossier()
        .and_then(|dossier| dossier.file(reference))
        .map(|file| &file.state)
        .ok_or(Refusal::NoSuchDocument(reference))
}

/// The type of an event, as the log names it.
pub fn event_name(event: &ReportEvent) -> &'static str {
    use ReportEvent as E;
    match event {
        E::Discovered { .. } => "Discovered",
        E::Revised { .. } => "Revised",
        E::Withdrawn => "Withdrawn",
        E::Mapped(_) => "Mapped",
        E::Rejected { .. } => "Rejected",
        E::Held { .. } => "Held",
        E::PostingStarted { .. } => "PostingStarted",
        E::DocumentPosted { .. } => "DocumentPosted",
        E::DocumentRefused { .. } => "DocumentRefused",
        E::PostingInDoubt { .. } => "PostingInDoubt",
        E::PostingFailed { .. } => "PostingFailed",
        E::Posted => "Posted",
        E::MarkingStarted { .. } => "MarkingStarted",
        E::MarkedExported { .. } => "MarkedExported",
        E::Rewound { .. } => "Rewound",
        E::Excluded(_) => "Excluded",
        E::DocumentReversed { .. } => "DocumentReversed",
        E::SourceDrifted { .. } => "SourceDrifted",
        E::SourceGone => "SourceGone",
        E::DocumentDrifted { .. } => "DocumentDrifted",
        E::PaidAtSource => "PaidAtSource",
        E::CaseClosed { .. } => "CaseClosed",
    }
}
