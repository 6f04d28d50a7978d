//! That the log was copied to another engine: it stands once in the log, and belongs to every report's trail.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tieout_domain::journal::{Actor, JournalError, Reader};
use tieout_domain::ports::{Log, Sealer};
use tieout_domain::workflow::LogEvent;

use super::leaf_of;

/// A move of the whole log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrailMove {
    /// The rank of its record: everything before it was copied.
    pub leaf: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Where the log was.
    pub from: String,
    /// Where it was copied to.
    pub to: String,
    /// Who gave the command.
    pub who: Actor,
    /// How many events were copied.
    pub events: u64,
    /// SHA-256 over all of them, in hexadecimal.
    pub sha256: String,
}

impl TrailMove {
    /// Every move of the log, oldest first.
    pub(super) async fn all<L: Log, S: Sealer>(reader: &Reader<'_, L, S>) -> Result<Vec<Self>, JournalError> {
        let (entries, _) = reader.stream::<LogEvent>(&LogEvent::stream()).await?;
        let mut moves = Vec::with_capacity(entries.len());
        for entry in entries {
            let leaf = leaf_of(reader.log, &entry).await?;
            let LogEvent::LogMoved {
                from,
                to,
                events,
                streams: _,
                sha256,
            } = entry.event;
            moves.push(Self {
                leaf: leaf.0,
                at: entry.envelope.recorded_at,
                from,
                to,
                who: entry.envelope.actor,
                events,
                sha256,
            });
        }
        Ok(moves)
    }
}
