//! Who works a connection, when several instances share a log: the last note in a stream beside the log.
//!
//! No clock is agreed upon. Whoever holds it renews it well within its term, and counts the term on its own steady clock
//! from before it asked. Whoever waits counts the term on *its* own steady clock, from when it first saw the last note:
//! later than the note was written. So the holder's term ends before anybody else's, whatever their wall clocks say.
//! A machine suspended at the wrong instant can still believe for a moment in a lease that is over: the lease spares
//! work, and the intents of the log keep it safe.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tieout_domain::ids::EventId;
use tieout_domain::ports::{LogError, Revision};

use crate::beside::{keep_last, note, notes};
use crate::log::Inner;

/// How many notes the server keeps.
const KEPT: usize = 4;

/// A note in the stream of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lease", rename_all = "snake_case")]
enum Note {
    /// It is held for a term from now.
    Held {
        owner: String,
        host: String,
        term_ms: u64,
    },
    /// It was given back.
    Released { owner: String },
}

/// How long the holder may go on, on its own steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// When the term ends.
    pub until: Duration,
}

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// Whoever asked.
    Mine(Tenure),
    /// Somebody else, who may well renew it.
    Theirs {
        /// Which instance.
        owner: String,
        /// On which machine.
        host: String,
        /// How long until it may be taken, if it is not renewed.
        free_in: Duration,
    },
}

/// One lease, as one instance sees it.
pub struct Lease {
    inner: Arc<Inner>,
    stream: String,
    /// The last note of somebody else, and when it was first seen.
    seen: Option<(Revision, Duration)>,
    /// The last note of ours.
    ours: Option<(Revision, EventId)>,
}

impl Lease {
    pub(crate) fn new(inner: Arc<Inner>, what: &str) -> Self {
        let stream = inner.log.beside(&format!("lease-{what}"));
        Self {
            inner,
            stream,
            seen: None,
            ours: None,
        }
    }

    /// Takes it or renews it, if it is free or ours; `owner` is an id that each start of the program mints anew; `steady` is a clock that never runs backwards, the same at each call.
    ///
    /// # Errors
    /// As every writing to the log; whether it is ours is unknown then, and it is not to be acted on.
    pub async fn ask(
        &mut self,
        owner: &str,
        host: &str,
        term: Duration,
        steady: impl Fn() -> Duration,
    ) -> Result<LeaseState, LogError> {
        loop {
            let asked = steady();
            let last = notes(&self.inner.link, &self.stream, 1).await?.pop();
            let head = last.as_ref().map(|found| found.revision);
            if let Some(found) = last
                && self.ours != Some((found.revision, found.event.id))
            {
                let note: Note = serde_json::from_slice(&found.event.data).map_err(|error| {
                    self.inner.link.place.unusable(format!(
                        "the last note of {} cannot be read ({error}): delete that stream on the server",
                        self.stream
                    ))
                })?;
                // One of our own whose answer we never heard is ours all the same.
                if let Note::Held {
                    owner: holder,
                    host,
                    term_ms,
                } = note
                    && holder != owner
                {
                    let since = match self.seen {
                        Some((revision, since)) if revision == found.revision => since,
                        _ => steady(),
                    };
                    self.seen = Some((found.revision, since));
                    let waited = steady().saturating_sub(since);
                    let free_in = Duration::from_millis(term_ms).saturating_sub(waited);
                    if !free_in.is_zero() {
                        return Ok(LeaseState::Theirs {
                            owner: holder,
                            host,
                            free_in,
                        });
                    }
                }
            }
            let held = Note::Held {
                owner: owner.to_owned(),
                host: host.to_owned(),
                term_ms: u64::try_from(term.as_millis()).unwrap_or(u64::MAX),
            };
            if let Some(noted) = self.write(head, &held).await? {
                if head.is_none() {
                    keep_last(&self.inner.link, &self.inner.turns, &self.stream, KEPT).await?;
                }
                self.ours = Some(noted);
                return Ok(LeaseState::Mine(Tenure {
                    until: asked.saturating_add(term),
                }));
            }
            // Somebody was faster: see who.
        }
    }

    /// Gives it back, if it is ours, so that another need not wait for the end of the term.
    ///
    /// # Errors
    /// As every writing to the log.
    pub async fn release(&mut self, owner: &str) -> Result<(), LogError> {
        if let Some((revision, _)) = self.ours.take() {
            let released = Note::Released {
                owner: owner.to_owned(),
            };
            self.write(Some(revision), &released).await?;
        }
        Ok(())
    }

    /// A server answers success to an identical append of anybody; each note has an id of its own, so that it is ours.
    async fn write(
        &self,
        head: Option<Revision>,
        what: &Note,
    ) -> Result<Option<(Revision, EventId)>, LogError> {
        let Inner { link, turns, .. } = self.inner.as_ref();
        let data = serde_json::to_vec(what).map_err(|error| link.place.failed(error.to_string()))?;
        let noted = note(link, turns, &self.stream, head, "Lease", data).await?;
        Ok(noted.map(|noted| (noted.revision, noted.id)))
    }
}
