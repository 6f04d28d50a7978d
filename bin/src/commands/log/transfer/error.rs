//! Why a log was not moved, and what to do.

use tieout_domain::ids::EventId;
use tieout_domain::journal::JournalError;
use tieout_domain::ports::{LogError, StreamName};

use super::walk::Difference;

/// Why a log was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// Either log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The record of the move, in the target.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The target is not the source's copy.
    #[error(
        "the target is no copy of the source: of event {rank} (counted from 0), {difference}; nothing was written over: name an empty target, or the one that a move of this very log began"
    )]
    Differs {
        /// The rank of the event, from 0.
        rank: u64,
        /// In what.
        difference: Difference,
    },
    /// The target has events of its own.
    #[error(
        "the target has event {rank} (counted from 0), a {kind} in stream {stream}, and the source ends before it: somebody writes to the target already, or it is another log; stop who writes there, and name an empty target"
    )]
    TargetWentOn {
        /// The rank of the first such event.
        rank: u64,
        /// Its kind.
        kind: String,
        /// Its stream.
        stream: StreamName,
    },
    /// The source has events that the record of the move does not count.
    #[error(
        "the target records that the log was moved when it had {rank} events, and the source has more: somebody still wrote to it after that. Stop who writes to the source; move it to an empty target, and write to that one only"
    )]
    SourceWentOn {
        /// How many events there were.
        rank: u64,
    },
    /// The source grew while both were read.
    #[error(
        "the source grew beyond {copied} events while it was verified: somebody still writes to it. Stop every writer (`tieout serve`, `tieout sync`), and run this again: what was copied stays, and it goes on from there"
    )]
    SourceGrew {
        /// So many events are in the target.
        copied: u64,
    },
    /// Somebody else writes to the target.
    #[error(
        "somebody else writes to the target ({0}). Stop who writes there, and run this again: it compares the target with the source and says where they differ"
    )]
    TargetContended(LogError),
    /// The target's record of an earlier move says something else.
    #[error(
        "the target is the source's copy, but its record of the move counts {events} events with sha256 {sha256}, and both logs hold {found} with sha256 {found_sha256}: keep both as they are, and ask who wrote that record"
    )]
    RecordDisagrees {
        /// As recorded.
        events: u64,
        /// As recorded.
        sha256: String,
        /// As found.
        found: u64,
        /// As found.
        found_sha256: String,
    },
    /// Both names lead to one log.
    #[error(
        "the source and the target are one and the same log under two names: nothing was copied, but event {0}, which says so, stands in it now and can be left there; name another target"
    )]
    OneLog(EventId),
}
