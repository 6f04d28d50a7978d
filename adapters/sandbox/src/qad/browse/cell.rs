//! A value of a browse, and how it compares with the text of a filter.

use std::cmp::Ordering;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::qad::amount;
use crate::qad::world::folded;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Integer(i64),
    /// An amount, shown with so many decimals.
    Amount(Decimal, u32),
    Flag(bool),
    Date(NaiveDate),
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn to_json(&self, date_format: &str) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Amount(amount, places) => amount::number(*amount, *places),
            Self::Flag(flag) => json!(flag),
            Self::Date(day) => json!(day.format(date_format).to_string()),
        }
    }

    /// How this value stands to the text; nothing if the text is no value of its kind.
    pub(super) fn compare(&self, text: &str) -> Option<Ordering> {
        match self {
            Self::Text(own) => Some(folded(own).cmp(&folded(text))),
            Self::Integer(own) => Some(Decimal::from(*own).cmp(&text.trim().parse().ok()?)),
            Self::Amount(own, _) => Some(own.cmp(&text.trim().parse().ok()?)),
            Self::Flag(own) => Some(own.cmp(&flag(text)?)),
            Self::Date(own) => Some(own.cmp(&day(text)?)),
        }
    }

    /// The text of a character value, folded; only these have beginnings, ends and insides.
    pub(super) fn characters(&self) -> Option<String> {
        match self {
            Self::Text(own) => Some(folded(own)),
            _ => None,
        }
    }
}

fn flag(text: &str) -> Option<bool> {
    match folded(text).as_str() {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// The day of a date as it is written anywhere on this wire: `2024-05-31` or `2024-05-31T00:00:00.000Z`.
pub(in crate::qad) fn day(text: &str) -> Option<NaiveDate> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let plausible = time.is_none_or(|time| time.starts_with(|first: char| first.is_ascii_digit()));
    if !plausible || date.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_compares_in_its_own_way() {
        assert_eq!(Cell::text("abc").compare("ABC "), Some(Ordering::Equal));
        assert_eq!(Cell::Integer(9).compare("10"), Some(Ordering::Less));
        assert_eq!(
            Cell::Amount("212.50".parse().unwrap(), 2).compare("212.5"),
            Some(Ordering::Equal)
        );
        assert_eq!(Cell::Flag(true).compare("yes"), Some(Ordering::Equal));
        let may = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap();
        assert_eq!(
            Cell::Date(may).compare("2024-05-31T00:00:00.000Z"),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn a_text_of_another_kind_compares_with_nothing() {
        assert_eq!(Cell::Integer(9).compare("nine"), None);
        assert_eq!(Cell::Flag(true).compare("maybe"), None);
        assert_eq!(day("31.05.2024"), None);
        assert_eq!(day("2024-05-31Tomorrow"), None);
    }
}
