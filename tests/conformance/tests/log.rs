//! The log's suite, run against each store.
#![allow(clippy::unwrap_used, reason = "a helper of tests outside a test function")]

use tempfile::TempDir;
use tieout_conformance::log::LogPlace;
use tieout_conformance::{log_contract, pace_contract};
use tieout_memory::MemoryLog;
use tieout_sqlite::SqliteLog;

/// A folder with one file in it.
struct SqlitePlace(TempDir);

impl SqlitePlace {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }
}

impl LogPlace for SqlitePlace {
    type Log = SqliteLog;
    async fn open(&self) -> SqliteLog {
        SqliteLog::open(self.0.path().join("tieout.db")).unwrap()
    }
}

/// What stays when every handle but this one is dropped.
struct MemoryPlace(MemoryLog);

impl LogPlace for MemoryPlace {
    type Log = MemoryLog;
    async fn open(&self) -> MemoryLog {
        self.0.clone()
    }
}

log_contract!(sqlite, SqlitePlace::new());
log_contract!(memory, MemoryPlace(MemoryLog::new()));

mod ids {
    use super::*;
    /// An id that stands in another stream is refused by the engines that keep an index of ids.
    #[tokio::test]
    async fn an_id_is_never_used_twice_on_sqlite() {
        tieout_conformance::log::an_id_is_never_used_twice(SqlitePlace::new()).await;
    }
    /// The same.
    #[tokio::test]
    async fn an_id_is_never_used_twice_in_memory() {
        tieout_conformance::log::an_id_is_never_used_twice(MemoryPlace(MemoryLog::new())).await;
    }
}

pace_contract!(sqlite_pace, SqlitePlace::new());
pace_contract!(memory_pace, MemoryPlace(MemoryLog::new()));
