//! Chance from a seed: splitmix64, small enough to be read, and the same on every machine and in every version.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// At least one of something, so that a choice always has an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Few<T: 'static>(pub T, pub &'static [T]);

impl<T: Copy> Few<T> {
    pub(super) fn iter(self) -> impl Iterator<Item = T> {
        std::iter::once(self.0).chain(self.1.iter().copied())
    }
}

/// A die that rolls the same way for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Sebastiano Vigna's splitmix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound`, without `bound`; 0 when there is nothing below it. The bias is far below what a month shows.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(0).unsigned_abs().saturating_add(1);
        low.saturating_add_unsigned(self.below(span))
    }

    /// Heads in so many of a hundred throws.
    pub(super) fn percent(&mut self, heads: u64) -> bool {
        self.below(100) < heads
    }

    /// One of a few.
    pub(super) fn pick<T: Copy>(&mut self, few: Few<T>) -> T {
        let place = usize::try_from(self.below(few.1.len() as u64 + 1)).unwrap_or(0);
        place
            .checked_sub(1)
            .and_then(|place| few.1.get(place).copied())
            .unwrap_or(few.0)
    }
}

/// A day of 2026.
pub(super) fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap_or_default()
}

/// So many minutes after midnight UTC of a day.
pub(super) fn at(day: NaiveDate, minutes: i64) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minutes)
}

/// A day some days earlier.
pub(super) fn before(day: NaiveDate, days: i64) -> NaiveDate {
    day - TimeDelta::days(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_die_is_splitmix64() {
        // The first numbers of the reference implementation from the seed 1234567.
        let mut dice = Dice::new(1_234_567);
        assert_eq!(
            [dice.next(), dice.next(), dice.next()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn a_choice_stays_within_its_bounds_and_reaches_them() {
        let mut dice = Dice::new(7);
        let rolls: Vec<i64> = (0..500).map(|_| dice.between(-2, 2)).collect();
        assert!(rolls.iter().all(|roll| (-2..=2).contains(roll)));
        assert!(rolls.contains(&-2) && rolls.contains(&2));
        assert_eq!(dice.between(5, 5), 5);
        let picked: Vec<char> = (0..100).map(|_| dice.pick(Few('a', &['b', 'c']))).collect();
        assert!(['a', 'b', 'c'].iter().all(|letter| picked.contains(letter)));
    }
}
