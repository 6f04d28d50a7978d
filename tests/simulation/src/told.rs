//! What a cycle says that it did, held against what the log shows of it: people act on these numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tieout_domain::journal::Cause;
use tieout_domain::ports::Position;
use tieout_domain::workflow::CycleOutcome;

use crate::law::report_in;
use crate::run::STREAMS;
use crate::stage::Stage;

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

/// A cycle came to its end. Where nobody else wrote meanwhile, its numbers are those of the log; where somebody did, what it
/// tried may have come to nothing, and it may have said too much, never too little.
pub(crate) fn told_truly(stage: &Stage, cause: &Cause, since: Option<Position>, outcome: &CycleOutcome) {
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
