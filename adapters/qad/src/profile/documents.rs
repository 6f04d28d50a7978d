//! How an installation spells the documents we write: path, URIs, nesting, field names, words. Nothing of it is
//! published but the envelope and the entity URIs (contract qad §1.7, §7.6, §7.7), so all of it is data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::masters::usual_page_size;
use super::names::{Column, FieldPath, Words};

/// One entity that documents are written to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentProfile<H, T> {
    /// Path below the base URL, beginning with `/`.
    pub path: String,
    /// `viewUri` of every call.
    pub view_uri: String,
    /// URI of the entity: the beginning of each document's own, and what the metadata is asked for.
    pub entity_uri: String,
    /// Where the list of documents lies in a request.
    pub request_root: FieldPath,
    /// Where the list of created documents lies in the answer to a POST.
    pub response_root: FieldPath,
    /// Where the list of documents lies in the answer to a GET; one that begins with `data.` is also tried without it
    /// (contract qad §1.7: accept both).
    pub read_root: FieldPath,
    /// Where the list of lines lies in a document.
    pub lines: FieldPath,
    /// Where each field of the document lies.
    pub header: H,
    /// Where each field of a line lies in it.
    pub line: LineFields,
    /// Query keys that name one document in a GET.
    pub keys: KeyNames,
    /// Words in the fields.
    pub words: T,
    /// Fields with the same value in every document of this installation.
    #[serde(default)]
    pub constants: BTreeMap<FieldPath, Constant>,
    /// Fields with the same value in every line of this installation.
    #[serde(default)]
    pub line_constants: BTreeMap<FieldPath, Constant>,
    /// How long texts may be; unlimited where nothing is said.
    #[serde(default)]
    pub max_length: TextLengths,
    /// The browse that finds documents by reference.
    pub look_up: LookUpProfile,
}

/// Where the fields of a supplier invoice or credit note lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceFields {
    /// Entity; where none is named the workspace header alone says it.
    pub entity: Option<FieldPath>,
    /// Supplier.
    pub supplier: FieldPath,
    /// Invoice or credit note.
    #[serde(rename = "type")]
    pub kind: FieldPath,
    /// The supplier's own number: our reference.
    pub reference: FieldPath,
    /// Text.
    pub description: FieldPath,
    /// Invoice date.
    pub document_date: FieldPath,
    /// Posting date.
    pub posting_date: FieldPath,
    /// Accounting year.
    pub posting_year: FieldPath,
    /// Period within the year.
    pub posting_period: FieldPath,
    /// Daybook.
    pub daybook: FieldPath,
    /// Currency.
    pub currency: FieldPath,
    /// Total of an invoice.
    pub total_invoice: FieldPath,
    /// Total of a credit note.
    pub total_credit_note: FieldPath,
    /// Invoice status code.
    pub status_code: FieldPath,
    /// Voucher, given by QAD.
    pub voucher: FieldPath,
    /// Whether it stands or was reversed, given by QAD; where none is named, reversals are not seen here.
    pub document_status: Option<FieldPath>,
}

/// Where the fields of a journal entry lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalFields {
    /// Entity; where none is named the workspace header alone says it.
    pub entity: Option<FieldPath>,
    /// Our reference.
    pub reference: FieldPath,
    /// Text.
    pub description: FieldPath,
    /// Posting date.
    pub posting_date: FieldPath,
    /// Accounting year.
    pub posting_year: FieldPath,
    /// Period within the year.
    pub posting_period: FieldPath,
    /// Daybook.
    pub daybook: FieldPath,
    /// Currency, where the document and not only its lines has one.
    pub currency: Option<FieldPath>,
    /// Voucher, given by QAD.
    pub voucher: FieldPath,
    /// Whether it stands or was reversed, given by QAD; where none is named, reversals are not seen here.
    pub document_status: Option<FieldPath>,
}

/// Where the fields of a line lie in it. Every code and both sides must be readable, or nothing could be compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFields {
    /// Number of the line, from 1.
    pub sequence: Option<FieldPath>,
    /// GL account.
    pub account: FieldPath,
    /// Sub-account.
    pub sub_account: Option<FieldPath>,
    /// Cost centre.
    pub cost_centre: FieldPath,
    /// Project.
    pub project: Option<FieldPath>,
    /// Currency, where lines have one.
    pub currency: Option<FieldPath>,
    /// Debit.
    pub debit: FieldPath,
    /// Credit.
    pub credit: FieldPath,
    /// Text.
    pub description: FieldPath,
}

/// Query keys that name one document in a GET.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyNames {
    /// Entity; left out where none is named.
    pub entity: Option<String>,
    /// Posting year.
    pub year: String,
    /// Daybook.
    pub daybook: String,
    /// Voucher.
    pub voucher: String,
}

/// Words of supplier invoices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceWords {
    /// Type of an invoice.
    pub invoice: String,
    /// Type of a credit note.
    pub credit_note: String,
    /// Statuses of a document that a person reversed or cancelled.
    #[serde(default)]
    pub reversed: Words,
}

/// Words of journal entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalWords {
    /// Statuses of a document that a person reversed or cancelled.
    #[serde(default)]
    pub reversed: Words,
}

/// A fixed value. Text may hold `{domain}` and `{entity}`, which stand for the workspace's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "true, false, a whole number or a text; an amount is never a constant"
)]
pub enum Constant {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// How many characters texts may have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLengths {
    /// The reference: never cut; a field shorter than a reference is refused when the profile is read.
    pub reference: Option<usize>,
    /// The document's text.
    pub description: Option<usize>,
    /// A line's text.
    pub line_description: Option<usize>,
}

/// The browse that finds documents by reference (contract qad §7.8).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUpProfile {
    /// URN of the browse.
    pub browse_id: String,
    /// Reference of a document that exists: unless the same request finds it, an empty answer proves nothing.
    pub canary: String,
    /// Rows a page.
    #[serde(default = "usual_page_size")]
    pub page_size: u32,
    /// Keys of the columns.
    pub columns: LookUpColumns,
}

/// Columns of a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUpColumns {
    /// The reference, which is also filtered on.
    pub reference: Column,
    /// Posting year.
    pub year: Column,
    /// Daybook.
    pub daybook: Column,
    /// Voucher.
    pub voucher: Column,
    /// Whether it stands or was reversed; where none is named, the reading-back says so alone.
    pub document_status: Option<Column>,
}

/// Both entities.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    /// Supplier invoices and credit notes.
    pub supplier_invoice: DocumentProfile<InvoiceFields, InvoiceWords>,
    /// Journal entries.
    pub journal: DocumentProfile<JournalFields, JournalWords>,
}
