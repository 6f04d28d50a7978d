//! Numbers of the wire, exactly: never through a float.
//!
//! Amounts are JSON numbers (contract qad §1.7). `serde_json` keeps their digits, and here they become decimals and
//! numbers again without losing one. A string is not an amount.

use rust_decimal::Decimal;
use serde_json::{Number, Value};

/// The exact decimal of a JSON number, exponents included; nothing for any other value, and nothing for a number
/// that a decimal cannot hold exactly (96 bits, 28 places).
pub fn decimal(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else { return None };
    let digits = number.to_string();
    if digits.contains(['e', 'E']) {
        from_scientific(&digits)
    } else {
        Decimal::from_str_exact(&digits).ok()
    }
}

/// The JSON number of a decimal with `places` decimals shown; more are shown if the amount has more.
pub fn number(amount: Decimal, places: u32) -> Value {
    let mut shown = amount.normalize();
    if shown.scale() < places {
        shown.rescale(places);
    }
    shown
        .to_string()
        .parse::<Number>()
        .map_or(Value::Null, Value::Number)
}

/// Whether `amount` is a whole number of the smallest unit of a currency with `places` decimals.
pub fn fits(amount: Decimal, places: u32) -> bool {
    amount.normalize().scale() <= places
}

/// A whole number, wherever JSON writes it (`5`, `5.0`, `5e0`).
pub fn integer(value: &Value) -> Option<i64> {
    let exact = decimal(value)?.normalize();
    (exact.scale() == 0)
        .then(|| i64::try_from(exact.mantissa()).ok())
        .flatten()
}

/// `1.5e3` and its like; the exponent is applied by moving the point, so nothing is rounded.
fn from_scientific(digits: &str) -> Option<Decimal> {
    let (mantissa, exponent) = digits.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let mantissa = Decimal::from_str_exact(mantissa).ok()?.normalize();
    let scale = i32::try_from(mantissa.scale()).ok()?.checked_sub(exponent)?;
    if let Ok(scale) = u32::try_from(scale) {
        return Decimal::try_from_i128_with_scale(mantissa.mantissa(), scale).ok();
    }
    let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
    Decimal::try_from_i128_with_scale(mantissa.mantissa().checked_mul(factor)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<Decimal> {
        decimal(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_json_number_keeps_its_digits() {
        assert_eq!(parse("212.50").unwrap().to_string(), "212.50");
        assert_eq!(
            parse("0.1").unwrap() + parse("0.2").unwrap(),
            parse("0.3").unwrap()
        );
        assert_eq!(
            parse("12345678901234567890.12").unwrap().to_string(),
            "12345678901234567890.12"
        );
        assert_eq!(parse("2.125e2"), parse("212.5"));
        assert_eq!(parse("5E-2"), parse("0.05"));
        assert_eq!(parse("3e3"), parse("3000"));
        assert_eq!(parse("1e400"), None);
    }

    #[test]
    fn a_string_is_not_an_amount() {
        assert_eq!(parse("\"212.50\""), None);
        assert_eq!(parse("true"), None);
    }

    #[test]
    fn an_amount_is_shown_with_the_decimals_of_its_currency() {
        assert_eq!(number(parse("212.5").unwrap(), 2).to_string(), "212.50");
        assert_eq!(number(parse("1200").unwrap(), 0).to_string(), "1200");
        assert_eq!(number(parse("0.125").unwrap(), 2).to_string(), "0.125");
    }

    #[test]
    fn yen_bear_no_decimals_and_dinars_three() {
        assert!(fits(parse("100.00").unwrap(), 0));
        assert!(!fits(parse("100.5").unwrap(), 0));
        assert!(fits(parse("1.125").unwrap(), 3));
    }

    #[test]
    fn an_integer_may_be_written_with_a_point() {
        assert_eq!(integer(&serde_json::from_str("5.0").unwrap()), Some(5));
        assert_eq!(integer(&serde_json::from_str("5.5").unwrap()), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=6) {
            let amount = Decimal::new(mantissa, scale);
            let text = number(amount, 2).to_string();
            proptest::prop_assert_eq!(parse(&text), Some(amount));
        }

        #[test]
        fn an_exponent_only_moves_the_point(mantissa in -999_999_i64..=999_999, exponent in -10_i32..=10) {
            let plain = if exponent < 0 {
                Decimal::new(mantissa, exponent.unsigned_abs())
            } else {
                Decimal::from(mantissa) * Decimal::from(10_i64.pow(exponent.unsigned_abs()))
            };
            proptest::prop_assert_eq!(parse(&format!("{mantissa}e{exponent}")), Some(plain));
        }
    }
}
