//! Where the money of changed reports moves: by currency, period, account and cost centre, debit and credit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;

use super::change::Change;
use crate::ids::SupplierCode;
use crate::posting::{Body, Coding, Document, Side};

/// What an amount stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An account, with whatever else codes the line.
    Account(Coding),
    /// What is owed to an employee's supplier, on whichever control account QAD keeps it.
    Supplier(SupplierCode),
}

/// Of what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovementKey {
    /// ISO code.
    pub currency: String,
    /// Accounting year and period.
    pub period: (i32, u32),
    /// Where.
    pub place: Place,
}

/// Both sides, in the currency's units, neither below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Left.
    pub debit: Decimal,
    /// Right.
    pub credit: Decimal,
}
impl Amounts {
    fn add(&mut self, side: Side, amount: Decimal) {
        match side {
            Side::Debit => self.debit += amount,
            Side::Credit => self.credit += amount,
        }
    }
    fn add_both(&mut self, other: &Self) {
        self.add(Side::Debit, other.debit);
        self.add(Side::Credit, other.credit);
    }
    /// Debit less credit.
    pub fn net(&self) -> Decimal {
        self.debit - self.credit
    }
}

/// How much stood there, and would stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// As the log says.
    pub before: Amounts,
    /// As it would be.
    pub after: Amounts,
}
impl Movement {
    /// How much more debit less credit.
    pub fn net(&self) -> Decimal {
        self.after.net() - self.before.net()
    }
}

/// Of all changed reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Movements(BTreeMap<MovementKey, Movement>);

impl Movements {
    /// In order: by currency, period, account.
    pub fn iter(&self) -> impl Iterator<Item = (&MovementKey, &Movement)> {
        // What stands where it stood did not move.
        self.0
            .iter()
            .filter(|(_, movement)| movement.before != movement.after)
    }

    /// What stands, and would stand, of every changed report: with what did not move, so that debit is credit in it, by
    /// currency and period.
    pub fn totals(&self) -> BTreeMap<(&str, (i32, u32)), Movement> {
        let mut totals: BTreeMap<(&str, (i32, u32)), Movement> = BTreeMap::new();
        for (key, movement) in &self.0 {
            let total = totals.entry((key.currency.as_str(), key.period)).or_default();
            total.before.add_both(&movement.before);
            total.after.add_both(&movement.after);
        }
        totals
    }

    pub(super) fn add(&mut self, change: &Change) {
        for document in change.before.documents() {
            self.each(document, |movement, side, amount| {
                movement.before.add(side, amount)
            });
        }
        for document in change.after.documents() {
            self.each(document, |movement, side, amount| {
                movement.after.add(side, amount)
            });
        }
    }

    fn each(&mut self, document: &Document, mut add: impl FnMut(&mut Movement, Side, Decimal)) {
        let owed = match &document.body {
            Body::SupplierInvoice { supplier, total, .. } => Some((supplier, Side::Credit, *total)),
            Body::CreditNote { supplier, total, .. } => Some((supplier, Side::Debit, *total)),
            Body::Journal => None,
        };
        let lines = document
            .lines
            .iter()
            .map(|line| (Place::Account(line.coding.clone()), line.side, line.amount));
        let owed = owed.map(|(supplier, side, total)| (Place::Supplier(supplier.clone()), side, total));
        for (place, side, amount) in lines.chain(owed) {
            let key = MovementKey {
                currency: document.currency.code().to_owned(),
                period: (document.period.year, document.period.number),
                place,
            };
            add(self.0.entry(key).or_default(), side, amount);
        }
    }

    /// The bytes that the result's hash is over: a line for each.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut text = String::new();
        let code = |code: Option<&str>| code.unwrap_or("-").to_uppercase();
        for (key, movement) in self.iter() {
            let place = match &key.place {
                Place::Account(coding) => format!(
                    "account {} {} {} {}",
                    code(Some(coding.account.as_str())),
                    code(coding.sub_account.as_ref().map(|c| c.as_str())),
                    code(coding.cost_centre.as_ref().map(|c| c.as_str())),
                    code(coding.project.as_ref().map(|c| c.as_str())),
                ),
                Place::Supplier(supplier) => format!("supplier {}", code(Some(supplier.as_str()))),
            };
            let amount = |amount: Decimal| amount.normalize();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{} {}-{} {place}: {} {} -> {} {}",
                key.currency,
                key.period.0,
                key.period.1,
                amount(movement.before.debit),
                amount(movement.before.credit),
                amount(movement.after.debit),
                amount(movement.after.credit),
            );
        }
        text.into_bytes()
    }
}
