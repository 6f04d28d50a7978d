//! `tieout show`: one report as it stands, and what a person may do about it. `tieout trail`: how it came there.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::ReportId;
use tieout_domain::journal::{Entry, Streams};
use tieout_domain::ports::LedgerMessage;
use tieout_domain::report::{
    Attempt, Exclusion, Proof, Report, ReportEvent, StageName, Step, admit, event_name,
};
use tieout_projections::amount::in_currency;
use tieout_projections::month::Month;
use tieout_projections::trail::{Trail, TrailCapture, render};
use tieout_projections::work_list::{
    Bucket, DocumentStanding, ListedCase, ListedDocument, ListedReason, Row, RowDocument, apply,
};

use super::explained::{With, explained, explained_words};
use super::find::{self, Found};
use super::outcome::serde_name;
use super::reports::Advice;
use super::terminal::{columns, safe};
use crate::cli::ReportArg;
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};

/// How wide words are where no terminal says.
const PAPER: usize = 100;

/// Shows a report as it stands.
pub async fn show(installation: &Installation, args: &ReportArg, out: Out) -> Result<u8, Failure> {
    let found = find::report(installation, &args.report, args.connection.as_deref()).await?;
    let entries = entries(installation, found).await?;
    let trail = trail_of(installation, found).await?;
    let (shown, advice) = Shown::of(found, &entries, &trail);
    let explained = explained(installation, found).await?;
    if !out.json {
        let mut text = words(&shown, &advice, trail)?;
        text.push_str(&explained_words(&explained));
        out.words(&text)?;
    }
    out.document(&With {
        own: shown,
        explained,
    })?;
    Ok(DONE)
}

/// Shows everything that happened to a report, with every why.
pub async fn trail(installation: &Installation, args: &ReportArg, out: Out) -> Result<u8, Failure> {
    let found = find::report(installation, &args.report, args.connection.as_deref()).await?;
    let trail = trail_of(installation, found).await?;
    let explained = explained(installation, found).await?;
    if !out.json {
        out.words(&format!("{}{}", rendered(&trail)?, explained_words(&explained)))?;
    }
    out.document(&With {
        own: trail,
        explained,
    })?;
    Ok(DONE)
}

async fn entries(installation: &Installation, found: Found<'_>) -> Result<Vec<Entry<ReportEvent>>, Failure> {
    let stream = Streams(found.connection.id).report(found.report);
    Ok(installation.reader().stream::<ReportEvent>(&stream).await?.0)
}

async fn trail_of(installation: &Installation, found: Found<'_>) -> Result<Trail, Failure> {
    let Found {
        connection: config,
        report,
    } = found;
    let trail = Trail::read(&installation.reader(), config.name.as_str(), config.id, report).await?;
    trail.ok_or_else(|| Failure::Usage(format!("the log has no events of report {report}")))
}

fn width() -> usize {
    columns().map_or(PAPER, |columns| usize::from(columns).max(60))
}

fn rendered(trail: &Trail) -> Result<String, Failure> {
    let mut text = String::new();
    render(trail, &mut text, width()).map_err(unwritable)?;
    Ok(text)
}

fn unwritable(error: std::fmt::Error) -> Failure {
    Failure::Outside(format!("the words could not be put together: {error}"))
}

/// A report as `show --json` has it: what `reports --json` says of it, and what a decision needs beside that.
#[derive(Debug, Serialize)]
struct Shown {
    connection: String,
    report_id: ReportId,
    /// The other form of the same id.
    decimal_id: String,
    state: StageName,
    bucket: Bucket,
    submitter: Option<String>,
    currency: String,
    total: Option<Decimal>,
    period: Option<Month>,
    /// As last captured, with its expenses.
    report: Option<TrailCapture>,
    documents: Vec<ShownDocument>,
    reasons: Vec<ShownReason>,
    held_until: Option<NaiveDate>,
    excluded: Option<Exclusion>,
    cases: Vec<ListedCase>,
    /// How often a document of it was about to be sent.
    attempts: u32,
    last_change: Option<DateTime<Utc>>,
    replay: Replay,
}

/// A document: as `reports --json` has it, and where exactly it stands or what is not known of it.
#[derive(Debug, Serialize)]
struct ShownDocument {
    #[serde(flatten)]
    listed: ListedDocument,
    /// `YEAR/DAYBOOK/VOUCHER`, once it stands in QAD.
    key: Option<String>,
    /// How that is known.
    proof: Option<Proof>,
    /// The attempt that is under way or in doubt.
    attempt: Option<Attempt>,
    in_doubt_since: Option<DateTime<Utc>>,
    /// It is in doubt, and only `tieout resolve` settles it.
    needs_a_person: bool,
    /// QAD's refusal, verbatim.
    messages: Vec<LedgerMessage>,
}

impl From<&RowDocument> for ShownDocument {
    fn from(document: &RowDocument) -> Self {
        let mut shown = Self {
            listed: document.into(),
            key: None,
            proof: None,
            attempt: None,
            in_doubt_since: None,
            needs_a_person: false,
            messages: Vec::new(),
        };
        match &document.standing {
            DocumentStanding::Planned | DocumentStanding::Reversed { .. } => {}
            DocumentStanding::Sending { attempt } => shown.attempt = Some(*attempt),
            DocumentStanding::InDoubt {
                attempt,
                needs_a_person,
                since,
                ..
            } => {
                shown.attempt = Some(*attempt);
                shown.in_doubt_since = Some(*since);
                shown.needs_a_person = *needs_a_person;
            }
            DocumentStanding::Posted { key, proof } => {
                shown.key = Some(key.to_string());
                shown.proof = Some(*proof);
            }
            DocumentStanding::Refused { messages } => shown.messages.clone_from(messages),
        }
        shown
    }
}

/// A reason: as `reports --json` has it, and who can put it right.
#[derive(Debug, Serialize)]
struct ShownReason {
    #[serde(flatten)]
    listed: ListedReason,
    fixer: &'static str,
    /// The next cycle tries again by itself, once the cause is gone.
    retried: bool,
}

/// What `tieout replay` would take now.
#[derive(Debug, Serialize)]
struct Replay {
    /// Why it would be refused, whatever the step; `null` where it would not.
    refused: Option<String>,
    steps: Vec<ReplayStep>,
}

/// A step to go back to.
#[derive(Debug, Serialize)]
struct ReplayStep {
    step: Step,
    /// Where the report would be again.
    state: StageName,
    event: &'static str,
    recorded_at: DateTime<Utc>,
    /// What `tieout replay` takes without `--to`.
    default: bool,
}

impl Replay {
    fn of(report: &Report, entries: &[Entry<ReportEvent>]) -> Self {
        let default = report.captured_at();
        let step = |(step, state): (Step, StageName)| {
            let entry = entries.get(usize::try_from(step.0).ok()?)?;
            Some(ReplayStep {
                step,
                state,
                event: event_name(&entry.event),
                recorded_at: entry.envelope.recorded_at,
                default: default == Some(step),
            })
        };
        let rewound = default.map(|to| ReportEvent::Rewound {
            to,
            why: String::new(),
        });
        Self {
            refused: rewound.and_then(|event| admit(report, &event).err().map(|refusal| refusal.to_string())),
            steps: report.waypoints().filter_map(step).collect(),
        }
    }
}

impl Shown {
    fn of(found: Found<'_>, entries: &[Entry<ReportEvent>], trail: &Trail) -> (Self, Advice) {
        let Found {
            connection: config,
            report: id,
        } = found;
        let mut row = Row::new(config.id, id);
        for entry in entries {
            apply(&mut row, entry);
        }
        let report = Report::fold(entries.iter().map(|entry| &entry.event));
        let reason = |reason: tieout_domain::report::Reason| ShownReason {
            fixer: reason.code.fixer().as_str(),
            retried: reason.code.retried(),
            listed: ListedReason {
                remedy: reason.remedy(),
                code: reason.code,
                message: reason.message,
                line: reason.line,
            },
        };
        let shown = Self {
            connection: config.name.as_str().to_owned(),
            report_id: id,
            decimal_id: id.decimal().to_string(),
            state: row.stage(),
            bucket: row.bucket(),
            submitter: trail.report.as_ref().and_then(submitter_of),
            currency: row
                .capture()
                .map(|capture| capture.currency.clone())
                .unwrap_or_default(),
            total: row.capture().and_then(|capture| capture.total),
            period: row.period(config.qad.timezone),
            report: trail.report.clone(),
            documents: row.now.documents.iter().map(ShownDocument::from).collect(),
            reasons: row.reasons().into_iter().map(reason).collect(),
            held_until: row.now.until,
            excluded: row.now.excluded.clone(),
            cases: ListedCase::of(&row),
            attempts: row.attempts,
            last_change: row.last_change,
            replay: Replay::of(&report, entries),
        };
        (shown, Advice::of(&row))
    }
}

/// As `reports --json` has it: nobody, where the source named none.
fn submitter_of(report: &TrailCapture) -> Option<String> {
    let address = report.submitter.as_deref()?.trim();
    (!address.is_empty()).then(|| address.to_owned())
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The trail's head, without its steps, and below it what a decision needs.
fn words(shown: &Shown, advice: &Advice, trail: Trail) -> Result<String, Failure> {
    let mut text = rendered(&Trail {
        steps: Vec::new(),
        moved: Vec::new(),
        ..trail
    })?;
    below(shown, advice, &mut text).map_err(unwritable)?;
    Ok(text)
}

fn below(shown: &Shown, advice: &Advice, text: &mut String) -> std::fmt::Result {
    for document in &shown.documents {
        if let Some(doubt) = &document.listed.doubt {
            let reference = document.listed.reference;
            let attempt = document
                .attempt
                .map_or_else(String::new, |attempt| format!(", attempt {attempt}"));
            let since = document
                .in_doubt_since
                .map_or_else(String::new, |at| format!(", since {}", instant(at)));
            writeln!(text, "\nIn doubt: {reference}{attempt}{since}\n  {}", safe(doubt))?;
        }
    }
    if let Some(day) = shown.held_until {
        writeln!(text, "\nHeld until {day}")?;
    }
    // Reasons and cases stand above with their remedies already.
    let told = shown.cases.iter().any(|case| case.remedy == advice.remedy);
    if shown.reasons.is_empty() && !told && !advice.remedy.is_empty() {
        writeln!(text, "\nWhat to do\n  {}", safe(&advice.remedy))?;
    }
    if let Some(report) = &shown.report {
        writeln!(text, "\nExpenses")?;
        for line in &report.lines {
            let amount = line.hundredths.parse().map_or_else(
                |_| format!("`{}`", line.hundredths),
                |hundredths| in_currency(hundredths, &line.currency).to_string(),
            );
            let parts = [
                line.date.clone(),
                format!("{amount} {}", line.currency),
                line.category.clone(),
                line.tag.clone(),
                line.merchant.clone().unwrap_or_else(|| "(forgotten)".into()),
            ];
            let parts: Vec<String> = parts
                .iter()
                .filter(|part| !part.trim().is_empty())
                .map(|part| safe(part))
                .collect();
            writeln!(text, "  {}  {}", line.transaction, parts.join(" · "))?;
        }
    }
    if let Some(at) = shown.last_change {
        writeln!(
            text,
            "\nLast change {}; attempts to send: {}",
            instant(at),
            shown.attempts
        )?;
    }
    match &shown.replay.refused {
        Some(why) => writeln!(text, "It cannot be replayed: {why}"),
        None => {
            writeln!(text, "`tieout replay {}` can take it back to", shown.report_id)?;
            for step in &shown.replay.steps {
                let default = if step.default { "  (without --to)" } else { "" };
                let state = serde_name(step.state);
                writeln!(
                    text,
                    "  --to {:<4} {state:<12} as of {}{default}",
                    step.step.0,
                    instant(step.recorded_at)
                )?;
            }
            Ok(())
        }
    }
}
