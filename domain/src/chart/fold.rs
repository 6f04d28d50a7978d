//! The chart as the fold of what was observed of it, and what a new reading changes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

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

/// One master as it was just read under its canary, or why it could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterRead<T> {
    /// The complete list.
    Rows(Vec<T>),
    /// It failed: what was known stays, but is not confirmed today.
    Failed(String),
}

/// A reading of every master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartReading {
    /// GL accounts.
    pub accounts: MasterRead<Account>,
    /// Cost centres.
    pub cost_centres: MasterRead<CostCentre>,
    /// Sub-accounts.
    pub sub_accounts: MasterRead<SubAccount>,
    /// Projects.
    pub projects: MasterRead<Project>,
    /// Suppliers.
    pub suppliers: MasterRead<Supplier>,
    /// Employees.
    pub employees: MasterRead<Employee>,
    /// Daybooks.
    pub daybooks: MasterRead<Daybook>,
    /// Periods.
    pub periods: MasterRead<Period>,
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
struct Known<T> {
    row: T,
    missing: bool,
}

/// QAD's masters, as last observed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chart {
    version: ChartVersion,
    held: Vec<MasterHeld>,
    accounts: BTreeMap<AccountCode, Known<Account>>,
    cost_centres: BTreeMap<CostCentreCode, Known<CostCentre>>,
    sub_accounts: BTreeMap<SubAccountCode, Known<SubAccount>>,
    projects: BTreeMap<ProjectCode, Known<Project>>,
    suppliers: BTreeMap<SupplierCode, Known<Supplier>>,
    employees: BTreeMap<EmployeeCode, Known<Employee>>,
    daybooks: BTreeMap<DaybookCode, Known<Daybook>>,
    periods: BTreeMap<(i32, u32), Known<Period>>,
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

    /// The suppliers on the business relation of the employee with this address (contract qad §2.4): the join for
    /// reimbursements. More than one is for a person to settle in the rule set.
    pub fn suppliers_of(&self, email: &Email) -> Vec<&Supplier> {
        let relations: Vec<_> = present(&self.employees)
            .filter(|employee| employee.email.as_ref() == Some(email))
            .filter_map(|employee| employee.business_relation.as_ref())
            .collect();
        present(&self.suppliers)
            .filter(|supplier| {
                supplier
                    .business_relation
                    .as_ref()
                    .is_some_and(|r| relations.contains(&r))
            })
            .collect()
    }

    /// The normal periods QAD shows today, by date.
    pub fn periods(&self) -> impl Iterator<Item = &Period> {
        present(&self.periods).filter(|period| period.normal)
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
                upsert(&mut self.suppliers, &delta.suppliers, |row| row.code.clone());
                upsert(&mut self.employees, &delta.employees, |row| row.code.clone());
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

/// What a reading of one master says beside what is known of it.
struct Compared<T> {
    changed: Vec<T>,
    missing: Vec<String>,
    held: Option<String>,
}

fn compare_master<K: Ord, T: Clone + PartialEq>(
    known: &BTreeMap<K, Known<T>>,
    read: &MasterRead<T>,
    key: impl Fn(&T) -> K,
    name: impl Fn(&T) -> String,
) -> Compared<T> {
    let rows = match read {
        MasterRead::Rows(rows) => rows,
        MasterRead::Failed(why) => {
            // Nothing of it is confirmed today: every row counts as missing until a read succeeds.
            let missing = known.values().map(|known| name(&known.row)).collect();
            return Compared {
                changed: Vec::new(),
                missing,
                held: Some(why.clone()),
            };
        }
    };
    let seen: BTreeMap<K, &T> = rows.iter().map(|row| (key(row), row)).collect();
    let changed = seen
        .iter()
        .filter(|(key, row)| known.get(*key).is_none_or(|k| k.row != ***row))
        .map(|(_, row)| (*row).clone())
        .collect();
    let missing: Vec<String> = known
        .iter()
        .filter(|(key, _)| !seen.contains_key(*key))
        .map(|(_, known)| name(&known.row))
        .collect();
    let held = (!missing.is_empty()).then(|| {
        format!(
            "{} of {} rows known before were not shown: {}",
            missing.len(),
            known.len(),
            shortened(&missing)
        )
    });
    Compared {
        changed,
        missing,
        held,
    }
}

fn shortened(codes: &[String]) -> String {
    let shown: Vec<&str> = codes.iter().take(5).map(String::as_str).collect();
    if codes.len() > 5 {
        format!("{} and {} more", shown.join(", "), codes.len() - 5)
    } else {
        shown.join(", ")
    }
}

/// The events that a reading gives rise to: none where nothing changed.
///
/// Masters in QAD are deactivated, not deleted. A row that is no longer shown is therefore suspicious: it is kept, held
/// as missing, and nothing that needs it posts; rows that are shown stay in force.
pub fn compare(chart: &Chart, reading: &ChartReading) -> Vec<ChartEvent> {
    let mut delta = ChartDelta::default();
    let mut held = Vec::new();
    let mut missing = BTreeMap::new();
    macro_rules! master {
        ($master:expr, $field:ident, $key:expr, $name:expr) => {{
            let compared = compare_master(&chart.$field, &reading.$field, $key, $name);
            delta.$field = compared.changed;
            if let Some(why) = compared.held {
                held.push(MasterHeld { master: $master, why });
            }
            if !compared.missing.is_empty() {
                missing.insert($master, compared.missing);
            }
        }};
    }
    master!(Master::Accounts, accounts, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::CostCentres, cost_centres, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::SubAccounts, sub_accounts, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::Projects, projects, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::Suppliers, suppliers, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::Employees, employees, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(Master::Daybooks, daybooks, |r| r.code.clone(), |r| r
        .code
        .to_string());
    master!(
        Master::Periods,
        periods,
        |r| (r.year, r.number),
        ToString::to_string
    );

    let mut events = Vec::new();
    if delta != ChartDelta::default() {
        events.push(ChartEvent::ChartChanged(Box::new(delta)));
    }
    let after = events.iter().fold(chart.clone(), Chart::evolve_ref);
    if held.is_empty() {
        if !after.held.is_empty() {
            events.push(ChartEvent::ChartReleased);
        }
    } else {
        let event = ChartEvent::ChartHeld { held, missing };
        let with = after.clone().evolve(&event);
        // The same hold seen again is no news; compare everything but the count of changes.
        if (Chart {
            version: after.version,
            ..with
        }) != after
        {
            events.push(event);
        }
    }
    events
}

impl Chart {
    fn evolve_ref(chart: Self, event: &ChartEvent) -> Self {
        chart.evolve(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{AccountType, CostCentreUse, PeriodState};

    fn account(code: &str, active: bool) -> Account {
        Account {
            code: AccountCode::new(code).unwrap(),
            description: format!("account {code}"),
            active,
            kind: AccountType::Standard,
            cost_centre: CostCentreUse::Required,
            only_currency: None,
        }
    }

    fn reading(accounts: MasterRead<Account>) -> ChartReading {
        ChartReading {
            accounts,
            cost_centres: MasterRead::Rows(vec![]),
            sub_accounts: MasterRead::Rows(vec![]),
            projects: MasterRead::Rows(vec![]),
            suppliers: MasterRead::Rows(vec![]),
            employees: MasterRead::Rows(vec![]),
            daybooks: MasterRead::Rows(vec![]),
            periods: MasterRead::Rows(vec![]),
        }
    }

    fn observe(chart: Chart, reading: &ChartReading) -> (Chart, usize) {
        let events = compare(&chart, reading);
        (events.iter().fold(chart, Chart::evolve_ref), events.len())
    }

    fn code(text: &str) -> AccountCode {
        AccountCode::new(text).unwrap()
    }

    #[test]
    fn an_unchanged_chart_records_nothing() {
        let seen = reading(MasterRead::Rows(vec![account("6410", true)]));
        let (chart, first) = observe(Chart::default(), &seen);
        let (_, second) = observe(chart, &seen);
        assert_eq!((first, second), (1, 0));
    }

    #[test]
    fn a_row_that_disappears_is_held_and_not_believed_gone() {
        let (chart, _) = observe(
            Chart::default(),
            &reading(MasterRead::Rows(vec![
                account("6410", true),
                account("6420", true),
            ])),
        );
        let shrunk = reading(MasterRead::Rows(vec![account("6410", true)]));
        let (chart, news) = observe(chart, &shrunk);
        assert_eq!(news, 1);
        assert!(
            chart.account(&code("6410")).is_some(),
            "what is shown stays in force"
        );
        assert!(
            chart.account(&code("6420")).is_none(),
            "what is not shown is not confirmed"
        );
        assert!(chart.is_missing(Master::Accounts, "6420"));
        assert_eq!(chart.held().len(), 1);
        let (chart, again) = observe(chart, &shrunk);
        assert_eq!(again, 0, "the same hold is recorded once");
        let (chart, back) = observe(
            chart,
            &reading(MasterRead::Rows(vec![
                account("6410", true),
                account("6420", false),
            ])),
        );
        assert_eq!(back, 2, "the row changed, and the hold is released");
        assert!(chart.held().is_empty());
        assert!(!chart.account(&code("6420")).unwrap().active);
    }

    #[test]
    fn a_read_that_fails_confirms_nothing() {
        let (chart, _) = observe(
            Chart::default(),
            &reading(MasterRead::Rows(vec![account("6410", true)])),
        );
        let (chart, _) = observe(
            chart,
            &reading(MasterRead::Failed("the canary was silent".into())),
        );
        assert!(chart.account(&code("6410")).is_none());
        assert_eq!(chart.held()[0].why, "the canary was silent");
    }

    #[test]
    fn a_period_that_is_not_shown_any_more_is_missing_and_a_shown_one_is_not() {
        let period = |number| Period {
            year: 2026,
            number,
            start: chrono::NaiveDate::from_ymd_opt(2026, number, 1).unwrap(),
            end: chrono::NaiveDate::from_ymd_opt(2026, number, 28).unwrap(),
            normal: true,
            general_ledger: PeriodState::Open,
            purchasing: PeriodState::Open,
        };
        let with = |periods: &[u32]| ChartReading {
            periods: MasterRead::Rows(periods.iter().map(|number| period(*number)).collect()),
            ..reading(MasterRead::Rows(vec![
                account("6410", true),
                account("6420", true),
            ]))
        };
        let (chart, _) = observe(Chart::default(), &with(&[10, 11]));
        let (chart, _) = observe(chart, &with(&[11]));
        let missing = |number| chart.is_missing(Master::Periods, &period(number).to_string());
        assert!(missing(10), "it was shown, and is not");
        assert!(!missing(11), "it is shown");
        assert!(!missing(12), "it never was");
        let counts = chart.counts();
        assert_eq!((counts[&Master::Accounts], counts[&Master::Periods]), (2, 1));
        assert_eq!(counts.len(), Master::ALL.len());
    }

    #[test]
    fn a_hold_names_five_rows_and_counts_the_others() {
        for (rows, said) in [
            (5, "6410, 6411, 6412, 6413, 6414"),
            (7, "6410, 6411, 6412, 6413, 6414 and 2 more"),
        ] {
            let all = (0..rows).map(|n| account(&format!("641{n}"), true));
            let mut all: Vec<_> = all.chain([account("7000", true)]).collect();
            let (chart, _) = observe(Chart::default(), &reading(MasterRead::Rows(all.clone())));
            all.retain(|account| account.code == code("7000"));
            let (chart, _) = observe(chart, &reading(MasterRead::Rows(all)));
            let why = &chart.held()[0].why;
            assert!(why.contains(said) && why.contains("more") == (rows > 5), "{why}");
        }
    }
}
