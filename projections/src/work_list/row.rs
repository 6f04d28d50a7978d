//! A row of the work list as it is stored: where a report is, and what the next event needs to know of it.
//!
//! It is the aggregate of design §4 without its payloads: folded from the stored row and the next event alone, so that
//! the view stays flat in memory. It holds nothing personal, and no date that depends on a time zone or a clock.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tieout_domain::ids::{ConnectionId, DocumentKind, Generation, Label, PolicyId, Reference, ReportId};
use tieout_domain::ports::{LedgerMessage, Revision};
use tieout_domain::posting::DocumentKey;
use tieout_domain::report::{Attempt, Exclusion, Proof, Reason, ReasonCode, SourceStatus, StageName, Step};
use tieout_domain::time::SourceTime;

use super::case::OpenCase;
use crate::month::Month;

/// Where a report counts in the equation of law 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Every document of it stands in QAD.
    Posted,
    /// A document of it stands in QAD and another does not.
    PartlyPosted,
    /// It cannot post as it is.
    Rejected,
    /// It can post, but not yet.
    Held,
    /// It is left out.
    Excluded,
    /// A document of it is being sent, or nobody knows what came of it.
    InDoubt,
    /// It is on its way: discovered or mapped.
    Waiting,
    /// The source took it back.
    Withdrawn,
}

impl Bucket {
    /// All of them, in the order of the equation.
    pub const ALL: [Self; 8] = [
        Self::Posted,
        Self::PartlyPosted,
        Self::Rejected,
        Self::Held,
        Self::Excluded,
        Self::InDoubt,
        Self::Waiting,
        Self::Withdrawn,
    ];
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::PartlyPosted => "partly posted",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Excluded => "excluded",
            Self::InDoubt => "in doubt",
            Self::Waiting => "waiting",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What a row remembers of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Where in the report's stream it stands: its personal part is opened from there, when somebody reads.
    pub revision: Revision,
    /// The policy.
    pub policy: PolicyId,
    /// Status at the source.
    pub status: SourceStatus,
    /// Code of the currency, as it came.
    pub currency: String,
    /// The total the source says; `None` where it is no number.
    pub total: Option<Decimal>,
    /// How many expenses came.
    pub line_count: u64,
    /// What they add up to in the report's currency (see [`crate::amount`]); `None` where one cannot be read.
    pub line_amount: Option<Decimal>,
    /// When it was approved, as it came.
    pub approved: SourceTime,
}

/// The state of a document, with what a reader wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DocumentStanding {
    /// Not sent, or proven never to have arrived.
    Planned,
    /// Its intent is on record and no outcome yet.
    Sending {
        /// Which attempt.
        attempt: Attempt,
    },
    /// Nobody knows.
    InDoubt {
        /// Which attempt.
        attempt: Attempt,
        /// Why, in words.
        doubt: String,
        /// Only a person can settle it.
        needs_a_person: bool,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It stands in QAD.
    Posted {
        /// Where.
        key: DocumentKey,
        /// How that is known.
        proof: Proof,
    },
    /// QAD refused it.
    Refused {
        /// QAD's words.
        messages: Vec<LedgerMessage>,
    },
    /// Reversed in QAD, and not to be posted again.
    Reversed {
        /// Where the reversal stands.
        ledger_reference: String,
    },
}

impl DocumentStanding {
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
    /// An intent is on record and no outcome.
    pub fn in_flight(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::InDoubt { .. })
    }
    /// It stands in QAD.
    pub fn stands(&self) -> bool {
        matches!(self, Self::Posted { .. })
    }
}

/// A document of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDocument {
    /// Its natural key.
    pub reference: Reference,
    /// What it amounts to: the total owed or owed back, or a journal's debits.
    pub amount: Decimal,
    /// What it is of the report's amount, signed (see [`crate::amount::share_of_report`]).
    pub share: Decimal,
    /// Its currency.
    pub currency: String,
    /// Posting date: as planned, then as posted.
    pub posting_date: NaiveDate,
    /// Its state.
    #[serde(flatten)]
    pub standing: DocumentStanding,
}

impl RowDocument {
    /// Why QAD refused it, as reasons; empty unless it did.
    pub fn refusal_reasons(&self) -> Vec<Reason> {
        let DocumentStanding::Refused { messages } = &self.standing else {
            return Vec::new();
        };
        let reason = |message: &LedgerMessage| {
            let field = if message.field.is_empty() {
                String::new()
            } else {
                format!("{}: ", message.field)
            };
            let code = if message.code.is_empty() {
                String::new()
            } else {
                format!(" [{}]", message.code)
            };
            let (kind, reference) = (self.reference.kind, self.reference);
            Reason::of_report(
                ReasonCode::RefusedByQad,
                format!("{kind} {reference}: {field}{}{code}", message.message),
            )
        };
        messages.iter().map(reason).collect()
    }
}

/// Where a report stands at one moment: what a rewind returns to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The stage.
    pub stage: Stage,
    /// The capture it rests on, by its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Step>,
    /// Its documents, from the mapping on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<RowDocument>,
    /// It was mapped under rules that its submitter approved. By which name, the trail says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved_by_submitter: bool,
    /// Why it is rejected or held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Until when it is held, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Why it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Exclusion>,
    /// The label under which the exported flag was asked for, or is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// A stage's name; a report of which nothing is known is `Unseen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stage(pub StageName);
impl Default for Stage {
    fn default() -> Self {
        Self(StageName::Unseen)
    }
}

/// A document that was reversed in QAD, of whatever generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// What was reversed.
    pub reference: Reference,
    /// Where the reversal stands.
    pub ledger_reference: String,
}

/// A row of the work list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The connection.
    pub connection: ConnectionId,
    /// The report.
    pub report_id: ReportId,
    /// Where it stands now.
    pub now: Standing,
    /// How many events were folded.
    pub steps: u32,
    /// How often a document of it was about to be sent.
    pub attempts: u32,
    /// When the last event of it was recorded.
    pub last_change: Option<DateTime<Utc>>,
    /// What was captured, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<Step, Captured>,
    /// What a rewind may return to, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waypoints: BTreeMap<Step, Standing>,
    /// The generation of the next document of each kind, where it is not the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generations: BTreeMap<DocumentKind, Generation>,
    /// What was reversed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversals: Vec<Reversal>,
    /// Open cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<OpenCase>,
}

impl Row {
    /// The row of a report of which nothing is known yet.
    pub fn new(connection: ConnectionId, report_id: ReportId) -> Self {
        Self {
            connection,
            report_id,
            now: Standing::default(),
            steps: 0,
            attempts: 0,
            last_change: None,
            captures: BTreeMap::new(),
            waypoints: BTreeMap::new(),
            generations: BTreeMap::new(),
            reversals: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// Its key in the stored view: connections apart, reports by number.
    pub fn key(connection: ConnectionId, report: ReportId) -> String {
        format!("{connection}/{:020}", report.decimal())
    }

    /// The stage reached.
    pub fn stage(&self) -> StageName {
        self.now.stage.0
    }

    /// The capture it rests on; `None` only before the first.
    pub fn capture(&self) -> Option<&Captured> {
        self.captures.get(&self.now.capture?)
    }

    /// The month it was approved in, in the connection's zone: by it source and log are counted against each other.
    /// `None` where the date cannot be read.
    pub fn approved_in(&self, zone: Tz) -> Option<Month> {
        self.capture()?.approved.date_in(zone).map(Month::from)
    }

    /// The month a reader looks for it in: of its (first) posting date, else of its approval.
    pub fn period(&self, zone: Tz) -> Option<Month> {
        let posting = self
            .now
            .documents
            .iter()
            .map(|document| document.posting_date)
            .min();
        posting.map(Month::from).or_else(|| self.approved_in(zone))
    }

    /// Where it counts in the equation of law 6. A report one of whose documents was reversed for good, or is still to
    /// be sent, is partly posted, whatever its stage.
    pub fn bucket(&self) -> Bucket {
        let documents = &self.now.documents;
        if documents.iter().any(|document| document.standing.in_flight()) {
            return Bucket::InDoubt;
        }
        match self.stage() {
            StageName::Unseen | StageName::Discovered | StageName::Mapped => Bucket::Waiting,
            StageName::Rejected => Bucket::Rejected,
            StageName::Held => Bucket::Held,
            StageName::Withdrawn => Bucket::Withdrawn,
            StageName::Excluded => Bucket::Excluded,
            StageName::Posting | StageName::PartlyPosted => Bucket::PartlyPosted,
            StageName::Posted | StageName::MarkedExported => {
                if documents.iter().all(|document| document.standing.stands()) {
                    Bucket::Posted
                } else {
                    Bucket::PartlyPosted
                }
            }
        }
    }

    /// Every reason why it, or a document of it, does not post.
    pub fn reasons(&self) -> Vec<Reason> {
        let refused = self.now.documents.iter().flat_map(RowDocument::refusal_reasons);
        self.now.reasons.iter().cloned().chain(refused).collect()
    }
}
