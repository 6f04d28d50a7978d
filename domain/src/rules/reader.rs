//! Reads one table of the file, key by key, and keeps every fault it meets: a person who corrects a file wants them all.

use std::collections::BTreeSet;
use std::str::FromStr;

use rust_decimal::Decimal;
use toml::{Table, Value};

use super::fault::{Place, RuleFault};
use crate::ids::{AccountCode, BadId};
use crate::posting::Coding;

/// A table that is being read. What is taken is removed, so that what is left at the end is unknown.
pub(super) struct Reader {
    place: Place,
    table: Table,
    asked: Vec<&'static str>,
    faults: Vec<RuleFault>,
}

impl Reader {
    pub(super) fn new(place: Place, table: Table) -> Self {
        Self {
            place,
            table,
            asked: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Hands over the faults, and those of keys that nothing asked for.
    pub(super) fn finish(mut self, faults: &mut Vec<RuleFault>) {
        for key in self.table.keys() {
            let remedy = format!("Correct or remove it; known here: {}", self.asked.join(", "));
            self.faults.push(RuleFault::content(
                &self.place,
                format!("`{key}` is not known here"),
                remedy,
            ));
        }
        faults.append(&mut self.faults);
    }

    pub(super) fn fault(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(RuleFault::content(&self.place, what, remedy));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn wrong(&mut self, key: &str, value: &Value, wanted: &str) {
        self.fault(
            format!("`{key}` is {} where {wanted} is wanted", described(value)),
            format!("Write {wanted}"),
        );
    }

    /// What is left of the table, for one whose keys are data.
    pub(super) fn rest(&mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    pub(super) fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(Value::is_table)
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            other => {
                self.wrong(key, &other, "text in quotes, not blank,");
                None
            }
        }
    }

    /// One text or a list of texts; a blank one is allowed, and means that the source holds nothing there.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.take(key)?;
        self.texts_of(key, value)
    }

    pub(super) fn texts_of(&mut self, key: &str, value: Value) -> Option<Vec<String>> {
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        if items.is_empty() {
            self.fault(
                format!("`{key}` is an empty list, which no line matches"),
                "Name at least one value, or leave it out",
            );
            return None;
        }
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::String(text) => texts.push(text.trim().to_owned()),
                other => {
                    self.wrong(key, &other, "text in quotes, or a list of such texts,");
                    return None;
                }
            }
        }
        Some(texts)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            Value::Boolean(flag) => Some(flag),
            other => {
                self.wrong(key, &other, "true or false");
                None
            }
        }
    }

    /// A whole number, or a decimal in quotes: a number with a point would have to pass through a float. At most two
    /// decimals, since amounts come as whole hundredths (contract expensify §4.6).
    pub(super) fn amount(&mut self, key: &'static str) -> Option<Decimal> {
        let amount = match self.take(key)? {
            Value::Integer(whole) => Decimal::from(whole),
            other => match other
                .as_str()
                .and_then(|text| Decimal::from_str_exact(text.trim()).ok())
            {
                Some(amount) => amount,
                None => {
                    self.wrong(
                        key,
                        &other,
                        "a whole number, or a decimal in quotes like \"99.50\",",
                    );
                    return None;
                }
            },
        };
        let hundredths = amount
            .checked_mul(Decimal::ONE_HUNDRED)
            .filter(|h| h.fract().is_zero());
        if hundredths.is_none_or(|h| i64::try_from(h).is_err()) {
            self.fault(
                format!("`{key}` is {amount}, which no expense can amount to"),
                "Write at most two decimals: Expensify sends whole hundredths in every currency",
            );
            return None;
        }
        Some(amount)
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.take(key)?;
        let chosen = value
            .as_str()
            .and_then(|text| choices.iter().find(|(name, _)| *name == text.trim()));
        if chosen.is_none() {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.wrong(key, &value, &format!("one of {}", names.join(", ")));
        }
        chosen.map(|(_, choice)| *choice)
    }

    /// A choice that must be made.
    pub(super) fn required_choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        if !self.has(key) {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.asked.push(key);
            self.fault(
                format!("`{key}` is missing"),
                format!("Write one of {}", names.join(", ")),
            );
        }
        self.choice(key, choices)
    }

    pub(super) fn code<T: FromStr<Err = BadId>>(&mut self, key: &'static str) -> Option<T> {
        let text = self.text(key)?;
        self.code_of(key, &text)
    }

    pub(super) fn code_of<T: FromStr<Err = BadId>>(&mut self, key: &str, text: &str) -> Option<T> {
        match T::from_str(text) {
            Ok(code) => Some(code),
            Err(error) => {
                self.fault(format!("`{key}`: {error}"), "Write the code as QAD shows it");
                None
            }
        }
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<Table> {
        match self.take(key)? {
            Value::Table(table) => Some(table),
            other => {
                self.wrong(key, &other, "a table { … }");
                None
            }
        }
    }

    /// A list of tables, as `[[key]]` makes one.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let items = match value {
            Value::Array(items) => items,
            other => {
                self.wrong(key, &other, &format!("a list of tables, each under [[{key}]],"));
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for item in items {
            match item {
                Value::Table(table) => tables.push(table),
                other => self.wrong(key, &other, &format!("a table under [[{key}]]")),
            }
        }
        tables
    }

    /// `{ account = …, cost_centre = …, sub_account = …, project = … }`, or an account alone.
    pub(super) fn coding(&mut self, key: &'static str) -> Option<Coding> {
        let value = self.take(key)?;
        self.coding_of(key, value)
    }

    pub(super) fn coding_of(&mut self, key: &str, value: Value) -> Option<Coding> {
        match value {
            Value::String(text) => self.code_of::<AccountCode>(key, &text).map(account_alone),
            Value::Table(table) => {
                let mut inner = Self::new(Place::Section(format!("{}, `{key}`", self.place)), table);
                if !inner.has("account") {
                    inner.asked.push("account");
                    inner.fault("`account` is missing", "Name the account");
                }
                let account = inner.code("account");
                let coding = account.map(|account| Coding {
                    account,
                    sub_account: inner.code("sub_account"),
                    cost_centre: inner.code("cost_centre"),
                    project: inner.code("project"),
                });
                if coding.is_none() {
                    inner.rest();
                }
                inner.finish(&mut self.faults);
                coding
            }
            other => {
                self.wrong(
                    key,
                    &other,
                    "an account in quotes or a table { account = …, cost_centre = … }",
                );
                None
            }
        }
    }
}

fn account_alone(account: AccountCode) -> Coding {
    Coding {
        account,
        sub_account: None,
        cost_centre: None,
        project: None,
    }
}

fn described(value: &Value) -> String {
    let text: String = value.to_string().chars().take(60).collect();
    format!("{} {text}", value.type_str())
}

/// Texts as a set, in the form that a field is compared in.
pub(super) fn set_of(texts: Vec<String>, form: impl Fn(&str) -> String) -> BTreeSet<String> {
    texts.iter().map(|text| form(text)).collect()
}
