//! What the stream `ledger-<connection id>` records: that QAD shows more than the log explains, what a person explained of
//! it, and that every document is explained again.

use serde::{Deserialize, Serialize};

use crate::ids::Reference;
use crate::journal::stored_events;
use crate::posting::{DocumentKey, Sighting};

/// A fact about QAD's documents that bear our references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum LedgerEvent {
    /// QAD shows documents that the log does not explain: it is older than what it did (restored from a backup, say), or
    /// somebody else posts with our references. Shuts posting.
    RecoveryOpened {
        /// All of them.
        unexplained: Vec<Sighting>,
    },
    /// A person explained a document that the log cannot.
    LedgerDocumentExplained {
        /// The reference it bears.
        reference: Reference,
        /// Where it stands.
        key: DocumentKey,
        /// What it is, in the person's words.
        why: String,
    },
    /// A listing showed nothing any more that is not explained and settled. Posting is open again.
    RecoveryClosed {
        /// How many documents that listing showed.
        documents: u64,
    },
}

stored_events!(LedgerEvent {
    Self::RecoveryOpened { .. } => "RecoveryOpened",
    Self::LedgerDocumentExplained { .. } => "LedgerDocumentExplained",
    Self::RecoveryClosed { .. } => "RecoveryClosed",
});
