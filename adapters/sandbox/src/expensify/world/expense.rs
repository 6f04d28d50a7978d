//! One expense (contract §4.4).

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An expense. `None` and an empty text are what a template sees as an empty string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expense {
    /// Digits, up to 19 and more: beyond 2^53.
    pub transaction_id: String,
    /// The kind (`cash`, `card`, ...): an open list.
    pub kind: String,
    /// The original amount in hundredths of `currency`; an edit does not change it.
    pub amount: i64,
    /// The edited amount.
    pub modified_amount: Option<i64>,
    /// The amount in hundredths of the report's currency; none prints blank.
    pub converted_amount: Option<i64>,
    /// The original currency.
    pub currency: String,
    /// The rate used.
    pub conversion_rate: Option<Decimal>,
    /// The date of the expense.
    pub created: NaiveDate,
    /// The edited date.
    pub modified_created: Option<NaiveDate>,
    /// When it entered Expensify.
    pub inserted: Option<DateTime<Utc>>,
    /// The merchant.
    pub merchant: String,
    /// The edited merchant.
    pub modified_merchant: Option<String>,
    /// The category.
    pub category: String,
    /// Its ledger code; none is looked up in the policy's categories.
    pub category_gl_code: Option<String>,
    /// Its payroll code; none is looked up in the policy's categories.
    pub category_payroll_code: Option<String>,
    /// The tag; levels are joined by `:`.
    pub tag: String,
    /// Ledger codes of the tag by level; none are looked up in the policy's tags.
    pub tag_gl_codes: Vec<String>,
    /// The description.
    pub comment: String,
    /// The employee is owed it.
    pub reimbursable: bool,
    /// A customer is charged for it.
    pub billable: bool,
    /// The feed it came from; blank for cash.
    pub bank: String,
    /// The company card.
    pub card_id: String,
    /// The card's name; only domain admins see it.
    pub card_name: String,
    /// The card's masked number; only domain admins see it.
    pub card_number: String,
    /// Merchant category code.
    pub mcc: Option<i64>,
    /// The edited code.
    pub modified_mcc: Option<i64>,
    /// The receipt.
    pub receipt_id: String,
    /// Its file name.
    pub receipt_filename: String,
    /// Its address; without one `receiptObject` is empty.
    pub receipt_url: Option<String>,
    /// Tax, if the expense has any.
    pub tax: Option<Tax>,
    /// Emails of who attended.
    pub attendees: Vec<String>,
    /// Distance; without it `units` is missing.
    pub units: Option<Units>,
    /// Mileage.
    pub is_distance: bool,
    /// The id its creator gave it.
    pub external_id: String,
    /// Split from another expense: `nameValuePairs.source` is `split`.
    pub split: bool,
}

impl Default for Expense {
    fn default() -> Self {
        Self {
            transaction_id: String::new(),
            kind: String::new(),
            amount: 0,
            modified_amount: None,
            converted_amount: None,
            currency: "USD".to_owned(),
            conversion_rate: None,
            created: NaiveDate::default(),
            modified_created: None,
            inserted: None,
            merchant: String::new(),
            modified_merchant: None,
            category: String::new(),
            category_gl_code: None,
            category_payroll_code: None,
            tag: String::new(),
            tag_gl_codes: Vec::new(),
            comment: String::new(),
            reimbursable: true,
            billable: false,
            bank: String::new(),
            card_id: String::new(),
            card_name: String::new(),
            card_number: String::new(),
            mcc: None,
            modified_mcc: None,
            receipt_id: String::new(),
            receipt_filename: String::new(),
            receipt_url: None,
            tax: None,
            attendees: Vec::new(),
            units: None,
            is_distance: false,
            external_id: String::new(),
            split: false,
        }
    }
}

impl Expense {
    /// The amount that counts, in hundredths of the report's currency: converted, else edited, else original.
    pub fn effective(&self) -> i64 {
        self.converted_amount
            .or(self.modified_amount)
            .unwrap_or(self.amount)
    }
}

/// Tax of an expense.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tax {
    /// Hundredths.
    pub amount: Option<i64>,
    /// The edited amount.
    pub modified_amount: Option<i64>,
    /// The scheme.
    pub name: String,
    /// Percent.
    pub rate: Option<Decimal>,
    /// The label of the rate.
    pub rate_name: String,
    /// The code.
    pub code: String,
}

/// Distance of an expense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// How many.
    pub count: Decimal,
    /// For each.
    pub rate: Decimal,
    /// `mi` or `km`.
    pub unit: String,
}
