//! A mapping, opened: for each line what it was at the source, what was posted of it, and every why between.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::{DocumentKind, PersonName, Reference, TransactionId};
use tieout_domain::posting::{Coding, LineOrigin, Side};
use tieout_domain::report::{FieldWhy, LineWhy, Mapping, OriginalAmount, Payload};

/// A mapping with every why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailMapping {
    /// The rule set it was made under, with its hash.
    pub rules: String,
    /// The chart it was checked against.
    pub chart: String,
    /// The day it was made for, where the rule set posts by the day of posting.
    pub day: Option<NaiveDate>,
    /// The documents' headers.
    pub headers: Vec<TrailHeader>,
    /// The expenses, in the source's order.
    pub lines: Vec<TrailLine>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// The submitter approved the rule set it was mapped under: by which name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by_submitter: Option<PersonName>,
}

/// The header of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailHeader {
    /// What kind.
    pub kind: DocumentKind,
    /// Its natural key, as planned.
    pub reference: Option<Reference>,
    /// What it amounts to.
    pub amount: Option<Decimal>,
    /// Its currency.
    pub currency: Option<String>,
    /// Its text; `null` when the person was forgotten.
    pub text: Option<String>,
    /// For each field why it is what it is.
    pub fields: Vec<TrailField>,
}

/// An expense on its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailLine {
    /// The expense.
    pub transaction: TransactionId,
    /// Merchant; `null` when the person was forgotten.
    pub merchant: Option<String>,
    /// Amount posted, signed as at the source.
    pub amount: Decimal,
    /// The foreign amount it was, where it was one.
    pub original: Option<OriginalAmount>,
    /// The document it is on; `null` for an expense of zero, which posts nothing.
    pub document: Option<DocumentKind>,
    /// What was posted of it: its cost, and its tax where that has an account of its own.
    pub posted: Vec<TrailPosted>,
    /// For each field why it is what it is.
    pub fields: Vec<TrailField>,
}

/// A line of a document that carries an expense.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailPosted {
    /// It is the mapped tax of the expense.
    pub tax: bool,
    /// Side.
    pub side: Side,
    /// Amount, above zero.
    pub amount: Decimal,
    /// Coding.
    #[serde(flatten)]
    pub coding: Coding,
    /// The text it bears in QAD; `null` when the person was forgotten.
    pub text: Option<String>,
}

/// The way of one field: what the source held, the rule that made something of it, the chart that knows it, and what
/// was posted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailField {
    /// What the rules say: field, value, source, rule.
    #[serde(flatten)]
    pub why: FieldWhy,
    /// The chart the value was looked up in; `null` for one that no chart holds (an amount, a date).
    pub chart: Option<String>,
}

impl TrailMapping {
    pub(super) fn of(mapping: &Mapping, payload: Option<&Payload>) -> Self {
        let chart = mapping.basis.chart.to_string();
        let field = |why: &FieldWhy| TrailField {
            why: why.clone(),
            chart: is_of_the_chart(&why.field).then(|| chart.clone()),
        };
        let header = |header: &tieout_domain::report::HeaderWhy| {
            let document = mapping
                .documents
                .iter()
                .find(|document| document.kind() == header.document);
            TrailHeader {
                kind: header.document,
                reference: document.map(|document| document.reference),
                amount: document.map(|document| document.amount()),
                currency: document.map(|document| document.currency.to_string()),
                text: document
                    .and_then(|document| document.texts.known())
                    .map(|texts| texts.header.clone()),
                fields: header.fields.iter().map(field).collect(),
            }
        };
        let line = |why: &LineWhy| TrailLine {
            transaction: why.transaction.clone(),
            merchant: payload.and_then(|payload| merchant(payload, &why.transaction)),
            amount: why.amount,
            original: why.original.clone(),
            document: why.document,
            posted: posted(mapping, &why.transaction),
            fields: why.fields.iter().map(field).collect(),
        };
        Self {
            rules: mapping.basis.rules.to_string(),
            chart: chart.clone(),
            day: mapping.basis.day,
            headers: mapping.headers.iter().map(header).collect(),
            lines: mapping.lines.iter().map(line).collect(),
            notes: mapping.notes.clone(),
            approved_by_submitter: mapping.approved_by_submitter.clone(),
        }
    }
}

fn merchant(payload: &Payload, transaction: &TransactionId) -> Option<String> {
    let index = payload
        .facts
        .lines
        .iter()
        .position(|line| line.transaction == *transaction)?;
    payload
        .personal
        .known()?
        .lines
        .get(index)
        .map(|line| line.merchant().to_owned())
}

fn posted(mapping: &Mapping, of: &TransactionId) -> Vec<TrailPosted> {
    let mut found = Vec::new();
    for document in &mapping.documents {
        for (index, line) in document.lines.iter().enumerate() {
            let tax = match &line.origin {
                LineOrigin::Expense { transaction } if transaction == of => false,
                LineOrigin::Tax { transaction } if transaction == of => true,
                _ => continue,
            };
            let text = document
                .texts
                .known()
                .and_then(|texts| texts.lines.get(index))
                .cloned();
            found.push(TrailPosted {
                tax,
                side: line.side,
                amount: line.amount,
                coding: line.coding.clone(),
                text,
            });
        }
    }
    found
}

/// Is the value of such a field a code, or a period, that the chart holds?
fn is_of_the_chart(field: &str) -> bool {
    // What is credited, and what tax stands on, are codings too.
    let of_any_coding = ["credit ", "tax "]
        .iter()
        .find_map(|side| field.strip_prefix(side))
        .unwrap_or(field);
    matches!(
        of_any_coding,
        "account" | "cost centre" | "sub-account" | "project"
    ) || matches!(field, "supplier" | "daybook" | "period")
}
