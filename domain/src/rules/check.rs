//! Does the chart agree with a coding? Every fault at once, each with the code it is about.

use crate::chart::{Account, AccountType, AnalysisUse, Chart, Limitation, Master};
use crate::ids::{AccountCode, CostCentreCode, ProjectCode, SubAccountCode};
use crate::money::Currency;
use crate::posting::Coding;

/// The dimensions of a line that are known; what could not be resolved is `None` and is not judged, but where the account
/// requires one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dimensions<'a> {
    /// GL account.
    pub account: Option<&'a AccountCode>,
    /// Cost centre.
    pub cost_centre: Option<&'a CostCentreCode>,
    /// Sub-account.
    pub sub_account: Option<&'a SubAccountCode>,
    /// Project.
    pub project: Option<&'a ProjectCode>,
}
impl<'a> From<&'a Coding> for Dimensions<'a> {
    fn from(coding: &'a Coding) -> Self {
        Self {
            account: Some(&coding.account),
            cost_centre: coding.cost_centre.as_ref(),
            sub_account: coding.sub_account.as_ref(),
            project: coding.project.as_ref(),
        }
    }
}
impl<'a> From<&'a super::Resolved> for Dimensions<'a> {
    fn from(resolved: &'a super::Resolved) -> Self {
        Self {
            account: resolved.account.value(),
            cost_centre: resolved.cost_centre.value(),
            sub_account: resolved.sub_account.value(),
            project: resolved.project.value(),
        }
    }
}

/// What the chart has against a coding (contract qad §2.4, §4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodingFault {
    /// QAD has no such account.
    #[error("QAD has no account {0}")]
    UnknownAccount(AccountCode),
    /// QAD showed the account once, and not when last asked.
    #[error("account {0} was not shown when QAD was last asked")]
    AccountHeld(AccountCode),
    /// The account accepts no new transactions.
    #[error("account {0} is inactive")]
    InactiveAccount(AccountCode),
    /// The account is a control, bank or system account.
    #[error("account {account} is of type {kind}, which is never posted to")]
    NotStandard {
        /// The account.
        account: AccountCode,
        /// Its type, in QAD's word.
        kind: String,
    },
    /// The account is fixed to another currency.
    #[error("account {account} accepts {only} only, the report is in {currency}")]
    WrongCurrency {
        /// The account.
        account: AccountCode,
        /// What it accepts.
        only: Currency,
        /// What the report is in.
        currency: Currency,
    },
    /// The account wants a cost centre and has none.
    #[error("account {0} requires a cost centre")]
    CostCentreRequired(AccountCode),
    /// The account must have no cost centre and has one.
    #[error("account {account} takes no cost centre, and {cost_centre} is set")]
    CostCentreForbidden {
        /// The account.
        account: AccountCode,
        /// The cost centre.
        cost_centre: CostCentreCode,
    },
    /// The account wants a project and has none.
    #[error("account {0} requires a project")]
    ProjectRequired(AccountCode),
    /// The account must have no project and has one.
    #[error("account {account} takes no project, and {project} is set")]
    ProjectForbidden {
        /// The account.
        account: AccountCode,
        /// The project.
        project: ProjectCode,
    },
    /// The account wants a sub-account and has none.
    #[error("account {0} requires a sub-account")]
    SubAccountRequired(AccountCode),
    /// The account must have no sub-account and has one.
    #[error("account {account} takes no sub-account, and {sub_account} is set")]
    SubAccountForbidden {
        /// The account.
        account: AccountCode,
        /// The sub-account.
        sub_account: SubAccountCode,
    },
    /// The account wants a cost centre or a project and has neither.
    #[error("account {0} requires a cost centre or a project")]
    CentreOrProjectRequired(AccountCode),
    /// The account takes a cost centre or a project and has both.
    #[error(
        "account {account} takes a cost centre or a project, not both, and {cost_centre} and {project} are set"
    )]
    CentreAndProject {
        /// The account.
        account: AccountCode,
        /// The cost centre.
        cost_centre: CostCentreCode,
        /// The project.
        project: ProjectCode,
    },
    /// QAD has no such cost centre.
    #[error("QAD has no cost centre {0}")]
    UnknownCostCentre(CostCentreCode),
    /// QAD showed the cost centre once, and not when last asked.
    #[error("cost centre {0} was not shown when QAD was last asked")]
    CostCentreHeld(CostCentreCode),
    /// The cost centre accepts no new transactions.
    #[error("cost centre {0} is inactive")]
    InactiveCostCentre(CostCentreCode),
    /// QAD has no such sub-account.
    #[error("QAD has no sub-account {0}")]
    UnknownSubAccount(SubAccountCode),
    /// QAD showed the sub-account once, and not when last asked.
    #[error("sub-account {0} was not shown when QAD was last asked")]
    SubAccountHeld(SubAccountCode),
    /// The sub-account accepts no new transactions.
    #[error("sub-account {0} is inactive")]
    InactiveSubAccount(SubAccountCode),
    /// QAD has no such project.
    #[error("QAD has no project {0}")]
    UnknownProject(ProjectCode),
    /// QAD showed the project once, and not when last asked.
    #[error("project {0} was not shown when QAD was last asked")]
    ProjectHeld(ProjectCode),
    /// The project accepts no new transactions.
    #[error("project {0} is inactive")]
    InactiveProject(ProjectCode),
}

/// Everything the chart has against these dimensions, in the currency of the report (`None` where that is itself not
/// known, and then a fixed currency is not judged). Empty: it may post.
///
/// A dimension that is `None` is a fault where the account requires one. A caller whose rules failed to give one has two
/// things to say, and says the more telling one.
pub fn check_coding<'a>(
    chart: &Chart,
    coding: impl Into<Dimensions<'a>>,
    currency: Option<Currency>,
) -> Vec<CodingFault> {
    let coding = coding.into();
    let mut faults = Vec::new();
    if let Some(code) = coding.account {
        check_account(chart, code, &coding, currency, &mut faults);
    }
    macro_rules! row {
        ($code:expr, $find:ident, $master:expr, $held:ident, $unknown:ident, $inactive:ident) => {
            if let Some(code) = $code {
                match chart.$find(code) {
                    Some(row) if row.active => {}
                    Some(_) => faults.push(CodingFault::$inactive(code.clone())),
                    None if chart.is_missing($master, code.as_str()) => {
                        faults.push(CodingFault::$held(code.clone()))
                    }
                    None => faults.push(CodingFault::$unknown(code.clone())),
                }
            }
        };
    }
    row!(
        coding.cost_centre,
        cost_centre,
        Master::CostCentres,
        CostCentreHeld,
        UnknownCostCentre,
        InactiveCostCentre
    );
    row!(
        coding.sub_account,
        sub_account,
        Master::SubAccounts,
        SubAccountHeld,
        UnknownSubAccount,
        InactiveSubAccount
    );
    row!(
        coding.project,
        project,
        Master::Projects,
        ProjectHeld,
        UnknownProject,
        InactiveProject
    );
    faults
}

fn check_account(
    chart: &Chart,
    code: &AccountCode,
    coding: &Dimensions<'_>,
    currency: Option<Currency>,
    faults: &mut Vec<CodingFault>,
) {
    let Some(account) = chart.account(code) else {
        let held = chart.is_missing(Master::Accounts, code.as_str());
        faults.push(if held {
            CodingFault::AccountHeld(code.clone())
        } else {
            CodingFault::UnknownAccount(code.clone())
        });
        return;
    };
    if !account.active {
        faults.push(CodingFault::InactiveAccount(code.clone()));
    }
    if let AccountType::Other(kind) = &account.kind {
        faults.push(CodingFault::NotStandard {
            account: code.clone(),
            kind: kind.clone(),
        });
    }
    if let (Some(only), Some(currency)) = (account.only_currency, currency)
        && only != currency
    {
        faults.push(CodingFault::WrongCurrency {
            account: code.clone(),
            only,
            currency,
        });
    }
    check_analysis(account, coding, faults);
}

/// Analysis type and limitation of an account (contract qad §2.4).
fn check_analysis(account: &Account, coding: &Dimensions<'_>, faults: &mut Vec<CodingFault>) {
    let code = || account.code.clone();
    macro_rules! dimension {
        ($dimension:ident, $required:ident, $forbidden:ident) => {
            match (account.$dimension, coding.$dimension) {
                (AnalysisUse::Required, None) => faults.push(CodingFault::$required(code())),
                (AnalysisUse::Forbidden, Some(set)) => faults.push(CodingFault::$forbidden {
                    account: code(),
                    $dimension: set.clone(),
                }),
                _ => {}
            }
        };
    }
    dimension!(cost_centre, CostCentreRequired, CostCentreForbidden);
    dimension!(project, ProjectRequired, ProjectForbidden);
    dimension!(sub_account, SubAccountRequired, SubAccountForbidden);
    match (account.limitation, coding.cost_centre, coding.project) {
        (Limitation::AtLeastOne | Limitation::ExactlyOne, None, None) => {
            faults.push(CodingFault::CentreOrProjectRequired(code()));
        }
        (Limitation::ExactlyOne, Some(cost_centre), Some(project)) => {
            faults.push(CodingFault::CentreAndProject {
                account: code(),
                cost_centre: cost_centre.clone(),
                project: project.clone(),
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Account, ChartReading, CostCentre, MasterRead, Project, SubAccount, compare};

    fn account(code: &str, change: impl FnOnce(&mut Account)) -> Account {
        let mut account = Account {
            code: AccountCode::new(code).unwrap(),
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
    }

    fn reading(accounts: Vec<Account>) -> ChartReading {
        let centre = |code: &str, active| CostCentre {
            code: CostCentreCode::new(code).unwrap(),
            description: String::new(),
            active,
        };
        let sub = |code: &str, active| SubAccount {
            code: SubAccountCode::new(code).unwrap(),
            description: String::new(),
            active,
        };
        let project = |code: &str, active| Project {
            code: ProjectCode::new(code).unwrap(),
            description: String::new(),
            active,
        };
        ChartReading {
            accounts: MasterRead::Rows(accounts),
            cost_centres: MasterRead::Rows(vec![centre("CC1", true), centre("CC9", false)]),
            sub_accounts: MasterRead::Rows(vec![sub("S1", true), sub("S9", false)]),
            projects: MasterRead::Rows(vec![project("P1", true), project("P9", false)]),
            suppliers: MasterRead::Rows(vec![]),
            employees: MasterRead::Rows(vec![]),
            daybooks: MasterRead::Rows(vec![]),
            periods: MasterRead::Rows(vec![]),
        }
    }

    fn chart() -> Chart {
        let full = vec![
            account("6410", |_| {}),
            account("6411", |a| a.active = false),
            account("1120", |a| a.kind = AccountType::Other("BANK".into())),
            account("6412", |a| a.only_currency = Currency::new("EUR").ok()),
            account("6413", |a| a.cost_centre = AnalysisUse::Required),
            account("6414", |a| a.cost_centre = AnalysisUse::Forbidden),
            account("6415", |_| {}),
            account("6416", |a| a.project = AnalysisUse::Required),
            account("6417", |a| a.project = AnalysisUse::Forbidden),
            account("6418", |a| a.sub_account = AnalysisUse::Required),
            account("6419", |a| a.sub_account = AnalysisUse::Forbidden),
            account("6420", |a| a.limitation = Limitation::AtLeastOne),
            account("6421", |a| a.limitation = Limitation::ExactlyOne),
        ];
        let fold =
            |chart: Chart, reading: &ChartReading| compare(&chart, reading).iter().fold(chart, Chart::evolve);
        let shrunk = full
            .iter()
            .filter(|a| a.code.as_str() != "6415")
            .cloned()
            .collect();
        fold(fold(Chart::default(), &reading(full)), &reading(shrunk))
    }

    /// `account/cost centre/sub-account/project`, each may be blank.
    fn faults(coding: &str) -> Vec<String> {
        let parts: Vec<&str> = coding.split('/').collect();
        let part = |at: usize| parts.get(at).copied().filter(|text| !text.is_empty());
        let (account, centre) = (
            part(0).map(|c| AccountCode::new(c).unwrap()),
            part(1).map(|c| CostCentreCode::new(c).unwrap()),
        );
        let (sub, project) = (
            part(2).map(|c| SubAccountCode::new(c).unwrap()),
            part(3).map(|c| ProjectCode::new(c).unwrap()),
        );
        let dimensions = Dimensions {
            account: account.as_ref(),
            cost_centre: centre.as_ref(),
            sub_account: sub.as_ref(),
            project: project.as_ref(),
        };
        check_coding(&chart(), dimensions, Currency::new("USD").ok())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_coding_that_qad_has_today_has_no_fault() {
        for good in [
            "6410",
            "6410/cc1/s1/p1",
            "6413/CC1",
            "6414",
            "6416///P1",
            "6417/CC1/S1",
            "6418//S1",
            "6419/CC1//P1",
            "6420/CC1",
            "6420///P1",
            "6420/CC1//P1",
            "6421/CC1",
            "6421///P1",
            "",
        ] {
            assert_eq!(faults(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn every_kind_of_fault_is_told_from_the_others() {
        for (coding, fault) in [
            ("9999", "QAD has no account 9999"),
            ("6415", "account 6415 was not shown when QAD was last asked"),
            ("6411", "account 6411 is inactive"),
            ("1120", "account 1120 is of type BANK, which is never posted to"),
            ("6412", "account 6412 accepts EUR only, the report is in USD"),
            ("6413", "account 6413 requires a cost centre"),
            ("6414/CC1", "account 6414 takes no cost centre, and CC1 is set"),
            ("6416", "account 6416 requires a project"),
            ("6417///P1", "account 6417 takes no project, and P1 is set"),
            ("6418", "account 6418 requires a sub-account"),
            ("6419//S1", "account 6419 takes no sub-account, and S1 is set"),
            ("6420", "account 6420 requires a cost centre or a project"),
            ("6421", "account 6421 requires a cost centre or a project"),
            (
                "6421/CC1//P1",
                "account 6421 takes a cost centre or a project, not both, and CC1 and P1 are set",
            ),
            ("6410/CC5", "QAD has no cost centre CC5"),
            ("6410/CC9", "cost centre CC9 is inactive"),
            ("6410//S5", "QAD has no sub-account S5"),
            ("6410//S9", "sub-account S9 is inactive"),
            ("6410///P5", "QAD has no project P5"),
            ("6410///P9", "project P9 is inactive"),
        ] {
            assert_eq!(faults(coding), [fault], "{coding}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        assert_eq!(faults("6411/CC9/S5/P9").len(), 4);
    }

    #[test]
    fn an_account_fixed_to_a_currency_is_not_judged_against_one_that_is_not_known() {
        let code = AccountCode::new("6412").unwrap();
        let dimensions = Dimensions {
            account: Some(&code),
            ..Dimensions::default()
        };
        assert!(check_coding(&chart(), dimensions, None).is_empty());
    }
}
