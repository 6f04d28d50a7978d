//! What the workflow needs of the world, as traits. Each has one suite in `tests/conformance` that every
//! implementation passes.

mod log;
mod page;

use std::future::Future;

use chrono::{DateTime, Utc};
use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::chart::ChartReading;
use crate::ids::{Email, Label, PolicyId, Reference, ReportId, SubjectId};
use crate::posting::{Document, DocumentKey, LedgerDocument, Sighting};
use crate::report::Payload;
use crate::time::{Moment, Steady};

pub use log::{
    Appended, Expected, Leaf, Log, LogError, MOST_APPEND_BYTES, NewEvent, PaceBook, PaceRule, Position,
    Recorded, Revision, SENDS_KEPT, StreamName, check_append,
};
pub use page::{PAGE_BYTES, Page};

// ── time, chance, identity, personal data ────────────────────────────────────────────────────────────────────────

/// Time, by two clocks.
pub trait Clock: Send + Sync {
    /// The wall clock, UTC. It may step.
    fn now(&self) -> DateTime<Utc>;
    /// The clock that never runs backwards.
    fn steady(&self) -> Steady;
    /// Both at once.
    fn moment(&self) -> Moment {
        Moment {
            at: self.now(),
            steady: self.steady(),
        }
    }
    /// Waits.
    fn sleep(&self, duration: std::time::Duration) -> impl Future<Output = ()> + Send;
}

/// Chance: ids, salts, jitter.
pub trait Entropy: Send + Sync {
    /// A fresh identifier that sorts by time.
    fn uuid(&self) -> uuid::Uuid;
    /// Sixteen random bytes.
    fn salt(&self) -> [u8; 16];
}

/// Why personal data could not be sealed or opened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("personal data could not be {doing}: {detail}")]
pub struct SealError {
    /// `sealed` or `opened`.
    pub doing: &'static str,
    /// What happened and what to do.
    pub detail: String,
}

/// What opening a sealed section gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// What was sealed.
    Plain(Vec<u8>),
    /// The person was forgotten: the key is gone, and so is the content.
    Forgotten,
}

/// Seals personal fields under a key of their person, so that a person can be forgotten without touching an event.
pub trait Sealer: Send + Sync {
    /// The person's identifier in the log; minted when the person is first met.
    fn subject_for(&self, person: &Email) -> Result<SubjectId, SealError>;
    /// Seals bytes; `context` (the event id) must be the same to open them.
    fn seal(&self, subject: SubjectId, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError>;
    /// Opens what was sealed.
    fn open(&self, subject: SubjectId, sealed: &[u8], context: &[u8]) -> Result<Opened, SealError>;
}

// ── the source: Expensify ────────────────────────────────────────────────────────────────────────────────────────

/// The states in which reports are asked for: those that post, always, and what becomes of them at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStates {
    /// Approved and reimbursed.
    Approved,
    /// And those that were closed (contract expensify §2.2 `ARCHIVED`): a posted report that is merely closed is not gone.
    AlsoClosed,
}

/// Which reports to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Approved on or after `approved_from`, submitted (or created) on or before `until`: at most a year apart
    /// (contract expensify §2.3). `until` is absent for a window that reaches today.
    Window {
        /// Lower bound of the approval date; the client asks for a day earlier (§12).
        approved_from: chrono::NaiveDate,
        /// Upper bound of the submission date.
        until: Option<chrono::NaiveDate>,
    },
    /// Exactly these, whether or not they bear the label; at most 100.
    Reports(Vec<ReportId>),
}

/// A listing asked of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingQuery {
    /// The policies of the connection.
    pub policies: Vec<PolicyId>,
    /// Which reports.
    pub selection: Selection,
    /// Leave out what bears this label already.
    pub without_label: Option<Label>,
    /// In which states.
    pub states: SourceStates,
}

/// One line of a listing.
#[derive(Debug, Clone)]
pub enum Listed {
    /// A report.
    Report(Box<Payload>),
    /// A line that could not be read as one; the listing is not complete.
    Unreadable {
        /// Line number in the download, from 1.
        line: u64,
        /// The beginning of it, without secrets.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Why the source did not answer as it should. None of these has an effect at the source, but for `mark`, where every
/// kind but `Refused`, `Unauthorised`, `Unreachable` and `NotSent` leaves it unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SourceError {
    /// Wrong credentials: never tried again by itself.
    #[error(
        "Expensify refused the credentials ({detail}): run `tieout credentials expensify` with a fresh pair from expensify.com/tools/integrations"
    )]
    Unauthorised {
        /// The server's words.
        detail: String,
    },
    /// Expensify understood and said no.
    #[error(
        "Expensify refused the {job} job: {code} {message}; the next cycle tries again; if it stays, check policies and permissions with `tieout doctor`"
    )]
    Refused {
        /// Which job.
        job: &'static str,
        /// `responseCode`.
        code: String,
        /// `responseMessage`, verbatim.
        message: String,
    },
    /// Rate limited beyond the retries allowed.
    #[error("Expensify answered 429 to {attempts} attempts of the {job} job; the next cycle tries again")]
    Throttled {
        /// Which job.
        job: &'static str,
        /// How many attempts were made.
        attempts: u32,
    },
    /// No answer, or none that can be read.
    #[error(
        "no usable answer from Expensify to the {job} job: {detail}; the next cycle tries again; if it stays, try the job by hand or ask Expensify"
    )]
    Unanswered {
        /// Which job.
        job: &'static str,
        /// What was seen, cut, without secrets.
        detail: String,
    },
    /// The download ended before its trailer, or its trailer disagrees with what came: nothing may be concluded from absence.
    #[error(
        "the download from Expensify is not whole: {detail}; what was read is kept, and absence proves nothing"
    )]
    Truncated {
        /// What disagrees.
        detail: String,
    },
    /// No connection was made: nothing was sent.
    #[error("Expensify cannot be reached: {detail}; check the network, the proxy and `url`")]
    Unreachable {
        /// What was tried.
        detail: String,
    },
    /// Our own bookkeeping failed before anything was sent.
    #[error("the request to Expensify was not sent: {detail}")]
    NotSent {
        /// Why.
        detail: String,
    },
}

/// How the source was asked: for the budget of calls and the record of throttling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCalls {
    /// Export jobs that list.
    pub exports: u32,
    /// Downloads.
    pub downloads: u32,
    /// Export jobs that mark.
    pub marks: u32,
    /// Policy reads.
    pub policies: u32,
    /// Attempts beyond the first of each of the above.
    pub retries: u32,
    /// Answers of 429, as status or as body, and the milliseconds waited after each.
    pub throttled: Vec<u64>,
}

/// Approved spend: Expensify.
pub trait Source: Send + Sync {
    /// The lines of a download. Ends with an error where the download is not whole.
    type Lines: Stream<Item = Result<Listed, SourceError>> + Send + Unpin;

    /// Lists reports; the download streams, whatever its size.
    fn list(&self, query: &ListingQuery) -> impl Future<Output = Result<Self::Lines, SourceError>> + Send;

    /// Sets the exported flag for exactly these reports (at most 100) and streams their full records as they stand
    /// (contract expensify §9). Effects are at the server even where the answer is lost.
    fn mark(
        &self,
        policies: &[PolicyId],
        reports: &[ReportId],
        label: &Label,
    ) -> impl Future<Output = Result<Self::Lines, SourceError>> + Send;

    /// What was asked since the last call of this, and resets the count.
    fn take_calls(&self) -> SourceCalls;
}

// ── the ledger: QAD ──────────────────────────────────────────────────────────────────────────────────────────────

/// Why QAD could not be asked. Reads only: a write has a [`PostAnswer`] instead.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// Wrong user or password: never tried again by itself, because QAD locks users.
    #[error(
        "QAD refused the credentials ({detail}): run `tieout credentials qad`; repeated failures lock the user in QAD"
    )]
    Unauthorised {
        /// The server's words.
        detail: String,
    },
    /// 403: the user may not do this, or the workspace is unknown.
    #[error(
        "QAD denied {what}: {detail}; ask the QAD administrator for the permission, or correct `workspace`"
    )]
    Denied {
        /// What was asked.
        what: String,
        /// The server's words.
        detail: String,
    },
    /// No answer, or none that can be read.
    #[error(
        "no usable answer from QAD to {what}: {detail}; the next cycle tries again; if it stays, check the address and the profile with `tieout doctor`"
    )]
    Unanswered {
        /// What was asked.
        what: String,
        /// What was seen, cut, without secrets.
        detail: String,
    },
    /// The canary was not found: the browse answers, but its emptiness proves nothing (contract qad §8.4).
    #[error(
        "{what} did not find its canary {canary}: an empty answer proves nothing; check the profile's browse and columns"
    )]
    CanarySilent {
        /// What was asked.
        what: String,
        /// What should have been found.
        canary: String,
    },
    /// The profile does not fit the answer.
    #[error("the profile does not fit QAD's answer to {what}: {detail}")]
    Profile {
        /// What was asked.
        what: String,
        /// Which column or field.
        detail: String,
    },
}

/// What a look-up by reference says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// These documents bear a reference of the report, of any kind and generation.
    Found(Vec<Sighting>),
    /// None does, and the same request found its canary just after.
    Absent,
}

/// What a post was answered: by the three-way success test of contract qad §1.8. It does not yet say what *is*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PostAnswer {
    /// All three signs agree; the numbers QAD echoed, if it did.
    Accepted {
        /// Where the document stands, if the answer said so.
        key: Option<DocumentKey>,
        /// Warnings that came along. One of a duplicate reference is an answer of its own.
        warnings: Vec<String>,
    },
    /// `success:false`, every entry of error severity, no number echoed: refused, if a look-up finds nothing.
    Refused {
        /// Each entry verbatim: field, message, code.
        messages: Vec<LedgerMessage>,
    },
    /// QAD says that a document with this reference exists already, and stored ours beside it or may have: an incident,
    /// whatever else the answer says (contract qad §3).
    DuplicateWarned {
        /// Where ours stands, if the answer said so.
        key: Option<DocumentKey>,
        /// The warning, verbatim.
        warning: String,
    },
    /// The request provably never left, or was turned away before it was handled (401, 403).
    NeverArrived {
        /// Why.
        detail: String,
    },
    /// Anything else.
    Unknown {
        /// What was seen, cut, without secrets.
        detail: String,
    },
}

/// One entry of QAD's answer, verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerMessage {
    /// Field it names, in QAD's own casing.
    pub field: String,
    /// Text.
    pub message: String,
    /// Code.
    pub code: String,
}

/// The ledger: QAD. Every method is scoped to the connection's workspace.
pub trait Ledger: Send + Sync {
    /// Reads every master of the chart, each under its canary.
    fn read_chart(&self) -> impl Future<Output = Result<ChartReading, LedgerError>> + Send;

    /// Hash of QAD's own metadata of the entities we write, and of the profile: what a certification vouches for.
    fn contract_hash(&self) -> impl Future<Output = Result<String, LedgerError>> + Send;

    /// Looks for every document of a report, all kinds and generations.
    fn look_up(&self, report: ReportId) -> impl Future<Output = Result<LookUp, LedgerError>> + Send;

    /// Every document of the workspace that bears a reference of our form, of any report, kind and generation; each
    /// browse under its canary. What merely begins like one of ours is somebody else's, and left out.
    fn list_ours(&self) -> impl Future<Output = Result<Vec<Sighting>, LedgerError>> + Send;

    /// Sends one document, once.
    fn post(&self, document: &Document) -> impl Future<Output = PostAnswer> + Send;

    /// Reads a document back with all its lines.
    fn read_back(
        &self,
        reference: Reference,
        key: &DocumentKey,
    ) -> impl Future<Output = Result<LedgerDocument, LedgerError>> + Send;
}

// ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────

/// The world of one connection, as the workflow sees it.
pub trait Ports: Send + Sync {
    /// The log.
    type Log: Log;
    /// Expensify.
    type Source: Source;
    /// QAD.
    type Ledger: Ledger;
    /// Time.
    type Clock: Clock;
    /// Chance.
    type Entropy: Entropy;
    /// Personal data.
    type Sealer: Sealer;

    /// The log.
    fn log(&self) -> &Self::Log;
    /// Expensify.
    fn source(&self) -> &Self::Source;
    /// QAD.
    fn ledger(&self) -> &Self::Ledger;
    /// Time.
    fn clock(&self) -> &Self::Clock;
    /// Chance.
    fn entropy(&self) -> &Self::Entropy;
    /// Personal data.
    fn sealer(&self) -> &Self::Sealer;

    /// A named point of the workflow is passed: after an intent, after a send, … Tests end the process there; in
    /// production nothing happens.
    fn passing(&self, _point: &'static str) {}

    /// Were we told to stop? Then nothing new is begun; what is in hand is finished.
    fn stopping(&self) -> bool {
        false
    }
}
