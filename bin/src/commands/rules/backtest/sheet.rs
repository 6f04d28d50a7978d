//! The files of `--csv` and `--csv-reports`: rows for a spreadsheet, which must not take a text for a formula.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use tempfile::NamedTempFile;

use super::told::{Changed, Moved, Outcome};
use crate::out::Failure;

/// A file that is being written: it takes its name once it is whole.
pub(super) struct Target {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Target {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if path.is_dir() {
            return Err(Failure::Usage(format!("{} is a folder", path.display())));
        }
        let file = NamedTempFile::new_in(folder)
            .map_err(|e| Failure::Usage(format!("{} cannot be written: {e}", path.display())))?;
        Ok(Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Two results in one file would leave one of them.
    pub(super) fn apart<'a>(paths: impl IntoIterator<Item = &'a Option<PathBuf>>) -> Result<(), Failure> {
        let mut seen = std::collections::BTreeSet::new();
        for path in paths.into_iter().flatten() {
            if !seen.insert(path) {
                return Err(Failure::Usage(format!(
                    "{} is named for two results: give each a file of its own",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        let path = self.path;
        let failed = |e: &dyn std::fmt::Display| {
            Failure::Outside(format!("{} cannot be written: {e}", path.display()))
        };
        let file = self.file.into_inner().map_err(|e| failed(e.error()))?;
        file.as_file().sync_all().map_err(|e| failed(&e))?;
        file.persist(&path).map_err(|e| failed(&e.error))?;
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Text as a cell: what a spreadsheet would take for a formula has an apostrophe before it. Amounts are no text.
fn text(text: &str) -> String {
    let formula = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula || text.starts_with(['\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn maybe(cell: Option<&String>) -> String {
    cell.map_or_else(String::new, |cell| text(cell))
}

struct Sheet(csv::Writer<Target>);

impl Sheet {
    fn begin(target: Target, header: &[&str]) -> Result<Self, Failure> {
        let mut sheet = Self(csv::Writer::from_writer(target));
        sheet.row(header.iter().map(|cell| (*cell).to_owned()))?;
        Ok(sheet)
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        self.0
            .write_record(cells.into_iter().collect::<Vec<_>>())
            .map_err(|e| Failure::Outside(format!("a row cannot be written: {e}")))
    }

    fn finish(self) -> Result<(), Failure> {
        let target = self
            .0
            .into_inner()
            .map_err(|e| Failure::Outside(format!("the rows cannot be written: {}", e.error())))?;
        target.finish()
    }
}

/// `--csv`.
pub(super) struct MovementSheet(Sheet);

impl MovementSheet {
    pub(super) fn begin(target: Target) -> Result<Self, Failure> {
        let header = [
            "currency",
            "year",
            "period",
            "account",
            "sub_account",
            "cost_centre",
            "project",
            "supplier",
            "debit_before",
            "credit_before",
            "debit_after",
            "credit_after",
            "net",
        ];
        Sheet::begin(target, &header).map(Self)
    }

    pub(super) fn add(&mut self, row: &Moved) -> Result<(), Failure> {
        let amount = |amount: Decimal| amount.to_string();
        self.0.row([
            text(&row.currency),
            row.year.to_string(),
            row.period.to_string(),
            maybe(row.account.as_ref()),
            maybe(row.sub_account.as_ref()),
            maybe(row.cost_centre.as_ref()),
            maybe(row.project.as_ref()),
            maybe(row.supplier.as_ref()),
            amount(row.before.debit),
            amount(row.before.credit),
            amount(row.after.debit),
            amount(row.after.credit),
            amount(row.net),
        ])
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.0.finish()
    }
}

/// `--csv-reports`.
pub(super) struct ReportSheet(Sheet);

impl ReportSheet {
    pub(super) fn begin(target: Target) -> Result<Self, Failure> {
        let header = [
            "report_id",
            "approved",
            "change",
            "verdict_before",
            "before",
            "verdict_after",
            "after",
        ];
        Sheet::begin(target, &header).map(Self)
    }

    pub(super) fn add(&mut self, changed: &Changed) -> Result<(), Failure> {
        let told = |outcome: &Outcome| text(&outcome.words().join("\n"));
        self.0.row([
            text(&changed.report_id.to_string()),
            changed.approved.map_or_else(String::new, |day| day.to_string()),
            changed.change.words().to_owned(),
            changed.before.verdict.to_owned(),
            told(&changed.before),
            changed.after.verdict.to_owned(),
            told(&changed.after),
        ])
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::rules::backtest::told::Sides;

    #[test]
    fn what_a_spreadsheet_would_take_for_a_formula_is_text_and_an_amount_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("movements.csv");
        let mut sheet = MovementSheet::begin(Target::open(&path).unwrap()).unwrap();
        let zero = Sides {
            debit: Decimal::ZERO,
            credit: Decimal::ZERO,
        };
        let row = Moved {
            currency: "USD".into(),
            year: 2026,
            period: 11,
            account: Some("=HYPERLINK(\"http://x\")".into()),
            sub_account: Some(" -01".into()),
            cost_centre: Some("a, \"b\"\nc".into()),
            project: None,
            supplier: Some("@SUM(A1)".into()),
            before: zero,
            after: zero,
            net: Decimal::new(-1_250, 2),
        };
        sheet.add(&row).unwrap();
        assert!(!path.exists(), "it has its name only once it is whole");
        sheet.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, rows) = text.split_once('\n').unwrap();
        assert_eq!(
            rows,
            "USD,2026,11,\"'=HYPERLINK(\"\"http://x\"\")\",' -01,\"a, \"\"b\"\"\nc\",,'@SUM(A1),0,0,0,0,-12.50\n"
        );
    }

    #[test]
    fn one_file_is_not_named_for_two_results() {
        let one = Some(PathBuf::from("a.csv"));
        assert!(Target::apart([&one, &None, &one]).is_err());
        assert!(Target::apart([&one, &None, &None]).is_ok());
    }
}
