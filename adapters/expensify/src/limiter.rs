//! When the next call may start: never more than 5 in any 10 s and 20 in any 60 s (contract expensify §1.5).
//!
//! Sliding windows, by the one rule that is exact: a call may start when the fifth call before it is 10 s old and the
//! twentieth 60 s. A token bucket would let a burst ride on a full window. The instants lie in the
//! [`PaceBook`], reserved one at a time, so that processes, connections and restarts share them; every attempt counts,
//! for nobody has said that rejected ones do not. A margin covers the time on the way: the server counts arrivals.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tieout_domain::ports::{Clock, PaceBook};

/// The server's two windows: so many starts in so many milliseconds.
const WINDOWS: [(usize, i64); 2] = [(5, 10_000), (20, 60_000)];
/// Time on the way differs from call to call by this much, measured (milliseconds).
const MARGIN: i64 = 1_600;
/// A start kept further ahead than this is no queue but a wall clock that was set back (milliseconds).
const HORIZON: i64 = 3_600_000;
/// How often a start is named anew because the machine slept through it, before something else must be wrong.
const RESERVATIONS: u32 = 50;

/// The windows, the margin and the waits after 429, all divided by one factor: 1 against Expensify, more against a
/// stand-in whose windows are divided by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    scale: NonZeroU32,
    margin: i64,
}

impl Limits {
    /// What Expensify allows.
    pub fn production() -> Self {
        Self {
            scale: NonZeroU32::MIN,
            margin: MARGIN,
        }
    }

    /// Windows, margin and waits divided by `scale`.
    pub fn scaled(scale: NonZeroU32) -> Self {
        Self {
            scale,
            ..Self::production()
        }
    }

    /// Another margin, before scaling.
    pub fn with_margin(self, margin: Duration) -> Self {
        Self {
            margin: i64::try_from(margin.as_millis()).unwrap_or(i64::MAX / 4),
            ..self
        }
    }

    /// A duration divided by the factor.
    pub fn scale(&self, duration: Duration) -> Duration {
        duration / self.scale.get()
    }

    /// First ceiling of the waits after 429; it doubles up to [`Limits::longest_wait`].
    pub(crate) fn first_wait(&self) -> Duration {
        self.scale(Duration::from_secs(5))
    }

    /// Cap of the waits after 429.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.scale(Duration::from_secs(60))
    }

    /// The windows as kept here: count, and milliseconds with the margin, rounded up.
    fn windows(&self) -> [(usize, i64); 2] {
        let scale = i64::from(self.scale.get());
        WINDOWS.map(|(starts, millis)| {
            let whole = millis.saturating_add(self.margin);
            (starts, whole.saturating_add(scale - 1) / scale)
        })
    }

    /// How late a start may be and still count as the one that was reserved: a third of the margin, the rest of which
    /// is for the way.
    fn slack(&self) -> i64 {
        (self.margin / 3 / i64::from(self.scale.get())).max(50)
    }
}

/// The instant of the next start, in milliseconds since the epoch: the earliest, not before `now` and not before the
/// last start, at which no window holds too many. `history` is oldest first; more than 20 are no use.
pub fn next_start(history: &[i64], now: i64, limits: &Limits) -> i64 {
    // After the wall clock was set back, what was kept is later than any real queue. It happened, at the latest, now.
    let seen = |at: i64| if at > now.saturating_add(HORIZON) { now } else { at };
    let nth_last = |n: usize| {
        history
            .len()
            .checked_sub(n)
            .and_then(|index| history.get(index))
            .copied()
            .map(seen)
    };
    let windows = limits
        .windows()
        .into_iter()
        .filter_map(|(starts, millis)| Some(nth_last(starts)?.saturating_add(millis)));
    windows.chain(nth_last(1)).fold(now, i64::max)
}

/// Paces the calls of one account.
pub(crate) struct Pacer<C, P> {
    pub(crate) clock: Arc<C>,
    pub(crate) book: Arc<P>,
    pub(crate) account: String,
    pub(crate) limits: Limits,
}

impl<C: Clock + 'static, P: PaceBook> Pacer<C, P> {
    /// Reserves the next start and waits for it. When this returns, the call must start.
    pub(crate) async fn wait(&self) -> Result<(), String> {
        for _ in 0..RESERVATIONS {
            let (clock, limits) = (Arc::clone(&self.clock), self.limits);
            let rule =
                Box::new(move |history: &[i64]| next_start(history, clock.now().timestamp_millis(), &limits));
            let start = self
                .book
                .reserve(&self.account, rule)
                .await
                .map_err(|error| format!("the record of past calls cannot be kept ({error}), and without it the rate limit could be broken"))?;
            let ahead = start.saturating_sub(self.clock.now().timestamp_millis());
            if let Ok(ahead) = u64::try_from(ahead)
                && ahead > 0
            {
                tracing::debug!(milliseconds = ahead, "waiting for Expensify's rate limit");
                self.clock.sleep(Duration::from_millis(ahead)).await;
            }
            let late = self.clock.now().timestamp_millis().saturating_sub(start);
            if late <= self.limits.slack() {
                return Ok(());
            }
            // The machine was asleep, or busy. A start this late may crowd those after it: give it up and take another.
            tracing::debug!(
                milliseconds = late,
                "too late for the start that was reserved: reserving another"
            );
        }
        Err(format!(
            "this machine missed the start of a call {RESERVATIONS} times; it is too busy, or its clock jumps"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;
    use std::sync::Mutex;
    use tieout_domain::ports::LogError;
    use tieout_domain::time::Steady;

    /// Walks arrivals through the rule as the pace book would: 20 kept.
    fn starts(arrivals: &[i64], limits: &Limits) -> Vec<i64> {
        let mut starts: Vec<i64> = Vec::new();
        for now in arrivals {
            let kept = &starts[starts.len().saturating_sub(20)..];
            starts.push(next_start(kept, *now, limits));
        }
        starts
    }

    fn most_in_any(window: i64, starts: &[i64]) -> usize {
        let within = |from: i64| {
            starts
                .iter()
                .filter(|at| (from..from + window).contains(*at))
                .count()
        };
        starts.iter().map(|from| within(*from)).max().unwrap_or(0)
    }

    /// The rule written another way: try every instant at which anything could change, and take the first that fits.
    fn first_that_fits(history: &[i64], now: i64, limits: &Limits) -> i64 {
        let earliest = history.iter().copied().fold(now, i64::max);
        let mut candidates = vec![earliest];
        for (_, millis) in limits.windows() {
            candidates.extend(history.iter().map(|at| at + millis).filter(|at| *at >= earliest));
        }
        candidates.sort_unstable();
        candidates
            .into_iter()
            .find(|at| {
                limits
                    .windows()
                    .iter()
                    .all(|(most, millis)| history.iter().filter(|past| **past > at - millis).count() < *most)
            })
            .unwrap()
    }

    fn arrivals() -> impl Strategy<Value = Vec<i64>> {
        let step = prop_oneof![3 => 0i64..50, 3 => 0i64..3_000, 1 => 0i64..90_000];
        prop::collection::vec(step, 1..120).prop_map(|steps| {
            steps
                .into_iter()
                .scan(1_700_000_000_000, |at, step| {
                    *at += step;
                    Some(*at)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_server_allows(arrivals in arrivals(), scale in 1u32..40) {
            let limits = Limits::scaled(NonZeroU32::new(scale).unwrap());
            let starts = starts(&arrivals, &limits);
            for (most, millis) in WINDOWS {
                let millis = (millis + MARGIN) / i64::from(scale);
                prop_assert!(most_in_any(millis, &starts) <= most);
            }
            for (start, arrival) in starts.iter().zip(&arrivals) {
                prop_assert!(start >= arrival);
            }
        }

        #[test]
        fn no_start_is_later_than_the_windows_demand(arrivals in arrivals()) {
            let limits = Limits::production();
            let mut history: Vec<i64> = Vec::new();
            for now in arrivals {
                let start = next_start(&history[history.len().saturating_sub(20)..], now, &limits);
                prop_assert_eq!(start, first_that_fits(&history, now, &limits));
                history.push(start);
            }
        }

        #[test]
        fn arrivals_out_of_order_are_still_paced(mut arrivals in arrivals(), seed in any::<u64>()) {
            // Processes whose clocks differ by seconds.
            for (index, at) in arrivals.iter_mut().enumerate() {
                *at += i64::try_from((seed >> (index % 48)) & 0x7ff).unwrap();
            }
            let starts = starts(&arrivals, &Limits::production());
            prop_assert!(most_in_any(10_000, &starts) <= 5 && most_in_any(60_000, &starts) <= 20);
        }
    }

    #[test]
    fn a_burst_takes_five_at_once_then_five_every_margined_window_then_waits_out_the_minute() {
        let starts = starts(&[0; 21], &Limits::production());
        assert_eq!(starts[..6], [0, 0, 0, 0, 0, 11_600]);
        assert_eq!(starts[19], 34_800);
        assert_eq!(
            starts[20], 61_600,
            "the twenty-first waits for the first to be a minute old"
        );
    }

    #[test]
    fn a_clock_set_back_by_a_year_delays_a_minute_and_not_a_year() {
        let year = 365 * 86_400_000;
        assert_eq!(next_start(&[year; 20], 5_000, &Limits::production()), 66_600);
        assert_eq!(
            next_start(&[5_000 + 60_000], 5_000, &Limits::production()),
            65_000,
            "a queue is respected"
        );
    }

    /// A clock on which only sleeping takes time; it can oversleep once.
    struct Hand {
        millis: Mutex<i64>,
        oversleep: Mutex<i64>,
    }
    impl Clock for Hand {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp_millis(*self.millis.lock().unwrap()).unwrap()
        }
        fn steady(&self) -> Steady {
            Steady {
                epoch: "test".into(),
                millis: 0,
            }
        }
        async fn sleep(&self, duration: Duration) {
            let extra = std::mem::take(&mut *self.oversleep.lock().unwrap());
            *self.millis.lock().unwrap() += i64::try_from(duration.as_millis()).unwrap() + extra;
        }
    }

    #[derive(Default)]
    struct Book(Mutex<Vec<i64>>);
    impl PaceBook for Book {
        async fn reserve(&self, _: &str, rule: tieout_domain::ports::PaceRule) -> Result<i64, LogError> {
            let mut kept = self.0.lock().unwrap();
            let from = kept.len().saturating_sub(20);
            let start = rule(&kept[from..]);
            kept.push(start);
            Ok(start)
        }
    }

    fn pacer(book: &Arc<Book>, clock: &Arc<Hand>) -> Pacer<Hand, Book> {
        Pacer {
            clock: Arc::clone(clock),
            book: Arc::clone(book),
            account: "a".into(),
            limits: Limits::production(),
        }
    }

    fn hand(oversleep: i64) -> Arc<Hand> {
        Arc::new(Hand {
            millis: Mutex::new(1_000_000),
            oversleep: Mutex::new(oversleep),
        })
    }

    #[tokio::test]
    async fn the_pace_survives_a_restart_because_it_lies_in_the_book() {
        let (book, clock) = (Arc::new(Book::default()), hand(0));
        for _ in 0..7 {
            // Each call from a pacer of its own, as after a restart.
            pacer(&book, &clock).wait().await.unwrap();
        }
        assert_eq!(
            clock.now().timestamp_millis(),
            1_011_600,
            "the sixth and seventh waited for the window"
        );
        assert_eq!(book.0.lock().unwrap().len(), 7);
    }

    #[tokio::test]
    async fn a_start_that_was_slept_through_is_given_up_for_another() {
        let (book, clock) = (Arc::new(Book::default()), hand(3_000));
        for _ in 0..6 {
            pacer(&book, &clock).wait().await.unwrap();
        }
        let kept = book.0.lock().unwrap().clone();
        assert_eq!(
            kept[5..],
            [1_011_600, 1_014_600],
            "the missed one stays counted, the call starts at the next"
        );
        assert_eq!(clock.now().timestamp_millis(), 1_014_600);
    }
}
