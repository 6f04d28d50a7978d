//! A log on either engine.

use std::path::Path;

use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, PaceBook, PaceRule, Position, Recorded, Revision,
    StreamName,
};
use tieout_sqlite::SqliteLog;

use crate::Lease;
use crate::place::{StorePlace, User};
use crate::views::Views;

/// A log, on either engine, with the views that people read beside it. Clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// In a file, the views in the same.
    Sqlite(SqliteLog),
    /// On a cluster.
    #[cfg(feature = "eventstore")]
    EventStore {
        /// The log.
        log: tieout_eventstore::EventStoreLog,
        /// This instance's views.
        views: SqliteLog,
    },
}

impl Store {
    /// Opens the log, which must be there. `views` is the file of the views where the log itself is none.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn open_existing(
        place: &StorePlace,
        views: &Path,
        user: Option<User>,
    ) -> Result<Self, LogError> {
        #[cfg(not(feature = "eventstore"))]
        let _ = (views, user);
        match place {
            StorePlace::Sqlite(path) => SqliteLog::open_existing(path).map(Self::Sqlite),
            #[cfg(feature = "eventstore")]
            StorePlace::EventStore(address) => {
                let patience = tieout_eventstore::Patience::default();
                let log =
                    tieout_eventstore::EventStoreLog::open_existing(address, user.map(signing_in), patience)
                        .await?;
                Ok(Self::EventStore {
                    log,
                    views: SqliteLog::open(views)?,
                })
            }
        }
    }

    /// Opens the log, or begins an empty one.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn open(place: &StorePlace, views: &Path, user: Option<User>) -> Result<Self, LogError> {
        #[cfg(not(feature = "eventstore"))]
        let _ = (views, user);
        match place {
            StorePlace::Sqlite(path) => SqliteLog::open(path).map(Self::Sqlite),
            #[cfg(feature = "eventstore")]
            StorePlace::EventStore(address) => {
                let patience = tieout_eventstore::Patience::default();
                let log =
                    tieout_eventstore::EventStoreLog::open(address, user.map(signing_in), patience).await?;
                Ok(Self::EventStore {
                    log,
                    views: SqliteLog::open(views)?,
                })
            }
        }
    }

    /// The views.
    pub fn views(&self) -> Views {
        match self {
            Self::Sqlite(log) => Views::within(log.views()),
            #[cfg(feature = "eventstore")]
            Self::EventStore { log, views } => Views::apart(views.views(), log.clone()),
        }
    }

    /// Who works something, `what` being its name; `None` where nobody need ask, because all are on one machine.
    pub fn lease(&self, what: &str) -> Option<Lease> {
        match self {
            Self::Sqlite(_) => {
                let _ = what;
                None
            }
            #[cfg(feature = "eventstore")]
            Self::EventStore { log, .. } => Some(log.lease(what)),
        }
    }

    /// The log's file, where it is one.
    pub fn sqlite(&self) -> Option<&SqliteLog> {
        match self {
            Self::Sqlite(log) => Some(log),
            #[cfg(feature = "eventstore")]
            Self::EventStore { .. } => None,
        }
    }

    /// Where it is, without secrets.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite(log) => log.path().display().to_string(),
            #[cfg(feature = "eventstore")]
            Self::EventStore { log, .. } => log.place().to_owned(),
        }
    }
}

#[cfg(feature = "eventstore")]
fn signing_in(user: User) -> tieout_eventstore::User {
    tieout_eventstore::User {
        name: user.name,
        password: user.password,
    }
}

/// Calls the same on whichever engine it is.
macro_rules! either {
    ($self:ident, $log:ident => $call:expr) => {
        match $self {
            Store::Sqlite($log) => $call,
            #[cfg(feature = "eventstore")]
            Store::EventStore { log: $log, .. } => $call,
        }
    };
}

impl Log for Store {
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

    async fn read_streams(
        &self,
        streams: &[StreamName],
        limit: usize,
    ) -> Result<Vec<Vec<Recorded>>, LogError> {
        either!(self, log => log.read_streams(streams, limit).await)
    }

    fn ends_where_there_is_room(&self) -> bool {
        either!(self, log => log.ends_where_there_is_room())
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

impl PaceBook for Store {
    async fn reserve(&self, account: &str, rule: PaceRule) -> Result<i64, LogError> {
        either!(self, log => log.reserve(account, rule).await)
    }
}
