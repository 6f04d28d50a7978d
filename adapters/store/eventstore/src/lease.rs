//! Who works a connection, when several instances share a log: the last note in a stream beside the log.
//!
//! No clock is agreed upon. Whoever holds it renews it well within its term, and counts the term on its own steady clock
//! from before it asked. Whoever waits counts the term on *its* own steady clock, from when it first saw the last note:
//! later than the note was written. So the holder's term ends before anybody else's, whatever their wall clocks say.
//! A machine suspended at the wrong instant can still believe for a moment in a lease that is over: the lease spares
//! work, and the intents of the log keep it safe.
//!
//! What is written may stand although no answer came. So a note is remembered before it is sent, and known again by its
//! id: nobody is locked out by a note of its own, and what is given back is free.

#[cfg(test)]
mod model;
mod rule;

use std::sync::Arc;
use std::time::Duration;

use tieout_domain::ids::EventId;
use tieout_domain::ports::LogError;
use uuid::Uuid;

use crate::beside::{keep_last, note_as, notes};
use crate::log::Inner;
use rule::{Attempt, Last, Look, Memory, Note};

/// How many notes the server keeps.
const KEPT: usize = 4;

/// How long the holder may go on, on its own steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// When the term ends. A server that answered late can have left nothing of it: look at the clock.
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
    memory: Memory,
}

impl Lease {
    pub(crate) fn new(inner: Arc<Inner>, what: &str) -> Self {
        let stream = inner.log.beside(&format!("lease-{what}"));
        Self {
            inner,
            stream,
            memory: Memory::default(),
        }
    }

    /// Takes it or renews it, if it is free or ours; `steady` is a clock that never runs backwards, the same at each call.
    /// Given up half way (a future dropped), it may be asked again.
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
        let term_ms = u64::try_from(term.as_millis()).unwrap_or(u64::MAX);
        let wanted = Note::Held {
            owner: owner.to_owned(),
            host: host.to_owned(),
            term_ms,
        };
        loop {
            // Before anybody can have seen what is about to be written.
            let asked = steady();
            let last = self.last().await?;
            let attempt = match self.memory.look(last.as_ref(), wanted.clone(), steady(), fresh) {
                Look::Write(attempt) => attempt,
                Look::Theirs { owner, host, free_in } => {
                    return Ok(LeaseState::Theirs { owner, host, free_in });
                }
            };
            if attempt.after.is_none() {
                keep_last(&self.inner.link, &self.inner.turns, &self.stream, KEPT).await?;
            }
            if self.write(&attempt).await? {
                return Ok(LeaseState::Mine(Tenure {
                    until: asked.saturating_add(Duration::from_millis(term_ms)),
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
        let released = Note::Released {
            owner: owner.to_owned(),
        };
        while !self.memory.is_blank() {
            let last = self.last().await?;
            let Some(attempt) = self.memory.give_back(last.as_ref(), released.clone(), fresh) else {
                break;
            };
            if self.write(&attempt).await? {
                break;
            }
            // Either somebody was faster, or a note of ours arrived late: see which.
        }
        Ok(())
    }

    async fn last(&self) -> Result<Option<Last>, LogError> {
        let Some(found) = notes(&self.inner.link, &self.stream, 1).await?.pop() else {
            return Ok(None);
        };
        let note = serde_json::from_slice(&found.event.data).map_err(|error| {
            self.inner.link.place.unusable(format!(
                "the last note of {} cannot be read ({error}): delete that stream on the server",
                self.stream
            ))
        })?;
        Ok(Some(Last {
            revision: found.revision,
            id: found.event.id,
            note,
        }))
    }

    /// Does it stand now?
    async fn write(&mut self, attempt: &Attempt) -> Result<bool, LogError> {
        let Inner { link, turns, .. } = self.inner.as_ref();
        let data = serde_json::to_vec(&attempt.note).map_err(|error| link.place.failed(error.to_string()))?;
        let stands = note_as(
            link,
            turns,
            &self.stream,
            attempt.after,
            attempt.id,
            "Lease",
            data,
        )
        .await?;
        self.memory.wrote(attempt, stands);
        Ok(stands)
    }
}

/// A server answers success to an identical append of anybody; each note has an id of its own, so that it is ours.
fn fresh() -> EventId {
    EventId(Uuid::now_v7())
}
