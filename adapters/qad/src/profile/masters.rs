//! How an installation lists its masters: for each the browse, its columns and the words in them. The browse codes are
//! of one tenant's catalogue, the columns derived or assumed (contract qad §1.9, §7.2 to §7.5), so all are data.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::names::{Column, Words};

/// One master: which browse lists it, under which columns, with which words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Master<C, W> {
    /// URN of the browse.
    pub browse_id: String,
    /// A code that the browse must show: without it, what was read proves nothing (contract qad §8.4).
    pub canary: String,
    /// Rows a page.
    #[serde(default = "usual_page_size")]
    pub page_size: u32,
    /// Filters sent with every page, in QAD's grammar, `{domain}` and `{entity}` standing for the workspace's own.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Keys of the columns.
    pub columns: C,
    /// Words in the columns.
    pub words: W,
}

pub(super) fn usual_page_size() -> u32 {
    200
}

/// A master that a site may do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Optional<M> {
    /// It is read.
    Used(M),
    /// `unused = true`: nothing is asked, the chart has none of it.
    Unused,
}

impl<'de, M: for<'a> Deserialize<'a>> Deserialize<'de> for Optional<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        match table.remove("unused") {
            Some(toml::Value::Boolean(true)) if table.is_empty() => Ok(Self::Unused),
            Some(toml::Value::Boolean(true)) => Err(D::Error::custom(
                "`unused = true` stands alone: remove the other keys, or remove it",
            )),
            None | Some(toml::Value::Boolean(false)) => toml::Value::Table(table)
                .try_into()
                .map(Self::Used)
                .map_err(|error: toml::de::Error| D::Error::custom(error.message())),
            Some(_) => Err(D::Error::custom("`unused` is true or false")),
        }
    }
}

/// Words for whether a row accepts new transactions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveWords {
    /// It does.
    pub active: Words,
    /// It does not.
    pub inactive: Words,
}

/// Columns of cost centres, sub-accounts and projects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeColumns {
    /// Code.
    pub code: Column,
    /// Description; blank where none is named.
    pub description: Option<Column>,
    /// Whether it accepts new transactions.
    pub active: Column,
}

/// Columns of GL accounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountColumns {
    /// Code.
    pub code: Column,
    /// Description; blank where none is named.
    pub description: Option<Column>,
    /// Whether it accepts new transactions.
    pub active: Column,
    /// Type. Required: only it keeps postings off control, bank and system accounts (contract qad §4).
    #[serde(rename = "type")]
    pub kind: Column,
    /// Whether it wants a cost centre; where none is named QAD alone judges that.
    pub cost_centre: Option<Column>,
    /// Whether it wants a project; may be the same column as that of cost centres, read by other words.
    pub project: Option<Column>,
    /// Whether it wants a sub-account.
    pub sub_account: Option<Column>,
    /// How cost centre and project go together, of an account that takes both.
    pub limitation: Option<Column>,
    /// The only currency it takes; where none is named QAD alone judges that.
    pub currency: Option<Column>,
}

/// Words of GL accounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountWords {
    /// It accepts new transactions.
    pub active: Words,
    /// It does not.
    pub inactive: Words,
    /// The types that may be posted to; every other is refused.
    pub standard: Words,
    /// It must have a cost centre.
    #[serde(default)]
    pub cost_centre_required: Words,
    /// It may have one.
    #[serde(default)]
    pub cost_centre_optional: Words,
    /// It must not have one.
    #[serde(default)]
    pub cost_centre_forbidden: Words,
    /// It must have a project.
    #[serde(default)]
    pub project_required: Words,
    /// It may have one.
    #[serde(default)]
    pub project_optional: Words,
    /// It must not have one.
    #[serde(default)]
    pub project_forbidden: Words,
    /// It must have a sub-account.
    #[serde(default)]
    pub sub_account_required: Words,
    /// It may have one.
    #[serde(default)]
    pub sub_account_optional: Words,
    /// It must not have one.
    #[serde(default)]
    pub sub_account_forbidden: Words,
    /// Cost centre and project say nothing of each other.
    #[serde(default)]
    pub limitation_none: Words,
    /// A line has at least one of the two.
    #[serde(default)]
    pub limitation_at_least_one: Words,
    /// A line has both.
    #[serde(default)]
    pub limitation_both_required: Words,
    /// A line has one of the two and not both.
    #[serde(default)]
    pub limitation_excluding: Words,
}

/// Columns of suppliers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupplierColumns {
    /// Code.
    pub code: Column,
    /// Whether it accepts new invoices.
    pub active: Column,
    /// Business relation, the join to employees; without it suppliers are named in the rule set.
    pub business_relation: Option<Column>,
    /// Currency; where none is named QAD alone judges that.
    pub currency: Option<Column>,
}

/// Columns of employees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmployeeColumns {
    /// Code.
    pub code: Column,
    /// Business relation, the join to suppliers.
    pub business_relation: Column,
    /// E-mail address, the join to Expensify.
    pub email: Column,
}

/// No words are needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoWords {}

/// Columns of daybooks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaybookColumns {
    /// Code.
    pub code: Column,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Column,
    /// Whether it is in use.
    pub active: Column,
}

/// Words of daybooks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaybookWords {
    /// It is in use.
    pub active: Words,
    /// It is not.
    pub inactive: Words,
    /// The types that take supplier invoices.
    pub supplier_invoices: Words,
    /// The types that take supplier credit notes.
    pub credit_notes: Words,
    /// The types that take journal entries.
    pub journals: Words,
}

/// Columns of GL periods. A module may post where every column that is named says so; at least one is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodColumns {
    /// Accounting year.
    pub year: Column,
    /// Number within the year.
    pub number: Column,
    /// First day.
    pub start: Column,
    /// Last day.
    pub end: Column,
    /// Type: normal, correction, year-end.
    #[serde(rename = "type")]
    pub kind: Column,
    /// Status of the whole period.
    pub status: Option<Column>,
    /// Whether the general ledger may be posted to.
    pub general_ledger: Option<Column>,
    /// Whether purchases may be posted.
    pub purchasing: Option<Column>,
}

/// Words of GL periods.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodWords {
    /// The types for routine postings.
    pub normal: Words,
    /// The statuses that are open; every other is closed.
    #[serde(default)]
    pub open: Words,
    /// A module may post.
    #[serde(default)]
    pub allowed: Words,
    /// A module may not post.
    #[serde(default)]
    pub not_allowed: Words,
}

/// Every master.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masters {
    /// GL accounts.
    pub accounts: Master<AccountColumns, AccountWords>,
    /// Cost centres.
    pub cost_centres: Master<CodeColumns, ActiveWords>,
    /// Sub-accounts.
    pub sub_accounts: Optional<Master<CodeColumns, ActiveWords>>,
    /// Projects.
    pub projects: Optional<Master<CodeColumns, ActiveWords>>,
    /// Suppliers.
    pub suppliers: Optional<Master<SupplierColumns, ActiveWords>>,
    /// Employees.
    pub employees: Optional<Master<EmployeeColumns, NoWords>>,
    /// Daybooks.
    pub daybooks: Master<DaybookColumns, DaybookWords>,
    /// GL periods of the entity.
    pub periods: Master<PeriodColumns, PeriodWords>,
}
