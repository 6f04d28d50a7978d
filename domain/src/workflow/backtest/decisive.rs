//! An event of a report without what decides nothing: most of what a log of mapped reports holds is why, for people to read.

use std::sync::Arc;

use serde::Deserialize;

use crate::journal::{CodecError, RestoredEvent};
use crate::posting::Document;
use crate::report::{Basis, Mapping, ReportEvent};

/// An event of a report, of which a mapping has no lineage and a document no texts. Never written.
pub(super) struct Decisive(pub(super) ReportEvent);

/// Of a mapping, what it came to and what it rests on.
#[derive(Deserialize)]
struct Outcome {
    basis: Basis,
    documents: Vec<Arc<Document>>,
}

impl RestoredEvent for Decisive {
    /// The rules look at persons only as they were captured.
    fn opens(kind: &str) -> bool {
        matches!(kind, "Discovered" | "Revised")
    }

    fn restore(kind: &str, schema: u16, facts: &str, personal: Option<&str>) -> Result<Self, CodecError> {
        if (kind, schema) != ("Mapped", 1) {
            return ReportEvent::restore(kind, schema, facts, personal).map(Self);
        }
        let Outcome { basis, documents } =
            serde_json::from_str(facts).map_err(|source| CodecError::Json {
                kind: kind.to_owned(),
                doing: "read",
                source,
            })?;
        Ok(Self(ReportEvent::Mapped(Arc::new(Mapping {
            basis,
            documents,
            headers: Vec::new(),
            lines: Vec::new(),
            notes: Vec::new(),
            approved_by_submitter: None,
        }))))
    }
}
