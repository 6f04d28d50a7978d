//! When what is posted is held against both systems again: from the poll stream alone.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::journal::{JournalError, parse_envelope};
use crate::ports::Recorded;

/// How long after a recheck that failed the next one is tried: a system that is down costs a listing an hour, not one a
/// cycle.
const AFTER_A_FAILURE: Duration = Duration::from_secs(60 * 60);

/// What the poll stream says of rechecks.
#[derive(Debug, Clone, Default)]
pub(in crate::workflow) struct Rechecks {
    /// The first complete poll: before it there was nothing to hold against anything.
    first_poll: Option<DateTime<Utc>>,
    /// The last recheck that completed.
    completed: Option<DateTime<Utc>>,
    /// The last one since then that did not.
    failed: Option<DateTime<Utc>>,
}

impl Rechecks {
    /// Reads on in the poll stream.
    pub(in crate::workflow) fn note(&mut self, recorded: &Recorded) -> Result<(), JournalError> {
        let at = || {
            parse_envelope(&recorded.stream, recorded.revision.0, &recorded.event.metadata)
                .map(|envelope| envelope.recorded_at)
        };
        match recorded.event.kind.as_str() {
            "PollCompleted" if self.first_poll.is_none() => self.first_poll = Some(at()?),
            "RecheckCompleted" => {
                self.completed = Some(at()?);
                self.failed = None;
            }
            "RecheckFailed" => self.failed = Some(at()?),
            _ => {}
        }
        Ok(())
    }

    /// Is a recheck due? A record from the future (a clock that was set back since) does not put it off.
    pub(super) fn due(&self, now: DateTime<Utc>, every: Duration) -> bool {
        let passed = |since: DateTime<Utc>, span: Duration| {
            now < since || (now - since).to_std().is_ok_and(|passed| passed >= span)
        };
        let Some(last) = self.completed.or(self.first_poll) else {
            return false;
        };
        passed(last, every)
            && self
                .failed
                .is_none_or(|at| passed(at, AFTER_A_FAILURE.min(every)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EventId;
    use crate::journal::{Actor, Cause, Envelope, SystemActor};
    use crate::ports::{NewEvent, Position, Revision, StreamName};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::Duration::hours(hour)
    }

    fn due(first_poll: Option<i64>, completed: Option<i64>, failed: Option<i64>, now: i64) -> bool {
        Rechecks {
            first_poll: first_poll.map(at),
            completed: completed.map(at),
            failed: failed.map(at),
        }
        .due(at(now), DAY)
    }

    #[test]
    fn it_is_due_a_span_after_the_last_that_completed_or_after_the_first_poll() {
        assert!(
            !due(None, None, None, 1_000),
            "there was never anything to hold against"
        );
        assert!(!due(Some(0), None, None, 23) && due(Some(0), None, None, 24));
        assert!(!due(Some(0), Some(100), None, 123) && due(Some(0), Some(100), None, 124));
    }

    #[test]
    fn one_that_failed_is_tried_again_after_an_hour_and_not_in_every_cycle() {
        assert!(!due(Some(0), Some(0), Some(24), 24) && due(Some(0), Some(0), Some(24), 25));
    }

    /// What the poll stream says, each event recorded in the hour beside it.
    fn noted(events: &[(&str, i64)]) -> Rechecks {
        let mut rechecks = Rechecks::default();
        for (kind, hour) in events {
            rechecks.note(&recorded(kind, at(*hour))).unwrap();
        }
        rechecks
    }

    fn recorded(kind: &str, recorded_at: DateTime<Utc>) -> Recorded {
        let envelope = Envelope {
            schema: 1,
            recorded_at,
            effective_at: recorded_at,
            actor: Actor::System {
                part: SystemActor::Rechecker,
            },
            cause: Cause::Command { name: "test".into() },
            build: "test".into(),
            parts: 0,
        };
        Recorded {
            stream: StreamName("poll".into()),
            revision: Revision(0),
            position: Position(0, 0),
            event: NewEvent {
                id: EventId(uuid::Uuid::nil()),
                kind: kind.into(),
                data: Vec::new(),
                metadata: serde_json::to_vec(&envelope).unwrap(),
            },
        }
    }

    #[test]
    fn the_span_counts_from_the_first_poll_until_a_recheck_completes_and_from_the_last_of_those_then() {
        let polled = noted(&[("PollCompleted", 0), ("PollCompleted", 20)]);
        assert!(!polled.due(at(23), DAY) && polled.due(at(24), DAY));
        let held = noted(&[
            ("PollCompleted", 0),
            ("RecheckCompleted", 24),
            ("RecheckCompleted", 50),
        ]);
        assert!(!held.due(at(73), DAY) && held.due(at(74), DAY));
    }

    #[test]
    fn a_recheck_that_failed_puts_the_next_one_off_until_one_completes() {
        let failed = [("PollCompleted", 0), ("RecheckFailed", 24)];
        assert!(!noted(&failed).due(at(24), DAY) && noted(&failed).due(at(25), DAY));
        let completed = noted(&[failed[0], failed[1], ("RecheckCompleted", 24)]);
        assert_eq!(completed.failed, None);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_put_it_off() {
        assert!(due(Some(0), Some(1_000), None, 10));
    }
}
