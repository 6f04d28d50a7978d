//! Little worlds for tests: reports of given lines and their documents; and a log to keep them in ([`world`]).

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use tieout_domain::chart::ChartVersion;
use tieout_domain::ids::{
    ConnectionId, CycleId, DocumentKind, EventId, Generation, InstanceId, PolicyId, Reference, ReportId,
    TransactionId, Voucher,
};
use tieout_domain::journal::{Actor, Cause, Entry, Envelope, Stamp, Streams, SystemActor};
use tieout_domain::money::{Currency, Hundredths};
use tieout_domain::ports::{Position, Revision};
use tieout_domain::posting::{
    Body, Coding, Document, DocumentKey, DocumentLine, DocumentTexts, LineOrigin, PostingPeriod, Side,
};
use tieout_domain::report::{
    Attempt, Basis, FieldWhy, Flag, HeaderWhy, LineFacts, LineWhy, Mapping, Payload, Personal,
    PersonalFields, PersonalLine, Proof, ReportEvent, ReportFacts, SourceStatus,
};
use tieout_domain::rules::RuleSetVersion;
use tieout_domain::time::{Moment, SourceTime, Steady};
use uuid::Uuid;

pub(crate) use self::world::{Envelopes, MemoryViews, Ticking, append, append_foreign, note_a_move};

// ── reports ──

pub(crate) fn connection() -> ConnectionId {
    ConnectionId(Uuid::from_u128(0xC0))
}

pub(crate) fn report(id: u64) -> ReportId {
    ReportId::from_decimal(id).unwrap()
}

pub(crate) fn transaction(id: &str) -> TransactionId {
    TransactionId::new(id).unwrap()
}

/// A line: its transaction and its signed hundredths.
pub(crate) type Line<'a> = (&'a str, i64);

pub(crate) fn expense(id: &str, hundredths: i64) -> Line<'_> {
    (id, hundredths)
}

pub(crate) fn line_facts(id: &str, hundredths: i64, currency: &str) -> LineFacts {
    LineFacts {
        transaction: transaction(id),
        kind: "expense".into(),
        amount: Hundredths::Of(hundredths),
        modified_amount: Hundredths::Blank,
        converted_amount: Hundredths::Blank,
        currency: currency.into(),
        rate: String::new(),
        created: SourceTime::new("2026-10-05"),
        modified_created: SourceTime::default(),
        category: "Travel:Air".into(),
        category_gl: String::new(),
        tag: String::new(),
        tag_gl: String::new(),
        tag_levels: Vec::new(),
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
        receipt_id: String::new(),
        distance: String::new(),
        source: String::new(),
    }
}

/// A report approved at 22:00 on 31 October in New York.
pub(crate) fn facts(id: u64, currency: &str, lines: &[Line<'_>]) -> ReportFacts {
    ReportFacts {
        report: report(id),
        policy: PolicyId::new("0123456789ABCDEF").unwrap(),
        policy_name: "Ohio plant".into(),
        status: SourceStatus::Approved,
        currency: currency.into(),
        total: Hundredths::Of(lines.iter().map(|line| line.1).sum()),
        created: SourceTime::new("2026-10-20 09:00:00"),
        submitted: SourceTime::new("2026-10-28 09:00:00"),
        approved: SourceTime::new("2026-11-01 02:00:00"),
        reimbursed: SourceTime::default(),
        ach_reimbursed: Flag::No,
        entry_id: String::new(),
        declared_lines: Some(lines.len() as u64),
        fields: BTreeMap::new(),
        lines: lines
            .iter()
            .map(|(id, amount)| line_facts(id, *amount, currency))
            .collect(),
    }
}

pub(crate) const SUBMITTER: &str = "ada.byron@example.com";

pub(crate) fn payload(facts: ReportFacts) -> Arc<Payload> {
    let lines = facts.lines.iter().map(|line| PersonalLine {
        merchant: format!("Merchant of {}", line.transaction),
        comment: "to Munich".into(),
        ..PersonalLine::default()
    });
    let personal = PersonalFields {
        salt: "00".into(),
        submitter: SUBMITTER.into(),
        submitter_name: "Ada Byron".into(),
        submitter_user_id: String::new(),
        submitter_payroll_id: String::new(),
        manager: "charles@example.com".into(),
        approvers: Vec::new(),
        report_name: "October travel".into(),
        lines: lines.collect(),
    };
    Arc::new(Payload {
        facts,
        personal: Personal::Known(personal),
    })
}

pub(crate) fn discovered(id: u64, lines: &[Line<'_>]) -> ReportEvent {
    discovered_as(facts(id, "USD", lines))
}

pub(crate) fn discovered_as(facts: ReportFacts) -> ReportEvent {
    let payload = payload(facts);
    let (material_hash, payload_hash) = (payload.material_hash("00"), payload.payload_hash().unwrap());
    ReportEvent::Discovered {
        payload,
        payload_hash,
        material_hash,
    }
}

pub(crate) fn revised(id: u64, lines: &[Line<'_>]) -> ReportEvent {
    match discovered(id, lines) {
        ReportEvent::Discovered {
            payload,
            payload_hash,
            material_hash,
        } => ReportEvent::Revised {
            payload,
            payload_hash,
            material_hash,
        },
        other => other,
    }
}

// ── documents ──

pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 31).unwrap()
}

fn coding(account: &str) -> Coding {
    Coding {
        account: account.parse().unwrap(),
        sub_account: None,
        cost_centre: "CC-OH".parse().ok(),
        project: None,
    }
}

fn document(id: u64, kind: DocumentKind, body: Body, lines: Vec<DocumentLine>) -> Document {
    let texts = DocumentTexts {
        header: "October travel".into(),
        lines: lines.iter().map(|_| "a flight".into()).collect(),
    };
    Document {
        reference: Reference {
            report: report(id),
            kind,
            generation: Generation::FIRST,
        },
        body,
        currency: Currency::new("USD").unwrap(),
        daybook: "EXPINV".parse().unwrap(),
        period: PostingPeriod {
            date: day(),
            year: 2026,
            number: 10,
        },
        document_date: day(),
        lines,
        texts: Personal::Known(texts),
    }
}

fn document_lines(lines: &[Line<'_>]) -> Vec<DocumentLine> {
    let line = |(id, hundredths): &Line<'_>| {
        let (side, amount) = Side::of_debit(rust_decimal::Decimal::new(*hundredths, 2)).unwrap();
        DocumentLine {
            origin: LineOrigin::Expense {
                transaction: transaction(id),
            },
            coding: coding("6400"),
            side,
            amount,
        }
    };
    lines.iter().map(line).collect()
}

/// An invoice, or a credit note where the net is below zero.
pub(crate) fn payable_of(id: u64, lines: &[Line<'_>]) -> Document {
    let net = rust_decimal::Decimal::new(lines.iter().map(|line| line.1).sum(), 2);
    let (supplier, status) = ("EMP-0042".parse().unwrap(), "AP-INITIAL".parse().unwrap());
    if net.is_sign_negative() {
        let body = Body::CreditNote {
            supplier,
            status,
            total: -net,
        };
        return document(id, DocumentKind::CreditNote, body, document_lines(lines));
    }
    let body = Body::SupplierInvoice {
        supplier,
        status,
        total: net,
    };
    document(id, DocumentKind::SupplierInvoice, body, document_lines(lines))
}

/// A journal against a card's clearing account.
pub(crate) fn journal_of(id: u64, lines: &[Line<'_>]) -> Document {
    let mut entries = document_lines(lines);
    let net = rust_decimal::Decimal::new(lines.iter().map(|line| line.1).sum(), 2);
    if let Some((side, amount)) = Side::of_debit(-net) {
        entries.push(DocumentLine {
            origin: LineOrigin::Clearing,
            coding: coding("2190"),
            side,
            amount,
        });
    }
    document(id, DocumentKind::Journal, Body::Journal, entries)
}

pub(crate) fn basis(chart: u64) -> Basis {
    Basis {
        rules: RuleSetVersion {
            number: 3,
            hash: "ab".repeat(32),
        },
        chart: ChartVersion(chart),
        day: None,
    }
}

pub(crate) fn mapped(documents: Vec<Document>) -> ReportEvent {
    let field = |field: &str, value: &str, source: &str, rule: &str| FieldWhy {
        field: field.into(),
        value: value.into(),
        source: source.into(),
        rule: rule.into(),
    };
    let lines = documents.iter().flat_map(|document| {
        let kind = document.kind();
        document.lines.iter().filter_map(move |line| match &line.origin {
            LineOrigin::Expense { transaction } => Some(LineWhy {
                transaction: transaction.clone(),
                amount: if line.side == Side::Debit {
                    line.amount
                } else {
                    -line.amount
                },
                document: Some(kind),
                original: None,
                fields: vec![
                    field(
                        "amount",
                        &line.amount.to_string(),
                        "amount = 21250 hundredths",
                        "hundredths of USD, exactly",
                    ),
                    field("account", "6400", "category = Travel:Air", "rule `air travel`"),
                    field("cost centre", "CC-OH", "tag = Ohio", "rule `plants`"),
                ],
            }),
            _ => None,
        })
    });
    let headers = documents.iter().map(|document| HeaderWhy {
        document: document.kind(),
        fields: vec![field(
            "posting date",
            "2026-10-31",
            "approved = 2026-11-01 02:00:00, in America/New_York",
            "posting.date",
        )],
    });
    ReportEvent::Mapped(Arc::new(Mapping {
        basis: basis(12),
        headers: headers.collect(),
        lines: lines.collect(),
        notes: Vec::new(),
        approved_by_submitter: None,
        documents: documents.into_iter().map(Arc::new).collect(),
    }))
}

pub(crate) fn instance() -> InstanceId {
    InstanceId(Uuid::from_u128(0x1))
}

pub(crate) fn started(document: &Document, attempt: u32) -> ReportEvent {
    ReportEvent::PostingStarted {
        document: Arc::new(document.clone()),
        attempt: Attempt(attempt),
        owner: instance(),
        material_hash: payload(facts(1, "USD", &[])).material_hash(""),
    }
}

pub(crate) fn key(voucher: u64) -> DocumentKey {
    DocumentKey {
        year: 2026,
        daybook: "EXPINV".parse().unwrap(),
        voucher: Voucher(voucher),
    }
}

pub(crate) fn posted(document: &Document, voucher: u64) -> ReportEvent {
    ReportEvent::DocumentPosted {
        reference: document.reference,
        key: key(voucher),
        date: day(),
        proof: Proof::Confirmed,
        warnings: Vec::new(),
        why: None,
    }
}

pub(crate) fn moment() -> Moment {
    Moment {
        at: at(0),
        steady: Steady {
            epoch: "boot".into(),
            millis: 5,
        },
    }
}

/// Everything from discovery to `Posted`, for these documents.
pub(crate) fn posted_whole(id: u64, lines: &[Line<'_>], documents: Vec<Document>) -> Vec<ReportEvent> {
    let mut events = vec![discovered(id, lines), mapped(documents.clone())];
    for (index, document) in documents.iter().enumerate() {
        events.extend([started(document, 1), posted(document, id * 10 + index as u64)]);
    }
    events.push(ReportEvent::Posted);
    events
}

// ── entries and logs ──

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 2, 6, 0, 0).unwrap() + Duration::seconds(seconds)
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        actor: Actor::System {
            part: SystemActor::Poster,
        },
        cause: Cause::Cycle {
            cycle: CycleId(Uuid::from_u128(0x7)),
        },
    }
}

/// Events as they would be read from the stream of a report.
pub(crate) fn entries(id: u64, events: Vec<ReportEvent>) -> Vec<Entry<ReportEvent>> {
    let entry = |(index, event): (usize, ReportEvent)| {
        let number = index as u64;
        Entry {
            event,
            id: EventId(Uuid::from_u128(u128::from(number) + 1)),
            envelope: Envelope {
                schema: 1,
                recorded_at: at(index as i64),
                effective_at: at(-86_400),
                actor: stamp().actor,
                cause: stamp().cause,
                build: "tieout 0.1.0 (test)".into(),
                parts: 0,
            },
            stream: Streams(connection()).report(report(id)),
            revision: Revision(number),
            position: Position(number, number),
        }
    };
    events.into_iter().enumerate().map(entry).collect()
}

/// Folds the events of a report into a row.
pub(crate) fn row_of(id: u64, events: Vec<ReportEvent>) -> crate::work_list::Row {
    let mut row = crate::work_list::Row::new(connection(), report(id));
    for entry in entries(id, events) {
        crate::work_list::apply(&mut row, &entry);
    }
    row
}
