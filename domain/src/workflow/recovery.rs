//! A log that is older than what QAD shows opens in recovery, and nothing posts (design §5). Recovery is a state of the
//! log: it survives restarts, and ends only with what a clean reconciliation records.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::desk::{Desk, WorkflowError};
use super::ledger_events::LedgerEvent;
use super::roster::Roster;
use crate::ids::Reference;
use crate::journal::{Actor, Draft, Entry, Stamp, SystemActor};
use crate::ports::{Clock, Expected, Ledger, LedgerError, Ports, Revision};
use crate::posting::{DocumentKey, Sighting};

/// How many documents a message names before it counts the rest.
const NAMED: usize = 3;

/// Is the connection in recovery? Folded from the stream of its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    open: Option<Opened>,
}

/// Recovery, while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was not explained when it was recorded last.
    pub unexplained: Vec<Sighting>,
    /// When it began.
    pub since: DateTime<Utc>,
}

impl Recovery {
    /// Folds an event in.
    #[must_use]
    pub fn evolve(self, event: &LedgerEvent, recorded_at: DateTime<Utc>) -> Self {
        match event {
            LedgerEvent::RecoveryOpened { unexplained } => Self {
                open: Some(Opened {
                    unexplained: unexplained.clone(),
                    since: self.open.map_or(recorded_at, |opened| opened.since),
                }),
            },
            LedgerEvent::RecoveryClosed { .. } => Self { open: None },
            LedgerEvent::LedgerDocumentExplained { .. } => self,
        }
    }

    /// What it is open for, if it is.
    pub fn open(&self) -> Option<&Opened> {
        self.open.as_ref()
    }

    /// What a listing makes happen: nothing where it shows nothing new.
    pub fn seeing(&self, unexplained: Vec<Sighting>) -> Option<LedgerEvent> {
        let known = self.open.as_ref().map(|opened| documents(&opened.unexplained));
        let news = !unexplained.is_empty() && known != Some(documents(&unexplained));
        news.then_some(LedgerEvent::RecoveryOpened { unexplained })
    }
}

fn documents(sightings: &[Sighting]) -> BTreeSet<(Reference, &DocumentKey)> {
    sightings.iter().map(|one| (one.reference, &one.key)).collect()
}

impl Opened {
    /// Why nothing posts, and what to do.
    pub fn describe(&self, connection: &str) -> String {
        let named: Vec<String> = self
            .unexplained
            .iter()
            .take(NAMED)
            .map(|one| format!("{} as {}", one.reference, one.key))
            .collect();
        let more = match self.unexplained.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "in recovery since {}: QAD shows {} document(s) with our references that the log does not explain ({}{more}): the log is \
             older than QAD, or another installation posts in this workspace; run `tieout reconcile --ledger --connection {connection}` \
             (`tieout guide recovery`)",
            self.since.format("%Y-%m-%d %H:%M UTC"),
            self.unexplained.len(),
            named.join(", "),
        )
    }
}

/// What a listing of our documents in QAD showed, held against the log.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Every document that bears a reference of ours.
    pub shown: Vec<Sighting>,
    /// Those of them that the log does not explain.
    pub unexplained: Vec<Sighting>,
}

/// What keeps posting shut on the side of recovery.
pub(super) struct Watched {
    /// The connection is in recovery, in words.
    pub(super) in_recovery: Option<String>,
    /// Nobody can say whether it should be: the listing failed.
    pub(super) unlisted: Option<String>,
}

impl<P: Ports> Desk<'_, P> {
    /// Is the connection in recovery, by its log?
    pub async fn recovery(&self) -> Result<Recovery, WorkflowError> {
        Ok(self.recovery_at().await?.0)
    }

    async fn recovery_at(&self) -> Result<(Recovery, Option<Revision>), WorkflowError> {
        let (entries, head) = self.journal.read::<LedgerEvent>(&self.streams.ledger()).await?;
        let fold = |recovery: Recovery, entry: &Entry<LedgerEvent>| {
            recovery.evolve(&entry.event, entry.envelope.recorded_at)
        };
        Ok((entries.iter().fold(Recovery::default(), fold), head))
    }

    /// Lists our documents in QAD and holds them against the log; records nothing.
    pub async fn hold_against_the_log(
        &self,
        roster: &mut Roster,
    ) -> Result<Result<Held, LedgerError>, WorkflowError> {
        let shown = match self.ports.ledger().list_ours().await {
            Ok(shown) => shown,
            Err(error) => return Ok(Err(error)),
        };
        // The log is read after the listing: whatever another instance sent meanwhile had its intent there first.
        roster.catch_up(self.ports.log()).await?;
        let unexplained = shown
            .iter()
            .filter(|one| !roster.known().explains(one))
            .cloned()
            .collect();
        Ok(Ok(Held { shown, unexplained }))
    }

    /// Once a process and day: does QAD show what the log does not explain? Asks only where QAD answers at all today.
    pub(super) async fn watch_the_ledger(
        &self,
        roster: &mut Roster,
        answers: bool,
    ) -> Result<Watched, WorkflowError> {
        let today = self.today();
        let mut unlisted = None;
        if answers && roster.listed_on() != Some(today) {
            match self.hold_against_the_log(roster).await? {
                Ok(held) => {
                    self.see(&held.unexplained).await?;
                    roster.set_listed_on(today);
                }
                Err(error) => {
                    unlisted = Some(format!(
                        "QAD did not list the documents that bear our references, and nothing else shows that the log is not older than \
                         QAD: {error}"
                    ));
                }
            }
        }
        let recovery = self.recovery().await?;
        Ok(Watched {
            in_recovery: recovery
                .open()
                .map(|opened| opened.describe(self.connection.name.as_str())),
            unlisted,
        })
    }

    /// Records that there is something unexplained, unless that is known.
    pub(super) async fn see(&self, unexplained: &[Sighting]) -> Result<(), WorkflowError> {
        loop {
            let (recovery, head) = self.recovery_at().await?;
            let Some(event) = recovery.seeing(unexplained.to_vec()) else {
                return Ok(());
            };
            if self
                .record_of_ledger(head, self.stamp(SystemActor::Reconciler), event)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// Ends recovery, if it is open; says whether it was.
    pub(super) async fn close_recovery(&self, documents: usize) -> Result<bool, WorkflowError> {
        loop {
            let (recovery, head) = self.recovery_at().await?;
            if recovery.open().is_none() {
                return Ok(false);
            }
            let event = LedgerEvent::RecoveryClosed {
                documents: documents as u64,
            };
            if self
                .record_of_ledger(head, self.stamp(SystemActor::Reconciler), event)
                .await?
            {
                return Ok(true);
            }
        }
    }

    /// Records a person's word on a document.
    pub(super) async fn explain(&self, actor: Actor, event: LedgerEvent) -> Result<(), WorkflowError> {
        let stamp = Stamp {
            actor,
            cause: self.cause.clone(),
        };
        loop {
            let (_, head) = self.recovery_at().await?;
            if self.record_of_ledger(head, stamp.clone(), event.clone()).await? {
                return Ok(());
            }
        }
    }

    /// Appends where the stream was read to; `false` where somebody else wrote first.
    async fn record_of_ledger(
        &self,
        head: Option<Revision>,
        stamp: Stamp,
        event: LedgerEvent,
    ) -> Result<bool, WorkflowError> {
        let draft = Draft {
            event,
            effective_at: self.ports.clock().now(),
            subject: None,
        };
        let expected = head.map_or(Expected::NoStream, Expected::At);
        match self
            .journal
            .append(&self.streams.ledger(), expected, &stamp, vec![draft])
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::samples::{i1, instant, j1, key, shown_at};

    fn after(events: &[LedgerEvent]) -> Recovery {
        events.iter().fold(Recovery::default(), |recovery, event| {
            recovery.evolve(event, instant("2026-11-06T12:00:00Z"))
        })
    }

    fn opened(unexplained: &[Sighting]) -> LedgerEvent {
        LedgerEvent::RecoveryOpened {
            unexplained: unexplained.to_vec(),
        }
    }

    #[test]
    fn a_listing_that_shows_nothing_unexplained_opens_nothing_and_closes_nothing() {
        assert_eq!(after(&[]).seeing(vec![]), None);
        let open = after(&[opened(&[shown_at(i1(), 1)])]);
        assert_eq!(open.seeing(vec![]), None);
        assert!(open.open().is_some(), "only a reconciliation closes it");
    }

    #[test]
    fn the_same_documents_in_another_order_are_no_news() {
        let (one, two) = (shown_at(i1(), 1), shown_at(j1(), 2));
        let open = after(&[opened(&[one.clone(), two.clone()])]);
        assert_eq!(open.seeing(vec![two.clone(), one.clone()]), None);
        assert_eq!(
            open.seeing(vec![one.clone()]),
            Some(opened(std::slice::from_ref(&one))),
            "fewer are"
        );
        assert_eq!(
            open.seeing(vec![one.clone(), two.clone(), shown_at(i1(), 3)]),
            Some(opened(&[one, two, shown_at(i1(), 3)]))
        );
    }

    #[test]
    fn recovery_ends_with_the_reconciliation_and_can_begin_again() {
        let one = shown_at(i1(), 1);
        let closed = LedgerEvent::RecoveryClosed { documents: 1 };
        let shut = after(&[opened(std::slice::from_ref(&one)), closed.clone()]);
        assert!(shut.open().is_none());
        assert!(
            shut.seeing(vec![one.clone()]).is_some(),
            "the same set again is news after an end"
        );
        assert!(
            after(&[opened(std::slice::from_ref(&one)), closed, opened(&[one])])
                .open()
                .is_some()
        );
    }

    #[test]
    fn a_persons_word_alone_does_not_end_it() {
        let word = LedgerEvent::LedgerDocumentExplained {
            reference: i1(),
            key: key(i1()),
            why: "seen".into(),
        };
        assert!(after(&[opened(&[shown_at(i1(), 1)]), word]).open().is_some());
    }

    #[test]
    fn the_reason_names_the_first_documents_and_the_command() {
        let many: Vec<Sighting> = (1..=5).map(|voucher| shown_at(i1(), voucher)).collect();
        let words = after(&[opened(&many)]).open().unwrap().describe("acme-us");
        assert!(
            words.contains("5 document(s)") && words.contains("and 2 more"),
            "{words}"
        );
        assert!(words.contains(&format!("{} as 2026/EXPINV/1", i1())), "{words}");
        assert!(
            words.contains("`tieout reconcile --ledger --connection acme-us`"),
            "{words}"
        );
    }
}
