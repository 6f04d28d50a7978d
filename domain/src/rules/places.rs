//! Where in its file a setting that holds a code of QAD stands. No part of what the set means: two sets that differ in
//! this alone are the same.

use std::collections::BTreeMap;
use std::fmt;

use super::position::Position;
use crate::ids::{DocumentKind, Email};

/// A setting that holds a code of QAD.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// `[daybooks]`
    Daybook(DocumentKind),
    /// `[clearing] reimbursement`
    ReimbursementClearing,
    /// `[clearing] cards_default`
    CardsDefault,
    /// The clearing account of a `[[card_program]]`, by the program's name.
    CardProgram(String),
    /// A row of `[suppliers.table]`, by the employee's address.
    Supplier(Email),
    /// A row of `[tax.codes]`, by the tax code.
    TaxCode(String),
}
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daybook(DocumentKind::SupplierInvoice) => f.write_str("[daybooks] invoice"),
            Self::Daybook(DocumentKind::CreditNote) => f.write_str("[daybooks] credit_note"),
            Self::Daybook(DocumentKind::Journal) => f.write_str("[daybooks] journal"),
            Self::ReimbursementClearing => f.write_str("[clearing] reimbursement"),
            Self::CardsDefault => f.write_str("[clearing] cards_default"),
            Self::CardProgram(name) => write!(f, "[[card_program]] \"{name}\""),
            // Whose row it is, its place in the file tells to whoever may read the file.
            Self::Supplier(_) => f.write_str("[suppliers.table]"),
            Self::TaxCode(code) => write!(f, "[tax.codes] {code}"),
        }
    }
}

/// The places of all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct SettingPlaces(BTreeMap<Setting, Position>);
impl SettingPlaces {
    pub(super) fn put(&mut self, setting: Setting, at: Position) {
        self.0.insert(setting, at);
    }

    pub(super) fn of(&self, setting: &Setting) -> Position {
        self.0.get(setting).copied().unwrap_or(Position::START)
    }
}
