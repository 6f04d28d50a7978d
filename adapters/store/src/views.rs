//! The views beside a log, and whether they are still of it.
//!
//! Where the log is a file, the views lie in the same file and cannot come apart from it. Where it is on a cluster they lie
//! in a file of each instance, and the cluster may have been put back to a backup meanwhile. So a view there remembers the
//! id of the last event it was folded from; where another event stands at that place now, or none, the view is of a log
//! that is no more, and is folded again.

use serde_json::Value;
use tieout_domain::ports::{LogError, Position};
use tieout_sqlite::{Stepped, ViewRow, ViewStep, ViewStore};

/// The views of one log, as one instance keeps them.
#[derive(Clone)]
pub struct Views {
    store: ViewStore,
    #[cfg(feature = "eventstore")]
    apart: Option<tieout_eventstore::EventStoreLog>,
}

impl Views {
    /// In the log's own file.
    pub(crate) fn within(store: ViewStore) -> Self {
        Self {
            store,
            #[cfg(feature = "eventstore")]
            apart: None,
        }
    }

    /// In a file apart from the log.
    #[cfg(feature = "eventstore")]
    pub(crate) fn apart(store: ViewStore, log: tieout_eventstore::EventStoreLog) -> Self {
        Self {
            store,
            apart: Some(log),
        }
    }

    /// The last position folded into a view; `None` if there is no such view, or it is of a log that is no more.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn checkpoint(&self, view: &str) -> Result<Option<Position>, LogError> {
        let Some(at) = self.store.checkpoint(view).await? else {
            return Ok(None);
        };
        if self.end_at(at).await? == self.store.get(&ends(view), END).await? {
            return Ok(Some(at));
        }
        tracing::warn!(
            view,
            "the log is not the one that this view was folded from: it is folded again"
        );
        self.drop_view(view).await?;
        Ok(None)
    }

    /// One row.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn get(&self, view: &str, key: &str) -> Result<Option<Value>, LogError> {
        self.store.get(view, key).await
    }

    /// Up to `limit` rows whose keys come after `after` (from the first with `None`).
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn page(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ViewRow>, LogError> {
        self.store.page(view, after, limit).await
    }

    /// Applies a step, all of it or nothing.
    ///
    /// # Errors
    /// As every write to the log.
    pub async fn apply(&self, view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        let Some(end) = self.end_at(step.checkpoint).await? else {
            return self.store.apply(view, step).await;
        };
        let at = step.checkpoint;
        let stepped = self.store.apply(view, step).await?;
        if stepped == Stepped::Applied {
            // A death in between leaves a view that remembers another end: it is folded again, no more.
            let ends = ends(view);
            let remembered = ViewStep {
                since: self.store.checkpoint(&ends).await?,
                checkpoint: at,
                upserts: vec![ViewRow {
                    key: END.to_owned(),
                    row: end,
                }],
                deletes: Vec::new(),
            };
            self.store.apply(&ends, remembered).await?;
        }
        Ok(stepped)
    }

    /// Forgets a view and its checkpoint.
    ///
    /// # Errors
    /// As every write to the log.
    pub async fn drop_view(&self, view: &str) -> Result<(), LogError> {
        self.store.drop_view(view).await?;
        self.store.drop_view(&ends(view)).await
    }

    /// What is remembered of a position; nothing, where the views cannot come apart from their log.
    #[cfg(feature = "eventstore")]
    async fn end_at(&self, position: Position) -> Result<Option<Value>, LogError> {
        let Some(log) = &self.apart else { return Ok(None) };
        let id = log.id_at(position).await?;
        Ok(Some(
            serde_json::json!({"at": [position.0, position.1], "id": id}),
        ))
    }

    #[cfg(not(feature = "eventstore"))]
    async fn end_at(&self, _position: Position) -> Result<Option<Value>, LogError> {
        Ok(None)
    }
}

const END: &str = "end";

/// Where a view remembers the last event it was folded from.
fn ends(view: &str) -> String {
    format!("{view}#end")
}
