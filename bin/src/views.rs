//! The stored views, kept beside the log: the projections' port on the store's tables.

use serde_json::Value;
use tieout_domain::ports::{LogError, Position};
use tieout_projections::view::{Stepped, ViewPort, ViewRow, ViewStep};
use tieout_projections::work_list::WorkListError;

use crate::installation::Installation;
use crate::out::Failure;

/// The views of an installation.
#[derive(Clone)]
pub struct Views(tieout_store::Views);

impl Views {
    /// Those beside the installation's log.
    pub fn of(installation: &Installation) -> Self {
        Self(installation.log.views())
    }
}

impl ViewPort for Views {
    async fn checkpoint(&self, view: &str) -> Result<Option<Position>, LogError> {
        self.0.checkpoint(view).await
    }
    async fn get(&self, view: &str, key: &str) -> Result<Option<Value>, LogError> {
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
        let ViewStep {
            since,
            checkpoint,
            upserts,
        } = step;
        let upserts = upserts
            .into_iter()
            .map(|row| tieout_store::ViewRow {
                key: row.key,
                row: row.row,
            })
            .collect();
        let step = tieout_store::ViewStep {
            since,
            checkpoint,
            upserts,
            deletes: Vec::new(),
        };
        Ok(match self.0.apply(view, step).await? {
            tieout_store::Stepped::Applied => Stepped::Applied,
            tieout_store::Stepped::Overtaken { .. } => Stepped::Overtaken,
        })
    }
    async fn drop_view(&self, view: &str) -> Result<(), LogError> {
        self.0.drop_view(view).await
    }
}

impl From<WorkListError> for Failure {
    fn from(error: WorkListError) -> Self {
        match error {
            WorkListError::Journal(error) => error.into(),
            WorkListError::Store(error) => error.into(),
            WorkListError::Row { .. } => Self::Person(error.to_string()),
        }
    }
}
