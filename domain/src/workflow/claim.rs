//! Law 10: an expense is posted once, whatever report it travels in. Its transaction is claimed before the first intent.

use std::collections::BTreeSet;

use super::desk::{Desk, WorkflowError};
use super::events::ExpenseEvent;
use crate::ids::{ReportId, TransactionId};
use crate::journal::{Draft, SystemActor};
use crate::ports::{Clock, Expected, Ports, Revision};

impl<P: Ports> Desk<'_, P> {
    /// Which report carries the expense, if one does.
    pub async fn claimed_by(
        &self,
        transaction: &TransactionId,
    ) -> Result<(Option<ReportId>, Option<Revision>), WorkflowError> {
        let (entries, head) = self
            .journal
            .read::<ExpenseEvent>(&self.streams.expense(transaction))
            .await?;
        let owner = entries.iter().fold(None, |_, entry| match &entry.event {
            ExpenseEvent::ExpenseClaimed { report, .. } => Some(*report),
            ExpenseEvent::ExpenseReleased { .. } => None,
        });
        Ok((owner, head))
    }

    /// Claims every expense for a report. Those that another report carries are returned, with that report.
    pub(super) async fn claim(
        &self,
        report: ReportId,
        transactions: &BTreeSet<TransactionId>,
    ) -> Result<Vec<(TransactionId, ReportId)>, WorkflowError> {
        let mut taken = Vec::new();
        for transaction in transactions {
            loop {
                let (owner, head) = self.claimed_by(transaction).await?;
                match owner {
                    Some(owner) if owner == report => break,
                    Some(owner) => {
                        taken.push((transaction.clone(), owner));
                        break;
                    }
                    None => {}
                }
                let event = ExpenseEvent::ExpenseClaimed {
                    transaction: transaction.clone(),
                    report,
                };
                let draft = Draft {
                    event,
                    effective_at: self.ports.clock().now(),
                    subject: None,
                };
                let expected = head.map_or(Expected::NoStream, Expected::At);
                match self
                    .journal
                    .append(
                        &self.streams.expense(transaction),
                        expected,
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
