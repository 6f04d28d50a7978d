//! Both ends of the interface, fetched from the stand-ins apart from the log: what Expensify holds, what QAD holds.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::out::Failure;

/// A report as the stand-in Expensify shows it to an auditor.
#[derive(Debug, Clone, Deserialize)]
pub struct SourceReport {
    /// Id, base 62.
    pub report_id: String,
    /// Approval, RFC 3339.
    pub approved: Option<String>,
    /// Currency.
    pub currency: String,
    /// What its lines add up to.
    pub line_sum: Decimal,
    /// How many lines it has.
    pub lines: u64,
}

/// A document as the stand-in QAD shows it to an auditor.
#[derive(Debug, Clone, Deserialize)]
pub struct LedgerRow {
    /// Everything, as stored.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, serde_json::Value>,
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

/// Fetches one of a stand-in's own pages.
pub async fn fetch<T: DeserializeOwned>(base: &str, path: &str) -> Result<T, Failure> {
    let failed = |detail: String| Failure::Outside(format!("the stand-in's {path} cannot be read: {detail}"));
    let client = reqwest::Client::builder().no_proxy().build().map_err(|e| failed(e.to_string()))?;
    let answer = client.get(format!("{base}{path}")).send().await.map_err(|e| failed(e.to_string()))?;
    let body = answer.bytes().await.map_err(|e| failed(e.to_string()))?;
    serde_json::from_slice(&body).map_err(|e| failed(e.to_string()))
}
