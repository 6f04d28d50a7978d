//! What all nodes share: the log, the switches, who leads, and the signals that open streams listen to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::event::{Expected, Proposed};
use crate::faults::Faults;
use crate::serve::Running;
use crate::state::{Outcome, State};

pub(crate) struct Shared {
    state: Mutex<State>,
    /// Told after every write, for subscriptions.
    pub(crate) written: watch::Sender<()>,
    /// Told when every open stream must end with OK.
    pub(crate) end: watch::Sender<()>,
    pub(crate) faults: Faults,
    /// Name and password of those who may; empty: everybody may.
    pub(crate) users: Mutex<HashMap<String, String>>,
    pub(crate) without_positions: AtomicBool,
    pub(crate) nodes: Mutex<Vec<Node>>,
    pub(crate) leader: AtomicUsize,
    pub(crate) open_streams: AtomicUsize,
    pub(crate) streams_ended: AtomicU64,
    pub(crate) connections_cut: AtomicU64,
}

/// One node of the cluster.
pub(crate) struct Node {
    pub(crate) port: u16,
    /// Empty while it is stopped.
    pub(crate) running: Option<Running>,
}

impl Shared {
    pub(crate) fn new(nodes: Vec<Node>) -> Self {
        Self {
            state: Mutex::new(State::first_start()),
            written: watch::Sender::new(()),
            end: watch::Sender::new(()),
            faults: Faults::default(),
            users: Mutex::default(),
            without_positions: AtomicBool::new(false),
            nodes: Mutex::new(nodes),
            leader: AtomicUsize::new(0),
            open_streams: AtomicUsize::new(0),
            streams_ended: AtomicU64::new(0),
            connections_cut: AtomicU64::new(0),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn nodes(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn append(&self, stream: &str, expected: Expected, events: &[Proposed]) -> Outcome {
        let outcome = self.state().append(stream, expected, events);
        self.written.send_replace(());
        outcome
    }

    pub(crate) fn leads(&self, node: usize) -> bool {
        self.leader.load(Ordering::SeqCst) == node
    }

    /// Where the leader listens, if there is one that runs.
    pub(crate) fn leader_port(&self) -> Option<u16> {
        let leader = self.leader.load(Ordering::SeqCst);
        self.nodes()
            .get(leader)
            .filter(|node| node.running.is_some())
            .map(|node| node.port)
    }
}

/// Counts a stream as open for as long as it lives.
pub(crate) struct Open(Arc<Shared>);

impl Open {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.open_streams.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::SeqCst);
    }
}
