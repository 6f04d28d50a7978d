//! Every event that can happen to the sample report, in every shape it has.

use std::sync::Arc;

use super::samples::*;
use crate::ids::{DocumentKind, InvoiceStatusCode, Reference, SupplierCode, Voucher};
use crate::posting::{Body, Document, DocumentKey, Side, Sighting};
use crate::report::{
    AfterReversal, Attempt, CaseName, Doubt, Exclusion, Payload, Proof, Reason, ReasonCode, ReportEvent,
    Step, source_differences,
};

pub(crate) fn discovered() -> ReportEvent {
    discovered_as(payload())
}

pub(crate) fn discovered_as(payload: impl Into<Arc<Payload>>) -> ReportEvent {
    let payload = payload.into();
    ReportEvent::Discovered {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        payload,
    }
}

pub(crate) fn revised(payload: impl Into<Arc<Payload>>) -> ReportEvent {
    let payload = payload.into();
    ReportEvent::Revised {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        payload,
    }
}

pub(crate) fn source_drifted(payload: impl Into<Arc<Payload>>) -> ReportEvent {
    let payload = payload.into();
    ReportEvent::SourceDrifted {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        differences: source_differences(&super::samples::payload(), &payload),
        payload,
    }
}

/// As it was written before differences were.
fn without_differences(event: ReportEvent) -> ReportEvent {
    match event {
        ReportEvent::SourceDrifted {
            payload,
            payload_hash,
            material_hash,
            ..
        } => ReportEvent::SourceDrifted {
            payload,
            payload_hash,
            material_hash,
            differences: Vec::new(),
        },
        other => other,
    }
}

pub(crate) fn case_closed(case: CaseName, reference: Option<Reference>) -> ReportEvent {
    ReportEvent::CaseClosed { case, reference }
}

pub(crate) fn mapped_two() -> ReportEvent {
    ReportEvent::Mapped(Arc::new(mapping(vec![invoice(), journal()], 1)))
}

pub(crate) fn mapped_one() -> ReportEvent {
    ReportEvent::Mapped(Arc::new(mapping(vec![invoice()], 1)))
}

pub(crate) fn reasons() -> Vec<Reason> {
    vec![
        Reason::of_line(
            ReasonCode::UnmappedAccount,
            &transaction(1),
            "no rule sets `account` for category = Airfare",
        ),
        Reason::of_report(
            ReasonCode::NoSupplier,
            "the submitter's business relation has no supplier in QAD",
        ),
    ]
}

pub(crate) fn rejected() -> ReportEvent {
    ReportEvent::Rejected {
        basis: basis(1),
        reasons: reasons(),
    }
}

pub(crate) fn held() -> ReportEvent {
    ReportEvent::Held {
        basis: basis(1),
        reasons: vec![Reason::of_report(
            ReasonCode::ClosedPeriod,
            "period 2026/11 is closed",
        )],
        until: Some(day("2026-12-01")),
    }
}

fn document(reference: Reference) -> Document {
    let document = match reference.kind {
        DocumentKind::SupplierInvoice => invoice(),
        DocumentKind::CreditNote | DocumentKind::Journal => journal(),
    };
    Document {
        reference,
        ..document
    }
}

pub(crate) fn started_again(reference: Reference, attempt: u32) -> ReportEvent {
    let payload = payload();
    ReportEvent::PostingStarted {
        document: Arc::new(document(reference)),
        attempt: Attempt(attempt),
        owner: owner(),
        material_hash: payload.material_hash(SALT),
    }
}

pub(crate) fn started(reference: Reference) -> ReportEvent {
    started_again(reference, 1)
}

pub(crate) fn document_posted(reference: Reference) -> ReportEvent {
    ReportEvent::DocumentPosted {
        reference,
        key: key(reference),
        date: day("2026-11-06"),
        proof: Proof::Confirmed,
        warnings: Vec::new(),
        why: None,
    }
}

pub(crate) fn refused(reference: Reference) -> ReportEvent {
    ReportEvent::DocumentRefused {
        reference,
        messages: vec![message()],
    }
}

pub(crate) fn unknown() -> Doubt {
    Doubt::Unknown {
        detail: "the connection was reset".into(),
    }
}

pub(crate) fn differs(reference: Reference) -> Doubt {
    Doubt::Differs {
        key: key(reference),
        differences: differences(),
    }
}

pub(crate) fn duplicated(reference: Reference) -> Doubt {
    let sighting = |voucher| Sighting {
        reference,
        key: DocumentKey {
            voucher: Voucher(voucher),
            ..key(reference)
        },
        reversed: false,
    };
    Doubt::Duplicated {
        sightings: vec![sighting(1), sighting(2)],
    }
}

pub(crate) fn warned_of_duplicate(key: Option<DocumentKey>) -> Doubt {
    Doubt::WarnedOfDuplicate {
        key,
        warning: "The reference already exists on another invoice for this supplier".into(),
    }
}

pub(crate) fn in_doubt(reference: Reference, doubt: Doubt) -> ReportEvent {
    ReportEvent::PostingInDoubt {
        reference,
        doubt,
        since: moment(60),
    }
}

pub(crate) fn failed(reference: Reference) -> ReportEvent {
    ReportEvent::PostingFailed {
        reference,
        why: "the connection was refused".into(),
    }
}

pub(crate) fn marking() -> ReportEvent {
    ReportEvent::MarkingStarted { label: label() }
}

pub(crate) fn marked() -> ReportEvent {
    ReportEvent::MarkedExported {
        label: label(),
        listed_at: instant("2026-11-07T06:00:00Z"),
    }
}

pub(crate) fn rewound(step: u32) -> ReportEvent {
    ReportEvent::Rewound {
        to: Step(step),
        why: "a new rule".into(),
    }
}

pub(crate) fn by_hand() -> Exclusion {
    Exclusion::Decided {
        reason: "keyed by hand".into(),
        ledger_reference: Some("2026/JE/17".into()),
    }
}

pub(crate) fn reversed(reference: Reference, then: AfterReversal) -> ReportEvent {
    ReportEvent::DocumentReversed {
        reference,
        ledger_reference: "2026/EXPINV/4800".into(),
        then,
        why: None,
    }
}

pub(crate) fn document_drifted(reference: Reference) -> ReportEvent {
    ReportEvent::DocumentDrifted {
        reference,
        differences: differences(),
    }
}

/// Discovered, mapped into an invoice and a journal.
pub(crate) fn two_planned() -> Vec<ReportEvent> {
    vec![discovered(), mapped_two()]
}

/// Both documents posted, and `Posted` said.
pub(crate) fn both_posted() -> Vec<ReportEvent> {
    let mut events = two_planned();
    events.extend([
        started(i1()),
        document_posted(i1()),
        started(j1()),
        document_posted(j1()),
        ReportEvent::Posted,
    ]);
    events
}

/// The invoice posted, the journal refused.
pub(crate) fn partly_posted() -> Vec<ReportEvent> {
    let mut events = two_planned();
    events.extend([started(i1()), document_posted(i1()), started(j1()), refused(j1())]);
    events
}

/// Every shape of every event, each with a name: `Event` for the usual one, `Event.variant` for others.
pub(crate) fn every_shape() -> Vec<(&'static str, ReportEvent)> {
    use ReportEvent as E;
    let doubt = |doubt| in_doubt(i1(), doubt);
    let mut posting_by_day = mapping(vec![invoice()], 7);
    posting_by_day.basis.day = Some(day("2026-11-06"));
    let mut credit_note = invoice();
    credit_note.reference = reference(DocumentKind::CreditNote);
    credit_note.body = Body::CreditNote {
        supplier: SupplierCode::new("EMP-E1001").unwrap(),
        status: InvoiceStatusCode::new("AP-INITIAL").unwrap(),
        total: amount("212.50"),
    };
    credit_note.lines[0].side = Side::Credit;
    vec![
        ("Discovered", discovered()),
        ("Revised", revised(edited())),
        ("Withdrawn", E::Withdrawn),
        ("Mapped", mapped_two()),
        ("Mapped.by_day", E::Mapped(Arc::new(posting_by_day))),
        (
            "Mapped.credit_note",
            E::Mapped(Arc::new(mapping(vec![credit_note], 1))),
        ),
        ("Rejected", rejected()),
        ("Held", held()),
        ("PostingStarted", started(i1())),
        ("PostingStarted.journal", started_again(next(j1()), 3)),
        ("DocumentPosted", document_posted(i1())),
        (
            "DocumentPosted.adopted",
            E::DocumentPosted {
                reference: j1(),
                key: key(j1()),
                date: day("2026-11-06"),
                proof: Proof::Adopted,
                warnings: vec!["duplicate reference".into()],
                why: None,
            },
        ),
        (
            "DocumentPosted.decided",
            E::DocumentPosted {
                reference: i1(),
                key: key(i1()),
                date: day("2026-11-06"),
                proof: Proof::Decided,
                warnings: Vec::new(),
                why: Some("seen in QAD by A. Perez".into()),
            },
        ),
        ("DocumentRefused", refused(i1())),
        ("PostingInDoubt", doubt(unknown())),
        (
            "PostingInDoubt.abandoned",
            doubt(Doubt::Abandoned { owner: owner() }),
        ),
        (
            "PostingInDoubt.unread",
            doubt(Doubt::Unread {
                key: Some(key(i1())),
                detail: "503".into(),
            }),
        ),
        (
            "PostingInDoubt.unread_unnumbered",
            doubt(Doubt::Unread {
                key: None,
                detail: "503".into(),
            }),
        ),
        ("PostingInDoubt.differs", doubt(differs(i1()))),
        ("PostingInDoubt.duplicated", doubt(duplicated(i1()))),
        (
            "PostingInDoubt.warned_of_duplicate",
            doubt(warned_of_duplicate(Some(key(i1())))),
        ),
        ("PostingFailed", failed(i1())),
        ("Posted", E::Posted),
        ("MarkingStarted", marking()),
        ("MarkedExported", marked()),
        ("Rewound", rewound(0)),
        ("Excluded", E::Excluded(by_hand())),
        (
            "Excluded.before_go_live",
            E::Excluded(Exclusion::BeforeGoLive {
                approved: day("2026-10-31"),
                go_live: day("2026-11-01"),
            }),
        ),
        ("Excluded.nothing_to_post", E::Excluded(Exclusion::NothingToPost)),
        ("DocumentReversed", reversed(i1(), AfterReversal::PlannedAgain)),
        (
            "DocumentReversed.excluded",
            reversed(j1(), AfterReversal::Excluded),
        ),
        (
            "DocumentReversed.why",
            E::DocumentReversed {
                reference: i1(),
                ledger_reference: "2026/EXPINV/4800".into(),
                then: AfterReversal::PlannedAgain,
                why: Some("the wrong cost centre".into()),
            },
        ),
        ("SourceDrifted", without_differences(source_drifted(paid()))),
        ("SourceDrifted.differences", source_drifted(edited())),
        ("SourceGone", E::SourceGone),
        ("DocumentDrifted", document_drifted(i1())),
        ("PaidAtSource", E::PaidAtSource),
        ("CaseClosed", case_closed(CaseName::SourceGone, None)),
        (
            "CaseClosed.document",
            case_closed(CaseName::DocumentDrifted, Some(i1())),
        ),
    ]
}
