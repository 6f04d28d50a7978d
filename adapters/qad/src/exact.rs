//! Numbers, dates and nesting of the wire, exactly: an amount never passes through a float (contract qad §1.7).

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::profile::FieldPath;

/// The value at a path inside an object; `None` where a step is missing or no object.
pub(crate) fn find<'a>(root: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.steps()
        .try_fold(root, |value, step| value.as_object()?.get(step))
}

/// The JSON number with exactly the digits of a decimal.
pub(crate) fn number(amount: Decimal) -> Value {
    Value::Number(Number::from_string_unchecked(amount.to_string()))
}

/// The exact decimal of a JSON number, or of a text that is one; `None` for anything else, and for a number that
/// would have to be rounded.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => parse(&number.to_string()),
        Value::String(text) => parse(text.trim()),
        _ => None,
    }
}

fn parse(digits: &str) -> Option<Decimal> {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(digits).ok();
    };
    let mantissa = Decimal::from_str_exact(mantissa).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    // Move the point instead of multiplying, so that nothing is rounded on the way.
    let places = i32::try_from(mantissa.scale()).ok()?.checked_sub(exponent)?;
    match u32::try_from(places) {
        Ok(places) => Decimal::try_from_i128_with_scale(mantissa.mantissa(), places).ok(),
        Err(_) => {
            let factor = 10_i128.checked_pow(places.unsigned_abs())?;
            Decimal::try_from_i128_with_scale(mantissa.mantissa().checked_mul(factor)?, 0).ok()
        }
    }
}

/// A whole number, however it is written (`5`, `5.0`, `"5"`).
pub(crate) fn integer(value: &Value) -> Option<i64> {
    let exact = decimal(value)?.normalize();
    if exact.scale() == 0 {
        i64::try_from(exact.mantissa()).ok()
    } else {
        None
    }
}

/// What a value says as a word: a text trimmed, a flag or number as it is written, nothing for `null`. `None` for
/// lists and objects.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A date as QAD writes it, `YYYY-MM-DD` or `YYYY-MM-DDT00:00:00.000Z` (contract qad §1.7). A time of day other than
/// midnight is refused: it would mean that a time zone moved the date, and which day was meant could only be guessed.
pub(crate) fn date(value: &Value) -> Option<NaiveDate> {
    let text = value.as_str()?.trim();
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let clock = time
        .strip_suffix('Z')
        .or_else(|| time.strip_suffix("+00:00"))
        .unwrap_or(time);
    let midnight = clock
        .split('.')
        .all(|part| part.chars().all(|c| matches!(c, '0' | ':')));
    if midnight && day.len() == 10 {
        NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
    } else {
        None
    }
}

/// A date as the entity API takes it (contract qad §1.7).
pub(crate) fn dated(date: NaiveDate) -> Value {
    Value::String(date.format("%Y-%m-%dT00:00:00.000Z").to_string())
}

/// Why an amount that should be there cannot be read, for a message: the value, cut.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 {
        text.chars().take(60).chain("…".chars()).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_amount_keeps_every_digit_both_ways() {
        for text in ["212.50", "0.1", "1000", "12345678901234567890.12", "0.001"] {
            let amount = decimal(&json(text)).unwrap();
            assert_eq!(amount.to_string(), text);
            assert_eq!(number(amount).to_string(), text);
        }
        assert_eq!(decimal(&json("2.125e2")).unwrap().to_string(), "212.5");
        assert_eq!(decimal(&json("5E-2")), decimal(&json("0.05")));
        assert_eq!(decimal(&json("\" 212.50 \"")).unwrap().to_string(), "212.50");
    }

    #[test]
    fn what_would_be_rounded_or_is_no_number_is_no_amount() {
        for text in [
            "1e400",
            "1e-400",
            "0.12345678901234567890123456789012345",
            "true",
            "\"12,50\"",
            "\"\"",
            "null",
            "[]",
        ] {
            assert_eq!(decimal(&json(text)), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_however_written() {
        assert_eq!(integer(&json("5.0")), Some(5));
        assert_eq!(integer(&json("\"441\"")), Some(441));
        assert_eq!(integer(&json("5.5")), None);
    }

    #[test]
    fn a_date_that_a_time_zone_moved_is_refused() {
        let day = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap();
        for text in [
            "2024-05-31",
            "2024-05-31T00:00:00.000Z",
            "2024-05-31T00:00:00",
            "2024-05-31T00:00:00.000+00:00",
        ] {
            assert_eq!(date(&Value::String(text.into())), Some(day), "{text}");
        }
        for text in [
            "2024-05-30T22:00:00.000Z",
            "31.05.2024",
            "",
            "2024-05-31T00:00:00.000+02:00",
            "2024-05-31Tx",
        ] {
            assert_eq!(date(&Value::String(text.into())), None, "{text}");
        }
        assert_eq!(dated(day), Value::String("2024-05-31T00:00:00.000Z".into()));
    }

    #[test]
    fn a_path_walks_through_objects_only() {
        let root = json(r#"{"a": {"b": 1, "list": [1]}}"#);
        let at = |path: &str| find(&root, &FieldPath::new(path).unwrap()).cloned();
        assert_eq!(at("a.b"), Some(json("1")));
        assert_eq!(at("a.list.0"), None);
        assert_eq!(at("b"), None);
    }

    proptest! {
        #[test]
        fn any_decimal_survives_the_wire(mantissa in any::<i64>(), scale in 0u32..20) {
            let amount = Decimal::new(mantissa, scale);
            let read = decimal(&json(&number(amount).to_string())).unwrap();
            prop_assert_eq!(read.to_string(), amount.to_string());
        }
    }
}
