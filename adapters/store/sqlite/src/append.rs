//! One append, within a transaction: the expectation, the retry, the insert.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use tieout_domain::ports::{
    Appended, Expected, Leaf, LogError, NewEvent, Position, Revision, StreamName, check_append,
};

use crate::bench::{Desk, count_events};
use crate::number::{from_sql, to_sql};
use crate::read::size_of_event;
use crate::sum::sum;
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

/// The rank of what stands at a position of this engine; `None` for one that is none of it.
pub(crate) fn leaf_at(position: Position) -> Option<Leaf> {
    (position.1 == 0).then(|| position.0.checked_sub(1).map(Leaf))?
}

/// What appends of one transaction share: prepared statements, and the rank of the next event.
pub(crate) struct Appending<'c> {
    find_stream: CachedStatement<'c>,
    find_event: CachedStatement<'c>,
    begin_stream: CachedStatement<'c>,
    grow_stream: CachedStatement<'c>,
    add_event: CachedStatement<'c>,
    next_leaf: i64,
}

impl<'c> Appending<'c> {
    /// Within the transaction, because other processes append too.
    pub(crate) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            find_stream: connection.prepare_cached("SELECT id, head FROM streams WHERE name = ?1")?,
            find_event: connection.prepare_cached("SELECT stream, revision FROM events WHERE id = ?1")?,
            begin_stream: connection
                .prepare_cached("INSERT OR FAIL INTO streams (name, head) VALUES (?1, ?2)")?,
            grow_stream: connection.prepare_cached("UPDATE OR FAIL streams SET head = ?2 WHERE id = ?1")?,
            add_event: connection.prepare_cached(
                "INSERT OR FAIL INTO events (leaf, stream, revision, id, kind, data, metadata, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            next_leaf: to_sql(count_events(connection)?),
        })
    }

    fn stream(&mut self, name: &StreamName) -> rusqlite::Result<Option<Known>> {
        let known = |row: &Row<'_>| {
            Ok(Known {
                id: row.get(0)?,
                head: row.get(1)?,
            })
        };
        self.find_stream.query_row([&name.0], known).optional()
    }

    fn standing(&mut self, event: &NewEvent) -> rusqlite::Result<Option<Standing>> {
        let standing = |row: &Row<'_>| {
            Ok(Standing {
                stream: row.get(0)?,
                revision: row.get(1)?,
            })
        };
        self.find_event
            .query_row([event.id.0.as_bytes()], standing)
            .optional()
    }
}

/// A stream that has events.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: i64,
    head: i64,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    stream: i64,
    revision: i64,
}

impl Work for Append {
    type Answer = Appended;

    fn apply(&mut self, desk: &mut Desk<'_>) -> Result<Appended, Trouble> {
        check_append(self.place.name(), &self.stream, &self.events)?;
        let Some((first, others)) = self.events.split_first() else {
            return Err(self.place.failed("an append of nothing").into());
        };
        let log = desk.appending()?;
        let known = log.stream(&self.stream)?;
        let standing = log.standing(first)?;
        if let (Some(known), Some(standing)) = (known, standing)
            && let Some(appended) = self.already_there(log, known, standing)?
        {
            return Ok(appended);
        }
        let head = known.map(|known| Revision(from_sql(known.head)));
        if !self.expected.holds(head) {
            let (stream, expected) = (self.stream.clone(), self.expected);
            return Err(LogError::Conflict {
                stream,
                expected,
                actual: head,
            }
            .into());
        }
        let taken = match standing {
            Some(_) => Some(first),
            None => find_taken(log, others)?,
        };
        if let Some(taken) = taken {
            return Err(LogError::Refused {
                place: self.place.name().to_owned(),
                stream: self.stream.clone(),
                detail: format!(
                    "the id {} of a new `{}` event is in the log already, at another place: give each event an id of its own",
                    taken.id, taken.kind
                ),
            }
            .into());
        }
        self.insert(log, known)
    }

    fn must_survive_power_cut(&self) -> bool {
        true
    }

    fn weight(&self) -> usize {
        self.events.iter().map(size_of_event).sum()
    }
}

/// The first event whose id stands in the log already.
fn find_taken<'e>(log: &mut Appending<'_>, others: &'e [NewEvent]) -> rusqlite::Result<Option<&'e NewEvent>> {
    for event in others {
        if log.standing(event)?.is_some() {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

impl Append {
    /// Whether these very events stand in this stream, one after the other, where this append would have put them: then
    /// it is a retry after a lost answer. Events that others appended since do not matter.
    fn already_there(
        &self,
        log: &mut Appending<'_>,
        known: Known,
        first: Standing,
    ) -> rusqlite::Result<Option<Appended>> {
        let starts_right = self
            .expected
            .first()
            .is_none_or(|wanted| to_sql(wanted.0) == first.revision);
        if first.stream != known.id || !starts_right {
            return Ok(None);
        }
        let mut last = first;
        for (revision, event) in (first.revision..).zip(&self.events) {
            match log.standing(event)? {
                Some(standing) if standing.stream == known.id && standing.revision == revision => {
                    last = standing
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(answer(last.revision)))
    }

    fn insert(&self, log: &mut Appending<'_>, known: Option<Known>) -> Result<Appended, Trouble> {
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let first_revision = known.map_or(0, |known| known.head.saturating_add(1));
        let last_revision = first_revision.saturating_add(count).saturating_sub(1);
        let stream = match known {
            Some(known) => {
                log.grow_stream.execute([known.id, last_revision])?;
                known.id
            }
            None => log.begin_stream.insert(params![self.stream.0, last_revision])?,
        };
        for ((leaf, revision), event) in (log.next_leaf..).zip(first_revision..).zip(&self.events) {
            let id = event.id.0.as_bytes();
            let sum = sum(from_sql(leaf), &self.stream.0, from_sql(revision), event.into());
            let row = params![
                leaf,
                stream,
                revision,
                id,
                event.kind,
                event.data,
                event.metadata,
                sum
            ];
            log.add_event.execute(row)?;
        }
        log.next_leaf = log.next_leaf.saturating_add(count);
        Ok(answer(last_revision))
    }
}

fn answer(revision: i64) -> Appended {
    Appended {
        revision: Revision(from_sql(revision)),
    }
}
