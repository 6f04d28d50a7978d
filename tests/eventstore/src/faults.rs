//! The switches: what goes wrong next, and how often it did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::{Expected, Proposed};

/// What can go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Done, but the connection is dropped before the answer (appends only).
    LoseAck,
    /// Done, but no answer ever comes, on a connection that stays (appends only).
    LoseAckSilently,
    /// Refused, without effect, as a follower refuses.
    NotLeader,
    /// Answered `DeadlineExceeded`, without effect.
    Deadline,
    /// Answered `Unavailable`, without effect; ends a batch-append stream.
    Unavailable,
    /// Answered "Server Is Not Ready", without effect: inside a batch append an error whose code is `Ok`.
    NotReady,
}

/// In the order in which they are asked; also their places in [`Faults::counters`].
const ALL: [Fault; 6] = [
    Fault::NotLeader,
    Fault::Deadline,
    Fault::Unavailable,
    Fault::NotReady,
    Fault::LoseAck,
    Fault::LoseAckSilently,
];

/// An append about to be done, as a hook sees it.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The stream.
    pub stream: &'a str,
    /// What its writer expects.
    pub expected: Expected,
    /// The events.
    pub events: &'a [Proposed],
    /// Whether it came in a batch append.
    pub batch: bool,
}

type Hook = Box<dyn Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
pub(crate) struct Faults {
    counters: [Counter; ALL.len()],
    slow_by: AtomicU64,
    hook: Mutex<Option<Hook>>,
}

#[derive(Default)]
struct Counter {
    left: AtomicU64,
    struck: AtomicU64,
}

impl Faults {
    pub(crate) fn set(&self, fault: Fault, times: u64) {
        self.counter(fault).left.store(times, Ordering::SeqCst);
    }

    pub(crate) fn struck(&self, fault: Fault) -> u64 {
        self.counter(fault).struck.load(Ordering::SeqCst)
    }

    pub(crate) fn set_hook(&self, hook: Option<Hook>) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    pub(crate) fn set_slow(&self, by: Duration) {
        self.slow_by
            .store(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn slow(&self) -> Duration {
        Duration::from_nanos(self.slow_by.load(Ordering::SeqCst))
    }

    /// What goes wrong with this append, if anything.
    pub(crate) fn strike_append(&self, attempt: &Attempt<'_>) -> Option<Fault> {
        let by_hook = self
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|hook| hook(attempt));
        if let Some(fault) = by_hook {
            self.counter(fault).struck.fetch_add(1, Ordering::SeqCst);
            return Some(fault);
        }
        ALL.into_iter().find(|fault| self.take(*fault))
    }

    /// What goes wrong with this read, if anything: it has no effect whose answer could be lost.
    pub(crate) fn strike_read(&self) -> Option<Fault> {
        ALL.into_iter()
            .filter(|fault| !matches!(fault, Fault::LoseAck | Fault::LoseAckSilently))
            .find(|fault| self.take(*fault))
    }

    fn take(&self, fault: Fault) -> bool {
        let counter = self.counter(fault);
        if counter.left.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let taken = counter
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if taken {
            counter.struck.fetch_add(1, Ordering::SeqCst);
        }
        taken
    }

    fn counter(&self, fault: Fault) -> &Counter {
        let place = ALL.iter().position(|one| *one == fault).unwrap_or_default();
        &self.counters[place]
    }
}
