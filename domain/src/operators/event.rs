//! What the stream `operators` records: who was enrolled with which key, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Fingerprint, OsUser, Proof, PublicKey, Statement};
use crate::ids::PersonName;
use crate::journal::stored_events;
use crate::ports::StreamName;

/// A fact about an operator. Of no connection: its stream is one for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum OperatorEvent {
    /// A person got a key.
    OperatorEnrolled {
        /// The operator's name.
        name: PersonName,
        /// Whose process enrolled.
        os_user: OsUser,
        /// The public half of the key.
        public_key: PublicKey,
        /// Its fingerprint, for people.
        fingerprint: Fingerprint,
    },
    /// The operator's key is another one from here on: a passphrase was lost, say, or a key may be known to others.
    OperatorKeyReplaced {
        /// The operator's name.
        name: PersonName,
        /// Whose process replaced it.
        os_user: OsUser,
        /// The public half of the new key.
        public_key: PublicKey,
        /// Its fingerprint.
        fingerprint: Fingerprint,
        /// The fingerprint of the key before.
        replaced: Fingerprint,
        /// Why, in a person's words.
        why: String,
        /// The operator who vouches for it, with a key that was in force: another one, or the same with the old key. Without
        /// one, nothing but access to vault and log stands behind the replacement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// The operator signs no more. The name is never given again.
    OperatorRetired {
        /// The operator's name.
        name: PersonName,
        /// Whose process did it.
        os_user: OsUser,
        /// Why, in a person's words.
        why: String,
        /// The operator who vouches for it, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
}

impl OperatorEvent {
    /// The one stream of all of these.
    pub fn stream() -> StreamName {
        StreamName("operators".to_owned())
    }

    /// Of whom it tells.
    pub fn name(&self) -> &PersonName {
        match self {
            Self::OperatorEnrolled { name, .. }
            | Self::OperatorKeyReplaced { name, .. }
            | Self::OperatorRetired { name, .. } => name,
        }
    }

    /// What the vouching operator signs; nobody vouches for an enrolment.
    pub fn statement(&self) -> Option<Statement> {
        match self {
            Self::OperatorEnrolled { .. } => None,
            Self::OperatorKeyReplaced {
                name,
                fingerprint,
                replaced,
                why,
                ..
            } => Some(
                Statement::new("replace an operator's key")
                    .fact("operator to be changed", name.as_str())
                    .fact("key before", &replaced.to_string())
                    .fact("key from here on", &fingerprint.to_string())
                    .fact("why", why),
            ),
            Self::OperatorRetired { name, why, .. } => Some(
                Statement::new("retire an operator")
                    .fact("operator to be changed", name.as_str())
                    .fact("why", why),
            ),
        }
    }

    /// Who vouches, if somebody does.
    pub fn proof(&self) -> Option<&Proof> {
        match self {
            Self::OperatorEnrolled { .. } => None,
            Self::OperatorKeyReplaced { proof, .. } | Self::OperatorRetired { proof, .. } => proof.as_ref(),
        }
    }

    /// The same, vouched for. An enrolment stays as it is.
    #[must_use]
    pub fn vouched_by(mut self, signed: Proof) -> Self {
        match &mut self {
            Self::OperatorEnrolled { .. } => {}
            Self::OperatorKeyReplaced { proof, .. } | Self::OperatorRetired { proof, .. } => {
                *proof = Some(signed);
            }
        }
        self
    }
}

stored_events!(OperatorEvent {
    Self::OperatorEnrolled { .. } => "OperatorEnrolled",
    Self::OperatorKeyReplaced { .. } => "OperatorKeyReplaced",
    Self::OperatorRetired { .. } => "OperatorRetired",
});
