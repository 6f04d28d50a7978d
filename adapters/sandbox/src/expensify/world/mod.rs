//! What the stand-in Expensify knows: accounts, policies, reports. Its own types; amounts are hundredths of their
//! currency, whatever the currency (contract §4.6).

mod edit;
mod expense;
mod handle;
pub mod ids;
mod policy;
mod report;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use edit::{Edit, EditError};
pub use expense::{Expense, Tax, Units};
pub use handle::WorldHandle;
pub use ids::ReportId;
pub use policy::{Category, Employee, Policy, ReportField, Role, Tag, TagLevel, TaxRate, Taxes};
pub use report::{Action, Approver, Marking, Person, Report, ReportState};

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// Partner accounts by `partnerUserID`.
    pub accounts: BTreeMap<String, Account>,
    /// Policies by id.
    pub policies: BTreeMap<String, Policy>,
    /// Reports by decimal id.
    pub reports: BTreeMap<ReportId, Report>,
    /// Expense rules in the order of their creation (contract §6.4).
    pub rules: Vec<ExpenseRule>,
}

impl World {
    /// A world in which one account sees everything.
    pub fn with_account(id: &str, secret: &str) -> Self {
        let account = Account::sees_everything("owner@sandbox.example", secret);
        Self {
            accounts: BTreeMap::from([(id.to_owned(), account)]),
            ..Self::default()
        }
    }

    /// Adds a report.
    pub fn add_report(&mut self, report: Report) {
        self.reports.insert(report.id, report);
    }

    /// Adds a policy.
    pub fn add_policy(&mut self, policy: Policy) {
        self.policies.insert(policy.id.clone(), policy);
    }

    /// The report and the place in it of the expense `transaction`.
    pub fn find_expense(&self, transaction: &str) -> Option<(ReportId, usize)> {
        self.reports.values().find_map(|report| {
            let place = report
                .expenses
                .iter()
                .position(|expense| expense.transaction_id == transaction)?;
            Some((report.id, place))
        })
    }
}

/// One partner pair. `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The secret of the pair.
    pub secret: String,
    /// The Expensify account the pair acts as.
    pub email: String,
    /// Sees every policy as an admin, without being on its list of employees.
    #[serde(default)]
    pub everywhere: bool,
    /// Sees the numbers and names of company cards; others see `Unknown` (contract §2.4).
    #[serde(default)]
    pub domain_admin: bool,
    /// May act as other accounts (`employeeEmail`), which Expensify grants by domain.
    #[serde(default)]
    pub acts_for_others: bool,
}

impl Account {
    /// An admin of everything.
    pub fn sees_everything(email: &str, secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            email: email.to_owned(),
            everywhere: true,
            domain_admin: true,
            acts_for_others: false,
        }
    }

    /// The role the account has on a policy; none, if it is not on it.
    pub fn role_on(&self, policy: &Policy) -> Option<Role> {
        if self.everywhere {
            return Some(Role::Admin);
        }
        policy
            .employees
            .iter()
            .find(|employee| employee.email == self.email)
            .map(|employee| employee.role)
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("email", &self.email)
            .field("everywhere", &self.everywhere)
            .finish_non_exhaustive()
    }
}

/// An expense rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpenseRule {
    /// The policy it holds on.
    pub policy_id: String,
    /// The employee it holds for.
    pub employee_email: String,
    /// What it does, as sent.
    pub actions: serde_json::Value,
}
