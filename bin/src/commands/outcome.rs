//! What a cycle came to, for people and as JSON, and the exit status it means.

use serde::Serialize;
use serde_json::{Value, json};
use tieout_domain::report::StageName;
use tieout_domain::rules::{RuleSetVersion, RulesEvent};
use tieout_domain::workflow::{CycleOutcome, Rechecked};

use crate::out::{DONE, OUTSIDE, PERSON};

/// A cycle's outcome, as `--json` shows it.
#[derive(Debug, Serialize)]
pub struct Summary {
    connection: String,
    /// Number and hash of the rule set in force; none before the first.
    rules: Option<RuleSetVersion>,
    complete: bool,
    /// QAD shows documents that the log does not explain: nothing posts.
    in_recovery: bool,
    seen: usize,
    captured: usize,
    withdrawn: usize,
    mapped: usize,
    posted: usize,
    adopted: usize,
    refused: usize,
    failed: usize,
    in_doubt: usize,
    resolved: Value,
    marked_asked: usize,
    marked_proven: usize,
    rechecked: Option<Value>,
    stages: Value,
    warnings: Vec<String>,
    #[serde(skip)]
    status: u8,
}

impl Summary {
    /// Of one cycle.
    pub fn of(connection: &str, cycle: &CycleOutcome) -> Self {
        let mut warnings: Vec<String> = cycle.brought.iter().filter_map(brought).collect();
        if let Some(why) = &cycle.polled.failure {
            warnings.push(format!("the poll was not complete: {why}"));
        }
        let told_already = !cycle.polled.complete && !cycle.in_recovery;
        if let Some(why) = cycle.shut.as_ref().filter(|_| !told_already) {
            warnings.push(format!("nothing was posted: {why}"));
        }
        warnings.extend(cycle.held_masters.iter().map(|held| format!("QAD's {held}")));
        warnings.extend(cycle.marked.failures.iter().map(|why| format!("marking: {why}")));
        if !cycle.marked.not_printed.is_empty() {
            let list: Vec<String> = cycle.marked.not_printed.iter().map(ToString::to_string).collect();
            warnings.push(format!(
                "Expensify did not print these posted reports when they were marked: {}",
                list.join(", ")
            ));
        }
        if cycle.resolved.incidents > 0 {
            warnings.push(format!(
                "{} document(s) need a person: `tieout reports --state in_doubt`",
                cycle.resolved.incidents
            ));
        }
        let rechecked = cycle.rechecked.as_ref().map(|done| {
            warnings.extend(after_posting(done));
            json!({"complete": done.failures.is_empty(), "held": done.held, "failures": done.failures})
        });
        let new_cases = cycle.rechecked.as_ref().map_or(0, |done| done.held.raised);
        if !cycle.posted.half.is_empty() {
            let list: Vec<String> = cycle.posted.half.iter().map(ToString::to_string).collect();
            warnings.push(format!(
                "these reports stand in QAD in part, and Expensify no longer shows them as they were mapped; undo the edit there, or \
                 reverse in QAD what stands: {}",
                list.join(", ")
            ));
        }
        let count = |stage: StageName| cycle.stages.get(&stage).copied().unwrap_or(0);
        let needs_person =
            count(StageName::Rejected) + count(StageName::PartlyPosted) + cycle.resolved.incidents > 0
                || !cycle.posted.half.is_empty()
                || cycle.shut.is_some()
                || cycle
                    .brought
                    .iter()
                    .any(|event| matches!(event, RulesEvent::ActivationRefused { .. }))
                || new_cases > 0
                || !cycle.held_masters.is_empty();
        let unheld = cycle
            .rechecked
            .as_ref()
            .is_some_and(|done| !done.failures.is_empty());
        let status = if cycle.polled.failure.is_some() || cycle.ledger_unreachable || unheld {
            OUTSIDE
        } else if needs_person {
            PERSON
        } else {
            DONE
        };
        let stages = cycle
            .stages
            .iter()
            .map(|(stage, count)| (serde_name(*stage), json!(count)))
            .collect();
        Self {
            connection: connection.to_owned(),
            rules: cycle.rules.clone(),
            complete: cycle.polled.complete,
            in_recovery: cycle.in_recovery,
            seen: cycle.polled.seen.len(),
            captured: cycle.polled.captured,
            withdrawn: cycle.polled.withdrawn,
            mapped: cycle.mapped,
            posted: cycle.posted.confirmed,
            adopted: cycle.posted.adopted + cycle.resolved.adopted,
            refused: cycle.posted.refused,
            failed: cycle.posted.failed,
            in_doubt: cycle.in_doubt,
            resolved: json!({
                "adopted": cycle.resolved.adopted, "absent": cycle.resolved.absent,
                "waiting": cycle.resolved.waiting, "incidents": cycle.resolved.incidents,
            }),
            marked_asked: cycle.marked.asked,
            marked_proven: cycle.polled.marked,
            rechecked,
            stages: Value::Object(stages),
            warnings,
            status,
        }
    }

    /// The exit status it means.
    pub fn status(&self) -> u8 {
        self.status
    }

    /// In words.
    pub fn words(&self) -> String {
        let mut text = format!(
            "{}: {} seen, {} new or changed, {} mapped anew; {} posted, {} adopted, {} refused, {} in doubt; {} marked, {} proven marked",
            self.connection,
            self.seen,
            self.captured,
            self.mapped,
            self.posted,
            self.adopted,
            self.refused,
            self.in_doubt,
            self.marked_asked,
            self.marked_proven
        );
        if self.withdrawn > 0 {
            text.push_str(&format!("; {} withdrawn", self.withdrawn));
        }
        if let Some(Value::Object(done)) = &self.rechecked {
            let count = |name: &str| {
                done.get("held")
                    .and_then(|held| held.get(name))
                    .cloned()
                    .unwrap_or_default()
            };
            text.push_str(&format!(
                "\n  held against both systems again: {} reports, {} documents ({} line by line); {} cases opened or changed, {} closed",
                count("reports"),
                count("documents"),
                count("read_back"),
                count("raised"),
                count("closed")
            ));
        }
        if let Value::Object(stages) = &self.stages {
            let list: Vec<String> = stages
                .iter()
                .map(|(stage, count)| format!("{count} {stage}"))
                .collect();
            if !list.is_empty() {
                text.push_str(&format!("\n  reports: {}", list.join(", ")));
            }
        }
        for warning in &self.warnings {
            text.push_str(&format!("\n  ! {warning}"));
        }
        text
    }
}

/// What came of a rule set whose time had come.
fn brought(event: &RulesEvent) -> Option<String> {
    match event {
        RulesEvent::RuleSetActivated { version, .. } => Some(format!("{version} came into force")),
        RulesEvent::ActivationRefused { hash, why } => Some(format!(
            "the rule set {:.12} did not come into force: {why}; backtest it and have it approved again",
            hash.as_str()
        )),
        _ => None,
    }
}

/// What a person should know of a recheck.
fn after_posting(done: &Rechecked) -> Vec<String> {
    let mut warnings = Vec::new();
    if done.held.raised > 0 {
        warnings.push(format!(
            "{} case(s) opened or changed after posting: `tieout reports --state case` names them, each with what to do",
            done.held.raised
        ));
    }
    warnings.extend(done.failures.iter().map(|why| {
        format!("what is posted could not be held against both systems: {why}; tried again within the hour")
    }));
    if !done.held.unread.is_empty() {
        let list: Vec<String> = done
            .held
            .unread
            .iter()
            .map(|(reference, why)| format!("{reference} ({why})"))
            .collect();
        warnings.push(format!(
            "posted documents that QAD did not show when asked, of which nothing is said: {}",
            list.join("; ")
        ));
    }
    warnings
}

/// A stage's name as JSON has it.
pub fn serde_name(stage: StageName) -> String {
    match serde_json::to_value(stage) {
        Ok(Value::String(name)) => name,
        _ => stage.to_string(),
    }
}
