//! Masters: accounts, cost centres, suppliers and the rest of what QAD owns (contract qad §2.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::folded;

/// Something that is known by a code.
pub trait Coded {
    /// Its code, as it is shown.
    fn code(&self) -> &str;
}

/// Masters of one kind, found by code without regard to case, listed in the order of their codes.
#[derive(Clone, Debug)]
pub struct Register<T> {
    entries: BTreeMap<String, T>,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }
}

impl<T: Coded> Register<T> {
    /// Adds an entry; one with the same code is replaced.
    pub fn add(&mut self, entry: T) {
        self.entries.insert(folded(entry.code()), entry);
    }

    /// The entry with this code.
    pub fn get(&self, code: &str) -> Option<&T> {
        self.entries.get(&folded(code))
    }

    /// The entry with this code, to be changed; its code must stay.
    pub fn get_mut(&mut self, code: &str) -> Option<&mut T> {
        self.entries.get_mut(&folded(code))
    }

    /// Takes the entry with this code out.
    pub fn remove(&mut self, code: &str) -> Option<T> {
        self.entries.remove(&folded(code))
    }

    /// All entries, in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T: Coded> Extend<T> for Register<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.add(entry));
    }
}

/// A cost centre, sub-account or project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Its code.
    pub code: String,
    /// Its description.
    pub description: String,
    /// Whether new transactions may use it.
    pub active: bool,
}

impl Master {
    /// An active one.
    pub fn new(code: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            description: description.into(),
            active: true,
        }
    }
}

/// Whether an account bears a cost centre, a project, a sub-account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisUse {
    /// Each line must name one.
    Required,
    /// A line may name one.
    #[default]
    Optional,
    /// No line may name one.
    Forbidden,
}

/// How an account that bears both joins cost centre and project (contract qad §2.4). That both are required is said of
/// each by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limitation {
    /// Not at all.
    #[default]
    None,
    /// A line must name one of them, and may name both.
    AtLeastOne,
    /// A line must name one of them, and may not name both.
    Excluding,
}

/// A GL account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its code.
    pub code: String,
    /// Its description.
    pub description: String,
    /// Whether new transactions may use it.
    pub active: bool,
    /// `STANDARD`, or a type that only QAD itself posts to: `VAT`, `BANK`, `SYSTEM`, a control account.
    pub kind: String,
    /// The class of the classic tables: `E` expense, `L` liability, and so on.
    pub class: String,
    /// The only currency it takes; none for any.
    pub currency: Option<String>,
    /// Whether it bears a cost centre.
    pub cost_centre: AnalysisUse,
    /// Whether it bears a project.
    #[serde(default)]
    pub project: AnalysisUse,
    /// Whether it bears a sub-account.
    #[serde(default)]
    pub sub_account: AnalysisUse,
    /// How cost centre and project go together.
    #[serde(default)]
    pub limitation: Limitation,
}

impl Account {
    /// An active `STANDARD` expense account for any currency that needs a cost centre.
    pub fn expense(code: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            description: description.into(),
            active: true,
            kind: "STANDARD".into(),
            class: "E".into(),
            currency: None,
            cost_centre: AnalysisUse::Required,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
        }
    }

    /// Must a line name a cost centre and a project?
    pub fn requires_both(&self) -> bool {
        (self.cost_centre, self.project) == (AnalysisUse::Required, AnalysisUse::Required)
    }

    /// An active `STANDARD` balance-sheet account for any currency that refuses a cost centre.
    pub fn clearing(code: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            class: "L".into(),
            cost_centre: AnalysisUse::Forbidden,
            ..Self::expense(code, description)
        }
    }
}

/// A range of accounts and a range of cost centres, allowed together or not. An account that some mask names takes
/// only the cost centres that its masks allow, and a disallowed range wins over an allowed one (contract qad §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// First account.
    pub account_from: String,
    /// Last account.
    pub account_to: String,
    /// First cost centre.
    pub cost_centre_from: String,
    /// Last cost centre.
    pub cost_centre_to: String,
    /// Allowed or disallowed.
    pub allowed: bool,
}

impl Mask {
    /// Whether `masks` let `account` and `cost_centre` stand on one line.
    pub fn permit(masks: &[Self], account: &str, cost_centre: &str) -> bool {
        let within = |code: &str, from: &str, to: &str| (folded(from)..=folded(to)).contains(&folded(code));
        let (mut masked, mut allowing, mut allowed) = (false, false, false);
        for mask in masks
            .iter()
            .filter(|mask| within(account, &mask.account_from, &mask.account_to))
        {
            let covers = within(cost_centre, &mask.cost_centre_from, &mask.cost_centre_to);
            if covers && !mask.allowed {
                return false;
            }
            masked = true;
            allowing |= mask.allowed;
            allowed |= covers;
        }
        // Masks that only disallow leave the rest open.
        !masked || !allowing || allowed
    }
}

/// A supplier (*Creditor*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    /// Its code.
    pub code: String,
    /// The business relation that it shares with an employee or customer.
    pub business_relation: String,
    /// Its name.
    pub name: String,
    /// The currency of its invoices.
    pub currency: String,
    /// Whether new transactions may use it.
    pub active: bool,
    /// Its credit terms.
    pub credit_terms: String,
    /// The status code its invoices begin with.
    pub invoice_status: String,
    /// The shared set it lives in.
    pub shared_set: String,
    /// How often it was changed; part of its concurrency hash.
    pub changes: u32,
}

impl Supplier {
    /// An active supplier with terms of 30 days, whose invoices begin as `AP-INITIAL`.
    pub fn new(code: impl Into<String>, name: impl Into<String>, currency: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            business_relation: String::new(),
            name: name.into(),
            currency: currency.into(),
            active: true,
            credit_terms: "30D".into(),
            invoice_status: "AP-INITIAL".into(),
            shared_set: "10-SUP".into(),
            changes: 0,
        }
    }
}

/// An employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// The employee's code.
    pub code: String,
    /// The business relation that a supplier may share.
    pub business_relation: String,
    /// The employee's name.
    pub name: String,
    /// The employee's mail address.
    pub email: String,
    /// Whether new transactions may use it.
    pub active: bool,
}

/// What a daybook takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaybookType {
    /// Supplier invoices.
    SupplierInvoice,
    /// Credit notes of suppliers.
    CreditNote,
    /// Journal entries.
    Journal,
}

/// Who may write in a daybook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaybookControl {
    /// People and interfaces.
    #[default]
    Financial,
    /// QAD's own modules only.
    Operational,
    /// External systems.
    External,
}

impl DaybookControl {
    /// As browses show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Financial => "FINANCIAL",
            Self::Operational => "OPERATIONAL",
            Self::External => "EXTERNAL",
        }
    }
}

/// A daybook (*Journal*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daybook {
    /// Its code.
    pub code: String,
    /// Its description.
    pub description: String,
    /// What it takes.
    pub kind: DaybookType,
    /// Who may write in it.
    pub control: DaybookControl,
    /// Whether new transactions may use it.
    pub active: bool,
}

impl Daybook {
    /// An active one under financial control.
    pub fn new(code: impl Into<String>, description: impl Into<String>, kind: DaybookType) -> Self {
        Self {
            code: code.into(),
            description: description.into(),
            kind,
            control: DaybookControl::Financial,
            active: true,
        }
    }
}

macro_rules! coded {
    ($($master:ty),+) => {$(
        impl Coded for $master {
            fn code(&self) -> &str {
                &self.code
            }
        }
    )+};
}

coded!(Account, Master, Supplier, Employee, Daybook);

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(accounts: (&str, &str), centres: (&str, &str), allowed: bool) -> Mask {
        Mask {
            account_from: accounts.0.into(),
            account_to: accounts.1.into(),
            cost_centre_from: centres.0.into(),
            cost_centre_to: centres.1.into(),
            allowed,
        }
    }

    #[test]
    fn a_register_finds_codes_without_regard_to_case() {
        let mut register = Register::default();
        register.add(Master::new("Plant-A", "one"));
        register.add(Master::new("PLANT-A", "two"));
        assert_eq!(register.len(), 1);
        assert_eq!(
            register.get("plant-a").map(|master| master.description.as_str()),
            Some("two")
        );
    }

    #[test]
    fn an_account_without_masks_takes_every_cost_centre() {
        assert!(Mask::permit(&[], "6410", "1200"));
        assert!(Mask::permit(
            &[mask(("7000", "7999"), ("1", "2"), false)],
            "6410",
            "1200"
        ));
    }

    #[test]
    fn a_masked_account_takes_only_what_is_allowed() {
        let masks = [mask(("6400", "6499"), ("1000", "1999"), true)];
        assert!(Mask::permit(&masks, "6410", "1200"));
        assert!(!Mask::permit(&masks, "6410", "2200"));
    }

    #[test]
    fn a_disallowed_range_wins() {
        let masks = [
            mask(("6400", "6499"), ("1000", "1999"), true),
            mask(("6410", "6410"), ("1200", "1200"), false),
        ];
        assert!(!Mask::permit(&masks, "6410", "1200"));
        assert!(Mask::permit(&masks, "6410", "1300"));
        assert!(Mask::permit(&masks[1..], "6410", "9999"));
    }
}
