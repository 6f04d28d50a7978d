//! The sessions that appends go through.
//!
//! The client's single append opens a stream for each call, in several small packets; without `TCP_NODELAY`, which the
//! client does not set, each call waits 40 ms for a delayed acknowledgement. A batch session is one stream for many
//! appends, and one packet for each.
//!
//! Its traits: one refused append ends it for everybody in it, with an error for each; one that ends cleanly says
//! nothing to those who wait. So there are several, a stream of the log always goes through the same one, its appends
//! one after the other; and each waits no longer than the deadline. What was in the way is appended again, and known by
//! its ids.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use eventstore::{BatchAppendClient, BatchAppendOptions, Client, Credentials, EventData, StreamState};
use tokio::sync::Mutex as Turn;

use crate::error::Trouble;

/// How many sessions there are.
const LANES: usize = 8;

type Lane = Turn<Option<Arc<BatchAppendClient>>>;

/// The sessions of one client.
#[derive(Default)]
pub(crate) struct Lanes([Lane; LANES]);

impl Lanes {
    /// Appends once.
    pub(crate) async fn append(
        &self,
        client: &Client,
        user: Option<Credentials>,
        deadline: Duration,
        stream: &str,
        state: StreamState,
        events: Vec<EventData>,
    ) -> Result<(), Trouble> {
        let lane = self.lane(stream);
        let within = tokio::time::timeout(deadline, async {
            let session = Self::session(lane, client, user).await?;
            let answer = session.append_to_stream(stream, state, events).await;
            Ok((session, answer))
        });
        match within.await {
            Ok(Ok((_, Ok(_)))) => Ok(()),
            Ok(Ok((session, Err(error)))) => {
                Self::close(lane, &session).await;
                Err(Trouble::of(error))
            }
            Ok(Err(trouble)) => Err(trouble),
            Err(_) => {
                *lane.lock().await = None;
                Err(Trouble::Again(format!("no answer within {deadline:?}")))
            }
        }
    }

    fn lane(&self, stream: &str) -> &Lane {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        let Self(lanes) = self;
        let [first, ..] = lanes;
        lanes.get(index).unwrap_or(first)
    }

    async fn session(
        lane: &Lane,
        client: &Client,
        user: Option<Credentials>,
    ) -> Result<Arc<BatchAppendClient>, Trouble> {
        let mut lane = lane.lock().await;
        if let Some(session) = lane.as_ref() {
            return Ok(Arc::clone(session));
        }
        let options = match user {
            None => BatchAppendOptions::default(),
            Some(user) => BatchAppendOptions::default().authenticated(user),
        };
        let session = Arc::new(client.batch_append(&options).await.map_err(Trouble::of)?);
        *lane = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Closes a session, unless another took its place already.
    async fn close(lane: &Lane, session: &Arc<BatchAppendClient>) {
        let mut lane = lane.lock().await;
        if lane.as_ref().is_some_and(|now| Arc::ptr_eq(now, session)) {
            *lane = None;
        }
    }
}

/// Whose turn it is at each stream: of appends to one stream, this process sends one at a time, so that a conflict among
/// them ends a session for nobody else.
#[derive(Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, Weak<Turn<()>>>>);

impl Turns {
    pub(crate) fn at(&self, stream: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(stream).and_then(Weak::upgrade) {
            return turn;
        }
        // Now and then, those that nobody waits at are swept out.
        if turns.len() >= 1_024 {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::new(Turn::new(()));
        turns.insert(stream.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
