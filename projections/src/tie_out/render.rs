//! The tie-out as a controller reads it: a block for each group, then what does not tie out.

use std::fmt;

use super::{Cell, TieOut, TieOutRow};
use crate::text::{grouped, paragraph, width};
use crate::work_list::Bucket;

/// Writes the tie-out in so many columns (differences wrap; the blocks need 56).
pub fn render(tie_out: &TieOut, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    for row in &tie_out.rows {
        block(row, out)?;
        writeln!(out)?;
    }
    if tie_out.not_ours > 0 {
        let text = format!(
            "{} documents in the ledger bear references that are not ours.",
            tie_out.not_ours
        );
        paragraph(out, "", &text, columns)?;
    }
    for difference in &tie_out.differences {
        paragraph(
            out,
            "- ",
            &format!("{}: {}", difference.connection, difference.what),
            columns,
        )?;
    }
    let open = tie_out.rows.iter().filter(|row| !row.balances()).count();
    match (tie_out.ties(), tie_out.differences.len()) {
        (true, _) => writeln!(out, "It ties out."),
        (false, named) => {
            let differences = if named == 1 { "difference" } else { "differences" };
            let sums = if open == 1 {
                "sum that does not agree"
            } else {
                "sums that do not agree"
            };
            writeln!(out, "It does not tie out: {named} {differences}, {open} {sums}.")
        }
    }
}

const LABEL: usize = 28;
const COUNT: usize = 8;
const AMOUNT: usize = 20;

fn block(row: &TieOutRow, out: &mut impl fmt::Write) -> fmt::Result {
    let group = &row.group;
    let period = group.period.map_or_else(
        || "no readable approval date".to_owned(),
        |period| period.to_string(),
    );
    let currency = if group.currency.is_empty() {
        "no currency"
    } else {
        &group.currency
    };
    writeln!(
        out,
        "{}",
        crate::text::shown(&format!("{}, {currency}, approved in {period}", group.connection))
    )?;
    writeln!(out, "{:LABEL$}{:>COUNT$}{:>AMOUNT$}", "", "reports", "amount")?;
    line(out, "seen at the source", &row.seen)?;
    if row.gone.count > 0 {
        line(out, "+ seen once, gone since", &row.gone)?;
    }
    for (index, bucket) in Bucket::ALL.into_iter().enumerate() {
        let sign = if index == 0 { '=' } else { '+' };
        let note = if bucket == Bucket::Posted {
            " (as QAD shows it)"
        } else {
            ""
        };
        line(out, &format!("{sign} {}{note}", bucket.as_str()), &row.of(bucket))?;
    }
    let (left, right) = row.sides();
    if row.balances() {
        return writeln!(out, "  ties");
    }
    let mut gap = Cell {
        amount: left.amount.saturating_sub(right.amount),
        ..Cell::default()
    };
    gap.count = left.count.abs_diff(right.count);
    let sign = if left.count < right.count { "-" } else { "" };
    let label = "  does not tie, off by";
    writeln!(
        out,
        "{}{:>COUNT$}{:>AMOUNT$}",
        crate::text::padded(label, LABEL),
        format!("{sign}{}", gap.count),
        grouped(gap.amount)
    )
}

fn line(out: &mut impl fmt::Write, label: &str, cell: &Cell) -> fmt::Result {
    let label = format!("{label}{}", " ".repeat(LABEL.saturating_sub(width(label))));
    write!(
        out,
        "{label}{:>COUNT$}{:>AMOUNT$}",
        cell.count,
        grouped(cell.amount)
    )?;
    match cell.without_amount {
        0 => writeln!(out),
        some => writeln!(out, "  and {some} whose amount cannot be read"),
    }
}
