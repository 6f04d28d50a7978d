//! The whole log in memory, in the order of `$all`, with an index of its streams.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use uuid::Uuid;

use crate::event::{Event, Expected, Proposed};

/// The log and its indexes; cloning it is a backup (events are shared).
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) streams: BTreeMap<Arc<str>, Stream>,
    /// The server's cache of committed ids: one place an id, the first wins, whatever the stream (`BoundedCache.PutRecord`).
    /// So an id used in two streams is recognised by `Any` in the first of them only.
    ids: HashMap<Uuid, (Arc<str>, u64)>,
    next_position: u64,
    pub(crate) appends: u64,
}

/// One stream: where its events stand in the log, and what its metadata hides.
#[derive(Clone, Default)]
pub(crate) struct Stream {
    pub(crate) places: Vec<usize>,
    max_count: Option<u64>,
    truncate_before: u64,
}

impl Stream {
    /// The last number, as the server counts: -1 for none.
    pub(crate) fn last(&self) -> i64 {
        i64::try_from(self.places.len()).unwrap_or(i64::MAX) - 1
    }

    /// The first number that reads show.
    pub(crate) fn first_shown(&self) -> u64 {
        let by_count = self
            .max_count
            .map_or(0, |max| (self.places.len() as u64).saturating_sub(max));
        by_count.max(self.truncate_before)
    }
}

/// How an append came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Written, or found written already; `last` is the number of the last of these events (-1: none ever).
    Done { last: i64, position: Option<u64> },
    /// `WrongExpectedVersion`, with the stream's last number (-1: no stream).
    Wrong { current: i64 },
}

enum Decision {
    Write,
    Already { last: u64 },
    Wrong,
}

impl State {
    /// What a server writes for itself at its first start, as far as `$all` shows it.
    pub(crate) fn first_start() -> Self {
        let mut state = Self::default();
        let event = |kind: &str, data: &'static [u8]| Proposed {
            id: Uuid::new_v4(),
            kind: kind.into(),
            json: true,
            data: Bytes::from_static(data),
            metadata: Bytes::new(),
        };
        state.write(
            "$$$user-admin",
            &[event(
                "$metadata",
                br#"{"$acl":{"$r":"$admins","$w":"$admins","$d":"$admins","$mr":"$admins","$mw":"$admins"}}"#,
            )],
        );
        state.write(
            "$user-admin",
            &[event(
                "$UserCreated",
                br#"{"loginName":"admin","groups":["$admins"]}"#,
            )],
        );
        state.write("$users", &[event("$User", b"admin")]);
        state.appends = 0;
        state
    }

    pub(crate) fn last(&self, stream: &str) -> i64 {
        self.streams.get(stream).map_or(-1, Stream::last)
    }

    /// The event with this number in the stream.
    pub(crate) fn event(&self, stream: &str, revision: u64) -> Option<&Arc<Event>> {
        let place = self
            .streams
            .get(stream)?
            .places
            .get(usize::try_from(revision).ok()?)?;
        self.events.get(*place)
    }

    /// The index of the first event at or after a position.
    pub(crate) fn index_from(&self, position: u64) -> usize {
        self.events.partition_point(|event| event.position < position)
    }

    /// As the server after its cache of ids was lost or overrun: `Any` no longer finds old events.
    pub(crate) fn forget_ids(&mut self) {
        self.ids.clear();
    }

    pub(crate) fn append(&mut self, stream: &str, expected: Expected, events: &[Proposed]) -> Outcome {
        let current = self.last(stream);
        match self.check(stream, expected, events, current) {
            Decision::Wrong => Outcome::Wrong { current },
            Decision::Already { last } => Outcome::Done {
                last: i64::try_from(last).unwrap_or(i64::MAX),
                position: self.event(stream, last).map(|event| event.position),
            },
            Decision::Write => {
                self.appends += 1;
                let position = self.write(stream, events);
                Outcome::Done {
                    last: self.last(stream),
                    position,
                }
            }
        }
    }

    /// `IndexWriter.CheckCommit`, without deletions.
    fn check(&self, stream: &str, expected: Expected, events: &[Proposed], current: i64) -> Decision {
        if expected == Expected::Exists && current < 0 && self.last(&format!("$${stream}")) < 0 {
            return Decision::Wrong;
        }
        let cached = |id: &Uuid| {
            self.ids
                .get(id)
                .filter(|(in_stream, _)| &**in_stream == stream)
                .map(|(_, number)| *number)
        };
        if matches!(expected, Expected::Any | Expected::Exists) {
            let mut last = None;
            for event in events {
                match (cached(&event.id), last) {
                    (Some(number), _) => last = Some(number),
                    (None, None) => return Decision::Write,
                    // Corrupted idempotency: the first is there, a later one is not.
                    (None, Some(_)) => return Decision::Wrong,
                }
            }
            return last.map_or(Decision::Write, |last| Decision::Already { last });
        }
        let expected = expected.number();
        if expected == current {
            return Decision::Write;
        }
        if expected > current || events.is_empty() {
            return Decision::Wrong;
        }
        let mut number = u64::try_from(expected + 1).unwrap_or(0);
        for event in events {
            let same = cached(&event.id) == Some(number)
                || self
                    .event(stream, number)
                    .is_some_and(|there| there.id == event.id);
            if !same {
                // The first differs: a wrong version. A later one differs: corrupted idempotency, answered alike.
                return Decision::Wrong;
            }
            number += 1;
        }
        Decision::Already { last: number - 1 }
    }

    /// Writes; the position of the last event.
    pub(crate) fn write(&mut self, stream: &str, events: &[Proposed]) -> Option<u64> {
        let name = self
            .streams
            .get_key_value(stream)
            .map_or_else(|| Arc::from(stream), |(name, _)| Arc::clone(name));
        let mut position = None;
        let created = now_in_ticks();
        for event in events {
            let revision = self.push(&name, event, created);
            self.ids
                .entry(event.id)
                .or_insert_with(|| (Arc::clone(&name), revision));
            position = self.events.last().map(|event| event.position);
        }
        if let (Some(of), Some(event)) = (stream.strip_prefix("$$"), events.last()) {
            self.learn_metadata(of, &event.data);
        }
        position
    }

    /// Appends without any check and outside the cache of ids, for a log that has long been there.
    pub(crate) fn push(&mut self, name: &Arc<str>, event: &Proposed, created: u64) -> u64 {
        let place = self.events.len();
        let stream = self.streams.entry(Arc::clone(name)).or_default();
        let revision = stream.places.len() as u64;
        stream.places.push(place);
        let position = self.next_position;
        // As long as a record would be, and never the same: positions are no count.
        let length = 61 + name.len() + event.kind.len() + event.data.len() + event.metadata.len() + place % 7;
        self.next_position += length as u64;
        self.events.push(Arc::new(Event {
            id: event.id,
            stream: Arc::clone(name),
            revision,
            position,
            kind: Arc::clone(&event.kind),
            json: event.json,
            created,
            data: event.data.clone(),
            metadata: event.metadata.clone(),
        }));
        revision
    }

    fn learn_metadata(&mut self, of: &str, data: &[u8]) {
        let Ok(metadata) = serde_json::from_slice::<serde_json::Value>(data) else {
            return;
        };
        let stream = self.streams.entry(Arc::from(of)).or_default();
        stream.max_count = metadata.get("$maxCount").and_then(serde_json::Value::as_u64);
        stream.truncate_before = metadata
            .get("$tb")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
    }
}

/// Now, in ticks (100 ns) since the Unix epoch.
pub(crate) fn now_in_ticks() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX)
}
