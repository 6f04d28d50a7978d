//! One append, within a transaction: the expectation, the retry, the insert.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use tieout_domain::ports::{Appended, Expected, LogError, NewEvent, Position, Revision, StreamName};

use crate::number::{from_sql, to_sql};
use crate::trouble::{Place, Trouble};
use crate::writer::Work;

/// Events for one stream.
pub(crate) struct Append {
    pub(crate) place: Place,
    pub(crate) stream: StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<NewEvent>,
}

/// Where the event of rank `leaf` stands. One more than the rank, so that nobody takes the one for the other.
pub(crate) fn position_of(leaf: u64) -> Position {
    Position(leaf.saturating_add(1), 0)
}

/// Whether a stream that ends at `head` is where the writer believes.
pub(crate) fn holds(expected: Expected, head: Option<Revision>) -> bool {
    match expected {
        Expected::NoStream => head.is_none(),
        Expected::At(revision) => head == Some(revision),
        Expected::Any => true,
    }
}

/// The revision that the first event gets, if the writer said so.
pub(crate) fn first_revision(expected: Expected) -> Option<Revision> {
    match expected {
        Expected::NoStream => Some(Revision(0)),
        Expected::At(revision) => Some(revision.next()),
        Expected::Any => None,
    }
}

/// What both engines answer to an append of nothing.
pub(crate) const NOTHING_TO_APPEND: &str = "an append needs at least one event; nothing was appended";

impl Work for Append {
    type Answer = Appended;

    fn apply(&mut self, connection: &Connection) -> Result<Appended, Trouble> {
        let Some(first) = self.events.first() else {
            return Err(self.place.failed(NOTHING_TO_APPEND).into());
        };
        let known = self.find_stream(connection)?;
        let standing = standing_of(connection, first)?;
        if let (Some((stream, _)), Some(standing)) = (known, &standing)
            && let Some(appended) = self.already_there(connection, stream, standing)?
        {
            return Ok(appended);
        }
        let head = known.map(|(_, head)| Revision(from_sql(head)));
        if !holds(self.expected, head) {
            return Err(self.conflict(head).into());
        }
        if let Some(taken) = self.find_taken_id(connection)? {
            return Err(self.place.failed(id_is_taken(taken)).into());
        }
        self.insert(connection, known)
    }

    fn must_survive_power_cut(&self) -> bool {
        true
    }

    fn weight(&self) -> usize {
        self.events
            .iter()
            .map(|e| e.data.len().saturating_add(e.metadata.len()))
            .sum()
    }
}

/// Where an event stands: leaf, stream, revision.
type Standing = (i64, i64, i64);

fn standing_of(connection: &Connection, event: &NewEvent) -> rusqlite::Result<Option<Standing>> {
    connection
        .prepare_cached("SELECT leaf, stream, revision FROM events WHERE id = ?1")?
        .query_row([event.id.0.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
}

impl Append {
    /// The stream's row id and head.
    fn find_stream(&self, connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
        connection
            .prepare_cached("SELECT id, head FROM streams WHERE name = ?1")?
            .query_row([&self.stream.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    /// Whether these very events stand in this stream, one after the other, where this append would have put them: then
    /// it is a retry after a lost answer. Events that others appended since do not matter.
    fn already_there(
        &self,
        connection: &Connection,
        stream: i64,
        first: &Standing,
    ) -> Result<Option<Appended>, Trouble> {
        let (_, found_in, start) = *first;
        let starts_right = first_revision(self.expected).is_none_or(|wanted| to_sql(wanted.0) == start);
        if found_in != stream || !starts_right {
            return Ok(None);
        }
        let mut last = *first;
        for (revision, event) in (start..).zip(&self.events) {
            match standing_of(connection, event)? {
                Some(standing) if standing.1 == stream && standing.2 == revision => last = standing,
                _ => return Ok(None),
            }
        }
        Ok(Some(Appended {
            revision: Revision(from_sql(last.2)),
            position: position_of(from_sql(last.0)),
        }))
    }

    /// The first event whose id stands in the log already, or twice in this append.
    fn find_taken_id(&self, connection: &Connection) -> rusqlite::Result<Option<&NewEvent>> {
        let mut fresh = BTreeSet::new();
        for event in &self.events {
            if !fresh.insert(event.id) || standing_of(connection, event)?.is_some() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn insert(&self, connection: &Connection, known: Option<(i64, i64)>) -> Result<Appended, Trouble> {
        let next_leaf: i64 = connection
            .prepare_cached("SELECT coalesce(max(leaf) + 1, 0) FROM events")?
            .query_row([], |row| row.get(0))?;
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let first_revision = known.map_or(0, |(_, head)| head.saturating_add(1));
        let last_revision = first_revision.saturating_add(count).saturating_sub(1);
        let stream = match known {
            Some((stream, _)) => {
                connection
                    .prepare_cached("UPDATE OR FAIL streams SET head = ?2 WHERE id = ?1")?
                    .execute(params![stream, last_revision])?;
                stream
            }
            None => connection
                .prepare_cached("INSERT OR FAIL INTO streams (name, head) VALUES (?1, ?2)")?
                .insert(params![self.stream.0, last_revision])?,
        };
        let mut insert = connection.prepare_cached(
            "INSERT OR FAIL INTO events (leaf, stream, revision, id, kind, data, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for ((leaf, revision), event) in (next_leaf..).zip(first_revision..).zip(&self.events) {
            insert.execute(params![
                leaf,
                stream,
                revision,
                event.id.0.as_bytes(),
                event.kind,
                event.data,
                event.metadata
            ])?;
        }
        let last_leaf = next_leaf.saturating_add(count).saturating_sub(1);
        Ok(Appended {
            revision: Revision(from_sql(last_revision)),
            position: position_of(from_sql(last_leaf)),
        })
    }

    fn conflict(&self, actual: Option<Revision>) -> LogError {
        LogError::Conflict {
            stream: self.stream.clone(),
            expected: self.expected,
            actual,
        }
    }
}

/// What both engines answer to an id that stands elsewhere.
pub(crate) fn id_is_taken(event: &NewEvent) -> String {
    format!(
        "the id {} of a new `{}` event is in the log already, at another place; nothing was appended; give each event an id of its own",
        event.id, event.kind
    )
}
