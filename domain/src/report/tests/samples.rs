//! One report with two documents: the material of all specifications. What can happen to it is in `events`.

use std::sync::Arc;

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
    Approver, Basis, FieldWhy, Flag, HeaderWhy, LineFacts, LineWhy, Mapping, OriginalAmount, Payload,
    Personal, PersonalFields, PersonalLine, ReportFacts, SourceStatus, TagLevel,
};
use crate::rules::RuleSetVersion;
use crate::time::{Moment, SourceTime, Steady};

pub(crate) use super::events::*;

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
            millis: u64::try_from(seconds.max(0)).unwrap() * 1_000,
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

/// A document that QAD shows standing under a reference.
pub(crate) fn shown_at(reference: Reference, voucher: u64) -> Sighting {
    Sighting {
        reference,
        key: DocumentKey {
            voucher: Voucher(voucher),
            ..key(reference)
        },
        reversed: false,
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
        documents: documents.into_iter().map(Arc::new).collect(),
        headers,
        lines,
        notes: vec!["2026-10-31 lies in a closed period".into()],
        approved_by_submitter: None,
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
