//! What a test holds: the switches, the cluster's own, and what looks into the log.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle as Runtime;
use uuid::Uuid;

use crate::call::Seat;
use crate::event::{Event, Expected, Proposed};
use crate::faults::{Attempt, Fault};
use crate::serve::Running;
use crate::shared::Shared;
use crate::state::{Outcome, State, now_in_ticks};

/// The switches and the view from inside; cheap to clone, usable from any thread, never blocking for long.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) runtime: Runtime,
}

/// A backup of the whole log.
#[derive(Clone)]
pub struct Snapshot(State);

impl Handle {
    /// The next `n` appends are done, but the connection is dropped before the answer.
    pub fn lose_acks(&self, n: u64) {
        self.shared.faults.set(Fault::LoseAck, n);
    }

    /// The next `n` appends are done, but never answered; the connection stays.
    pub fn lose_acks_silently(&self, n: u64) {
        self.shared.faults.set(Fault::LoseAckSilently, n);
    }

    /// The next `n` calls (an append inside a batch append counts as one) are refused as a follower refuses, naming the
    /// leader; for a batch append that ends its whole stream, as on the server.
    pub fn refuse_as_not_leader(&self, n: u64) {
        self.shared.faults.set(Fault::NotLeader, n);
    }

    /// The next `n` calls are answered `DeadlineExceeded`, without effect (inside a batch append: `Timeout`).
    pub fn deadline(&self, n: u64) {
        self.shared.faults.set(Fault::Deadline, n);
    }

    /// The next `n` calls are answered `Unavailable`, without effect; a batch append's stream ends with it.
    pub fn unavailable(&self, n: u64) {
        self.shared.faults.set(Fault::Unavailable, n);
    }

    /// The next `n` calls are answered "Server Is Not Ready", without effect; inside a batch append that is an error of
    /// that one append, whose code is `Ok` (a trait of the server).
    pub fn not_ready(&self, n: u64) {
        self.shared.faults.set(Fault::NotReady, n);
    }

    /// Every call, and every append inside a batch append, waits this long before it is looked at; zero ends it.
    pub fn slow(&self, by: Duration) {
        self.shared.faults.set_slow(by);
    }

    /// Asks `hook` before every append what shall go wrong with it; before the counted switches.
    pub fn fail_append_when(&self, hook: impl Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync + 'static) {
        self.shared.faults.set_hook(Some(Box::new(hook)));
    }

    /// Takes the hook away.
    pub fn fail_no_append(&self) {
        self.shared.faults.set_hook(None);
    }

    /// How often this went wrong so far.
    #[must_use]
    pub fn struck(&self, fault: Fault) -> u64 {
        self.shared.faults.struck(fault)
    }

    /// Every open batch append, read and subscription ends with OK now; see [`Handle::streams_ended`].
    pub fn end_streams_cleanly(&self) {
        self.shared.end.send_replace(());
    }

    /// Drops the TCP connections of every node abruptly (reset); see [`Handle::connections_cut`].
    pub fn break_streams(&self) {
        for running in self
            .shared
            .nodes()
            .iter()
            .filter_map(|node| node.running.as_ref())
        {
            running.cut_all();
        }
    }

    /// How many streams were ended by [`Handle::end_streams_cleanly`].
    #[must_use]
    pub fn streams_ended(&self) -> u64 {
        self.shared.streams_ended.load(Ordering::SeqCst)
    }

    /// How many connections were dropped, for whatever reason of ours.
    #[must_use]
    pub fn connections_cut(&self) -> u64 {
        self.shared.connections_cut.load(Ordering::SeqCst)
    }

    /// How many batch appends, reads and subscriptions are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.shared.open_streams.load(Ordering::SeqCst)
    }

    /// From now on only those with a name and password may append and read: others are `PermissionDenied`, wrong
    /// credentials `Unauthenticated`. Gossip and features stay open.
    pub fn require_user(&self, name: &str, password: &str) {
        self.shared
            .users
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), password.to_owned());
    }

    /// Whether reads of one stream carry no log positions, as on servers before 22.6.
    pub fn stream_reads_without_positions(&self, without: bool) {
        self.shared.without_positions.store(without, Ordering::SeqCst);
    }

    /// As a server whose bounded cache of event ids was overrun: `Any` no longer recognises what is old.
    pub fn forget_event_ids(&self) {
        self.shared.state().forget_ids();
    }

    /// A backup.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.shared.state().clone())
    }

    /// Puts a backup back; open subscriptions go on from where they stand.
    pub fn restore(&self, snapshot: &Snapshot) {
        *self.shared.state() = snapshot.0.clone();
        self.shared.written.send_replace(());
    }

    /// The names of all streams that hold an event, the system's own too.
    #[must_use]
    pub fn streams(&self) -> Vec<String> {
        let state = self.shared.state();
        state
            .streams
            .iter()
            .filter(|(_, stream)| !stream.places.is_empty())
            .map(|(name, _)| name.to_string())
            .collect()
    }

    /// The events of all streams whose names begin so, in the order of `$all`.
    #[must_use]
    pub fn events(&self, prefix: &str) -> Vec<Arc<Event>> {
        self.shared
            .state()
            .events
            .iter()
            .filter(|event| event.stream.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// How many appends wrote something anew (neither refused nor found written already).
    #[must_use]
    pub fn append_count(&self) -> u64 {
        self.shared.state().appends
    }

    /// Appends from inside, past every switch; `None` for a wrong expected version, else the number of the last event.
    pub fn append(&self, stream: &str, expected: Expected, events: &[Proposed]) -> Option<i64> {
        match self.shared.append(stream, expected, events) {
            Outcome::Done { last, .. } => Some(last),
            Outcome::Wrong { .. } => None,
        }
    }

    /// Fills the log with `count` events of `size` bytes each, in turn over these streams, as if they had long been
    /// there (their ids are not in the cache that `Any` looks into).
    pub fn preload(&self, streams: &[&str], count: usize, size: usize) {
        let names: Vec<Arc<str>> = streams.iter().map(|name| Arc::from(*name)).collect();
        let mut event = Proposed {
            id: Uuid::nil(),
            kind: Arc::from("preloaded"),
            json: false,
            data: Bytes::from(vec![b'x'; size]),
            metadata: Bytes::new(),
        };
        let created = now_in_ticks();
        let mut state = self.shared.state();
        let begin = state.events.len();
        state.events.reserve(count);
        for (nth, name) in names.iter().cycle().take(count).enumerate() {
            event.id = Uuid::from_u128((0x0070_7265 << 96) | (begin + nth) as u128);
            state.push(name, &event, created);
        }
        drop(state);
        self.shared.written.send_replace(());
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.shared.nodes().len()
    }

    /// The port of a node, the same before and after a stop.
    #[must_use]
    pub fn port(&self, node: usize) -> u16 {
        self.shared.nodes()[node].port
    }

    /// Which node leads.
    #[must_use]
    pub fn leader(&self) -> usize {
        self.shared.leader.load(Ordering::SeqCst)
    }

    /// Makes a node the leader, from the next call on; open streams go on, as appends inside them will find out.
    pub fn set_leader(&self, node: usize) {
        self.shared.leader.store(node, Ordering::SeqCst);
    }

    /// Kills a node: it no longer listens, and its connections are reset. Nobody is elected: see [`Handle::set_leader`].
    pub fn stop_node(&self, node: usize) {
        let running = self.shared.nodes()[node].running.take();
        if let Some(running) = running {
            running.stop();
        }
    }

    /// Starts a stopped node again, on its own port.
    pub fn start_node(&self, node: usize) {
        let mut nodes = self.shared.nodes();
        if nodes[node].running.is_none() {
            let listener =
                TcpListener::bind(("127.0.0.1", nodes[node].port)).expect("the node's own port is free");
            let seat = Seat {
                shared: Arc::clone(&self.shared),
                index: node,
            };
            nodes[node].running = Some(Running::start(&self.runtime, listener, seat).expect("a node starts"));
        }
    }
}
