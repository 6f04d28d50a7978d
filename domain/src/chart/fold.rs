//! The chart as the fold of what was observed of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::owners::Owners;
use super::rows::{Account, CostCentre, Daybook, Employee, Master, Period, Project, SubAccount, Supplier};
use crate::ids::{
    AccountCode, CostCentreCode, DaybookCode, Email, EmployeeCode, ProjectCode, SubAccountCode, SupplierCode,
};

/// Which state of the chart: the number of changes that led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChartVersion(pub u64);
impl fmt::Display for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chart {}", self.0)
    }
}

/// A master that was not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterHeld {
    /// Which.
    pub master: Master,
    /// Why, in words.
    pub why: String,
}

/// What the chart stream records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ChartEvent {
    /// QAD showed other rows than before. Effective at its observation.
    ChartChanged(Box<ChartDelta>),
    /// A read failed or lost rows. What was known stays; the rows that were not seen count as missing until they are
    /// seen again. Recorded when it begins and when it changes, not at every poll.
    ChartHeld {
        /// The masters not believed.
        held: Vec<MasterHeld>,
        /// Codes known before and not shown, by master.
        missing: BTreeMap<Master, Vec<String>>,
    },
    /// Every master was read again, and nothing known was missing any more.
    ChartReleased,
}

/// Rows that are new or changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChartDelta {
    /// GL accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// Cost centres.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cost_centres: Vec<CostCentre>,
    /// Sub-accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sub_accounts: Vec<SubAccount>,
    /// Projects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<Project>,
    /// Suppliers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppliers: Vec<Supplier>,
    /// Employees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<Employee>,
    /// Daybooks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub daybooks: Vec<Daybook>,
    /// Periods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<Period>,
}

/// A row, or the fact that QAD did not show it when last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known<T> {
    pub(super) row: T,
    pub(super) missing: bool,
}

/// QAD's masters, as last observed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chart {
    pub(super) version: ChartVersion,
    pub(super) held: Vec<MasterHeld>,
    pub(super) accounts: BTreeMap<AccountCode, Known<Account>>,
    pub(super) cost_centres: BTreeMap<CostCentreCode, Known<CostCentre>>,
    pub(super) sub_accounts: BTreeMap<SubAccountCode, Known<SubAccount>>,
    pub(super) projects: BTreeMap<ProjectCode, Known<Project>>,
    pub(super) suppliers: BTreeMap<SupplierCode, Known<Supplier>>,
    pub(super) employees: BTreeMap<EmployeeCode, Known<Employee>>,
    pub(super) daybooks: BTreeMap<DaybookCode, Known<Daybook>>,
    pub(super) periods: BTreeMap<(i32, u32), Known<Period>>,
    pub(super) owners: Owners,
}

macro_rules! find {
    ($(#[$doc:meta])* $name:ident, $map:ident, $code:ty, $row:ty) => {
        $(#[$doc])*
        pub fn $name(&self, code: &$code) -> Option<&$row> {
            self.$map.get(code).filter(|known| !known.missing).map(|known| &known.row)
        }
    };
}

impl Chart {
    /// Which state this is.
    pub fn version(&self) -> ChartVersion {
        self.version
    }
    /// The masters that are not believed at present; while there are any, nothing is posted that needs what is missing.
    pub fn held(&self) -> &[MasterHeld] {
        &self.held
    }
    find!(
        /// An account QAD shows today.
        account, accounts, AccountCode, Account);
    find!(
        /// A cost centre QAD shows today.
        cost_centre, cost_centres, CostCentreCode, CostCentre);
    find!(
        /// A sub-account QAD shows today.
        sub_account, sub_accounts, SubAccountCode, SubAccount);
    find!(
        /// A project QAD shows today.
        project, projects, ProjectCode, Project);
    find!(
        /// A supplier QAD shows today.
        supplier, suppliers, SupplierCode, Supplier);
    find!(
        /// A daybook QAD shows today.
        daybook, daybooks, DaybookCode, Daybook);

    /// Is this code one that QAD showed once, and did not show when last asked?
    pub fn is_missing(&self, master: Master, code: &str) -> bool {
        macro_rules! lost {
            ($map:ident, $ty:ty) => {
                <$ty>::new(code)
                    .ok()
                    .and_then(|code| self.$map.get(&code))
                    .is_some_and(|known| known.missing)
            };
        }
        match master {
            Master::Accounts => lost!(accounts, AccountCode),
            Master::CostCentres => lost!(cost_centres, CostCentreCode),
            Master::SubAccounts => lost!(sub_accounts, SubAccountCode),
            Master::Projects => lost!(projects, ProjectCode),
            Master::Suppliers => lost!(suppliers, SupplierCode),
            Master::Employees => lost!(employees, EmployeeCode),
            Master::Daybooks => lost!(daybooks, DaybookCode),
            Master::Periods => self
                .periods
                .values()
                .any(|known| known.missing && known.row.to_string() == code),
        }
    }

    /// Did QAD ever show an employee with this address?
    pub fn knows_employee(&self, email: &Email) -> bool {
        self.owners.employees_at(email).next().is_some()
    }

    /// The suppliers on the business relation of the employee with this address (contract qad §2.4): the join for
    /// reimbursements. More than one is for a person to settle in the rule set.
    pub fn suppliers_of(&self, email: &Email) -> Vec<&Supplier> {
        let relations = self
            .owners
            .employees_at(email)
            .filter_map(|code| self.employees.get(code).filter(|known| !known.missing))
            .filter_map(|known| known.row.business_relation.as_ref());
        let codes: BTreeSet<&SupplierCode> = relations
            .flat_map(|relation| self.owners.suppliers_on(relation))
            .collect();
        codes.into_iter().filter_map(|code| self.supplier(code)).collect()
    }

    /// The normal periods QAD shows today, by date.
    pub fn periods(&self) -> impl Iterator<Item = &Period> {
        present(&self.periods).filter(|period| period.normal)
    }

    /// The same, with the accounting periods of another one: what codes there are today, and which periods were open then.
    #[must_use]
    pub fn with_periods_of(self, then: &Self) -> Self {
        Self {
            periods: then.periods.clone(),
            ..self
        }
    }

    /// Rows of every master that QAD shows today.
    pub fn counts(&self) -> BTreeMap<Master, usize> {
        Master::ALL
            .into_iter()
            .map(|master| {
                let count = match master {
                    Master::Accounts => present(&self.accounts).count(),
                    Master::CostCentres => present(&self.cost_centres).count(),
                    Master::SubAccounts => present(&self.sub_accounts).count(),
                    Master::Projects => present(&self.projects).count(),
                    Master::Suppliers => present(&self.suppliers).count(),
                    Master::Employees => present(&self.employees).count(),
                    Master::Daybooks => present(&self.daybooks).count(),
                    Master::Periods => present(&self.periods).count(),
                };
                (master, count)
            })
            .collect()
    }

    /// Folds one event in.
    #[must_use]
    pub fn evolve(mut self, event: &ChartEvent) -> Self {
        match event {
            ChartEvent::ChartChanged(delta) => {
                self.version = ChartVersion(self.version.0.saturating_add(1));
                upsert(&mut self.accounts, &delta.accounts, |row| row.code.clone());
                upsert(&mut self.cost_centres, &delta.cost_centres, |row| {
                    row.code.clone()
                });
                upsert(&mut self.sub_accounts, &delta.sub_accounts, |row| {
                    row.code.clone()
                });
                upsert(&mut self.projects, &delta.projects, |row| row.code.clone());
                // One by one: a delta may hold a row twice.
                for row in &delta.suppliers {
                    let before = self.suppliers.get(&row.code).map(|known| &known.row);
                    self.owners.note_supplier(before, row);
                    upsert(&mut self.suppliers, std::slice::from_ref(row), |row| {
                        row.code.clone()
                    });
                }
                for row in &delta.employees {
                    let before = self.employees.get(&row.code).map(|known| &known.row);
                    self.owners.note_employee(before, row);
                    upsert(&mut self.employees, std::slice::from_ref(row), |row| {
                        row.code.clone()
                    });
                }
                upsert(&mut self.daybooks, &delta.daybooks, |row| row.code.clone());
                upsert(&mut self.periods, &delta.periods, |row| (row.year, row.number));
            }
            ChartEvent::ChartHeld { held, missing } => {
                self.version = ChartVersion(self.version.0.saturating_add(1));
                self.held.clone_from(held);
                let gone = |master: Master, code: String| {
                    missing.get(&master).is_some_and(|codes| codes.contains(&code))
                };
                note_missing(&mut self.accounts, |row| {
                    gone(Master::Accounts, row.code.to_string())
                });
                note_missing(&mut self.cost_centres, |row| {
                    gone(Master::CostCentres, row.code.to_string())
                });
                note_missing(&mut self.sub_accounts, |row| {
                    gone(Master::SubAccounts, row.code.to_string())
                });
                note_missing(&mut self.projects, |row| {
                    gone(Master::Projects, row.code.to_string())
                });
                note_missing(&mut self.suppliers, |row| {
                    gone(Master::Suppliers, row.code.to_string())
                });
                note_missing(&mut self.employees, |row| {
                    gone(Master::Employees, row.code.to_string())
                });
                note_missing(&mut self.daybooks, |row| {
                    gone(Master::Daybooks, row.code.to_string())
                });
                note_missing(&mut self.periods, |row| gone(Master::Periods, row.to_string()));
            }
            ChartEvent::ChartReleased => {
                self.version = ChartVersion(self.version.0.saturating_add(1));
                self.held.clear();
                note_missing(&mut self.accounts, |_| false);
                note_missing(&mut self.cost_centres, |_| false);
                note_missing(&mut self.sub_accounts, |_| false);
                note_missing(&mut self.projects, |_| false);
                note_missing(&mut self.suppliers, |_| false);
                note_missing(&mut self.employees, |_| false);
                note_missing(&mut self.daybooks, |_| false);
                note_missing(&mut self.periods, |_| false);
            }
        }
        self
    }
}

fn present<K: Ord, T>(map: &BTreeMap<K, Known<T>>) -> impl Iterator<Item = &T> {
    map.values()
        .filter(|known| !known.missing)
        .map(|known| &known.row)
}

fn upsert<K: Ord, T: Clone>(map: &mut BTreeMap<K, Known<T>>, rows: &[T], key: impl Fn(&T) -> K) {
    for row in rows {
        map.insert(
            key(row),
            Known {
                row: row.clone(),
                missing: false,
            },
        );
    }
}

fn note_missing<K: Ord, T>(map: &mut BTreeMap<K, Known<T>>, gone: impl Fn(&T) -> bool) {
    for known in map.values_mut() {
        known.missing = gone(&known.row);
    }
}
