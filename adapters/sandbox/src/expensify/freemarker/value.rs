//! The values a template works on. They borrow from the world where they can: a month of reports is not copied to be
//! rendered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::NaiveDateTime;
use rust_decimal::Decimal;

use super::syntax::Macro;

/// Something with named parts: a report, an expense, the globals.
pub trait Hash<'a> {
    /// The part named `key`; [`Value::Missing`] if there is none.
    fn get(&self, key: &str) -> Value<'a>;

    /// The names, for `?keys` and `<#list hash as k, v>`; objects of the data model need not list theirs.
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        false
    }
}

/// A value.
#[derive(Clone)]
pub enum Value<'a> {
    /// No such thing.
    Missing,
    /// True or false; prints nothing unless converted.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// Text.
    Text(Cow<'a, str>),
    /// A date and time; the flag says that it is a date only.
    Date(NaiveDateTime, bool),
    /// A sequence.
    List(Rc<Vec<Value<'a>>>),
    /// A hash.
    Hash(Rc<dyn Hash<'a> + 'a>),
    /// A macro or function of the template.
    Macro(MacroRef<'a>),
}

/// A macro as a value; opaque outside.
#[derive(Clone, Copy)]
pub struct MacroRef<'a>(pub(super) &'a Macro);

impl<'a> Value<'a> {
    /// Text borrowed from the data.
    pub fn text(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }

    /// Text made for the purpose.
    pub fn owned(text: impl Into<String>) -> Self {
        Value::Text(Cow::Owned(text.into()))
    }

    /// Text that may be absent: what Expensify prints then is an empty string.
    pub fn optional(text: Option<&'a str>) -> Self {
        Value::text(text.unwrap_or_default())
    }

    /// A whole number.
    pub fn integer(number: i64) -> Self {
        Value::Number(Decimal::from(number))
    }

    /// A whole number that prints as an empty string when absent.
    pub fn optional_integer(number: Option<i64>) -> Self {
        number.map_or(Value::text(""), Value::integer)
    }

    /// A sequence.
    pub fn list(values: Vec<Value<'a>>) -> Self {
        Value::List(Rc::new(values))
    }

    /// An object of the data model.
    pub fn hash(hash: impl Hash<'a> + 'a) -> Self {
        Value::Hash(Rc::new(hash))
    }

    /// What kind of thing it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Missing => "nothing",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Text(_) => "string",
            Value::Date(..) => "date",
            Value::List(_) => "sequence",
            Value::Hash(_) => "hash",
            Value::Macro(_) => "macro",
        }
    }

    pub(super) fn has_content(&self) -> bool {
        match self {
            Value::Missing => false,
            Value::Text(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Hash(hash) => !hash.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Date(..) | Value::Macro(_) => true,
        }
    }
}

/// A hash of named values: a literal of the template, or a small object of the data model. Keeps its order.
#[derive(Default)]
pub struct Record<'a> {
    order: Vec<String>,
    values: BTreeMap<String, Value<'a>>,
}

impl<'a> Record<'a> {
    /// Sets a part.
    pub fn set(&mut self, key: impl Into<String>, value: Value<'a>) {
        let key = key.into();
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push(key);
        }
    }

    /// The same record with a part more.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value<'a>) -> Self {
        self.set(key, value);
        self
    }
}

impl<'a> Hash<'a> for Record<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        self.values.get(key).cloned().unwrap_or(Value::Missing)
    }

    fn keys(&self) -> Vec<String> {
        self.order.clone()
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
