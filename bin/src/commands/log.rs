//! `tieout log`: rebuild the views, verify the file, copy it, move the log to another engine. None of them can post (design
//! §2, law 8): they are given the log and the views, and no port with an effect.

mod moving;
pub mod sound;
pub mod transfer;

use std::path::Path;

use serde_json::json;
use tieout_domain::ports::{LogError, Position};
use tieout_projections::work_list::{VIEW, WorkListView};

use crate::cli::{CopyArgs, LogCommand};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out, PERSON};
use crate::views::Views;

/// Rows counted at a time.
const PAGE: usize = 1_000;

/// Does what was asked of the log.
pub async fn run(config: &Path, command: LogCommand, out: Out) -> Result<u8, Failure> {
    match command {
        LogCommand::Rebuild => rebuild(&Installation::open(config).await?, out).await,
        LogCommand::Verify => verify(&Installation::open(config).await?, out).await,
        LogCommand::Copy(CopyArgs {
            backup: Some(to),
            to: None,
            ..
        }) => copy(&Installation::open(config).await?, &to, out).await,
        // The configured log may be either side, or neither: it is not opened for this.
        LogCommand::Copy(args) => moving::run(config, args, out).await,
    }
}

async fn rebuild(installation: &Installation, out: Out) -> Result<u8, Failure> {
    let views = Views::of(installation);
    let view = WorkListView::default();
    let folded = view.rebuild(installation.log.as_ref(), &views).await?;
    let mut rows = 0_usize;
    let mut after = None;
    loop {
        let page = view.rows_after(&views, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.connection, last.report_id));
        rows = rows.saturating_add(page.len());
    }
    let position = folded
        .position
        .map(|Position(commit, prepare)| json!([commit, prepare]));
    let up_to = match folded.position {
        Some(Position(commit, prepare)) => format!("up to position {commit}/{prepare}"),
        None => "the log is empty".to_owned(),
    };
    out.words(&format!(
        "{VIEW}: folded again from {} report events to {rows} rows, {up_to}\nNothing was sent anywhere: a rebuild only reads the log.",
        folded.events
    ))?;
    out.document(&json!({
        "views": [{"view": VIEW, "rows": rows, "events": folded.events, "position": position}],
    }))?;
    Ok(DONE)
}

async fn verify(installation: &Installation, out: Out) -> Result<u8, Failure> {
    let path = installation.log.place();
    match sound::verify(&installation.log).await {
        Ok(found) => {
            out.words(&format!(
                "{path} is sound: {} events in {} streams, none missing, none out of order",
                found.events, found.streams
            ))?;
            out.document(&json!({
                "log": path, "sound": true, "events": found.events, "streams": found.streams, "fault": null,
            }))?;
            Ok(DONE)
        }
        // That is what was asked for, and it has an answer: a result, not a failure to come to one.
        Err(fault @ LogError::Unusable { .. }) => {
            out.words(&format!("NOT SOUND: {fault}"))?;
            out.document(&json!({
                "log": path, "sound": false, "events": null, "streams": null, "fault": fault.to_string(),
            }))?;
            Ok(PERSON)
        }
        Err(other) => Err(other.into()),
    }
}

async fn copy(installation: &Installation, to: &Path, out: Out) -> Result<u8, Failure> {
    let Some(log) = installation.log.sqlite() else {
        return Err(Failure::Usage(format!(
            "the log is on a cluster ({}): its backup is the cluster's own; to move it, name where to with --to URL",
            installation.log.place()
        )));
    };
    let copied = log.backup_to(to).await?;
    out.words(&format!(
        "{} holds all of {}, checked: {} events in {} streams\n\
         Keep a copy of the people file with it: without that, what is personal in the copy cannot be read.",
        to.display(),
        log.path().display(),
        copied.events,
        copied.streams
    ))?;
    out.document(&json!({
        "from": log.path(), "to": to, "events": copied.events, "streams": copied.streams,
    }))?;
    Ok(DONE)
}
