//! Until when a connection may be worked, by the steady clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tieout_domain::ports::Clock as _;

use crate::ports::SystemClock;

/// No end: nobody else asks for it.
const FOR_EVER: u64 = u64::MAX;
/// How often somebody who waits for the end looks whether it came early.
const LOOK: Duration = Duration::from_millis(250);

/// An instant of the steady clock after which nothing new is begun; it moves on with each renewal.
#[derive(Debug)]
pub struct Hold {
    until_millis: AtomicU64,
}

impl Hold {
    /// For work that needs no lease.
    pub fn without_end() -> Self {
        Self {
            until_millis: AtomicU64::new(FOR_EVER),
        }
    }

    /// For work that needs one, and has none yet.
    pub fn over() -> Self {
        Self {
            until_millis: AtomicU64::new(0),
        }
    }

    /// Is it over?
    pub fn is_over(&self, clock: &SystemClock) -> bool {
        self.left(clock).is_some_and(|left| left.is_zero())
    }

    /// How much is left of it; `None` for without end.
    pub(super) fn left(&self, clock: &SystemClock) -> Option<Duration> {
        match self.until_millis.load(Ordering::SeqCst) {
            FOR_EVER => None,
            until => Some(Duration::from_millis(until).saturating_sub(steady(clock))),
        }
    }

    /// It lasts until then.
    pub(super) fn lasts_until(&self, until: Duration) {
        let millis = u64::try_from(until.as_millis()).unwrap_or(FOR_EVER);
        self.until_millis
            .store(millis.min(FOR_EVER - 1), Ordering::SeqCst);
    }

    /// It is over now.
    pub(super) fn end(&self) {
        self.until_millis.store(0, Ordering::SeqCst);
    }

    /// Waits until it is over.
    pub(super) async fn ends(&self, clock: &SystemClock) {
        loop {
            match self.left(clock) {
                None => std::future::pending().await,
                Some(left) if left.is_zero() => return,
                // The runtime's own clock stands still while the machine is suspended: no long sleep.
                Some(left) => tokio::time::sleep(left.min(LOOK)).await,
            }
        }
    }
}

/// A clock that counts suspended time too, and that nobody can set.
pub(super) fn steady(clock: &SystemClock) -> Duration {
    Duration::from_millis(clock.steady().millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_by_the_clock_alone_and_begins_again_with_a_renewal() {
        let clock = SystemClock::new();
        let hold = Hold::over();
        assert!(hold.is_over(&clock));
        hold.lasts_until(steady(&clock) + Duration::from_secs(60));
        assert!(!hold.is_over(&clock));
        // Nobody said so: the time came.
        hold.lasts_until(steady(&clock));
        assert!(hold.is_over(&clock));
        hold.lasts_until(steady(&clock) + Duration::from_secs(60));
        assert!(!hold.is_over(&clock), "taken again");
        hold.end();
        assert!(hold.is_over(&clock));
        assert!(!Hold::without_end().is_over(&clock));
    }
}
