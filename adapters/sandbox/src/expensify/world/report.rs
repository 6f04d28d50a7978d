//! One report (contract §4.3).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Expense, ReportId};

/// Where a report is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Not submitted.
    Open,
    /// Submitted, not approved.
    Processing,
    /// Approved, not paid.
    #[default]
    Approved,
    /// Paid.
    Reimbursed,
    /// Closed without payment.
    Closed,
}

impl ReportState {
    /// The state's word in `reportState` of an export.
    pub fn filter_word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Processing => "SUBMITTED",
            Self::Approved => "APPROVED",
            Self::Reimbursed => "REIMBURSED",
            Self::Closed => "ARCHIVED",
        }
    }

    /// The state's word in `report.status`. (`Archived` may stand for `Closed`: see the quirks of the stand-in.)
    pub fn status_word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Processing => "Processing",
            Self::Approved => "Approved",
            Self::Reimbursed => "Reimbursed",
            Self::Closed => "Closed",
        }
    }
}

/// A person as a report shows one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The account's email.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// `employeeUserID` on the policy.
    pub user_id: String,
    /// `employeePayrollID` on the policy.
    pub payroll_id: String,
    /// Expensify's number of the account.
    pub account_id: u64,
}

/// An approval in `approvers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Who.
    #[serde(default)]
    pub person: Person,
    /// When.
    pub date: DateTime<Utc>,
}

/// An entry of `actionList`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The kind, in capitals.
    pub action: String,
    /// Who did it.
    #[serde(default)]
    pub account_email: String,
    /// When.
    pub created: DateTime<Utc>,
    /// `details.message`.
    #[serde(default)]
    pub message: String,
}

/// A label set by `markAsExported`, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marking {
    /// The label, exactly as sent.
    pub label: String,
    /// When the job that set it ended.
    pub at: DateTime<Utc>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Where it is.
    #[serde(default)]
    pub state: ReportState,
    /// Its policy.
    pub policy_id: String,
    /// Its title.
    #[serde(default)]
    pub name: String,
    /// The policy's output currency.
    pub currency: String,
    /// Hundredths of `currency`. A field of its own, so that it can disagree with the lines.
    #[serde(default)]
    pub total: i64,
    /// Who submitted it.
    #[serde(default)]
    pub submitter: Person,
    /// The submitter's two custom fields.
    #[serde(default)]
    pub employee_custom_fields: [String; 2],
    /// Who approved it last.
    #[serde(default)]
    pub manager: Person,
    /// Every approval.
    #[serde(default)]
    pub approvers: Vec<Approver>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was submitted last.
    #[serde(default)]
    pub submitted: Option<DateTime<Utc>>,
    /// When it was approved.
    #[serde(default)]
    pub approved: Option<DateTime<Utc>>,
    /// The day it was paid.
    #[serde(default)]
    pub reimbursed: Option<NaiveDate>,
    /// Paid through Expensify.
    #[serde(default)]
    pub is_ach_reimbursed: bool,
    /// The latest reimbursement.
    #[serde(default)]
    pub entry_id: String,
    /// Report fields by name.
    #[serde(default)]
    pub custom_fields: BTreeMap<String, String>,
    /// History and comments.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// Labels set on it, oldest first; one label may be set twice.
    #[serde(default)]
    pub markings: Vec<Marking>,
    /// Its lines.
    #[serde(default)]
    pub expenses: Vec<Expense>,
}

impl Report {
    /// An approved report without lines.
    pub fn approved(id: ReportId, policy_id: &str, currency: &str, at: DateTime<Utc>) -> Self {
        Self {
            id,
            state: ReportState::Approved,
            policy_id: policy_id.to_owned(),
            name: String::new(),
            currency: currency.to_owned(),
            total: 0,
            submitter: Person::default(),
            employee_custom_fields: Default::default(),
            manager: Person::default(),
            approvers: Vec::new(),
            created: at,
            submitted: Some(at),
            approved: Some(at),
            reimbursed: None,
            is_ach_reimbursed: false,
            entry_id: String::new(),
            custom_fields: BTreeMap::new(),
            actions: Vec::new(),
            markings: Vec::new(),
            expenses: Vec::new(),
        }
    }

    /// The same report with an expense more; the total grows with it.
    #[must_use]
    pub fn with_expense(mut self, expense: Expense) -> Self {
        self.total += expense.effective();
        self.expenses.push(expense);
        self
    }

    /// Whether `label` was set on it; labels are case sensitive.
    pub fn is_marked(&self, label: &str) -> bool {
        self.markings.iter().any(|marking| marking.label == label)
    }

    /// What its lines add up to.
    pub fn line_sum(&self) -> i64 {
        self.expenses.iter().map(Expense::effective).sum()
    }

    /// The later of submitted and created: the instant that `startDate` and `endDate` look at.
    pub fn window_instant(&self) -> DateTime<Utc> {
        self.submitted
            .map_or(self.created, |submitted| submitted.max(self.created))
    }
}
