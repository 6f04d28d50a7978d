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
mod movement;
mod report;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use chrono_tz::Tz;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};

pub use change::{Change, ChangeKind, Verdict};
pub use movement::{Amounts, Movement, MovementKey, Movements, Place};

use charts::Charts;
use report::{History, again};

use super::desk::{Connection, Desk, WorkflowError};
use crate::chart::ChartEvent;
use crate::ids::ReportId;
use crate::journal::{Reader, Streams};
use crate::ports::{Log, Ports, Sealer};
use crate::report::ReportEvent;
use crate::rules::{Backtest, ChartOf, RuleSet, RuleSetVersion, Span, StatementHash};

/// Reports that are read ahead of the one that is judged.
const AHEAD: usize = 32;

/// Asks what would be, and can do nothing about it.
pub struct WhatIf<'a, L, S> {
    pub(super) reader: Reader<'a, L, S>,
    pub(super) streams: Streams,
    pub(super) zone: Tz,
    pub(super) go_live: NaiveDate,
    ahead: usize,
    looked: &'a (dyn Fn() + Sync),
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
        }
    }

    /// The same, telling of each report that was read: for whoever shows progress.
    #[must_use]
    pub fn telling(self, looked: &'a (dyn Fn() + Sync)) -> Self {
        Self { looked, ..self }
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
        let mut charts = Charts::of(chart, trial.chart);
        let mut found = Backtest {
            span: trial.span,
            chart: trial.chart,
            against: trial.against.cloned(),
            read_to,
            counts: crate::rules::Counts::default(),
            result: StatementHash(String::new()),
        };
        let mut movements = Movements::default();
        let mut sum = Sha256::new();
        sum.update(b"tieout backtest result 1\n");
        let mut histories = stream::iter(reports)
            .map(|id| async move {
                let (mut entries, _) = self
                    .reader
                    .stream::<ReportEvent>(&self.streams.report(id))
                    .await?;
                entries.retain(|entry| Some(entry.position) <= head);
                Ok::<_, WorkflowError>((id, History::of(entries, self.zone, self.go_live)))
            })
            .buffered(self.ahead);
        while let Some(next) = histories.next().await {
            let (id, history) = next?;
            (self.looked)();
            let Some(history) = history.filter(|history| history.is_of(&trial.span)) else {
                continue;
            };
            found.counts.reports = found.counts.reports.saturating_add(1);
            if history.is_of_somebody_forgotten() {
                found.counts.forgotten = found.counts.forgotten.saturating_add(1);
                continue;
            }
            let version = history.chart(&charts);
            let chart = charts.at(version);
            let after = again(&history, trial.rules, chart, self.zone);
            let Some(change) = Change::between(id, &history, after) else {
                continue;
            };
            change.count_in(&mut found.counts);
            movements.add(&change);
            sum.update(change.canonical()?);
            each(&change)?;
        }
        sum.update(movements.canonical());
        found.result = StatementHash(crate::report::hex(&sum.finalize()));
        Ok(Backtested {
            backtest: found,
            movements,
        })
    }
}
