//! One report with two documents, and every event that can happen to it: the material of all specifications.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::chart::ChartVersion;
use crate::ids::{
    AccountCode, CostCentreCode, DaybookCode, DocumentKind, Generation, InstanceId, InvoiceStatusCode, Label,
    PolicyId, ProjectCode, Reference, ReportId, SubAccountCode, SupplierCode, TransactionId, Voucher,
};
use crate::money::{Currency, Hundredths};
use crate::ports::LedgerMessage;
use crate::posting::{
    Body, Coding, Difference, Document, DocumentKey, DocumentLine, DocumentTexts, LineOrigin, PostingPeriod,
    Side, Sighting,
};
use crate::report::{
    AfterReversal, Approver, Attempt, Basis, Doubt, Exclusion, FieldWhy, Flag, HeaderWhy, LineFacts, LineWhy,
    Mapping, OriginalAmount, Payload, Personal, PersonalFields, PersonalLine, Proof, Reason, ReasonCode,
    ReportEvent, ReportFacts, SourceStatus, Step, TagLevel,
};
use crate::rules::RuleSetVersion;
use crate::time::{Moment, SourceTime, Steady};

/// Sixteen bytes, hexadecimal.
pub(crate) const SALT: &str = "00112233445566778899aabbccddeeff";

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn moment(seconds: i64) -> Moment {
    Moment {
        at: Utc.timestamp_opt(1_764_000_000 + seconds, 0).unwrap(),
        steady: Steady {
            epoch: "boot-1".into(),
            millis: u64::try_from(seconds).unwrap() * 1_000,
        },
    }
}

pub(crate) fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn report_id() -> ReportId {
    "R009WqAY45L1".parse().unwrap()
}

pub(crate) fn reference(kind: DocumentKind) -> Reference {
    Reference {
        report: report_id(),
        kind,
        generation: Generation::FIRST,
    }
}

/// The invoice's.
pub(crate) fn i1() -> Reference {
    reference(DocumentKind::SupplierInvoice)
}

/// The journal's.
pub(crate) fn j1() -> Reference {
    reference(DocumentKind::Journal)
}

pub(crate) fn next(reference: Reference) -> Reference {
    Reference {
        generation: reference.generation.next(),
        ..reference
    }
}

pub(crate) fn owner() -> InstanceId {
    InstanceId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001))
}

pub(crate) fn label() -> Label {
    Label::new("tieout-acme-us").unwrap()
}

pub(crate) fn basis(chart: u64) -> Basis {
    Basis {
        rules: RuleSetVersion {
            number: 1,
            hash: "ab".repeat(32),
        },
        chart: ChartVersion(chart),
        day: None,
    }
}

pub(crate) fn key(reference: Reference) -> DocumentKey {
    let (daybook, voucher) = match reference.kind {
        DocumentKind::SupplierInvoice => ("EXPINV", 4_711),
        DocumentKind::CreditNote => ("EXPCN", 815),
        DocumentKind::Journal => ("EXPJE", 93),
    };
    DocumentKey {
        year: 2026,
        daybook: DaybookCode::new(daybook).unwrap(),
        voucher: Voucher(voucher),
    }
}

pub(crate) fn transaction(number: u8) -> TransactionId {
    TransactionId::new(&format!("47210091883312003{number}")).unwrap()
}

/// A travel expense the employee is owed, and a foreign one on the company card.
pub(crate) fn payload() -> Box<Payload> {
    let line = |number: u8, amount: i64| LineFacts {
        transaction: transaction(number),
        kind: "cash".into(),
        amount: Hundredths::Of(amount),
        modified_amount: Hundredths::Blank,
        converted_amount: Hundredths::Of(amount),
        currency: "USD".into(),
        rate: "1".into(),
        created: SourceTime::new("2026-11-03"),
        modified_created: SourceTime::default(),
        category: "Airfare".into(),
        category_gl: "6410".into(),
        tag: "Ohio".into(),
        tag_gl: "OH".into(),
        tag_levels: vec![TagLevel {
            name: "Ohio".into(),
            gl: "OH".into(),
        }],
        reimbursable: Flag::Yes,
        billable: Flag::No,
        bank: String::new(),
        card_id: String::new(),
        card_name: String::new(),
        mcc: String::new(),
        has_tax: Flag::No,
        tax_amount: Hundredths::Blank,
        modified_tax_amount: Hundredths::Blank,
        tax_code: String::new(),
        tax_name: String::new(),
        tax_rate: String::new(),
        external_id: String::new(),
        receipt_id: "8812".into(),
        distance: String::new(),
        source: String::new(),
    };
    let owed = line(1, 21_250);
    let mut card = line(2, 4_000);
    card.kind = "card".into();
    card.currency = "EUR".into();
    card.converted_amount = Hundredths::Of(4_500);
    card.rate = "1.125".into();
    card.reimbursable = Flag::No;
    card.bank = "Chase".into();
    card.card_name = "Corp Visa".into();
    card.mcc = "5812".into();
    let person = |merchant: &str, comment: &str| PersonalLine {
        merchant: merchant.into(),
        comment: comment.into(),
        card_number: "4111XXXXXXXX1111".into(),
        attendees: vec!["lee@supplier.example".into()],
        receipt_filename: "w_kim.jpg".into(),
        ..PersonalLine::default()
    };
    Box::new(Payload {
        facts: ReportFacts {
            report: report_id(),
            policy: PolicyId::new("0123456789ABCDEF").unwrap(),
            policy_name: "Acme US".into(),
            status: SourceStatus::Approved,
            currency: "USD".into(),
            total: Hundredths::Of(25_750),
            created: SourceTime::new("2026-11-02 08:00:00"),
            submitted: SourceTime::new("2026-11-05 09:00:00"),
            approved: SourceTime::new("2026-11-06 10:00:00"),
            reimbursed: SourceTime::default(),
            ach_reimbursed: Flag::No,
            entry_id: String::new(),
            declared_lines: Some(2),
            fields: [("Trip".to_owned(), "Customer".to_owned())].into(),
            lines: vec![owed, card],
        },
        personal: Personal::Known(PersonalFields {
            salt: SALT.into(),
            submitter: "kim@acme.example".into(),
            submitter_name: "Kim Olsen".into(),
            submitter_user_id: "E1001".into(),
            submitter_payroll_id: "P1001".into(),
            manager: "boss@acme.example".into(),
            approvers: vec![Approver {
                email: "boss@acme.example".into(),
                date: "2026-11-06 10:00:00".into(),
            }],
            report_name: "Toledo, November".into(),
            lines: vec![
                person("Sundown Air", "flight to Toledo"),
                person("Café Rhône", "dinner \"with\" Lee 🍽"),
            ],
        }),
    })
}

/// The same report with another amount on its first line, and so another total.
pub(crate) fn edited() -> Box<Payload> {
    let mut payload = payload();
    payload.facts.lines[0].amount = Hundredths::Of(21_350);
    payload.facts.lines[0].converted_amount = Hundredths::Of(21_350);
    payload.facts.total = Hundredths::Of(25_850);
    payload
}

/// The same report once the source paid it.
pub(crate) fn paid() -> Box<Payload> {
    let mut payload = payload();
    payload.facts.status = SourceStatus::Reimbursed;
    payload.facts.reimbursed = SourceTime::new("2026-11-20 10:00:00");
    payload
}

pub(crate) fn salt_of(payload: &Payload) -> &str {
    payload
        .personal
        .known()
        .map_or("", |personal| personal.salt.as_str())
}

fn coding(account: &str, cost_centre: Option<&str>) -> Coding {
    Coding {
        account: AccountCode::new(account).unwrap(),
        sub_account: None,
        cost_centre: cost_centre.map(|code| CostCentreCode::new(code).unwrap()),
        project: None,
    }
}

fn period() -> PostingPeriod {
    PostingPeriod {
        date: day("2026-11-06"),
        year: 2026,
        number: 11,
    }
}

pub(crate) fn invoice() -> Document {
    let origin = LineOrigin::Expense {
        transaction: transaction(1),
    };
    Document {
        reference: i1(),
        body: Body::SupplierInvoice {
            supplier: SupplierCode::new("EMP-E1001").unwrap(),
            status: InvoiceStatusCode::new("AP-INITIAL").unwrap(),
            total: amount("212.50"),
        },
        currency: Currency::new("USD").unwrap(),
        daybook: DaybookCode::new("EXPINV").unwrap(),
        period: period(),
        document_date: day("2026-11-06"),
        lines: vec![DocumentLine {
            origin,
            coding: Coding {
                sub_account: Some(SubAccountCode::new("01").unwrap()),
                project: Some(ProjectCode::new("P-7").unwrap()),
                ..coding("6410", Some("OH"))
            },
            side: Side::Debit,
            amount: amount("212.50"),
        }],
        texts: Personal::Known(DocumentTexts {
            header: "Toledo, November".into(),
            lines: vec!["Sundown Air: flight to Toledo".into()],
        }),
    }
}

pub(crate) fn journal() -> Document {
    let expense = LineOrigin::Expense {
        transaction: transaction(2),
    };
    let tax = LineOrigin::Tax {
        transaction: transaction(2),
    };
    let line = |origin, coding, side, text: &str| DocumentLine {
        origin,
        coding,
        side,
        amount: amount(text),
    };
    Document {
        reference: j1(),
        body: Body::Journal,
        currency: Currency::new("USD").unwrap(),
        daybook: DaybookCode::new("EXPJE").unwrap(),
        period: period(),
        document_date: day("2026-11-06"),
        lines: vec![
            line(expense, coding("6410", Some("OH")), Side::Debit, "40.00"),
            line(tax, coding("1410", None), Side::Debit, "5.00"),
            line(LineOrigin::Clearing, coding("2161", None), Side::Credit, "45.00"),
        ],
        texts: Personal::Known(DocumentTexts {
            header: "Toledo, November".into(),
            lines: vec!["Café Rhône".into(), "Café Rhône".into(), String::new()],
        }),
    }
}

/// A mapping into these documents, resting on this state of the chart.
pub(crate) fn mapping(documents: Vec<Document>, chart: u64) -> Mapping {
    let field = |field: &str, value: &str, source: &str| FieldWhy {
        field: field.into(),
        value: value.into(),
        source: source.into(),
        rule: "rule 1 \"Travel\"".into(),
    };
    let headers = documents
        .iter()
        .map(|document| HeaderWhy {
            document: document.kind(),
            fields: vec![field("daybook", document.daybook.as_str(), "a document")],
        })
        .collect();
    let lines = vec![
        LineWhy {
            transaction: transaction(1),
            amount: amount("212.50"),
            document: Some(DocumentKind::SupplierInvoice),
            original: None,
            fields: vec![field("account", "6410", "category = Airfare")],
        },
        LineWhy {
            transaction: transaction(2),
            amount: amount("45.00"),
            document: Some(DocumentKind::Journal),
            original: Some(OriginalAmount {
                amount: amount("40.00"),
                currency: "EUR".into(),
                rate: "1.125".into(),
            }),
            fields: vec![field("account", "6410", "category = Airfare")],
        },
    ];
    Mapping {
        basis: basis(chart),
        documents,
        headers,
        lines,
        notes: vec!["2026-10-31 lies in a closed period".into()],
    }
}

pub(crate) fn differences() -> Vec<Difference> {
    vec![Difference {
        field: "line 1 amount".into(),
        sent: "212.50".into(),
        held: "212.05".into(),
    }]
}

pub(crate) fn message() -> LedgerMessage {
    LedgerMessage {
        code: "12345".into(),
        message: "Period is closed".into(),
        field: "PostingDate".into(),
    }
}

// ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn discovered() -> ReportEvent {
    let payload = payload();
    ReportEvent::Discovered {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        payload,
    }
}

pub(crate) fn revised(payload: Box<Payload>) -> ReportEvent {
    ReportEvent::Revised {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        payload,
    }
}

pub(crate) fn source_drifted(payload: Box<Payload>) -> ReportEvent {
    ReportEvent::SourceDrifted {
        payload_hash: payload.payload_hash().unwrap(),
        material_hash: payload.material_hash(salt_of(&payload)),
        payload,
    }
}

pub(crate) fn mapped_two() -> ReportEvent {
    ReportEvent::Mapped(Box::new(mapping(vec![invoice(), journal()], 1)))
}

pub(crate) fn mapped_one() -> ReportEvent {
    ReportEvent::Mapped(Box::new(mapping(vec![invoice()], 1)))
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
        document: Box::new(document(reference)),
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
        ("Mapped.by_day", E::Mapped(Box::new(posting_by_day))),
        (
            "Mapped.credit_note",
            E::Mapped(Box::new(mapping(vec![credit_note], 1))),
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
        ("SourceDrifted", source_drifted(paid())),
        ("SourceGone", E::SourceGone),
        ("DocumentDrifted", document_drifted(i1())),
        ("PaidAtSource", E::PaidAtSource),
    ]
}
