//! Which rule set: a number that counts activations, and the hash of its content.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule set as events name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetVersion {
    /// Counts the activations of the connection, from 1.
    pub number: u64,
    /// SHA-256 of the canonical content, hexadecimal.
    pub hash: String,
}
impl fmt::Display for RuleSetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rules {} ({})",
            self.number,
            self.hash.get(..12).unwrap_or(&self.hash)
        )
    }
}
