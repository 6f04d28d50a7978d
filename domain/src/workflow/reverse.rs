//! What follows when a person reversed a document in QAD: it is recorded, and the expenses it carried are released.

use super::desk::{Desk, Loaded, WorkflowError};
use crate::ids::{Reference, ReportId, TransactionId};
use crate::journal::{Actor, Stamp};
use crate::ports::Ports;
use crate::report::{AfterReversal, Command};

/// What recording a reversal came to.
#[derive(Debug)]
pub struct Reversed {
    /// The report after it.
    pub after: Loaded,
    /// How many events were recorded: none where the reversal was on record already.
    pub events: usize,
    /// Expenses released now; they may travel in any report again.
    pub released: Vec<TransactionId>,
}

impl<P: Ports> Desk<'_, P> {
    /// Records that a person reversed a document. Whoever calls this has seen QAD show it as reversed. Called again after
    /// it was cut short, it does what is left.
    pub async fn reverse(
        &self,
        id: ReportId,
        actor: Actor,
        reference: Reference,
        ledger_reference: &str,
        then: AfterReversal,
        why: &str,
    ) -> Result<Reversed, WorkflowError> {
        let (after, events) = self
            .act(id, actor.clone(), |_| {
                Some(Command::Reverse {
                    reference,
                    ledger_reference: ledger_reference.to_owned(),
                    then,
                    why: Some(why.to_owned()),
                })
            })
            .await?;
        self.ports.passing("reversed");
        let stamp = Stamp {
            actor,
            cause: self.cause.clone(),
        };
        let released = self.release_freed(id, &stamp).await?;
        Ok(Reversed {
            after,
            events,
            released,
        })
    }
}
