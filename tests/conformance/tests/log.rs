//! The log's suite, run against each store.
#![allow(clippy::unwrap_used, reason = "a helper of tests outside a test function")]

use tempfile::TempDir;
use tieout_conformance::log::LogPlace;
use tieout_conformance::{log_contract, pace_contract};
use tieout_store::{MemoryLog, SqliteLog};

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
pace_contract!(sqlite_pace, SqlitePlace::new());
pace_contract!(memory_pace, MemoryPlace(MemoryLog::new()));
