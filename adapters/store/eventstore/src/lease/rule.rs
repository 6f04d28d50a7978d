//! What one who asks concludes from the last note. No server and no clock of its own, so that every order of events can
//! be tried (`model`).
//!
//! Notes are known by their ids alone: a revision comes again when the server was put back to a backup, and the name of
//! an owner when a machine was cloned.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tieout_domain::ids::EventId;
use tieout_domain::ports::Revision;

/// A note in the stream of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "lease", rename_all = "snake_case")]
pub(crate) enum Note {
    /// It is held for a term from now.
    Held {
        owner: String,
        host: String,
        term_ms: u64,
    },
    /// It was given back.
    Released { owner: String },
}

/// The last note, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Last {
    pub(crate) revision: Revision,
    pub(crate) id: EventId,
    pub(crate) note: Note,
}

/// A note to be written after a revision, and only there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) after: Option<Revision>,
    pub(crate) id: EventId,
    pub(crate) note: Note,
}

/// What one who asks remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    /// The last note of somebody else, and when it was first seen.
    seen: Option<(EventId, Duration)>,
    /// The last note of ours that is known to stand.
    ours: Option<EventId>,
    /// Notes of ours of which it is unknown whether one of them stands, or will: all for the same place, so that at most
    /// one can, and all different.
    tried: Vec<Attempt>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is free or ours: to be written.
    Write(Attempt),
    /// Somebody else has it.
    Theirs {
        owner: String,
        host: String,
        free_in: Duration,
    },
}

impl Memory {
    /// Is there nothing of ours to give back?
    pub(crate) fn is_blank(&self) -> bool {
        self.ours.is_none() && self.tried.is_empty()
    }

    /// What follows from the last note, for one who wants to write `wanted`; `now` is an instant after it was read.
    pub(crate) fn look(
        &mut self,
        last: Option<&Last>,
        wanted: Note,
        now: Duration,
        fresh: impl FnOnce() -> EventId,
    ) -> Look {
        self.settle(last);
        if let Some(last) = last
            && self.ours != Some(last.id)
            && let Note::Held { owner, host, term_ms } = &last.note
        {
            let since = match self.seen {
                Some((id, since)) if id == last.id => since,
                _ => now,
            };
            self.seen = Some((last.id, since));
            let waited = now.saturating_sub(since);
            let free_in = Duration::from_millis(*term_ms).saturating_sub(waited);
            if !free_in.is_zero() {
                return Look::Theirs {
                    owner: owner.clone(),
                    host: host.clone(),
                    free_in,
                };
            }
        }
        Look::Write(self.attempt(last, wanted, fresh))
    }

    /// What is to be written to give it back; `None` where it is not ours.
    pub(crate) fn give_back(
        &mut self,
        last: Option<&Last>,
        released: Note,
        fresh: impl FnOnce() -> EventId,
    ) -> Option<Attempt> {
        self.settle(last);
        let stands =
            last.is_some_and(|last| self.ours == Some(last.id) && matches!(last.note, Note::Held { .. }));
        // What is still on its way would stand after all, and nobody would renew it: something has to take its place.
        let may_come = !self.tried.is_empty();
        if stands || may_come {
            return Some(self.attempt(last, released, fresh));
        }
        self.ours = None;
        None
    }

    /// How an attempt came out, where that is known: does it stand?
    pub(crate) fn wrote(&mut self, attempt: &Attempt, stands: bool) {
        if stands {
            self.ours = Some(attempt.id);
            self.tried.clear();
        } else {
            // Its place is taken, perhaps by another of ours.
            self.tried.retain(|tried| tried.id != attempt.id);
        }
    }

    /// Learns from the last note what became of the attempts whose outcome is unknown.
    fn settle(&mut self, last: Option<&Last>) {
        let head = last.map(|last| last.revision);
        if let Some(last) = last
            && self.tried.iter().any(|tried| tried.id == last.id)
        {
            self.ours = Some(last.id);
        }
        // Where the place is taken, none of the others will stand any more.
        self.tried.retain(|tried| tried.after == head);
    }

    /// At a place, one note is written as often as it takes, by one id: it stands once, however often it arrives.
    fn attempt(&mut self, last: Option<&Last>, note: Note, fresh: impl FnOnce() -> EventId) -> Attempt {
        if let Some(again) = self.tried.iter().find(|tried| tried.note == note) {
            return again.clone();
        }
        let attempt = Attempt {
            after: last.map(|last| last.revision),
            id: fresh(),
            note,
        };
        self.tried.push(attempt.clone());
        attempt
    }
}
