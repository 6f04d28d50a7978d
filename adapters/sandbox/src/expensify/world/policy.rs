//! A policy, in the words of `get/policy` (contract §7.2), which are also those of its updates (§8.1).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A policy, also called a workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// 16 upper-case hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The currency of its reports.
    pub output_currency: String,
    /// Its owner's email.
    pub owner: String,
    /// `corporate`, `team`, ...
    pub kind: String,
    /// Its categories.
    pub categories: Vec<Category>,
    /// Its tags by level. One level without a name is answered flat, anything else by level.
    pub tags: Vec<TagLevel>,
    /// Its report fields.
    pub report_fields: Vec<ReportField>,
    /// Its taxes.
    pub tax: Option<Taxes>,
    /// Its people.
    pub employees: Vec<Employee>,
}

impl Policy {
    /// A policy without categories, tags or people.
    pub fn new(id: &str, name: &str, output_currency: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            output_currency: output_currency.to_owned(),
            owner: "owner@sandbox.example".to_owned(),
            kind: "corporate".to_owned(),
            ..Self::default()
        }
    }
}

/// A category.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Offered to employees.
    pub enabled: bool,
    /// Its ledger code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gl_code: Option<String>,
    /// Its payroll code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payroll_code: Option<String>,
    /// Expenses in it need a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub are_comments_required: Option<bool>,
    /// What the comment should say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_hint: Option<String>,
    /// Hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_expense_amount: Option<i64>,
}

/// One level of tags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TagLevel {
    /// The level's name; empty for the only level of a flat list.
    #[serde(default)]
    pub name: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A tag. In a flat list dependent tags are joined by `:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// Offered to employees.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its ledger code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gl_code: Option<String>,
}

fn yes() -> bool {
    true
}

/// A report field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportField {
    /// Its name.
    pub name: String,
    /// `text`, `dropdown`, `date`, `formula`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What a dropdown offers.
    #[serde(default)]
    pub values: Vec<serde_json::Value>,
}

/// The taxes of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taxes {
    /// The rate used when none is chosen.
    pub default: String,
    /// The name of the scheme.
    pub name: String,
    /// The rates.
    pub rates: Vec<TaxRate>,
}

/// A tax rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaxRate {
    /// Percent; a number on the wire.
    #[serde(with = "percent")]
    pub rate: Decimal,
    /// Its label.
    pub name: String,
    /// Its id.
    #[serde(rename = "rateID")]
    pub rate_id: String,
}

/// A percentage as a JSON number, with its digits.
mod percent {
    use rust_decimal::Decimal;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(rate: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        let number: serde_json::Number = rate
            .normalize()
            .to_string()
            .parse()
            .map_err(|_| S::Error::custom("not a number"))?;
        number.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        number
            .to_string()
            .parse()
            .map_err(|_| D::Error::custom("not a percentage"))
    }
}

/// Someone on a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Employee {
    /// The account's email.
    pub email: String,
    /// The role.
    pub role: Role,
    /// Who approves.
    pub submits_to: String,
    /// The customer's own number of the person.
    #[serde(default, rename = "employeeID", skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// A custom field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_field1: Option<String>,
    /// A custom field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_field2: Option<String>,
}

/// What someone may do on a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Sees every report.
    Auditor,
    /// Sees their own.
    User,
}
