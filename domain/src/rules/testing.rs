//! What the tests of this room share.

use super::{RuleFault, RuleSet, Witness};
use crate::chart::{
    Account, AccountType, AnalysisUse, Chart, ChartReading, CostCentre, Limitation, MasterRead, compare,
};
use crate::ids::{AccountCode, CostCentreCode};

/// The sections that every set must have.
pub(super) const SETTINGS: &str = r#"
[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"
[suppliers]
match = "table"
"#;

/// A set of these rules, given as `when => set` without braces, e.g. `category = "Air" => account = "6410"`.
pub(super) fn parse(rules: &[&str]) -> Result<RuleSet, Vec<RuleFault>> {
    let written = rules.iter().map(|rule| {
        let (when, set) = rule.split_once("=>").expect("a rule is `when => set`");
        format!("[[rule]]\nwhen = {{ {when} }}\nset = {{ {set} }}\n")
    });
    RuleSet::parse(&(written.collect::<String>() + SETTINGS))
}

pub(super) fn accepted(rules: &[&str]) -> RuleSet {
    parse(rules).unwrap_or_else(|faults| panic!("refused: {}", words(&faults).join("\n")))
}

/// The words of every fault.
pub(super) fn words(faults: &[RuleFault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

pub(super) fn refused(rules: &[&str]) -> Vec<String> {
    words(&parse(rules).expect_err("accepted"))
}

pub(super) fn line(category: &str, tag: &str) -> Witness {
    Witness {
        category: category.to_owned(),
        tag: tag.to_owned(),
        ..Witness::default()
    }
}

/// An account by its code, and what is changed in it.
pub(super) type Made = (&'static str, fn(&mut Account));

/// A reading of QAD with these accounts, each changed from one that is free to post to, these cost centres, each active or
/// not, and nothing else.
pub(super) fn reading(accounts: &[Made], centres: &[(&str, bool)]) -> ChartReading {
    let accounts = accounts.iter().map(|(code, change)| {
        let mut account = Account {
            code: AccountCode::new(code).expect("a code"),
            description: String::new(),
            active: true,
            kind: AccountType::Standard,
            cost_centre: AnalysisUse::Optional,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
            only_currency: None,
        };
        change(&mut account);
        account
    });
    let centres = centres.iter().map(|(code, active)| CostCentre {
        code: CostCentreCode::new(code).expect("a code"),
        description: String::new(),
        active: *active,
    });
    ChartReading {
        accounts: MasterRead::Rows(accounts.collect()),
        cost_centres: MasterRead::Rows(centres.collect()),
        sub_accounts: MasterRead::Rows(vec![]),
        projects: MasterRead::Rows(vec![]),
        suppliers: MasterRead::Rows(vec![]),
        employees: MasterRead::Rows(vec![]),
        daybooks: MasterRead::Rows(vec![]),
        periods: MasterRead::Rows(vec![]),
    }
}

/// A chart after these readings, one after the other.
pub(super) fn read(readings: &[ChartReading]) -> Chart {
    readings.iter().fold(Chart::default(), |chart, reading| {
        compare(&chart, reading).iter().fold(chart, Chart::evolve)
    })
}
