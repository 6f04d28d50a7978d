//! A report that comes out otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use super::report::History;
use crate::ids::{ReportId, TransactionId};
use crate::journal::{CodecError, JournalError, Streams};
use crate::posting::Document;
use crate::report::{Exclusion, Reason, ReasonCode};
use crate::rules::Counts;
use crate::workflow::WorkflowError;

/// What rules make of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing yet.
    Waiting,
    /// These documents.
    Mapped(Vec<Arc<Document>>),
    /// Every reason against it.
    Rejected(Vec<Reason>),
    /// Not yet, and why.
    Held(Vec<Reason>),
    /// It needs no document.
    LeftOut(Exclusion),
}
impl Verdict {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Mapped(_) => "mapped",
            Self::Rejected(_) => "rejected",
            Self::Held(_) => "held",
            Self::LeftOut(_) => "left out",
        }
    }
    /// Its documents; none unless it is mapped.
    pub fn documents(&self) -> &[Arc<Document>] {
        match self {
            Self::Mapped(documents) => documents,
            _ => &[],
        }
    }
    /// Its reasons; none unless it is rejected or held.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Rejected(reasons) | Self::Held(reasons) => reasons,
            _ => &[],
        }
    }
    /// Why it needs no document; none unless it is left out.
    pub fn left_out(&self) -> Option<&Exclusion> {
        match self {
            Self::LeftOut(why) => Some(why),
            _ => None,
        }
    }
    /// What decides whether two lists of reasons are the same: words may be put better by a later build.
    fn grounds(&self) -> BTreeSet<(ReasonCode, Option<&TransactionId>)> {
        self.reasons()
            .iter()
            .map(|reason| (reason.code, reason.line.as_ref()))
            .collect()
    }
}

/// How a report comes out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Mapped now, and it was not.
    NewlyMapped,
    /// Rejected now, and it was not.
    NewlyRejected,
    /// Held or left out now, and it was not.
    NewlyHeld,
    /// Mapped as before, to documents that say something else.
    DocumentsChanged,
    /// Rejected or held as before, for other reasons.
    ReasonsChanged,
}
impl ChangeKind {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NewlyMapped => "newly mapped",
            Self::NewlyRejected => "newly rejected",
            Self::NewlyHeld => "newly held or left out",
            Self::DocumentsChanged => "documents change",
            Self::ReasonsChanged => "reasons change",
        }
    }
}

/// A report that comes out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub report: ReportId,
    /// Its day of approval; none where that cannot be read.
    pub approved: Option<NaiveDate>,
    /// How.
    pub kind: ChangeKind,
    /// As the log says.
    pub before: Verdict,
    /// As it would be.
    pub after: Verdict,
}

impl Change {
    /// `None` where it comes out as it did.
    pub(super) fn between(report: ReportId, history: History, after: Verdict) -> Option<Self> {
        let kind = kind(&history.verdict, &after)?;
        Some(Self {
            report,
            approved: history.approved,
            kind,
            before: history.verdict,
            after,
        })
    }

    pub(super) fn count_in(&self, counts: &mut Counts) {
        let count = match self.kind {
            ChangeKind::NewlyMapped => &mut counts.newly_mapped,
            ChangeKind::NewlyRejected => &mut counts.newly_rejected,
            ChangeKind::NewlyHeld => &mut counts.newly_held,
            ChangeKind::DocumentsChanged => &mut counts.documents_changed,
            ChangeKind::ReasonsChanged => &mut counts.reasons_changed,
        };
        *count = count.saturating_add(1);
    }

    /// The bytes that the result's hash is over: a line of JSON. Texts of documents and words of reasons are not in it.
    pub(super) fn canonical(&self) -> Result<Vec<u8>, WorkflowError> {
        #[derive(Serialize)]
        struct Side<'a> {
            verdict: &'static str,
            documents: &'a [Arc<Document>],
            grounds: Vec<(ReasonCode, Option<&'a TransactionId>)>,
            #[serde(skip_serializing_if = "Option::is_none")]
            left_out: Option<&'a Exclusion>,
        }
        #[derive(Serialize)]
        struct Line<'a> {
            report: ReportId,
            kind: ChangeKind,
            before: Side<'a>,
            after: Side<'a>,
        }
        fn side(verdict: &Verdict) -> Side<'_> {
            Side {
                verdict: verdict.name(),
                documents: verdict.documents(),
                grounds: verdict.grounds().into_iter().collect(),
                left_out: verdict.left_out(),
            }
        }
        let line = Line {
            report: self.report,
            kind: self.kind,
            before: side(&self.before),
            after: side(&self.after),
        };
        let mut bytes = serde_json::to_vec(&line).map_err(|source| {
            WorkflowError::Journal(JournalError::Codec {
                stream: Streams(crate::ids::ConnectionId(uuid::Uuid::nil())).report(self.report),
                revision: 0,
                source: CodecError::Json {
                    kind: "backtest".to_owned(),
                    doing: "written",
                    source,
                },
            })
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Do they say the same of the ledger? Texts are no part of it: they are a person's, who may be forgotten, and no rule
/// decides them.
fn post_the_same(was: &[Arc<Document>], is: &[Arc<Document>]) -> bool {
    was.len() == is.len() && was.iter().zip(is).all(|(was, is)| posts_the_same(was, is))
}

fn posts_the_same(was: &Document, is: &Document) -> bool {
    let Document {
        reference,
        body,
        currency,
        daybook,
        period,
        document_date,
        lines,
        texts: _,
    } = was;
    (reference, body, currency, daybook) == (&is.reference, &is.body, &is.currency, &is.daybook)
        && (period, document_date, lines) == (&is.period, &is.document_date, &is.lines)
}

fn kind(before: &Verdict, after: &Verdict) -> Option<ChangeKind> {
    use Verdict as V;
    match (before, after) {
        (V::Mapped(was), V::Mapped(is)) => (!post_the_same(was, is)).then_some(ChangeKind::DocumentsChanged),
        (V::Rejected(_), V::Rejected(_)) | (V::Held(_), V::Held(_)) => {
            (before.grounds() != after.grounds()).then_some(ChangeKind::ReasonsChanged)
        }
        (V::LeftOut(was), V::LeftOut(is)) => (was != is).then_some(ChangeKind::NewlyHeld),
        (_, V::Waiting) => None,
        (_, V::Mapped(_)) => Some(ChangeKind::NewlyMapped),
        (_, V::Rejected(_)) => Some(ChangeKind::NewlyRejected),
        (_, V::Held(_) | V::LeftOut(_)) => Some(ChangeKind::NewlyHeld),
    }
}
