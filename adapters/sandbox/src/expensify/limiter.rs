//! The rate limit: so many calls in any window of so long, for each partner account (contract §1.5).
//!
//! Windows slide, and a refused call counts like any other: who hammers stays out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The length of the window that 5 calls may start in.
    pub five_in: TimeDelta,
    /// The length of the window that 20 calls may start in.
    pub twenty_in: TimeDelta,
}

impl Limits {
    /// The documented ones: 5 in any 10 s, 20 in any 60 s.
    pub fn production() -> Self {
        Self::shrunk_by(1)
    }

    /// The same numbers of calls in windows `factor` times shorter, for a fast demo or test; 0 counts as 1.
    pub fn shrunk_by(factor: u32) -> Self {
        let length = |seconds: i64| TimeDelta::microseconds(seconds * 1_000_000 / i64::from(factor.max(1)));
        Self {
            five_in: length(10),
            twenty_in: length(60),
        }
    }
}

/// The calls of late, by account.
#[derive(Debug)]
pub struct Limiter {
    limits: Option<Limits>,
    recent: Mutex<BTreeMap<String, VecDeque<DateTime<Utc>>>>,
}

impl Limiter {
    /// A limiter; without limits it lets everything pass.
    pub fn new(limits: Option<Limits>) -> Self {
        Self {
            limits,
            recent: Mutex::default(),
        }
    }

    /// Counts a call of `account` at `now` and says whether it may pass.
    pub fn passes(&self, account: &str, now: DateTime<Utc>) -> bool {
        let Some(limits) = self.limits else { return true };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = recent.entry(account.to_owned()).or_default();
        while calls
            .front()
            .is_some_and(|first| now - *first >= limits.twenty_in)
        {
            calls.pop_front();
        }
        let within = |length| calls.iter().filter(|call| now - **call < length).count();
        let passes = within(limits.five_in) < 5 && within(limits.twenty_in) < 20;
        calls.push_back(now);
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn outcomes(limiter: &Limiter, seconds: &[i64]) -> Vec<bool> {
        seconds
            .iter()
            .map(|second| limiter.passes("a", at(*second)))
            .collect()
    }

    #[test]
    fn five_pass_in_any_ten_seconds() {
        let limiter = Limiter::new(Some(Limits::production()));
        assert_eq!(
            outcomes(&limiter, &[0, 2, 4, 6, 8, 9]),
            [true, true, true, true, true, false]
        );
        // The refused call at 9 counts, and those at 4, 6, 8 are still in the window of 12.
        assert_eq!(outcomes(&limiter, &[12, 13]), [true, false]);
    }

    #[test]
    fn twenty_pass_in_any_minute() {
        let limiter = Limiter::new(Some(Limits::production()));
        let every_two_and_a_half: Vec<i64> = (0..20).map(|n| n * 5 / 2).collect();
        assert!(
            outcomes(&limiter, &every_two_and_a_half)
                .iter()
                .all(|passed| *passed)
        );
        assert_eq!(outcomes(&limiter, &[58, 61]), [false, false]);
        assert_eq!(outcomes(&limiter, &[120]), [true]);
    }

    #[test]
    fn accounts_do_not_share_their_windows_and_windows_shrink() {
        let limiter = Limiter::new(Some(Limits::shrunk_by(10)));
        assert!(
            outcomes(&limiter, &[0, 0, 0, 0, 0, 1])
                .iter()
                .all(|passed| *passed)
        );
        let limiter = Limiter::new(Some(Limits::production()));
        outcomes(&limiter, &[0, 0, 0, 0, 0, 0]);
        assert!(limiter.passes("b", at(0)));
    }
}
