//! What is seen of a report after it was posted, at the source and in QAD: cases open, change and close. Nothing that was
//! posted is changed by it.

use std::sync::Arc;

use super::case::Case;
use super::drift::source_differences;
use super::event::{CaseName, ReportEvent};
use super::payload::{MaterialHash, Payload, PayloadHash, SourceStatus};
use super::state::{Capture, Report};
use crate::ids::Reference;
use crate::posting::Difference;

/// The source shows a posted report: as it was posted, or otherwise.
///
/// A report that was gone is not gone when it shows again; what it then shows is judged like anything it shows. To be
/// closed at the source changes nothing of what was posted, and is no drift.
pub(super) fn shown(
    report: &Report,
    payload: Arc<Payload>,
    payload_hash: PayloadHash,
    material_hash: MaterialHash,
) -> Vec<ReportEvent> {
    let Some(capture) = report.capture() else {
        return Vec::new();
    };
    let mut events = whereabouts(report, &payload);
    if material_hash == capture.material_hash || merely_closed(capture, &payload) {
        if report.has_case(CaseName::SourceDrifted, None) {
            events.push(closed(CaseName::SourceDrifted));
        }
        return events;
    }
    let known = report
        .cases()
        .iter()
        .any(|case| matches!(case, Case::SourceDrifted(shown) if shown.material_hash == material_hash));
    if !known {
        events.push(ReportEvent::SourceDrifted {
            differences: source_differences(&capture.payload, &payload),
            payload,
            payload_hash,
            material_hash,
        });
    }
    events
}

/// What the source says of a posted report beside its content: that it is there, and whether it paid it. This is told of
/// a person who was forgotten too, of whom nothing is captured again.
pub(super) fn whereabouts(report: &Report, payload: &Payload) -> Vec<ReportEvent> {
    let mut events = Vec::new();
    if report.has_case(CaseName::SourceGone, None) {
        events.push(closed(CaseName::SourceGone));
    }
    let paid = payload.facts.paid_at_source();
    let known = report.has_case(CaseName::PaidAtSource, None);
    // A closed report says no more in its status whether it was paid before.
    if known && !paid && !payload.facts.status.is_closed() {
        events.push(closed(CaseName::PaidAtSource));
    }
    let payable = report.dossier().is_some_and(|dossier| {
        let mut standing = dossier.documents.iter().filter(|file| file.state.stands());
        standing.any(|file| file.document.supplier().is_some())
    });
    let was_open = report
        .capture()
        .is_some_and(|capture| !capture.payload.facts.paid_at_source());
    if paid && !known && payable && was_open {
        events.push(ReportEvent::PaidAtSource);
    }
    events
}

fn closed(case: CaseName) -> ReportEvent {
    ReportEvent::CaseClosed {
        case,
        reference: None,
    }
}

/// Is it the captured report in every material field but the status, which says that it was closed?
fn merely_closed(capture: &Capture, shown: &Payload) -> bool {
    if !shown.facts.status.is_closed() {
        return false;
    }
    let mut as_before = shown.clone();
    as_before.facts.status = capture.payload.facts.status.clone();
    let salt = as_before
        .personal
        .known()
        .map_or_else(String::new, |personal| personal.salt.clone());
    as_before.material_hash(&salt) == capture.material_hash
}

/// The source has a posted report no longer.
pub(super) fn gone(report: &Report) -> Vec<ReportEvent> {
    if report.has_case(CaseName::SourceGone, None) {
        Vec::new()
    } else {
        vec![ReportEvent::SourceGone]
    }
}

/// QAD holds a document otherwise than it was posted: a case, in place of an older one about the same document.
pub(super) fn held_otherwise(
    report: &Report,
    reference: Reference,
    differences: Vec<Difference>,
) -> Vec<ReportEvent> {
    let known = report.cases().iter().any(|case| {
        matches!(case, Case::DocumentDrifted { reference: about, differences: known } if *about == reference && *known == differences)
    });
    if known {
        Vec::new()
    } else {
        vec![ReportEvent::DocumentDrifted {
            reference,
            differences,
        }]
    }
}

/// QAD holds a document as it was posted.
pub(super) fn held_as_posted(report: &Report, reference: Reference) -> Vec<ReportEvent> {
    if report.has_case(CaseName::DocumentDrifted, Some(reference)) {
        vec![ReportEvent::CaseClosed {
            case: CaseName::DocumentDrifted,
            reference: Some(reference),
        }]
    } else {
        Vec::new()
    }
}

impl SourceStatus {
    /// Closed: to Expensify's filters `ARCHIVED`, on the page `Closed` (contract expensify §2.2); the report itself has been
    /// seen to say either.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Other(word) if ["closed", "archived"].contains(&word.trim().to_ascii_lowercase().as_str()))
    }
}
