//! The work list: one row a report, folded from the log and kept as a view that can be dropped and rebuilt.
//!
//! A row holds what the next event needs, so that the view follows the log page by page with flat memory; it holds
//! nothing personal: the submitter is opened from the log when somebody reads.

mod case;
mod fold;
mod listed;
#[cfg(test)]
mod on_the_store;
#[cfg(test)]
pub(crate) mod properties;
mod row;

use std::collections::BTreeMap;

use tieout_domain::ids::{ConnectionId, ReportId};
use tieout_domain::journal::{JournalError, PART_KIND, Reader};
use tieout_domain::ports::{Log, LogError, Position, Recorded, StreamName};
use tieout_domain::report::ReportEvent;

pub use case::{CaseKind, CaseValue, ListedCase, OpenCase};
pub use fold::apply;
pub use listed::{Listed, ListedDocument, ListedReason, submitter_of};
pub use row::{Bucket, Captured, DocumentStanding, Reversal, Row, RowDocument, Stage, Standing};

use crate::view::{KeptShut, Stepped, ViewPort, ViewRow, ViewStep};

/// The name of the stored view; its number is that of the shape of its rows.
pub const VIEW: &str = "work_list.3";

/// Why the work list could not be read or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum WorkListError {
    /// An event that cannot be read: the view stays where it was.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store.
    #[error(transparent)]
    Store(#[from] LogError),
    /// A stored row is not of the shape this build writes.
    #[error(
        "row {key} of the view `{VIEW}` cannot be {doing}: {source}; rebuild it with `tieout log rebuild`"
    )]
    Row {
        /// Its key.
        key: String,
        /// `read` or `written`.
        doing: &'static str,
        /// What serde says.
        source: serde_json::Error,
    },
}

/// How far a view was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaughtUp {
    /// The last position folded; `None` while the log is empty.
    pub position: Option<Position>,
    /// How many report events were folded now.
    pub events: u64,
}

/// The work list as a stored view.
#[derive(Debug, Clone, Copy)]
pub struct WorkListView {
    page: usize,
}

impl Default for WorkListView {
    fn default() -> Self {
        Self { page: 512 }
    }
}

impl WorkListView {
    /// A view that reads this many events at a time (at least one). Rows of one page are in memory at once.
    pub fn with_pages_of(events: usize) -> Self {
        Self { page: events.max(1) }
    }

    /// Folds what the log holds beyond the view's checkpoint, page by page, up to the log's end.
    pub async fn catch_up<L: Log, V: ViewPort>(&self, log: &L, port: &V) -> Result<CaughtUp, WorkListError> {
        let mut position = port.checkpoint(VIEW).await?;
        let mut events = 0;
        loop {
            let page = log.read_all(position, self.page).await?;
            let Some(last) = page.last().map(|recorded| recorded.position) else {
                return Ok(CaughtUp { position, events });
            };
            let (upserts, folded) = self.fold_page(log, port, page).await?;
            match port
                .apply(
                    VIEW,
                    ViewStep {
                        since: position,
                        checkpoint: last,
                        upserts,
                    },
                )
                .await?
            {
                Stepped::Applied => {
                    position = Some(last);
                    events += folded;
                }
                // Another process keeps the same view: go on from where it is now.
                Stepped::Overtaken => position = port.checkpoint(VIEW).await?,
            }
        }
    }

    /// Drops the view and folds the log from its beginning. Without effects: nothing here can post (law 8).
    pub async fn rebuild<L: Log, V: ViewPort>(&self, log: &L, port: &V) -> Result<CaughtUp, WorkListError> {
        port.drop_view(VIEW).await?;
        self.catch_up(log, port).await
    }

    async fn fold_page<L: Log, V: ViewPort>(
        &self,
        log: &L,
        port: &V,
        page: Vec<Recorded>,
    ) -> Result<(Vec<ViewRow>, u64), WorkListError> {
        let reader = Reader {
            log,
            sealer: &KeptShut,
        };
        let mut touched: BTreeMap<String, Row> = BTreeMap::new();
        let mut folded = 0;
        for recorded in page {
            if recorded.event.kind == PART_KIND {
                continue;
            }
            let Some((connection, report)) = report_of(&recorded.stream) else {
                continue;
            };
            let key = Row::key(connection, report);
            let Some(entry) = reader.entry::<ReportEvent>(recorded).await? else {
                continue;
            };
            let row = match touched.entry(key.clone()) {
                std::collections::btree_map::Entry::Occupied(row) => row.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let stored = port
                        .get(VIEW, &key)
                        .await?
                        .map(|value| read_row(&key, value))
                        .transpose()?;
                    place.insert(stored.unwrap_or_else(|| Row::new(connection, report)))
                }
            };
            apply(row, &entry);
            folded += 1;
        }
        let write = |(key, row): (String, Row)| match serde_json::to_value(&row) {
            Ok(row) => Ok(ViewRow { key, row }),
            Err(source) => Err(WorkListError::Row {
                key,
                doing: "written",
                source,
            }),
        };
        Ok((touched.into_iter().map(write).collect::<Result<_, _>>()?, folded))
    }

    /// The row of one report.
    pub async fn row<V: ViewPort>(
        &self,
        port: &V,
        connection: ConnectionId,
        report: ReportId,
    ) -> Result<Option<Row>, WorkListError> {
        let key = Row::key(connection, report);
        port.get(VIEW, &key)
            .await?
            .map(|value| read_row(&key, value))
            .transpose()
    }

    /// Up to `limit` rows after a report (from the first with `None`), connection by connection, by report number.
    pub async fn rows_after<V: ViewPort>(
        &self,
        port: &V,
        after: Option<(ConnectionId, ReportId)>,
        limit: usize,
    ) -> Result<Vec<Row>, WorkListError> {
        let after = after.map(|(connection, report)| Row::key(connection, report));
        let page = port.page(VIEW, after.as_deref(), limit).await?;
        page.into_iter()
            .map(|ViewRow { key, row }| read_row(&key, row))
            .collect()
    }

    /// Every row of one connection.
    pub async fn rows_of<V: ViewPort>(
        &self,
        port: &V,
        connection: ConnectionId,
    ) -> Result<Vec<Row>, WorkListError> {
        let mut rows: Vec<Row> = Vec::new();
        // Keys begin with the connection: what sorts right before its first report is its id and the slash alone.
        let mut after = format!("{connection}/");
        loop {
            let page = port.page(VIEW, Some(&after), self.page).await?;
            let Some(last) = page.last() else { return Ok(rows) };
            after.clone_from(&last.key);
            for ViewRow { key, row } in page {
                let row = read_row(&key, row)?;
                if row.connection != connection {
                    return Ok(rows);
                }
                rows.push(row);
            }
        }
    }
}

fn read_row(key: &str, value: serde_json::Value) -> Result<Row, WorkListError> {
    serde_json::from_value(value).map_err(|source| WorkListError::Row {
        key: key.to_owned(),
        doing: "read",
        source,
    })
}

/// The connection and the report a stream is about: `report-<connection id>-<report id>`.
fn report_of(stream: &StreamName) -> Option<(ConnectionId, ReportId)> {
    let rest = stream.0.strip_prefix("report-")?;
    let (connection, report) = rest.split_at_checked(36)?;
    Some((connection.parse().ok()?, report.strip_prefix('-')?.parse().ok()?))
}
