//! Pages of events, bounded in number and in bytes, so that a reader's memory stays flat whatever it reads.

use super::{MOST_APPEND_BYTES, Recorded};

/// Where a page ends, however many events were asked for, in bytes of data and metadata.
pub const PAGE_BYTES: usize = 4 << 20;

/// A page being filled: at most `limit` events and, after the first, at most [`PAGE_BYTES`].
#[derive(Debug)]
pub struct Page {
    limit: usize,
    bytes: usize,
    events: Vec<Recorded>,
}

impl Page {
    /// An empty page.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            events: Vec::new(),
        }
    }

    /// Is there no room for anything more?
    pub fn is_full(&self) -> bool {
        self.events.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Is there room for `size` more bytes? Always for the first event.
    pub fn has_room_for(&self, size: usize) -> bool {
        !self.is_full() && (self.events.is_empty() || self.bytes.saturating_add(size) <= PAGE_BYTES)
    }

    /// Had a page of so many events asked for room left for one more, however large?
    pub fn had_room(events: &[Recorded], limit: usize) -> bool {
        let size = |event: &Recorded| event.event.data.len().saturating_add(event.event.metadata.len());
        let bytes = events
            .iter()
            .map(size)
            .fold(MOST_APPEND_BYTES, usize::saturating_add);
        events.len() < limit && bytes <= PAGE_BYTES
    }

    /// Puts an event at the end.
    pub fn add(&mut self, event: Recorded) {
        let size = event.event.data.len().saturating_add(event.event.metadata.len());
        self.bytes = self.bytes.saturating_add(size);
        self.events.push(event);
    }

    /// The events.
    pub fn into_events(self) -> Vec<Recorded> {
        self.events
    }
}
