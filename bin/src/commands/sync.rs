//! `tieout sync`: one cycle, or what it would do.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tieout_domain::ids::ReportId;
use tieout_domain::journal::Streams;
use tieout_domain::posting::Document;
use tieout_domain::report::{Exclusion, Reason};
use tieout_domain::workflow::{CycleOutcome, Desk, Roster, RulesInForce, Step, Unseen, Would, run_cycle};

use super::outcome::Summary;
use crate::cli::SyncArgs;
use crate::config::ConnectionConfig;
use crate::installation::{Installation, World};
use crate::out::{DONE, Failure, Out, PERSON};
use crate::tenure::{Candidate, Turn};

/// Runs one cycle of each chosen connection.
pub async fn run(installation: &Installation, args: &SyncArgs, out: Out) -> Result<u8, Failure> {
    let mut status = DONE;
    let mut documents = Vec::new();
    for config in installation.config.chosen(args.connection.as_deref())? {
        let world = installation.world(config)?;
        if args.dry_run {
            let draft = args.rules.as_deref();
            let (document, needs_person) = dry_run(installation, config, &world, draft, out).await?;
            documents.push(document);
            status = status.max(if needs_person { PERSON } else { DONE });
            continue;
        }
        let candidate = Candidate::of(installation, config);
        let keeper = match turn(&candidate, config, out).await? {
            Turn::Ours(keeper) => keeper,
            Turn::Theirs(holder) => {
                out.words(&format!(
                    "{}: another instance works it ({}, instance {}); nothing was done",
                    config.name, holder.host, holder.instance
                ))?;
                documents.push(json!({"connection": config.name, "worked_by": holder}));
                continue;
            }
        };
        let world = world.while_held(candidate.hold());
        let mut roster = Roster::new(Streams(config.id));
        let cycle = cycle(installation, config, &world, &mut roster, out.shows_progress()).await;
        if candidate.is_over() {
            out.aside(&format!(
                "{}: the lease was lost on the way, and nothing more was begun: another instance, or the next cycle, goes on from the log",
                config.name
            ))?;
        }
        candidate.give_back(Some(keeper)).await;
        let summary = Summary::of(config.name.as_str(), &cycle?);
        out.words(&summary.words())?;
        status = status.max(summary.status());
        documents.push(serde_json::to_value(&summary).map_err(|e| Failure::Outside(e.to_string()))?);
    }
    out.document(&documents)?;
    Ok(status)
}

/// Waits for the connection, with a word on a terminal: it can take a whole term.
async fn turn(candidate: &Candidate, config: &ConnectionConfig, out: Out) -> Result<Turn, Failure> {
    if !out.shows_progress() {
        return candidate.wait().await;
    }
    let waiting = bar_for(config.name.as_str());
    waiting.set_message("asking whether another instance works it");
    let turn = candidate.wait().await;
    waiting.finish_and_clear();
    turn
}

/// Runs a cycle, with a bar on a terminal.
pub async fn cycle(
    installation: &Installation,
    config: &ConnectionConfig,
    world: &World,
    roster: &mut Roster,
    bar: bool,
) -> Result<CycleOutcome, Failure> {
    let connection = installation.connection(config)?;
    let desk = Desk::for_cycle(world, &connection, installation.instance);
    let progress = if bar {
        bar_for(config.name.as_str())
    } else {
        ProgressBar::hidden()
    };
    let outcome = run_cycle(&desk, roster, |step| show(&progress, step)).await;
    progress.finish_and_clear();
    Ok(outcome?)
}

pub(super) fn bar_for(name: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {prefix}: {msg} {wide_bar} {pos}/{len} {elapsed}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn show(bar: &ProgressBar, step: Step) {
    match step {
        Step::Chart => bar.set_message("reading QAD's masters"),
        Step::Poll => bar.set_message("listing Expensify"),
        Step::Resolve => bar.set_message("settling doubt"),
        Step::Map => bar.set_message("applying the rules"),
        Step::Post { done, of } => {
            bar.set_message("posting");
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        }
        Step::Mark => bar.set_message("marking as exported"),
        Step::Recheck => bar.set_message("holding what is posted against both systems"),
    }
}

async fn dry_run(
    installation: &Installation,
    config: &ConnectionConfig,
    world: &World,
    draft: Option<&Path>,
    out: Out,
) -> Result<(Value, bool), Failure> {
    let connection = installation.connection(config)?;
    let desk = Desk::for_command(world, &connection, installation.instance, "sync --dry-run");
    let rules = match draft {
        Some(file) => RulesInForce::supposed(installation.rule_file(file)?.0, 0),
        None => desk.some_rules_in_force().await?.0,
    };
    let mut found: Vec<(ReportId, Would)> = Vec::new();
    desk.dry_run(&rules, |report, would| found.push((report, would)))
        .await
        .map_err(|error| match error {
            Unseen::Workflow(error) => Failure::from(error),
            other => Failure::Outside(format!(
                "{other}; the dry run shows the whole population or nothing"
            )),
        })?;
    let mut rows = Vec::new();
    let mut text = format!(
        "{}: dry run over {} reports under {}; nothing was sent and nothing was recorded\n",
        config.name,
        found.len(),
        draft.map_or_else(|| rules.version.to_string(), |file| file.display().to_string())
    );
    let mut counts = [0usize; 5];
    for (report, would) in &found {
        let (index, row, words) = describe(*report, would);
        if let Some(count) = counts.get_mut(index) {
            *count += 1;
        }
        rows.push(row);
        text.push_str(&words);
    }
    let [post, reject, hold, exclude, nothing] = counts;
    text.push_str(&format!(
        "would post {post}, reject {reject}, hold {hold}, exclude {exclude}; {nothing} are past that\n"
    ));
    out.words(&text)?;
    let in_recovery = desk.recovery().await?.open().is_some();
    if in_recovery {
        out.words("Nothing of it posts now: the connection is in recovery (`tieout guide recovery`).")?;
    }
    let document = json!({
        "connection": config.name, "rules": rules.version, "reports": rows, "in_recovery": in_recovery,
        "counts": {"post": post, "reject": reject, "hold": hold, "exclude": exclude, "nothing": nothing},
    });
    Ok((document, reject > 0 || in_recovery))
}

fn describe(report: ReportId, would: &Would) -> (usize, Value, String) {
    let reasons = |reasons: &[Reason]| -> (Value, String) {
        let list = reasons
            .iter()
            .map(|r| json!({"code": r.code, "message": r.message, "remedy": r.remedy(), "line": r.line}))
            .collect();
        let words = reasons
            .iter()
            .map(|r| format!("    {}: {}\n      {}\n", r.code, r.message, r.remedy()))
            .collect();
        (Value::Array(list), words)
    };
    match would {
        Would::Post(documents) => {
            let list: Vec<Value> = documents.iter().map(|document| document_json(document)).collect();
            let words: String = documents
                .iter()
                .map(|document| document_words(document))
                .collect();
            (
                0,
                json!({"report_id": report, "would": "post", "documents": list}),
                format!("{report} would post\n{words}"),
            )
        }
        Would::Reject(list) => {
            let (value, words) = reasons(list);
            (
                1,
                json!({"report_id": report, "would": "reject", "reasons": value}),
                format!("{report} would be rejected\n{words}"),
            )
        }
        Would::Hold(list) => {
            let (value, words) = reasons(list);
            (
                2,
                json!({"report_id": report, "would": "hold", "reasons": value}),
                format!("{report} would be held\n{words}"),
            )
        }
        Would::Exclude(why) => {
            let words = match why {
                Exclusion::BeforeGoLive { approved, go_live } => {
                    format!("approved {approved}, before go-live {go_live}")
                }
                Exclusion::NothingToPost => "nothing to post".to_owned(),
                Exclusion::Decided { reason, .. } => reason.clone(),
            };
            (
                3,
                json!({"report_id": report, "would": "exclude", "why": why}),
                format!("{report} would be excluded: {words}\n"),
            )
        }
        Would::Nothing(stage) => (
            4,
            json!({"report_id": report, "would": "nothing", "state": stage}),
            format!("{report} is {stage}\n"),
        ),
    }
}

fn document_json(document: &Document) -> Value {
    let texts = document.texts.known();
    let lines: Vec<Value> = document
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            json!({
                "account": line.coding.account, "sub_account": line.coding.sub_account, "cost_centre": line.coding.cost_centre,
                "project": line.coding.project, "side": line.side, "amount": line.amount,
                "text": texts.and_then(|t| t.lines.get(index)), "origin": line.origin,
            })
        })
        .collect();
    json!({
        "kind": document.kind(), "reference": document.reference, "supplier": document.supplier(), "currency": document.currency,
        "amount": document.amount(), "daybook": document.daybook, "posting_date": document.period.date,
        "year": document.period.year, "period": document.period.number, "text": texts.map(|t| &t.header), "lines": lines,
    })
}

fn document_words(document: &Document) -> String {
    let supplier = document
        .supplier()
        .map_or_else(String::new, |s| format!(" on {s}"));
    let mut text = format!(
        "  {} {}{supplier}, {} {}, {} {}\n",
        document.kind(),
        document.reference,
        document.amount(),
        document.currency,
        document.daybook,
        document.period.date
    );
    for line in &document.lines {
        let cost_centre = line.coding.cost_centre.as_ref().map_or("-", |c| c.as_str());
        text.push_str(&format!(
            "    {:<6} {:<10} {:<10} {:>14}\n",
            line.side, line.coding.account, cost_centre, line.amount
        ));
    }
    text
}
