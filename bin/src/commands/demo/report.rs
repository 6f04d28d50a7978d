//! What the demo prints at its end: the tie-out, what needs a person, and what Expensify was asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tieout_projections::tie_out::{TieOut, render};
use tieout_projections::work_list::{Bucket, Listed, Row};

use super::ends::CountedCall;
use crate::commands::outcome::Summary;
use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::{Failure, Out};

const WIDTH: usize = 100;

fn listed(config: &ConnectionConfig, rows: &[Row]) -> Vec<Listed> {
    rows.iter()
        .map(|row| Listed::of(row, config.name.as_str(), config.qad.timezone, None))
        .collect()
}

/// Calls by operation: all, struck by a fault, refused by the limiter.
fn by_operation(calls: &[CountedCall]) -> BTreeMap<String, (usize, usize, usize)> {
    let mut counts = BTreeMap::new();
    for call in calls {
        let entry: &mut (usize, usize, usize) = counts.entry(call.operation.clone()).or_default();
        entry.0 += 1;
        entry.1 += usize::from(call.fault.is_some());
        entry.2 += usize::from(call.throttled && call.fault.is_none());
    }
    counts
}

/// For people.
pub async fn print(
    _installation: &Installation,
    config: &ConnectionConfig,
    tied: &TieOut,
    rows: &[Row],
    calls: &[CountedCall],
    elapsed: Duration,
    out: Out,
) -> Result<(), Failure> {
    let mut text =
        String::from("\nTHE TIE-OUT: Expensify's and QAD's own listings, fetched apart from the log\n\n");
    render(tied, &mut text, WIDTH).map_err(|e| Failure::Outside(e.to_string()))?;

    let listed = listed(config, rows);
    for (bucket, title) in [
        (Bucket::Rejected, "REJECTED: what to do"),
        (Bucket::Held, "HELD: waiting"),
    ] {
        let members: Vec<&Listed> = listed.iter().filter(|row| row.bucket == bucket).collect();
        if members.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{title}\n"));
        // One remedy often serves many reports: they are told together.
        let mut by_reason: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
        for row in members {
            for reason in &row.reasons {
                let total = row
                    .total
                    .map_or_else(String::new, |total| format!(" ({total} {})", row.currency));
                by_reason
                    .entry((reason.code.to_string(), reason.remedy))
                    .or_default()
                    .push(format!("{}{total}: {}", row.report_id, reason.message));
            }
        }
        for ((code, remedy), reports) in by_reason {
            text.push_str(&format!("  {code}\n    -> {remedy}\n"));
            for report in reports.iter().take(4) {
                text.push_str(&format!("       {report}\n"));
            }
            if reports.len() > 4 {
                text.push_str(&format!("       and {} more\n", reports.len() - 4));
            }
        }
    }

    text.push_str("\nASKED OF EXPENSIFY, as the stand-in counted it\n");
    for (operation, (count, faults, throttled)) in by_operation(calls) {
        let mut note = String::new();
        if faults > 0 {
            note.push_str(&format!(", {faults} struck by a fault"));
        }
        if throttled > 0 {
            note.push_str(&format!(", {throttled} REFUSED BY THE LIMITER"));
        }
        text.push_str(&format!("  {operation:<12}{count:>4}{note}\n"));
    }
    text.push_str(&format!(
        "  {:<12}{:>4}  in {:.0} s\n",
        "together",
        calls.len(),
        elapsed.as_secs_f32()
    ));
    text.push_str("  A cycle asks 2 per window, 2 per 100 reports to mark, and retries; never per report.\n");
    out.words(&text)
}

/// As JSON.
#[allow(clippy::too_many_arguments, reason = "the document is made of exactly these")]
pub async fn document(
    _installation: &Installation,
    config: &ConnectionConfig,
    tied: &TieOut,
    rows: &[Row],
    calls: &[CountedCall],
    summaries: &[Summary],
    kept: Option<&Path>,
    out: Out,
) -> Result<(), Failure> {
    let counts: BTreeMap<String, serde_json::Value> = by_operation(calls)
        .into_iter()
        .map(|(operation, (count, faults, throttled))| {
            (
                operation,
                json!({"calls": count, "faults": faults, "throttled": throttled}),
            )
        })
        .collect();
    out.document(&json!({
        "ties": tied.ties(), "tie_out": tied, "cycles": summaries, "reports": listed(config, rows),
        "expensify_calls": counts, "kept": kept,
    }))
}
