//! Reading: pages of a stream or of everything, and the connections it is done on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Row, params};
use tieout_domain::ids::EventId;
use tieout_domain::ports::{LogError, NewEvent, Page, Position, Recorded, Revision, StreamName};
use tokio::sync::Semaphore;

use crate::append::position_of;
use crate::file;
use crate::number::{from_sql, to_sql};
use crate::sum::{Parts, sum};
use crate::trouble::{Place, Trouble};

/// How many reads go on at once; SQLite lets them run beside the writer.
const READERS: usize = 4;

/// Bytes of data and metadata.
pub(crate) fn size_of_event(event: &NewEvent) -> usize {
    event.data.len().saturating_add(event.metadata.len())
}

const COLUMNS: &str = "SELECT e.leaf, s.name, e.revision, e.id, e.kind, e.data, e.metadata, e.sum";

pub(crate) fn stream_page(
    connection: &Connection,
    stream: &StreamName,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, Trouble> {
    let sql = format!(
        "{COLUMNS} FROM events e JOIN streams s ON s.id = e.stream
         WHERE s.name = ?1 AND e.revision >= ?2 ORDER BY e.revision LIMIT ?3"
    );
    let page = || {
        let params = params![stream.0, to_sql(from.0), sql_limit(limit)];
        let rank = |event: &Recorded| event.revision.0;
        let (page, ended) = page(connection, &sql, params, limit, from.0, rank)?;
        let next = page
            .last()
            .map_or(from.0, |last| last.revision.0.saturating_add(1));
        let beyond = || {
            connection
                .prepare_cached("SELECT head FROM streams WHERE name = ?1 AND head >= ?2")?
                .exists(params![stream.0, to_sql(next)])
        };
        Ok((page, ended && beyond()?))
    };
    undivided(connection, page, || {
        format!("events are missing from stream {stream}")
    })
}

pub(crate) fn all_page(
    connection: &Connection,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Recorded>, Trouble> {
    // A position is one more than the leaf it names, so it *is* the first leaf after it.
    let from = after.map_or(0, |position| position.0);
    // CROSS JOIN: the events in the order of their leaves, and for each its name; never the other way round.
    let sql = format!(
        "{COLUMNS} FROM events e CROSS JOIN streams s ON s.id = e.stream WHERE e.leaf >= ?1 ORDER BY e.leaf LIMIT ?2"
    );
    let page = || {
        // Its position is one more than its rank.
        let rank = |event: &Recorded| event.position.0.saturating_sub(1);
        let params = params![to_sql(from), sql_limit(limit)];
        let (page, ended) = page(connection, &sql, params, limit, from, rank)?;
        let next = page.last().map_or(from, |last| last.position.0);
        let beyond = || {
            connection
                .prepare_cached("SELECT 1 FROM events WHERE leaf >= ?1")?
                .exists([to_sql(next)])
        };
        Ok((page, ended && beyond()?))
    };
    undivided(connection, page, || "events have lost their streams".to_owned())
}

/// A page, unless there is more where it ended by itself. That may have been written in between: then the question is
/// asked again of one state of the file.
fn undivided(
    connection: &Connection,
    page: impl Fn() -> Result<(Vec<Recorded>, bool), Trouble>,
    what: impl Fn() -> String,
) -> Result<Vec<Recorded>, Trouble> {
    let (events, cut_short) = page()?;
    if !cut_short {
        return Ok(events);
    }
    let reading = connection.unchecked_transaction()?;
    let (events, cut_short) = page()?;
    drop(reading);
    if cut_short {
        Err(Trouble::Damaged(what()))
    } else {
        Ok(events)
    }
}

/// Events whose ranks follow `from` without a gap, and whether there were no more.
fn page(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    limit: usize,
    from: u64,
    rank: impl Fn(&Recorded) -> u64,
) -> Result<(Vec<Recorded>, bool), Trouble> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    let mut page = Page::new(limit);
    let mut next = from;
    while !page.is_full() {
        let Some(row) = rows.next()? else {
            return Ok((page.into_events(), true));
        };
        let data: &[u8] = row
            .get_ref(5)?
            .as_blob()
            .map_err(rusqlite::Error::from)
            .map_err(content)?;
        let metadata: &[u8] = row
            .get_ref(6)?
            .as_blob()
            .map_err(rusqlite::Error::from)
            .map_err(content)?;
        if !page.has_room_for(data.len().saturating_add(metadata.len())) {
            break;
        }
        let event = recorded(row, data, metadata)?;
        if rank(&event) != next {
            let found = rank(&event);
            return Err(Trouble::Damaged(format!(
                "event {found} stands where {next} should"
            )));
        }
        next = next.saturating_add(1);
        page.add(event);
    }
    Ok((page.into_events(), false))
}

fn recorded(row: &Row<'_>, data: &[u8], metadata: &[u8]) -> Result<Recorded, Trouble> {
    let leaf = from_sql(row.get(0).map_err(content)?);
    let stream: String = row.get(1).map_err(content)?;
    let revision = from_sql(row.get(2).map_err(content)?);
    let id: [u8; 16] = row.get(3).map_err(content)?;
    let kind: String = row.get(4).map_err(content)?;
    let kept: Option<i64> = row.get(7).map_err(content)?;
    let parts = Parts {
        id: &id,
        kind: &kind,
        data,
        metadata,
    };
    // Without one it was written before events bore sums.
    if kept.is_some_and(|kept| kept != sum(leaf, &stream, revision, parts)) {
        return Err(Trouble::Damaged(format!(
            "event {leaf} is not what was written (revision {revision} of stream {stream})"
        )));
    }
    Ok(Recorded {
        stream: StreamName(stream),
        revision: Revision(revision),
        position: position_of(leaf),
        event: NewEvent {
            id: EventId(uuid::Uuid::from_bytes(id)),
            kind,
            data: data.to_vec(),
            metadata: metadata.to_vec(),
        },
    })
}

/// What SQLite reads without complaint and is of no kind that was ever written.
fn content(error: rusqlite::Error) -> Trouble {
    match error.sqlite_error_code() {
        Some(_) => Trouble::Sql(error),
        None => Trouble::Damaged(error.to_string()),
    }
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn head(connection: &Connection) -> Result<Option<Position>, Trouble> {
    let leaf: Option<i64> = connection
        .prepare_cached("SELECT max(leaf) FROM events")?
        .query_row([], |row| row.get(0))?;
    Ok(leaf.map(|leaf| position_of(from_sql(leaf))))
}

/// The connections that read, made when first needed and used again.
pub(crate) struct Readers {
    place: Place,
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, place: Place) -> Self {
        Self {
            place,
            path,
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Reads on a thread where waiting for the disk holds nobody up.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, LogError> {
        let stopped = || {
            self.place
                .failed("the reading was broken off because the program is ending")
        };
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let read = tokio::task::spawn_blocking(move || {
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match pooled {
                Some(connection) => connection,
                None => file::open_for_reading(&path)?,
            };
            let answer = work(&connection);
            // After a failure a fresh connection is the safer one.
            if answer.is_ok() {
                idle.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            drop(turn);
            answer
        });
        read.await
            .map_err(|_| stopped())?
            .map_err(|trouble| self.place.error(trouble))
    }
}
