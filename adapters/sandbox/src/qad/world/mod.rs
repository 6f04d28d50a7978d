//! The stand-in's world: what a QAD installation would hold, as plain values that a test or a user may edit while
//! the server runs.
//!
//! * [`World`]: users, currencies, workspaces, and the switches that make the installation behave differently;
//! * [`Workspace`]: one domain and entity with its masters, periods and ledger;
//! * [`Ledger`]: the documents of an entity, found by key and by reference.
//!
//! Codes are compared as OpenEdge compares characters: without regard to case and to trailing blanks ([`folded`]).

mod document;
mod ledger;
mod master;
mod period;
mod user;

pub use document::{Document, DocumentKey, DocumentKind, InvoiceType, Line, Reversal};
pub use ledger::Ledger;
pub use master::{
    Account, AnalysisUse, Coded, Daybook, DaybookControl, DaybookType, Employee, Limitation, Mask, Master,
    Register, Supplier,
};
pub use period::{Module, Period, PeriodStatus, PeriodType};
pub use user::{Password, User};

use std::collections::{BTreeMap, BTreeSet};

/// How OpenEdge sees a character value when it compares: case and trailing blanks do not count.
pub fn folded(text: &str) -> String {
    text.trim_end().to_lowercase()
}

/// Whether OpenEdge takes two character values for the same.
pub fn same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// Everything the stand-in knows.
#[derive(Clone, Debug)]
pub struct World {
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// The OAuth client ids that this environment issued.
    pub client_ids: BTreeSet<String>,
    /// ISO codes of the currencies set up here, with their decimals.
    pub currencies: BTreeMap<String, u32>,
    /// Workspaces by id, `DOMAIN_ENTITY`.
    pub workspaces: BTreeMap<String, Workspace>,
    /// What a second invoice with the same reference meets.
    pub duplicates: DuplicateReference,
    /// Ways in which the metadata differs from the shape (contract qad §7.12 item 10); empty by default.
    pub metadata_drift: Vec<MetadataDrift>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            client_ids: BTreeSet::new(),
            currencies: usual_currencies(),
            workspaces: BTreeMap::new(),
            duplicates: DuplicateReference::default(),
            metadata_drift: Vec::new(),
        }
    }
}

impl World {
    /// Adds a workspace under its own id.
    pub fn add_workspace(&mut self, workspace: Workspace) {
        self.workspaces.insert(workspace.id(), workspace);
    }

    /// The workspace with this id.
    pub fn workspace(&self, id: &str) -> Option<&Workspace> {
        self.workspaces.get(id)
    }

    /// The workspace with this id, to be changed.
    pub fn workspace_mut(&mut self, id: &str) -> Option<&mut Workspace> {
        self.workspaces.get_mut(id)
    }

    /// The decimals of a currency that is set up here.
    pub fn decimals(&self, currency: &str) -> Option<u32> {
        self.currencies.get(&currency.trim_end().to_uppercase()).copied()
    }
}

/// What a supplier invoice meets whose reference another invoice of this supplier and type already bears.
///
/// The first is QAD's own behaviour (contract qad §3); how REST carries the warning is unknown (§7.9), and a site may
/// have tightened the check, hence the others. Journals are never checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateReference {
    /// It is stored, the answer is a success with a supplementary message.
    #[default]
    StoredWithMessage,
    /// It is stored, the answer says `success: false` with nothing but a warning among its errors.
    StoredAsFailure,
    /// It is not stored, the answer is an error.
    Refused,
}

/// One way in which an installation's metadata has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataDrift {
    /// A field is gone; the path as it stands in the metadata (a line's field below the path of the lines).
    Missing(String),
    /// A field that nobody sends is now mandatory.
    NewlyRequired {
        /// The kind of document.
        kind: DocumentKind,
        /// The field's path.
        path: String,
    },
    /// A text field takes less than before.
    Shortened {
        /// The field's path.
        path: String,
        /// The characters it takes now.
        length: usize,
    },
}

/// One domain and entity: what a workspace header selects.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The domain, `10USA`.
    pub domain: String,
    /// The entity, `10USACO`.
    pub entity: String,
    /// The entity's base currency.
    pub base_currency: String,
    /// GL accounts.
    pub accounts: Register<Account>,
    /// Cost centres.
    pub cost_centres: Register<Master>,
    /// Sub-accounts.
    pub sub_accounts: Register<Master>,
    /// Projects.
    pub projects: Register<Master>,
    /// Which accounts may be combined with which cost centres.
    pub masks: Vec<Mask>,
    /// Suppliers.
    pub suppliers: Register<Supplier>,
    /// Employees.
    pub employees: Register<Employee>,
    /// Daybooks.
    pub daybooks: Register<Daybook>,
    /// Periods of this entity.
    pub periods: Vec<Period>,
    /// The documents.
    pub ledger: Ledger,
}

impl Workspace {
    /// An entity with nothing in it.
    pub fn new(
        domain: impl Into<String>,
        entity: impl Into<String>,
        base_currency: impl Into<String>,
    ) -> Self {
        Self {
            domain: domain.into(),
            entity: entity.into(),
            base_currency: base_currency.into(),
            accounts: Register::default(),
            cost_centres: Register::default(),
            sub_accounts: Register::default(),
            projects: Register::default(),
            masks: Vec::new(),
            suppliers: Register::default(),
            employees: Register::default(),
            daybooks: Register::default(),
            periods: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    /// What the workspace header says, `10USA_10USACO` (contract qad §1.5).
    pub fn id(&self) -> String {
        format!("{}_{}", self.domain, self.entity)
    }

    /// The period with these numbers.
    pub fn period(&self, year: i32, number: u32) -> Option<&Period> {
        self.periods
            .iter()
            .find(|period| period.year == year && period.number == number)
    }

    /// The period with these numbers, to be changed.
    pub fn period_mut(&mut self, year: i32, number: u32) -> Option<&mut Period> {
        self.periods
            .iter_mut()
            .find(|period| period.year == year && period.number == number)
    }

    /// The routine period that a day lies in.
    pub fn period_of(&self, day: chrono::NaiveDate) -> Option<&Period> {
        self.periods
            .iter()
            .find(|period| period.kind == PeriodType::Normal && period.contains(day))
    }
}

/// The currencies of ISO 4217 that a manufacturer's expenses meet, with their decimals. A world may have fewer or
/// more.
fn usual_currencies() -> BTreeMap<String, u32> {
    let two = [
        "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD",
        "HUF", "IDR", "ILS", "INR", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP", "PLN", "RON", "RSD", "SAR",
        "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "ZAR",
    ];
    let none = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"];
    let three = ["BHD", "JOD", "KWD", "OMR", "TND"];
    let with = |codes: &[&str], decimals: u32| {
        codes
            .iter()
            .map(|code| ((*code).to_owned(), decimals))
            .collect::<Vec<_>>()
    };
    [with(&two, 2), with(&none, 0), with(&three, 3)]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_compared_without_case_and_trailing_blanks() {
        assert!(same("e00r1inv", "E00R1INV "));
        assert!(!same(" E00R1INV", "E00R1INV"));
    }

    #[test]
    fn currencies_know_their_decimals() {
        let world = World::default();
        assert_eq!(
            [
                world.decimals("JPY"),
                world.decimals("usd"),
                world.decimals("KWD")
            ],
            [Some(0), Some(2), Some(3)]
        );
        assert_eq!(world.decimals("XXX"), None);
    }

    #[test]
    fn a_day_finds_its_routine_period() {
        let mut workspace = Workspace::new("10USA", "10USACO", "USD");
        workspace.periods = Period::calendar_year(2024);
        let day = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(
            workspace
                .period_of(day)
                .map(|period| (period.year, period.number)),
            Some((2024, 2))
        );
        assert_eq!(workspace.id(), "10USA_10USACO");
    }
}
