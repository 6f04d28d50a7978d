//! Why a document in QAD that the log did not explain could not simply be adopted, and what a person does about it.

use std::fmt;

use crate::ids::{Reference, ReportId, TransactionId};
use crate::posting::{DocumentKey, Sighting};

/// Why a document is not adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The source does not show its report.
    NotAtSource,
    /// The source shows its report, or another of the same download, in a line that cannot be read.
    UnreadableAtSource,
    /// Its report does not map to documents as it is now.
    MapsOtherwise {
        /// What it came to, in words.
        why: String,
    },
    /// Its report maps to documents, and none of this kind.
    OtherKind {
        /// What it maps to.
        maps_to: Vec<Reference>,
    },
    /// The log expects another generation of it: a reversal and what followed it are lost.
    OtherGeneration {
        /// What the log expects.
        expected: Reference,
    },
    /// The log has this reference elsewhere: QAD holds it twice.
    Second {
        /// Where the log has it.
        stands: DocumentKey,
    },
    /// It was reversed in QAD, and the log does not know of it.
    Reversed,
    /// It would be adopted, but another unexplained document of the same report cannot be.
    BesideAnother,
    /// Another report carries an expense of it by now.
    ExpenseElsewhere {
        /// Which expenses, and with which report they go.
        taken: Vec<(TransactionId, ReportId)>,
    },
    /// It was looked at, and only a person can say whether it is the one.
    Incident {
        /// What is not right with it.
        doubt: String,
    },
    /// It is in doubt, and may yet end by itself.
    InDoubt {
        /// What is not known.
        doubt: String,
    },
    /// Another instance wrote to the report meanwhile.
    Busy,
    /// It appeared while this went on.
    Fresh,
}

impl Obstacle {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAtSource => "not_at_source",
            Self::UnreadableAtSource => "unreadable_at_source",
            Self::MapsOtherwise { .. } => "maps_otherwise",
            Self::OtherKind { .. } => "other_kind",
            Self::OtherGeneration { .. } => "other_generation",
            Self::Second { .. } => "second_document",
            Self::Reversed => "reversed",
            Self::BesideAnother => "beside_another",
            Self::ExpenseElsewhere { .. } => "expense_elsewhere",
            Self::Incident { .. } => "incident",
            Self::InDoubt { .. } => "in_doubt",
            Self::Busy => "busy",
            Self::Fresh => "fresh",
        }
    }

    /// What a person does about it.
    pub fn remedy(&self, sighting: &Sighting, connection: &str) -> String {
        let report = sighting.reference.report;
        let accept = format!(
            "`tieout reconcile --ledger --connection {connection} --accept {}={} --why … --as …`",
            sighting.reference, sighting.key
        );
        let again = "`tieout reconcile --ledger` again";
        match self {
            Self::NotAtSource => format!(
                "See in Expensify what became of the report. If an expense of this document travels in another report by now, leave that \
                 report out first (`tieout exclude`). Then explain the document: {accept}."
            ),
            Self::UnreadableAtSource => {
                format!("Poll (`tieout sync`) and see what it says of the line; then {again}.")
            }
            Self::MapsOtherwise { .. } | Self::OtherKind { .. } => format!(
                "Put right what keeps the report from mapping as it was posted, then {again}; or, if the document is right as it stands, \
                 explain it, and the report is left out with that on record: {accept}."
            ),
            Self::OtherGeneration { .. } => format!(
                "A person reversed the earlier document in QAD, and this one followed it. Explain it, and the report is left out with \
                 that on record: {accept}."
            ),
            Self::Second { stands } => format!(
                "Look at both in QAD. Reverse the one that is too much there: once this one is reversed and {stands} stands, it is \
                 explained. If both are right, explain this one: {accept}."
            ),
            Self::Reversed => {
                format!("Say what it was, and the report is left out with that on record: {accept}.")
            }
            Self::BesideAnother => {
                format!("See to the other document of report {report} first; then {again}, or {accept}.")
            }
            Self::ExpenseElsewhere { .. } => format!(
                "See which of the two reports the expense belongs to; leave the other one out (`tieout exclude`). If this document is \
                 right as it stands, explain it: {accept}."
            ),
            Self::Incident { .. } => format!(
                "Look at it in QAD. If it has lines that the report has no longer, an expense of it may travel in another report by now: \
                 leave that report out first (`tieout exclude`). Then `tieout resolve {report} --adopt {} --why … --as …`, and {again}.",
                sighting.key
            ),
            Self::InDoubt { .. } => format!("Run `tieout sync`, which looks for it; then {again}."),
            Self::Busy | Self::Fresh => format!("Run {again}."),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |references: &[Reference]| {
            let list: Vec<String> = references.iter().map(ToString::to_string).collect();
            list.join(" and ")
        };
        match self {
            Self::NotAtSource => f.write_str(
                "Expensify shows no approved or reimbursed report of it in this connection's policies",
            ),
            Self::UnreadableAtSource => {
                f.write_str("Expensify's download has a line that cannot be read, which may be its report")
            }
            Self::MapsOtherwise { why } => write!(f, "its report does not map to documents now: {why}"),
            Self::OtherKind { maps_to } => write!(
                f,
                "its report maps to {} now, and to none of this kind",
                list(maps_to)
            ),
            Self::OtherGeneration { expected } => {
                write!(f, "the log expects {expected}, another generation of it")
            }
            Self::Second { stands } => {
                write!(f, "the log has this reference as {stands}: QAD holds it twice")
            }
            Self::Reversed => f.write_str("it was reversed in QAD, and the log knows nothing of it"),
            Self::BesideAnother => f.write_str(
                "another document of its report, which the log does not explain either, is in the way",
            ),
            Self::ExpenseElsewhere { taken } => {
                let list: Vec<String> = taken
                    .iter()
                    .map(|(transaction, report)| format!("expense {transaction} goes with report {report}"))
                    .collect();
                f.write_str(&list.join("; "))
            }
            Self::Incident { doubt } | Self::InDoubt { doubt } => f.write_str(doubt),
            Self::Busy => f.write_str("another instance wrote to the report meanwhile"),
            Self::Fresh => f.write_str("it appeared while this went on"),
        }
    }
}
