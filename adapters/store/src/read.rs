//! Reading: pages of a stream or of everything, and the connections it is done on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Row, params};
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Leaf, LogError, NewEvent, Position, Recorded, Revision, StreamName};
use tokio::sync::Semaphore;

use crate::append::position_of;
use crate::file;
use crate::number::{from_sql, to_sql};
use crate::trouble::{Place, Trouble};

/// Where a page ends, however many events were asked for, in bytes of data and metadata.
pub(crate) const PAGE_BYTES: usize = 4 << 20;
/// How many reads go on at once; SQLite lets them run beside the writer.
const READERS: usize = 4;

/// A page being filled: at most `limit` events and, after the first, at most [`PAGE_BYTES`].
pub(crate) struct Page {
    limit: usize,
    bytes: usize,
    events: Vec<Recorded>,
}

impl Page {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            events: Vec::new(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Takes an event if there is room for `size` more bytes.
    pub(crate) fn has_room_for(&self, size: usize) -> bool {
        !self.is_full() && (self.events.is_empty() || self.bytes.saturating_add(size) <= PAGE_BYTES)
    }

    pub(crate) fn add(&mut self, event: Recorded) {
        self.bytes = self.bytes.saturating_add(size_of_event(&event.event));
        self.events.push(event);
    }

    pub(crate) fn into_events(self) -> Vec<Recorded> {
        self.events
    }
}

/// Bytes of data and metadata.
pub(crate) fn size_of_event(event: &NewEvent) -> usize {
    event.data.len().saturating_add(event.metadata.len())
}

const COLUMNS_FROM: &str = "SELECT e.leaf, s.name, e.revision, e.id, e.kind, e.data, e.metadata
     FROM events e JOIN streams s ON s.id = e.stream";

pub(crate) fn stream_page(
    connection: &Connection,
    stream: &StreamName,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, Trouble> {
    let sql = format!("{COLUMNS_FROM} WHERE s.name = ?1 AND e.revision >= ?2 ORDER BY e.revision LIMIT ?3");
    page(
        connection,
        &sql,
        params![stream.0, to_sql(from.0), sql_limit(limit)],
        limit,
    )
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
        "{} WHERE e.leaf >= ?1 ORDER BY e.leaf LIMIT ?2",
        COLUMNS_FROM.replace(" JOIN", " CROSS JOIN")
    );
    page(connection, &sql, params![to_sql(from), sql_limit(limit)], limit)
}

fn page(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    limit: usize,
) -> Result<Vec<Recorded>, Trouble> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    let mut page = Page::new(limit);
    while !page.is_full()
        && let Some(row) = rows.next()?
    {
        let data: &[u8] = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        let metadata: &[u8] = row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?;
        if !page.has_room_for(data.len().saturating_add(metadata.len())) {
            break;
        }
        page.add(recorded(row, data, metadata)?);
    }
    Ok(page.into_events())
}

fn recorded(row: &Row<'_>, data: &[u8], metadata: &[u8]) -> rusqlite::Result<Recorded> {
    let leaf = from_sql(row.get(0)?);
    Ok(Recorded {
        stream: StreamName(row.get(1)?),
        revision: Revision(from_sql(row.get(2)?)),
        position: position_of(leaf),
        leaf: Leaf(leaf),
        event: NewEvent {
            id: EventId(uuid::Uuid::from_bytes(row.get(3)?)),
            kind: row.get(4)?,
            data: data.to_vec(),
            metadata: metadata.to_vec(),
        },
    })
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
