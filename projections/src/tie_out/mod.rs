//! Law 6: nothing is lost. Per connection, currency and period, by count and by amount:
//!
//! ```text
//! seen at the source (+ seen once, and gone since, as the log says)
//!   = posted + partly posted + rejected + held + excluded + in doubt + waiting + withdrawn
//! ```
//!
//! The left side is a listing of the source fetched apart from the log. *Posted* is what QAD shows: a report counts there
//! only if the ledger shows every document of it, and its amount is what the ledger's documents come to. The period is the
//! month of approval in the connection's zone, on both sides: it is the one date that the source and the log both know
//! of every report. Amounts are those of [`crate::amount`].
//!
//! *In the ledger* a document counts with its share of the report (its total, below zero for a credit note; of a journal
//! what its expense lines come to), moved by as much as the ledger's amount differs from the one that was posted: what is
//! wrong in the ledger shows in the sum as well as by name.

mod check;
mod difference;
mod ends;
mod ledger;
mod render;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use tieout_domain::ids::ReportId;

pub use check::tie_out;
pub use difference::{Difference, What};
pub use ends::{Ends, LedgerRow, SourceRow};
pub use render::render;

use crate::month::Month;
use crate::work_list::Bucket;

/// The tie-out: every group with its cells, and everything that does not tie out, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TieOut {
    /// A row for each connection, currency and period.
    pub rows: Vec<TieOutRow>,
    /// What does not tie out.
    pub differences: Vec<Difference>,
    /// Documents of the ledger whose references are not of our form: somebody else's, counted and left alone.
    pub not_ours: u64,
}

impl TieOut {
    /// Do source, log and ledger agree, by count, by amount and document by document?
    pub fn ties(&self) -> bool {
        self.differences.is_empty() && self.rows.iter().all(TieOutRow::balances)
    }
}

impl Serialize for TieOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("TieOut", 4)?;
        document.serialize_field("ties", &self.ties())?;
        document.serialize_field("rows", &self.rows)?;
        document.serialize_field("differences", &self.differences)?;
        document.serialize_field("not_ours", &self.not_ours)?;
        document.end()
    }
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Group {
    /// Name of the connection.
    pub connection: String,
    /// Code of the currency, in capitals; as it came where it is none.
    pub currency: String,
    /// Month of approval; `null` where the date cannot be read.
    pub period: Option<Month>,
}

/// The equation of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TieOutRow {
    /// What is counted.
    #[serde(flatten)]
    pub group: Group,
    /// What the source shows now.
    pub seen: Cell,
    /// What it showed once and does not any more, as the log says: withdrawn, left out, or gone after posting.
    pub gone: Cell,
    /// Where each of them is.
    pub accounted: BTreeMap<Bucket, Cell>,
}

impl TieOutRow {
    /// The cell of a bucket; empty where there is none.
    pub fn of(&self, bucket: Bucket) -> Cell {
        self.accounted.get(&bucket).cloned().unwrap_or_default()
    }
    /// Both sides of the equation: left the source, right the log and the ledger.
    pub fn sides(&self) -> (Cell, Cell) {
        let mut left = self.seen.clone();
        left.add_all(&self.gone);
        let mut right = Cell::default();
        for cell in self.accounted.values() {
            right.add_all(cell);
        }
        (left, right)
    }
    /// Are both sides equal, by count and by amount?
    pub fn balances(&self) -> bool {
        let (left, right) = self.sides();
        left.count == right.count
            && left.amount == right.amount
            && left.without_amount == right.without_amount
    }
}

/// A count and an amount, which open to the reports they are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cell {
    /// How many reports.
    pub count: u64,
    /// What they amount to.
    pub amount: Decimal,
    /// How many of them have an amount that cannot be read, and is not in the sum.
    pub without_amount: u64,
    /// Which.
    pub reports: Vec<ReportId>,
}

impl Cell {
    fn add(&mut self, report: ReportId, amount: Option<Decimal>) {
        self.count = self.count.saturating_add(1);
        match amount {
            Some(amount) => self.amount = self.amount.saturating_add(amount),
            None => self.without_amount = self.without_amount.saturating_add(1),
        }
        self.reports.push(report);
    }
    fn add_all(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.amount = self.amount.saturating_add(other.amount);
        self.without_amount = self.without_amount.saturating_add(other.without_amount);
        self.reports.extend(&other.reports);
    }
}
