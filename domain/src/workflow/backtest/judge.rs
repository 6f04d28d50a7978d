//! Judges many reports at once: each by itself, so that it does not matter how many at a time.

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::change::Change;
use super::charts::Charts;
use super::report::{History, again};
use super::{Trial, WhatIf};
use crate::ids::ReportId;
use crate::ports::{Log, Position, Recorded, Sealer};
use crate::report::ReportEvent;
use crate::workflow::WorkflowError;

/// Threads that judge. More of them than there are cores do no harm.
const AT_ONCE: usize = 4;
/// Fewer reports are not worth a thread.
const WORTH_A_THREAD: usize = 4;

/// The rules look at persons only as they were captured; the texts of documents, which are sealed too, decide nothing.
const CAPTURES: [&str; 2] = ["Discovered", "Revised"];

/// A report's stream as it was read.
type Read = (ReportId, Vec<Recorded>);

/// What judges a report again.
pub(super) struct Judge<'a, L, S> {
    pub(super) what_if: &'a WhatIf<'a, L, S>,
    pub(super) trial: Trial<'a>,
    /// What is recorded later is not looked at.
    pub(super) head: Option<Position>,
    pub(super) charts: Mutex<Charts>,
}

/// What became of a report.
pub(super) enum Judged {
    /// It is not looked at.
    OutOfSpan,
    /// Its submitter was forgotten: nobody can judge it again.
    Forgotten,
    /// It comes out as it did.
    AsItWas,
    /// It comes out otherwise.
    Otherwise {
        /// How.
        change: Box<Change>,
        /// Its line in what the result is the hash of.
        line: Vec<u8>,
    },
}

impl<L: Log, S: Sealer> Judge<'_, L, S> {
    /// Each of them, in the order given; and what was done meanwhile, in this thread.
    pub(super) fn all<T>(
        &self,
        read: Vec<Read>,
        meanwhile: impl FnOnce() -> T,
    ) -> (Vec<Result<Judged, WorkflowError>>, T) {
        let share = read.len().div_ceil(AT_ONCE).max(WORTH_A_THREAD);
        let mut rest = read;
        let mut shares = Vec::new();
        while rest.len() > share {
            let later = rest.split_off(share);
            shares.push(std::mem::replace(&mut rest, later));
        }
        let in_turn = |share: Vec<Read>| share.into_iter().map(|read| self.one(read)).collect::<Vec<_>>();
        thread::scope(|scope| {
            let others: Vec<_> = shares
                .into_iter()
                .map(|share| scope.spawn(move || in_turn(share)))
                .collect();
            let done = meanwhile();
            let last = in_turn(rest);
            let mut judged = Vec::new();
            for other in others {
                match other.join() {
                    Ok(share) => judged.extend(share),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            judged.extend(last);
            (judged, done)
        })
    }

    fn one(&self, (id, mut recorded): Read) -> Result<Judged, WorkflowError> {
        recorded.retain(|recorded| Some(recorded.position) <= self.head);
        let WhatIf {
            reader,
            zone,
            go_live,
            ..
        } = self.what_if;
        let entries = reader.decoded::<ReportEvent>(recorded, &CAPTURES)?;
        let Some(history) =
            History::of(entries, *zone, *go_live).filter(|history| history.is_of(&self.trial.span))
        else {
            return Ok(Judged::OutOfSpan);
        };
        if history.is_of_somebody_forgotten() {
            return Ok(Judged::Forgotten);
        }
        let chart = {
            let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
            let version = history.chart(&charts);
            charts.at(version)
        };
        let after = again(&history, self.trial.rules, &chart, *zone);
        let Some(change) = Change::between(id, history, after) else {
            return Ok(Judged::AsItWas);
        };
        Ok(Judged::Otherwise {
            line: change.canonical()?,
            change: Box::new(change),
        })
    }
}
