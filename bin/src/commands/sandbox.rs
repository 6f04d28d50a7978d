//! `tieout sandbox`: only the stand-in servers, until told to stop.

use std::num::NonZeroU32;
use std::path::Path;

use serde_json::json;
use tieout_domain::ids::PersonName;
use tieout_domain::ports::Clock as _;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;

use super::demo::stage::{RULES, StageOptions, StandIns, Waits, install};
use super::rules::put_in_force;
use crate::cli::SandboxArgs;
use crate::config::Config;
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};
use crate::ports::SystemClock;

/// Serves until SIGINT or SIGTERM.
pub async fn run(args: SandboxArgs, out: Out) -> Result<u8, Failure> {
    let shrink = NonZeroU32::new(args.shrink_limits)
        .ok_or_else(|| Failure::Usage("--shrink-limits must be above zero".into()))?;
    let clock = SystemClock::new();
    let options = StageOptions {
        seed: args.seed,
        size: Size::Demo,
        expensify_port: args.expensify_port,
        qad_port: args.qad_port,
        shrink,
        clock: clock.clone(),
    };
    let stand_ins = StandIns::start(&options).await?;
    for fault in &args.fault {
        add_fault(&stand_ins, fault)?;
    }
    let (expensify, qad) = (stand_ins.expensify.url(), stand_ins.qad.url());
    let mut config = None;
    if let Some(folder) = &args.write_config {
        let waits = Waits {
            quarantine: "15m",
            connect_timeout: "10s",
            read_timeout: "60s",
        };
        let path = install(folder, &expensify, &qad, &waits, clock.now())?;
        rules_into_force(&path, clock.clone()).await?;
        config = Some(path);
    }
    out.words(&format!(
        "stand-in Expensify  {expensify}\nstand-in QAD        {qad}\nTheir own pages (calls, faults, audit listings, edits) are under /_sandbox/ of each.\nThey run until Ctrl-C."
    ))?;
    if let Some(path) = &config {
        out.words(&format!("configuration       {}", path.display()))?;
    }
    out.document(&json!({"expensify": expensify, "qad": qad, "config": config}))?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    stand_ins.expensify.shutdown().await;
    stand_ins.qad.shutdown().await;
    Ok(DONE)
}

/// The made-up installation's rule set comes into force, so that `tieout sync` works at once.
async fn rules_into_force(config: &Path, clock: SystemClock) -> Result<(), Failure> {
    let installation = Installation::open_at(Config::read(config)?, clock).await?;
    let who = PersonName::new("sandbox").map_err(|e| Failure::Usage(e.to_string()))?;
    for connection in &installation.config.connection {
        put_in_force(&installation, connection, RULES, &who).await?;
    }
    Ok(())
}

/// `SERVER:OPERATION:KIND[:TIMES]`; the operation may hold colons, the kind may be JSON (`{"slow":{"ms":500}}`).
fn add_fault(stand_ins: &StandIns, text: &str) -> Result<(), Failure> {
    let wrong = |detail: &str| {
        Failure::Usage(format!(
            "--fault `{text}`: {detail}; write SERVER:OPERATION:KIND[:TIMES], e.g. `qad:post:supplier_invoice:drop_after:2` or `expensify:export:too_many_requests`; `tieout guide sandbox` lists the kinds"
        ))
    };
    let (server, rest) = text.split_once(':').ok_or_else(|| wrong("it has no server"))?;
    let (rest, times) = match rest.rsplit_once(':') {
        Some((before, last)) if !last.is_empty() && last.chars().all(|c| c.is_ascii_digit()) => (
            before,
            last.parse().map_err(|_| wrong("it has no number of times"))?,
        ),
        _ => (rest, 1),
    };
    let (operation, kind) = match rest.find('{') {
        Some(at) => {
            let (operation, kind) = rest.split_at(at);
            (operation.trim_end_matches(':'), kind.to_owned())
        }
        None => {
            let (operation, kind) = rest.rsplit_once(':').ok_or_else(|| wrong("it has no kind"))?;
            (operation, format!("\"{kind}\""))
        }
    };
    match server {
        "expensify" => {
            let kind = serde_json::from_str(&kind).map_err(|e| wrong(&e.to_string()))?;
            stand_ins
                .expensify
                .faults()
                .add(FaultRule::next(operation, kind).times(times));
        }
        "qad" => {
            let kind = serde_json::from_str(&kind).map_err(|e| wrong(&e.to_string()))?;
            stand_ins
                .qad
                .handle()
                .faults()
                .add(FaultRule::next(operation, kind).times(times));
        }
        _ => return Err(wrong("the server is `expensify` or `qad`")),
    }
    Ok(())
}
