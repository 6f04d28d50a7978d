//! What can happen to a report (design §4). Facts, past tense; a mistake is corrected by a later one.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::payload::{MaterialHash, Payload, PayloadHash};
use super::reason::Reason;
use crate::chart::ChartVersion;
use crate::ids::{DocumentKind, InstanceId, Label, PersonName, Reference, TransactionId};
use crate::ports::LedgerMessage;
use crate::posting::{Difference, Document, DocumentKey, Sighting};
use crate::rules::RuleSetVersion;
use crate::time::Moment;

/// The number of an event among a report's own, from 0 (parts of large payloads do not count).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(pub u32);
impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which attempt to send a document, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(pub u32);
impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a mapping rests on. When it is no longer what is in force, the report is mapped again before it posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The rule set.
    pub rules: RuleSetVersion,
    /// The chart.
    pub chart: ChartVersion,
    /// The day, where the rule set posts by the day of posting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
}

/// Why one field of one line is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWhy {
    /// Field of the posted line, e.g. `account`.
    pub field: String,
    /// Its value.
    pub value: String,
    /// The source field and what it held, e.g. `category = Travel:Air`.
    pub source: String,
    /// The rule, or the setting of the set, that made the one of the other.
    pub rule: String,
}

/// How an expense came to its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineWhy {
    /// The expense.
    pub transaction: TransactionId,
    /// Amount posted, in the document's currency, signed as at the source.
    pub amount: Decimal,
    /// The document it is on; `None` for an expense of zero, which posts nothing.
    pub document: Option<DocumentKind>,
    /// Original currency, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalAmount>,
    /// For each field.
    pub fields: Vec<FieldWhy>,
}

/// A foreign amount: lineage, never posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalAmount {
    /// Amount in its own currency.
    pub amount: Decimal,
    /// Currency.
    pub currency: String,
    /// Rate, verbatim.
    pub rate: String,
}

/// Why the header of a document is what it is: supplier, daybook, posting date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderWhy {
    /// The document.
    pub document: DocumentKind,
    /// For each field.
    pub fields: Vec<FieldWhy>,
}

/// A report resolved into documents, with every why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// What it rests on.
    pub basis: Basis,
    /// One or two, each balanced.
    pub documents: Vec<Arc<Document>>,
    /// Their headers.
    pub headers: Vec<HeaderWhy>,
    /// The expenses, in the source's order.
    pub lines: Vec<LineWhy>,
    /// What else a reader should know, e.g. that a closed period moved the posting date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The submitter approved the rule set that it was mapped under: by which name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by_submitter: Option<PersonName>,
}

/// How it is known that a document stands in QAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// QAD confirmed the send, and the document read back agrees in every line.
    Confirmed,
    /// It was found by its reference, and agrees in every line.
    Adopted,
    /// A person said so, with the voucher.
    Decided,
}

/// Why nobody knows whether a document stands in QAD, or whether the one that does is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doubt", rename_all = "snake_case")]
pub enum Doubt {
    /// The answer to the send is unknown.
    Unknown {
        /// What was seen, cut, without secrets.
        detail: String,
    },
    /// The owner of the intent is gone: its process ended between intent and outcome.
    Abandoned {
        /// Who owned it.
        owner: InstanceId,
    },
    /// QAD confirmed, but the document could not be read back.
    Unread {
        /// Where QAD says it stands, if it said so.
        key: Option<DocumentKey>,
        /// Why it could not be read.
        detail: String,
    },
    /// A document bears our reference and differs from what was to be sent: an incident for a person to settle.
    Differs {
        /// Where it stands.
        key: DocumentKey,
        /// In what.
        differences: Vec<Difference>,
    },
    /// More than one document bears our reference, or the report has another one in QAD that is not to be there (yet): an
    /// incident for a person to settle.
    Duplicated {
        /// All that the log does not explain.
        sightings: Vec<Sighting>,
    },
    /// QAD warned that the reference exists already, and a look-up shows one document or none: an incident for a person
    /// to settle, because there may be another one that it does not show.
    WarnedOfDuplicate {
        /// Where ours stands, as far as QAD said or shows it.
        key: Option<DocumentKey>,
        /// The warning, verbatim.
        warning: String,
    },
}
impl Doubt {
    /// Only a person can settle it.
    pub fn is_incident(&self) -> bool {
        matches!(
            self,
            Self::Differs { .. } | Self::Duplicated { .. } | Self::WarnedOfDuplicate { .. }
        )
    }
    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Self::Unknown { detail } => format!("the answer is unknown: {detail}"),
            Self::Abandoned { owner } => format!("instance {owner} ended between intent and outcome"),
            Self::Unread {
                key: Some(key),
                detail,
            } => format!("QAD confirmed {key}, but it could not be read back: {detail}"),
            Self::Unread { key: None, detail } => {
                format!("QAD confirmed without a number, and it could not be read back: {detail}")
            }
            Self::Differs { key, differences } => {
                let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
                format!("{key} bears our reference and differs: {}", list.join("; "))
            }
            Self::Duplicated { sightings } => {
                let told = |one: &Sighting| {
                    let reversed = if one.reversed { " (reversed)" } else { "" };
                    format!("{} as {}{reversed}", one.reference, one.key)
                };
                let list: Vec<String> = sightings.iter().map(told).collect();
                let said = match sightings.as_slice() {
                    [first, rest @ ..]
                        if !rest.is_empty() && rest.iter().all(|one| one.reference == first.reference) =>
                    {
                        "more than one document bears our reference"
                    }
                    _ => "QAD shows of this report what the log does not explain",
                };
                format!("{said}: {}", list.join(", "))
            }
            Self::WarnedOfDuplicate { key, warning } => {
                let ours = key.as_ref().map_or_else(
                    || "QAD named no number for ours".to_owned(),
                    |key| format!("ours is {key}"),
                );
                format!("QAD warned that the reference exists already ({ours}): {warning}")
            }
        }
    }
}

/// Why a report is left out, with nothing of it posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Exclusion {
    /// Approved before `go_live`: keyed by hand.
    BeforeGoLive {
        /// The day of approval, in the connection's zone.
        approved: NaiveDate,
        /// The day from which Tieout posts.
        go_live: NaiveDate,
    },
    /// Every line is zero, or there is none.
    NothingToPost,
    /// A person decided it.
    Decided {
        /// Why.
        reason: String,
        /// Where it is in the ledger instead, if anywhere.
        ledger_reference: Option<String>,
    },
}

/// What becomes of a document that was reversed in QAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterReversal {
    /// Posted again, under the next generation of its reference.
    PlannedAgain,
    /// Left out.
    Excluded,
}

/// The kinds of cases that open after posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseName {
    /// The source shows something else than was posted.
    SourceDrifted,
    /// The source no longer has it.
    SourceGone,
    /// QAD holds something else than was posted.
    DocumentDrifted,
    /// A payable was posted, then the source paid it.
    PaidAtSource,
}

/// A fact about a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ReportEvent {
    /// The source showed the report for the first time. Effective at its approval.
    Discovered {
        /// As it came.
        payload: Arc<Payload>,
        /// Over all of it, salted.
        payload_hash: PayloadHash,
        /// Over what decides the posting, salted.
        material_hash: MaterialHash,
    },
    /// What decides the posting changed at the source.
    Revised {
        /// As it came now.
        payload: Arc<Payload>,
        /// Over all of it.
        payload_hash: PayloadHash,
        /// Over what decides the posting.
        material_hash: MaterialHash,
    },
    /// A complete listing no longer shows it: unapproved, deleted or moved.
    Withdrawn,
    /// Every line resolved.
    Mapped(Arc<Mapping>),
    /// It cannot post as it is.
    Rejected {
        /// What was looked at.
        basis: Basis,
        /// Every reason at once.
        reasons: Vec<Reason>,
    },
    /// It can post, but not yet.
    Held {
        /// What was looked at.
        basis: Basis,
        /// Why.
        reasons: Vec<Reason>,
        /// Until when, where that is known.
        until: Option<NaiveDate>,
    },
    /// The intent: this exact document is about to be looked for and sent.
    PostingStarted {
        /// Exactly this.
        document: Arc<Document>,
        /// Which attempt.
        attempt: Attempt,
        /// Which run of the program.
        owner: InstanceId,
        /// The source as this cycle's poll showed it.
        material_hash: MaterialHash,
    },
    /// It stands in QAD. Effective at the posting date.
    DocumentPosted {
        /// Its natural key.
        reference: Reference,
        /// Where it stands.
        key: DocumentKey,
        /// Posting date.
        date: NaiveDate,
        /// How that is known.
        proof: Proof,
        /// Warnings QAD gave.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
        /// Why a person decided so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// QAD refused it, and a look-up finds nothing.
    DocumentRefused {
        /// Its natural key.
        reference: Reference,
        /// QAD's words.
        messages: Vec<LedgerMessage>,
    },
    /// Nobody knows what came of it.
    PostingInDoubt {
        /// Its natural key.
        reference: Reference,
        /// Why.
        doubt: Doubt,
        /// When the request was given up, by both clocks: the quarantine counts from here.
        since: Moment,
    },
    /// It provably never arrived, or is proven absent: it may be tried again.
    PostingFailed {
        /// Its natural key.
        reference: Reference,
        /// How that is known.
        why: String,
    },
    /// Every document stands in QAD.
    Posted,
    /// The intent to set the exported flag.
    MarkingStarted {
        /// Under this label.
        label: Label,
    },
    /// A complete listing no longer shows it among the unmarked.
    MarkedExported {
        /// The label.
        label: Label,
        /// When the listing that proves it was complete.
        listed_at: DateTime<Utc>,
    },
    /// Taken back to an earlier step, to go on from there.
    Rewound {
        /// Which.
        to: Step,
        /// Why.
        why: String,
    },
    /// Left out.
    Excluded(Exclusion),
    /// A person reversed a document in QAD.
    DocumentReversed {
        /// Its natural key.
        reference: Reference,
        /// Where the reversal stands in QAD.
        ledger_reference: String,
        /// What becomes of it.
        then: AfterReversal,
        /// Why a person says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// After posting, the source shows something else than what was posted.
    SourceDrifted {
        /// As it came now.
        payload: Arc<Payload>,
        /// Over all of it.
        payload_hash: PayloadHash,
        /// Over what decides the posting.
        material_hash: MaterialHash,
        /// In what it differs from what was posted, field by field; what is personal is only said to differ.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Difference>,
    },
    /// After posting, the source no longer has it.
    SourceGone,
    /// After posting, QAD holds something else than what was posted.
    DocumentDrifted {
        /// Its natural key.
        reference: Reference,
        /// In what.
        differences: Vec<Difference>,
    },
    /// Posted as payable, then paid at the source: it must not be paid again.
    PaidAtSource,
    /// What opened a case is no longer so: the source or QAD shows what was posted again.
    CaseClosed {
        /// Which kind of case.
        case: CaseName,
        /// The document it was about, if it was about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::samples::{i1, j1, key};

    fn shown(reference: Reference, reversed: bool) -> Sighting {
        Sighting {
            reference,
            key: key(reference),
            reversed,
        }
    }

    fn words(sightings: Vec<Sighting>) -> String {
        Doubt::Duplicated { sightings }.describe()
    }

    #[test]
    fn two_under_one_reference_are_told_apart_from_a_stranger_of_the_report() {
        let twice = words(vec![shown(i1(), false), shown(i1(), true)]);
        assert!(
            twice.starts_with("more than one document bears our reference: E"),
            "{twice}"
        );
        assert!(twice.ends_with(" as 2026/EXPINV/4711 (reversed)"), "{twice}");
        for stranger in [
            words(vec![shown(j1(), false)]),
            words(vec![shown(i1(), false), shown(j1(), false)]),
        ] {
            assert!(
                stranger.starts_with("QAD shows of this report what the log does not explain: E"),
                "{stranger}"
            );
        }
    }
}
