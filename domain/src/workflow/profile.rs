//! Posting is open only while QAD's contract is the one that was certified (design §7).

use super::desk::{Desk, WorkflowError};
use super::events::ProfileEvent;
use crate::ids::Reference;
use crate::journal::{Actor, Draft, Stamp};
use crate::ports::{Clock, Expected, Ledger, Ports};
use crate::posting::DocumentKey;

/// May documents be posted?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// The contract is the certified one.
    Open,
    /// It is not, or cannot be seen.
    Shut {
        /// Why, and what to do.
        why: String,
    },
}

impl<P: Ports> Desk<'_, P> {
    /// Compares QAD's contract today with what was certified last.
    pub async fn gate(&self) -> Result<Gate, WorkflowError> {
        let (entries, _) = self.journal.read::<ProfileEvent>(&self.streams.profile()).await?;
        let Some(last) = entries.last() else {
            return Ok(Gate::Shut {
                why: "the QAD profile was never certified: run `tieout profile certify`".into(),
            });
        };
        let ProfileEvent::ProfileVerified { contract_hash, .. } = &last.event;
        Ok(match self.ports.ledger().contract_hash().await {
            Ok(hash) if hash == *contract_hash => Gate::Open,
            Ok(_) => Gate::Shut {
                why: format!(
                    "QAD's metadata or the profile changed since it was certified on {}: check the profile, then run `tieout profile certify` again",
                    last.envelope.recorded_at.format("%Y-%m-%d %H:%M UTC")
                ),
            },
            Err(error) => Gate::Shut {
                why: error.to_string(),
            },
        })
    }

    /// Records a certification.
    pub async fn certify(
        &self,
        actor: Actor,
        contract_hash: String,
        evidence: Vec<(Reference, DocumentKey)>,
    ) -> Result<(), WorkflowError> {
        let event = ProfileEvent::ProfileVerified {
            contract_hash,
            workspace: self.connection.workspace.clone(),
            evidence,
        };
        let draft = Draft {
            event,
            effective_at: self.ports.clock().now(),
            subject: None,
        };
        let stamp = Stamp {
            actor,
            cause: self.cause.clone(),
        };
        self.journal
            .append(&self.streams.profile(), Expected::Any, &stamp, vec![draft])
            .await?;
        Ok(())
    }
}
