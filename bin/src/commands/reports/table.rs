//! The work list as people read it: a table that fits the terminal, or a line a report for whatever reads a pipe.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use tieout_domain::report::StageName;
use tieout_projections::work_list::{Bucket, Listed, ListedDocument, Row};

use super::Advice;
use crate::commands::outcome::serde_name;
use crate::commands::terminal::safe;

const HEADER: [&str; 9] = [
    "STATE",
    "CONNECTION",
    "REPORT",
    "SUBMITTER",
    "CUR",
    "TOTAL",
    "DOCUMENTS",
    "WHY",
    "WHAT TO DO",
];
const CONNECTION: usize = 1;
const TOTAL: usize = 5;

/// A report as a line of the table.
pub struct Line {
    urgency: u8,
    state: StageName,
    cells: [String; HEADER.len()],
}

impl Line {
    /// Of a row and what is listed of it.
    pub fn of(row: &Row, report: &Listed) -> Self {
        let documents: Vec<String> = report.documents.iter().map(document_words).collect();
        let Advice { mut why, remedy } = Advice::of(row);
        if report.approved_by_submitter {
            let mark = if why.is_empty() { "" } else { "; " };
            why.push_str(mark);
            why.push_str("its submitter approved the rules");
        }
        let total = report
            .total
            .map_or_else(|| "?".to_owned(), |total| total.to_string());
        Self {
            urgency: urgency(report.bucket),
            state: report.state,
            cells: [
                serde_name(report.state),
                report.connection.clone(),
                report.report_id.to_string(),
                safe(report.submitter.as_deref().unwrap_or("-")),
                safe(&report.currency),
                total,
                documents.join("; "),
                safe(&why),
                safe(&remedy),
            ],
        }
    }
}

fn document_words(document: &ListedDocument) -> String {
    let kind = document.kind;
    document.voucher.map_or_else(
        || format!("{kind} {}", document.state.replace('_', " ")),
        |voucher| format!("{kind} {voucher} of {}", document.posting_date),
    )
}

/// What a person should see first comes first.
fn urgency(bucket: Bucket) -> u8 {
    match bucket {
        Bucket::InDoubt => 0,
        Bucket::PartlyPosted => 1,
        Bucket::Rejected => 2,
        Bucket::Held => 3,
        Bucket::Waiting => 4,
        Bucket::Withdrawn => 5,
        Bucket::Excluded => 6,
        Bucket::Posted => 7,
    }
}

/// The table, the most urgent first, and below it how many there are of each state. A column that says nothing here is
/// left out. Within `columns`, cells are broken into lines; without, a report is one line, however long.
pub fn table(mut lines: Vec<Line>, columns: Option<u16>) -> String {
    let counts = counts(&lines);
    lines.sort_by_key(|line| line.urgency);
    let cells = |column: usize| lines.iter().filter_map(move |line| line.cells.get(column));
    let telling: BTreeSet<usize> = (0..HEADER.len())
        .filter(|column| match *column {
            CONNECTION => cells(CONNECTION).collect::<BTreeSet<_>>().len() > 1,
            column => cells(column).any(|cell| !cell.is_empty()),
        })
        .collect();
    let mut table = Table::new();
    match columns {
        Some(width) => {
            table.load_style(presets::UTF8_HORIZONTAL_ONLY);
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.load_style(presets::NOTHING);
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(only(&telling, HEADER));
    for line in lines {
        table.add_row(only(&telling, line.cells));
    }
    let total = telling.iter().position(|column| *column == TOTAL);
    if let Some(total) = total.and_then(|column| table.column_mut(column)) {
        total.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n\n{counts}", table.trim_fmt())
}

fn only<T>(telling: &BTreeSet<usize>, cells: impl IntoIterator<Item = T>) -> Vec<T> {
    let cells = cells.into_iter().enumerate();
    cells
        .filter(|(column, _)| telling.contains(column))
        .map(|(_, cell)| cell)
        .collect()
}

fn counts(lines: &[Line]) -> String {
    let mut by_state: BTreeMap<StageName, usize> = BTreeMap::new();
    for line in lines {
        *by_state.entry(line.state).or_default() += 1;
    }
    let list: Vec<String> = by_state
        .into_iter()
        .map(|(state, count)| format!("{count} {}", serde_name(state)))
        .collect();
    let reports = if lines.len() == 1 { "report" } else { "reports" };
    format!("{} {reports}: {}", lines.len(), list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: StageName, urgency: u8, connection: &str, documents: &str) -> Line {
        let cells = [
            serde_name(state),
            connection.into(),
            "R0000000000H".into(),
            "-".into(),
            "USD".into(),
            "12.50".into(),
            documents.into(),
            "because of a word".into(),
            String::new(),
        ];
        Line {
            urgency,
            state,
            cells,
        }
    }

    #[test]
    fn the_most_urgent_comes_first_and_a_column_that_says_nothing_is_left_out() {
        let text = table(
            vec![
                line(StageName::Posted, 7, "one", ""),
                line(StageName::Rejected, 2, "one", ""),
            ],
            None,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].contains("rejected") && lines[2].contains("posted"),
            "{text}"
        );
        assert_eq!(lines[4], "2 reports: 1 rejected, 1 posted");
        for column in ["CONNECTION", "DOCUMENTS", "WHAT TO DO"] {
            assert!(!text.contains(column), "{text}");
        }
        let text = table(
            vec![
                line(StageName::Posted, 7, "one", "supplier invoice 7"),
                line(StageName::Posted, 7, "two", ""),
            ],
            None,
        );
        assert!(
            text.contains("CONNECTION") && text.contains("supplier invoice 7"),
            "{text}"
        );
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let text = table(
            vec![line(StageName::Held, 3, "one", "supplier invoice planned")],
            Some(60),
        );
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }
}
