//! A calendar month: the period that controllers count by.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar month, written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month of the form 2026-10")]
pub struct BadMonth(String);

impl From<NaiveDate> for Month {
    fn from(date: NaiveDate) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
        }
    }
}
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
impl FromStr for Month {
    type Err = BadMonth;
    fn from_str(text: &str) -> Result<Self, BadMonth> {
        let day = format!("{}-01", text.trim());
        NaiveDate::parse_from_str(&day, "%Y-%m-%d")
            .map(Self::from)
            .map_err(|_| BadMonth(text.chars().take(20).collect()))
    }
}
impl TryFrom<String> for Month {
    type Error = BadMonth;
    fn try_from(text: String) -> Result<Self, BadMonth> {
        text.parse()
    }
}
impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_and_read_alike() {
        let month = Month::from(NaiveDate::from_ymd_opt(2026, 1, 31).unwrap());
        assert_eq!(month.to_string(), "2026-01");
        assert_eq!("2026-01".parse::<Month>().unwrap(), month);
        assert!("2026-13".parse::<Month>().is_err());
        assert!("2026-01".parse::<Month>().unwrap() < "2026-02".parse().unwrap());
    }
}
