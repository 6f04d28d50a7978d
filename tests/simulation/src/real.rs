//! A real engine under the workflow: the one for a cluster, or SQLite in a folder of its own.

use std::sync::Arc;

use tempfile::TempDir;
use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, Position, Recorded, Revision, StreamName,
};
use tieout_eventstore::EventStoreLog;
use tieout_sqlite::SqliteLog;

use crate::cluster::{self, wait};

/// See the module. Clones share it.
#[derive(Clone)]
pub enum Real {
    /// Through the server's stand-in.
    EventStore(EventStoreLog),
    /// In a file, which is gone with the last handle.
    Sqlite(SqliteLog, Arc<TempDir>),
}

impl Real {
    /// An empty log in a file.
    pub(crate) fn sqlite() -> Result<Self, LogError> {
        let folder = TempDir::new().expect("a folder");
        let log = SqliteLog::open(folder.path().join("tieout.db"))?;
        Ok(Self::Sqlite(log, Arc::new(folder)))
    }

    /// An empty log of the same kind.
    pub(crate) fn another(&self) -> Result<Self, LogError> {
        match self {
            Self::EventStore(log) => cluster::another(log).map(Self::EventStore),
            Self::Sqlite(..) => Self::sqlite(),
        }
    }

    /// Everything it holds.
    pub fn events(&self) -> Vec<Recorded> {
        let mut events: Vec<Recorded> = Vec::new();
        loop {
            let after = events.last().map(|event| event.position);
            let page = wait(self.read_all(after, 1_000)).expect("it can be read");
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }
}

/// Calls the same on whichever it is.
macro_rules! either {
    ($self:ident, $log:ident => $call:expr) => {
        match $self {
            Real::EventStore($log) => $call,
            Real::Sqlite($log, _) => $call,
        }
    };
}

impl Log for Real {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        either!(self, log => log.append(stream, expected, events).await)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        either!(self, log => log.read_stream(stream, from, limit).await)
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        either!(self, log => log.read_all(after, limit).await)
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        either!(self, log => log.leaf(position).await)
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        either!(self, log => log.head().await)
    }

    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        either!(self, log => log.wait_beyond(position).await)
    }
}
