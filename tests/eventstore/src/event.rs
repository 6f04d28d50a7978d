//! What the log holds: one event, and what a writer proposes.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

/// One event as the log holds it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The writer's own id; unique by custom only.
    pub id: Uuid,
    /// Its stream.
    pub stream: Arc<str>,
    /// Its number in the stream, from 0.
    pub revision: u64,
    /// Its place in the log; commit and prepare position are the same number.
    pub position: u64,
    /// The event type.
    pub kind: Arc<str>,
    /// Whether the content type was `application/json`.
    pub json: bool,
    /// When it was written, in ticks (100 ns) since the Unix epoch.
    pub created: u64,
    /// The body.
    pub data: Bytes,
    /// The custom metadata.
    pub metadata: Bytes,
}

/// One event as a writer proposes it.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The writer's own id.
    pub id: Uuid,
    /// The event type.
    pub kind: Arc<str>,
    /// Whether the content type is `application/json`.
    pub json: bool,
    /// The body.
    pub data: Bytes,
    /// The custom metadata.
    pub metadata: Bytes,
}

impl Proposed {
    /// What it counts against the limit of one append: types are counted as UTF-16 (`Event.SizeOnDisk`).
    pub(crate) fn size(&self) -> usize {
        self.data.len() + self.metadata.len() + 2 * self.kind.encode_utf16().count()
    }
}

/// What a writer expects of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// The stream, or its metadata, is there.
    Exists,
    /// The stream is not there.
    NoStream,
    /// Its last event has this number.
    At(u64),
}

impl Expected {
    /// As the server counts: -1 is no stream.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Any => -2,
            Self::Exists => -4,
            Self::NoStream => -1,
            Self::At(revision) => i64::try_from(revision).unwrap_or(i64::MAX),
        }
    }
}
