//! One cycle, as data flows (design §5): chart, poll, resolve, map, post, mark; and from time to time recheck.
//!
//! Any step may be killed at any instant; the next cycle finds its place from the log alone. What an outside system
//! fails to do ends its step, not the cycle: what is known is captured and mapped, and nothing posts that should not.

use std::collections::BTreeMap;

use super::desk::{Desk, WorkflowError};
use super::in_force::{Heads, InForce};
use super::mark::Marked;
use super::poll::Polled;
use super::post::Posted;
use super::profile::Gate;
use super::recheck::Rechecked;
use super::resolve::Resolved;
use super::roster::Roster;
use crate::ports::Ports;
use crate::report::StageName;
use crate::rules::{RuleSetVersion, RulesEvent};

/// A step of the cycle, for progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Refreshing the chart.
    Chart,
    /// Listing the source.
    Poll,
    /// Settling doubt.
    Resolve,
    /// Applying the rules.
    Map,
    /// Posting: so many of so many reports.
    Post {
        /// Done.
        done: usize,
        /// Of.
        of: usize,
    },
    /// Setting the exported flag.
    Mark,
    /// Holding what is posted against both systems again, if that is due.
    Recheck,
}

/// What a cycle came to.
#[derive(Debug)]
pub struct CycleOutcome {
    /// Poll.
    pub polled: Polled,
    /// The rule set in force in this cycle; none before the first.
    pub rules: Option<RuleSetVersion>,
    /// What came of a rule set whose time had come when the cycle began.
    pub brought: Vec<RulesEvent>,
    /// Resolve.
    pub resolved: Resolved,
    /// How many reports were mapped, rejected or held anew.
    pub mapped: usize,
    /// Post.
    pub posted: Posted,
    /// Mark.
    pub marked: Marked,
    /// Recheck; `None` where it was not due, or one of the systems did not answer in this cycle.
    pub rechecked: Option<Rechecked>,
    /// Why nothing was posted, if posting was shut.
    pub shut: Option<String>,
    /// QAD shows documents that the log does not explain: nothing posts until they are.
    pub in_recovery: bool,
    /// QAD could not be asked for its chart.
    pub ledger_unreachable: bool,
    /// Masters that are not believed at present.
    pub held_masters: Vec<String>,
    /// How many reports have reached which stage.
    pub stages: BTreeMap<StageName, usize>,
    /// Reports with a document being sent or in doubt.
    pub in_doubt: usize,
}

/// Runs one cycle. The roster may be that of the cycle before: only what the log has beyond it is read.
pub async fn run_cycle<P: Ports>(
    desk: &Desk<'_, P>,
    roster: &mut Roster,
    mut progress: impl FnMut(Step) + Send,
) -> Result<CycleOutcome, WorkflowError> {
    let log = desk.ports.log();
    roster.catch_up(log).await?;
    let brought = desk.bring_due_rules_into_force(roster).await?;
    let (rules, rules_head) = desk.rules_in_force().await?;

    progress(Step::Chart);
    let chart = desk.refresh_chart().await?;
    let ledger_unreachable = chart.refreshed.is_err();
    let held_masters = chart
        .chart
        .held()
        .iter()
        .map(|held| format!("{}: {}", held.master, held.why))
        .collect();

    progress(Step::Poll);
    let polled = desk.poll(roster).await?;

    progress(Step::Resolve);
    roster.catch_up(log).await?;
    let resolved = desk.resolve_due(roster).await?;

    progress(Step::Map);
    roster.catch_up(log).await?;
    let in_force = rules.as_ref().map(|rules| InForce {
        rules,
        chart: &chart.chart,
        heads: Heads {
            rules: rules_head,
            chart: chart.head,
        },
    });
    // Without any chart ever read, or any rules in force, there is nothing to hold a report against: it waits, it is not
    // rejected.
    let charted = chart.chart.version().0 > 0;
    let mapped = match in_force {
        Some(in_force) if charted => desk.map(roster, in_force).await?,
        _ => 0,
    };

    roster.catch_up(log).await?;
    let watched = desk.watch_the_ledger(roster, !ledger_unreachable).await?;
    let in_recovery = watched.in_recovery.is_some();
    let shut = match &chart.refreshed {
        _ if in_recovery => watched.in_recovery,
        Err(error) => Some(format!("QAD's chart could not be confirmed today: {error}")),
        Ok(()) if !polled.complete => {
            Some("the poll was not complete: a report posts only as a complete poll showed it".to_owned())
        }
        Ok(()) => match desk.gate().await? {
            Gate::Open => watched.unlisted,
            Gate::Shut { why } => Some(why),
        },
    };
    // Said before any other reason: without rules nothing is even mapped.
    let no_rules = in_force.is_none().then(|| WorkflowError::NoRules.to_string());
    let shut = no_rules.or(shut);
    let posted = match in_force {
        Some(in_force) if shut.is_none() => {
            desk.post(roster, in_force, &polled.seen, |done, of| {
                progress(Step::Post { done, of })
            })
            .await?
        }
        _ => Posted::default(),
    };

    progress(Step::Mark);
    roster.catch_up(log).await?;
    let marked = if polled.unreachable {
        Marked::default()
    } else {
        desk.mark(roster, &polled.seen).await?
    };

    progress(Step::Recheck);
    roster.catch_up(log).await?;
    let rechecked = if !polled.unreachable && !ledger_unreachable && !desk.ports.stopping() {
        desk.recheck(roster).await?
    } else {
        None
    };

    roster.catch_up(log).await?;
    let mut stages = BTreeMap::new();
    for (_, brief) in roster.iter() {
        *stages.entry(brief.stage).or_insert(0) += 1;
    }
    let in_doubt = roster.select(super::roster::Brief::in_flight).len();
    Ok(CycleOutcome {
        rules: rules.map(|rules| rules.version),
        brought,
        polled,
        resolved,
        mapped,
        posted,
        marked,
        rechecked,
        shut,
        in_recovery,
        ledger_unreachable,
        held_masters,
        stages,
        in_doubt,
    })
}
