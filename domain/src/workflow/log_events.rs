//! What the stream `log-moves` records: that the whole log was copied to another engine, event by event.

use serde::{Deserialize, Serialize};

use crate::journal::stored_events;
use crate::ports::StreamName;

/// A fact about the log as a whole. It is of no connection, so that its stream is one for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum LogEvent {
    /// Every event before this one was copied here from another place, and both places were read in full and compared.
    LogMoved {
        /// Where it was, without secrets.
        from: String,
        /// Where it is from now on, without secrets.
        to: String,
        /// How many events stood before this one, in both places.
        events: u64,
        /// In how many streams.
        streams: u64,
        /// SHA-256 over all of them, in hexadecimal: the same on every engine (`tieout log copy` says over which bytes).
        sha256: String,
    },
}

impl LogEvent {
    /// The type of [`LogMoved`](Self::LogMoved), as the log stores it.
    pub const MOVED: &str = "LogMoved";

    /// The one stream of all of these.
    pub fn stream() -> StreamName {
        StreamName("log-moves".to_owned())
    }
}

stored_events!(LogEvent {
    Self::LogMoved { .. } => Self::MOVED,
});
