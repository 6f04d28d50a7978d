//! Report ids: one number in two spellings (contract §4.8).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of a report. Prints in base 62 (`R00bCluvcO4T`); reads that and the decimal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportId(pub u64);

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::new();
        let mut rest = self.0;
        while rest > 0 {
            let digit = usize::try_from(rest % 62).unwrap_or(0);
            digits.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
            rest /= 62;
        }
        let text: String = digits.into_iter().rev().collect();
        write!(f, "R{text:0>11}")
    }
}

impl FromStr for ReportId {
    type Err = NotAReportId;

    fn from_str(text: &str) -> Result<Self, NotAReportId> {
        let refuse = || NotAReportId(text.to_owned());
        if let Ok(decimal) = text.parse::<u64>() {
            return Ok(Self(decimal));
        }
        let digits = text
            .strip_prefix('R')
            .filter(|digits| !digits.is_empty())
            .ok_or_else(refuse)?;
        digits
            .bytes()
            .try_fold(0_u64, |sum, byte| {
                let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
                sum.checked_mul(62)?.checked_add(u64::try_from(digit).ok()?)
            })
            .map(Self)
            .ok_or_else(refuse)
    }
}

/// The text is neither form of a report id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no report id; a decimal number or R and base-62 digits is")]
pub struct NotAReportId(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_spellings_are_one_id() {
        let id = ReportId(2_080_715_894_610_667);
        assert_eq!(id.to_string(), "R009WqAY45L1");
        assert_eq!("R009WqAY45L1".parse(), Ok(id));
        assert_eq!("2080715894610667".parse(), Ok(id));
        assert!("R00!".parse::<ReportId>().is_err());
        assert!("RzzzzzzzzzzzzzzzzzR".parse::<ReportId>().is_err());
    }
}
