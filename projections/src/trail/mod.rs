//! The trail of one report: every event in order, with both clocks, who, why and by which build, what it says in plain
//! words, and for every line of a mapping the way from the source's field through the rule to the posted field.
//!
//! It is read from the report's stream whenever somebody asks and is never stored, so that what was forgotten is gone from
//! it at once: forgotten fields say so (`null` in JSON, `forgotten: true` beside them).

mod mapping;
mod moved;
mod render;
mod say;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::{ConnectionId, DocumentKind, EventId, Reference, ReportId, TransactionId};
use tieout_domain::journal::{Actor, Cause, Entry, JournalError, Reader, Streams};
use tieout_domain::ports::{Leaf, LedgerMessage, Log, Sealer};
use tieout_domain::report::{
    Capture, DocumentState, Exclusion, PersonalFields, PersonalLine, Reason, Report, ReportEvent,
    SourceStatus, StageName, Step, admit, event_name,
};

pub use mapping::{TrailField, TrailHeader, TrailLine, TrailMapping, TrailPosted};
pub use moved::TrailMove;
pub use render::render;

use crate::amount::{declared_total, sum_of_lines};
use crate::work_list::{Bucket, ListedCase, Row, apply};

/// The whole trail of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trail {
    /// Name of the connection.
    pub connection: String,
    /// The report.
    pub report_id: ReportId,
    /// Where it is now.
    pub state: StageName,
    /// Where it counts in the equation of law 6.
    pub bucket: Bucket,
    /// The report as it stands on record; `null` for one of which nothing was captured.
    pub report: Option<TrailCapture>,
    /// Its documents as they stand.
    pub documents: Vec<TrailDocument>,
    /// Why it does not post.
    pub reasons: Vec<TrailReason>,
    /// Why it is left out.
    pub excluded: Option<Exclusion>,
    /// What happened after posting that a person should look at.
    pub cases: Vec<ListedCase>,
    /// Everything that happened, oldest first.
    pub steps: Vec<TrailStep>,
    /// When the log that this was read from was copied to another engine, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<TrailMove>,
}

/// A report as one event captured it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailCapture {
    /// The person was forgotten: what follows of them is `null`.
    pub forgotten: bool,
    /// The submitter's address.
    pub submitter: Option<String>,
    /// The report's title.
    pub title: Option<String>,
    /// Policy and its name.
    pub policy: String,
    /// Status at the source.
    pub status: SourceStatus,
    /// Code of the currency, as it came.
    pub currency: String,
    /// The total the source says; `null` where it is no number.
    pub total: Option<Decimal>,
    /// What the lines add up to; `null` where one has no amount that can be read.
    pub line_amount: Option<Decimal>,
    /// Submitted and approved, as they came.
    pub submitted: String,
    /// See `submitted`.
    pub approved: String,
    /// Salted hash over all of it.
    pub payload_hash: String,
    /// Salted hash over what decides the posting.
    pub material_hash: String,
    /// The expenses, in the source's order.
    pub lines: Vec<TrailExpense>,
}

/// An expense as one event captured it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailExpense {
    /// The expense.
    pub transaction: TransactionId,
    /// Merchant; `null` when the person was forgotten.
    pub merchant: Option<String>,
    /// Description; `null` when the person was forgotten.
    pub comment: Option<String>,
    /// Expense date, after edits, as it came.
    pub date: String,
    /// Original amount in hundredths, after edits, as it came.
    pub hundredths: String,
    /// Original currency.
    pub currency: String,
    /// Category.
    pub category: String,
    /// Tag.
    pub tag: String,
}

/// A document as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailDocument {
    /// What kind.
    pub kind: DocumentKind,
    /// Its natural key.
    pub reference: Reference,
    /// planned, sending, in_doubt, posted, refused or reversed.
    pub state: String,
    /// Year, daybook and voucher, once it stands in QAD.
    pub voucher: Option<String>,
    /// Posting date: as planned, then as posted.
    pub posting_date: NaiveDate,
    /// What it amounts to.
    pub amount: Decimal,
    /// Its currency.
    pub currency: String,
}

/// A reason with its remedy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailReason {
    /// The reason.
    #[serde(flatten)]
    pub reason: Reason,
    /// What to do.
    pub remedy: &'static str,
    /// Who can do it.
    pub fixer: &'static str,
}

impl From<&Reason> for TrailReason {
    fn from(reason: &Reason) -> Self {
        Self {
            reason: reason.clone(),
            remedy: reason.remedy(),
            fixer: reason.code.fixer().as_str(),
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailStep {
    /// Its number among the report's events: what `tieout replay --to` takes.
    pub step: Step,
    /// Its type.
    pub event: &'static str,
    /// Its id.
    pub id: EventId,
    /// Its rank among all events of the log.
    pub leaf: u64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When it took effect in the business.
    pub effective_at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// The build that wrote it.
    pub build: String,
    /// What it says, in plain words.
    pub says: String,
    /// Where the report was after it.
    pub state: StageName,
    /// The table of design §4 does not allow it where it stands: it changed nothing, and the log should be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_allowed: Option<String>,
    /// The report, where the event captured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured: Option<TrailCapture>,
    /// The mapping, where the event made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<TrailMapping>,
    /// Reasons, where the event gives them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<TrailReason>,
    /// QAD's words, verbatim, where the event holds them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<LedgerMessage>,
}

impl Trail {
    /// The trail of these events, which are those of the report's stream in order, each with its rank among all events.
    pub fn of(
        connection: &str,
        id: ConnectionId,
        report_id: ReportId,
        entries: &[Entry<ReportEvent>],
        leaves: &[Leaf],
    ) -> Self {
        let mut report = Report::default();
        let mut row = Row::new(id, report_id);
        let mut steps = Vec::with_capacity(entries.len());
        for (entry, leaf) in entries.iter().zip(leaves) {
            let step = report.next_step();
            let not_allowed = admit(&report, &entry.event)
                .err()
                .map(|refusal| refusal.to_string());
            report = report.evolve(&entry.event);
            apply(&mut row, entry);
            steps.push(TrailStep::of(entry, *leaf, step, &report, not_allowed));
        }
        let documents = report
            .dossier()
            .map(|dossier| dossier.documents.as_slice())
            .unwrap_or_default();
        let document = |file: &tieout_domain::report::DocumentFile| {
            let (voucher, posting_date) = match &file.state {
                DocumentState::Posted { key, date, .. } => (Some(key.to_string()), *date),
                _ => (None, file.document.period.date),
            };
            TrailDocument {
                kind: file.document.kind(),
                reference: file.document.reference,
                state: file.state.name().replace(' ', "_"),
                voucher,
                posting_date,
                amount: file.document.amount(),
                currency: file.document.currency.to_string(),
            }
        };
        Self {
            connection: connection.to_owned(),
            report_id,
            state: report.stage().name(),
            bucket: row.bucket(),
            report: report.capture().map(|capture| TrailCapture::of(capture)),
            documents: documents.iter().map(document).collect(),
            reasons: row.reasons().iter().map(TrailReason::from).collect(),
            cases: ListedCase::of(&row),
            excluded: row.now.excluded,
            steps,
            moved: Vec::new(),
        }
    }

    /// Reads the trail of a report; `None` where the log has nothing of it.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn read<L: Log, S: Sealer>(
        reader: &Reader<'_, L, S>,
        connection: &str,
        id: ConnectionId,
        report: ReportId,
    ) -> Result<Option<Self>, JournalError> {
        let (entries, _) = reader.stream::<ReportEvent>(&Streams(id).report(report)).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in &entries {
            leaves.push(leaf_of(reader.log, entry).await?);
        }
        Ok(Some(Self {
            moved: TrailMove::all(reader).await?,
            ..Self::of(connection, id, report, &entries, &leaves)
        }))
    }
}

/// The rank of an event among all.
async fn leaf_of<L: Log, T>(log: &L, entry: &Entry<T>) -> Result<Leaf, JournalError> {
    let leaf = log.leaf(entry.position).await?;
    leaf.ok_or_else(|| JournalError::Damaged {
        stream: entry.stream.clone(),
        revision: entry.revision.0,
        detail: "it is in its stream and not in the order of all events".to_owned(),
    })
}

impl TrailStep {
    fn of(
        entry: &Entry<ReportEvent>,
        leaf: Leaf,
        step: Step,
        after: &Report,
        not_allowed: Option<String>,
    ) -> Self {
        use ReportEvent as E;
        let envelope = &entry.envelope;
        let captured = match &entry.event {
            E::Discovered {
                payload,
                payload_hash,
                material_hash,
            }
            | E::Revised {
                payload,
                payload_hash,
                material_hash,
            }
            | E::SourceDrifted {
                payload,
                payload_hash,
                material_hash,
                ..
            } => Some(TrailCapture::of(&Capture {
                payload: Arc::clone(payload),
                payload_hash: payload_hash.clone(),
                material_hash: material_hash.clone(),
            })),
            _ => None,
        };
        let mapping = match &entry.event {
            E::Mapped(mapping) => Some(TrailMapping::of(
                mapping,
                after.capture().map(|capture| capture.payload.as_ref()),
            )),
            _ => None,
        };
        let reasons = match &entry.event {
            E::Rejected { reasons, .. } | E::Held { reasons, .. } => {
                reasons.iter().map(TrailReason::from).collect()
            }
            _ => Vec::new(),
        };
        let messages = match &entry.event {
            E::DocumentRefused { messages, .. } => messages.clone(),
            _ => Vec::new(),
        };
        Self {
            step,
            event: event_name(&entry.event),
            id: entry.id,
            leaf: leaf.0,
            recorded_at: envelope.recorded_at,
            effective_at: envelope.effective_at,
            actor: envelope.actor.clone(),
            cause: envelope.cause.clone(),
            build: envelope.build.clone(),
            says: say::says(&entry.event),
            state: after.stage().name(),
            not_allowed,
            captured,
            mapping,
            reasons,
            messages,
        }
    }
}

impl TrailCapture {
    fn of(capture: &Capture) -> Self {
        let facts = &capture.payload.facts;
        let personal: Option<&PersonalFields> = capture.payload.personal.known();
        let expense = |(index, line): (usize, &tieout_domain::report::LineFacts)| {
            let text = personal.map(|personal| personal.lines.get(index).cloned().unwrap_or_default());
            let date = if line.modified_created.is_blank() {
                &line.created
            } else {
                &line.modified_created
            };
            let modified = line.modified_amount.to_string();
            TrailExpense {
                transaction: line.transaction.clone(),
                merchant: text
                    .as_ref()
                    .map(|text: &PersonalLine| text.merchant().to_owned()),
                comment: text.map(|text| text.comment),
                date: date.as_str().to_owned(),
                hundredths: if modified.is_empty() {
                    line.amount.to_string()
                } else {
                    modified
                },
                currency: line.currency.clone(),
                category: line.category.clone(),
                tag: line.tag.clone(),
            }
        };
        let policy = match facts.policy_name.trim() {
            "" => facts.policy.to_string(),
            name => format!("{name} ({})", facts.policy),
        };
        Self {
            forgotten: personal.is_none(),
            submitter: personal.map(|personal| personal.submitter.clone()),
            title: personal.map(|personal| personal.report_name.clone()),
            policy,
            status: facts.status.clone(),
            currency: facts.currency.clone(),
            total: declared_total(facts),
            line_amount: sum_of_lines(facts),
            submitted: facts.submitted.as_str().to_owned(),
            approved: facts.approved.as_str().to_owned(),
            payload_hash: capture.payload_hash.as_str().to_owned(),
            material_hash: capture.material_hash.as_str().to_owned(),
            lines: facts.lines.iter().enumerate().map(expense).collect(),
        }
    }
}
