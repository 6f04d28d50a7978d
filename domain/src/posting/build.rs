//! From coded lines to balanced documents: nets, sides and counter sides (design §6, the table and the paragraph below it).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::ids::TransactionId;
use crate::posting::{Coding, DocumentLine, LineOrigin, Side};

/// Against what a line is credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Against {
    /// The employee's own supplier: it is owed.
    Supplier,
    /// A clearing account, or the account a rule names.
    Account(Coding),
}

/// A line with everything that was decided of it.
pub(super) struct CodedLine {
    pub(super) transaction: TransactionId,
    /// Whole amount, signed as at the source.
    pub(super) amount: Decimal,
    /// Coding of the cost.
    pub(super) coding: Coding,
    /// Tax on an account of its own, signed like the amount.
    pub(super) tax: Option<(Decimal, Coding)>,
    pub(super) against: Against,
    pub(super) text: String,
}

/// The lines of a payable and its net, and those of a journal.
#[derive(Default)]
pub(super) struct Sheets {
    /// Lines as debits of a positive net; `net` is above zero for an invoice, below for a credit note.
    pub(super) payable: Vec<(DocumentLine, String)>,
    pub(super) net: Decimal,
    pub(super) journal: Vec<(DocumentLine, String)>,
}

/// Sorts lines onto the two documents a report can have. A payable whose net is zero is a journal between its accounts.
pub(super) fn sheets(lines: &[CodedLine]) -> Sheets {
    let net: Decimal = lines
        .iter()
        .filter(|line| line.against == Against::Supplier)
        .map(|line| line.amount)
        .sum();
    let mut sheets = Sheets {
        net,
        ..Sheets::default()
    };
    let mut clearing: BTreeMap<Coding, Decimal> = BTreeMap::new();
    for line in lines {
        let (cost, tax) = match &line.tax {
            Some((tax, coding)) => (line.amount - *tax, Some((*tax, coding.clone()))),
            None => (line.amount, None),
        };
        let mut entries = Vec::new();
        if let Some((side, amount)) = Side::of_debit(cost) {
            let origin = LineOrigin::Expense {
                transaction: line.transaction.clone(),
            };
            entries.push((
                DocumentLine {
                    origin,
                    coding: line.coding.clone(),
                    side,
                    amount,
                },
                line.text.clone(),
            ));
        }
        if let Some((side, amount, coding)) =
            tax.and_then(|(tax, coding)| Side::of_debit(tax).map(|(side, amount)| (side, amount, coding)))
        {
            let origin = LineOrigin::Tax {
                transaction: line.transaction.clone(),
            };
            entries.push((
                DocumentLine {
                    origin,
                    coding,
                    side,
                    amount,
                },
                line.text.clone(),
            ));
        }
        match &line.against {
            Against::Supplier if !net.is_zero() => sheets.payable.extend(entries),
            Against::Supplier => sheets.journal.extend(entries),
            Against::Account(coding) => {
                sheets.journal.extend(entries);
                *clearing.entry(coding.clone()).or_default() -= line.amount;
            }
        }
    }
    for (coding, amount) in clearing {
        if let Some((side, amount)) = Side::of_debit(amount) {
            sheets.journal.push((
                DocumentLine {
                    origin: LineOrigin::Clearing,
                    coding,
                    side,
                    amount,
                },
                String::new(),
            ));
        }
    }
    sheets
}
