//! An expense as a template sees it (contract §4.4).

use super::super::freemarker::{Hash, Record, Value};
use super::super::world::{Category, Expense, Policy, Report};
use super::{Look, date, instant};

/// An expense as `expense.` shows it.
#[derive(Clone, Copy)]
pub(super) struct ExpenseView<'a> {
    pub expense: &'a Expense,
    pub report: &'a Report,
    pub policy: Option<&'a Policy>,
    pub look: Look,
}

impl<'a> Hash<'a> for ExpenseView<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        let (expense, look) = (self.expense, self.look);
        let tax = expense.tax.as_ref();
        match key {
            "transactionID" => Value::text(&expense.transaction_id),
            "reportID" => Value::owned(self.report.id.to_string()),
            "type" => Value::text(&expense.kind),
            "amount" => Value::integer(expense.amount),
            "modifiedAmount" => look.integer(expense.modified_amount),
            "convertedAmount" => look.integer(expense.converted_amount),
            "currency" => Value::text(&expense.currency),
            "currencyConversionRate" => expense.conversion_rate.map_or(look.optional(None), Value::Number),
            "created" => date(Some(expense.created)),
            "modifiedCreated" => match expense.modified_created {
                None => look.optional(None),
                edited => date(edited),
            },
            "inserted" => instant(expense.inserted),
            "merchant" => look.text(&expense.merchant),
            "modifiedMerchant" => look.optional(expense.modified_merchant.as_deref()),
            "category" => look.text(&expense.category),
            "categoryGlCode" => {
                look.text(self.category_code(expense.category_gl_code.as_deref(), |c| c.gl_code.as_deref()))
            }
            "categoryPayrollCode" => {
                look.text(self.category_code(expense.category_payroll_code.as_deref(), |c| {
                    c.payroll_code.as_deref()
                }))
            }
            "tag" => look.text(&expense.tag),
            "tagGlCode" => look.text(self.tag_code(0)),
            "comment" => look.text(&expense.comment),
            "reimbursable" => Value::Bool(expense.reimbursable),
            "billable" => Value::Bool(expense.billable),
            "bank" => look.text(&expense.bank),
            "cardID" => Value::text(&expense.card_id),
            "cardName" => self.card(&expense.card_name),
            "cardNumber" => self.card(&expense.card_number),
            "mcc" => look.integer(expense.mcc),
            "modifiedMCC" => look.integer(expense.modified_mcc),
            "receiptID" => Value::text(&expense.receipt_id),
            "receiptFilename" => look.text(&expense.receipt_filename),
            "receiptObject" => Value::hash(match &expense.receipt_url {
                None => Record::default(),
                Some(url) => Record::default()
                    .with("url", Value::text(url))
                    .with("thumbnail", Value::text(url))
                    .with("smallThumbnail", Value::text(url))
                    .with("type", Value::text("image"))
                    .with("receiptID", Value::text(&expense.receipt_id))
                    .with("transactionID", Value::text(&expense.transaction_id)),
            }),
            "hasTax" => Value::Bool(tax.is_some()),
            "taxAmount" => look.integer(tax.and_then(|tax| tax.amount)),
            "modifiedTaxAmount" => look.integer(tax.and_then(|tax| tax.modified_amount)),
            "taxName" => look.optional(tax.map(|tax| tax.name.as_str())),
            "taxRate" => tax
                .and_then(|tax| tax.rate)
                .map_or(look.optional(None), Value::Number),
            "taxRateName" => look.optional(tax.map(|tax| tax.rate_name.as_str())),
            "taxCode" => look.optional(tax.map(|tax| tax.code.as_str())),
            "attendees" => Value::list(
                expense
                    .attendees
                    .iter()
                    .map(|email| Value::hash(Record::default().with("email", look.text(email))))
                    .collect(),
            ),
            "units" => match &expense.units {
                None => Value::Missing,
                Some(units) => Value::hash(
                    Record::default()
                        .with("count", Value::Number(units.count))
                        .with("rate", Value::Number(units.rate))
                        .with("unit", Value::text(&units.unit)),
                ),
            },
            "isDistance" => Value::Bool(expense.is_distance),
            "externalID" => look.text(&expense.external_id),
            "unverified" => Value::Bool(false),
            "modified" => {
                Value::Bool(expense.modified_amount.is_some() || expense.modified_merchant.is_some())
            }
            "details" | "transactionHash" => Value::text(""),
            "nameValuePairs" if expense.split => {
                Value::hash(Record::default().with("source", Value::text("split")))
            }
            "nameValuePairs" => Value::hash(Record::default()),
            other => self.tag_level(other),
        }
    }
}

impl<'a> ExpenseView<'a> {
    /// Card names and numbers are for domain admins.
    fn card(&self, text: &'a str) -> Value<'a> {
        if text.is_empty() || self.look.cards {
            self.look.text(text)
        } else {
            Value::text("Unknown")
        }
    }

    fn category_code(&self, own: Option<&'a str>, of_policy: fn(&'a Category) -> Option<&'a str>) -> &'a str {
        let named = || {
            let policy = self.policy?;
            of_policy(
                policy
                    .categories
                    .iter()
                    .find(|category| category.name == self.expense.category)?,
            )
        };
        own.or_else(named).unwrap_or_default()
    }

    /// The ledger code of the tag at `level`, from 0.
    fn tag_code(&self, level: usize) -> &'a str {
        let named = || {
            let levels = &self.policy?.tags;
            let text = match levels.as_slice() {
                // A flat list holds dependent tags whole.
                [_] => self.expense.tag.as_str(),
                _ => self.expense.tag.split(':').nth(level)?,
            };
            let level = levels.get(level)?;
            level.tags.iter().find(|tag| tag.name == text)?.gl_code.as_deref()
        };
        self.expense
            .tag_gl_codes
            .get(level)
            .map(String::as_str)
            .or_else(named)
            .unwrap_or_default()
    }

    /// `ntag1`, `ntag2GlCode`, ...
    fn tag_level(&self, key: &str) -> Value<'a> {
        let Some(rest) = key.strip_prefix("ntag") else {
            return Value::Missing;
        };
        let (number, code) = match rest.strip_suffix("GlCode") {
            Some(number) => (number, true),
            None => (rest, false),
        };
        match number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1))
        {
            None => Value::Missing,
            Some(level) if code => self.look.text(self.tag_code(level)),
            Some(level) => self
                .look
                .text(self.expense.tag.split(':').nth(level).unwrap_or_default()),
        }
    }
}
