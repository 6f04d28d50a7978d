//! Something after posting that a person should look at.

use std::sync::Arc;

use super::event::CaseName;
use super::state::Capture;
use crate::ids::Reference;
use crate::posting::Difference;

/// Something after posting that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// The source shows something else than was posted.
    SourceDrifted(Arc<Capture>),
    /// The source no longer has it.
    SourceGone,
    /// QAD holds something else than was posted.
    DocumentDrifted {
        /// Which document.
        reference: Reference,
        /// In what.
        differences: Vec<Difference>,
    },
    /// A payable was posted, then the source paid it.
    PaidAtSource,
}
impl Case {
    /// Its kind.
    pub fn name(&self) -> CaseName {
        match self {
            Self::SourceDrifted(_) => CaseName::SourceDrifted,
            Self::SourceGone => CaseName::SourceGone,
            Self::DocumentDrifted { .. } => CaseName::DocumentDrifted,
            Self::PaidAtSource => CaseName::PaidAtSource,
        }
    }
    /// The document it is about, if it is about one.
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Self::DocumentDrifted { reference, .. } => Some(*reference),
            _ => None,
        }
    }
}
