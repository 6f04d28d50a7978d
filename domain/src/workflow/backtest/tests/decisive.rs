//! What a backtest reads of an event, and what it may leave.

use std::sync::Arc;

use crate::journal::{RestoredEvent, StoredEvent};
use crate::report::tests::samples::every_shape;
use crate::report::{Personal, ReportEvent};
use crate::workflow::backtest::decisive::Decisive;

/// The event without what a backtest leaves: of a mapping its lineage and notes, and texts of documents.
fn bare(event: &ReportEvent) -> ReportEvent {
    let mut event = event.clone();
    match &mut event {
        ReportEvent::Mapped(mapping) => {
            let mapping = Arc::make_mut(mapping);
            mapping.headers.clear();
            mapping.lines.clear();
            mapping.notes.clear();
            mapping.approved_by_submitter = None;
            for document in &mut mapping.documents {
                Arc::make_mut(document).texts = Personal::Forgotten;
            }
        }
        ReportEvent::PostingStarted { document, .. } => {
            Arc::make_mut(document).texts = Personal::Forgotten;
        }
        ReportEvent::SourceDrifted { payload, .. } => {
            Arc::make_mut(payload).personal = Personal::Forgotten;
        }
        _ => {}
    }
    event
}

#[test]
fn of_every_event_all_is_read_that_decides() {
    for (name, event) in every_shape() {
        let personal = event
            .personal()
            .unwrap()
            .filter(|_| Decisive::opens(event.kind()));
        let facts = event.facts().unwrap();
        let Decisive(read) =
            Decisive::restore(event.kind(), event.schema(), &facts, personal.as_deref()).unwrap();
        assert_eq!(read, bare(&event), "{name}");
    }
}

#[test]
fn an_event_of_a_later_build_is_refused_and_so_is_a_mapping_that_is_none() {
    assert!(
        Decisive::restore("Mapped", 2, "{}", None).is_err(),
        "a later version"
    );
    assert!(Decisive::restore("Mapped", 1, r#"{"basis":1}"#, None).is_err());
    assert!(Decisive::restore("Unheard", 1, "{}", None).is_err());
}
