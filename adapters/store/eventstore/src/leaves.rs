//! Ranks of events among all audited ones. The engine has none: they are counted, and every so many events the count is
//! noted beside the log, by whoever counted that far first. A note can be wrong for nobody: what it says follows from
//! the log alone.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tieout_domain::ports::{Leaf, LogError, Position, Revision, StreamName};

use crate::address::LogName;
use crate::beside::note;
use crate::link::Link;
use crate::read::{all_page, stream_page};
use crate::session::Turns;

/// A note stands after every so many events. Fixed for ever: the n-th note is about the n-th so many.
const EVERY: u64 = 1_024;
/// Events read at once while counting.
const PAGE: usize = 1_024;

/// The position of the event of rank `EVERY · (n + 1) − 1` is the n-th note.
#[derive(Debug, Serialize, Deserialize)]
struct Anchor {
    commit: u64,
    prepare: u64,
    leaf: u64,
}

/// What is known of the ranks.
#[derive(Default)]
pub(crate) struct Leaves {
    /// Positions of the anchors, in order.
    anchors: Mutex<Vec<Position>>,
    /// Only one of this process counts at a time.
    counting: tokio::sync::Mutex<()>,
}

impl Leaves {
    /// The rank of the event at a position.
    pub(crate) async fn leaf(
        &self,
        link: &Link,
        turns: &Turns,
        log: &LogName,
        position: Position,
    ) -> Result<Option<Leaf>, LogError> {
        let _one = self.counting.lock().await;
        self.load(link, log).await?;
        let (mut rank, mut after) = self.before(position);
        loop {
            let page = all_page(link, log, after, PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            for event in &page {
                if event.position >= position {
                    return Ok((event.position == position).then_some(Leaf(rank)));
                }
                rank = rank.saturating_add(1);
                if rank.is_multiple_of(EVERY) {
                    self.anchor(link, turns, log, rank, event.position).await?;
                }
            }
            after = page.last().map(|event| event.position);
        }
    }

    /// How many events stand before the first after the last anchor before a position, and where that anchor is.
    fn before(&self, position: Position) -> (u64, Option<Position>) {
        let anchors = self.anchors.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = anchors.partition_point(|anchor| *anchor < position);
        let last = passed
            .checked_sub(1)
            .and_then(|index| anchors.get(index))
            .copied();
        ((passed as u64).saturating_mul(EVERY), last)
    }

    /// Reads the notes that are not known yet.
    async fn load(&self, link: &Link, log: &LogName) -> Result<(), LogError> {
        let stream = log.beside("leaves");
        loop {
            let known = self.anchors.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
            let page = stream_page(link, &stream, &StreamName(stream.clone()), Revision(known), PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut anchors = self.anchors.lock().unwrap_or_else(PoisonError::into_inner);
            for noted in page {
                let expected = (anchors.len() as u64).saturating_add(1).saturating_mul(EVERY);
                let anchor: Option<Anchor> = serde_json::from_slice(&noted.event.data).ok();
                match anchor {
                    Some(anchor) if anchor.leaf.saturating_add(1) == expected => {
                        anchors.push(Position(anchor.commit, anchor.prepare));
                    }
                    _ => {
                        return Err(link.place.unusable(format!(
                            "note {} of {stream} is not what was written there: delete that stream on the server, it is made again",
                            noted.revision.0
                        )));
                    }
                }
            }
        }
    }

    /// Notes that so many events stand up to and with a position, if nobody did.
    async fn anchor(
        &self,
        link: &Link,
        turns: &Turns,
        log: &LogName,
        rank: u64,
        position: Position,
    ) -> Result<(), LogError> {
        let number = rank / EVERY;
        let known = self.anchors.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        if number != known.saturating_add(1) {
            return Ok(());
        }
        let stream = log.beside("leaves");
        let anchor = Anchor {
            commit: position.0,
            prepare: position.1,
            leaf: rank.saturating_sub(1),
        };
        let data = serde_json::to_vec(&anchor).map_err(|error| link.place.failed(error.to_string()))?;
        // Where another instance was faster, it noted the same.
        note(
            link,
            turns,
            &stream,
            known.checked_sub(1).map(Revision),
            "Counted",
            data,
        )
        .await?;
        self.anchors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(position);
        Ok(())
    }
}
