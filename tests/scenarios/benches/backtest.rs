//! Time and memory of `tieout rules backtest` over 10,000 and 100,000 reports of 8 lines that were captured and judged:
//! less than 20 seconds for the larger log, and no more memory than for the smaller one, but for the list of ids.
//!
//! `cargo bench -p tieout-scenarios --bench backtest`. A cycle of the program captures and judges a few hundred reports of
//! the stand-in's month; the log is made of copies of their events, each under a report id of its own, sealed and appended
//! through the journal as the program does it, many streams at once. The backtest is the released program's, as a process
//! of its own. Both sets are tried: the one that coded the log, and a draft that moves one account.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_arithmetic,
    missing_docs,
    reason = "a bench: a surprise must end it, its result is what it prints, and seconds are no money"
)]

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::{StreamExt, stream};
use serde_json::Value;
use tieout::config::Config;
use tieout::installation::{BUILD, Installation};
use tieout::ports::{SystemClock, SystemEntropy};
use tieout_domain::ids::{CycleId, Email, ReportId};
use tieout_domain::journal::{Actor, Cause, Draft, Journal, Stamp, Streams, SystemActor};
use tieout_domain::ports::{Entropy as _, Expected};
use tieout_domain::report::ReportEvent;
use tieout_domain::rules::{ChartOf, RuleSet, Span};
use tieout_domain::workflow::{Roster, Trial, WhatIf};
use tieout_sandbox::month::Size;
use tieout_scenarios::Scene;

const LINES: usize = 8;
/// Reports whose events are copied.
const TEMPLATES: usize = 300;
const SIZES: [usize; 2] = [10_000, 100_000];
const MOST_SECONDS: f64 = 20.0;
/// More megabytes that ten times the reports may take: their ids, and what the roster keeps while it is read.
const MORE_MEGABYTES: f64 = 60.0;
/// Appends that go on at once: they share the log's commits.
const AT_ONCE: usize = 512;

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure());
}

async fn measure() {
    let size = Size::Many {
        reports: TEMPLATES,
        lines: LINES,
    };
    let scene = Scene::uncertified(size, |_| {}).await;
    let synced = scene.tieout(&["sync", "--json"]).await;
    let cycles: Value = serde_json::from_slice(&synced.stdout).expect("JSON of sync");
    assert_eq!(cycles[0]["stages"]["mapped"], TEMPLATES, "every report is mapped");
    let rules = std::fs::read_to_string(scene.file("rules.toml")).unwrap();
    // The draft codes otherwise what the first line of the first report is.
    let dry_run = scene.tieout(&["sync", "--dry-run", "--json"]).await;
    let dry_run: Value = serde_json::from_slice(&dry_run.stdout).expect("JSON of the dry run");
    let account = dry_run[0]["reports"][0]["documents"][0]["lines"][0]["account"]
        .as_str()
        .expect("an account");
    let other = if account == "6420" { "6430" } else { "6420" };
    let (was, is) = (
        format!("account = \"{account}\""),
        format!("account = \"{other}\""),
    );
    let draft = scene.file("draft.toml");
    std::fs::write(&draft, rules.replace(&was, &is)).unwrap();

    println!(
        "{:>8}  {:>9}  {:>10}  {:>9}  {:>10}  {:>9}",
        "reports", "tried", "changed", "seconds", "reports/s", "peak MB"
    );
    let mut rows = Vec::new();
    let mut made = TEMPLATES;
    for reports in SIZES {
        fill(&scene, made, reports).await;
        made = reports;
        for (name, tried) in [("active", "active"), ("draft", draft.to_str().unwrap())] {
            let run = backtest(&scene, tried).await;
            assert_eq!(
                run.told["counts"]["reports"], reports,
                "every report is looked at"
            );
            let changed = run.told["counts"]["documents_changed"].as_u64().unwrap();
            assert_eq!(changed == 0, name == "active", "{}", run.told["counts"]);
            println!(
                "{reports:>8}  {name:>9}  {changed:>10}  {:>9.1}  {:>10.0}  {:>9.1}",
                run.seconds,
                reports as f64 / run.seconds,
                run.megabytes
            );
            rows.push((reports, run.seconds, run.megabytes));
        }
        if reports == SIZES[0] {
            println!(
                "one after another, without reading ahead: {:.1} seconds",
                one_by_one(&scene).await
            );
        }
    }
    let of = |reports: usize| rows.iter().filter(move |row| row.0 == reports);
    let most = |reports: usize| of(reports).map(|row| row.2).fold(0.0, f64::max);
    let seconds = of(SIZES[1]).map(|row| row.1).fold(0.0, f64::max);
    let more = most(SIZES[1]) - most(SIZES[0]);
    println!(
        "{} reports: {seconds:.1} seconds; {more:.1} MB more than for {}",
        SIZES[1], SIZES[0]
    );
    assert!(
        seconds < MOST_SECONDS,
        "{seconds:.1} seconds, not under {MOST_SECONDS}"
    );
    assert!(
        more < MORE_MEGABYTES,
        "{more:.1} MB more, not under {MORE_MEGABYTES}"
    );
}

async fn installation(scene: &Scene) -> Installation {
    let config = Config::read(&scene.config).unwrap();
    Installation::open_at(config, SystemClock::set_to(scene.now()))
        .await
        .unwrap()
}

/// The log grows to so many reports.
async fn fill(scene: &Scene, from: usize, to: usize) {
    let began = Instant::now();
    let installation = installation(scene).await;
    let streams = Streams(installation.config.connection[0].id);
    let mut roster = Roster::new(streams);
    roster.catch_up(installation.log.as_ref()).await.unwrap();
    let mut templates = Vec::new();
    for (report, _) in roster.iter().take(TEMPLATES) {
        let (entries, _) = installation
            .reader()
            .stream::<ReportEvent>(&streams.report(report))
            .await
            .unwrap();
        let events: Vec<ReportEvent> = entries.into_iter().map(|entry| entry.event).take(2).collect();
        let ReportEvent::Discovered { payload, .. } = &events[0] else {
            panic!("a report begins with its capture")
        };
        let submitter = Email::new(&payload.personal.known().unwrap().submitter).unwrap();
        templates.push((installation.people().subject_for(&submitter).unwrap(), events));
    }
    let entropy = SystemEntropy;
    let journal = Journal::new(
        installation.log.as_ref(),
        &installation.clock,
        &entropy,
        installation.people(),
        BUILD,
    );
    let stamp = Stamp {
        actor: Actor::System {
            part: SystemActor::Mapper,
        },
        cause: Cause::Cycle {
            cycle: CycleId(entropy.uuid()),
        },
    };
    stream::iter(from..to)
        .for_each_concurrent(AT_ONCE, |number| {
            let (subject, events) = &templates[number % templates.len()];
            // Beyond every id the stand-in gives.
            let id = ReportId::from_decimal(9_000_000_000_000_000 + number as u64).unwrap();
            let drafts = events.iter().map(|event| Draft {
                event: under(id, event.clone()),
                effective_at: Utc::now(),
                subject: Some(*subject),
            });
            let drafts = drafts.collect();
            let (journal, stamp) = (&journal, &stamp);
            async move {
                journal
                    .append(&streams.report(id), Expected::NoStream, stamp, drafts)
                    .await
                    .unwrap();
            }
        })
        .await;
    println!(
        "({} reports appended in {:.0} seconds)",
        to - from,
        began.elapsed().as_secs_f64()
    );
}

/// The event of another report.
fn under(id: ReportId, mut event: ReportEvent) -> ReportEvent {
    match &mut event {
        ReportEvent::Discovered { payload, .. } => Arc::make_mut(payload).facts.report = id,
        ReportEvent::Mapped(mapping) => {
            for document in &mut Arc::make_mut(mapping).documents {
                Arc::make_mut(document).reference.report = id;
            }
        }
        other => panic!("no event of a report that was only captured and judged: {other:?}"),
    }
    event
}

struct Run {
    seconds: f64,
    megabytes: f64,
    told: Value,
}

async fn backtest(scene: &Scene, tried: &str) -> Run {
    let began = Instant::now();
    let mut child = scene
        .command(&["--json", "rules", "backtest", tried, "--limit", "10"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut megabytes: f64 = 0.0;
    while child.try_wait().unwrap().is_none() {
        megabytes = child.id().and_then(peak).unwrap_or(0.0).max(megabytes);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    Run {
        seconds,
        megabytes,
        told: serde_json::from_slice(&output.stdout).expect("JSON of the backtest"),
    }
}

/// The most memory a process ever held, in megabytes, as the kernel counts it.
fn peak(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The engine in this process, a report after another.
async fn one_by_one(scene: &Scene) -> f64 {
    let began = Instant::now();
    let installation = installation(scene).await;
    let connection = installation
        .connection(&installation.config.connection[0])
        .unwrap();
    let mut roster = Roster::new(Streams(connection.id));
    roster.catch_up(installation.log.as_ref()).await.unwrap();
    let rules = RuleSet::parse(&std::fs::read_to_string(scene.file("rules.toml")).unwrap()).unwrap();
    let trial = Trial {
        rules: &rules,
        against: None,
        span: Span::default(),
        chart: ChartOf::Then,
    };
    let reports = roster.iter().map(|(report, _)| report).collect();
    WhatIf::new(installation.reader(), &connection)
        .reading_ahead(1)
        .backtest(trial, reports, |_| Ok(()))
        .await
        .unwrap();
    began.elapsed().as_secs_f64()
}
