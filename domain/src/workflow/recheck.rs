//! After posting: what is posted is held against the source and against QAD again, and what differs becomes a case.
//!
//! ```text
//! source   every window, whatever label its reports bear ──► as posted, drifted, paid ─┐
//!          asked for by name what no window shows        ──► gone                      ├─► cases on the report
//! QAD      every document with a reference of ours       ──► stands, reversed, nothing │
//!          the younger ones read back line by line       ──► changed                  ─┘
//! ```
//!
//! Nothing posted is changed by it, and a read that fails raises nothing: what it would have shown is not known. It runs
//! so long after the last one that completed, which stands in the poll stream, so that `sync` from a schedule of its own
//! keeps to it as `serve` does.

mod due;
mod ledger;
mod source;

use std::collections::BTreeMap;

pub(super) use self::due::Rechecks;
use super::desk::{Desk, WorkflowError};
use super::events::{ControlTotal, HeldAgainst, PollEvent};
use super::poll::windows;
use super::roster::Roster;
use crate::ids::ReportId;
use crate::journal::{Actor, Draft, SystemActor};
use crate::ports::{Clock, Expected, Ports, Source};
use crate::report::{Case, Command, Report};

const RECHECKER: Actor = Actor::System {
    part: SystemActor::Rechecker,
};

/// What the step came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rechecked {
    /// What was held against both systems.
    pub held: HeldAgainst,
    /// What the source showed, by the currency as it came.
    pub totals: BTreeMap<String, ControlTotal>,
    /// Why the source or QAD could not be asked whole; empty where both were.
    pub failures: Vec<String>,
}

impl<P: Ports> Desk<'_, P> {
    /// Holds what is posted against both systems, if that is due; `None` where it is not.
    pub async fn recheck(&self, roster: &Roster) -> Result<Option<Rechecked>, WorkflowError> {
        let due = roster
            .rechecks()
            .due(self.ports.clock().now(), self.connection.recheck);
        if !due {
            return Ok(None);
        }
        let mut rechecked = Rechecked::default();
        self.recheck_source(roster, &mut rechecked).await?;
        self.ports.passing("rechecked source");
        self.recheck_ledger(roster, &mut rechecked).await?;
        self.ports.passing("rechecked ledger");

        let (totals, held) = (rechecked.totals.clone(), rechecked.held.clone());
        let calls = self.ports.source().take_calls();
        let ended_at = self.ports.clock().now();
        let event = if rechecked.failures.is_empty() {
            PollEvent::RecheckCompleted {
                windows: windows(self.connection.go_live, self.today()),
                totals,
                held,
                calls,
                ended_at,
            }
        } else {
            PollEvent::RecheckFailed {
                why: rechecked.failures.clone(),
                totals,
                held,
                calls,
            }
        };
        let draft = Draft {
            event,
            effective_at: ended_at,
            subject: None,
        };
        let stamp = self.stamp(SystemActor::Rechecker);
        self.journal
            .append(&self.streams.polls(), Expected::Any, &stamp, vec![draft])
            .await?;
        Ok(Some(rechecked))
    }

    /// Asks something of a posted report, and counts the cases it opened, changed and closed. One that is not posted any
    /// more (a person reversed it meanwhile) is left alone.
    async fn note(
        &self,
        id: ReportId,
        mut command: impl FnMut(&Report) -> Option<Command> + Send,
    ) -> Result<Noted, WorkflowError> {
        let mut before: Vec<Case> = Vec::new();
        let (after, events) = self
            .act(id, RECHECKER, |report| {
                before = report.cases().to_vec();
                let rests = report.stage().rests_in_the_ledger();
                rests.then(|| command(report)).flatten()
            })
            .await?;
        if events == 0 {
            return Ok(Noted::default());
        }
        let now = after.report.cases();
        let raised = now.iter().filter(|case| !before.contains(case)).count();
        let closed = before
            .iter()
            .filter(|case| !after.report.has_case(case.name(), case.reference()))
            .count();
        Ok(Noted {
            raised: raised as u64,
            closed: closed as u64,
        })
    }
}

/// Cases that opened or changed, and cases that closed.
#[derive(Debug, Clone, Copy, Default)]
struct Noted {
    raised: u64,
    closed: u64,
}
impl HeldAgainst {
    fn add(&mut self, noted: Noted) {
        self.raised += noted.raised;
        self.closed += noted.closed;
    }
}
