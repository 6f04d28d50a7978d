//! What a new reading of QAD's masters changes in the chart.

use std::collections::BTreeMap;

use super::fold::{Chart, ChartDelta, ChartEvent, Known, MasterHeld};
use super::rows::{Account, CostCentre, Daybook, Employee, Master, Period, Project, SubAccount, Supplier};

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
    let after = events.iter().fold(chart.clone(), Chart::evolve);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{AccountType, AnalysisUse, Limitation, PeriodState};
    use crate::ids::AccountCode;

    fn account(code: &str, active: bool) -> Account {
        Account {
            code: AccountCode::new(code).unwrap(),
            description: format!("account {code}"),
            active,
            kind: AccountType::Standard,
            cost_centre: AnalysisUse::Required,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
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
        (
            events.iter().fold(chart, |chart, event| chart.evolve(event)),
            events.len(),
        )
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
