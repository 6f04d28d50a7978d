//! Texts in columns: how wide a text is, what must not reach a terminal as it is, and where a line breaks.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// May this character disturb what stands around it: a control character, or one that turns the direction of text?
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text as it may stand on a terminal: every character as it is, but for those that would move the cursor, colour the
/// screen or turn the direction of what follows; these are written out, e.g. `\u{1b}`.
pub(crate) fn shown(text: &str) -> String {
    if !text.chars().any(disturbs) {
        return text.to_owned();
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 16), |mut out, c| {
            if disturbs(c) {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
            out
        })
}

/// A text filled with blanks to so many columns; a longer one stays whole.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Breaks a text into lines of at most so many columns, between words where it can. In one pass: a text may be of many
/// megabytes.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for (index, word) in text.split(' ').enumerate() {
        let wide = width(word);
        if index > 0 && used > 0 && used + 1 + wide <= columns {
            line.push(' ');
            line.push_str(word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if wide <= columns {
            line.push_str(word);
            used = wide;
            continue;
        }
        for c in word.chars() {
            let wide = UnicodeWidthChar::width(c).unwrap_or(0);
            if used + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Writes a paragraph: `first` before its first line, as many blanks before the others.
pub(crate) fn paragraph(out: &mut impl fmt::Write, first: &str, text: &str, columns: usize) -> fmt::Result {
    let indent = width(first);
    let blank = " ".repeat(indent);
    for (index, line) in wrapped(&shown(text), columns.saturating_sub(indent))
        .iter()
        .enumerate()
    {
        let before = if index == 0 { first } else { &blank };
        writeln!(out, "{}", format!("{before}{line}").trim_end())?;
    }
    Ok(())
}

/// Writes rows in aligned columns, the last of them wrapped into what room is left. Rows may be of different lengths.
pub(crate) fn table(
    out: &mut impl fmt::Write,
    indent: usize,
    rows: &[Vec<String>],
    columns: usize,
) -> fmt::Result {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        let all_but_last = row.len().saturating_sub(1);
        for (index, cell) in row.iter().take(all_but_last).enumerate() {
            let wide = width(&shown(cell));
            match widths.get_mut(index) {
                Some(known) => *known = wide.max(*known),
                None => widths.push(wide),
            }
        }
    }
    for row in rows {
        let mut line = " ".repeat(indent);
        let Some((last, cells)) = row.split_last() else {
            continue;
        };
        for (cell, wide) in cells.iter().zip(&widths) {
            line.push_str(&padded(&shown(cell), *wide));
            line.push_str("  ");
        }
        paragraph(out, &line, last, columns)?;
    }
    Ok(())
}

/// Digits in groups of three, so that a column of amounts can be read.
pub(crate) fn grouped(amount: rust_decimal::Decimal) -> String {
    let text = amount.to_string();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, String::new()), |(w, f)| (w, format!(".{f}")));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_play_with_the_terminal_is_written_out_and_all_others_stay() {
        assert_eq!(shown("a\u{1b}[31mred\nnext"), "a\\u{1b}[31mred\\nnext");
        assert_eq!(shown("x\u{202e}y"), "x\\u{202e}y");
        let hostile = "\"quotes\" \\ </script> ${7*7} <#list &amp; 😀 שלום";
        assert_eq!(shown(hostile), hostile);
    }

    #[test]
    fn lines_break_between_words_and_long_words_break_anywhere() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrapped("abcdefghijklmnop", 8), ["abcdefgh", "ijklmnop"]);
        assert_eq!(
            wrapped("漢字漢字漢字", 8),
            ["漢字漢字", "漢字"],
            "a wide character takes two columns"
        );
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn a_text_of_megabytes_is_broken_in_one_pass() {
        let lines = wrapped(&"x".repeat(8_000_000), 80);
        assert_eq!((lines.len(), lines[99_999].len()), (100_000, 80));
    }

    #[test]
    fn columns_are_aligned_whatever_the_script() {
        let mut out = String::new();
        let rows = [
            vec!["漢".to_owned(), "one".to_owned()],
            vec!["abc".to_owned(), "two".to_owned()],
        ];
        table(&mut out, 1, &rows, 40).unwrap();
        assert_eq!(out, " 漢   one\n abc  two\n");
    }

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (given, wanted) in [
            ("1234567.80", "1,234,567.80"),
            ("-999", "-999"),
            ("-1000.5", "-1,000.5"),
            ("0.00", "0.00"),
        ] {
            assert_eq!(grouped(given.parse().unwrap()), wanted);
        }
    }
}
