//! Typed events over the log: what every writer and reader of a stream uses.
//!
//! The journal stamps events with both clocks, seals what is personal, splits what is large, and reads all of it back.
//! Parts stand in the stream right before the event they belong to, appended in bounded steps; the event itself comes
//! last, so that parts without their event (a crash between) mean nothing and are passed over.

mod codec;
mod envelope;

use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeZone, Utc};
use serde_json::value::RawValue;

pub use codec::{
    APPEND_BYTES, CodecError, PART_BYTES, PART_KIND, RestoredEvent, SealedSection, Stored, StoredEvent,
};
pub(crate) use codec::{restored, stored_events};
pub use envelope::{Actor, Cause, Entry, Envelope, Stamp, SystemActor};

use crate::ids::{ConnectionId, EventId, ReportId, SubjectId, TransactionId};
use crate::ports::{
    Appended, Clock, Entropy, Expected, Log, LogError, MOST_APPEND_BYTES, NewEvent, Opened, Page, Recorded,
    Revision, SealError, Sealer, StreamName,
};

/// Why a journal operation failed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Sealing or opening.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An event that cannot be written or read.
    #[error("{stream} event {revision}: {source}")]
    Codec {
        /// Stream.
        stream: StreamName,
        /// Revision.
        revision: u64,
        /// What.
        source: CodecError,
    },
    /// An event whose parts or envelope are not as they were written.
    #[error("{stream} event {revision} is damaged: {detail}")]
    Damaged {
        /// Stream.
        stream: StreamName,
        /// Revision.
        revision: u64,
        /// What is wrong.
        detail: String,
    },
}

impl JournalError {
    /// Did somebody else write first? Then read again and decide again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Log(LogError::Conflict { .. }))
    }
}

/// The names of the streams of a connection (design §4).
#[derive(Debug, Clone, Copy)]
pub struct Streams(pub ConnectionId);
impl Streams {
    /// A report's.
    pub fn report(self, report: ReportId) -> StreamName {
        StreamName(format!("report-{}-{}", self.0, report.decimal()))
    }
    /// An expense's, which law 10 claims.
    pub fn expense(self, transaction: &TransactionId) -> StreamName {
        StreamName(format!("expense-{}-{transaction}", self.0))
    }
    /// The rule sets'.
    pub fn rules(self) -> StreamName {
        StreamName(format!("rules-{}", self.0))
    }
    /// The chart's.
    pub fn chart(self) -> StreamName {
        StreamName(format!("chart-{}", self.0))
    }
    /// The polls'.
    pub fn polls(self) -> StreamName {
        StreamName(format!("poll-{}", self.0))
    }
    /// The QAD profile's certifications.
    pub fn profile(self) -> StreamName {
        StreamName(format!("profile-{}", self.0))
    }
    /// What the ledger shows beyond the log: recovery, and what a person explained.
    pub fn ledger(self) -> StreamName {
        StreamName(format!("ledger-{}", self.0))
    }
    /// The report a stream of this connection is about, if it is a report's.
    pub fn report_of(self, stream: &StreamName) -> Option<ReportId> {
        stream
            .0
            .strip_prefix(&format!("report-{}-", self.0))?
            .parse()
            .ok()
    }
}

/// An event to be appended, with when it took effect and whose personal part it carries.
#[derive(Debug, Clone)]
pub struct Draft<E> {
    /// The fact.
    pub event: E,
    /// When it took effect in the business.
    pub effective_at: DateTime<Utc>,
    /// Whose key seals its personal part; an event with a personal part and no subject is refused.
    pub subject: Option<SubjectId>,
}

/// Typed events over a [`Log`].
pub struct Journal<'a, L, C, E, S> {
    log: &'a L,
    clock: &'a C,
    entropy: &'a E,
    sealer: &'a S,
    build: &'a str,
    last_recorded: AtomicI64,
}

impl<'a, L: Log, C: Clock, E: Entropy, S: Sealer> Journal<'a, L, C, E, S> {
    /// A journal whose events name `build` as their writer.
    pub fn new(log: &'a L, clock: &'a C, entropy: &'a E, sealer: &'a S, build: &'a str) -> Self {
        Self {
            log,
            clock,
            entropy,
            sealer,
            build,
            last_recorded: AtomicI64::new(i64::MIN),
        }
    }

    /// The log beneath.
    pub fn log(&self) -> &'a L {
        self.log
    }

    /// The wall clock, held from running backwards within this writer; cut to the microsecond, as it is stored.
    fn recorded_now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        let micros = now.timestamp_micros();
        let last = self.last_recorded.fetch_max(micros, Ordering::SeqCst);
        Utc.timestamp_micros(micros.max(last)).single().unwrap_or(now)
    }

    /// Appends events to a stream: in one append, all or none, unless one is larger than [`PART_BYTES`], or all of them than
    /// [`MOST_APPEND_BYTES`]. Then what stands before, and the parts of what is large, are appended first, in order; what
    /// a crash leaves of that is a prefix.
    ///
    /// Returns the ids given, in order, and where the last one stands.
    pub async fn append<T: StoredEvent>(
        &self,
        stream: &StreamName,
        expected: Expected,
        stamp: &Stamp,
        drafts: Vec<Draft<T>>,
    ) -> Result<(Vec<EventId>, Appended), JournalError> {
        let mut ids = Vec::with_capacity(drafts.len());
        let mut ready: Vec<NewEvent> = Vec::new();
        let mut expected = expected;
        for draft in drafts {
            let id = EventId(self.entropy.uuid());
            ids.push(id);
            let event = self.encode(stream, id, stamp, &draft)?;
            let large = event.data.len() > PART_BYTES;
            let so_far = ready.iter().map(NewEvent::weight).fold(0, usize::saturating_add);
            let too_much = so_far.saturating_add(event.weight()) > MOST_APPEND_BYTES;
            if !ready.is_empty() && (large || too_much) {
                let done = self
                    .log
                    .append(stream, expected, std::mem::take(&mut ready))
                    .await?;
                expected = Expected::At(done.revision);
            }
            if !large {
                ready.push(event);
                continue;
            }
            let parts = event.data.chunks(PART_BYTES).count() as u64;
            for batch in event.data.chunks(APPEND_BYTES) {
                let events = batch.chunks(PART_BYTES).map(|part| self.part(id, part)).collect();
                let done = self.log.append(stream, expected, events).await?;
                expected = Expected::At(done.revision);
            }
            let mut envelope: Envelope = parse_envelope(stream, 0, &event.metadata)?;
            envelope.parts = parts;
            ready.push(NewEvent {
                data: Vec::new(),
                metadata: write_json(stream, &event.kind, &envelope)?,
                ..event
            });
        }
        let appended = self.log.append(stream, expected, ready).await?;
        Ok((ids, appended))
    }

    fn part(&self, of: EventId, bytes: &[u8]) -> NewEvent {
        NewEvent {
            id: EventId(self.entropy.uuid()),
            kind: PART_KIND.to_owned(),
            data: bytes.to_vec(),
            metadata: format!(r#"{{"of":"{of}"}}"#).into_bytes(),
        }
    }

    fn encode<T: StoredEvent>(
        &self,
        stream: &StreamName,
        id: EventId,
        stamp: &Stamp,
        draft: &Draft<T>,
    ) -> Result<NewEvent, JournalError> {
        let kind = draft.event.kind();
        let json = |source| JournalError::Codec {
            stream: stream.clone(),
            revision: 0,
            source: CodecError::Json {
                kind: kind.to_owned(),
                doing: "written",
                source,
            },
        };
        let sealed = match (draft.event.personal().map_err(json)?, draft.subject) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(SealError {
                    doing: "sealed",
                    detail: format!("{kind} in {stream} names no person to seal for"),
                }
                .into());
            }
            (Some(personal), Some(subject)) => {
                let sealed = self.sealer.seal(subject, personal.as_bytes(), id.0.as_bytes())?;
                Some(SealedSection {
                    subject,
                    sealed: BASE64.encode(sealed),
                })
            }
        };
        let facts = RawValue::from_string(draft.event.facts().map_err(json)?).map_err(json)?;
        let data = serde_json::to_vec(&Stored {
            facts: &facts,
            sealed,
        })
        .map_err(json)?;
        let envelope = Envelope {
            schema: draft.event.schema(),
            recorded_at: self.recorded_now(),
            effective_at: draft.effective_at,
            actor: stamp.actor.clone(),
            cause: stamp.cause.clone(),
            build: self.build.to_owned(),
            parts: 0,
        };
        Ok(NewEvent {
            id,
            kind: kind.to_owned(),
            data,
            metadata: write_json(stream, kind, &envelope)?,
        })
    }

    /// Reads a whole stream, oldest first, and the revision its last event has (parts included).
    pub async fn read<T: RestoredEvent>(
        &self,
        stream: &StreamName,
    ) -> Result<(Vec<Entry<T>>, Option<Revision>), JournalError> {
        Reader {
            log: self.log,
            sealer: self.sealer,
        }
        .stream(stream)
        .await
    }
}

/// Reads typed events. It holds no port with an effect: whoever has only a reader cannot post (law 8).
pub struct Reader<'a, L, S> {
    /// The log.
    pub log: &'a L,
    /// Opens personal parts.
    pub sealer: &'a S,
}

impl<L: Log, S: Sealer> Reader<'_, L, S> {
    /// Reads a whole stream, oldest first, and the revision its last event has (parts included).
    pub async fn stream<T: RestoredEvent>(
        &self,
        stream: &StreamName,
    ) -> Result<(Vec<Entry<T>>, Option<Revision>), JournalError> {
        let mut entries = Vec::new();
        let mut parts: Vec<Recorded> = Vec::new();
        let mut pages = Pages::of(self.log, stream);
        while let Some(page) = pages.next().await? {
            self.decode_into(&mut entries, &mut parts, page)?;
        }
        Ok((entries, pages.last))
    }

    /// Reads whole streams as they are recorded, parts included, in the order given. [`decoded`](Self::decoded) makes events
    /// of one, wherever there is time for that.
    ///
    /// # Errors
    /// Also where one of them reads as empty: whoever asks knows of each from the log.
    pub(crate) async fn recorded(&self, streams: &[StreamName]) -> Result<Vec<Vec<Recorded>>, JournalError> {
        let mut firsts = self
            .log
            .read_streams(streams, Pages::<L>::SIZE)
            .await?
            .into_iter();
        let mut whole = Vec::with_capacity(streams.len());
        for stream in streams {
            let mut pages = Pages::of(self.log, stream);
            let first = firsts.next().and_then(|first| pages.took(first));
            let Some(mut recorded) = first else {
                return Err(JournalError::Damaged {
                    stream: stream.clone(),
                    revision: 0,
                    detail: "the log has events of it, and it reads as empty; read again, and verify the log"
                        .to_owned(),
                });
            };
            while let Some(page) = pages.next().await? {
                recorded.extend(page);
            }
            whole.push(recorded);
        }
        Ok(whole)
    }

    /// The events of a stream that was read from its beginning.
    pub(crate) fn decoded<T: RestoredEvent>(
        &self,
        recorded: Vec<Recorded>,
    ) -> Result<Vec<Entry<T>>, JournalError> {
        let mut entries = Vec::with_capacity(recorded.len());
        self.decode_into(&mut entries, &mut Vec::new(), recorded)?;
        Ok(entries)
    }

    /// `parts` are those that wait for their event.
    fn decode_into<T: RestoredEvent>(
        &self,
        entries: &mut Vec<Entry<T>>,
        parts: &mut Vec<Recorded>,
        recorded: Vec<Recorded>,
    ) -> Result<(), JournalError> {
        for recorded in recorded {
            if recorded.event.kind == PART_KIND {
                parts.push(recorded);
            } else {
                entries.push(self.decode(recorded, parts)?);
                parts.clear();
            }
        }
        Ok(())
    }

    /// Reads one recorded event of `read_all`, fetching its parts; `None` for a part itself.
    pub async fn entry<T: RestoredEvent>(
        &self,
        recorded: Recorded,
    ) -> Result<Option<Entry<T>>, JournalError> {
        if recorded.event.kind == PART_KIND {
            return Ok(None);
        }
        let envelope = parse_envelope(&recorded.stream, recorded.revision.0, &recorded.event.metadata)?;
        let parts = parts_before(self.log, &recorded, envelope.parts).await?;
        self.decode(recorded, &parts).map(Some)
    }

    fn decode<T: RestoredEvent>(
        &self,
        recorded: Recorded,
        before: &[Recorded],
    ) -> Result<Entry<T>, JournalError> {
        let Recorded {
            stream,
            revision,
            position,
            event,
        } = recorded;
        let envelope = parse_envelope(&stream, revision.0, &event.metadata)?;
        let damaged = |detail: String| JournalError::Damaged {
            stream: stream.clone(),
            revision: revision.0,
            detail,
        };
        let data = if envelope.parts == 0 {
            event.data
        } else {
            joined(event.id, envelope.parts, before).map_err(|what| damaged(what.to_owned()))?
        };
        let kind = event.kind;
        let json = |source| JournalError::Codec {
            stream: stream.clone(),
            revision: revision.0,
            source: CodecError::Json {
                kind: kind.clone(),
                doing: "read",
                source,
            },
        };
        let stored: Stored<'_> = serde_json::from_slice(&data).map_err(json)?;
        let personal = match &stored.sealed {
            None => None,
            Some(_) if !T::opens(&kind) => None,
            Some(section) => {
                let sealed = BASE64
                    .decode(&section.sealed)
                    .map_err(|e| damaged(format!("its sealed section is not base64: {e}")))?;
                match self
                    .sealer
                    .open(section.subject, &sealed, event.id.0.as_bytes())?
                {
                    Opened::Forgotten => None,
                    Opened::Plain(bytes) => Some(
                        String::from_utf8(bytes)
                            .map_err(|e| damaged(format!("its sealed section is not text: {e}")))?,
                    ),
                }
            }
        };
        let fact = T::restore(&kind, envelope.schema, stored.facts.get(), personal.as_deref()).map_err(
            |source| JournalError::Codec {
                stream: stream.clone(),
                revision: revision.0,
                source,
            },
        )?;
        Ok(Entry {
            event: fact,
            id: event.id,
            envelope,
            stream,
            revision,
            position,
        })
    }
}

/// The pages of a stream, from its beginning to its end.
struct Pages<'a, L> {
    log: &'a L,
    stream: &'a StreamName,
    /// The last revision read.
    last: Option<Revision>,
    ended: bool,
}

impl<'a, L: Log> Pages<'a, L> {
    const SIZE: usize = 512;

    fn of(log: &'a L, stream: &'a StreamName) -> Self {
        Self {
            log,
            stream,
            last: None,
            ended: false,
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Recorded>>, JournalError> {
        if self.ended {
            return Ok(None);
        }
        let from = self.last.map_or(Revision(0), Revision::next);
        let page = self.log.read_stream(self.stream, from, Self::SIZE).await?;
        Ok(self.took(page))
    }

    /// Notes what was read; `None` where that was the end.
    fn took(&mut self, page: Vec<Recorded>) -> Option<Vec<Recorded>> {
        let Some(last) = page.last() else {
            self.ended = true;
            return None;
        };
        self.last = Some(last.revision);
        self.ended = self.log.ends_where_there_is_room() && Page::had_room(&page, Self::SIZE);
        Some(page)
    }
}

/// The data of an event that lies in parts before it, put together. For whoever reads past the payloads of all streams
/// and meets one that it must look into.
pub(crate) async fn data_in_parts<L: Log>(log: &L, recorded: &Recorded) -> Result<Vec<u8>, JournalError> {
    let envelope = parse_envelope(&recorded.stream, recorded.revision.0, &recorded.event.metadata)?;
    let parts = parts_before(log, recorded, envelope.parts).await?;
    joined(recorded.event.id, envelope.parts, &parts).map_err(|what| JournalError::Damaged {
        stream: recorded.stream.clone(),
        revision: recorded.revision.0,
        detail: what.to_owned(),
    })
}

/// The so many events before one, in its stream.
async fn parts_before<L: Log>(
    log: &L,
    recorded: &Recorded,
    count: u64,
) -> Result<Vec<Recorded>, JournalError> {
    const PAGE: usize = 512;
    let mut parts: Vec<Recorded> = Vec::new();
    while (parts.len() as u64) < count {
        let first = recorded.revision.0.saturating_sub(count);
        let from = Revision(first.saturating_add(parts.len() as u64));
        let wanted = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .saturating_sub(parts.len());
        let page = log.read_stream(&recorded.stream, from, wanted.min(PAGE)).await?;
        if page.is_empty() {
            break;
        }
        parts.extend(page);
    }
    Ok(parts)
}

/// What the last so many of `before` hold together, if they are parts of the event `of`.
fn joined(of: EventId, count: u64, before: &[Recorded]) -> Result<Vec<u8>, &'static str> {
    let wanted = usize::try_from(count).map_err(|_| "it names too many parts")?;
    // Parts of an abandoned attempt may stand before ours: only the last ones are this event's.
    let start = before.len().checked_sub(wanted).ok_or("parts are missing")?;
    let own = before.get(start..).unwrap_or_default();
    let mark = format!(r#"{{"of":"{of}"}}"#);
    if own
        .iter()
        .any(|part| part.event.kind != PART_KIND || part.event.metadata != mark.as_bytes())
    {
        return Err("a part belongs to another event");
    }
    Ok(own
        .iter()
        .map(|part| part.event.data.as_slice())
        .collect::<Vec<_>>()
        .concat())
}

/// Reads what stands beside an event.
pub fn parse_envelope(stream: &StreamName, revision: u64, metadata: &[u8]) -> Result<Envelope, JournalError> {
    serde_json::from_slice(metadata).map_err(|e| JournalError::Damaged {
        stream: stream.clone(),
        revision,
        detail: format!("its metadata cannot be read: {e}"),
    })
}

fn write_json<T: serde::Serialize>(
    stream: &StreamName,
    kind: &str,
    value: &T,
) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(|source| JournalError::Codec {
        stream: stream.clone(),
        revision: 0,
        source: CodecError::Json {
            kind: kind.to_owned(),
            doing: "written",
            source,
        },
    })
}

#[cfg(test)]
pub(crate) mod tests;
