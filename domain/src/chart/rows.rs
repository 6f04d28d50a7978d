//! One row of each master, in the words of contract qad §2.4.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountCode, BusinessRelationCode, CostCentreCode, DaybookCode, DocumentKind, Email, EmployeeCode,
    ProjectCode, SubAccountCode, SupplierCode,
};
use crate::money::Currency;

/// Which master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Master {
    /// GL accounts.
    Accounts,
    /// Cost centres.
    CostCentres,
    /// Sub-accounts.
    SubAccounts,
    /// Projects.
    Projects,
    /// Suppliers.
    Suppliers,
    /// Employees.
    Employees,
    /// Daybooks.
    Daybooks,
    /// GL periods of the entity.
    Periods,
}
impl Master {
    /// All of them, in the order they are read.
    pub const ALL: [Self; 8] = [
        Self::Accounts,
        Self::CostCentres,
        Self::SubAccounts,
        Self::Projects,
        Self::Suppliers,
        Self::Employees,
        Self::Daybooks,
        Self::Periods,
    ];
}
impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accounts => "accounts",
            Self::CostCentres => "cost centres",
            Self::SubAccounts => "sub-accounts",
            Self::Projects => "projects",
            Self::Suppliers => "suppliers",
            Self::Employees => "employees",
            Self::Daybooks => "daybooks",
            Self::Periods => "periods",
        })
    }
}

/// May this account be posted to? Only `STANDARD` ones may; control, bank and system accounts never (contract qad §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// Free to post to.
    Standard,
    /// Any other type, in QAD's word.
    Other(String),
}

/// Does a line on an account bear a cost centre, a project, a sub-account (contract qad §2.4)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisUse {
    /// It must have one.
    Required,
    /// It may; or nobody told, and QAD alone judges.
    #[default]
    Optional,
    /// It must not.
    Forbidden,
}
impl AnalysisUse {
    fn is_optional(&self) -> bool {
        *self == Self::Optional
    }
}

/// Of an account that takes both, how a cost centre and a project go together (analysis limitation, contract qad §2.4).
/// That both are required is said of each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limitation {
    /// One says nothing of the other; or nobody told.
    #[default]
    None,
    /// A line has one of them, or both.
    AtLeastOne,
    /// A line has one of them, and not both ("excluding each other").
    ExactlyOne,
}
impl Limitation {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A GL account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Code.
    pub code: AccountCode,
    /// Description.
    pub description: String,
    /// Accepts new transactions.
    pub active: bool,
    /// Type.
    pub kind: AccountType,
    /// Analysis by cost centre.
    pub cost_centre: AnalysisUse,
    /// Analysis by project. Charts that were read by an earlier build say nothing of it.
    #[serde(default, skip_serializing_if = "AnalysisUse::is_optional")]
    pub project: AnalysisUse,
    /// Analysis by sub-account; as with projects.
    #[serde(default, skip_serializing_if = "AnalysisUse::is_optional")]
    pub sub_account: AnalysisUse,
    /// How cost centre and project go together, where a line may have either.
    #[serde(default, skip_serializing_if = "Limitation::is_none")]
    pub limitation: Limitation,
    /// Accepts only this currency, where it is fixed to one.
    pub only_currency: Option<Currency>,
}

impl Account {
    /// Must a line go without a cost centre?
    pub fn takes_no_cost_centre(&self) -> bool {
        self.cost_centre == AnalysisUse::Forbidden
    }

    /// May a line go without a cost centre, by whether it has a project? Every other line has one (design, law 5).
    pub fn goes_without_cost_centre(&self, with_project: bool) -> bool {
        match self.cost_centre {
            AnalysisUse::Required => false,
            AnalysisUse::Optional => with_project && self.limitation != Limitation::None,
            AnalysisUse::Forbidden => true,
        }
    }
}

/// A cost centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCentre {
    /// Code.
    pub code: CostCentreCode,
    /// Description.
    pub description: String,
    /// Accepts new transactions.
    pub active: bool,
}

/// A sub-account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubAccount {
    /// Code.
    pub code: SubAccountCode,
    /// Description.
    pub description: String,
    /// Accepts new transactions.
    pub active: bool,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Code.
    pub code: ProjectCode,
    /// Description.
    pub description: String,
    /// Accepts new transactions.
    pub active: bool,
}

/// A supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    /// Code.
    pub code: SupplierCode,
    /// Business relation, which joins it to an employee.
    pub business_relation: Option<BusinessRelationCode>,
    /// Currency of its invoices; `None` where the profile names no column for it.
    pub currency: Option<Currency>,
    /// Accepts new invoices.
    pub active: bool,
}

/// An employee. Kept in the chart without name: the address finds the business relation, and that the supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// Code.
    pub code: EmployeeCode,
    /// Business relation.
    pub business_relation: Option<BusinessRelationCode>,
    /// Address, where QAD holds one.
    pub email: Option<Email>,
}

/// What documents a daybook accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaybookUse {
    /// Supplier invoices.
    SupplierInvoices,
    /// Supplier credit notes.
    CreditNotes,
    /// Journal entries.
    Journals,
    /// Anything else, in QAD's word.
    Other(String),
}

impl DaybookUse {
    /// May a document of this kind be entered in it?
    pub fn takes(&self, kind: DocumentKind) -> bool {
        matches!(
            (kind, self),
            (DocumentKind::SupplierInvoice, Self::SupplierInvoices)
                | (DocumentKind::CreditNote, Self::CreditNotes)
                | (DocumentKind::Journal, Self::Journals)
        )
    }
}

/// A daybook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daybook {
    /// Code.
    pub code: DaybookCode,
    /// What it accepts.
    pub accepts: DaybookUse,
    /// In use.
    pub active: bool,
}

/// May one module post into a period?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodState {
    /// It may.
    Open,
    /// It may not: locked, reported or frozen.
    Closed,
}

/// A GL period of the entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Accounting year.
    pub year: i32,
    /// Number within the year.
    pub number: u32,
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
    /// General ledger.
    pub general_ledger: PeriodState,
    /// Purchases (supplier invoices and credit notes).
    pub purchasing: PeriodState,
    /// A normal period; correction and year-end periods are not for routine postings.
    pub normal: bool,
}
impl Period {
    /// Does a date lie in it?
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.start <= date && date <= self.end
    }
}
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:02}", self.year, self.number)
    }
}
