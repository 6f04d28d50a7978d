//! A stored document: by meaning, not by the names it was sent under.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Module;

/// The two kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A supplier invoice or credit note.
    SupplierInvoice,
    /// A journal entry.
    JournalEntry,
}

impl DocumentKind {
    /// Its name in operations (`post:supplier_invoice`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::SupplierInvoice => "supplier_invoice",
            Self::JournalEntry => "journal_entry",
        }
    }

    /// The module whose periods it posts in.
    pub const fn module(self) -> Module {
        match self {
            Self::SupplierInvoice => Module::Purchasing,
            Self::JournalEntry => Module::Gl,
        }
    }
}

/// What a document of the purchase ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceType {
    /// The supplier is owed; the total is a credit.
    Invoice,
    /// The supplier owes; the total is a debit.
    CreditNote,
}

/// What names a document in its entity (contract qad §2.2, §2.3: year, daybook, voucher).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentKey {
    /// Posting year.
    pub year: i32,
    /// Daybook.
    pub daybook: String,
    /// Voucher.
    pub voucher: u64,
}

/// A posted document with everything it was sent with. Serialised, it is a row of the audit listing: amounts as
/// decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Which of the two.
    pub kind: DocumentKind,
    /// Invoice or credit note; none on a journal.
    pub invoice_type: Option<InvoiceType>,
    /// The entity it belongs to.
    pub entity: String,
    /// Fiscal year.
    pub year: i32,
    /// Period in the year.
    pub period: u32,
    /// Daybook.
    pub daybook: String,
    /// The number QAD gave it.
    pub voucher: u64,
    /// The supplier; empty on a journal.
    pub supplier: String,
    /// The supplier's number, or the origin reference of a journal.
    pub reference: String,
    /// The header's text.
    pub description: String,
    /// The date on the invoice; none on a journal.
    pub invoice_date: Option<NaiveDate>,
    /// The date it posted on.
    pub posting_date: NaiveDate,
    /// When it is due; none on a journal.
    pub due_date: Option<NaiveDate>,
    /// Transaction currency; a journal's is that of its first line.
    pub currency: String,
    /// An invoice's total, or the credits of a journal.
    pub total_credit: Decimal,
    /// A credit note's total, or the debits of a journal.
    pub total_debit: Decimal,
    /// Credit terms; empty on a journal.
    pub credit_terms: String,
    /// Invoice status code; empty on a journal.
    pub status_code: String,
    /// Whether QAD was asked to compute tax.
    pub is_taxable: bool,
    /// Whether a journal was marked as coming from outside.
    pub origin_is_external: bool,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Set once it is reversed.
    pub reversal: Option<Reversal>,
    /// When it was stored, by the stand-in's clock.
    pub stored_at: DateTime<Utc>,
    /// The user who stored it.
    pub stored_by: String,
    /// How often it was changed since; part of its concurrency hash.
    pub changes: u32,
    /// The document as it was sent, as JSON text.
    pub sent: String,
}

/// A line of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number.
    pub sequence: u32,
    /// GL account.
    pub account: String,
    /// Sub-account, or empty.
    pub sub_account: String,
    /// Cost centre, or empty.
    pub cost_centre: String,
    /// Project, or empty.
    pub project: String,
    /// Transaction currency.
    pub currency: String,
    /// Debit in transaction currency; zero when the line is a credit.
    pub debit: Decimal,
    /// Credit in transaction currency; zero when the line is a debit.
    pub credit: Decimal,
    /// The line's text.
    pub description: String,
}

/// That a document was reversed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// When.
    pub at: DateTime<Utc>,
}

impl Document {
    /// What names it.
    pub fn key(&self) -> DocumentKey {
        DocumentKey {
            year: self.year,
            daybook: self.daybook.clone(),
            voucher: self.voucher,
        }
    }

    /// Its amount without a sign: an invoice's or credit note's total, a journal's debits.
    pub fn total(&self) -> Decimal {
        match self.invoice_type {
            Some(InvoiceType::Invoice) => self.total_credit,
            Some(InvoiceType::CreditNote) | None => self.total_debit,
        }
    }

    /// Changes whenever the document does (contract qad §1.7, optimistic lock).
    pub fn concurrency_hash(&self) -> String {
        let state = if self.reversal.is_some() { "r" } else { "p" };
        format!(
            "{}{}{:09}{state}{}",
            self.year, self.daybook, self.voucher, self.changes
        )
    }
}
