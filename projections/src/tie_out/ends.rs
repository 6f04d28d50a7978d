//! The two ends of the tie-out, each fetched apart from the log, and the log's own work list between them.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use rust_decimal::Decimal;
use tieout_domain::ids::{DocumentKind, Reference, ReportId};
use tieout_domain::posting::{DocumentKey, LedgerDocument, Side};
use tieout_domain::report::ReportFacts;

use crate::amount::declared_total;
use crate::month::Month;
use crate::work_list::Row;

/// A report as a listing of the source shows it, without our label and apart from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// The report.
    pub report_id: ReportId,
    /// Code of its currency, as it came.
    pub currency: String,
    /// The month of its approval in the connection's zone; `None` where the date cannot be read.
    pub period: Option<Month>,
    /// The total the source says, in its currency; `None` where it cannot be read. A posted report's lines add up to it,
    /// or it would not have been posted; a rejected one is counted at what the source says of it.
    pub amount: Option<Decimal>,
    /// How many lines it has.
    pub lines: u64,
}

impl SourceRow {
    /// From a report's facts as a listing printed them: the lines counted are those the source says there are, where it
    /// says so.
    pub fn of(facts: &ReportFacts, zone: Tz) -> Self {
        Self {
            report_id: facts.report,
            currency: facts.currency.clone(),
            period: facts.approved.date_in(zone).map(Month::from),
            amount: declared_total(facts),
            lines: facts.declared_lines.unwrap_or(facts.lines.len() as u64),
        }
    }
}

/// A document as a listing of QAD shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The reference it bears, verbatim. Those that are not of our form are not ours, and only counted.
    pub reference: String,
    /// What kind.
    pub kind: DocumentKind,
    /// Code of its currency.
    pub currency: String,
    /// The total owed or owed back; of a journal, the sum of its debits.
    pub amount: Decimal,
    /// Where it stands.
    pub key: DocumentKey,
    /// A person reversed or cancelled it.
    pub reversed: bool,
}

impl From<&LedgerDocument> for LedgerRow {
    fn from(document: &LedgerDocument) -> Self {
        let debits = document.lines.iter().filter(|line| line.side == Side::Debit);
        Self {
            reference: document.reference.clone(),
            kind: document.kind,
            currency: document.currency.clone(),
            amount: document
                .total
                .unwrap_or_else(|| debits.fold(Decimal::ZERO, |sum, line| sum.saturating_add(line.amount))),
            key: document.key.clone(),
            reversed: document.reversed,
        }
    }
}

/// Both ends of one connection, and its work list. All three must be of one scope: every report approved since go-live,
/// say, and every document with a reference of our form.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// Name of the connection.
    pub connection: &'a str,
    /// Its time zone.
    pub zone: Tz,
    /// What the source shows.
    pub source: &'a [SourceRow],
    /// What QAD shows.
    pub ledger: &'a [LedgerRow],
    /// References that are ours and stand for no report: the documents a certification posted.
    pub apart: &'a BTreeSet<Reference>,
    /// The connection's rows of the work list.
    pub rows: &'a [Row],
}
