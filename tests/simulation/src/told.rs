//! What a cycle says that it did, held against what the log shows of it: people act on these numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tieout_domain::ids::{Reference, ReportId};
use tieout_domain::journal::Cause;
use tieout_domain::ports::Position;
use tieout_domain::report::{DocumentState, Report};
use tieout_domain::workflow::{ControlTotal, CycleOutcome, Healed, Resolved};

use crate::law::{events_of, report_in};
use crate::run::STREAMS;
use crate::stage::{Process, Shown, Stage};

/// How often which part of the program wrote which event in one cycle.
struct Written(BTreeMap<(String, String), usize>);

impl Written {
    fn in_cycle(stage: &Stage, cause: &Cause, since: Option<Position>) -> Self {
        let cause = serde_json::to_value(cause).expect("a cause");
        let mut counts = BTreeMap::new();
        let mut last = BTreeMap::new();
        for recorded in stage.lock().events_after(since) {
            if recorded.stream.0.starts_with("expense-") {
                continue;
            }
            let envelope: Value = serde_json::from_slice(&recorded.event.metadata).expect("metadata");
            if envelope["cause"] != cause {
                continue;
            }
            let part = envelope["actor"]["part"].as_str().unwrap_or_default().to_owned();
            let mut kind = recorded.event.kind.clone();
            if kind == "DocumentPosted" {
                let event: Value = serde_json::from_slice(&recorded.event.data).expect("an event");
                kind = format!("{kind} {}", proof_of(&event));
            }
            // What one look at the source comes to is one number, though it may be two events: a drift, and a case closed.
            let one_of_two = ["poller", "marker"].contains(&part.as_str())
                && ["SourceDrifted", "CaseClosed"].contains(&kind.as_str());
            let at = recorded.revision.0;
            let before = last.insert(recorded.stream.clone(), (at, one_of_two));
            if one_of_two && before == Some((at.saturating_sub(1), true)) {
                continue;
            }
            *counts.entry((part, kind)).or_default() += 1;
        }
        Self(counts)
    }

    fn of(&self, part: &str, kinds: &[&str]) -> usize {
        self.0
            .iter()
            .filter(|((by, kind), _)| by == part && kinds.contains(&kind.as_str()))
            .map(|(_, count)| count)
            .sum()
    }
}

fn proof_of(event: &Value) -> &str {
    event
        .pointer("/facts/proof")
        .or_else(|| event.get("proof"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Documents whose outcome nobody knew at a place in the log, and whether only a person can settle them.
fn flying_at(stage: &Stage, at: Option<Position>) -> BTreeMap<Reference, bool> {
    let events = stage.lock().events();
    let until = events.iter().filter(|event| Some(event.position) <= at);
    // Most cycles find nothing in doubt, and most of the time would go into finding that.
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    let mut doubt = false;
    let mut reports = BTreeSet::new();
    for event in until {
        let Some(report) = STREAMS.report_of(&event.stream) else {
            continue;
        };
        reports.insert(report);
        doubt |= event.event.kind == "PostingInDoubt";
        last.insert(&event.stream.0, &event.event.kind);
    }
    if !doubt && !last.values().any(|kind| *kind == "PostingStarted") {
        return BTreeMap::new();
    }
    let mut flying = BTreeMap::new();
    for report in reports {
        let entries = events_of(stage, report);
        let until = entries.iter().filter(|entry| Some(entry.position) <= at);
        let folded = Report::fold(until.map(|entry| &entry.event));
        for file in folded
            .dossier()
            .into_iter()
            .flat_map(|dossier| &dossier.documents)
        {
            let incident = match &file.state {
                DocumentState::Sending { .. } => false,
                DocumentState::InDoubt { doubt, .. } => doubt.is_incident(),
                _ => continue,
            };
            flying.insert(file.document.reference, incident);
        }
    }
    flying
}

/// Every document that was in doubt is counted once: adopted, absent, waiting, or for a person.
fn resolved_all(stage: &Stage, since: Option<Position>, resolved: &Resolved) {
    let flying = flying_at(stage, since);
    let incidents = flying.values().filter(|incident| **incident).count();
    let Resolved {
        adopted,
        absent,
        waiting,
        incidents: told,
    } = *resolved;
    if adopted + absent + waiting + told != flying.len() || told < incidents {
        let of = flying.len();
        stage.lock().broken(format!(
            "{of} documents were in doubt, {incidents} of them for a person, and {resolved:?} is said of them"
        ));
    }
}

/// What a reconciliation says of its first half.
pub(crate) fn healed_truly(stage: &Stage, since: Option<Position>, healed: &Healed) {
    resolved_all(stage, since, &healed.resolved);
}

/// What a listing's control totals are, counted once more.
fn counted(shown: &BTreeMap<ReportId, (u64, i64)>) -> BTreeMap<String, ControlTotal> {
    let mut total = ControlTotal::default();
    for (lines, cents) in shown.values() {
        total.reports += 1;
        total.lines += lines;
        total.total_hundredths += cents;
    }
    let totals = BTreeMap::from([("USD".to_owned(), total)]);
    if shown.is_empty() { BTreeMap::new() } else { totals }
}

/// What neither the log nor anybody else has a part in: what a process was told itself, and what it says of it.
fn told_as_shown(stage: &Stage, process: &Process, outcome: &CycleOutcome) {
    let mut state = stage.lock();
    let told = state.told(process).clone();
    let mut wrong = Vec::new();
    let mut differs = |what: &str, shown: &Shown, said: &BTreeMap<String, ControlTotal>| {
        if let Some(shown) = shown.as_ref().map(counted).filter(|shown| shown != said) {
            wrong.push(format!("the {what} was shown {shown:?}, and says {said:?}"));
        }
    };
    differs("poll", &told.polled, &outcome.polled.totals);
    if let Some(rechecked) = &outcome.rechecked {
        differs("recheck", &told.rechecked, &rechecked.totals);
        if outcome.polled.unreachable || outcome.ledger_unreachable {
            wrong.push("a recheck was begun while a system did not answer".to_owned());
        }
    }
    if outcome.marked.asked != told.printed.len() {
        let printed = told.printed.len();
        let asked = outcome.marked.asked;
        wrong.push(format!(
            "{printed} reports were printed as they were marked, and {asked} is said"
        ));
    }
    if outcome.posted.not_seen < outcome.posted.half.len() {
        wrong.push(format!("{:?} are told and not counted", outcome.posted.half));
    }
    wrong.into_iter().for_each(|what| state.broken(what));
}

/// A cycle came to its end. Where nobody else wrote meanwhile, its numbers are those of the log; where somebody did, what it
/// tried may have come to nothing, and it may have said too much, never too little.
pub(crate) fn told_truly(
    stage: &Stage,
    process: &Process,
    cause: &Cause,
    since: Option<Position>,
    outcome: &CycleOutcome,
) {
    told_as_shown(stage, process, outcome);
    if stage.lock().alone {
        resolved_all(stage, since, &outcome.resolved);
    }
    let marking = stage.lock().told(process).marking;
    let written = Written::in_cycle(stage, cause, since);
    let CycleOutcome {
        polled,
        resolved,
        posted,
        marked,
        ..
    } = outcome;
    let adopted = ["poster", "resolver"].map(|part| written.of(part, &["DocumentPosted adopted"]));
    let numbers = [
        (
            "captured",
            polled.captured,
            written.of(
                "poller",
                &["Discovered", "Revised", "SourceDrifted", "CaseClosed"],
            ),
        ),
        (
            "withdrawn",
            polled.withdrawn,
            written.of("poller", &["Withdrawn"]),
        ),
        (
            "marks proven",
            polled.marked,
            written.of("marker", &["MarkedExported"]),
        ),
        (
            "mapped",
            outcome.mapped,
            written.of("mapper", &["Mapped", "Rejected", "Held", "Excluded"]),
        ),
        (
            "confirmed",
            posted.confirmed,
            written.of("poster", &["DocumentPosted confirmed"]),
        ),
        ("adopted before sending", posted.adopted, adopted[0]),
        (
            "refused",
            posted.refused,
            written.of("poster", &["DocumentRefused"]),
        ),
        (
            "left in doubt",
            posted.in_doubt,
            written.of("poster", &["PostingInDoubt"]),
        ),
        (
            "never arrived",
            posted.failed,
            written.of("poster", &["PostingFailed"]),
        ),
        ("adopted", resolved.adopted, adopted[1]),
        (
            "absent",
            resolved.absent,
            written.of("resolver", &["PostingFailed"]),
        ),
        (
            "drifted before their flag",
            marked.drifted,
            written.of("marker", &["SourceDrifted", "CaseClosed"]),
        ),
    ];
    let mut numbers = numbers.to_vec();
    numbers.push((
        "marking jobs",
        marking.min(1),
        written.of("marker", &["MarkingAsked"]),
    ));
    if let Some(rechecked) = &outcome.rechecked {
        let raised = ["SourceDrifted", "SourceGone", "DocumentDrifted", "PaidAtSource"];
        let number = |of: u64| usize::try_from(of).expect("it is small");
        numbers.extend([
            (
                "cases opened",
                number(rechecked.held.raised),
                written.of("rechecker", &raised),
            ),
            (
                "cases closed",
                number(rechecked.held.closed),
                written.of("rechecker", &["CaseClosed"]),
            ),
        ]);
    }
    if polled.complete {
        let counted: u64 = polled.totals.values().map(|total| total.reports).sum();
        numbers.push((
            "reports in its control totals",
            usize::try_from(counted).expect("it is small"),
            polled.seen.len(),
        ));
    }
    let mut state = stage.lock();
    let alone = state.alone;
    // Where nothing was written, nothing moved.
    if alone && !written.0.is_empty() {
        let log = state.log.clone();
        let mut reached = BTreeMap::new();
        let known: BTreeSet<_> = state
            .events()
            .iter()
            .filter_map(|event| STREAMS.report_of(&event.stream))
            .collect();
        for report in known {
            *reached.entry(report_in(&log, report).stage().name()).or_insert(0) += 1;
        }
        if reached != outcome.stages {
            let said = &outcome.stages;
            state.broken(format!("a cycle says {said:?}, and the log shows {reached:?}"));
        }
    }
    for (what, said, shown) in numbers {
        if said != shown && (alone || said < shown) {
            state.broken(format!("a cycle says {said} {what}, and the log shows {shown}"));
        }
    }
}
