//! A document of QAD: what is about to be sent, what was read back, and whether the two agree.

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountCode, CostCentreCode, DaybookCode, DocumentKind, InvoiceStatusCode, ProjectCode, Reference,
    SubAccountCode, SupplierCode, TransactionId, Voucher,
};
use crate::money::Currency;
use crate::report::Personal;

/// Debit or credit. Amounts are never negative; the side carries the sign (design §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Debit { "debit" } else { "credit" })
    }
}
impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        if self == Self::Debit {
            Self::Credit
        } else {
            Self::Debit
        }
    }
    /// The side and the positive amount of a signed debit; `None` for zero.
    pub fn of_debit(amount: Decimal) -> Option<(Self, Decimal)> {
        if amount.is_zero() {
            None
        } else if amount.is_sign_positive() {
            Some((Self::Debit, amount))
        } else {
            Some((Self::Credit, -amount))
        }
    }
}

/// Where a line of a document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum LineOrigin {
    /// An expense, net of mapped tax.
    Expense {
        /// Which.
        transaction: TransactionId,
    },
    /// The mapped tax of an expense.
    Tax {
        /// Which.
        transaction: TransactionId,
    },
    /// The counter side of a journal: a clearing account.
    Clearing,
}

/// The coding of a line: what QAD calls its analysis.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Coding {
    /// GL account.
    pub account: AccountCode,
    /// Sub-account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<SubAccountCode>,
    /// Cost centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentreCode>,
    /// Project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectCode>,
}

/// A line of a document. `amount` is above zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentLine {
    /// Where it comes from.
    pub origin: LineOrigin,
    /// Coding.
    #[serde(flatten)]
    pub coding: Coding,
    /// Side.
    pub side: Side,
    /// Amount in the document's currency, above zero.
    pub amount: Decimal,
}

/// What kind of document, with what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "body", rename_all = "snake_case")]
pub enum Body {
    /// Invoice on the employee's own supplier: its lines are debits less credits of `total`.
    SupplierInvoice {
        /// The employee's supplier.
        supplier: SupplierCode,
        /// Status it is posted with.
        status: InvoiceStatusCode,
        /// What is owed: above zero.
        total: Decimal,
    },
    /// Credit note on the employee's own supplier: its lines are credits less debits of `total`.
    CreditNote {
        /// The employee's supplier.
        supplier: SupplierCode,
        /// Status it is posted with.
        status: InvoiceStatusCode,
        /// What is owed back: above zero.
        total: Decimal,
    },
    /// Journal entry: debits equal credits.
    Journal,
}

/// Where in time a document is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingPeriod {
    /// Posting date.
    pub date: NaiveDate,
    /// Accounting year the date lies in.
    pub year: i32,
    /// Period within the year.
    pub number: u32,
}

/// The texts of a document: they may name people or what they did, and are sealed in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentTexts {
    /// Of the document.
    pub header: String,
    /// Of each line, in order.
    pub lines: Vec<String>,
}

/// A document about to be sent: exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The natural key it will bear.
    pub reference: Reference,
    /// What only its kind has.
    #[serde(flatten)]
    pub body: Body,
    /// Currency of every amount: the report's.
    pub currency: Currency,
    /// Daybook.
    pub daybook: DaybookCode,
    /// Posting date and period.
    pub period: PostingPeriod,
    /// Invoice date (for a journal, the same as the posting date).
    pub document_date: NaiveDate,
    /// Lines.
    pub lines: Vec<DocumentLine>,
    /// Texts.
    #[serde(skip)]
    pub texts: Personal<DocumentTexts>,
}

impl Document {
    /// Its kind.
    pub fn kind(&self) -> DocumentKind {
        match self.body {
            Body::SupplierInvoice { .. } => DocumentKind::SupplierInvoice,
            Body::CreditNote { .. } => DocumentKind::CreditNote,
            Body::Journal => DocumentKind::Journal,
        }
    }
    /// The supplier, unless it is a journal.
    pub fn supplier(&self) -> Option<&SupplierCode> {
        match &self.body {
            Body::SupplierInvoice { supplier, .. } | Body::CreditNote { supplier, .. } => Some(supplier),
            Body::Journal => None,
        }
    }
    /// What the document amounts to: the total owed (or owed back), or a journal's debits.
    pub fn amount(&self) -> Decimal {
        match self.body {
            Body::SupplierInvoice { total, .. } | Body::CreditNote { total, .. } => total,
            Body::Journal => self.sum(Side::Debit),
        }
    }
    /// Sum of one side's lines.
    pub fn sum(&self, side: Side) -> Decimal {
        self.lines
            .iter()
            .filter(|line| line.side == side)
            .map(|line| line.amount)
            .sum()
    }
    /// Does it balance: an invoice's lines to its total, a journal's sides to each other?
    pub fn balances(&self) -> bool {
        let net = self.sum(Side::Debit) - self.sum(Side::Credit);
        match self.body {
            Body::SupplierInvoice { total, .. } => net == total && total > Decimal::ZERO,
            Body::CreditNote { total, .. } => -net == total && total > Decimal::ZERO,
            Body::Journal => net.is_zero() && !self.lines.is_empty(),
        }
    }
    /// The expenses it carries.
    pub fn transactions(&self) -> BTreeSet<&TransactionId> {
        self.lines
            .iter()
            .filter_map(|line| match &line.origin {
                LineOrigin::Expense { transaction } | LineOrigin::Tax { transaction } => Some(transaction),
                LineOrigin::Clearing => None,
            })
            .collect()
    }
}

/// Where a document stands in QAD (contract qad §2.2, §2.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocumentKey {
    /// Posting year.
    pub year: i32,
    /// Daybook.
    pub daybook: DaybookCode,
    /// Voucher.
    pub voucher: Voucher,
}
impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.year, self.daybook, self.voucher)
    }
}

/// A document that a look-up by reference found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The reference it bears.
    pub reference: Reference,
    /// Where it stands.
    pub key: DocumentKey,
    /// A person reversed or cancelled it in QAD.
    pub reversed: bool,
}

/// A line as QAD holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Coding.
    #[serde(flatten)]
    pub coding: Coding,
    /// Side.
    pub side: Side,
    /// Amount, above zero.
    pub amount: Decimal,
}

/// A document as QAD holds it, read back with all its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerDocument {
    /// The reference it bears, verbatim.
    pub reference: String,
    /// Where it stands.
    pub key: DocumentKey,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its supplier, unless it is a journal.
    pub supplier: Option<SupplierCode>,
    /// Its currency.
    pub currency: String,
    /// Posting date.
    pub date: NaiveDate,
    /// Total owed or owed back; `None` for a journal.
    pub total: Option<Decimal>,
    /// Lines.
    pub lines: Vec<LedgerLine>,
    /// A person reversed or cancelled it.
    pub reversed: bool,
}

/// One field in which what was sent and what QAD holds differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which field, e.g. `posting date` or `line 2 cost centre`.
    pub field: String,
    /// What was sent.
    pub sent: String,
    /// What QAD holds.
    pub held: String,
}
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: sent {}, QAD holds {}", self.field, self.sent, self.held)
    }
}

fn shown<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

/// Compares a document with what QAD holds of it: reference, kind, supplier, currency, posting date, total, the number
/// of lines, and of every line account, sub-account, cost centre, project, side and amount (design §5.5). Lines are
/// matched regardless of order, since QAD may number them anew. Empty means that the two agree.
pub fn differences(sent: &Document, held: &LedgerDocument) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut check = |field: &str, sent: String, held: String| {
        if sent != held {
            found.push(Difference {
                field: field.to_owned(),
                sent,
                held,
            });
        }
    };
    check(
        "reference",
        sent.reference.to_string(),
        held.reference.trim().to_uppercase(),
    );
    check("kind", sent.kind().to_string(), held.kind.to_string());
    if sent.supplier() != held.supplier.as_ref() {
        check("supplier", shown(sent.supplier()), shown(held.supplier.as_ref()));
    }
    check(
        "currency",
        sent.currency.to_string(),
        held.currency.trim().to_uppercase(),
    );
    check(
        "posting date",
        sent.period.date.to_string(),
        held.date.to_string(),
    );
    if sent.kind() != DocumentKind::Journal {
        check(
            "total",
            sent.amount().normalize().to_string(),
            shown(held.total.map(|t| t.normalize()).as_ref()),
        );
    }
    check(
        "number of lines",
        sent.lines.len().to_string(),
        held.lines.len().to_string(),
    );

    let mut unmatched: Vec<&LedgerLine> = held.lines.iter().collect();
    let mut missing = Vec::new();
    for (index, line) in sent.lines.iter().enumerate() {
        let same = |other: &&LedgerLine| {
            other.coding == line.coding && other.side == line.side && other.amount == line.amount
        };
        match unmatched.iter().position(same) {
            Some(at) => {
                unmatched.swap_remove(at);
            }
            None => missing.push((index, line)),
        }
    }
    for (index, line) in missing {
        // The likeliest partner of a line that differs is one of the same amount, else whatever is left.
        let partner = unmatched
            .iter()
            .position(|other| other.amount == line.amount)
            .or(if unmatched.is_empty() { None } else { Some(0) });
        let number = index + 1;
        match partner.map(|at| unmatched.swap_remove(at)) {
            None => found.push(Difference {
                field: format!("line {number}"),
                sent: format!("{} {} {}", line.coding.account, line.side, line.amount),
                held: "nothing".to_owned(),
            }),
            Some(other) => line_differences(number, line, other, &mut found),
        }
    }
    for other in unmatched {
        found.push(Difference {
            field: "a line more".to_owned(),
            sent: "nothing".to_owned(),
            held: format!("{} {} {}", other.coding.account, other.side, other.amount),
        });
    }
    found
}

fn line_differences(number: usize, line: &DocumentLine, other: &LedgerLine, found: &mut Vec<Difference>) {
    let mut check = |field: &str, differ: bool, sent: String, held: String| {
        if differ {
            found.push(Difference {
                field: format!("line {number} {field}"),
                sent,
                held,
            });
        }
    };
    let (ours, theirs) = (&line.coding, &other.coding);
    check(
        "account",
        ours.account != theirs.account,
        ours.account.to_string(),
        theirs.account.to_string(),
    );
    check(
        "sub-account",
        ours.sub_account != theirs.sub_account,
        shown(ours.sub_account.as_ref()),
        shown(theirs.sub_account.as_ref()),
    );
    check(
        "cost centre",
        ours.cost_centre != theirs.cost_centre,
        shown(ours.cost_centre.as_ref()),
        shown(theirs.cost_centre.as_ref()),
    );
    check(
        "project",
        ours.project != theirs.project,
        shown(ours.project.as_ref()),
        shown(theirs.project.as_ref()),
    );
    check(
        "side",
        line.side != other.side,
        line.side.to_string(),
        other.side.to_string(),
    );
    check(
        "amount",
        line.amount != other.amount,
        line.amount.to_string(),
        other.amount.to_string(),
    );
}
