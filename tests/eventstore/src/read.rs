//! Reads that end: a stream or `$all`, forwards or backwards.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use futures::stream::{self, Stream};
use tonic::Status;

use crate::call::Call;
use crate::encode::{Shape, event_response};
use crate::event::Event;
use crate::filter::Filter;
use crate::shared::Open;
use crate::state::State;
use crate::wire::event_store::client::StreamIdentifier;
use crate::wire::event_store::client::streams::{ReadResp, read_resp};

/// How many events are taken from the log under one lock.
pub(crate) const PAGE: usize = 512;
/// The server's own page, which decides whether a reader before the first shown event hears of it.
const SERVER_PAGE: u64 = 32;

/// Where a read stands.
pub(crate) enum Cursor {
    StreamForwards {
        stream: String,
        next: u64,
    },
    StreamBackwards {
        stream: String,
        next: Option<u64>,
    },
    AllForwards {
        next: u64,
    },
    /// Events before this position: a read backwards does not show the event at the position it starts from.
    AllBackwards {
        before: u64,
    },
}

pub(crate) struct Read {
    pub(crate) cursor: Cursor,
    pub(crate) left: u64,
    pub(crate) filter: Option<Filter>,
    pub(crate) shape: Shape,
    /// Whether the reader asked to be told where the stream ends (`compatibility` 1).
    pub(crate) bounds: bool,
    pub(crate) first: bool,
}

/// A page: what goes before the events, the events, what goes after; and whether it was the last.
#[derive(Default)]
struct Page {
    before: Option<ReadResp>,
    events: Vec<Arc<Event>>,
    after: Option<ReadResp>,
    done: bool,
}

pub(crate) fn read(call: Call, read: Read) -> impl Stream<Item = Vec<ReadResp>> + Send + 'static {
    let end = call.seat.shared.end.subscribe();
    let open = Open::new(&call.seat.shared);
    stream::unfold(Some((call, read, end, open)), async |running| {
        let (call, mut read, mut end, open) = running?;
        if end.has_changed().unwrap_or(false) {
            end.mark_unchanged();
            call.seat.shared.streams_ended.fetch_add(1, Ordering::SeqCst);
            return None;
        }
        let page = read.page(&call.seat.shared.state());
        let mut room = BytesMut::with_capacity(
            page.events
                .iter()
                .map(|event| 256 + event.data.len() + event.metadata.len())
                .sum(),
        );
        let mut responses = Vec::with_capacity(page.events.len() + 2);
        responses.extend(page.before);
        responses.extend(
            page.events
                .iter()
                .map(|event| event_response(event, read.shape, &mut room)),
        );
        responses.extend(page.after);
        let next = (!page.done).then_some((call, read, end, open));
        Some((responses, next))
    })
}

impl Read {
    fn page(&mut self, state: &State) -> Page {
        let first = std::mem::replace(&mut self.first, false);
        let mut page = match &mut self.cursor {
            Cursor::StreamForwards { stream, next } => {
                forwards(state, stream, next, self.left, first && self.bounds)
            }
            Cursor::StreamBackwards { stream, next } => backwards(state, stream, next, self.left),
            Cursor::AllForwards { next } => all_forwards(state, next, self.left, self.filter.as_ref()),
            Cursor::AllBackwards { before } => all_backwards(state, before, self.left, self.filter.as_ref()),
        };
        self.left -= page.events.len() as u64;
        page.done |= self.left == 0;
        if let (true, true, Cursor::StreamForwards { stream, .. } | Cursor::StreamBackwards { stream, .. }) =
            (page.done, self.bounds, &self.cursor)
            && let Ok(last) = u64::try_from(state.last(stream))
        {
            page.after = Some(ReadResp {
                content: Some(read_resp::Content::LastStreamPosition(last)),
            });
        }
        page
    }
}

fn not_found(stream: &str) -> Page {
    let identifier = StreamIdentifier {
        stream_name: stream.as_bytes().to_vec().into(),
    };
    let content = read_resp::Content::StreamNotFound(read_resp::StreamNotFound {
        stream_identifier: Some(identifier),
    });
    Page {
        before: Some(ReadResp {
            content: Some(content),
        }),
        done: true,
        ..Page::default()
    }
}

fn forwards(state: &State, stream: &str, next: &mut u64, left: u64, tell_first: bool) -> Page {
    let Some(index) = state.streams.get(stream).filter(|index| !index.places.is_empty()) else {
        return not_found(stream);
    };
    let mut page = Page::default();
    let (shown, length) = (index.first_shown(), index.places.len() as u64);
    if tell_first {
        let empty = *next >= length || next.saturating_add(SERVER_PAGE.min(left)) <= shown;
        let first = if *next >= length { length } else { shown };
        if empty && *next != first {
            page.before = Some(ReadResp {
                content: Some(read_resp::Content::FirstStreamPosition(first)),
            });
        }
    }
    let from = (*next).max(shown).min(length);
    let to = from.saturating_add(left.min(PAGE as u64)).min(length);
    page.events = index.places[from as usize..to as usize]
        .iter()
        .map(|place| Arc::clone(&state.events[*place]))
        .collect();
    *next = to;
    page.done = to >= length;
    page
}

fn backwards(state: &State, stream: &str, next: &mut Option<u64>, left: u64) -> Page {
    let Some(index) = state.streams.get(stream).filter(|index| !index.places.is_empty()) else {
        return not_found(stream);
    };
    let mut page = Page::default();
    let to = next
        .map_or(0, |next| next.saturating_add(1))
        .min(index.places.len() as u64);
    let from = to
        .saturating_sub(left.min(PAGE as u64))
        .max(index.first_shown().min(to));
    page.events = index.places[from as usize..to as usize]
        .iter()
        .rev()
        .map(|place| Arc::clone(&state.events[*place]))
        .collect();
    *next = from.checked_sub(1);
    page.done = from == 0 || page.events.is_empty();
    page
}

fn all_forwards(state: &State, next: &mut u64, left: u64, filter: Option<&Filter>) -> Page {
    let mut page = Page {
        done: true,
        ..Page::default()
    };
    for event in &state.events[state.index_from(*next)..] {
        if page.events.len() as u64 >= left.min(PAGE as u64) {
            page.done = false;
            break;
        }
        if filter.is_none_or(|filter| filter.shows(event)) {
            page.events.push(Arc::clone(event));
        }
        *next = event.position + 1;
    }
    page
}

fn all_backwards(state: &State, before: &mut u64, left: u64, filter: Option<&Filter>) -> Page {
    let mut page = Page {
        done: true,
        ..Page::default()
    };
    for event in state.events[..state.index_from(*before)].iter().rev() {
        if page.events.len() as u64 >= left.min(PAGE as u64) {
            page.done = false;
            break;
        }
        if filter.is_none_or(|filter| filter.shows(event)) {
            page.events.push(Arc::clone(event));
        }
        *before = event.position;
    }
    page
}

/// A status for a combination that the server does not serve.
pub(crate) fn invalid_combination() -> Status {
    Status::invalid_argument("The combination of options is invalid.")
}
