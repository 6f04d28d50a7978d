//! Documents of one report, and a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;
use tieout_domain::ids::{
    AccountCode, CostCentreCode, DaybookCode, DocumentKind, Generation, InvoiceStatusCode, ProjectCode,
    Reference, ReportId, SubAccountCode, SupplierCode,
};
use tieout_domain::money::Currency;
use tieout_domain::ports::Clock;
use tieout_domain::posting::{
    Body, Coding, Document, DocumentLine, DocumentTexts, LineOrigin, PostingPeriod, Side,
};
use tieout_domain::report::Personal;
use tieout_domain::time::Steady;

/// Stands still until it is moved.
#[derive(Debug, Clone, Default)]
pub struct Still(Arc<AtomicU64>);

impl Still {
    pub fn advance(&self, duration: Duration) {
        self.0
            .fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
    }
}
impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        start() + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
    fn steady(&self) -> Steady {
        Steady {
            epoch: "test".into(),
            millis: self.0.load(Ordering::Relaxed),
        }
    }
    async fn sleep(&self, _: Duration) {}
}

pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 5, 31, 12, 0, 0).unwrap()
}

pub fn report() -> ReportId {
    "R009WqAY45L1".parse().unwrap()
}

pub fn reference(kind: DocumentKind) -> Reference {
    Reference {
        report: report(),
        kind,
        generation: Generation::FIRST,
    }
}

fn line(account: &str, cost_centre: Option<&str>, side: Side, amount: &str) -> DocumentLine {
    DocumentLine {
        origin: LineOrigin::Clearing,
        coding: Coding {
            account: AccountCode::new(account).unwrap(),
            sub_account: None,
            cost_centre: cost_centre.map(|code| CostCentreCode::new(code).unwrap()),
            project: None,
        },
        side,
        amount: Decimal::from_str_exact(amount).unwrap(),
    }
}

fn document(
    kind: DocumentKind,
    body: Body,
    daybook: &str,
    lines: Vec<DocumentLine>,
    texts: &[&str],
) -> Document {
    let date = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap();
    Document {
        reference: reference(kind),
        body,
        currency: Currency::new("USD").unwrap(),
        daybook: DaybookCode::new(daybook).unwrap(),
        period: PostingPeriod {
            date,
            year: 2024,
            number: 5,
        },
        document_date: date,
        lines,
        texts: Personal::Known(DocumentTexts {
            header: "Expenses Kim Lee 2024-05 \"</script>\" ${7*7} 日本 🧾".into(),
            lines: texts.iter().map(|text| (*text).to_owned()).collect(),
        }),
    }
}

/// An invoice of 212.50 with a line on the other side, a sub-account and a project.
pub fn invoice() -> Document {
    let body = Body::SupplierInvoice {
        supplier: SupplierCode::new("EMP-E1001").unwrap(),
        status: InvoiceStatusCode::new("AP-INITIAL").unwrap(),
        total: Decimal::new(21_250, 2),
    };
    let mut lines = vec![
        line("6410", Some("1200"), Side::Debit, "200.00"),
        line("6410", Some("1200"), Side::Credit, "20.00"),
        line("6420", Some("1300"), Side::Debit, "32.50"),
    ];
    lines[2].coding.sub_account = Some(SubAccountCode::new("10").unwrap());
    lines[2].coding.project = Some(ProjectCode::new("P100").unwrap());
    document(
        DocumentKind::SupplierInvoice,
        body,
        "SINV",
        lines,
        &["Flight", "Flight, part refunded", "Taxi"],
    )
}

/// A credit note of 45.10.
pub fn credit_note() -> Document {
    let body = Body::CreditNote {
        supplier: SupplierCode::new("EMP-E1001").unwrap(),
        status: InvoiceStatusCode::new("AP-INITIAL").unwrap(),
        total: Decimal::new(4_510, 2),
    };
    document(
        DocumentKind::CreditNote,
        body,
        "SCN",
        vec![line("6420", Some("1200"), Side::Credit, "45.10")],
        &["Taxi refunded"],
    )
}

/// A journal of 212.50.
pub fn journal() -> Document {
    let lines = vec![
        line("6410", Some("1200"), Side::Debit, "212.50"),
        line("2150", None, Side::Credit, "212.50"),
    ];
    document(
        DocumentKind::Journal,
        Body::Journal,
        "EXPJE",
        lines,
        &["Flight", "Card clearing"],
    )
}
