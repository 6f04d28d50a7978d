//! What must stand in the ledger for a report, worked out from the source's world alone: the table of design §6, read a
//! third time. Nothing of the product is asked, neither its views nor its rules.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tieout_sandbox::expensify::world::{Expense, Report, ReportState};
use tieout_sandbox::month::PlannedKind;
use tieout_sandbox::qad::world::{Document, DocumentKind, InvoiceType};

/// Tax codes that the demo's rule set gives an account of their own; lines with any other are rejected.
const TAX_ACCOUNTS: [&str; 3] = ["DE19", "DE07", "JP10"];

/// A document, as far as money goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its currency.
    pub currency: String,
    /// Its total, or a journal's debits.
    pub total: Decimal,
    /// Every line as a debit (a credit is below zero), in order of amount.
    pub lines: Vec<Decimal>,
}

/// A document that must stand, and the expenses it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Must {
    /// The document.
    pub sheet: Sheet,
    /// Transactions.
    pub expenses: BTreeSet<String>,
}

impl Sheet {
    fn new(currency: &str, mut lines: Vec<Decimal>, total: Decimal) -> Self {
        lines.retain(|line| !line.is_zero());
        lines.sort_unstable();
        Self {
            currency: currency.to_owned(),
            total,
            lines: lines.iter().map(Decimal::normalize).collect(),
        }
    }

    /// What the ledger holds.
    pub fn of(document: &Document) -> Self {
        let lines = document.lines.iter().map(|line| line.debit - line.credit);
        Self::new(&document.currency, lines.collect(), document.total())
    }
}

/// The kind of a document in the ledger.
pub fn kind_of(document: &Document) -> PlannedKind {
    match (document.kind, document.invoice_type) {
        (DocumentKind::JournalEntry, _) => PlannedKind::Journal,
        (DocumentKind::SupplierInvoice, Some(InvoiceType::CreditNote)) => PlannedKind::CreditNote,
        (DocumentKind::SupplierInvoice, _) => PlannedKind::Invoice,
    }
}

/// Hundredths as money.
fn money(hundredths: i64) -> Decimal {
    Decimal::new(hundredths, 2)
}

/// The cost of an expense and the tax that has an account of its own, as debits.
fn debits(expense: &Expense) -> [Decimal; 2] {
    let tax = expense
        .tax
        .as_ref()
        .filter(|tax| TAX_ACCOUNTS.contains(&tax.code.as_str()));
    let tax = tax
        .and_then(|tax| tax.modified_amount.or(tax.amount))
        .unwrap_or(0);
    [money(expense.effective() - tax), money(tax)]
}

/// The documents of a report whose every line resolves.
pub fn documents(report: &Report) -> BTreeMap<PlannedKind, Must> {
    let paid =
        report.state == ReportState::Reimbursed || report.is_ach_reimbursed || !report.entry_id.is_empty();
    let (owed, other): (Vec<&Expense>, Vec<&Expense>) = report
        .expenses
        .iter()
        .partition(|line| line.reimbursable && !paid);
    let net: i64 = owed.iter().map(|line| line.effective()).sum();

    let mut journal: Vec<&Expense> = other.clone();
    let mut must = BTreeMap::new();
    if net == 0 {
        journal.extend(&owed);
    } else {
        let kind = if net > 0 {
            PlannedKind::Invoice
        } else {
            PlannedKind::CreditNote
        };
        let lines = owed.iter().flat_map(|line| debits(line)).collect();
        let sheet = Sheet::new(&report.currency, lines, money(net.abs()));
        must.insert(kind, with_expenses(sheet, &owed));
    }
    let mut lines: Vec<Decimal> = journal.iter().flat_map(|line| debits(line)).collect();
    let mut clearing: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &other {
        let account = if line.reimbursable {
            "reimbursement"
        } else {
            line.bank.as_str()
        };
        *clearing.entry(account).or_default() -= line.effective();
    }
    lines.extend(clearing.into_values().map(money));
    let total = lines.iter().filter(|line| line.is_sign_positive()).sum();
    let sheet = Sheet::new(&report.currency, lines, total);
    if !sheet.lines.is_empty() {
        must.insert(PlannedKind::Journal, with_expenses(sheet, &journal));
    }
    must
}

fn with_expenses(sheet: Sheet, lines: &[&Expense]) -> Must {
    let carried = lines.iter().filter(|line| line.effective() != 0);
    Must {
        sheet,
        expenses: carried.map(|line| line.transaction_id.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tieout_sandbox::month::{self, Expectation, Size};

    /// The stand-ins' own reading of the table is another one: both must come to the same totals.
    #[test]
    fn it_comes_to_what_the_month_means() {
        let month = month::month(7, Size::Demo);
        let mut seen = 0;
        for (id, part) in &month.story.parts {
            let Expectation::Posted { documents: meant } = &part.expectation else {
                continue;
            };
            let found: BTreeSet<(PlannedKind, Decimal)> = documents(&month.expensify.reports[id])
                .into_iter()
                .map(|(kind, must)| (kind, must.sheet.total))
                .collect();
            let meant = meant
                .iter()
                .map(|planned| (planned.kind, money(planned.hundredths)));
            assert_eq!(found, meant.collect(), "{id}");
            seen += 1;
        }
        assert!(seen > 300, "{seen}");
    }
}
