//! Dates with Java's patterns (`yyyy-MM-dd HH:mm:ss`), as far as templates use them.

use chrono::format::{Parsed, StrftimeItems, parse_and_remainder};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// What `${date}` prints in the locale `en_US`.
pub fn default_text(at: NaiveDateTime, date_only: bool) -> String {
    let pattern = if date_only {
        "%b %-d, %Y"
    } else {
        "%b %-d, %Y %-I:%M:%S %p"
    };
    at.format(pattern).to_string()
}

/// Formats by a Java pattern (or `iso`).
pub fn format(at: NaiveDateTime, date_only: bool, pattern: &str) -> Option<String> {
    let pattern = match pattern {
        "iso" | "xs" if date_only => "%Y-%m-%d".to_owned(),
        "iso" | "xs" => "%Y-%m-%dT%H:%M:%SZ".to_owned(),
        java => strftime(java)?,
    };
    Some(at.format(&pattern).to_string())
}

/// Parses by a Java pattern; what follows the date in `text` is left alone, as Java's own parser leaves it. Without a
/// pattern, ISO forms are taken.
pub fn parse(text: &str, pattern: Option<&str>) -> Option<NaiveDateTime> {
    let iso = ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd"];
    match pattern {
        Some(pattern) => parse_one(text, pattern),
        None => iso.iter().find_map(|pattern| parse_one(text, pattern)),
    }
}

fn parse_one(text: &str, pattern: &str) -> Option<NaiveDateTime> {
    let pattern = strftime(pattern)?;
    let mut parsed = Parsed::new();
    parse_and_remainder(&mut parsed, text, StrftimeItems::new(&pattern)).ok()?;
    let date = parsed
        .to_naive_date()
        .ok()
        .or_else(|| NaiveDate::from_ymd_opt(1970, 1, 1))?;
    let time = parsed.to_naive_time().unwrap_or(NaiveTime::MIN);
    Some(date.and_time(time))
}

/// A Java pattern in chrono's words; none if a letter of it is not known.
fn strftime(java: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = java.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            // Quoted text; '' is a quote.
            let mut any = false;
            for quoted in chars.by_ref() {
                if quoted == '\'' {
                    break;
                }
                any = true;
                out.push_str(&literal(quoted));
            }
            if !any {
                out.push('\'');
            }
            continue;
        }
        if !c.is_ascii_alphabetic() {
            out.push_str(&literal(c));
            continue;
        }
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        out.push_str(match (c, count) {
            ('y', 2) => "%y",
            ('y', _) => "%Y",
            ('M', 1) => "%-m",
            ('M', 2) => "%m",
            ('M', 3) => "%b",
            ('M', _) => "%B",
            ('d', 1) => "%-d",
            ('d', _) => "%d",
            ('H', 1) => "%-H",
            ('H', _) => "%H",
            ('h', 1) => "%-I",
            ('h', _) => "%I",
            ('m', _) => "%M",
            ('s', _) => "%S",
            ('S', _) => "%3f",
            ('E', 1..=3) => "%a",
            ('E', _) => "%A",
            ('a', _) => "%p",
            ('z' | 'Z', _) => "UTC",
            _ => return None,
        });
    }
    Some(out)
}

fn literal(c: char) -> String {
    if c == '%' { "%%".to_owned() } else { c.to_string() }
}
