//! The append-only log, and the book of the limiter's sends that is kept beside it.
//!
//! Shaped against two engines: SQLite, and the client of EventStoreDB/KurrentDB, whose append takes a stream, an expected
//! stream state (none, a revision, any) and events of id, type, data and metadata; whose `$all` position is a pair of
//! 64-bit numbers; whose batch append reports a conflict without the stream's present revision, and where several events
//! were appended does not say where each stands; which knows no rank of an event among all.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::ids::EventId;

/// The name of a stream: `report-<connection id>-<report id>`, `expense-…`, `rules-…`, `chart-…`, `poll-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(pub String);
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of an event within its stream, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);
impl Revision {
    /// The revision after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Where an event stands among all events: opaque, increasing, not dense. Two words, because EventStoreDB's is a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(pub u64, pub u64);

/// The rank of an event in total order, dense from 0: what proofs use and a copy to another engine keeps. What the
/// program keeps beside the log (the limiter's book, leases, heartbeats) has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leaf(pub u64);

/// What the writer believes of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It has no event yet.
    NoStream,
    /// Its last event has this revision.
    At(Revision),
    /// Nothing: append at the end, whatever it is.
    Any,
}
impl Expected {
    /// Is a stream that ends at `head` where the writer believes?
    pub fn holds(self, head: Option<Revision>) -> bool {
        match self {
            Self::NoStream => head.is_none(),
            Self::At(revision) => head == Some(revision),
            Self::Any => true,
        }
    }
    /// The revision that the first event gets, if the writer said so.
    pub fn first(self) -> Option<Revision> {
        match self {
            Self::NoStream => Some(Revision(0)),
            Self::At(revision) => Some(revision.next()),
            Self::Any => None,
        }
    }
    /// What a writer believes who saw this head.
    pub fn after(head: Option<Revision>) -> Self {
        head.map_or(Self::NoStream, Self::At)
    }
}

/// The most that one append may hold, by [`NewEvent::weight`]: what an EventStoreDB server takes by default. Every engine
/// refuses more, so that what one took another takes too.
pub const MOST_APPEND_BYTES: usize = 1_048_576;

/// An event to be appended: opaque bytes to the log. Metadata is JSON; data is JSON, or a slice of it (a part).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Chosen by the writer. The same id appended again at the same place is answered as the first time.
    pub id: EventId,
    /// The event's type, e.g. `Discovered`.
    pub kind: String,
    /// The event itself.
    pub data: Vec<u8>,
    /// Schema version, both clocks, actor, cause, build.
    pub metadata: Vec<u8>,
}
impl NewEvent {
    /// What it counts towards [`MOST_APPEND_BYTES`]: data, metadata, and two bytes for each byte of its type.
    pub fn weight(&self) -> usize {
        let kind = self.kind.len().saturating_mul(2);
        self.data
            .len()
            .saturating_add(self.metadata.len())
            .saturating_add(kind)
    }
}

/// Refuses what no engine takes: nothing, too much, or an id twice in one append.
///
/// # Errors
/// [`LogError::Refused`], which says what is wrong; `place` is which file or server.
pub fn check_append(place: &str, stream: &StreamName, events: &[NewEvent]) -> Result<(), LogError> {
    let refused = |detail: String| {
        Err(LogError::Refused {
            place: place.to_owned(),
            stream: stream.clone(),
            detail,
        })
    };
    if events.is_empty() {
        return refused("an append needs at least one event".to_owned());
    }
    let bytes = events.iter().map(NewEvent::weight).fold(0, usize::saturating_add);
    if bytes > MOST_APPEND_BYTES {
        return refused(format!(
            "{} events of {bytes} bytes are more than one append takes ({MOST_APPEND_BYTES} bytes): append them in parts",
            events.len()
        ));
    }
    let mut fresh = BTreeSet::new();
    match events.iter().find(|event| !fresh.insert(event.id)) {
        None => Ok(()),
        Some(twin) => refused(format!(
            "two of its events have the id {}: give each an id of its own",
            twin.id
        )),
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its stream.
    pub stream: StreamName,
    /// Its number within the stream.
    pub revision: Revision,
    /// Its place among all events.
    pub position: Position,
    /// What was appended.
    pub event: NewEvent,
}

/// Where an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Revision of the last event appended.
    pub revision: Revision,
}

/// Why the log did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// Somebody else wrote first; nothing was appended. Read the stream again and decide again.
    #[error(
        "stream {stream} is not where it was expected (expected {expected:?}, found {actual:?}): read it again"
    )]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What the writer believed.
        expected: Expected,
        /// What was found, where the engine says so.
        actual: Option<Revision>,
    },
    /// The disk or server has no room; nothing was appended.
    #[error("the log at {place} is full: make room and run again; nothing was lost ({detail})")]
    Full {
        /// Which file or server.
        place: String,
        /// The engine's own words.
        detail: String,
    },
    /// The file is not a log of ours, or is damaged.
    #[error("{place} cannot be used as a log: {detail}")]
    Unusable {
        /// Which file or server.
        place: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// What no log takes, or what this one holds already at another place: a mistake of the writer. Nothing was appended.
    #[error("the log at {place} refused an append to {stream}: {detail}; nothing was appended")]
    Refused {
        /// Which file or server.
        place: String,
        /// The stream.
        stream: StreamName,
        /// What is wrong with it.
        detail: String,
    },
    /// The engine failed in another way. Whether an append happened is unknown: read the stream to see.
    #[error("the log at {place} failed: {detail}")]
    Failed {
        /// Which file or server.
        place: String,
        /// The engine's own words.
        detail: String,
    },
}

/// The append-only event log, the one truth.
pub trait Log: Send + Sync {
    /// Appends events to one stream, all or none, durably: when this answers `Ok` they survive a power cut.
    ///
    /// Appending events whose ids stand in the stream already, right after `expected`, is answered with where they stand (a
    /// retry after a lost answer); with [`Expected::Any`] that is known for the last append to a stream only. Whoever
    /// must know that it was this append and no equal one looks for its ids. More than [`MOST_APPEND_BYTES`] is refused.
    fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> impl Future<Output = Result<Appended, LogError>> + Send;

    /// Up to `limit` events of a stream from `from` on, in order; empty where there are none (or no such stream).
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Recorded>, LogError>> + Send;

    /// The first page of each of several streams, in the order given: in one go where the engine can.
    fn read_streams(
        &self,
        streams: &[StreamName],
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Vec<Recorded>>, LogError>> + Send {
        futures::future::try_join_all(
            streams
                .iter()
                .map(move |stream| self.read_stream(stream, Revision(0), limit)),
        )
    }

    /// Does this engine vouch that a page of a stream with room left ([`Page::had_room`](super::Page::had_room)) is the last one there is? What is read
    /// over a network may end early without an error: then only an empty page is the end.
    fn ends_where_there_is_room(&self) -> bool {
        false
    }

    /// Up to `limit` events of all streams after a position (from the first with `None`), in total order.
    fn read_all(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Recorded>, LogError>> + Send;

    /// The rank of the event at a position; `None` where no event stands. May read much where the engine keeps no ranks.
    fn leaf(&self, position: Position) -> impl Future<Output = Result<Option<Leaf>, LogError>> + Send;

    /// The position of the last event; `None` while the log is empty.
    fn head(&self) -> impl Future<Output = Result<Option<Position>, LogError>> + Send;

    /// Waits until there is an event after `position`.
    fn wait_beyond(&self, position: Option<Position>) -> impl Future<Output = Result<(), LogError>> + Send;
}

/// Names the instant of the next send from the instants of the last ones; milliseconds since the epoch, oldest first. It
/// is asked again where somebody else reserved in between.
pub type PaceRule = Box<dyn Fn(&[i64]) -> i64 + Send + Sync>;

/// How many sends are kept for an account: the longest window of the source's limiter holds 20.
pub const SENDS_KEPT: usize = 20;

/// Where the limiter keeps the instants of its last sends, for all processes and connections of one account.
pub trait PaceBook: Send + Sync {
    /// In one atomic step: reads the account's last sends (oldest first, at most 20, milliseconds since the epoch), lets
    /// `rule` name the instant of the next send, keeps it and returns it.
    fn reserve(&self, account: &str, rule: PaceRule) -> impl Future<Output = Result<i64, LogError>> + Send;
}
