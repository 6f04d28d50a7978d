//! Law 10, the other half: a recorded reversal releases the expenses of the document that carried them.
//!
//! What is to be released follows from the report's own stream: the expenses of each document that was reversed, unless
//! another document of the report carries them and stands or is at work. The reversal and its releases are appends to
//! different streams, so that a process may end between them; whoever meets a claim from before the reversal releases
//! it then.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, WorkflowError};
use super::events::ExpenseEvent;
use super::roster::Roster;
use crate::ids::{Reference, ReportId, TransactionId};
use crate::journal::{Draft, Entry, Stamp, SystemActor};
use crate::ports::{Clock, Ports, Position};
use crate::posting::Document;
use crate::report::{DocumentState, Report, ReportEvent, StageName};

/// An expense whose document was reversed: a claim on it from before is spent.
pub(super) struct Freed {
    /// Where in the log the reversal stands.
    pub(super) at: Position,
    /// Where it stands in QAD.
    ledger_reference: String,
}

/// The expenses that the reversals of a report freed, each by the last of them.
fn freed(entries: &[Entry<ReportEvent>]) -> BTreeMap<TransactionId, Freed> {
    let mut sent: BTreeMap<Reference, &Document> = BTreeMap::new();
    let mut freed = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            ReportEvent::PostingStarted { document, .. } => {
                sent.insert(document.reference, document);
            }
            ReportEvent::DocumentReversed {
                reference,
                ledger_reference,
                ..
            } => {
                for transaction in sent.get(reference).into_iter().flat_map(|d| d.transactions()) {
                    let by = Freed {
                        at: entry.position,
                        ledger_reference: ledger_reference.clone(),
                    };
                    freed.insert(transaction.clone(), by);
                }
            }
            _ => {}
        }
    }
    let report = Report::fold(entries.iter().map(|entry| &entry.event));
    let carried: BTreeSet<TransactionId> = report
        .dossier()
        .into_iter()
        .flat_map(|dossier| &dossier.documents)
        .filter(|file| {
            matches!(
                file.state,
                DocumentState::Posted { .. } | DocumentState::Sending { .. } | DocumentState::InDoubt { .. }
            )
        })
        .flat_map(|file| file.document.transactions())
        .cloned()
        .collect();
    freed.retain(|transaction, _| !carried.contains(transaction));
    freed
}

impl<P: Ports> Desk<'_, P> {
    /// The expenses that the reversals of a report freed.
    pub(super) async fn freed(
        &self,
        report: ReportId,
    ) -> Result<BTreeMap<TransactionId, Freed>, WorkflowError> {
        let (entries, _) = self
            .journal
            .read::<ReportEvent>(&self.streams.report(report))
            .await?;
        Ok(freed(&entries))
    }

    /// Releases every expense of a report whose claim is from before the reversal of its document. Returns those that
    /// were released now.
    pub(super) async fn release_freed(
        &self,
        report: ReportId,
        stamp: &Stamp,
    ) -> Result<Vec<TransactionId>, WorkflowError> {
        let mut released = Vec::new();
        for (transaction, freed) in self.freed(report).await? {
            if self.release(report, &transaction, &freed, stamp).await? {
                released.push(transaction);
            }
            self.ports.passing("released");
        }
        Ok(released)
    }

    /// Releases one expense, if the claim on it is the report's and from before the reversal.
    async fn release(
        &self,
        report: ReportId,
        transaction: &TransactionId,
        freed: &Freed,
        stamp: &Stamp,
    ) -> Result<bool, WorkflowError> {
        loop {
            let claim = self.claim_on(transaction).await?;
            let spent = claim
                .by
                .is_some_and(|(owner, since)| owner == report && since < freed.at);
            if !spent {
                return Ok(false);
            }
            let draft = Draft {
                event: ExpenseEvent::ExpenseReleased {
                    transaction: transaction.clone(),
                    report,
                    ledger_reference: freed.ledger_reference.clone(),
                },
                effective_at: self.ports.clock().now(),
                subject: None,
            };
            let stream = self.streams.expense(transaction);
            match self
                .journal
                .append(&stream, claim.expected(), stamp, vec![draft])
                .await
            {
                Ok(_) => return Ok(true),
                // Somebody claimed or released it meanwhile: look again.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Releases an expense that a report claims, if the document that carried it was reversed and the process that
    /// recorded so ended before the release. `false` where the report does carry it.
    pub(super) async fn let_go(
        &self,
        transaction: &TransactionId,
        owner: ReportId,
    ) -> Result<bool, WorkflowError> {
        match self.freed(owner).await?.get(transaction) {
            None => Ok(false),
            Some(freed) => {
                self.release(owner, transaction, freed, &self.stamp(SystemActor::Poster))
                    .await
            }
        }
    }

    /// Which report carries an expense, a claim from before a reversal not counted. It writes nothing.
    pub(super) async fn carried_by(
        &self,
        transaction: &TransactionId,
    ) -> Result<Option<ReportId>, WorkflowError> {
        let Some((owner, since)) = self.claim_on(transaction).await?.by else {
            return Ok(None);
        };
        let spent = self
            .freed(owner)
            .await?
            .get(transaction)
            .is_some_and(|freed| since < freed.at);
        Ok((!spent).then_some(owner))
    }

    /// Releases what a process that ended too early left claimed, for every report that is open after a reversal. One
    /// that is left out or posted again is released when another report meets its claim.
    pub(super) async fn release_what_was_reversed(&self, roster: &Roster) -> Result<(), WorkflowError> {
        let done = [StageName::Posted, StageName::MarkedExported, StageName::Excluded];
        for report in roster.select(|brief| brief.reversed && !done.contains(&brief.stage)) {
            let released = self
                .release_freed(report, &self.stamp(SystemActor::Poster))
                .await?;
            if !released.is_empty() {
                tracing::info!(%report, count = released.len(), "expenses of a reversed document are released");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ids::EventId;
    use crate::journal::tests::world::now;
    use crate::journal::{Actor, Cause, Envelope};
    use crate::ports::{Revision, StreamName};
    use crate::report::AfterReversal;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;

    /// Events as they stand in the log, each at the position of its number.
    fn logged(events: Vec<ReportEvent>) -> Vec<Entry<ReportEvent>> {
        let entry = |(at, event): (u64, ReportEvent)| Entry {
            event,
            id: EventId(uuid::Uuid::from_u128(u128::from(at))),
            envelope: Envelope {
                schema: 1,
                recorded_at: instant("2026-11-07T06:00:00Z"),
                effective_at: instant("2026-11-07T06:00:00Z"),
                actor: Actor::System {
                    part: SystemActor::Poster,
                },
                cause: Cause::Command { name: "test".into() },
                build: "test".into(),
                parts: 0,
            },
            stream: StreamName("report".into()),
            revision: Revision(at),
            position: Position(at, at),
        };
        (0..).zip(events).map(entry).collect()
    }

    /// What is freed, and by the event of which number.
    fn told(events: Vec<ReportEvent>) -> Vec<(TransactionId, u64)> {
        let freed = freed(&logged(events));
        freed
            .into_iter()
            .map(|(expense, by)| (expense, by.at.0))
            .collect()
    }

    fn again(reference: Reference) -> ReportEvent {
        reversed(reference, AfterReversal::PlannedAgain)
    }

    #[test]
    fn a_reversal_frees_the_expenses_of_its_document_and_no_others() {
        assert_eq!(told(both_posted()), []);
        let one = [both_posted(), vec![again(i1())]].concat();
        assert_eq!(told(one.clone()), [(transaction(1), 7)]);
        let for_good = reversed(j1(), AfterReversal::Excluded);
        let both = [one, vec![for_good]].concat();
        assert_eq!(told(both), [(transaction(1), 7), (transaction(2), 8)]);
    }

    #[test]
    fn what_is_at_work_again_or_stands_again_is_not_free_and_is_once_it_is_reversed_again() {
        let second = next(i1());
        let planned = [both_posted(), vec![again(i1())]].concat();
        let at_work = [planned, vec![started(second)]].concat();
        assert_eq!(told(at_work.clone()), []);
        let doubtful = [at_work.clone(), vec![in_doubt(second, unknown())]].concat();
        assert_eq!(told(doubtful), []);
        let absent = [at_work.clone(), vec![failed(second)]].concat();
        assert_eq!(
            told(absent),
            [(transaction(1), 7)],
            "a claim from after the reversal is not older than it"
        );
        let stands = [at_work, vec![document_posted(second), ReportEvent::Posted]].concat();
        assert_eq!(told(stands.clone()), []);
        assert_eq!(
            told([stands, vec![again(second)]].concat()),
            [(transaction(1), 11)]
        );
    }

    #[test]
    fn an_expense_that_another_document_carries_stays_claimed() {
        let mut shared = journal();
        shared.lines[0].origin = crate::posting::LineOrigin::Expense {
            transaction: transaction(1),
        };
        let started = |event| match event {
            ReportEvent::PostingStarted {
                attempt,
                owner,
                material_hash,
                ..
            } => ReportEvent::PostingStarted {
                document: Arc::new(shared.clone()),
                attempt,
                owner,
                material_hash,
            },
            other => other,
        };
        let life = vec![
            discovered(),
            ReportEvent::Mapped(Arc::new(mapping(vec![invoice(), shared.clone()], 1))),
            crate::report::tests::samples::started(i1()),
            document_posted(i1()),
            started(crate::report::tests::samples::started(j1())),
            document_posted(j1()),
            ReportEvent::Posted,
            again(i1()),
        ];
        assert_eq!(told(life), []);
    }

    /// The invoice of two posted documents was reversed, and the process that recorded so ended there: its expense is
    /// claimed from before.
    fn cut_short(then: AfterReversal) -> Plant {
        let plant = Plant::of(&both_posted());
        assert_eq!(claim(&plant, report_id()), []);
        plant.keep(&[reversed(i1(), then)]);
        plant
    }

    /// Claims both expenses for a report; those that another one carries are told.
    fn claim(plant: &Plant, id: ReportId) -> Vec<TransactionId> {
        let desk = plant.desk();
        let report = now(desk.load(id)).unwrap().report;
        let both = BTreeSet::from([transaction(1), transaction(2)]);
        let taken = now(desk.claim(id, &report, &both)).unwrap();
        taken.into_iter().map(|(expense, _)| expense).collect()
    }

    fn carriers(plant: &Plant) -> [Option<ReportId>; 2] {
        [1, 2].map(|number| now(plant.desk().carried_by(&transaction(number))).unwrap())
    }

    fn another() -> ReportId {
        "R00X9oNOn2MO".parse().unwrap()
    }

    #[test]
    fn a_claim_from_before_the_reversal_carries_nothing() {
        assert_eq!(carriers(&Plant::of(&both_posted())), [None, None]);
        let plant = cut_short(AfterReversal::Excluded);
        assert_eq!(carriers(&plant), [None, Some(report_id())]);
    }

    #[test]
    fn whoever_meets_such_a_claim_releases_it_and_no_other() {
        let plant = cut_short(AfterReversal::Excluded);
        assert_eq!(claim(&plant, another()), [transaction(2)]);
        assert_eq!(plant.count("ExpenseReleased"), 1);
        assert_eq!(carriers(&plant), [Some(another()), Some(report_id())]);
    }

    #[test]
    fn the_report_itself_claims_it_anew_once() {
        let plant = cut_short(AfterReversal::PlannedAgain);
        assert_eq!(plant.count("ExpenseClaimed"), 2);
        assert_eq!(
            (claim(&plant, report_id()), claim(&plant, report_id())),
            (vec![], vec![])
        );
        assert_eq!(plant.count("ExpenseClaimed"), 3);
        assert_eq!(carriers(&plant), [Some(report_id()), Some(report_id())]);
    }

    #[test]
    fn the_next_cycle_releases_what_a_process_left_unless_the_report_is_left_out() {
        let open = cut_short(AfterReversal::PlannedAgain);
        now(open.desk().release_what_was_reversed(&open.roster())).unwrap();
        assert_eq!(open.count("ExpenseReleased"), 1);
        now(open.desk().release_what_was_reversed(&open.roster())).unwrap();
        assert_eq!(open.count("ExpenseReleased"), 1, "once");
        let one = vec![
            discovered(),
            mapped_one(),
            started(i1()),
            document_posted(i1()),
            ReportEvent::Posted,
        ];
        let left_out = Plant::of(&one);
        claim(&left_out, report_id());
        left_out.keep(&[reversed(i1(), AfterReversal::Excluded)]);
        now(left_out.desk().release_what_was_reversed(&left_out.roster())).unwrap();
        assert_eq!(left_out.count("ExpenseReleased"), 0);
    }

    #[test]
    fn what_another_report_claimed_since_is_not_released() {
        let plant = cut_short(AfterReversal::Excluded);
        claim(&plant, another());
        let desk = plant.desk();
        let stamp = desk.stamp(SystemActor::Poster);
        assert_eq!(now(desk.release_freed(report_id(), &stamp)).unwrap(), []);
        assert_eq!(carriers(&plant)[0], Some(another()));
    }
}
