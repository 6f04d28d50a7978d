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
