//! What a rule set would have made of history (design §6): every report that was captured, mapped again as it was when it
//! was judged, and held against what the log says became of it.
//!
//! It reads the log and nothing else: [`WhatIf`] holds no port with an effect (law 8). Only what rules decide is looked at:
//! what people decided, which expenses another report carries, and since when Tieout posts are as they were, whatever the
//! rules; and a report whose submitter was forgotten cannot be judged again, so it is counted and left as it is.
//!
//! Reports are taken one after another and let go again; what differs is handed to whoever asked, in the order of the
//! reports' ids, so that memory does not grow with history.

mod change;
mod charts;
mod decisive;
mod judge;
mod movement;
mod report;
#[cfg(test)]
mod tests;

use std::sync::Mutex;

use chrono::NaiveDate;
use chrono_tz::Tz;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};

pub use change::{Change, ChangeKind, Verdict};
pub use movement::{Amounts, Movement, MovementKey, Movements, Place};

use charts::Charts;
pub use judge::Helpers;
use judge::{Judge, Judged, alone};

use super::desk::{Connection, Desk, WorkflowError};
use crate::chart::ChartEvent;
use crate::ids::ReportId;
use crate::journal::{Reader, Streams};
use crate::ports::{Log, Ports, Sealer, StreamName};
use crate::rules::{Backtest, ChartOf, Counts, RuleSet, RuleSetVersion, Span, StatementHash};

/// Reports that are read, and then judged, together: a wake-up for each would cost as much as reading it.
const TOGETHER: usize = 64;
/// Reports that are read ahead of those that are judged.
const AHEAD: usize = 2 * TOGETHER;

/// Asks what would be, and can do nothing about it.
pub struct WhatIf<'a, L, S> {
    pub(super) reader: Reader<'a, L, S>,
    pub(super) streams: Streams,
    pub(super) zone: Tz,
    pub(super) go_live: NaiveDate,
    ahead: usize,
    looked: &'a (dyn Fn() + Sync),
    helpers: Helpers<'a>,
}

/// A backtest in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backtested {
    /// What is recorded of it.
    pub backtest: Backtest,
    /// Where the money moves.
    pub movements: Movements,
}

/// What to try, over what.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// The draft.
    pub rules: &'a RuleSet,
    /// The set in force, which it is held against in the record; what became of each report, the log says.
    pub against: Option<&'a RuleSetVersion>,
    /// Which reports.
    pub span: Span,
    /// Under which chart.
    pub chart: ChartOf,
}

impl<P: Ports> Desk<'_, P> {
    /// The same log and connection, for questions.
    pub fn what_if(&self) -> WhatIf<'_, P::Log, P::Sealer> {
        WhatIf::new(self.reader(), self.connection)
    }
}

impl<'a, L: Log, S: Sealer> WhatIf<'a, L, S> {
    /// Over the log of a connection.
    pub fn new(reader: Reader<'a, L, S>, connection: &Connection) -> Self {
        Self {
            reader,
            streams: Streams(connection.id),
            zone: connection.zone,
            go_live: connection.go_live,
            ahead: AHEAD,
            looked: &|| {},
            helpers: &alone,
        }
    }

    /// The same, telling of each report that was read: for whoever shows progress.
    #[must_use]
    pub fn telling(self, looked: &'a (dyn Fn() + Sync)) -> Self {
        Self { looked, ..self }
    }

    /// The same, with help in judging: a matter of speed, never of the result.
    #[must_use]
    pub fn helped_by(self, helpers: Helpers<'a>) -> Self {
        Self { helpers, ..self }
    }

    /// The same, reading so many reports ahead: a matter of speed, never of the result.
    #[must_use]
    pub fn reading_ahead(self, reports: usize) -> Self {
        Self {
            ahead: reports.max(1),
            ..self
        }
    }

    /// Maps every report of the span again, and hands over each that comes out otherwise than the log says it did.
    ///
    /// `reports` are those of the connection, in the order of their ids (a roster has them). What is appended meanwhile is
    /// not looked at: the result is of the log as it stood at the beginning.
    pub async fn backtest(
        &self,
        trial: Trial<'_>,
        reports: Vec<ReportId>,
        mut each: impl FnMut(&Change) -> Result<(), WorkflowError> + Send,
    ) -> Result<Backtested, WorkflowError> {
        let head = self.reader.log.head().await?;
        let read_to = match head {
            Some(head) => self.reader.log.leaf(head).await?,
            None => None,
        };
        let (mut chart, _) = self.reader.stream::<ChartEvent>(&self.streams.chart()).await?;
        chart.retain(|entry| Some(entry.position) <= head);
        let charts = Charts::of(chart, trial.chart);
        let mut tally = Tally {
            counts: Counts::default(),
            movements: Movements::default(),
            sum: Sha256::new_with_prefix(b"tieout backtest result 1\n"),
            each: &mut each,
        };
        let judge = Judge {
            what_if: self,
            trial,
            head,
            charts: Mutex::new(charts),
        };
        let together = self.ahead.min(TOGETHER);
        let batches: Vec<Vec<ReportId>> = reports.chunks(together).map(<[ReportId]>::to_vec).collect();
        let mut read = stream::iter(batches)
            .map(|ids| async move {
                let streams: Vec<StreamName> = ids.iter().map(|id| self.streams.report(*id)).collect();
                let recorded = self.reader.recorded(&streams).await?;
                Ok::<Vec<_>, WorkflowError>(ids.into_iter().zip(recorded).collect())
            })
            .buffered(self.ahead.div_ceil(together));
        // While one batch is judged, what became of the one before is told.
        let mut before = Vec::new();
        while let Some(batch) = read.next().await {
            let batch = batch?;
            batch.iter().for_each(|_| (self.looked)());
            let mut told = Ok(());
            let judged = judge.all(batch, &mut || {
                let before = std::mem::take(&mut before);
                if !before.is_empty() {
                    told = tally.take(before);
                }
            });
            told?;
            before = judged;
        }
        tally.take(before)?;
        let Tally {
            counts,
            movements,
            mut sum,
            ..
        } = tally;
        sum.update(movements.canonical());
        Ok(Backtested {
            backtest: Backtest {
                span: trial.span,
                chart: trial.chart,
                against: trial.against.cloned(),
                read_to,
                counts,
                result: StatementHash(crate::report::hex(&sum.finalize())),
            },
            movements,
        })
    }
}

/// What comes together of all reports, in their order.
struct Tally<'a, E> {
    counts: Counts,
    movements: Movements,
    /// What the result is the hash of.
    sum: Sha256,
    each: &'a mut E,
}

impl<E: FnMut(&Change) -> Result<(), WorkflowError>> Tally<'_, E> {
    fn take(&mut self, judged: Vec<Result<Judged, WorkflowError>>) -> Result<(), WorkflowError> {
        for judged in judged {
            match judged? {
                Judged::OutOfSpan => continue,
                Judged::Forgotten => self.counts.forgotten = self.counts.forgotten.saturating_add(1),
                Judged::AsItWas => {}
                Judged::Otherwise { change, line } => {
                    change.count_in(&mut self.counts);
                    self.movements.add(&change);
                    self.sum.update(line);
                    (self.each)(&change)?;
                }
            }
            self.counts.reports = self.counts.reports.saturating_add(1);
        }
        Ok(())
    }
}
