//! Judges many reports at once: each by itself, so that it does not matter how many at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::change::Change;
use super::charts::Charts;
use super::report::{History, again};
use super::{Trial, WhatIf};
use crate::ids::ReportId;
use crate::ports::{Log, Position, Recorded, Sealer};
use crate::workflow::WorkflowError;

/// Does a piece of work, on as many threads at once as it likes, and something else meanwhile; comes back when all of it is
/// done. The work may be begun any number of times, once at least: it ends where nothing is left.
pub type Helpers<'a> = &'a (dyn Fn(&(dyn Fn() + Sync), &mut dyn FnMut()) + Sync);

/// Nobody helps: one thing after another (law 1: the domain has no threads of its own).
pub(super) fn alone(work: &(dyn Fn() + Sync), meanwhile: &mut dyn FnMut()) {
    meanwhile();
    work();
}

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
    /// Each of them, in the order given, while something else is done.
    pub(super) fn all(
        &self,
        read: Vec<Read>,
        meanwhile: &mut dyn FnMut(),
    ) -> Vec<Result<Judged, WorkflowError>> {
        let queue = Mutex::new(read.into_iter().enumerate());
        let done = Mutex::new(Vec::new());
        let work = || {
            loop {
                let next = locked(&queue).next();
                let Some((at, read)) = next else { return };
                let judged = self.one(read);
                locked(&done).push((at, judged));
            }
        };
        (self.what_if.helpers)(&work, meanwhile);
        // Whoever helps may have left early.
        work();
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, judged)| judged).collect()
    }

    fn one(&self, (id, mut recorded): Read) -> Result<Judged, WorkflowError> {
        recorded.retain(|recorded| Some(recorded.position) <= self.head);
        let WhatIf {
            reader,
            zone,
            go_live,
            ..
        } = self.what_if;
        let entries = reader.decoded(recorded)?;
        let Some(history) =
            History::of(entries, *zone, *go_live).filter(|history| history.is_of(&self.trial.span))
        else {
            return Ok(Judged::OutOfSpan);
        };
        if history.is_of_somebody_forgotten() {
            return Ok(Judged::Forgotten);
        }
        let chart = {
            let mut charts = locked(&self.charts);
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
