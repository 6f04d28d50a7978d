//! Step 1: QAD's masters, refreshed under canary. A read that fails or shrinks is held, not believed.

use chrono::{DateTime, Utc};

use super::desk::{Desk, WorkflowError};
use crate::chart::{Chart, ChartEvent, compare};
use crate::journal::{Draft, SystemActor};
use crate::ports::{Clock, Expected, Ledger, LedgerError, Ports, Revision};

/// The chart after the refresh.
pub struct ChartNow {
    /// As folded.
    pub chart: Chart,
    /// What QAD was asked today and answered; where it could not be asked, nothing posts in this cycle.
    pub refreshed: Result<(), LedgerError>,
    /// How many events the refresh recorded.
    pub changes: usize,
    /// The last event of the chart's stream.
    pub head: Option<Revision>,
}

impl<P: Ports> Desk<'_, P> {
    /// The chart as the log has it.
    pub async fn chart(&self) -> Result<(Chart, Option<Revision>), WorkflowError> {
        let (entries, head) = self.journal.read::<ChartEvent>(&self.streams.chart()).await?;
        Ok((
            entries
                .iter()
                .fold(Chart::default(), |chart, entry| chart.evolve(&entry.event)),
            head,
        ))
    }

    /// Reads QAD's masters and records what changed.
    pub async fn refresh_chart(&self) -> Result<ChartNow, WorkflowError> {
        loop {
            let (chart, head) = self.chart().await?;
            let reading = match self.ports.ledger().read_chart().await {
                Ok(reading) => reading,
                Err(error) => {
                    return Ok(ChartNow {
                        chart,
                        refreshed: Err(error),
                        changes: 0,
                        head,
                    });
                }
            };
            let events = compare(&chart, &reading);
            if events.is_empty() {
                return Ok(ChartNow {
                    chart,
                    refreshed: Ok(()),
                    changes: 0,
                    head,
                });
            }
            let observed: DateTime<Utc> = self.ports.clock().now();
            let after = events.iter().fold(chart, |chart, event| chart.evolve(event));
            let changes = events.len();
            let drafts = events
                .into_iter()
                .map(|event| Draft {
                    event,
                    effective_at: observed,
                    subject: None,
                })
                .collect();
            let expected = head.map_or(Expected::NoStream, Expected::At);
            match self
                .journal
                .append(
                    &self.streams.chart(),
                    expected,
                    &self.stamp(SystemActor::ChartKeeper),
                    drafts,
                )
                .await
            {
                Ok((_, appended)) => {
                    return Ok(ChartNow {
                        chart: after,
                        refreshed: Ok(()),
                        changes,
                        head: Some(appended.revision),
                    });
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
