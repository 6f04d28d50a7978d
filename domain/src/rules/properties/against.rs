//! What a set is found to do under a chart, a line does; and what no line is found to do, none does.

use proptest::prelude::*;

use super::cases;
use super::generated::{drafts, file, line};
use crate::chart::{AnalysisUse, Chart, Limitation, MasterRead, Project};
use crate::ids::{PolicyId, ProjectCode};
use crate::rules::testing::{Made, read, reading};
use crate::rules::{
    ChartFault, ChartFinding, CodingFault, Dimension, Outcome, Resolution, Resolved, RuleName, RuleSet,
    Subject, Unset, Witness, check_coding,
};

/// `C0` requires a cost centre, `C1` takes none, `C2` may have one.
fn chart() -> Chart {
    let accounts: [Made; 3] = [
        ("C0", |account| account.cost_centre = AnalysisUse::Required),
        ("C1", |account| account.cost_centre = AnalysisUse::Forbidden),
        ("C2", |_| {}),
    ];
    with_codes(&accounts)
}

/// `C0` requires a project and takes no sub-account, `C1` takes a cost centre or a project, `C2` at least one of the two.
fn analysed() -> Chart {
    let accounts: [Made; 3] = [
        ("C0", |account| {
            account.project = AnalysisUse::Required;
            account.cost_centre = AnalysisUse::Forbidden;
            account.sub_account = AnalysisUse::Forbidden;
        }),
        ("C1", |account| account.limitation = Limitation::ExactlyOne),
        ("C2", |account| account.limitation = Limitation::AtLeastOne),
    ];
    with_codes(&accounts)
}

/// A chart of these accounts, and of every cost centre and project that rules name.
fn with_codes(accounts: &[Made]) -> Chart {
    let mut reading = reading(accounts, &[("C0", true), ("C1", true), ("C2", true)]);
    let project = |code: &str| Project {
        code: ProjectCode::new(code).unwrap(),
        description: String::new(),
        active: true,
    };
    reading.projects = MasterRead::Rows(vec![project("C0"), project("C1")]);
    read(&[reading])
}

/// What the chart has against a line beside what its codes are by themselves: as posting would say it.
fn faults(set: &RuleSet, chart: &Chart, line: &Witness) -> Vec<&'static str> {
    let resolved = set.resolve(&line.view());
    let fault = |fault: &CodingFault| match fault {
        CodingFault::ProjectRequired(_) => Some("project_required"),
        CodingFault::ProjectForbidden { .. } => Some("project_forbidden"),
        CodingFault::CostCentreForbidden { .. } => Some("cost_centre_forbidden"),
        CodingFault::CentreOrProjectRequired(_) => Some("cost_centre_or_project_required"),
        CodingFault::CentreAndProject { .. } => Some("cost_centre_and_project"),
        _ => None,
    };
    let mut all: Vec<&str> = check_coding(chart, &resolved, None)
        .iter()
        .filter_map(fault)
        .collect();
    all.sort_unstable();
    all
}

fn shown_by(fault: &ChartFault) -> Option<&Witness> {
    match fault {
        ChartFault::Lacking { witness, .. }
        | ChartFault::NotTaken { witness, .. }
        | ChartFault::Neither { witness, .. }
        | ChartFault::Both { witness, .. } => Some(witness),
        _ => None,
    }
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
            ChartFault::Lacking {
                dimension: Dimension::CostCentre,
                account,
                witness,
                ..
            } => {
                let resolved = set.resolve(&witness.view());
                prop_assert_eq!(coded(&resolved).map(|(code, _)| code), Some(account.as_str()));
                prop_assert!(has_none(&resolved), "{}", finding);
            }
            ChartFault::NotTaken {
                dimension: Dimension::CostCentre,
                account,
                code,
                witness,
                ..
            } => {
                let resolved = set.resolve(&witness.view());
                prop_assert_eq!(coded(&resolved).map(|(code, _)| code), Some(account.as_str()));
                prop_assert_eq!(
                    resolved.cost_centre.value().map(|c| c.as_str()),
                    Some(code.as_str()),
                    "{}",
                    finding
                );
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
                let all = matches!(found, Some(ChartFault::Lacking { every: true, .. }));
                prop_assert!(!all, "{} has one, and it was said that none has", account);
            }
            ("C1", true) => {
                let all = matches!(found, Some(ChartFault::NotTaken { every: true, .. }));
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
    fn what_is_found_of_projects_and_of_limitations_is_what_posting_says_of_lines(
        drafts in drafts(),
        lines in proptest::collection::vec(line(), 40),
    ) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let chart = analysed();
        let findings = set.against(&chart);
        for finding in &findings {
            let witness = shown_by(&finding.fault);
            prop_assert!(witness.is_some(), "{}", finding);
            let Some(witness) = witness else { continue };
            let said = faults(&set, &chart, witness);
            prop_assert!(said.contains(&finding.fault.code()), "{}: posting says {:?}", finding, said);
            // Rules that agree may share a line: any of them gives the account of this one.
            let resolved = set.resolve(&witness.view());
            let gives = |finding: &ChartFinding| set.rules().iter().find_map(|rule| match &finding.subject {
                Subject::Rule(name, _) if *name == rule.name => rule.set.get(&Dimension::Account).cloned(),
                _ => None,
            });
            let given = coded(&resolved).map(|(code, _)| Outcome::Code(code.to_owned()));
            prop_assert_eq!(given, gives(finding), "{}", finding);
        }
        for line in &lines {
            let resolved = set.resolve(&line.view());
            let Some((_, rule)) = coded(&resolved) else { continue };
            for said in faults(&set, &chart, line) {
                let of_rule = Subject::Rule(rule.clone(), Dimension::Account);
                let found = findings.iter().any(|finding| finding.subject == of_rule && finding.fault.code() == said);
                prop_assert!(found, "{} of a line by {} was not found", said, rule);
            }
        }
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
            if let ChartFault::Lacking { witness, .. } | ChartFault::NotTaken { witness, .. } = &finding.fault {
                let looks = witness.matters.contains(&crate::rules::Field::Policy);
                prop_assert!(!looks || ["P1", "P3"].contains(&witness.policy.as_str()), "{}", finding);
            }
        }
        let lines: Vec<Witness> = lines.into_iter().filter(|line| line.policy != "P2").collect();
        agree(&set, &findings, &lines)?;
    }
}
