//! A backtest in a terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::Told;
use super::told::{Changed, Moved, Part, Sides, Total};
use crate::commands::terminal::{columns, safe};

/// Rows of movements that are shown.
const ROWS: usize = 60;
/// Of a report's documents and reasons, and of a document's words, that are shown.
const LINES: usize = 6;
const CHARACTERS: usize = 400;

const HEADER: [&str; 12] = [
    "CUR",
    "PERIOD",
    "ACCOUNT",
    "SUB-ACCOUNT",
    "COST CENTRE",
    "PROJECT",
    "SUPPLIER",
    "DR BEFORE",
    "CR BEFORE",
    "DR AFTER",
    "CR AFTER",
    "NET",
];
/// The first column that holds an amount.
const AMOUNTS: usize = 7;

/// All of it.
pub(super) fn words(told: &Told, named: &[Changed], unnamed: usize, proposed: bool) -> String {
    let mut text = head(told);
    if !told.movements.is_empty() {
        text.push_str("\nWhat stands of these reports, and what would stand:\n");
        text.push_str(&movements(told));
    }
    if !named.is_empty() {
        text.push_str("\nReports that come out otherwise:\n");
    }
    for changed in named {
        text.push_str(&report(changed));
    }
    if unnamed > 0 {
        line(
            &mut text,
            format_args!("  and {unnamed} more: --limit names more of them, --csv-reports FILE all"),
        );
    }
    text.push_str(&foot(told, proposed));
    text
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{words}");
}

fn head(told: &Told) -> String {
    let mut text = String::new();
    let counts = &told.counts;
    line(
        &mut text,
        format_args!(
            "{}: {} ({:.12})",
            told.connection,
            safe(&told.rules.name),
            told.rules.hash
        ),
    );
    let against = told
        .against
        .as_ref()
        .map_or_else(|| "no set in force".to_owned(), ToString::to_string);
    line(
        &mut text,
        format_args!(
            "  over {}, with the chart {}, beside {against}",
            told.span, told.chart
        ),
    );
    let changed = [
        counts.newly_mapped,
        counts.newly_rejected,
        counts.newly_held,
        counts.documents_changed,
        counts.reasons_changed,
        counts.forgotten,
    ]
    .into_iter()
    .fold(0, u64::saturating_add);
    line(
        &mut text,
        format_args!(
            "\n  {:>8} reports\n  {:>8} come out as they did",
            counts.reports,
            counts.reports.saturating_sub(changed)
        ),
    );
    let rows = [
        (counts.newly_mapped, "newly mapped"),
        (counts.newly_rejected, "newly rejected"),
        (counts.newly_held, "newly held or left out"),
        (
            counts.documents_changed,
            "mapped to documents that say something else",
        ),
        (counts.reasons_changed, "rejected or held for other reasons"),
        (
            counts.forgotten,
            "of people who were forgotten, which nobody can judge again",
        ),
    ];
    for (count, words) in rows.into_iter().filter(|(count, _)| *count > 0) {
        line(&mut text, format_args!("  {count:>8} {words}"));
    }
    text
}

/// The movements, and below each currency and period what did not move and what all of it comes to.
fn movements(told: &Told) -> String {
    let mut rows: Vec<[String; HEADER.len()]> = Vec::new();
    for total in &told.totals {
        let of_it = |row: &&Moved| {
            (row.currency.as_str(), row.year, row.period)
                == (total.currency.as_str(), total.year, total.period)
        };
        let mut any = false;
        for row in told.movements.iter().filter(of_it) {
            any = true;
            if rows.len() < ROWS {
                rows.push(cells(row));
            }
        }
        if any {
            rows.push(sum(total, "as it stood", &total.unmoved, &total.unmoved));
            rows.push(sum(total, "together", &total.before, &total.after));
        }
    }
    // Columns that say nothing are left out.
    let shown: BTreeSet<usize> = (0..HEADER.len())
        .filter(|column| {
            rows.iter()
                .any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty()))
        })
        .collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(columns) = columns() {
        table.set_width(columns);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(shown.iter().filter_map(|column| HEADER.get(*column)));
    for row in rows {
        table.add_row(shown.iter().filter_map(|column| row.get(*column)));
    }
    for (at, column) in shown.iter().enumerate() {
        if *column >= AMOUNTS
            && let Some(column) = table.column_mut(at)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    let more = told.movements.len().saturating_sub(ROWS);
    if more > 0 {
        line(
            &mut text,
            format_args!("  and {more} more, summed above: --csv FILE has them all"),
        );
    }
    text
}

fn cells(row: &Moved) -> [String; HEADER.len()] {
    let code = |code: &Option<String>| code.as_deref().map_or_else(String::new, safe);
    [
        row.currency.clone(),
        format!("{}/{}", row.year, row.period),
        code(&row.account),
        code(&row.sub_account),
        code(&row.cost_centre),
        code(&row.project),
        code(&row.supplier),
        row.before.debit.to_string(),
        row.before.credit.to_string(),
        row.after.debit.to_string(),
        row.after.credit.to_string(),
        row.net.to_string(),
    ]
}

fn sum(total: &Total, name: &str, before: &Sides, after: &Sides) -> [String; HEADER.len()] {
    let nothing = String::new;
    [
        total.currency.clone(),
        format!("{}/{}", total.year, total.period),
        name.to_owned(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        before.debit.to_string(),
        before.credit.to_string(),
        after.debit.to_string(),
        after.credit.to_string(),
        nothing(),
    ]
}

fn report(changed: &Changed) -> String {
    let mut text = String::new();
    let approved = changed
        .approved
        .map_or_else(|| "on a day nobody can read".to_owned(), |day| day.to_string());
    line(
        &mut text,
        format_args!(
            "\n  {}  approved {approved}  {}",
            changed.report_id,
            changed.change.words()
        ),
    );
    let sides = [
        ("before", changed.before.beside(&changed.after)),
        ("after ", changed.after.beside(&changed.before)),
    ];
    for (name, parts) in sides {
        let more = parts.len().saturating_sub(LINES);
        for part in parts.iter().take(LINES) {
            line(
                &mut text,
                format_args!("    {name}  {}", shortened(&safe(&words_of(part)))),
            );
        }
        if more > 0 {
            line(&mut text, format_args!("    {name}  and {more} more"));
        }
    }
    text
}

/// Of a document, the lines that differ.
fn words_of(part: &Part) -> String {
    let differ: Vec<&str> = part
        .lines
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(line, _)| line.as_str())
        .collect();
    let same = part.lines.len().saturating_sub(differ.len());
    let mut text = part.head.clone();
    if !differ.is_empty() {
        text.push_str(": ");
        text.push_str(&differ.join(", "));
    }
    if same > 0 {
        let lines = if same == 1 { "line" } else { "lines" };
        text.push_str(&format!("; {same} {lines} on both sides"));
    }
    text
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CHARACTERS {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(CHARACTERS).collect();
    format!("{beginning}…")
}

fn foot(told: &Told, proposed: bool) -> String {
    let mut text = String::new();
    let read_to = told.read_to.map_or_else(
        || "an empty log".to_owned(),
        |leaf| format!("the log to event {}", leaf.0),
    );
    line(&mut text, format_args!("\nresult     {}", told.result));
    line(&mut text, format_args!("statement  {}", told.statement));
    line(
        &mut text,
        format_args!(
            "           what an approval signs: these rules over this span and chart, {read_to}, with this result"
        ),
    );
    let hash = told.rules.hash.get(..12).unwrap_or(&told.rules.hash);
    let in_force = told
        .against
        .as_ref()
        .is_some_and(|active| active.hash == told.rules.hash);
    let next = if told.recorded {
        format!("It is on record. Next:\n  tieout rules approve {hash} --why …")
    } else if in_force {
        "These rules are in force: there is nothing to approve.".to_owned()
    } else if proposed {
        format!("Nothing was recorded. Next:\n  tieout rules backtest {hash} --record")
    } else {
        "Nothing was recorded, and nobody proposed these rules. Next:\n  tieout rules propose FILE --why …"
            .to_owned()
    };
    line(&mut text, format_args!("{next}"));
    text
}
