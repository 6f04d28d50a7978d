//! A walk over a whole log, what two events differ in, and the sum over all of them.

use std::fmt;

use sha2::{Digest, Sha256};
use tieout_domain::ports::{Log, LogError, NewEvent, Position, Recorded};

/// Events asked for at a time; an engine gives fewer where they are large, so that a page stays small.
const PAGE: usize = 1_024;

/// Goes over a log in total order, with one page of it in memory.
pub struct Walk<'a, L> {
    log: &'a L,
    page: std::vec::IntoIter<Recorded>,
    after: Option<Position>,
}

impl<'a, L: Log> Walk<'a, L> {
    /// From the first event on.
    pub fn over(log: &'a L) -> Self {
        Self {
            log,
            page: Vec::new().into_iter(),
            after: None,
        }
    }

    /// The next event. After the end the log is asked again, so that what was written since is seen.
    ///
    /// # Errors
    /// As the log says.
    pub async fn next(&mut self) -> Result<Option<Recorded>, LogError> {
        if self.page.as_slice().is_empty() {
            self.page = self.log.read_all(self.after, PAGE).await?.into_iter();
        }
        let next = self.page.next();
        if let Some(recorded) = &next {
            self.after = Some(recorded.position);
        }
        Ok(next)
    }

    /// Where the last event stands that it went over.
    pub fn at(&self) -> Option<Position> {
        self.after
    }

    /// The next event of both, at the same time.
    ///
    /// # Errors
    /// As either log says.
    pub async fn next_of<M: Log>(
        &mut self,
        other: &mut Walk<'_, M>,
    ) -> Result<(Option<Recorded>, Option<Recorded>), LogError> {
        futures::try_join!(self.next(), other.next())
    }
}

/// What two events at the same rank differ in first, and what stands there on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// stream, revision, id, kind, data or metadata.
    pub field: &'static str,
    /// In the source.
    pub source: String,
    /// In the target.
    pub target: String,
}

impl Difference {
    /// Compares everything but positions, which are each engine's own.
    pub fn between(source: &Recorded, target: &Recorded) -> Option<Self> {
        fn of<T: PartialEq>(field: &'static str, s: &T, t: &T, text: fn(&T) -> String) -> Option<Difference> {
            (s != t).then(|| Difference {
                field,
                source: text(s),
                target: text(t),
            })
        }
        let (s, t) = (&source.event, &target.event);
        of("stream", &source.stream, &target.stream, |stream| {
            stream.to_string()
        })
        .or_else(|| {
            of("revision", &source.revision, &target.revision, |revision| {
                revision.0.to_string()
            })
        })
        .or_else(|| of("id", &s.id, &t.id, |id| id.to_string()))
        .or_else(|| of("kind", &s.kind, &t.kind, String::clone))
        .or_else(|| of("data", &s.data, &t.data, bytes_in_words))
        .or_else(|| of("metadata", &s.metadata, &t.metadata, bytes_in_words))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            source,
            target,
        } = self;
        write!(
            f,
            "its {field} is {source} in the source and {target} in the target"
        )
    }
}

/// Length and sum: the bytes themselves tell of people's spending, and do not belong in a message.
#[allow(clippy::ptr_arg, reason = "passed where the type is that of the field")]
fn bytes_in_words(bytes: &Vec<u8>) -> String {
    format!("{} bytes of sha256 {}", bytes.len(), hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One SHA-256 over all events of a log, the same on every engine.
///
/// Hashed are, for each event in total order, six fields: the name of its stream (UTF-8), its revision within it (8 bytes,
/// big-endian), its id (the 16 bytes of the UUID, in the order in which it is written), its kind (UTF-8), its data and its
/// metadata (both as they are stored). Before each field stands its length in bytes, as 8 bytes, big-endian. Nothing
/// stands between events, before the first or after the last, and positions are left out: they are each engine's own.
#[derive(Debug, Clone, Default)]
pub struct Sum(Sha256);

impl Sum {
    /// Adds an event.
    pub fn add(&mut self, recorded: &Recorded) {
        let NewEvent {
            id,
            kind,
            data,
            metadata,
        } = &recorded.event;
        self.field(recorded.stream.0.as_bytes());
        self.field(&recorded.revision.0.to_be_bytes());
        self.field(id.0.as_bytes());
        self.field(kind.as_bytes());
        self.field(data);
        self.field(metadata);
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// What it comes to, in hexadecimal.
    pub fn done(self) -> String {
        hex(&self.0.finalize())
    }
}
