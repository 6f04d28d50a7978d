//! What a set is found to do under a chart, a line does; and what no line is found to do, none does.

use proptest::prelude::*;

use super::cases;
use super::generated::{drafts, file, line};
use crate::chart::{Chart, CostCentreUse};
use crate::ids::PolicyId;
use crate::rules::testing::{Made, read, reading};
use crate::rules::{
    ChartFault, ChartFinding, Dimension, Resolution, Resolved, RuleName, RuleSet, Subject, Unset, Witness,
};

/// `C0` requires a cost centre, `C1` takes none, `C2` may have one.
fn chart() -> Chart {
    let accounts: [Made; 3] = [
        ("C0", |account| account.cost_centre = CostCentreUse::Required),
        ("C1", |account| account.cost_centre = CostCentreUse::Forbidden),
        ("C2", |_| {}),
    ];
    read(&[reading(&accounts, &[("C0", true), ("C1", true), ("C2", true)])])
}

/// The account and the rule that gives it, where one does.
fn coded(resolved: &Resolved) -> Option<(&str, &RuleName)> {
    match &resolved.account {
        Resolution::Found { value, why } => Some((value.as_str(), &why.rule)),
        Resolution::Unset(_) => None,
    }
}

fn has_none(resolved: &Resolved) -> bool {
    matches!(resolved.cost_centre, Resolution::Unset(Unset::NoRule { .. }))
}

fn of_rule<'a>(findings: &'a [ChartFinding], rule: &RuleName) -> Option<&'a ChartFinding> {
    findings
        .iter()
        .find(|finding| finding.subject == Subject::Rule(rule.clone(), Dimension::Account))
}

fn agree(set: &RuleSet, findings: &[ChartFinding], lines: &[Witness]) -> Result<(), TestCaseError> {
    for finding in findings {
        match &finding.fault {
            ChartFault::NoCostCentre { account, witness, .. } => {
                let resolved = set.resolve(&witness.view());
                prop_assert_eq!(coded(&resolved).map(|(code, _)| code), Some(account.as_str()));
                prop_assert!(has_none(&resolved), "{}", finding);
            }
            ChartFault::CostCentreMet {
                account,
                cost_centre,
                witness,
                ..
            } => {
                let resolved = set.resolve(&witness.view());
                prop_assert_eq!(coded(&resolved).map(|(code, _)| code), Some(account.as_str()));
                prop_assert_eq!(resolved.cost_centre.value(), Some(cost_centre), "{}", finding);
            }
            other => prop_assert!(false, "{}", other),
        }
    }
    for line in lines {
        let resolved = set.resolve(&line.view());
        let Some((account, rule)) = coded(&resolved) else {
            continue;
        };
        let found = of_rule(findings, rule).map(|finding| &finding.fault);
        match (account, has_none(&resolved)) {
            ("C0", true) => prop_assert!(found.is_some(), "{} goes without and was not found", account),
            ("C1", false) => prop_assert!(found.is_some(), "{} has one and was not found", account),
            ("C0" | "C2", false) => {
                let all = matches!(found, Some(ChartFault::NoCostCentre { every: true, .. }));
                prop_assert!(!all, "{} has one, and it was said that none has", account);
            }
            ("C1", true) => {
                let all = matches!(found, Some(ChartFault::CostCentreMet { every: true, .. }));
                prop_assert!(
                    !all,
                    "{} goes without, and it was said that all have one",
                    account
                );
            }
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_is_found_of_cost_centres_is_what_lines_show(
        drafts in drafts(),
        lines in proptest::collection::vec(line(), 40),
    ) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        agree(&set, &set.against(&chart()), &lines)?;
    }

    #[test]
    fn lines_of_other_policies_show_nothing(
        drafts in drafts(),
        lines in proptest::collection::vec(line(), 40),
    ) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let ours = ["P1", "P3"].map(|id| PolicyId::new(id).unwrap());
        let findings = set.against_for(&chart(), &ours);
        for finding in &findings {
            if let ChartFault::NoCostCentre { witness, .. } | ChartFault::CostCentreMet { witness, .. } = &finding.fault {
                let looks = witness.matters.contains(&crate::rules::Field::Policy);
                prop_assert!(!looks || ["P1", "P3"].contains(&witness.policy.as_str()), "{}", finding);
            }
        }
        let lines: Vec<Witness> = lines.into_iter().filter(|line| line.policy != "P2").collect();
        agree(&set, &findings, &lines)?;
    }
}
