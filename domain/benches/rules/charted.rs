//! What it takes to hold a set against a chart: one in which every code is good, and in which each account wants something
//! else of cost centres.

use tieout_domain::chart::{
    Account, AccountType, AnalysisUse, Chart, ChartReading, CostCentre, Limitation, MasterRead, Project,
    SubAccount, compare,
};
use tieout_domain::ids::{AccountCode, CostCentreCode, ProjectCode, SubAccountCode};
use tieout_domain::rules::{Dimension, Outcome, RuleSet};

use super::made::rules;
use super::{hostile_files, nanos, timed};

/// The times, for each size and each use of cost centres.
pub fn print() {
    let parsed = |text: &str| RuleSet::parse(text).ok();
    let sets = [1_000, 5_000]
        .into_iter()
        .filter_map(|number| Some((format!("{number} rules"), parsed(&rules(number))?)));
    let hostile = hostile_files(5_000)
        .into_iter()
        .filter_map(|(what, text)| Some((what.to_owned(), parsed(&text)?)));
    for (what, set) in sets.chain(hostile) {
        for wants in [
            AnalysisUse::Required,
            AnalysisUse::Forbidden,
            AnalysisUse::Optional,
        ] {
            let chart = chart_of(&set, wants);
            let (took, findings) = timed(|| set.against(&chart));
            println!(
                "against a chart: {what}, cost centres {wants:?}: {:.0} ms, {} findings",
                nanos(took) / 1e6,
                findings.len()
            );
        }
    }
}

/// A chart that has every code of the set.
fn chart_of(set: &RuleSet, wants: AnalysisUse) -> Chart {
    let codes = |dimensions: &[Dimension]| -> Vec<String> {
        let mut codes: Vec<String> = set
            .rules()
            .iter()
            .flat_map(|rule| rule.set.iter())
            .filter(|(dimension, _)| dimensions.contains(dimension))
            .filter_map(|(_, outcome)| match outcome {
                Outcome::Code(code) => Some(code.clone()),
                Outcome::From(_) => None,
            })
            .collect();
        codes.sort();
        codes.dedup();
        codes
    };
    let accounts = codes(&[Dimension::Account, Dimension::CreditAccount]).into_iter();
    let accounts = accounts.filter_map(|code| {
        Some(Account {
            code: AccountCode::new(&code).ok()?,
            description: String::new(),
            active: true,
            kind: AccountType::Standard,
            cost_centre: wants,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
            only_currency: None,
        })
    });
    macro_rules! rows {
        ($row:ident, $code:ident, $dimension:ident) => {
            MasterRead::Rows(
                codes(&[Dimension::$dimension])
                    .iter()
                    .filter_map(|code| {
                        Some($row {
                            code: $code::new(code).ok()?,
                            description: String::new(),
                            active: true,
                        })
                    })
                    .collect(),
            )
        };
    }
    let reading = ChartReading {
        accounts: MasterRead::Rows(accounts.collect()),
        cost_centres: rows!(CostCentre, CostCentreCode, CostCentre),
        sub_accounts: rows!(SubAccount, SubAccountCode, SubAccount),
        projects: rows!(Project, ProjectCode, Project),
        suppliers: MasterRead::Rows(Vec::new()),
        employees: MasterRead::Rows(Vec::new()),
        daybooks: MasterRead::Rows(Vec::new()),
        periods: MasterRead::Rows(Vec::new()),
    };
    let empty = Chart::default();
    let events = compare(&empty, &reading);
    events.iter().fold(empty, Chart::evolve)
}
