//! Policies as Expensify shows them: categories, tags, tax, employees (contract expensify §7).

mod read;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use tieout_domain::ids::PolicyId;

pub(crate) use read::{read_list, read_policies};

/// A section of a policy that can be asked for; tax and employees need a policy admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyField {
    /// Categories.
    Categories,
    /// Report fields.
    ReportFields,
    /// Tags.
    Tags,
    /// Tax rates.
    Tax,
    /// Members.
    Employees,
}

/// A policy in the list of those the pair can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySummary {
    /// Its id.
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// Its owner's address.
    pub owner: String,
    /// What the pair's account is there: `admin`, `auditor`, `user`; open.
    pub role: String,
    /// `team`, `corporate`, …; open.
    pub kind: String,
    /// Currency of its reports, as it came.
    pub output_currency: String,
}

/// The sections that were asked for; the others are `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// Categories.
    pub categories: Option<Vec<Category>>,
    /// Report fields.
    pub report_fields: Option<Vec<ReportField>>,
    /// Tags.
    pub tags: Option<Tags>,
    /// Tax; without rates if the policy has none.
    pub tax: Option<Tax>,
    /// Members.
    pub employees: Option<Vec<Employee>>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Can it be chosen?
    pub enabled: bool,
    /// GL code; blank if none.
    pub gl_code: String,
    /// Payroll code; blank if none.
    pub payroll_code: String,
    /// Must an expense of it have a comment?
    pub comments_required: bool,
    /// What the comment should say.
    pub comment_hint: String,
    /// Largest expense allowed, in hundredths, if one is set.
    pub max_expense: Option<i64>,
}

/// Tags in their two shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// One list; dependent levels are joined with `:`.
    Flat(Vec<Tag>),
    /// Independent levels, a list each.
    Levels(Vec<TagList>),
}

/// One level's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList {
    /// The level's name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// Can it be chosen?
    pub enabled: bool,
    /// GL code; blank if none.
    pub gl_code: String,
}

/// A report field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportField {
    /// Its name.
    pub name: String,
    /// `formula` (the title), `text`, `dropdown`, `date`; open.
    pub kind: String,
    /// Choices of a dropdown.
    pub values: Vec<String>,
}

/// The tax scheme of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tax {
    /// Its name.
    pub name: String,
    /// The default rate's id.
    pub default_rate: String,
    /// The rates.
    pub rates: Vec<TaxRate>,
}

/// A tax rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Percentage: 20 is a fifth.
    pub percent: Decimal,
}

/// A member of a policy.
#[derive(Clone, PartialEq)]
pub struct Employee {
    /// Address.
    pub email: String,
    /// Role; open.
    pub role: String,
    /// Whom reports go to.
    pub submits_to: String,
    /// Employee id; blank if none.
    pub employee_id: String,
    /// Custom field 1; blank if none.
    pub custom_field_1: String,
    /// Custom field 2; blank if none.
    pub custom_field_2: String,
    /// Every other key the server sent.
    pub other: BTreeMap<String, Value>,
}
impl std::fmt::Debug for Employee {
    // Personal data has no business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Employee")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
