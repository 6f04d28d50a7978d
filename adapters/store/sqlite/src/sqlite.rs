//! The log on embedded SQLite: the ports, put together from the rooms beside this one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, PaceBook, PaceRule, Position, Recorded, Revision,
    StreamName,
};

use crate::append::{Append, leaf_at};
use crate::copy;
use crate::file::{self, IfMissing};
use crate::pace::Reserve;
use crate::read::{self, Readers};
use crate::trouble::Place;
use crate::verify::{self, Verified};
use crate::views::ViewStore;
use crate::writer::Writer;

/// How soon an append by another process is noticed. Our own are noticed at once.
const OTHERS_NOTICED_WITHIN: Duration = Duration::from_millis(200);

/// The log in one SQLite file, shared by clones of this handle and by other processes on the same machine.
///
/// An append is durable when it is answered (write-ahead log, `synchronous=FULL`); concurrent appends share one commit.
/// The file must lie on a local disk: SQLite's write-ahead log needs shared memory, which network file systems lack.
#[derive(Clone)]
pub struct SqliteLog {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) place: Place,
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
}

impl std::fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteLog")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

impl SqliteLog {
    /// Opens the log at `path`, or makes an empty one where no file is. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`LogError::Unusable`] for a file that is foreign, torn, altered or of a newer program, and for one that cannot
    /// be reached; it says which, and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_or(path.as_ref(), IfMissing::Create)
    }

    /// Opens the log at `path`, which must be there: for a program that has run before, where an empty log would stand
    /// for a lost one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where no file is.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_or(path.as_ref(), IfMissing::Refuse)
    }

    fn open_or(path: &Path, if_missing: IfMissing) -> Result<Self, LogError> {
        let place = Place::of(path);
        let connection = file::open_for_writing(path, if_missing)?;
        let writer = Writer::start(connection, place.clone())?;
        let readers = Readers::new(path.to_owned(), place.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                place,
                path: path.to_owned(),
                writer,
                readers,
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The views kept beside the log in the same file.
    pub fn views(&self) -> ViewStore {
        ViewStore::new(Arc::clone(&self.inner))
    }

    /// Reads the whole file: every page is sound and every index agrees with its table, leaves and revisions are dense,
    /// each stream ends where it says, and each event is what its sum says was written.
    /// Takes time in proportion to the log; appends go on meanwhile.
    ///
    /// # Errors
    /// [`LogError::Unusable`] with the first faults found.
    pub async fn verify(&self) -> Result<Verified, LogError> {
        let place = self.inner.place.clone();
        self.inner
            .readers
            .read(move |connection| verify::verify(connection, &place))
            .await
    }

    /// Writes a copy of the log as it stands to `path`, while appends go on, and checks the copy. The copy is a complete
    /// log with every event, position and view; it can be opened in the place of this one.
    ///
    /// # Errors
    /// [`LogError::Unusable`] if there is a file at `path` already or none can be made; [`LogError::Full`] if the disk
    /// there is. Nothing is left at `path` then.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<Verified, LogError> {
        let target = path.as_ref().to_owned();
        self.inner
            .readers
            .read(move |connection| copy::copy(connection, &target))
            .await
    }

    async fn has_event_beyond(&self, position: Option<Position>) -> Result<bool, LogError> {
        Ok(self.head().await? > position)
    }
}

/// Pages end early: beside `limit`, a page stops at about 4 MiB of data (but holds at least one event), so that memory
/// stays flat. Fewer events than `limit` therefore do not mean the end; an empty page does.
impl Log for SqliteLog {
    /// As the port says. Dropping the future does not take the append back. Append the same events again after a lost
    /// answer: they are recognised by their ids, also when others have appended to the stream since.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let place = self.inner.place.clone();
        self.inner
            .writer
            .order(Append {
                place,
                stream: stream.clone(),
                expected,
                events,
            })
            .await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let stream = stream.clone();
        self.inner
            .readers
            .read(move |connection| read::stream_page(connection, &stream, from, limit))
            .await
    }

    async fn read_streams(
        &self,
        streams: &[StreamName],
        limit: usize,
    ) -> Result<Vec<Vec<Recorded>>, LogError> {
        let streams = streams.to_vec();
        self.inner
            .readers
            .read(move |connection| {
                let first = |stream| read::stream_page(connection, stream, Revision(0), limit);
                streams.iter().map(first).collect()
            })
            .await
    }

    /// Where the rows end before the page is full, the head of the stream is asked, too.
    fn ends_where_there_is_room(&self) -> bool {
        true
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        self.inner
            .readers
            .read(move |connection| read::all_page(connection, after, limit))
            .await
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        let head = self.head().await?;
        Ok(leaf_at(position).filter(|_| Some(position) <= head))
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.inner.readers.read(read::head).await
    }

    /// Wakes at once for appends through this handle and its clones, and within 200 ms for those of others.
    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        let mut events = self.inner.writer.events();
        loop {
            events.borrow_and_update();
            if self.has_event_beyond(position).await? {
                return Ok(());
            }
            // A writer that is gone wakes nobody; the file may still grow by others.
            if let Ok(Err(_)) = tokio::time::timeout(OTHERS_NOTICED_WITHIN, events.changed()).await {
                tokio::time::sleep(OTHERS_NOTICED_WITHIN).await;
            }
        }
    }
}

/// Turns are kept in the order in which they were reserved, at most 20 an account, and shared by all processes on the
/// file. They survive the death of the process; a power cut may lose the last ones.
impl PaceBook for SqliteLog {
    async fn reserve(&self, account: &str, rule: PaceRule) -> Result<i64, LogError> {
        let place = self.inner.place.clone();
        self.inner
            .writer
            .order(Reserve {
                place,
                account: account.to_owned(),
                rule,
            })
            .await
    }
}
