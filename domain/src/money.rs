//! Amounts: decimals with their currency, and the way from Expensify's hundredths to them.
//!
//! Expensify sends hundredths for every currency, whatever ISO 4217 says (contract expensify §4.6). The third decimal
//! of KWD, BHD and TND is lost at the source: what arrives is exact to the hundredth and is taken as it is. A remainder
//! that a currency cannot bear, half a yen say, is refused and never rounded.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Why an amount cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217.
    #[error("`{0}` is not a currency of ISO 4217")]
    UnknownCurrency(String),
    /// The currency has fewer decimals than the amount needs.
    #[error("{amount} {currency} has a remainder that {currency} cannot bear ({decimals} decimals)")]
    Remainder {
        /// The amount.
        amount: Decimal,
        /// Its currency.
        currency: Currency,
        /// How many decimals the currency has.
        decimals: u32,
    },
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

/// Where the library's list and ISO 4217 disagree, or a currency has no minor unit of its own there, ISO's word.
const MINOR_UNITS: &[(&str, u32)] = &[
    ("HUF", 2),
    ("MGA", 2),
    ("MRU", 2),
    ("UGX", 0),
    ("ISK", 0),
    ("CLP", 0),
    ("CVE", 2),
];

impl Currency {
    /// Reads a code of three letters, in any case.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(&code.trim().to_uppercase())
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(16).collect()))
    }

    /// The code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals an amount of this currency has: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn minor_units(self) -> u32 {
        MINOR_UNITS
            .iter()
            .find(|(code, _)| *code == self.code())
            .map_or_else(|| self.0.exponent().map_or(0, u32::from), |(_, units)| *units)
    }

    /// Refuses an amount with more decimals than the currency bears.
    pub fn bears(self, amount: Decimal) -> Result<Decimal, MoneyError> {
        let decimals = self.minor_units();
        if amount.round_dp(decimals) == amount {
            Ok(amount.trunc_with_scale(decimals))
        } else {
            Err(MoneyError::Remainder {
                amount: amount.normalize(),
                currency: self,
                decimals,
            })
        }
    }

    /// The exact amount that so many hundredths are, with this currency's decimals; refused if a remainder is left.
    pub fn from_hundredths(self, hundredths: i64) -> Result<Decimal, MoneyError> {
        let amount = self.bears(Decimal::new(hundredths, 2))?;
        let mut scaled = amount;
        scaled.rescale(self.minor_units());
        Ok(scaled)
    }
}
impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::new(code)
    }
}
impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount of hundredths as Expensify sent it: kept whatever it was, so that nothing is lost before it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Hundredths {
    /// Nothing was sent, which for `modifiedAmount` means *not edited* (contract expensify §4.2).
    #[default]
    Blank,
    /// A whole number of hundredths.
    Of(i64),
    /// Something else: a reason to reject, with what was sent.
    Unreadable(String),
}
impl Hundredths {
    /// The number, when one was sent.
    pub fn get(&self) -> Option<i64> {
        match self {
            Self::Of(value) => Some(*value),
            _ => None,
        }
    }
}
impl From<&str> for Hundredths {
    fn from(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            Self::Blank
        } else {
            trimmed
                .parse()
                .map_or_else(|_| Self::Unreadable(text.to_owned()), Self::Of)
        }
    }
}
impl From<String> for Hundredths {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}
impl From<Hundredths> for String {
    fn from(value: Hundredths) -> String {
        value.to_string()
    }
}
impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => Ok(()),
            Self::Of(value) => value.fmt(f),
            Self::Unreadable(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    #[test]
    fn hundredths_become_amounts_with_the_decimals_of_their_currency() {
        assert_eq!(
            currency("USD").from_hundredths(21_250).unwrap().to_string(),
            "212.50"
        );
        assert_eq!(
            currency("JPY").from_hundredths(100_000).unwrap().to_string(),
            "1000"
        );
        assert_eq!(currency("KWD").from_hundredths(123).unwrap().to_string(), "1.230");
        assert_eq!(currency("EUR").from_hundredths(-5).unwrap().to_string(), "-0.05");
    }

    #[test]
    fn half_a_yen_is_refused_and_never_rounded() {
        let refusal = currency("JPY").from_hundredths(100_050).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "1000.5 JPY has a remainder that JPY cannot bear (0 decimals)"
        );
    }

    #[test]
    fn an_unknown_currency_is_named() {
        assert_eq!(
            Currency::new("XQQ").unwrap_err().to_string(),
            "`XQQ` is not a currency of ISO 4217"
        );
    }

    #[test]
    fn minor_units_are_those_of_iso_4217() {
        for (code, units) in [
            ("USD", 2),
            ("EUR", 2),
            ("GBP", 2),
            ("CAD", 2),
            ("MXN", 2),
            ("CHF", 2),
            ("CNY", 2),
            ("INR", 2),
            ("HUF", 2),
            ("MGA", 2),
            ("MRU", 2),
            ("JPY", 0),
            ("KRW", 0),
            ("VND", 0),
            ("CLP", 0),
            ("ISK", 0),
            ("UGX", 0),
            ("PYG", 0),
            ("XOF", 0),
            ("XAF", 0),
            ("RWF", 0),
            ("KWD", 3),
            ("BHD", 3),
            ("TND", 3),
            ("OMR", 3),
            ("JOD", 3),
            ("IQD", 3),
            ("LYD", 3),
        ] {
            assert_eq!(currency(code).minor_units(), units, "{code}");
        }
    }

    #[test]
    fn what_is_no_number_is_kept_as_it_came() {
        assert_eq!(Hundredths::from("12.5"), Hundredths::Unreadable("12.5".into()));
        assert_eq!(Hundredths::from(" "), Hundredths::Blank);
        assert_eq!(Hundredths::from("-700"), Hundredths::Of(-700));
    }

    proptest! {
        #[test]
        fn hundredths_survive_exactly_or_are_refused(value in any::<i32>(), which in 0usize..3) {
            let currency = currency(["USD", "JPY", "KWD"][which]);
            match currency.from_hundredths(i64::from(value)) {
                Ok(amount) => prop_assert_eq!(amount * Decimal::from(100), Decimal::from(value)),
                Err(_) => prop_assert!(currency.minor_units() == 0 && value % 100 != 0),
            }
        }
    }

    #[test]
    fn currencies_are_in_the_order_of_their_codes_and_written_as_them() {
        let (eur, usd) = (currency("EUR"), currency("USD"));
        assert_eq!(eur.partial_cmp(&usd), Some(std::cmp::Ordering::Less));
        assert_eq!(usd.partial_cmp(&usd), Some(std::cmp::Ordering::Equal));
        assert_eq!(
            (eur.to_string(), format!("{usd:?}")),
            ("EUR".to_owned(), "USD".to_owned())
        );
    }
}
