//! `tieout rules backtest`: what a rule set would have made of history, without any effect (design §6).
//!
//! One pass over the reports feeds whatever was asked for. A changed report is told and let go again: the files' rows are
//! written as they come, what standard output is to hold as JSON waits in a temporary file, and only so many reports as a
//! terminal or a page shows stay in memory. A file takes its name only once it is whole.

mod html;
mod sheet;
mod spool;
mod table;
mod told;

use serde::{Serialize, Serializer};
use serde_json::json;
use tieout_domain::journal::{Actor, JournalError, SystemActor};
use tieout_domain::ports::{Leaf, LogError};
use tieout_domain::rules::{
    Backtest, ChartOf, Counts, RuleSet, RuleSetVersion, RuleSets, RulesCommand, RulesEvent, Span,
    StatementHash, decide_rules, statement_of, statement_text,
};
use tieout_domain::workflow::{Backtested, Change, Trial, WorkflowError};

use self::html::Page;
use self::sheet::{MovementSheet, ReportSheet, Target};
use self::spool::Spool;
use self::told::{Changed, Moved, Total, moved, totals};
use super::place::{Place, named};
use crate::cli::{BacktestArgs, ChartChoice};
use crate::commands::sync::bar_for;
use crate::helpers::on_every_core;
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};

/// Reports that a terminal names, unless asked for more or fewer.
const NAMED: usize = 20;

/// What is told of a backtest, wherever.
#[derive(Serialize)]
struct Told {
    connection: String,
    rules: Tried,
    #[serde(serialize_with = "both_ends")]
    span: Span,
    chart: ChartOf,
    against: Option<RuleSetVersion>,
    read_to: Option<Leaf>,
    #[serde(serialize_with = "every_count")]
    counts: Counts,
    movements: Vec<Moved>,
    totals: Vec<Total>,
    result: StatementHash,
    statement: StatementHash,
    /// The text that the statement is the hash of.
    #[serde(skip)]
    signed: String,
    recorded: bool,
}

/// An end that is open is said, too.
fn both_ends<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    json!({"from": span.from, "to": span.to}).serialize(serializer)
}

/// So is a count of none.
fn every_count<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    json!({
        "reports": counts.reports,
        "newly_mapped": counts.newly_mapped,
        "newly_rejected": counts.newly_rejected,
        "newly_held": counts.newly_held,
        "documents_changed": counts.documents_changed,
        "reasons_changed": counts.reasons_changed,
        "forgotten": counts.forgotten,
    })
    .serialize(serializer)
}

/// What was tried.
#[derive(Serialize)]
struct Tried {
    /// As it was named.
    name: String,
    hash: String,
}

/// Does it.
pub(super) async fn run(installation: &Installation, args: BacktestArgs, out: Out) -> Result<u8, Failure> {
    let place = Place::of(installation, args.connection.clone())?;
    let span = span(&args)?;
    let chart = match args.chart {
        ChartChoice::Then => ChartOf::Then,
        ChartChoice::Now => ChartOf::Now,
    };
    let desk = place.desk("rules backtest");
    let (sets, _) = desk.rule_sets().await?;
    let (rules, name) = draft(&place, &sets, args.rules.as_deref())?;
    if args.record {
        may_be_recorded(&sets, &rules, span, chart)?;
    }
    let mut sinks = Sinks::of(&args, out)?;
    let against = sets.active().map(|active| active.version.clone());
    let trial = Trial {
        rules: &rules,
        against: against.as_ref(),
        span,
        chart,
    };
    let tried = tried(&place, trial, &mut sinks, out).await?;

    let Backtested { backtest, movements } = tried;
    let recorded = args.record && record(&place, &rules, &backtest).await?;
    let told = Told {
        connection: place.config.name.to_string(),
        rules: Tried {
            name,
            hash: rules.hash().as_str().to_owned(),
        },
        span: backtest.span,
        chart: backtest.chart,
        read_to: backtest.read_to,
        counts: backtest.counts,
        movements: moved(&movements),
        totals: totals(&movements),
        statement: statement_of(rules.hash(), &backtest),
        signed: statement_text(rules.hash(), &backtest),
        result: backtest.result,
        against: backtest.against,
        recorded,
    };
    let proposed = sets
        .get(rules.hash())
        .is_some_and(|file| !file.authors.is_empty());
    sinks.finish(&told, proposed, out)?;
    Ok(DONE)
}

fn span(args: &BacktestArgs) -> Result<Span, Failure> {
    match (args.from, args.to) {
        (Some(from), Some(to)) if to < from => Err(Failure::Usage(format!(
            "--from {from} is after --to {to}: no day lies between them"
        ))),
        (from, to) => Ok(Span { from, to }),
    }
}

/// What is to be tried, and its name for people.
fn draft(place: &Place<'_>, sets: &RuleSets, named_as: Option<&str>) -> Result<(RuleSet, String), Failure> {
    match named_as {
        Some(text) => Ok((named(place, sets, text)?, text.to_owned())),
        None => Ok((
            place.installation.rules(place.config)?.0,
            place.config.rules.display().to_string(),
        )),
    }
}

/// What would not be recorded is refused before the work, not after it.
fn may_be_recorded(sets: &RuleSets, rules: &RuleSet, span: Span, chart: ChartOf) -> Result<(), Failure> {
    let command = RulesCommand::RecordBacktest {
        hash: rules.hash().clone(),
        backtest: Backtest {
            span,
            chart,
            against: None,
            read_to: None,
            counts: Counts::default(),
            result: StatementHash(String::new()),
        },
    };
    decide_rules(sets, command)
        .map(drop)
        .map_err(|refusal| WorkflowError::from(refusal).into())
}

/// Records it, unless it is on record already. True where it is on record now.
async fn record(place: &Place<'_>, rules: &RuleSet, backtest: &Backtest) -> Result<bool, Failure> {
    let actor = Actor::System {
        part: SystemActor::Mapper,
    };
    let mut overtaken = false;
    let (sets, events) = place
        .desk("rules backtest")
        .ask_rules(actor, |sets| {
            overtaken = sets.active().map(|active| &active.version) != backtest.against.as_ref();
            (!overtaken).then(|| RulesCommand::RecordBacktest {
                hash: rules.hash().clone(),
                backtest: backtest.clone(),
            })
        })
        .await?;
    if overtaken {
        return Err(Failure::Person(
            "another rule set came into force while history was read: run the backtest again".to_owned(),
        ));
    }
    let stands = sets.get(rules.hash()).and_then(|file| file.backtest()) == Some(backtest);
    Ok(stands
        || events
            .iter()
            .any(|event| matches!(event, RulesEvent::RuleSetBacktested { .. })))
}

async fn tried(
    place: &Place<'_>,
    trial: Trial<'_>,
    sinks: &mut Sinks,
    out: Out,
) -> Result<Backtested, Failure> {
    let desk = place.desk("rules backtest");
    let bar = if out.shows_progress() {
        bar_for(place.config.name.as_str())
    } else {
        indicatif::ProgressBar::hidden()
    };
    bar.set_message("finding the reports");
    let mut roster = desk.roster();
    roster.catch_up(place.installation.log.as_ref()).await?;
    let reports: Vec<_> = roster.iter().map(|(report, _)| report).collect();
    drop(roster);
    bar.set_message("mapping history again");
    bar.set_length(reports.len() as u64);
    let looked = || bar.inc(1);
    let mut trouble = None;
    let result = desk
        .what_if()
        .telling(&looked)
        .helped_by(&on_every_core)
        .backtest(trial, reports, |change| {
            sinks.take(change).map_err(|failure| {
                let detail = failure.to_string();
                trouble = Some(failure);
                given_up(detail)
            })
        })
        .await;
    bar.finish_and_clear();
    match (result, trouble) {
        (_, Some(failure)) => Err(failure),
        (result, None) => Ok(result?),
    }
}

/// Ends the backtest where what it says cannot be kept; [`tried`] tells why.
fn given_up(detail: String) -> WorkflowError {
    WorkflowError::Journal(JournalError::Log(LogError::Failed {
        place: "the result of the backtest".to_owned(),
        detail,
    }))
}

/// Whatever a changed report is told to.
struct Sinks {
    /// Those that standard output names.
    named: usize,
    /// For a terminal.
    words: Vec<Changed>,
    /// For JSON.
    spool: Option<Spool>,
    movements: Option<MovementSheet>,
    reports: Option<ReportSheet>,
    page: Option<Page>,
    seen: usize,
}

impl Sinks {
    fn of(args: &BacktestArgs, out: Out) -> Result<Self, Failure> {
        Target::apart([&args.csv, &args.csv_reports, &args.html])?;
        let open = |path: &Option<std::path::PathBuf>| path.as_deref().map(Target::open).transpose();
        Ok(Self {
            named: args.limit.unwrap_or(if out.json { usize::MAX } else { NAMED }),
            words: Vec::new(),
            spool: out.json.then(Spool::open).transpose()?,
            movements: open(&args.csv)?.map(MovementSheet::begin).transpose()?,
            reports: open(&args.csv_reports)?.map(ReportSheet::begin).transpose()?,
            page: open(&args.html)?.map(Page::begin),
            seen: 0,
        })
    }

    fn take(&mut self, change: &Change) -> Result<(), Failure> {
        let changed = Changed::of(change);
        if let Some(reports) = &mut self.reports {
            reports.add(&changed)?;
        }
        if let Some(page) = &mut self.page {
            page.add(&changed);
        }
        if self.seen < self.named {
            match &mut self.spool {
                Some(spool) => spool.add(&changed)?,
                None => self.words.push(changed),
            }
        }
        self.seen = self.seen.saturating_add(1);
        Ok(())
    }

    fn finish(self, told: &Told, proposed: bool, out: Out) -> Result<(), Failure> {
        if let Some(mut sheet) = self.movements {
            for row in &told.movements {
                sheet.add(row)?;
            }
            sheet.finish()?;
        }
        if let Some(reports) = self.reports {
            reports.finish()?;
        }
        if let Some(page) = self.page {
            page.finish(told)?;
        }
        let unnamed = self.seen.saturating_sub(self.named);
        match self.spool {
            Some(spool) => spool.write(told, unnamed, out),
            None => out.words(&table::words(told, &self.words, unnamed, proposed)),
        }
    }
}
