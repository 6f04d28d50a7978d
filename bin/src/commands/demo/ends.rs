//! Both ends of the interface, fetched from the stand-ins over HTTP and apart from the log: what Expensify holds, what
//! QAD holds, and what Expensify was asked.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tieout_domain::ids::{DaybookCode, DocumentKind, ReportId, Voucher};
use tieout_domain::posting::DocumentKey;
use tieout_domain::time::local_date;
use tieout_projections::month::Month;
use tieout_projections::tie_out::{LedgerRow, SourceRow};

use crate::out::Failure;

/// A report as the stand-in Expensify shows it to an auditor.
#[derive(Deserialize)]
struct AuditedReport {
    report_id: ReportId,
    policy_id: String,
    approved: Option<DateTime<Utc>>,
    currency: String,
    total: Decimal,
    lines: u64,
}

/// A document as the stand-in QAD shows it to an auditor.
#[derive(Deserialize)]
struct AuditedDocument {
    kind: String,
    invoice_type: Option<String>,
    year: i32,
    daybook: DaybookCode,
    voucher: u64,
    reference: String,
    currency: String,
    total_credit: Decimal,
    total_debit: Decimal,
    reversal: Option<serde::de::IgnoredAny>,
}

/// A call that a stand-in counted.
#[derive(Debug, Clone, Deserialize)]
pub struct CountedCall {
    /// Which operation.
    pub operation: String,
    /// Refused by the limiter.
    #[serde(default)]
    pub throttled: bool,
    /// The injected fault that struck it.
    #[serde(default)]
    pub fault: Option<String>,
}

/// Every approved and reimbursed report of these policies that the stand-in Expensify holds.
pub async fn source(origin: &str, policies: &[String], zone: Tz) -> Result<Vec<SourceRow>, Failure> {
    let reports: Vec<AuditedReport> = fetch(origin, "/_sandbox/reports").await?;
    let ours = reports
        .into_iter()
        .filter(|report| policies.contains(&report.policy_id));
    Ok(ours
        .map(|report| SourceRow {
            report_id: report.report_id,
            currency: report.currency,
            period: report.approved.map(|at| Month::from(local_date(at, zone))),
            amount: Some(report.total),
            lines: report.lines,
        })
        .collect())
}

/// Every document that the stand-in QAD holds in a workspace.
pub async fn ledger(origin: &str, workspace: &str) -> Result<Vec<LedgerRow>, Failure> {
    let documents: Vec<AuditedDocument> =
        fetch(origin, &format!("/_sandbox/documents?workspace={workspace}")).await?;
    Ok(documents
        .into_iter()
        .map(|document| {
            let (kind, amount) = match (document.kind.as_str(), document.invoice_type.as_deref()) {
                ("journal_entry", _) => (DocumentKind::Journal, document.total_debit),
                (_, Some("credit_note")) => (DocumentKind::CreditNote, document.total_debit),
                _ => (DocumentKind::SupplierInvoice, document.total_credit),
            };
            LedgerRow {
                reference: document.reference,
                kind,
                currency: document.currency,
                amount,
                key: DocumentKey {
                    year: document.year,
                    daybook: document.daybook,
                    voucher: Voucher(document.voucher),
                },
                reversed: document.reversal.is_some(),
            }
        })
        .collect())
}

/// Every call that a stand-in counted.
pub async fn calls(origin: &str) -> Result<Vec<CountedCall>, Failure> {
    #[derive(Deserialize)]
    struct Page {
        calls: Vec<CountedCall>,
    }
    let page: Page = fetch(origin, "/_sandbox/calls").await?;
    Ok(page.calls)
}

async fn fetch<T: DeserializeOwned>(origin: &str, path: &str) -> Result<T, Failure> {
    let failed = |detail: String| Failure::Outside(format!("the stand-in's {path} cannot be read: {detail}"));
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(|e| failed(e.to_string()))?;
    let answer = client
        .get(format!("{origin}{path}"))
        .send()
        .await
        .map_err(|e| failed(e.to_string()))?;
    let body = answer.bytes().await.map_err(|e| failed(e.to_string()))?;
    serde_json::from_slice(&body).map_err(|e| failed(e.to_string()))
}
