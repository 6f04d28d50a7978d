//! `tieout demo`: a month of a made-up manufacturer's spend, from the stand-in Expensify to the stand-in QAD, until it
//! ties out.

pub mod ends;
mod faults;
mod report;
pub mod stage;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use tieout_domain::ids::PersonName;
use tieout_domain::journal::Streams;
use tieout_domain::ports::Clock as _;
use tieout_domain::workflow::Roster;
use tieout_projections::tie_out::{Ends, TieOut, tie_out};
use tieout_projections::work_list::{Row, WorkListView};
use tieout_sandbox::month::{self, Size, canary, credentials};

use self::stage::{StageOptions, StandIns, Waits, install};
use super::certify::{Certificate, certify_in};
use super::outcome::Summary;
use super::rules::put_in_force;
use super::sync::cycle;
use crate::cli::DemoArgs;
use crate::config::{Config, ConnectionConfig};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out, PERSON};
use crate::ports::SystemClock;
use crate::views::Views;

/// The quarantine of law 4, scaled: a real one outlives every gateway, and takes a quarter of an hour.
const QUARANTINE: &str = "6s";
const QUARANTINE_PAUSE: Duration = Duration::from_millis(6_200);

/// The most cycles a demo runs before it says that it does not tie out.
const MOST_CYCLES: usize = 8;

/// How much `--fast` shrinks the rate limits, on both sides.
const FAST: u32 = 60;

/// Runs the demo.
pub async fn run(args: DemoArgs, out: Out) -> Result<u8, Failure> {
    let shrink = NonZeroU32::new(if args.fast { FAST } else { 1 }).unwrap_or(NonZeroU32::MIN);
    let clock = SystemClock::set_to(month::now());
    let options = StageOptions {
        seed: args.seed,
        size: Size::Demo,
        expensify_port: 0,
        qad_port: 0,
        shrink,
        clock: clock.clone(),
    };
    let stand_ins = StandIns::start(&options).await?;

    let temporary = tempfile::tempdir()?;
    let folder = args
        .keep
        .clone()
        .unwrap_or_else(|| temporary.path().join("larkfield"));
    let waits = Waits {
        quarantine: QUARANTINE,
        connect_timeout: "1s",
        read_timeout: "3s",
    };
    let path = install(
        &folder,
        &stand_ins.expensify.url(),
        &stand_ins.qad.url(),
        &waits,
        clock.now(),
    )?;
    let mut installation = Installation::open_at(Config::read(&path)?, clock).await?;
    installation.shrink_limits(shrink);
    let config = installation
        .config
        .connection
        .first()
        .cloned()
        .ok_or_else(|| Failure::Usage("the demo has no connection".into()))?;

    out.words(&format!(
        "Larkfield, a made-up manufacturer: two plants, a sales office, 250 people, October 2026 (seed {}).\n\
         Stand-in Expensify {} · stand-in QAD {}\n\
         {}\n\
         The quarantine for what is in doubt is {QUARANTINE} here; a real one is 15 minutes.\n",
        args.seed,
        stand_ins.expensify.url(),
        stand_ins.qad.url(),
        if args.fast {
            format!("--fast: the rate limits are {FAST} times shorter on both sides; in production they are 5 in 10 s and 20 in 60 s.")
        } else {
            "Rate limits as in production: 5 requests in any 10 s, 20 in any 60 s; the stand-in enforces them.".to_owned()
        }
    ))?;

    let apart = certify(&installation, &config, out).await?;
    let who = PersonName::new("demo").map_err(|e| Failure::Usage(e.to_string()))?;
    let version = put_in_force(&installation, &config, stage::RULES, &who).await?;
    out.words(&format!(
        "{version} is in force: proposed, backtested, approved and activated by one person, which the log says of it."
    ))?;
    faults::inject(&stand_ins);
    out.words(&faults::announcement())?;

    let started = Instant::now();
    let mut summaries = Vec::new();
    let world = installation.world(&config)?;
    let mut roster = Roster::new(Streams(config.id));
    let (mut tied, mut rows);
    loop {
        let began = Instant::now();
        let outcome = cycle(&installation, &config, &world, &mut roster, out.shows_progress()).await?;
        let summary = Summary::of(config.name.as_str(), &outcome);
        out.words(&format!(
            "Cycle {} ({:.1} s)  {}",
            summaries.len() + 1,
            began.elapsed().as_secs_f32(),
            summary.words()
        ))?;
        let unsettled = outcome.in_doubt > 0
            || outcome.posted.confirmed > 0
            || outcome.posted.failed > 0
            || outcome.marked.asked > 0;
        summaries.push(summary);
        rows = work_list(&installation, &config).await?;
        tied = reconcile(&installation, &config, &stand_ins, &apart, &rows).await?;
        if !unsettled && outcome.polled.complete && tied.ties() || summaries.len() >= MOST_CYCLES {
            break;
        }
        if outcome.in_doubt > 0 {
            out.words(&format!(
                "  waiting out the quarantine ({QUARANTINE}) before what was not found may be sent again"
            ))?;
            tokio::time::sleep(QUARANTINE_PAUSE).await;
        }
    }

    let calls = ends::calls(&stand_ins.expensify.base_url()).await?;
    report::print(
        &installation,
        &config,
        &tied,
        &rows,
        &calls,
        started.elapsed(),
        out,
    )
    .await?;
    report::document(
        &installation,
        &config,
        &tied,
        &rows,
        &calls,
        &summaries,
        args.keep.as_deref(),
        out,
    )
    .await?;
    if let Some(folder) = &args.keep {
        out.words(&format!(
            "\nThe installation is kept in {}: try `tieout reports --config {}`.",
            folder.display(),
            path.display()
        ))?;
    }
    stand_ins.expensify.shutdown().await;
    stand_ins.qad.shutdown().await;
    Ok(if tied.ties() { DONE } else { PERSON })
}

/// Certifies the profile in the stand-in's test workspace, visibly. Nothing posts before that.
async fn certify(
    installation: &Installation,
    config: &ConnectionConfig,
    out: Out,
) -> Result<BTreeSet<tieout_domain::ids::Reference>, Failure> {
    out.words(&format!(
        "Certifying the QAD profile in the test workspace {}:",
        credentials::QAD_TEST_WORKSPACE
    ))?;
    let certificate = Certificate {
        workspace: credentials::QAD_TEST_WORKSPACE.into(),
        supplier: canary::SUPPLIER.into(),
        account: canary::ACCOUNT.into(),
        clearing: "2155".into(),
        cost_centre: canary::COST_CENTRE.into(),
        currency: "USD".into(),
        date: None,
        person: "demo".into(),
    };
    let evidence = certify_in(installation, config, &certificate, &mut |step| {
        out.words(&format!("  {step}"))
    })
    .await?;
    out.words("")?;
    Ok(evidence.into_iter().map(|(reference, _)| reference).collect())
}

async fn work_list(installation: &Installation, config: &ConnectionConfig) -> Result<Vec<Row>, Failure> {
    let views = Views::of(installation);
    let view = WorkListView::default();
    view.catch_up(installation.log.as_ref(), &views)
        .await
        .map_err(|e| Failure::Outside(e.to_string()))?;
    view.rows_of(&views, config.id)
        .await
        .map_err(|e| Failure::Outside(e.to_string()))
}

/// Law 6, both ends fetched from the stand-ins apart from the log.
async fn reconcile(
    installation: &Installation,
    config: &ConnectionConfig,
    stand_ins: &StandIns,
    apart: &BTreeSet<tieout_domain::ids::Reference>,
    rows: &[Row],
) -> Result<TieOut, Failure> {
    let zone = config.qad.timezone;
    let policies: Vec<String> = config
        .expensify
        .policies
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut source = ends::source(&stand_ins.expensify.base_url(), &policies, zone).await?;
    // What was approved long before go-live is outside the interface; what the poll overlaps into is inside and counted.
    let known: BTreeSet<_> = rows.iter().map(|row| row.report_id).collect();
    let first = tieout_projections::month::Month::from(config.expensify.go_live);
    source.retain(|report| {
        known.contains(&report.report_id) || report.period.is_none_or(|period| period >= first)
    });
    let ledger = ends::ledger(&stand_ins.qad.origin(), config.qad.workspace.as_str()).await?;
    let _ = installation;
    Ok(tie_out(&[Ends {
        connection: config.name.as_str(),
        zone,
        source: &source,
        ledger: &ledger,
        apart,
        rows,
    }]))
}
