//! A row as people and scripts read it: `tieout reports --json` (design §8).

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::{DocumentKind, Reference, ReportId, TransactionId, Voucher};
use tieout_domain::journal::{JournalError, Reader, Streams};
use tieout_domain::ports::{Log, Sealer};
use tieout_domain::report::{Exclusion, Payload, ReasonCode, ReportEvent, StageName};

use super::case::ListedCase;
use super::row::{Bucket, DocumentStanding, Row, RowDocument};
use crate::month::Month;

/// A report in the work list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Name of the connection.
    pub connection: String,
    /// The report.
    pub report_id: ReportId,
    /// Its stage.
    pub state: StageName,
    /// Where it counts in the equation of law 6.
    pub bucket: Bucket,
    /// The submitter's address; `null` when the person was forgotten.
    pub submitter: Option<String>,
    /// Code of its currency, as it came.
    pub currency: String,
    /// The total the source says; `null` where it is no number.
    pub total: Option<Decimal>,
    /// The month of its posting date, else of its approval, in the connection's zone.
    pub period: Option<Month>,
    /// How many expenses it has.
    pub line_count: u64,
    /// What they add up to; `null` where one has no amount that can be read.
    pub line_amount: Option<Decimal>,
    /// Its documents.
    pub documents: Vec<ListedDocument>,
    /// It was mapped under rules that its submitter approved.
    pub approved_by_submitter: bool,
    /// Why it does not post.
    pub reasons: Vec<ListedReason>,
    /// Until when it is held, where that is known.
    pub held_until: Option<NaiveDate>,
    /// Why it is left out.
    pub excluded: Option<Exclusion>,
    /// How often a document of it was about to be sent.
    pub attempts: u32,
    /// What happened after posting that a person should look at.
    pub cases: Vec<ListedCase>,
    /// When the last event of it was recorded.
    pub last_change: Option<DateTime<Utc>>,
}

/// A document in the work list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedDocument {
    /// What kind.
    pub kind: DocumentKind,
    /// Its natural key.
    pub reference: Reference,
    /// Its state: planned, sending, in_doubt, posted, refused, reversed.
    pub state: String,
    /// Its number in QAD, once it stands there.
    pub voucher: Option<Voucher>,
    /// Posting date: as planned, then as posted.
    pub posting_date: NaiveDate,
    /// What it amounts to.
    pub amount: Decimal,
    /// Its currency.
    pub currency: String,
    /// What is not known of it, while it is in doubt.
    pub doubt: Option<String>,
}

/// A reason in the work list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedReason {
    /// Stable code.
    pub code: ReasonCode,
    /// What is wrong, with the values.
    pub message: String,
    /// What to do.
    pub remedy: &'static str,
    /// The expense it is about; `null` for the report as a whole.
    pub line: Option<TransactionId>,
}

impl Listed {
    /// A row as it is listed. `submitter` comes from [`submitter_of`], `zone` and name from the configuration.
    pub fn of(row: &Row, connection: &str, zone: Tz, submitter: Option<String>) -> Self {
        let capture = row.capture();
        let reason = |reason: tieout_domain::report::Reason| ListedReason {
            remedy: reason.remedy(),
            code: reason.code,
            message: reason.message,
            line: reason.line,
        };
        Self {
            connection: connection.to_owned(),
            report_id: row.report_id,
            state: row.stage(),
            bucket: row.bucket(),
            submitter,
            currency: capture
                .map(|capture| capture.currency.clone())
                .unwrap_or_default(),
            total: capture.and_then(|capture| capture.total),
            period: row.period(zone),
            line_count: capture.map_or(0, |capture| capture.line_count),
            line_amount: capture.and_then(|capture| capture.line_amount),
            documents: row.now.documents.iter().map(ListedDocument::from).collect(),
            approved_by_submitter: row.now.approved_by_submitter,
            reasons: row.reasons().into_iter().map(reason).collect(),
            held_until: row.now.until,
            excluded: row.now.excluded.clone(),
            attempts: row.attempts,
            cases: ListedCase::of(row),
            last_change: row.last_change,
        }
    }
}

impl From<&RowDocument> for ListedDocument {
    fn from(document: &RowDocument) -> Self {
        let (voucher, doubt) = match &document.standing {
            DocumentStanding::Posted { key, .. } => (Some(key.voucher), None),
            DocumentStanding::InDoubt { doubt, .. } => (None, Some(doubt.clone())),
            _ => (None, None),
        };
        Self {
            kind: document.reference.kind,
            reference: document.reference,
            state: document.standing.name().replace(' ', "_"),
            voucher,
            posting_date: document.posting_date,
            amount: document.amount,
            currency: document.currency.clone(),
            doubt,
        }
    }
}

/// Opens the submitter of a row from the log: the personal part of its capture. `None` when the person was forgotten, or
/// the source named none.
pub async fn submitter_of<L: Log, S: Sealer>(
    reader: &Reader<'_, L, S>,
    row: &Row,
) -> Result<Option<String>, JournalError> {
    let Some(capture) = row.capture() else {
        return Ok(None);
    };
    let stream = Streams(row.connection).report(row.report_id);
    let Some(recorded) = reader
        .log
        .read_stream(&stream, capture.revision, 1)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let entry = reader.entry::<ReportEvent>(recorded).await?;
    let submitter = |payload: &Payload| {
        let address = payload
            .personal
            .known()
            .map(|personal| personal.submitter.trim().to_owned());
        address.filter(|address| !address.is_empty())
    };
    Ok(entry.and_then(|entry| match &entry.event {
        ReportEvent::Discovered { payload, .. } | ReportEvent::Revised { payload, .. } => submitter(payload),
        _ => None,
    }))
}
