//! A line made up to show what a set of rules would do: in refusals, and in tests.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;

use super::view::{Field, LineView};
use crate::ids::Email;

/// A line that two rules both match, in the values that matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Policy id.
    pub policy: String,
    /// Category.
    pub category: String,
    /// Full tag.
    pub tag: String,
    /// Submitter.
    pub employee: Option<Email>,
    /// Report fields.
    pub fields: BTreeMap<String, String>,
    /// Currency of the expense.
    pub currency: String,
    /// Is the employee owed it?
    pub reimbursable: bool,
    /// Card program.
    pub card_program: String,
    /// Merchant.
    pub merchant: String,
    /// Kind.
    pub kind: String,
    /// Amount in the report's currency.
    pub amount: Decimal,
    /// The fields that matter: those that are shown.
    pub matters: Vec<Field>,
}
impl Default for Witness {
    fn default() -> Self {
        Self {
            policy: String::new(),
            category: String::new(),
            tag: String::new(),
            employee: None,
            fields: BTreeMap::new(),
            currency: "USD".to_owned(),
            reimbursable: true,
            card_program: String::new(),
            merchant: String::new(),
            kind: String::new(),
            amount: Decimal::ONE_HUNDRED,
            matters: Vec::new(),
        }
    }
}
impl Witness {
    /// As the rules see it.
    pub fn view(&self) -> LineView<'_> {
        LineView {
            policy: &self.policy,
            category: &self.category,
            category_gl: "",
            tag: &self.tag,
            tag_gl: "",
            tag_levels: &[],
            employee: self.employee.as_ref(),
            fields: &self.fields,
            currency: &self.currency,
            reimbursable: self.reimbursable,
            card_program: &self.card_program,
            merchant: &self.merchant,
            kind: &self.kind,
            amount: self.amount,
        }
    }

    /// Sets a text field; the amount and the levels of a tag have their own ways in.
    pub(super) fn put(&mut self, field: &Field, value: &str) {
        match field {
            Field::Policy => self.policy = value.to_owned(),
            Field::Category => self.category = value.to_owned(),
            Field::Tag => self.tag = value.to_owned(),
            Field::Employee => self.employee = Email::new(value).ok(),
            Field::Report(name) => {
                self.fields.insert(name.clone(), value.to_owned());
            }
            Field::Currency => self.currency = value.to_owned(),
            Field::Reimbursable => self.reimbursable = value == "true",
            Field::CardProgram => self.card_program = value.to_owned(),
            Field::Merchant => self.merchant = value.to_owned(),
            Field::Kind => self.kind = value.to_owned(),
            Field::TagLevel(_) | Field::Amount => {}
        }
    }
}
impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.matters.is_empty() {
            return f.write_str("any line");
        }
        f.write_str("a line with ")?;
        for (index, field) in self.matters.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match self.view().value(field) {
                value if value.is_empty() => write!(f, "{comma}no {field}")?,
                value if matches!(field, Field::Amount | Field::Reimbursable) => {
                    write!(f, "{comma}{field} {value}")?
                }
                value => write!(f, "{comma}{field} \"{value}\"")?,
            }
        }
        Ok(())
    }
}
