//! `tieout reports`: the work list.

mod advice;
mod table;

use std::collections::BTreeSet;

use tieout_domain::journal::Reader;
use tieout_domain::report::StageName;
use tieout_projections::work_list::{Bucket, Listed, Row, WorkListView, submitter_of};

pub use self::advice::Advice;
use self::table::{Line, table};
use super::outcome::serde_name;
use super::terminal::columns;
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
    let mut lines = Vec::new();
    for connection in connections {
        for row in view.rows_of(&views, connection.id).await? {
            if !wanted.includes(row.stage(), row.bucket(), &marks_of(&row)) {
                continue;
            }
            let submitter = submitter_of(&reader, &row).await?;
            let report = Listed::of(&row, connection.name.as_str(), connection.qad.timezone, submitter);
            if !out.json {
                lines.push(Line::of(&row, &report));
            }
            listed.push(report);
        }
    }
    if !out.json {
        let none = match wanted.0 {
            Some(_) => "No report is in these states.",
            None => "No report is on record yet: `tieout sync` captures them.",
        };
        if lines.is_empty() {
            out.words(none)?;
        } else {
            out.words(&table(lines, columns()))?;
        }
    }
    out.document(&listed)?;
    Ok(DONE)
}

/// The word for reports with an open case, whatever their state.
const CASE: &str = "case";

/// The word for reports that were mapped under rules their own submitter approved, whatever their state.
const OWN_RULES: &str = "approved_by_submitter";

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

    /// `marks`: what else a report is listed under, whatever its state.
    fn includes(&self, stage: StageName, bucket: Bucket, marks: &[&str]) -> bool {
        self.0.as_ref().is_none_or(|wanted| {
            wanted.contains(&serde_name(stage))
                || wanted.contains(&bucket_name(bucket))
                || marks.iter().any(|mark| wanted.contains(*mark))
        })
    }
}

fn marks_of(row: &Row) -> Vec<&'static str> {
    let case = (!row.cases.is_empty()).then_some(CASE);
    let own_rules = row.now.approved_by_submitter.then_some(OWN_RULES);
    case.into_iter().chain(own_rules).collect()
}

fn known_states() -> BTreeSet<String> {
    // Every report on record was seen.
    let stages = StageName::ALL
        .into_iter()
        .filter(|stage| *stage != StageName::Unseen);
    stages
        .map(serde_name)
        .chain(Bucket::ALL.into_iter().map(bucket_name))
        .chain([CASE, OWN_RULES].map(str::to_owned))
        .collect()
}

fn bucket_name(bucket: Bucket) -> String {
    bucket.as_str().replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_a_stage_or_a_part_of_the_equation_however_it_is_written() {
        let all = Wanted::read(&[]).unwrap();
        assert!(all.includes(StageName::Discovered, Bucket::Waiting, &[]));
        let some = Wanted::read(&["Rejected".into(), "in doubt".into(), "posted".into()]).unwrap();
        assert!(some.includes(StageName::Rejected, Bucket::Rejected, &[]));
        assert!(some.includes(StageName::Posting, Bucket::InDoubt, &[]));
        assert!(
            some.includes(StageName::MarkedExported, Bucket::Posted, &[]),
            "a word that is both means either"
        );
        assert!(!some.includes(StageName::Held, Bucket::Held, &[]));
        let cases = Wanted::read(&["case".into()]).unwrap();
        assert!(cases.includes(StageName::MarkedExported, Bucket::Posted, &[CASE]));
        assert!(!cases.includes(StageName::MarkedExported, Bucket::Posted, &[OWN_RULES]));
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
