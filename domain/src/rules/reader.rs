//! Reads one table of the file, key by key, and keeps every fault it meets: a person who corrects a file wants them all.

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Place, RuleFault};
use super::position::{Lines, Position};
use crate::ids::{AccountCode, BadId};
use crate::posting::Coding;

/// A table as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) table: DeTable<'a>,
    span: Range<usize>,
}

/// A text, and where it stands.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) at: Position,
}

/// A table that is being read. What is taken is removed, so that what is left at the end is unknown.
pub(super) struct Reader<'a> {
    place: Place,
    lines: &'a Lines<'a>,
    /// Where the table stands: what is missing in it has no other place.
    at: Position,
    /// Where the value stands that was taken last.
    last: Position,
    table: DeTable<'a>,
    asked: Vec<&'static str>,
    faults: Vec<RuleFault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(place: Place, found: Found<'a>, lines: &'a Lines<'a>) -> Self {
        let at = lines.position(found.span.start);
        Self {
            place,
            lines,
            at,
            last: at,
            table: found.table,
            asked: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Of the whole file.
    pub(super) fn file(table: DeTable<'a>, lines: &'a Lines<'a>) -> Self {
        Self::new(Place::File, Found { table, span: 0..0 }, lines)
    }

    /// Of a table within this one.
    pub(super) fn inner(&self, place: Place, found: Found<'a>) -> Self {
        Self::new(place, found, self.lines)
    }

    /// Where the table stands.
    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// Where the value of a key stands, if it is still there; else the table.
    pub(super) fn at_key(&self, key: &str) -> Position {
        let value = self.table.get(key);
        value.map_or(self.at, |value| self.lines.position(value.span().start))
    }

    /// Where the value stands that was taken last.
    pub(super) fn at_last(&self) -> Position {
        self.last
    }

    /// Hands over the faults, and those of keys that nothing asked for.
    pub(super) fn finish(mut self, faults: &mut Vec<RuleFault>) {
        for key in self.table.keys() {
            let remedy = format!("Correct or remove it; known here: {}", self.asked.join(", "));
            let what = format!("`{}` is not known here", key.get_ref());
            let at = self.lines.position(key.span().start);
            self.faults
                .push(RuleFault::content(&self.place, at, what, remedy));
        }
        faults.append(&mut self.faults);
    }

    /// A fault of the value that was taken last.
    pub(super) fn fault(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.fault_at(self.last, what, remedy);
    }

    /// A fault of the table itself, e.g. that something is missing in it.
    pub(super) fn lacks(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        self.fault_at(self.at, what, remedy);
    }

    pub(super) fn fault_at(&mut self, at: Position, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults
            .push(RuleFault::content(&self.place, at, what, remedy));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.asked.push(key);
        let value = self.table.remove(key)?;
        self.look_at(&value);
        Some(value)
    }

    fn look_at(&mut self, value: &Spanned<DeValue<'a>>) {
        self.last = self.lines.position(value.span().start);
    }

    fn wrong(&mut self, key: &str, value: &Spanned<DeValue<'a>>, wanted: &str) {
        self.look_at(value);
        self.fault(
            format!("`{key}` is {} where {wanted} is wanted", self.described(value)),
            format!("Write {wanted}"),
        );
    }

    fn described(&self, value: &Spanned<DeValue<'a>>) -> String {
        let text: String = self.lines.written(value.span()).chars().take(60).collect();
        format!("{} {text}", value.get_ref().type_str())
    }

    /// What is left of the table, for one whose keys are data; as it stands in the file.
    pub(super) fn rest(&mut self) -> Vec<(String, Spanned<DeValue<'a>>)> {
        let rest = std::mem::take(&mut self.table).into_iter();
        let mut rest: Vec<_> = rest
            .map(|(key, value)| (key.into_inner().into_owned(), value))
            .collect();
        rest.sort_by(|(a, _), (b, _)| a.cmp(b));
        rest
    }

    pub(super) fn is_table(&self, key: &str) -> bool {
        self.table
            .get(key)
            .is_some_and(|value| value.get_ref().is_table())
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => {
                self.wrong(key, &value, "text in quotes, not blank,");
                None
            }
        }
    }

    /// One text or a list of texts; a blank one is allowed, and means that the source holds nothing there.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Text>> {
        let value = self.take(key)?;
        self.texts_of(key, value)
    }

    pub(super) fn texts_of(&mut self, key: &str, value: Spanned<DeValue<'a>>) -> Option<Vec<Text>> {
        self.look_at(&value);
        let span = value.span();
        let items: Vec<Spanned<DeValue<'a>>> = match value.into_inner() {
            DeValue::Array(items) => items.into_iter().collect(),
            one => vec![Spanned::new(span, one)],
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
            let Some(text) = item.get_ref().as_str() else {
                self.wrong(key, &item, "text in quotes, or a list of such texts,");
                return None;
            };
            texts.push(Text {
                text: text.trim().to_owned(),
                at: self.lines.position(item.span().start),
            });
        }
        Some(texts)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, &value, "true or false");
        }
        flag
    }

    /// A whole number, or a decimal in quotes: a number with a point would have to pass through a float. At most two
    /// decimals, since amounts come as whole hundredths (contract expensify §4.6).
    pub(super) fn amount(&mut self, key: &'static str) -> Option<Decimal> {
        let value = self.take(key)?;
        let amount = match value.get_ref() {
            DeValue::Integer(whole) => i64::from_str_radix(whole.as_str(), whole.radix())
                .ok()
                .map(Decimal::from),
            DeValue::String(text) => Decimal::from_str_exact(text.trim()).ok(),
            _ => None,
        };
        let Some(amount) = amount else {
            self.wrong(
                key,
                &value,
                "a whole number, or a decimal in quotes like \"99.50\",",
            );
            return None;
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
        let text = value.get_ref().as_str();
        let chosen = text.and_then(|text| choices.iter().find(|(name, _)| *name == text.trim()));
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
            self.lacks(
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

    pub(super) fn table(&mut self, key: &'static str) -> Option<Found<'a>> {
        let value = self.take(key)?;
        match found(value) {
            Ok(table) => Some(table),
            Err(other) => {
                self.wrong(key, &other, "a table { … }");
                None
            }
        }
    }

    /// A list of tables, as `[[key]]` makes one.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Found<'a>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        if !value.get_ref().is_array() {
            self.wrong(key, &value, &format!("a list of tables, each under [[{key}]],"));
            return Vec::new();
        }
        let DeValue::Array(items) = value.into_inner() else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match found(item) {
                Ok(table) => tables.push(table),
                Err(other) => self.wrong(key, &other, &format!("a table under [[{key}]]")),
            }
        }
        tables
    }

    /// `{ account = …, cost_centre = …, sub_account = …, project = … }`, or an account alone.
    pub(super) fn coding(&mut self, key: &'static str) -> Option<Coding> {
        let value = self.take(key)?;
        self.coding_of(key, value)
    }

    pub(super) fn coding_of(&mut self, key: &str, value: Spanned<DeValue<'a>>) -> Option<Coding> {
        self.look_at(&value);
        if let Some(text) = value.get_ref().as_str() {
            return self.code_of::<AccountCode>(key, text).map(account_alone);
        }
        let table = match found(value) {
            Ok(table) => table,
            Err(other) => {
                self.wrong(
                    key,
                    &other,
                    "an account in quotes or a table { account = …, cost_centre = … }",
                );
                return None;
            }
        };
        let mut inner = self.inner(Place::Section(format!("{}, `{key}`", self.place)), table);
        if !inner.has("account") {
            inner.lacks("`account` is missing", "Name the account");
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

    /// A code that stands as the value of a key that is data.
    pub(super) fn text_of<'v>(&mut self, value: &'v Spanned<DeValue<'a>>) -> Option<&'v str> {
        self.look_at(value);
        value.get_ref().as_str()
    }
}

fn found<'a>(value: Spanned<DeValue<'a>>) -> Result<Found<'a>, Spanned<DeValue<'a>>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Ok(Found { table, span }),
        other => Err(Spanned::new(span, other)),
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

/// Texts as a set, in the form that a field is compared in.
pub(super) fn set_of(texts: Vec<Text>, form: impl Fn(&str) -> String) -> BTreeSet<String> {
    texts.iter().map(|text| form(&text.text)).collect()
}
