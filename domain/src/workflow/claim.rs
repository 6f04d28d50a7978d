//! Law 10: an expense is posted once, whatever report it travels in. Its transaction is claimed before the first intent.
//!
//! A claim is of a time: once the document that carried the expense was reversed, a claim from before the reversal is
//! spent (see [`super::release`]), and the report that posts the expense next claims it anew, itself included. So an
//! expense is never released under an intent: what is released is older than the reversal, what an intent rests on is
//! younger.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, WorkflowError};
use super::events::ExpenseEvent;
use super::release::Freed;
use crate::ids::{ReportId, TransactionId};
use crate::journal::{Draft, SystemActor};
use crate::ports::{Clock, Expected, Ports, Position, Revision};
use crate::report::Report;

/// Where an expense stands: who claims it, since when, and the end of its stream.
pub(super) struct Claim {
    /// The report that carries it, and where in the log it claimed it.
    pub(super) by: Option<(ReportId, Position)>,
    /// The last revision of its stream.
    pub(super) head: Option<Revision>,
}
impl Claim {
    pub(super) fn expected(&self) -> Expected {
        self.head.map_or(Expected::NoStream, Expected::At)
    }
}

impl<P: Ports> Desk<'_, P> {
    /// Which report carries the expense, if one does.
    pub async fn claimed_by(
        &self,
        transaction: &TransactionId,
    ) -> Result<(Option<ReportId>, Option<Revision>), WorkflowError> {
        let claim = self.claim_on(transaction).await?;
        Ok((claim.by.map(|(owner, _)| owner), claim.head))
    }

    /// The claim on an expense.
    pub(super) async fn claim_on(&self, transaction: &TransactionId) -> Result<Claim, WorkflowError> {
        let (entries, head) = self
            .journal
            .read::<ExpenseEvent>(&self.streams.expense(transaction))
            .await?;
        let by = entries.iter().fold(None, |_, entry| match &entry.event {
            ExpenseEvent::ExpenseClaimed { report, .. } => Some((*report, entry.position)),
            ExpenseEvent::ExpenseReleased { .. } => None,
        });
        Ok(Claim { by, head })
    }

    /// Claims every expense for a report. Those that another report carries are returned, with that report.
    pub(super) async fn claim(
        &self,
        id: ReportId,
        report: &Report,
        transactions: &BTreeSet<TransactionId>,
    ) -> Result<Vec<(TransactionId, ReportId)>, WorkflowError> {
        let freed: BTreeMap<TransactionId, Freed> = if report.was_reversed() {
            self.freed(id).await?
        } else {
            BTreeMap::new()
        };
        let mut taken = Vec::new();
        for transaction in transactions {
            loop {
                let claim = self.claim_on(transaction).await?;
                match claim.by {
                    Some((owner, since)) if owner == id => {
                        let spent = freed.get(transaction).is_some_and(|freed| since < freed.at);
                        if !spent {
                            break;
                        }
                    }
                    Some((owner, _)) if self.let_go(transaction, owner).await? => continue,
                    Some((owner, _)) => {
                        taken.push((transaction.clone(), owner));
                        break;
                    }
                    None => {}
                }
                let event = ExpenseEvent::ExpenseClaimed {
                    transaction: transaction.clone(),
                    report: id,
                };
                let draft = Draft {
                    event,
                    effective_at: self.ports.clock().now(),
                    subject: None,
                };
                match self
                    .journal
                    .append(
                        &self.streams.expense(transaction),
                        claim.expected(),
                        &self.stamp(SystemActor::Poster),
                        vec![draft],
                    )
                    .await
                {
                    Ok(_) => break,
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(taken)
    }
}
