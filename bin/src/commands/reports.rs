//! `tieout reports`: the work list.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use tieout_domain::journal::Reader;
use tieout_domain::report::{Exclusion, StageName};
use tieout_projections::work_list::{
    Bucket, CaseKind, DocumentStanding, Listed, ListedDocument, Row, WorkListView, submitter_of,
};

use super::outcome::serde_name;
use super::terminal::{columns, safe};
use crate::cli::ReportsArgs;
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};
use crate::views::Views;

/// Brings the view up to date and prints it: rows of the states asked for, or all.
pub async fn run(installation: &Installation, args: &ReportsArgs, out: Out) -> Result<u8, Failure> {
    let wanted = Wanted::read(&args.state)?;
    let connections = installation.config.chosen(args.connection.as_deref())?;
    let (view, views) = (WorkListView::default(), Views::of(installation));
    view.catch_up(installation.log.as_ref(), &views).await?;
    let reader = Reader {
        log: installation.log.as_ref(),
        sealer: installation.people(),
    };
    let mut listed = Vec::new();
    let mut told = Vec::new();
    for connection in connections {
        for row in view.rows_of(&views, connection.id).await? {
            if !wanted.includes(row.stage(), row.bucket()) {
                continue;
            }
            let submitter = submitter_of(&reader, &row).await?;
            let report = Listed::of(&row, connection.name.as_str(), connection.qad.timezone, submitter);
            if !out.json {
                told.push(Told::of(&row, &report));
            }
            listed.push(report);
        }
    }
    out.words(&words(&listed, told, columns(), wanted.0.is_some()))?;
    out.document(&listed)?;
    Ok(DONE)
}

/// Which states are wanted: names of stages and of the parts of law 6's equation. A word that is both (`posted`) means
/// either. `None` wants all.
struct Wanted(Option<BTreeSet<String>>);

impl Wanted {
    fn read(states: &[String]) -> Result<Self, Failure> {
        if states.is_empty() {
            return Ok(Self(None));
        }
        let known: BTreeSet<String> = known_states();
        let mut wanted = BTreeSet::new();
        for state in states {
            let word = state.trim().to_lowercase().replace(['-', ' '], "_");
            if !known.contains(&word) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(Failure::Usage(format!(
                    "--state `{state}` is no state; there are {}",
                    known.join(", ")
                )));
            }
            wanted.insert(word);
        }
        Ok(Self(Some(wanted)))
    }

    fn includes(&self, stage: StageName, bucket: Bucket) -> bool {
        self.0
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&serde_name(stage)) || wanted.contains(&bucket_name(bucket)))
    }
}

fn known_states() -> BTreeSet<String> {
    // Every report on record was seen.
    let stages = StageName::ALL
        .into_iter()
        .filter(|stage| *stage != StageName::Unseen);
    stages
        .map(serde_name)
        .chain(Bucket::ALL.into_iter().map(bucket_name))
        .collect()
}

fn bucket_name(bucket: Bucket) -> String {
    bucket.as_str().replace(' ', "_")
}

/// Why a report is not simply done, and what to do about it. Both are empty for one that is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    /// The first reason, and how many more there are.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Advice {
    /// For a row of the work list. What only a person can settle comes first, then what waits, then what happened after
    /// posting.
    pub fn of(row: &Row) -> Self {
        let report = row.report_id;
        let in_doubt = row
            .now
            .documents
            .iter()
            .find_map(|document| match &document.standing {
                DocumentStanding::InDoubt {
                    doubt,
                    needs_a_person,
                    ..
                } => Some((doubt.clone(), *needs_a_person)),
                DocumentStanding::Sending { .. } => {
                    Some(("its intent is on record, and no outcome".to_owned(), false))
                }
                _ => None,
            });
        match in_doubt {
            Some((why, true)) => {
                let remedy = format!(
                    "Look at it in QAD, then settle it: `tieout resolve {report} --adopt YEAR/DAYBOOK/VOUCHER`."
                );
                return Self { why, remedy };
            }
            Some((why, false)) => {
                let remedy = "Nothing yet: each cycle looks for it in QAD, and sends it again only once it is proven absent after the quarantine.".to_owned();
                return Self { why, remedy };
            }
            None => {}
        }
        let reasons = row.reasons();
        if let Some(first) = reasons.first() {
            let more = reasons.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            return Self {
                why: format!("{}: {}{more}", first.code, first.message),
                remedy: first.remedy().to_owned(),
            };
        }
        if let Some(why) = &row.now.excluded {
            return Self {
                why: left_out(why),
                remedy: String::new(),
            };
        }
        if let Some(case) = row.cases.first() {
            let more = row.cases.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            return Self {
                why: format!("{}{more}", case.message),
                remedy: match case.case {
                    CaseKind::SourceDrifted | CaseKind::SourceGone => {
                        "See whether what was posted still stands; if not, reverse it in QAD."
                    }
                    CaseKind::DocumentDrifted => "See who changed it in QAD, and why.",
                    CaseKind::PaidAtSource => "See in QAD that it is not paid a second time.",
                }
                .to_owned(),
            };
        }
        Self::default()
    }
}

fn left_out(why: &Exclusion) -> String {
    match why {
        Exclusion::BeforeGoLive { approved, go_live } => {
            format!("approved {approved}, before go-live {go_live}: keyed by hand")
        }
        Exclusion::NothingToPost => "nothing on it posts".to_owned(),
        Exclusion::Decided {
            reason,
            ledger_reference: None,
        } => reason.clone(),
        Exclusion::Decided {
            reason,
            ledger_reference: Some(there),
        } => format!("{reason}; in the ledger it is {there}"),
    }
}

/// A row as people read it.
struct Told {
    urgency: u8,
    cells: [String; 7],
    advice: Advice,
}

impl Told {
    fn of(row: &Row, report: &Listed) -> Self {
        let documents: Vec<String> = report.documents.iter().map(document_words).collect();
        Self {
            urgency: urgency(report.bucket),
            cells: [
                serde_name(report.state),
                report.report_id.to_string(),
                safe(report.submitter.as_deref().unwrap_or("-")),
                safe(&report.currency),
                report
                    .total
                    .map_or_else(|| "?".to_owned(), |total| total.to_string()),
                documents.join("; "),
                report.connection.clone(),
            ],
            advice: Advice::of(row),
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

fn words(listed: &[Listed], mut told: Vec<Told>, columns: Option<u16>, chosen: bool) -> String {
    if listed.is_empty() {
        return if chosen {
            "No report is in these states.".to_owned()
        } else {
            "No report is on record yet: `tieout sync` captures them.".to_owned()
        };
    }
    told.sort_by_key(|row| row.urgency);
    let several: BTreeSet<&str> = listed.iter().map(|report| report.connection.as_str()).collect();
    let several = several.len() > 1;
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
    let mut header = vec!["STATE", "REPORT", "SUBMITTER", "CUR", "TOTAL", "DOCUMENTS"];
    header.extend(several.then_some("CONNECTION"));
    header.extend(["WHY", "WHAT TO DO"]);
    table.set_header(header);
    for Told { cells, advice, .. } in told {
        let [first @ .., connection] = cells;
        let mut row = Vec::from(first);
        row.extend(several.then_some(connection));
        row.extend([safe(&advice.why), safe(&advice.remedy)]);
        table.add_row(row);
    }
    if let Some(total) = table.column_mut(4) {
        total.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n\n{}", table.trim_fmt(), counts(listed))
}

fn counts(listed: &[Listed]) -> String {
    let mut by_state: BTreeMap<StageName, usize> = BTreeMap::new();
    for report in listed {
        *by_state.entry(report.state).or_default() += 1;
    }
    let list: Vec<String> = by_state
        .into_iter()
        .map(|(state, count)| format!("{count} {}", serde_name(state)))
        .collect();
    let reports = if listed.len() == 1 { "report" } else { "reports" };
    format!("{} {reports}: {}", listed.len(), list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_a_stage_or_a_part_of_the_equation_however_it_is_written() {
        let all = Wanted::read(&[]).unwrap();
        assert!(all.includes(StageName::Discovered, Bucket::Waiting));
        let some = Wanted::read(&["Rejected".into(), "in doubt".into(), "posted".into()]).unwrap();
        assert!(some.includes(StageName::Rejected, Bucket::Rejected));
        assert!(some.includes(StageName::Posting, Bucket::InDoubt));
        assert!(
            some.includes(StageName::MarkedExported, Bucket::Posted),
            "a word that is both means either"
        );
        assert!(!some.includes(StageName::Held, Bucket::Held));
    }

    #[test]
    fn an_unknown_state_is_wrong_usage_and_names_the_known_ones() {
        let Err(Failure::Usage(text)) = Wanted::read(&["rejcted".into()]) else {
            panic!("it was accepted");
        };
        assert!(
            text.contains("`rejcted`") && text.contains("partly_posted") && text.contains("marked_exported")
        );
        assert!(!text.contains("unseen"));
        assert!(Wanted::read(&[String::new()]).is_err());
    }
}
