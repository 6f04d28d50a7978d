//! Numbers: their arithmetic built-ins and their formats.

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::exec::{Trouble, failed};
use super::super::value::Value;
use super::Builtin;

/// Applies a built-in on numbers.
pub fn apply(value: Value<'_>, builtin: Builtin) -> Result<Value<'_>, Trouble> {
    let number = match (value, builtin) {
        (Value::Number(number), _) => number,
        (Value::Text(text), Builtin::Number) => match text.trim().parse::<Decimal>() {
            Ok(number) => number,
            Err(_) => return failed(format!("`{text}` is no number")),
        },
        (other, _) => return failed(format!("a number is wanted and there is a {}", other.kind())),
    };
    Ok(Value::Number(match builtin {
        Builtin::Abs => number.abs(),
        // FreeMarker rounds halves up, towards positive infinity.
        Builtin::Round => (number + Decimal::new(5, 1)).floor(),
        Builtin::Floor => number.floor(),
        Builtin::Ceiling => number.ceil(),
        Builtin::Whole => number.trunc(),
        _ => number,
    }))
}

/// A number as `?c` prints it: no grouping, no trailing zeros.
pub fn computer_number(number: Decimal) -> String {
    number.normalize().to_string()
}

/// A number by a pattern of Java's `DecimalFormat`, of which digits, grouping, percent and literal text are known.
pub fn number_format(number: Decimal, pattern: &str) -> String {
    let is_digit = |c: char| matches!(c, '0' | '#' | ',' | '.');
    let start = pattern.find(is_digit).unwrap_or(pattern.len());
    let (prefix, rest) = pattern.split_at(start);
    let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number = if pattern.contains('%') {
        number * Decimal::ONE_HUNDRED
    } else {
        number
    };
    let most = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let rounded = number.round_dp_with_strategy(most, RoundingStrategy::MidpointNearestEven);
    let plain = rounded.abs().normalize().to_string();
    let (plain_whole, plain_fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let least_whole = whole.matches('0').count();
    let least_fraction = fraction.matches('0').count();
    let mut out = String::new();
    if rounded.is_sign_negative() && !rounded.is_zero() {
        out.push('-');
    }
    out.push_str(prefix);
    let plain_whole = if plain_whole == "0" && least_whole == 0 {
        ""
    } else {
        plain_whole
    };
    let padded = format!("{plain_whole:0>least_whole$}");
    match whole
        .rfind(',')
        .map(|comma| whole.len() - comma - 1)
        .filter(|size| *size > 0)
    {
        Some(group) => {
            let length = padded.len();
            for (at, c) in padded.chars().enumerate() {
                if at > 0 && (length - at) % group == 0 {
                    out.push(',');
                }
                out.push(c);
            }
        }
        None => out.push_str(&padded),
    }
    let fraction = format!("{plain_fraction:0<least_fraction$}");
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(&fraction);
    }
    out.push_str(suffix);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_print_as_java_prints_them() {
        let check = |number: &str, pattern: &str, expected: &str| {
            assert_eq!(
                number_format(number.parse().unwrap(), pattern),
                expected,
                "{number} by {pattern}"
            );
        };
        check("1234567.891", "#,##0.###", "1,234,567.891");
        check("1234", "0.00", "1234.00");
        check("-0.5", "0", "0");
        check("1.5", "0", "2");
        check("0.25", "#.##", ".25");
        check("7", "000", "007");
        check("0.125", "0.#%", "12.5%");
    }
}
