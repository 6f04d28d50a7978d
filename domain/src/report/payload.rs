//! What Expensify says of a report, captured whole before anything judges it (law 2).
//!
//! Every field of contract expensify §4.3 and §4.4 that the export template prints is here, as it came. Nothing is
//! refused at capture: an unknown status, a currency that is none, a count that disagrees are reasons to reject later,
//! on record. What names or describes a person lies in [`PersonalFields`], which the journal seals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{PolicyId, ReportId, TransactionId};
use crate::money::Hundredths;
use crate::time::SourceTime;

/// A part of an event that speaks of a person. The journal seals it apart; once the person is forgotten it is gone,
/// and every hash and amount stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Personal<T> {
    /// It is known.
    Known(T),
    /// The person was forgotten.
    #[default]
    Forgotten,
}
impl<T> Personal<T> {
    /// The content, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Forgotten => None,
        }
    }
}

/// A report's state at the source (contract expensify §4.3 `status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum SourceStatus {
    /// Approved, not yet paid.
    Approved,
    /// Paid.
    Reimbursed,
    /// Any other word, verbatim.
    Other(String),
}
impl From<String> for SourceStatus {
    fn from(text: String) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "approved" => Self::Approved,
            "reimbursed" => Self::Reimbursed,
            _ => Self::Other(text),
        }
    }
}
impl From<SourceStatus> for String {
    fn from(status: SourceStatus) -> String {
        match status {
            SourceStatus::Approved => "Approved".to_owned(),
            SourceStatus::Reimbursed => "Reimbursed".to_owned(),
            SourceStatus::Other(text) => text,
        }
    }
}

/// A boolean as it came: FreeMarker prints nothing for one that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Flag {
    /// `true`.
    Yes,
    /// `false`.
    No,
    /// Nothing was sent.
    #[default]
    Blank,
    /// Something else.
    Unreadable(String),
}
impl From<String> for Flag {
    fn from(text: String) -> Self {
        match text.trim() {
            "true" => Self::Yes,
            "false" => Self::No,
            "" => Self::Blank,
            _ => Self::Unreadable(text),
        }
    }
}
impl From<Flag> for String {
    fn from(flag: Flag) -> String {
        match flag {
            Flag::Yes => "true".into(),
            Flag::No => "false".into(),
            Flag::Blank => String::new(),
            Flag::Unreadable(text) => text,
        }
    }
}

/// A report as the source shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// What decides the posting and names nobody.
    pub facts: ReportFacts,
    /// What names or describes people. Not in the open part of an event.
    #[serde(skip)]
    pub personal: Personal<PersonalFields>,
}

/// The open part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFacts {
    /// The report.
    pub report: ReportId,
    /// Its policy.
    pub policy: PolicyId,
    /// The policy's name.
    #[serde(default)]
    pub policy_name: String,
    /// Status.
    pub status: SourceStatus,
    /// Code of the report's currency, as it came.
    pub currency: String,
    /// Report total, in hundredths of the report's currency.
    pub total: Hundredths,
    /// When it was created.
    #[serde(default)]
    pub created: SourceTime,
    /// When it was last submitted.
    #[serde(default)]
    pub submitted: SourceTime,
    /// When it was approved.
    #[serde(default)]
    pub approved: SourceTime,
    /// When it was reimbursed.
    #[serde(default)]
    pub reimbursed: SourceTime,
    /// Paid by ACH through Expensify.
    #[serde(default)]
    pub ach_reimbursed: Flag,
    /// Latest reimbursement id; blank if there is none.
    #[serde(default)]
    pub entry_id: String,
    /// How many expenses the source says it has: the count the template printed beside them.
    pub declared_lines: Option<u64>,
    /// Report fields, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// The expenses, in the source's order.
    pub lines: Vec<LineFacts>,
}

impl ReportFacts {
    /// Paid at the source already, by any sign of it: an open payable would pay it twice (design §6).
    pub fn paid_at_source(&self) -> bool {
        self.status == SourceStatus::Reimbursed
            || self.ach_reimbursed == Flag::Yes
            || !self.entry_id.trim().is_empty()
    }
}

/// The open part of an expense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// The transaction: what law 10 claims.
    pub transaction: TransactionId,
    /// `type`, an open vocabulary, verbatim.
    #[serde(default)]
    pub kind: String,
    /// Original amount, hundredths of `currency`; does not reflect edits (contract expensify §4.4).
    pub amount: Hundredths,
    /// Edited amount; blank if not edited.
    #[serde(default)]
    pub modified_amount: Hundredths,
    /// Amount in hundredths of the report's currency.
    #[serde(default)]
    pub converted_amount: Hundredths,
    /// Code of the original currency.
    pub currency: String,
    /// Rate used, verbatim.
    #[serde(default)]
    pub rate: String,
    /// Expense date.
    pub created: SourceTime,
    /// Edited date; blank if not edited.
    #[serde(default)]
    pub modified_created: SourceTime,
    /// Category.
    #[serde(default)]
    pub category: String,
    /// GL code the category carries.
    #[serde(default)]
    pub category_gl: String,
    /// Full tag; levels joined by `:`.
    #[serde(default)]
    pub tag: String,
    /// GL code the tag carries.
    #[serde(default)]
    pub tag_gl: String,
    /// Tag levels, with their GL codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_levels: Vec<TagLevel>,
    /// Is the employee owed it?
    pub reimbursable: Flag,
    /// Billable to a customer.
    #[serde(default)]
    pub billable: Flag,
    /// Feed or bank it was pulled from; blank for cash.
    #[serde(default)]
    pub bank: String,
    /// Card id.
    #[serde(default)]
    pub card_id: String,
    /// Card name, which names the card program on company cards.
    #[serde(default)]
    pub card_name: String,
    /// Merchant category code.
    #[serde(default)]
    pub mcc: String,
    /// Has tax.
    #[serde(default)]
    pub has_tax: Flag,
    /// Tax amount, hundredths of `currency`.
    #[serde(default)]
    pub tax_amount: Hundredths,
    /// Edited tax amount; blank if not edited.
    #[serde(default)]
    pub modified_tax_amount: Hundredths,
    /// Tax code.
    #[serde(default)]
    pub tax_code: String,
    /// Tax label.
    #[serde(default)]
    pub tax_name: String,
    /// Tax percentage, verbatim.
    #[serde(default)]
    pub tax_rate: String,
    /// Id given at creation.
    #[serde(default)]
    pub external_id: String,
    /// Receipt id.
    #[serde(default)]
    pub receipt_id: String,
    /// Mileage: distance and unit, verbatim.
    #[serde(default)]
    pub distance: String,
    /// `split` for a part of a split expense.
    #[serde(default)]
    pub source: String,
}

/// One level of a multi-level tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagLevel {
    /// Name.
    pub name: String,
    /// GL code.
    #[serde(default)]
    pub gl: String,
}

/// What names or describes people on a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalFields {
    /// Sixteen random bytes, hexadecimal: without them no hash in the open part can be tried against a guess.
    pub salt: String,
    /// Submitter's address.
    pub submitter: String,
    /// Submitter's name.
    #[serde(default)]
    pub submitter_name: String,
    /// Submitter's ids on the policy.
    #[serde(default)]
    pub submitter_user_id: String,
    /// Submitter's payroll id.
    #[serde(default)]
    pub submitter_payroll_id: String,
    /// Last approver's address.
    #[serde(default)]
    pub manager: String,
    /// Everyone who approved, and when.
    #[serde(default)]
    pub approvers: Vec<Approver>,
    /// Title of the report.
    #[serde(default)]
    pub report_name: String,
    /// The expenses, in the order of the open part.
    pub lines: Vec<PersonalLine>,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// Address.
    pub email: String,
    /// When, verbatim.
    #[serde(default)]
    pub date: String,
}

/// The personal part of an expense.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonalLine {
    /// Merchant.
    #[serde(default)]
    pub merchant: String,
    /// Edited merchant; blank if not edited.
    #[serde(default)]
    pub modified_merchant: String,
    /// Description.
    #[serde(default)]
    pub comment: String,
    /// Masked card number.
    #[serde(default)]
    pub card_number: String,
    /// Attendees' addresses.
    #[serde(default)]
    pub attendees: Vec<String>,
    /// File name of the receipt.
    #[serde(default)]
    pub receipt_filename: String,
}
impl PersonalLine {
    /// The merchant as it stands after edits (contract expensify §4.5).
    pub fn merchant(&self) -> &str {
        if self.modified_merchant.trim().is_empty() {
            &self.merchant
        } else {
            &self.modified_merchant
        }
    }
}

/// SHA-256 over the fields that decide the posting, salted; a change of it makes a revision (design §1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaterialHash(String);
impl MaterialHash {
    /// In hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Salted SHA-256 over the whole payload, personal fields included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayloadHash(String);
impl PayloadHash {
    /// In hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            use std::fmt::Write;
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Feeds fields to a hash so that no two different lists of fields give the same bytes: each with its length before it.
struct Canonical(Sha256);
impl Canonical {
    fn new(what: &str, salt: &str) -> Self {
        let mut this = Self(Sha256::new());
        this.field(what);
        this.field(salt);
        this
    }
    fn field(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }
    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

impl Payload {
    /// Hash of the material fields under this salt: what was submitted by whom, in which policy, currency and state
    /// of payment, approved when, and of each line its transaction, amounts, currency, date, coding, card, kind and tax.
    /// The order of lines at the source is not material; names, titles and comments are not.
    pub fn material_hash(&self, salt: &str) -> MaterialHash {
        let facts = &self.facts;
        let mut hash = Canonical::new("tieout material 1", salt);
        hash.field(&facts.report.to_string());
        hash.field(facts.policy.as_str());
        hash.field(&String::from(facts.status.clone()));
        hash.field(&facts.currency);
        hash.field(&facts.total.to_string());
        for time in [&facts.submitted, &facts.approved, &facts.reimbursed] {
            hash.field(time.as_str());
        }
        hash.field(&String::from(facts.ach_reimbursed.clone()));
        hash.field(&facts.entry_id);
        hash.field(&format!("{:?}", facts.declared_lines));
        hash.field(
            &self
                .personal
                .known()
                .map_or_else(String::new, |p| p.submitter.trim().to_lowercase()),
        );
        hash.field(&facts.fields.len().to_string());
        for (name, value) in &facts.fields {
            hash.field(name);
            hash.field(value);
        }
        let mut lines: Vec<(usize, &LineFacts)> = facts.lines.iter().enumerate().collect();
        lines.sort_by(|a, b| a.1.transaction.cmp(&b.1.transaction));
        hash.field(&lines.len().to_string());
        for (index, line) in lines {
            hash.field(line.transaction.as_str());
            hash.field(&line.kind);
            for amount in [
                &line.amount,
                &line.modified_amount,
                &line.converted_amount,
                &line.tax_amount,
                &line.modified_tax_amount,
            ] {
                hash.field(&amount.to_string());
            }
            for text in [
                line.currency.as_str(),
                line.created.as_str(),
                line.modified_created.as_str(),
                &line.category,
                &line.category_gl,
                &line.tag,
                &line.tag_gl,
                &line.bank,
                &line.card_id,
                &line.card_name,
                // A sign that a card paid: it decides who is credited.
                &line.mcc,
                &line.tax_code,
            ] {
                hash.field(text);
            }
            for flag in [&line.reimbursable, &line.has_tax] {
                hash.field(&String::from(flag.clone()));
            }
            // A rule may look at the merchant.
            let merchant = self
                .personal
                .known()
                .and_then(|p| p.lines.get(index))
                .map_or("", PersonalLine::merchant);
            hash.field(merchant);
            hash.field(&line.tag_levels.len().to_string());
            for level in &line.tag_levels {
                hash.field(&level.name);
                hash.field(&level.gl);
            }
        }
        MaterialHash(hash.finish())
    }

    /// Hash of everything that was captured, under the salt of the personal section.
    pub fn payload_hash(&self) -> Result<PayloadHash, serde_json::Error> {
        let salt = self.personal.known().map_or("", |p| p.salt.as_str());
        let mut hash = Canonical::new("tieout payload 1", salt);
        hash.field(&serde_json::to_string(&self.facts)?);
        match self.personal.known() {
            Some(personal) => hash.field(&serde_json::to_string(personal)?),
            None => hash.field(""),
        }
        Ok(PayloadHash(hash.finish()))
    }
}
