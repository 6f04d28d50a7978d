//! The file: made whole or not at all, and refused when it is not ours.
//!
//! What it is is read from its first 100 bytes before SQLite touches it, because merely opening a foreign database may
//! change it (a hot journal is rolled back, a write-ahead log is folded in).

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tieout_domain::ports::LogError;

use crate::trouble::{Place, RESTORE};

/// `TIEO`: marks the file as ours, where SQLite keeps such marks.
pub(crate) const APPLICATION_ID: u32 = 0x5449_454F;
/// The version of the schema: `schema.sql` with `sums.sql` on top.
pub(crate) const FORMAT: u32 = 2;
/// The one before, without sums: such a log is brought up when it is opened.
const WITHOUT_SUMS: u32 = 1;

const SCHEMA: &str = include_str!("schema.sql");
const SUMS: &str = include_str!("sums.sql");
const VIEW_TABLES: &str = include_str!("views.sql");
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a writer waits for other processes, in turns of a millisecond.
const BUSY_TURNS: i32 = 15_000;

/// What to do where there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    /// Make an empty log.
    Create,
    /// Refuse: an empty log in the place of a lost one would begin to post again.
    Refuse,
}

/// Sees to it that a sound log of ours is at `path`, and answers the connection that may write to it.
pub(crate) fn open_for_writing(path: &Path, if_missing: IfMissing) -> Result<Connection, LogError> {
    let place = Place::of(path);
    match read_header(path) {
        Ok(header) => {
            header.check(&place)?;
            header.check_length(path, &place)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match if_missing {
                IfMissing::Create => create(path, &place)?,
                IfMissing::Refuse => {
                    return Err(place.unusable("there is no such file; correct `[store] url`, or run `tieout init` to begin a new log"));
                }
            }
        }
        Err(error) => {
            return Err(place.unusable(format!(
                "it cannot be read ({error}); correct the path or its permissions"
            )));
        }
    }
    let mut connection = connect(path).map_err(|e| place.error_at_opening(&e))?;
    bring_up(&mut connection).map_err(|e| place.error_at_opening(&e))?;
    check_schema(&connection, &place)?;
    check_ends(&connection, &place)?;
    check_names(&connection, &place)?;
    make_view_tables(&connection).map_err(|e| place.error_at_opening(&e))?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Makes the tables of the views where somebody dropped them.
pub(crate) fn make_view_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(VIEW_TABLES)
}

/// Brings a log of the format before up to this one: what it holds stays as it is, what comes bears sums.
fn bring_up(connection: &mut Connection) -> rusqlite::Result<()> {
    let format = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
    };
    if format(connection)? != WITHOUT_SUMS {
        return Ok(());
    }
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if format(&change)? == WITHOUT_SUMS {
        change.execute_batch(SUMS)?;
        change.pragma_update(None, "user_version", FORMAT)?;
    }
    change.commit()
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // SQLite's own handler backs off to 100 ms and so never gets its turn beside a busy writer.
    connection.busy_handler(Some(|turn: i32| {
        std::thread::sleep(Duration::from_millis(1));
        turn < BUSY_TURNS
    }))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Plans do not depend on what is bound: else a statement is prepared anew for every stream that it reads.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer names no stream it did not just find or make, and streams cannot be deleted: no second look-up for that.
    connection.pragma_update(None, "foreign_keys", false)?;
    // The write-ahead log is folded into the file every 32 MiB: pages that are written again and again
    // (ends of indexes, heads of streams) are then folded in once. After a large burst it is cut back to 64 MiB.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // A copy made by `VACUUM INTO` has a rollback journal; everybody else is in this mode already.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    Ok(connection)
}

// ── making it ────────────────────────────────────────────────────────────────────────────────────────────────────

/// Builds the log beside its place and links it there complete, so that neither a crash nor a second process that
/// starts at the same moment ever meets half a log.
fn create(path: &Path, place: &Place) -> Result<(), LogError> {
    let leftover = companion(path, "-wal");
    if has_write_ahead_log(path) {
        return Err(place.unusable(format!(
            "the file is missing but {} is there, with events in it; put the file back beside it, or move that one away to begin a new log",
            leftover.display()
        )));
    }
    let unreachable = |error: std::io::Error| {
        place.unusable(format!(
            "it cannot be made ({error}); correct the path, or the permissions of its folder"
        ))
    };
    let draft = draft_beside(path);
    make_private(&draft).map_err(unreachable)?;
    let built = build(&draft)
        .map_err(|e| place.error(e))
        .and_then(|()| match settle(&draft, path) {
            // Where somebody else was faster, theirs is checked like any other file.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unreachable(error)),
            _ => Ok(()),
        });
    let _ = fs::remove_file(&draft);
    built
}

fn build(draft: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // An event is a kilobyte or a few: pages of 4 KiB would be a quarter empty, and twice as many.
    connection.pragma_update(None, "page_size", 8_192)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("BEGIN")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(SUMS)?;
    connection.execute_batch("COMMIT")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// The log names amounts and people's spend: only its owner reads it, until the owner decides otherwise. SQLite gives
/// the `-wal` and `-shm` files the same mode.
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A name in the same folder (so on the same file system) that no other process uses.
pub(crate) fn draft_beside(path: &Path) -> PathBuf {
    static TURN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let turn = TURN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    companion(path, &format!(".draft-{}-{turn}", std::process::id()))
}

/// Gives a finished draft its name, durably; refuses to replace a file that is there.
pub(crate) fn settle(draft: &Path, path: &Path) -> std::io::Result<()> {
    fs::File::open(draft)?.sync_all()?;
    if let Err(error) = fs::hard_link(draft, path) {
        if error.kind() == ErrorKind::AlreadyExists || path.exists() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        // Some file systems have no links. Renaming would replace a file made since the line above; there, only.
        fs::rename(draft, path)?;
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::File::open(folder)?.sync_all(),
        _ => fs::File::open(".")?.sync_all(),
    }
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

// ── recognising it ───────────────────────────────────────────────────────────────────────────────────────────────

struct Header {
    bytes: Vec<u8>,
    /// Of the whole file.
    length: u64,
    /// Whether no write-ahead log was beside it.
    alone: bool,
}

fn has_write_ahead_log(path: &Path) -> bool {
    fs::metadata(companion(path, "-wal")).is_ok_and(|file| file.len() > 0)
}

fn read_header(path: &Path) -> std::io::Result<Header> {
    let alone = !has_write_ahead_log(path);
    let mut file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut bytes = Vec::with_capacity(100);
    (&mut file).take(100).read_to_end(&mut bytes)?;
    Ok(Header {
        bytes,
        length: file.metadata()?.len(),
        alone,
    })
}

impl Header {
    fn check(&self, place: &Place) -> Result<(), LogError> {
        if self.bytes.is_empty() {
            return Err(place.unusable(format!(
                "the file is empty, which a log of ours never is; if nothing was in it, delete it and run again; otherwise {RESTORE}"
            )));
        }
        let cut = self.bytes.get(..16).unwrap_or(&self.bytes);
        if !MAGIC.starts_with(cut) {
            return Err(place.unusable(
                "the file is not a SQLite database, so not a log of ours (or its beginning was overwritten); correct `[store] url`, \
                 or restore the last backup",
            ));
        }
        let (Some(application), Some(format)) = (self.word(68), self.word(60)) else {
            return Err(place.unusable(format!("the file is torn: it ends within its header; {RESTORE}")));
        };
        match (application, format) {
            (APPLICATION_ID, FORMAT | WITHOUT_SUMS) => Ok(()),
            (APPLICATION_ID, newer) if newer > FORMAT => Err(place.unusable(format!(
                "it was written by a newer tieout (format {newer}; this program knows {FORMAT}); run the newer program"
            ))),
            (APPLICATION_ID, other) => {
                Err(place.unusable(format!("its format is {other}, which no tieout ever wrote; {RESTORE}")))
            }
            _ => Err(place.unusable("it is a SQLite database of another program, not a log of tieout; correct `[store] url`")),
        }
    }

    /// Whether the file is as long as it says. SQLite takes a last page that is cut for one that ends in zeros.
    fn check_length(&self, path: &Path, place: &Place) -> Result<(), LogError> {
        // With a write-ahead log in use, the file alone may be behind.
        if !self.alone || has_write_ahead_log(path) {
            return Ok(());
        }
        let page_size = match self.bytes.get(16..18) {
            Some([0, 1]) => 65_536,
            Some([high, low]) => u64::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        };
        // The count is to be believed where these two words agree.
        let pages = if self.word(24) == self.word(92) {
            self.word(28).map_or(0, u64::from)
        } else {
            0
        };
        let wanted = pages.saturating_mul(page_size);
        if self.length < wanted {
            return Err(place.unusable(format!(
                "the file is torn: it says it has {wanted} bytes, and {} are there; {RESTORE}",
                self.length
            )));
        }
        Ok(())
    }

    /// A big-endian word of the database header (sqlite.org/fileformat2.html §1.3).
    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// Every table, trigger and view is there, word for word: somebody who dropped a trigger to edit an event is found out.
fn check_schema(connection: &Connection, place: &Place) -> Result<(), LogError> {
    let found = objects(connection).map_err(|e| place.error_at_opening(&e))?;
    let wanted = Connection::open_in_memory()
        .and_then(|blank| {
            blank.execute_batch(SCHEMA)?;
            blank.execute_batch(SUMS)?;
            objects(&blank)
        })
        .map_err(|e| place.error_at_opening(&e))?;
    for object in &wanted {
        if !found.contains(object) {
            let (kind, name, _) = object;
            return Err(place.unusable(format!(
                "its {kind} `{name}` is missing or was altered; {RESTORE}"
            )));
        }
    }
    Ok(())
}

fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut select = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// A quick look at both ends: the first and the last event can be read, and the last one's stream ends with it.
fn check_ends(connection: &Connection, place: &Place) -> Result<(), LogError> {
    let ends = connection
        .query_row(
            "SELECT (SELECT min(leaf) FROM events), s.head - e.revision, length(e.data) + length(e.metadata)
             FROM events e LEFT JOIN streams s ON s.id = e.stream ORDER BY e.leaf DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)),
        )
        .optional()
        .map_err(|e| place.error_at_opening(&e))?;
    match ends {
        None | Some((0, Some(0))) => Ok(()),
        Some((0, _)) => Err(place.unusable(format!(
            "its last event and the head of that event's stream disagree; {RESTORE}"
        ))),
        Some(_) => Err(place.unusable(format!("its first events are missing; {RESTORE}"))),
    }
}

/// Every stream is found by its name. A rotten byte in that index would show a stream as one that has no event yet, and no
/// reading could tell. (The other indexes are held against what they point to by each reading, or by `verify`.) Takes time
/// with the number of streams: less than a millisecond for a thousand.
fn check_names(connection: &Connection, place: &Place) -> Result<(), LogError> {
    let fault: String = connection
        .query_row("PRAGMA integrity_check(streams)", [], |row| row.get(0))
        .map_err(|e| place.error_at_opening(&e))?;
    if fault == "ok" {
        Ok(())
    } else {
        Err(place.unusable(format!("the file is damaged: {fault}; {RESTORE}")))
    }
}
