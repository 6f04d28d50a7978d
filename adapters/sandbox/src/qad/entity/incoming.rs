//! A document as it was sent, read by the shape into what it means. Keys that the shape does not name are ignored
//! without a word, as QAD ignores them (contract qad §1.7).

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::qad::amount;
use crate::qad::browse::day;
use crate::qad::envelope::Problem;
use crate::qad::path;
use crate::qad::shape::{DocumentShape, HeaderField, LineField};
use crate::qad::world::Line;

/// A document before QAD has judged it and filled in its defaults. Blank means empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::qad) struct Draft {
    pub(in crate::qad) entity: String,
    pub(in crate::qad) supplier: String,
    pub(in crate::qad) type_word: String,
    pub(in crate::qad) reference: String,
    pub(in crate::qad) description: String,
    pub(in crate::qad) invoice_date: Option<NaiveDate>,
    pub(in crate::qad) posting_date: Option<NaiveDate>,
    pub(in crate::qad) year: Option<i32>,
    pub(in crate::qad) period: Option<u32>,
    pub(in crate::qad) due_date: Option<NaiveDate>,
    pub(in crate::qad) daybook: String,
    pub(in crate::qad) currency: String,
    pub(in crate::qad) total_credit: Decimal,
    pub(in crate::qad) total_debit: Decimal,
    pub(in crate::qad) credit_terms: String,
    pub(in crate::qad) status_code: String,
    pub(in crate::qad) is_taxable: bool,
    pub(in crate::qad) origin_is_external: bool,
    pub(in crate::qad) voucher: u64,
    pub(in crate::qad) lines: Vec<Line>,
    /// The document as it came, for the record.
    pub(in crate::qad) sent: String,
}

/// Reads a document; what cannot be read, is missing or too long is added to the problems.
pub(in crate::qad) fn read(shape: &DocumentShape, document: &Value, problems: &mut Vec<Problem>) -> Draft {
    use HeaderField as H;
    let mut header = Reader {
        from: document,
        problems,
    };
    let mut draft = Draft {
        entity: header.text(shape.header_path(H::Entity)),
        supplier: header.text(shape.header_path(H::Supplier)),
        type_word: header.text(shape.header_path(H::Type)),
        reference: header.text(shape.header_path(H::Reference)),
        description: header.text(shape.header_path(H::Description)),
        invoice_date: header.date(shape.header_path(H::InvoiceDate)),
        posting_date: header.date(shape.header_path(H::PostingDate)),
        year: header
            .integer(shape.header_path(H::PostingYear))
            .and_then(|year| i32::try_from(year).ok()),
        period: header
            .integer(shape.header_path(H::PostingPeriod))
            .and_then(|period| u32::try_from(period).ok()),
        due_date: header.date(shape.header_path(H::DueDate)),
        daybook: header.text(shape.header_path(H::Daybook)),
        currency: header.text(shape.header_path(H::Currency)),
        total_credit: header.amount(shape.header_path(H::TotalCredit)),
        total_debit: header.amount(shape.header_path(H::TotalDebit)),
        credit_terms: header.text(shape.header_path(H::CreditTerms)),
        status_code: header.text(shape.header_path(H::StatusCode)),
        is_taxable: header.flag(shape.header_path(H::IsTaxable)),
        origin_is_external: header.flag(shape.header_path(H::OriginIsExternal)),
        voucher: header
            .integer(shape.header_path(H::Voucher))
            .and_then(|voucher| u64::try_from(voucher).ok())
            .unwrap_or_default(),
        lines: Vec::new(),
        sent: document.to_string(),
    };
    for field in &shape.required {
        header.require(shape.header_path(*field));
    }
    for (field, length) in &shape.max_length {
        header.limit(shape.header_path(*field), *length);
    }
    draft.lines = read_lines(shape, document, problems);
    draft
}

fn read_lines(shape: &DocumentShape, document: &Value, problems: &mut Vec<Problem>) -> Vec<Line> {
    use LineField as L;
    let sent = match path::find(document, &shape.lines) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(lines)) => lines,
        Some(_) => {
            problems.push(Problem::error(
                &shape.lines,
                "",
                "SIM-FORMAT",
                "The lines are not a list.",
            ));
            return Vec::new();
        }
    };
    let mut lines = Vec::with_capacity(sent.len());
    for (place, line) in (1..).zip(sent) {
        let mut reader = Reader { from: line, problems };
        let sequence = reader
            .integer(shape.line_path(L::Sequence))
            .and_then(|sequence| u32::try_from(sequence).ok());
        lines.push(Line {
            sequence: sequence.unwrap_or(place),
            account: reader.text(shape.line_path(L::Account)),
            sub_account: reader.text(shape.line_path(L::SubAccount)),
            cost_centre: reader.text(shape.line_path(L::CostCentre)),
            project: reader.text(shape.line_path(L::Project)),
            currency: reader.text(shape.line_path(L::Currency)),
            debit: reader.amount(shape.line_path(L::Debit)),
            credit: reader.amount(shape.line_path(L::Credit)),
            description: reader.text(shape.line_path(L::Description)),
        });
        for field in &shape.required_line {
            reader.require(shape.line_path(*field));
        }
        for (field, length) in &shape.max_line_length {
            reader.limit(shape.line_path(*field), *length);
        }
    }
    lines
}

/// Reads members of one object and notes what is wrong with them. An absent member and `null` are blank.
struct Reader<'a, 'p> {
    from: &'a Value,
    problems: &'p mut Vec<Problem>,
}

impl<'a> Reader<'a, '_> {
    fn given(&self, path: &str) -> Option<&'a Value> {
        path::find(self.from, path).filter(|value| !value.is_null())
    }

    fn text(&mut self, path: &str) -> String {
        match self.given(path) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                self.misread(path, other, "a text");
                String::new()
            }
        }
    }

    fn date(&mut self, path: &str) -> Option<NaiveDate> {
        let value = self.given(path)?;
        let read = value.as_str().and_then(day);
        if read.is_none() && value.as_str() != Some("") {
            self.misread(path, value, "a date");
        }
        read
    }

    fn integer(&mut self, path: &str) -> Option<i64> {
        let value = self.given(path)?;
        let read = amount::integer(value);
        if read.is_none() {
            self.misread(path, value, "a whole number");
        }
        read
    }

    fn amount(&mut self, path: &str) -> Decimal {
        let Some(value) = self.given(path) else {
            return Decimal::ZERO;
        };
        amount::decimal(value).unwrap_or_else(|| {
            self.misread(path, value, "an amount");
            Decimal::ZERO
        })
    }

    fn flag(&mut self, path: &str) -> bool {
        let Some(value) = self.given(path) else {
            return false;
        };
        value.as_bool().unwrap_or_else(|| {
            self.misread(path, value, "true or false");
            false
        })
    }

    fn require(&mut self, path: &str) {
        let blank = match self.given(path) {
            None => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if blank && !path.is_empty() {
            // The text is QAD's own, the code was seen beside another (§7.9).
            self.problems
                .push(Problem::error(path, "", "47", "Field is mandatory."));
        }
    }

    fn limit(&mut self, path: &str, length: usize) {
        if let Some(Value::String(text)) = self.given(path)
            && text.chars().count() > length
        {
            let message = format!("Field length should be less than {}.", length + 1);
            self.problems.push(Problem::error(path, text, "47", message));
        }
    }

    fn misread(&mut self, path: &str, value: &Value, expected: &str) {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let message = format!("The value is not {expected}.");
        self.problems
            .push(Problem::error(path, &shown, "SIM-FORMAT", message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(document: &Value) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        read(&DocumentShape::supplier_invoice(), document, &mut problems);
        problems
            .into_iter()
            .map(|problem| (problem.field, problem.message))
            .collect()
    }

    #[test]
    fn missing_and_blank_fields_are_named_in_qads_words() {
        let found = problems(&json!({"supplierCode": " ", "invoiceType": "INVOICE", "daybookCode": "SINV"}));
        assert_eq!(
            found,
            [
                ("SupplierCode", "Field is mandatory."),
                ("CurrencyCode", "Field is mandatory.")
            ]
            .map(|(field, message)| (field.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_in_qads_words() {
        let found = problems(&json!({
            "supplierCode": "S", "invoiceType": "INVOICE", "daybookCode": "D", "currencyCode": "USD",
            "reference": "É".repeat(21), "description": "é".repeat(5000),
        }));
        assert_eq!(
            found,
            [(
                "Reference".to_owned(),
                "Field length should be less than 21.".to_owned()
            )]
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_not_a_guess() {
        let found = problems(&json!({
            "supplierCode": 7, "invoiceType": "INVOICE", "daybookCode": "D", "currencyCode": "USD",
            "invoiceDate": "31.05.2024", "postingYear": "2024", "originalCreditTC": "212.50", "isTaxable": "no",
            "supplierInvoicePostingLines": {},
        }));
        let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "SupplierCode",
                "InvoiceDate",
                "PostingYear",
                "OriginalCreditTC",
                "IsTaxable",
                "SupplierInvoicePostingLines"
            ]
        );
    }
}
