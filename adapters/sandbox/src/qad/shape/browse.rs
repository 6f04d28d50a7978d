//! The shape of a browse: its id and the key of each column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What can be listed, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
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
    /// Periods of the workspace's entity.
    Periods,
    /// Supplier invoices and credit notes, to be found by reference.
    InvoiceLookup,
    /// Journal entries, to be found by origin reference.
    JournalLookup,
}

impl Read {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Accounts,
        Self::CostCentres,
        Self::SubAccounts,
        Self::Projects,
        Self::Suppliers,
        Self::Employees,
        Self::Daybooks,
        Self::Periods,
        Self::InvoiceLookup,
        Self::JournalLookup,
    ];

    /// Its name in operations (`browse:accounts`) and in shapes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::CostCentres => "cost_centres",
            Self::SubAccounts => "sub_accounts",
            Self::Projects => "projects",
            Self::Suppliers => "suppliers",
            Self::Employees => "employees",
            Self::Daybooks => "daybooks",
            Self::Periods => "periods",
            Self::InvoiceLookup => "invoice_lookup",
            Self::JournalLookup => "journal_lookup",
        }
    }
}

/// A column of a browse, by what it means. Which columns mean something depends on the read; one that does not
/// shows an empty text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The master's code.
    Code,
    /// Its description.
    Description,
    /// Whether new transactions may use it.
    Active,
    /// An account's type (`STANDARD` takes postings), a daybook's type, a document's type.
    Type,
    /// An account's class of the classic tables, `E` for expense.
    Class,
    /// The only currency an account takes, a supplier's currency, a document's currency.
    Currency,
    /// Whether an account needs, takes or refuses a cost centre.
    CostCentreUse,
    /// By what an account is analysed: nothing, cost centre, project, or both.
    AnalysisType,
    /// How cost centre and project go together.
    AnalysisLimitation,
    /// Whether an account bears a sub-account.
    SubAccountUse,
    /// The business relation behind a supplier or employee.
    BusinessRelation,
    /// The person's or firm's name.
    Name,
    /// The person's mail address.
    Email,
    /// A supplier's credit terms.
    CreditTerms,
    /// A supplier's shared set.
    SharedSet,
    /// Who may write in a daybook: `FINANCIAL`, `OPERATIONAL`, `EXTERNAL`.
    Control,
    /// The fiscal year.
    Year,
    /// The period in the year.
    Period,
    /// A period's first day.
    Start,
    /// A period's last day.
    End,
    /// A period's status: `OPEN`, `LOCKED`, `REPORTED`, `FROZEN`; a document's: posted or reversed.
    Status,
    /// Whether the general ledger may be posted to in a period.
    GlAllowed,
    /// Whether purchases may be posted in a period.
    PurchasingAllowed,
    /// The entity.
    Entity,
    /// A document's voucher.
    Voucher,
    /// A document's daybook.
    Daybook,
    /// A document's reference or origin reference.
    Reference,
    /// A document's supplier.
    Supplier,
    /// A document's amount without its sign: the total of an invoice or credit note, the debits of a journal.
    Total,
    /// An invoice's total; zero on a credit note. The credits of a journal.
    TotalCredit,
    /// A credit note's total; zero on an invoice. The debits of a journal.
    TotalDebit,
    /// A document's posting date.
    PostingDate,
}

/// One browse of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowseShape {
    /// The browse's URN.
    pub id: String,
    /// The flat key under which each column appears and is filtered; columns that are not listed do not exist.
    pub columns: BTreeMap<Column, String>,
}

impl BrowseShape {
    fn of<const N: usize>(id: &str, columns: [(Column, &str); N]) -> Self {
        let columns = columns
            .into_iter()
            .map(|(column, key)| (column, key.to_owned()))
            .collect();
        Self {
            id: id.to_owned(),
            columns,
        }
    }

    /// The column behind a key. Browse keys are compared as they stand.
    pub fn column_named(&self, key: &str) -> Option<Column> {
        self.columns
            .iter()
            .find(|(_, name)| *name == key)
            .map(|(column, _)| *column)
    }

    /// Contract qad §7.2; type, cost-centre use and analysis are of §2.4.
    pub fn accounts() -> Self {
        Self::of(
            "urn:browse:mfg:gp309",
            [
                (Column::Code, "ac_mstr.ac_code"),
                (Column::Description, "ac_mstr.ac_desc"),
                (Column::Class, "ac_mstr.ac_type"),
                (Column::Active, "ac_mstr.ac_active"),
                (Column::Currency, "ac_mstr.ac_curr"),
                (Column::Type, "GL.GLTypeCode"),
                (Column::CostCentreUse, "GL.CostCentreUse"),
                (Column::AnalysisType, "GL.AnalysisType"),
                (Column::AnalysisLimitation, "GL.GLAnalysisLimitation"),
                (Column::SubAccountUse, "GL.GLIsDivisionAccount"),
            ],
        )
    }

    /// Contract qad §7.3.
    pub fn cost_centres() -> Self {
        Self::of(
            "urn:browse:mfg:gp059",
            master("cc_mstr.cc_ctr", "cc_mstr.cc_desc", "cc_mstr.cc_active"),
        )
    }

    /// Contract qad §1.9 and §2.8, by the pattern of §7.3.
    pub fn sub_accounts() -> Self {
        Self::of(
            "urn:browse:mfg:gp351",
            master("sb_mstr.sb_sub", "sb_mstr.sb_desc", "sb_mstr.sb_active"),
        )
    }

    /// Contract qad §1.9 and §2.8, by the pattern of §7.3.
    pub fn projects() -> Self {
        Self::of(
            "urn:browse:mfg:gp344",
            master("pj_mstr.pj_project", "pj_mstr.pj_desc", "pj_mstr.pj_active"),
        )
    }

    /// Contract qad §7.5, with currency and credit terms of §2.4.
    pub fn suppliers() -> Self {
        Self::of(
            "urn:browse:mfg:vd001",
            [
                (Column::Code, "Creditor.CreditorCode"),
                (Column::BusinessRelation, "BusinessRelation.BusinessRelationCode"),
                (Column::Name, "BusinessRelation.BusinessRelationName1"),
                (Column::Currency, "Creditor.CurrencyCode"),
                (Column::CreditTerms, "Creditor.PaymentConditionCode"),
                (Column::SharedSet, "SharedSet.SharedSetCode"),
                (Column::Active, "Creditor.CreditorIsActive"),
            ],
        )
    }

    /// Contract qad §7.4.
    pub fn employees() -> Self {
        Self::of(
            "urn:browse:mfg:ad034",
            [
                (Column::Code, "Employee.EmployeeCode"),
                (Column::BusinessRelation, "BusinessRelation.BusinessRelationCode"),
                (Column::Name, "BusinessRelation.BusinessRelationName1"),
                (Column::Email, "Address.AddressEMail"),
                (Column::Active, "Employee.EmployeeIsActive"),
            ],
        )
    }

    /// Contract qad §1.9, fields of `BJournal` in §2.4.
    pub fn daybooks() -> Self {
        Self::of(
            "urn:browse:mfg:gl031",
            [
                (Column::Code, "Journal.JournalCode"),
                (Column::Description, "Journal.JournalDescription"),
                (Column::Type, "Journal.JournalTypeCode"),
                (Column::Control, "Journal.JournalControl"),
                (Column::Active, "Journal.JournalIsActive"),
            ],
        )
    }

    /// Contract qad §1.9, fields of `BPeriod` in §2.4.
    pub fn periods() -> Self {
        Self::of(
            "urn:browse:mfg:gl008",
            [
                (Column::Entity, "Company.CompanyCode"),
                (Column::Year, "Period.PeriodYear"),
                (Column::Period, "Period.PeriodPeriod"),
                (Column::Start, "Period.PeriodStartDate"),
                (Column::End, "Period.PeriodEndDate"),
                (Column::Status, "Period.PeriodStatus"),
                (Column::Type, "Period.PeriodTypeCode"),
                (Column::GlAllowed, "Period.PeriodIsPostingGLAllowed"),
                (Column::PurchasingAllowed, "Period.PeriodIsPostingPurchAllowed"),
            ],
        )
    }

    /// Contract qad §7.8; no stock browse is known (§1.9, last row).
    pub fn invoice_lookup() -> Self {
        Self::of(
            "urn:browse:bebrowse:com.qad.erp.financials.supplierInvoices",
            [
                (Column::Entity, "supplierInvoice.entityCode"),
                (Column::Year, "supplierInvoice.postingYear"),
                (Column::Period, "supplierInvoice.postingPeriod"),
                (Column::Daybook, "supplierInvoice.daybookCode"),
                (Column::Voucher, "supplierInvoice.voucher"),
                (Column::Reference, "supplierInvoice.reference"),
                (Column::Supplier, "supplierInvoice.supplierCode"),
                (Column::Type, "supplierInvoice.invoiceType"),
                (Column::Currency, "supplierInvoice.currencyCode"),
                (Column::Total, "supplierInvoice.totalTC"),
                (Column::TotalCredit, "supplierInvoice.originalCreditTC"),
                (Column::TotalDebit, "supplierInvoice.originalDebitTC"),
                (Column::PostingDate, "supplierInvoice.postingDate"),
                (Column::Status, "supplierInvoice.documentStatus"),
            ],
        )
    }

    /// Contract qad §3, by the pattern of §7.8.
    pub fn journal_lookup() -> Self {
        Self::of(
            "urn:browse:bebrowse:com.qad.erp.financials.journalEntries",
            [
                (Column::Entity, "journalEntry.entityCode"),
                (Column::Year, "journalEntry.postingYear"),
                (Column::Period, "journalEntry.postingPeriod"),
                (Column::Daybook, "journalEntry.daybookCode"),
                (Column::Voucher, "journalEntry.voucher"),
                (Column::Reference, "journalEntry.originReference"),
                (Column::Description, "journalEntry.description"),
                (Column::Currency, "journalEntry.currencyCode"),
                (Column::Total, "journalEntry.totalTC"),
                (Column::TotalCredit, "journalEntry.creditTC"),
                (Column::TotalDebit, "journalEntry.debitTC"),
                (Column::PostingDate, "journalEntry.postingDate"),
                (Column::Status, "journalEntry.documentStatus"),
            ],
        )
    }
}

fn master<'a>(code: &'a str, description: &'a str, active: &'a str) -> [(Column, &'a str); 3] {
    [
        (Column::Code, code),
        (Column::Description, description),
        (Column::Active, active),
    ]
}
