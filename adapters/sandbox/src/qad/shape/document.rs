//! The shape of a financial document: its path, its URI, its roots, and where each of its fields lies.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A field of a document's header, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderField {
    /// The entity (company) that the document belongs to.
    Entity,
    /// The supplier of an invoice or credit note.
    Supplier,
    /// Invoice or credit note.
    Type,
    /// The supplier's own number of an invoice; the origin reference of a journal.
    Reference,
    /// The header's text.
    Description,
    /// The date on the invoice; today by default (§2.2).
    InvoiceDate,
    /// The date it posts on; the invoice date by default (§2.2).
    PostingDate,
    /// The fiscal year.
    PostingYear,
    /// The period in the fiscal year.
    PostingPeriod,
    /// When the invoice is due.
    DueDate,
    /// The daybook (*Journal* in the Financials' words).
    Daybook,
    /// The transaction currency.
    Currency,
    /// The total of an invoice, in transaction currency.
    TotalCredit,
    /// The total of a credit note, in transaction currency.
    TotalDebit,
    /// The credit terms; the supplier's own by default.
    CreditTerms,
    /// The invoice status code (*Reason*), `AP-INITIAL` say; the supplier's own by default.
    StatusCode,
    /// Whether QAD computes tax on it.
    IsTaxable,
    /// Whether a journal comes from an external system (§2.3).
    OriginIsExternal,
    /// The number QAD gives it; absent or zero on create.
    Voucher,
    /// Whether the document stands or was reversed; given by QAD, never taken from a caller.
    DocumentStatus,
}

/// A field of a document's line, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineField {
    /// The line's number in the document; its place in the list by default.
    Sequence,
    /// The GL account.
    Account,
    /// The sub-account (*Division*).
    SubAccount,
    /// The cost centre.
    CostCentre,
    /// The project.
    Project,
    /// The transaction currency; the header's by default.
    Currency,
    /// Debit in transaction currency.
    Debit,
    /// Credit in transaction currency.
    Credit,
    /// The line's text.
    Description,
}

/// The query keys that name one document in a GET (§1.7, §2.2); assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyNames {
    /// The entity.
    pub entity: String,
    /// The posting year.
    pub year: String,
    /// The daybook.
    pub daybook: String,
    /// The voucher.
    pub voucher: String,
}

impl Default for KeyNames {
    fn default() -> Self {
        Self {
            entity: "entityCode".into(),
            year: "postingYear".into(),
            daybook: "daybookCode".into(),
            voucher: "voucher".into(),
        }
    }
}

/// Where one kind of document lives and how it is spelt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentShape {
    /// The path below the base, `/api/erp/supplierInvoices`.
    pub path: String,
    /// The entity's URI: `viewUri` of each call, and the beginning of each document's own URI.
    pub view_uri: String,
    /// Dotted path of the list of documents in a request.
    pub request_root: String,
    /// Dotted path of the list of documents in the answer to a GET (§1.7: below `data`, or at the top).
    pub read_root: String,
    /// Dotted path of the list of created documents in the answer to a POST (§7.6).
    pub echo_root: String,
    /// Dotted path of the lines inside a document.
    pub lines: String,
    /// Dotted path of each header field inside a document.
    pub header: BTreeMap<HeaderField, String>,
    /// Dotted path of each line field inside a line.
    pub line: BTreeMap<LineField, String>,
    /// Header fields that must be sent and not be blank.
    pub required: BTreeSet<HeaderField>,
    /// Line fields that must be sent and not be blank.
    pub required_line: BTreeSet<LineField>,
    /// The longest text of a header field, in characters; unlimited when absent.
    #[serde(default)]
    pub max_length: BTreeMap<HeaderField, usize>,
    /// The longest text of a line field, in characters; unlimited when absent.
    #[serde(default)]
    pub max_line_length: BTreeMap<LineField, usize>,
    /// The query keys of a GET.
    #[serde(default)]
    pub keys: KeyNames,
}

impl DocumentShape {
    /// The path of a header field; empty where the installation has none.
    pub fn header_path(&self, field: HeaderField) -> &str {
        self.header.get(&field).map(String::as_str).unwrap_or_default()
    }

    /// The path of a line field; empty where the installation has none.
    pub fn line_path(&self, field: LineField) -> &str {
        self.line.get(&field).map(String::as_str).unwrap_or_default()
    }

    /// Contract qad §7.6, with the totals and the voucher of §2.2.
    pub fn supplier_invoice() -> Self {
        use HeaderField as H;
        Self {
            path: "/api/erp/supplierInvoices".into(),
            view_uri: "urn:be:com.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice".into(),
            request_root: "supplierInvoices".into(),
            read_root: "data.supplierInvoices".into(),
            echo_root: "supplierInvoices".into(),
            lines: "supplierInvoicePostingLines".into(),
            header: names([
                (H::Entity, "entityCode"),
                (H::Supplier, "supplierCode"),
                (H::Type, "invoiceType"),
                (H::Reference, "reference"),
                (H::Description, "description"),
                (H::InvoiceDate, "invoiceDate"),
                (H::PostingDate, "postingDate"),
                (H::PostingYear, "postingYear"),
                (H::PostingPeriod, "postingPeriod"),
                (H::DueDate, "dueDate"),
                (H::Daybook, "daybookCode"),
                (H::Currency, "currencyCode"),
                (H::TotalCredit, "originalCreditTC"),
                (H::TotalDebit, "originalDebitTC"),
                (H::CreditTerms, "creditTermsCode"),
                (H::StatusCode, "invoiceStatusCode"),
                (H::IsTaxable, "isTaxable"),
                (H::Voucher, "voucher"),
                (H::DocumentStatus, "documentStatus"),
            ]),
            line: line_names(),
            required: [H::Supplier, H::Type, H::Daybook, H::Currency].into(),
            required_line: [LineField::Account].into(),
            max_length: [(H::Reference, 20)].into(),
            max_line_length: BTreeMap::new(),
            keys: KeyNames::default(),
        }
    }

    /// Contract qad §7.7; the text's 40 characters are `PostingText` of §2.3.
    pub fn journal_entry() -> Self {
        use HeaderField as H;
        Self {
            path: "/api/erp/journalEntries".into(),
            view_uri: "urn:be:com.qad.financials.generalledger.journalentry.IJournalEntry".into(),
            request_root: "journalEntries".into(),
            read_root: "data.journalEntries".into(),
            echo_root: "journalEntries".into(),
            lines: "journalEntryLines".into(),
            header: names([
                (H::Entity, "entityCode"),
                (H::Daybook, "daybookCode"),
                (H::PostingDate, "postingDate"),
                (H::PostingYear, "postingYear"),
                (H::PostingPeriod, "postingPeriod"),
                (H::Description, "description"),
                (H::Reference, "originReference"),
                (H::OriginIsExternal, "originIsExternal"),
                (H::Voucher, "voucher"),
                (H::DocumentStatus, "documentStatus"),
            ]),
            line: line_names(),
            required: [H::Daybook, H::PostingDate].into(),
            required_line: [LineField::Account, LineField::Currency].into(),
            max_length: [(H::Description, 40), (H::Reference, 20)].into(),
            max_line_length: BTreeMap::new(),
            keys: KeyNames::default(),
        }
    }
}

fn names<F: Ord, const N: usize>(list: [(F, &str); N]) -> BTreeMap<F, String> {
    list.into_iter()
        .map(|(field, name)| (field, name.to_owned()))
        .collect()
}

fn line_names() -> BTreeMap<LineField, String> {
    names([
        (LineField::Sequence, "sequence"),
        (LineField::Account, "glAccountCode"),
        (LineField::SubAccount, "subAccountCode"),
        (LineField::CostCentre, "costCenterCode"),
        (LineField::Project, "projectCode"),
        (LineField::Currency, "currencyCode"),
        (LineField::Debit, "debitTC"),
        (LineField::Credit, "creditTC"),
        (LineField::Description, "description"),
    ])
}
