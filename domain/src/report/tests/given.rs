//! `given(events).when(command).then(events)`: a decision as a sentence.

use crate::report::{Command, Refusal, Report, ReportEvent, admit, decide};

/// A report to which this has happened. Each event must be allowed where it stands: a specification may not begin in
/// a state that cannot be.
#[track_caller]
pub(super) fn given(events: impl IntoIterator<Item = ReportEvent>) -> Given {
    Given(
        events
            .into_iter()
            .fold(Report::default(), |report, event| then_happens(report, &event)),
    )
}

#[track_caller]
fn then_happens(report: Report, event: &ReportEvent) -> Report {
    if let Err(refusal) = admit(&report, event) {
        panic!("what is given cannot be: {refusal}");
    }
    report.evolve(event)
}

#[derive(Debug, Clone)]
pub(super) struct Given(pub(super) Report);
impl Given {
    /// And then this happened too.
    #[track_caller]
    pub(super) fn and(self, events: impl IntoIterator<Item = ReportEvent>) -> Self {
        Self(
            events
                .into_iter()
                .fold(self.0, |report, event| then_happens(report, &event)),
        )
    }

    pub(super) fn when(self, command: Command) -> When {
        let result = decide(&self.0, command);
        When {
            before: self.0,
            result,
        }
    }
}

pub(super) struct When {
    before: Report,
    result: Result<Vec<ReportEvent>, Refusal>,
}
impl When {
    /// Exactly these events; gives the report to which they have happened.
    #[track_caller]
    pub(super) fn then(self, expected: impl IntoIterator<Item = ReportEvent>) -> Given {
        let expected: Vec<ReportEvent> = expected.into_iter().collect();
        assert_eq!(self.result.as_ref(), Ok(&expected));
        assert!(!expected.is_empty(), "say then_nothing");
        Given(self.before).and(expected)
    }

    /// What was asked is already so.
    #[track_caller]
    pub(super) fn then_nothing(self) -> Given {
        assert_eq!(self.result, Ok(Vec::new()));
        Given(self.before)
    }

    /// Refused, in words that say this.
    #[track_caller]
    pub(super) fn then_refused(self, words: &str) -> Given {
        match self.result {
            Ok(events) => panic!("it was not refused but decided: {events:?}"),
            Err(refusal) => {
                let said = refusal.to_string();
                assert!(said.contains(words), "`{said}` does not say `{words}`");
            }
        }
        Given(self.before)
    }
}
