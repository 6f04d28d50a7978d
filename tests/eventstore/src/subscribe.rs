//! Subscriptions: confirmed, catching up, caught up, live; with checkpoints where a filter hides events.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use futures::stream::{self, Stream};
use tokio::sync::watch;

use crate::call::Call;
use crate::encode::{Shape, event_response};
use crate::event::Event;
use crate::filter::Filter;
use crate::read::PAGE;
use crate::shared::Open;
use crate::state::State;
use crate::wire::event_store::client::streams::{ReadResp, read_resp};

/// What is followed, and from where.
pub(crate) enum Followed {
    /// A stream, from this number on.
    Stream { stream: String, next: u64 },
    /// `$all`, from this position on.
    All { next: u64, filter: Option<Filter> },
}

#[derive(PartialEq, Eq)]
enum Phase {
    Unconfirmed,
    CatchingUp,
    Live,
}

struct Subscription {
    call: Call,
    followed: Followed,
    shape: Shape,
    phase: Phase,
    /// Events considered since the last checkpoint, and where the last of them and the last checkpoint stand.
    considered: u64,
    seen: Option<u64>,
    checkpoint: Option<u64>,
    written: watch::Receiver<()>,
    end: watch::Receiver<()>,
    _open: Open,
}

pub(crate) fn subscribe(
    call: Call,
    followed: Followed,
    shape: Shape,
) -> impl Stream<Item = Vec<ReadResp>> + Send + 'static {
    let shared = Arc::clone(&call.seat.shared);
    let subscription = Subscription {
        call,
        followed,
        shape,
        phase: Phase::Unconfirmed,
        considered: 0,
        seen: None,
        checkpoint: None,
        written: shared.written.subscribe(),
        end: shared.end.subscribe(),
        _open: Open::new(&shared),
    };
    stream::unfold(subscription, async |mut subscription| {
        Some((subscription.next().await?, subscription))
    })
}

impl Subscription {
    async fn next(&mut self) -> Option<Vec<ReadResp>> {
        if self.phase == Phase::Unconfirmed {
            self.phase = Phase::CatchingUp;
            let subscription_id = uuid::Uuid::new_v4().to_string();
            let content =
                read_resp::Content::Confirmation(read_resp::SubscriptionConfirmation { subscription_id });
            return Some(vec![ReadResp {
                content: Some(content),
            }]);
        }
        loop {
            if self.end.has_changed().unwrap_or(false) {
                return self.ended();
            }
            // Before the look, so that a write during it is not missed.
            self.written.mark_unchanged();
            let shared = Arc::clone(&self.call.seat.shared);
            let (events, at_end) = self.followed.page(&shared.state());
            let mut responses = self.responses(&events);
            if at_end && self.phase == Phase::CatchingUp {
                self.phase = Phase::Live;
                responses.extend(self.checkpoint_at(self.seen));
                responses.push(ReadResp {
                    content: Some(read_resp::Content::CaughtUp(read_resp::CaughtUp::default())),
                });
            }
            if !responses.is_empty() {
                return Some(responses);
            }
            if at_end {
                tokio::select! {
                    biased;
                    _ = self.end.changed() => return self.ended(),
                    _ = self.written.changed() => {}
                }
            }
        }
    }

    fn ended(&self) -> Option<Vec<ReadResp>> {
        self.call.seat.shared.streams_ended.fetch_add(1, Ordering::SeqCst);
        None
    }

    fn responses(&mut self, events: &[Arc<Event>]) -> Vec<ReadResp> {
        let mut responses = Vec::with_capacity(events.len());
        let mut room = BytesMut::with_capacity(
            events
                .iter()
                .map(|event| 256 + event.data.len() + event.metadata.len())
                .sum(),
        );
        for event in events {
            let (shown, interval) = match &self.followed {
                Followed::All {
                    filter: Some(filter), ..
                } => (filter.shows(event), filter.checkpoint_interval),
                _ => (true, u64::MAX),
            };
            if shown {
                // What is live carries positions on every server; older ones read a stream without them.
                let positions = self.shape.positions
                    || self.phase == Phase::Live
                    || matches!(self.followed, Followed::All { .. });
                responses.push(event_response(
                    event,
                    Shape {
                        positions,
                        ..self.shape
                    },
                    &mut room,
                ));
            }
            self.seen = Some(event.position);
            self.considered += 1;
            if self.considered >= interval {
                responses.extend(self.checkpoint_at(self.seen));
            }
        }
        responses
    }

    /// A checkpoint, unless there is no filter or it was given already.
    fn checkpoint_at(&mut self, position: Option<u64>) -> Option<ReadResp> {
        let position = position?;
        if !matches!(self.followed, Followed::All { filter: Some(_), .. })
            || self.checkpoint >= Some(position)
        {
            return None;
        }
        self.checkpoint = Some(position);
        self.considered = 0;
        let checkpoint = read_resp::Checkpoint {
            commit_position: position,
            prepare_position: position,
            timestamp: None,
        };
        Some(ReadResp {
            content: Some(read_resp::Content::Checkpoint(checkpoint)),
        })
    }
}

impl Followed {
    /// The next events, shown or not, and whether that is all there is.
    fn page(&mut self, state: &State) -> (Vec<Arc<Event>>, bool) {
        match self {
            Self::Stream { stream, next } => {
                let Some(index) = state.streams.get(stream.as_str()) else {
                    return (Vec::new(), true);
                };
                let length = index.places.len() as u64;
                let from = (*next).max(index.first_shown()).min(length);
                let to = (from + PAGE as u64).min(length);
                let events = index.places[from as usize..to as usize]
                    .iter()
                    .map(|place| Arc::clone(&state.events[*place]))
                    .collect();
                *next = (*next).max(to);
                (events, to >= length)
            }
            Self::All { next, .. } => {
                let from = state.index_from(*next);
                let to = (from + PAGE).min(state.events.len());
                let events: Vec<_> = state.events[from..to].to_vec();
                if let Some(last) = events.last() {
                    *next = last.position + 1;
                }
                (events, to == state.events.len())
            }
        }
    }
}
