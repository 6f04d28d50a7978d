//! When a document in doubt is looked up again: at growing delays, so that doubt which lasts costs QAD little, and doubt
//! that can end ends soon (contract qad §3, rule 4).
//!
//! The rule is a function of how long the document has been in doubt and when it was looked up last. What is kept of
//! that lives in memory: a process that has just begun looks at once, because somebody may have asked it to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{Reference, ReportId};
use crate::time::Moment;

/// The delays in force where a profile names none.
const DELAYS: [Duration; 7] = [
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
];

/// How long after a look-up the next one is due, for a document that had been in doubt for `age` when it was looked up:
/// the longest of the delays that is not longer than it had been in doubt already, but never beyond the end of the
/// quarantine, because that is when a look-up can first prove absence.
pub fn delay_after(age: Duration, delays: &[Duration], quarantine: Duration) -> Duration {
    let shortest = delays.iter().min().copied().unwrap_or(Duration::from_secs(30));
    let fitting = delays.iter().filter(|delay| **delay <= age).max().copied();
    let delay = fitting.unwrap_or(shortest);
    match quarantine.checked_sub(age) {
        Some(left) if !left.is_zero() => delay.min(left),
        _ => delay,
    }
}

/// The last look-up of one document.
#[derive(Debug, Clone)]
struct Look {
    /// Since when it has been in doubt.
    since: Moment,
    /// When it was looked up last.
    at: Moment,
    /// Only a person can settle it.
    incident: bool,
    /// It was not in doubt any more.
    settled: bool,
}

/// The last look-ups of what is in doubt, as this process made them.
#[derive(Debug)]
pub struct Looks {
    delays: Vec<Duration>,
    last: BTreeMap<(ReportId, Reference), Look>,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            delays: DELAYS.to_vec(),
            last: BTreeMap::new(),
        }
    }
}

impl Looks {
    /// Delays of an installation's own; none of them leaves the ones there are.
    pub(super) fn delayed_by(&mut self, mut delays: Vec<Duration>) {
        delays.retain(|delay| !delay.is_zero());
        if !delays.is_empty() {
            self.delays = delays;
        }
    }

    /// A document was looked up and is still in doubt.
    pub(super) fn note(
        &mut self,
        report: ReportId,
        reference: Reference,
        since: Moment,
        at: Moment,
        incident: bool,
    ) {
        let look = Look {
            since,
            at,
            incident,
            settled: false,
        };
        self.last.insert((report, reference), look);
    }

    /// A document was looked up and is not in doubt any more: nobody asks for it before the next cycle, which reads in the
    /// log what became of it.
    pub(super) fn settle(&mut self, report: ReportId, reference: Reference, at: Moment) {
        let look = Look {
            since: at.clone(),
            at,
            incident: false,
            settled: true,
        };
        self.last.insert((report, reference), look);
    }

    /// Forgets what is not in doubt any more, and what was settled and is in doubt again.
    pub(super) fn keep(&mut self, in_doubt: impl Fn(ReportId, Reference) -> bool) {
        self.last
            .retain(|(report, reference), look| !look.settled && in_doubt(*report, *reference));
    }

    /// Did the last look-up of it leave it to a person?
    pub(super) fn is_incident(&self, report: ReportId, reference: Reference) -> bool {
        self.last
            .get(&(report, reference))
            .is_some_and(|look| look.incident)
    }

    /// How long until a document is due to be looked up; at once where it never was.
    pub(super) fn due_in(
        &self,
        report: ReportId,
        reference: Reference,
        now: &Moment,
        quarantine: Duration,
    ) -> Duration {
        let Some(look) = self.last.get(&(report, reference)) else {
            return Duration::ZERO;
        };
        if look.settled {
            return Duration::MAX;
        }
        let age = Duration::from_millis(look.at.millis_since(&look.since));
        let gone = Duration::from_millis(now.millis_since(&look.at));
        delay_after(age, &self.delays, quarantine).saturating_sub(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::samples::{i1, j1, moment};
    use proptest::prelude::*;

    const QUARANTINE: Duration = Duration::from_secs(15 * 60);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// The ages at which a document is looked up from `first` on, for as long as `until`.
    fn ages(first: Duration, until: Duration, quarantine: Duration) -> Vec<Duration> {
        let mut ages = vec![first];
        while let Some(age) = ages.last().copied().filter(|age| *age < until) {
            ages.push(age + delay_after(age, &DELAYS, quarantine));
        }
        ages
    }

    fn minutes(ages: &[Duration]) -> Vec<u64> {
        ages.iter().map(|age| age.as_secs() / 60).collect()
    }

    #[test]
    fn a_document_in_doubt_is_looked_up_ever_more_rarely_and_as_its_quarantine_ends() {
        let ages = ages(Duration::ZERO, HOUR * 4, QUARANTINE);
        assert_eq!(minutes(&ages), [0, 0, 1, 2, 4, 6, 11, 15, 30, 60, 120, 180, 240]);
    }

    #[test]
    fn a_week_of_doubt_costs_few_look_ups() {
        let week = HOUR * 24 * 7;
        let count = ages(Duration::ZERO, week, QUARANTINE).len();
        assert!(count < 180, "{count}");
    }

    #[test]
    fn what_was_never_looked_up_by_this_process_is_due_at_once() {
        let mut looks = Looks::default();
        let (report, reference) = (i1().report, i1());
        assert_eq!(
            looks.due_in(report, reference, &moment(9_000), QUARANTINE),
            Duration::ZERO
        );
        looks.note(report, reference, moment(0), moment(60), false);
        assert_eq!(
            looks.due_in(report, reference, &moment(60), QUARANTINE),
            Duration::from_secs(60)
        );
        assert_eq!(
            looks.due_in(report, reference, &moment(100), QUARANTINE),
            Duration::from_secs(20)
        );
        assert_eq!(
            looks.due_in(report, reference, &moment(500), QUARANTINE),
            Duration::ZERO
        );
        looks.settle(report, reference, moment(500));
        assert_eq!(
            looks.due_in(report, reference, &moment(9_000), QUARANTINE),
            Duration::MAX,
            "the next cycle sees what became of it"
        );
        looks.keep(|_, _| true);
        assert_eq!(
            looks.due_in(report, reference, &moment(60), QUARANTINE),
            Duration::ZERO
        );
    }

    #[test]
    fn a_document_is_left_to_a_person_by_its_last_look_up_alone() {
        let mut looks = Looks::default();
        let (report, reference) = (i1().report, i1());
        assert!(!looks.is_incident(report, reference), "nobody looked");
        looks.note(report, reference, moment(0), moment(60), true);
        assert!(looks.is_incident(report, reference));
        assert!(
            !looks.is_incident(report, j1()),
            "the other document of the report"
        );
        looks.note(report, reference, moment(0), moment(120), false);
        assert!(!looks.is_incident(report, reference));
    }

    #[test]
    fn a_profile_without_delays_leaves_those_there_are_and_one_delay_repeats() {
        let mut looks = Looks::default();
        looks.delayed_by(Vec::new());
        assert_eq!(looks.delays, DELAYS);
        let one = [Duration::from_secs(10)];
        for age in [0, 5, 60, 100_000] {
            assert_eq!(
                delay_after(Duration::from_secs(age), &one, Duration::ZERO),
                one[0]
            );
        }
    }

    proptest! {
        #[test]
        fn delays_never_shrink_but_to_meet_the_end_of_the_quarantine_and_are_bounded(
            first in 0u64..100_000, quarantine in 1u64..100_000,
        ) {
            let quarantine = Duration::from_secs(quarantine);
            let ages = ages(Duration::from_secs(first), Duration::from_secs(first) + HOUR * 24, quarantine);
            let delays: Vec<(Duration, Duration)> = ages.windows(2).map(|pair| (pair[1] - pair[0], pair[1])).collect();
            for pair in delays.windows(2) {
                prop_assert!(pair[1].0 >= pair[0].0 || pair[1].1 == quarantine, "{:?}", pair);
            }
            for (delay, _) in &delays {
                prop_assert!(*delay <= HOUR && !delay.is_zero());
            }
            // Never past the end of the quarantine without a look-up at it.
            let crossed = ages.windows(2).any(|pair| pair[0] < quarantine && pair[1] > quarantine);
            prop_assert!(!crossed);
        }

        #[test]
        fn whatever_delays_an_installation_names_none_is_longer_than_its_longest(
            delays in prop::collection::vec(1u64..10_000, 1..6), age in 0u64..1_000_000, quarantine in 0u64..10_000,
        ) {
            let delays: Vec<Duration> = delays.into_iter().map(Duration::from_secs).collect();
            let delay = delay_after(Duration::from_secs(age), &delays, Duration::from_secs(quarantine));
            prop_assert!(delay <= *delays.iter().max().unwrap());
            prop_assert!(!delay.is_zero());
        }
    }

    #[test]
    fn an_installation_s_own_delays_replace_the_usual_ones_but_for_those_that_are_none() {
        let second = Duration::from_secs(1);
        let mut looks = Looks::default();
        looks.delayed_by(vec![Duration::ZERO, second * 7]);
        assert_eq!(looks.delays, [second * 7]);
        looks.delayed_by(vec![Duration::ZERO]);
        assert_eq!(looks.delays, [second * 7], "none at all leaves what there is");
    }
}
