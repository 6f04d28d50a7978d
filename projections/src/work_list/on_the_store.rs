//! The work list on the real store: what the program's glue looks like, and that a month of reports folds in it.

use tieout_domain::ports::{LogError, Position};
use tieout_sqlite::{SqliteLog, ViewStore};

use super::{VIEW, WorkListView};
use crate::testing::{Envelopes, MemoryViews, Ticking, append, connection, payable_of, posted_whole};
use crate::view::{Stepped, ViewPort, ViewRow, ViewStep};

struct Glue(ViewStore);

impl ViewPort for Glue {
    async fn checkpoint(&self, view: &str) -> Result<Option<Position>, LogError> {
        self.0.checkpoint(view).await
    }
    async fn get(&self, view: &str, key: &str) -> Result<Option<serde_json::Value>, LogError> {
        self.0.get(view, key).await
    }
    async fn page(&self, view: &str, after: Option<&str>, limit: usize) -> Result<Vec<ViewRow>, LogError> {
        let rows = self.0.page(view, after, limit).await?;
        Ok(rows
            .into_iter()
            .map(|row| ViewRow {
                key: row.key,
                row: row.row,
            })
            .collect())
    }
    async fn apply(&self, view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        let upserts = step
            .upserts
            .into_iter()
            .map(|row| tieout_sqlite::ViewRow {
                key: row.key,
                row: row.row,
            })
            .collect();
        let step = tieout_sqlite::ViewStep {
            since: step.since,
            checkpoint: step.checkpoint,
            upserts,
            deletes: Vec::new(),
        };
        Ok(match self.0.apply(view, step).await? {
            tieout_sqlite::Stepped::Applied => Stepped::Applied,
            tieout_sqlite::Stepped::Overtaken { .. } => Stepped::Overtaken,
        })
    }
    async fn drop_view(&self, view: &str) -> Result<(), LogError> {
        self.0.drop_view(view).await
    }
}

const LINES: [(&str, i64); 2] = [("1", 21_250), ("2", -1_250)];

#[tokio::test]
async fn a_view_in_the_store_is_the_one_in_memory_live_and_rebuilt() {
    let folder = tempfile::TempDir::new().unwrap();
    let log = SqliteLog::open(folder.path().join("tieout.db")).unwrap();
    let (world, sealer, memory, store) = (
        Ticking::default(),
        Envelopes::default(),
        MemoryViews::default(),
        Glue(log.views()),
    );
    let view = WorkListView::with_pages_of(7);
    for id in 1..=12 {
        append(
            &log,
            &world,
            &sealer,
            id,
            posted_whole(id, &LINES, vec![payable_of(id, &LINES)]),
        )
        .await;
        view.catch_up(&log, &store).await.unwrap();
    }
    let live = view.rows_of(&store, connection()).await.unwrap();
    assert_eq!(live.len(), 12);
    view.catch_up(&log, &memory).await.unwrap();
    assert_eq!(view.rows_of(&memory, connection()).await.unwrap(), live);
    view.rebuild(&log, &store).await.unwrap();
    assert_eq!(view.rows_of(&store, connection()).await.unwrap(), live);
    assert_eq!(
        store.checkpoint(VIEW).await.unwrap(),
        memory.checkpoint(VIEW).await.unwrap()
    );
}

#[tokio::test]
async fn two_processes_that_keep_one_view_do_not_fold_an_event_twice() {
    let folder = tempfile::TempDir::new().unwrap();
    let log = SqliteLog::open(folder.path().join("tieout.db")).unwrap();
    let (world, sealer, store) = (Ticking::default(), Envelopes::default(), Glue(log.views()));
    for id in 1..=6 {
        append(
            &log,
            &world,
            &sealer,
            id,
            posted_whole(id, &LINES, vec![payable_of(id, &LINES)]),
        )
        .await;
    }
    let view = WorkListView::with_pages_of(3);
    let (one, other) = tokio::join!(view.catch_up(&log, &store), view.catch_up(&log, &store));
    assert_eq!(
        one.unwrap().events + other.unwrap().events,
        30,
        "six reports of five events"
    );
    for row in view.rows_of(&store, connection()).await.unwrap() {
        assert_eq!((row.steps, row.attempts), (5, 1));
    }
}
