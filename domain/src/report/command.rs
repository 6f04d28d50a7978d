//! What may be asked of a report.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::event::{AfterReversal, Basis, Doubt, Exclusion, Mapping, Proof, Step};
use super::payload::{MaterialHash, Payload};
use super::reason::Reason;
use crate::ids::{InstanceId, Label, Reference};
use crate::ports::LedgerMessage;
use crate::posting::{Difference, Document, DocumentKey};
use crate::time::Moment;

/// What the rules made of a report (see [`crate::posting::map_report`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapOutcome {
    /// Every line resolved.
    Mapped(Mapping),
    /// It cannot post as it is.
    Rejected {
        /// What was looked at.
        basis: Basis,
        /// Every reason.
        reasons: Vec<Reason>,
    },
    /// It can post, but not yet.
    Held {
        /// What was looked at.
        basis: Basis,
        /// Why.
        reasons: Vec<Reason>,
        /// Until when, where known.
        until: Option<NaiveDate>,
    },
    /// It needs no document.
    Excluded(Exclusion),
}

/// How a person settles what only a person can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This document in QAD is ours, and stands.
    Adopt {
        /// Where it stands.
        key: DocumentKey,
        /// Its posting date.
        date: NaiveDate,
    },
    /// QAD has no document of ours, and none is on its way any more.
    Absent {
        /// When that is said.
        now: Moment,
        /// How long a request that was given up may still be carried out (law 4).
        quarantine: Duration,
    },
}

/// What may be asked of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A listing shows it.
    Observe(Box<Payload>),
    /// A complete listing does not show it.
    Withdraw,
    /// The rules were applied.
    Map(MapOutcome),
    /// Declare that a document is about to be sent.
    StartPosting {
        /// Which.
        reference: Reference,
        /// Which run of the program will send it.
        owner: InstanceId,
        /// What is in force now.
        in_force: Basis,
        /// The report as this cycle's complete poll showed it; `None` if it did not.
        seen: Option<MaterialHash>,
    },
    /// Declare that the missing document of a report that stands in QAD in part is about to be sent, as the rules and the
    /// chart in force now make it: the same reference and the same expenses.
    StartRecoded {
        /// Exactly this.
        document: Arc<Document>,
        /// Which run of the program will send it.
        owner: InstanceId,
        /// The report as this cycle's complete poll showed it; `None` if it did not.
        seen: Option<MaterialHash>,
    },
    /// It stands in QAD.
    RecordPosted {
        /// Which.
        reference: Reference,
        /// Where.
        key: DocumentKey,
        /// Posting date.
        date: NaiveDate,
        /// How that is known.
        proof: Proof,
        /// Warnings.
        warnings: Vec<String>,
    },
    /// QAD refused it, and a look-up finds nothing.
    RecordRefused {
        /// Which.
        reference: Reference,
        /// QAD's words.
        messages: Vec<LedgerMessage>,
    },
    /// Nobody knows.
    RecordDoubt {
        /// Which.
        reference: Reference,
        /// Why.
        doubt: Doubt,
        /// When the request was given up.
        since: Moment,
    },
    /// It never arrived, or is proven absent.
    RecordFailed {
        /// Which.
        reference: Reference,
        /// How that is known.
        why: String,
    },
    /// Declare that the exported flag is about to be set.
    StartMarking(Label),
    /// A complete listing without the label no longer shows it.
    ConfirmMarked {
        /// The label.
        label: Label,
        /// When that listing was complete.
        listed_at: DateTime<Utc>,
    },
    /// Go back to an earlier step.
    Rewind {
        /// Which; `None` for its last capture.
        to: Option<Step>,
        /// Why.
        why: String,
    },
    /// Leave it out.
    Exclude(Exclusion),
    /// A person settles a document in doubt.
    Settle {
        /// Which.
        reference: Reference,
        /// How.
        decision: Decision,
        /// Why.
        why: String,
    },
    /// A person reversed a document in QAD.
    Reverse {
        /// Which.
        reference: Reference,
        /// Where the reversal stands.
        ledger_reference: String,
        /// What becomes of it.
        then: AfterReversal,
        /// Why a person says so.
        why: Option<String>,
    },
    /// QAD holds something else than was posted.
    RaiseDocumentDrift {
        /// Which.
        reference: Reference,
        /// In what.
        differences: Vec<Difference>,
    },
    /// QAD holds it as it was posted.
    ConfirmDocument {
        /// Which.
        reference: Reference,
    },
    /// The source no longer has it.
    RaiseGone,
}
