//! A whole log from one engine to another, event by event: the same streams, revisions, ids, kinds and bytes in the same
//! total order. Over the port alone, so that either side may be any engine.
//!
//! It can be interrupted anywhere. What the target has by then is a prefix of the source, and the next run goes on from
//! there, after it has compared that prefix in full. Whether both are equal is found out by reading both again at the
//! end; only then is the move recorded, as one event behind the others in the target.

mod error;
mod walk;

#[cfg(test)]
mod tests;

use tieout_domain::ids::{Email, SubjectId};
use tieout_domain::journal::{Draft, Journal, JournalError, Reader, Stamp};
use tieout_domain::ports::{
    Clock, Entropy, Expected, Log, LogError, MOST_APPEND_BYTES, NewEvent, Opened, Position, Recorded,
    Revision, SealError, Sealer, StreamName,
};
use tieout_domain::workflow::LogEvent;

pub use error::TransferError;

use walk::{Difference, Sum, Walk};

/// The most events of one append, however small they are: what is in flight stays bounded by number too.
const MOST_OF_A_RUN: usize = 512;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many events of the target were compared with the source.
    Compared(u64),
    /// So many events are in the target.
    Copied(u64),
    /// Of all events, so many were read again on both sides and compared.
    Verified {
        /// So many.
        done: u64,
        /// Of these.
        of: u64,
    },
}

/// Two equal logs, as read in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equal {
    /// How many events both hold, the record of this move not counted.
    pub events: u64,
    /// In how many streams.
    pub streams: u64,
    /// The `Sum` over them.
    pub sha256: String,
    /// Does the target record this move already?
    pub recorded: bool,
    /// Where the stream of the moves ends in both, moves of the past included.
    moves_end: Option<Revision>,
    /// The last event that was compared, as the source places it.
    source_end: Option<Position>,
    /// The same, as the target places it.
    target_end: Option<Position>,
}

/// Copies what the target does not have yet, then reads both in full and compares them.
///
/// # Errors
/// Where the target is no prefix of the source, where somebody writes to either, and as the logs say.
pub async fn transfer(
    source: &impl Log,
    target: &impl Log,
    progress: &mut impl FnMut(Progress),
) -> Result<Equal, TransferError> {
    let events = copy(source, target, progress).await?;
    verify(source, target, events, progress).await
}

/// Appends to the target what it does not have; returns how many events of the source it has then.
async fn copy(
    source: &impl Log,
    target: &impl Log,
    progress: &mut impl FnMut(Progress),
) -> Result<u64, TransferError> {
    let (mut from, mut there) = (Walk::over(source), Walk::over(target));
    let mut rank: u64 = 0;
    let mut next = loop {
        match from.next_of(&mut there).await? {
            (None, None) => return Ok(rank),
            (Some(next), None) => break Some(next),
            (None, Some(found)) => {
                last_and_a_record(found, &mut there, rank).await?;
                return Ok(rank);
            }
            (Some(ours), Some(theirs)) => same(&ours, theirs, &mut there, rank).await?,
        }
        rank = rank.saturating_add(1);
        progress(Progress::Compared(rank));
    };
    let mut run = Run::default();
    while let Some(recorded) = next {
        if !run.takes(&recorded) {
            rank = rank.saturating_add(run.append_to(target).await?);
            progress(Progress::Copied(rank));
        }
        run.push(recorded);
        next = from.next().await?;
    }
    rank = rank.saturating_add(run.append_to(target).await?);
    progress(Progress::Copied(rank));
    Ok(rank)
}

/// Reads both in full and compares them, event by event and by one sum over all.
async fn verify(
    source: &impl Log,
    target: &impl Log,
    of: u64,
    progress: &mut impl FnMut(Progress),
) -> Result<Equal, TransferError> {
    let (mut from, mut there) = (Walk::over(source), Walk::over(target));
    let (mut ours_sum, mut theirs_sum) = (Sum::default(), Sum::default());
    let (mut events, mut streams): (u64, u64) = (0, 0);
    let mut moves_end = None;
    let moves = LogEvent::stream();
    let record = loop {
        match from.next_of(&mut there).await? {
            (None, None) => break None,
            (Some(_), None) => return Err(TransferError::SourceGrew { copied: events }),
            (None, Some(found)) => break Some(last_and_a_record(found, &mut there, events).await?),
            (Some(ours), Some(theirs)) => {
                ours_sum.add(&ours);
                theirs_sum.add(&theirs);
                same(&ours, theirs, &mut there, events).await?;
                // Revisions are dense from 0, so that every stream has one such event, and no list of names is kept.
                streams = streams.saturating_add(u64::from(ours.revision == Revision(0)));
                if ours.stream == moves {
                    moves_end = Some(ours.revision);
                }
            }
        }
        events = events.saturating_add(1);
        progress(Progress::Verified { done: events, of });
    };
    if from.next().await?.is_some() {
        return Err(TransferError::SourceGrew { copied: events });
    }
    let (sha256, theirs) = (ours_sum.done(), theirs_sum.done());
    if sha256 != theirs {
        // Cannot be, as each event was compared; if it is, nobody may rely on the copy.
        let difference = Difference {
            field: "sum over all events",
            source: sha256,
            target: theirs,
        };
        return Err(TransferError::Differs {
            rank: events,
            difference,
        });
    }
    let equal = Equal {
        events,
        streams,
        sha256,
        recorded: record.is_some(),
        moves_end,
        source_end: from.at(),
        target_end: there.at(),
    };
    match record {
        Some(record) => equal.agrees_with(target, record).await,
        None => Ok(equal),
    }
}

impl Equal {
    /// What the target records of the move must be what was found now.
    async fn agrees_with(self, target: &impl Log, record: Recorded) -> Result<Self, TransferError> {
        let sealer = &Nobody;
        let entry = Reader { log: target, sealer }.entry::<LogEvent>(record).await?;
        match entry.map(|entry| entry.event) {
            Some(LogEvent::LogMoved {
                events,
                streams,
                sha256,
                ..
            }) if (events, streams, &sha256) != (self.events, self.streams, &self.sha256) => {
                Err(TransferError::RecordDisagrees {
                    events,
                    sha256,
                    found: self.events,
                    found_sha256: self.sha256,
                })
            }
            _ => Ok(self),
        }
    }
}

/// Are they the same event? Where they are not because the move was recorded and the source went on, that is said.
async fn same<L: Log>(
    ours: &Recorded,
    theirs: Recorded,
    there: &mut Walk<'_, L>,
    rank: u64,
) -> Result<(), TransferError> {
    let Some(difference) = Difference::between(ours, &theirs) else {
        return Ok(());
    };
    Err(match last_and_a_record(theirs, there, rank).await {
        Ok(_) => TransferError::SourceWentOn { rank },
        Err(TransferError::TargetWentOn { .. }) => TransferError::Differs { rank, difference },
        Err(failed) => failed,
    })
}

/// Of what the target has beyond the source, only one thing is ours: the record of the move, behind everything else.
async fn last_and_a_record<L: Log>(
    found: Recorded,
    there: &mut Walk<'_, L>,
    rank: u64,
) -> Result<Recorded, TransferError> {
    let record = found.stream == LogEvent::stream() && found.event.kind == LogEvent::MOVED;
    let (rank, other) = if record {
        match there.next().await? {
            None => return Ok(found),
            Some(behind) => (rank.saturating_add(1), behind),
        }
    } else {
        (rank, found)
    };
    Err(TransferError::TargetWentOn {
        rank,
        kind: other.event.kind,
        stream: other.stream,
    })
}

/// Consecutive events of one stream, on their way in one append.
#[derive(Default)]
struct Run {
    /// The stream, and the revision of the first event.
    at: Option<(StreamName, Revision)>,
    events: Vec<NewEvent>,
    weight: usize,
}

impl Run {
    /// Does this one go into the same append?
    fn takes(&self, recorded: &Recorded) -> bool {
        let Some((stream, first)) = &self.at else {
            return true;
        };
        *stream == recorded.stream
            && first.0.saturating_add(self.events.len() as u64) == recorded.revision.0
            && self.events.len() < MOST_OF_A_RUN
            && self.weight.saturating_add(recorded.event.weight()) <= MOST_APPEND_BYTES
    }

    fn push(&mut self, recorded: Recorded) {
        self.at.get_or_insert((recorded.stream, recorded.revision));
        self.weight = self.weight.saturating_add(recorded.event.weight());
        self.events.push(recorded.event);
    }

    /// Appends it and begins a new one; returns how many events that were.
    async fn append_to(&mut self, target: &impl Log) -> Result<u64, TransferError> {
        let Self { at, events, .. } = std::mem::take(self);
        let Some((stream, first)) = at else {
            return Ok(0);
        };
        let count = events.len() as u64;
        let expected = Expected::after(first.0.checked_sub(1).map(Revision));
        match target.append(&stream, expected, events).await {
            Ok(_) => Ok(count),
            Err(conflict @ LogError::Conflict { .. }) => Err(TransferError::TargetContended(conflict)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Records the move behind everything else in the target, and looks once more that neither log went on meanwhile.
///
/// # Errors
/// Where somebody writes to either, where both are one log, and as the logs say.
pub async fn record<L: Log, C: Clock, E: Entropy>(
    source: &impl Log,
    journal: &Journal<'_, L, C, E, Nobody>,
    equal: &Equal,
    stamp: &Stamp,
    draft: Draft<LogEvent>,
) -> Result<(), TransferError> {
    let target = journal.log();
    let expected = Expected::after(equal.moves_end);
    let appended = journal
        .append(&LogEvent::stream(), expected, stamp, vec![draft])
        .await;
    let (ids, _) = match appended {
        Err(JournalError::Log(conflict @ LogError::Conflict { .. })) => {
            return Err(TransferError::TargetContended(conflict));
        }
        other => other?,
    };
    let (from, there) = futures::try_join!(
        source.read_all(equal.source_end, 1),
        target.read_all(equal.target_end, 2)
    )?;
    let ours = |recorded: &Recorded| ids.contains(&recorded.event.id);
    if let Some(grown) = from.first() {
        return Err(if ours(grown) {
            TransferError::OneLog(grown.event.id)
        } else {
            TransferError::SourceWentOn { rank: equal.events }
        });
    }
    match there.into_iter().find(|recorded| !ours(recorded)) {
        None => Ok(()),
        Some(other) => Err(TransferError::TargetWentOn {
            rank: equal.events,
            kind: other.event.kind,
            stream: other.stream,
        }),
    }
}

/// Seals for nobody: the record of a move says nothing of a person.
pub struct Nobody;

impl Sealer for Nobody {
    fn subject_for(&self, _person: &Email) -> Result<SubjectId, SealError> {
        Err(never("sealed"))
    }
    fn seal(&self, _subject: SubjectId, _plain: &[u8], _context: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(never("sealed"))
    }
    fn open(&self, _subject: SubjectId, _sealed: &[u8], _context: &[u8]) -> Result<Opened, SealError> {
        Ok(Opened::Forgotten)
    }
}

fn never(doing: &'static str) -> SealError {
    SealError {
        doing,
        detail: "the record of a move has nothing personal in it".to_owned(),
    }
}
