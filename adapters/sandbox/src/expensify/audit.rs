//! The stand-in's own endpoints: the listing an auditor would make, and the edits people make in Expensify.
//!
//! | method and path | does |
//! |---|---|
//! | `GET /_sandbox/reports` | every approved and reimbursed report, straight from the world; `?all=true`, every report |
//! | `POST /_sandbox/edits` | one [`Edit`] (or an array, made in order until one fails) |

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::State;
use super::world::{Edit, Report, ReportState};
use crate::control::{loopback_only, refuse};

/// A report as the audit shows it; amounts as decimal text in `currency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedReport {
    /// The id in base 62.
    pub report_id: String,
    /// The same in decimal.
    pub decimal_id: u64,
    /// The policy.
    pub policy_id: String,
    /// The state.
    pub state: ReportState,
    /// The submitter's email.
    pub submitter: String,
    /// The approval, RFC 3339 in UTC.
    pub approved: Option<String>,
    /// The currency.
    pub currency: String,
    /// The report's own total.
    pub total: String,
    /// How many lines it has.
    pub lines: usize,
    /// What the lines add up to.
    pub line_sum: String,
    /// The labels set on it, oldest first.
    pub labels: Vec<String>,
    /// Its lines.
    pub expenses: Vec<AuditedExpense>,
}

/// A line as the audit shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedExpense {
    /// The transaction.
    pub transaction_id: String,
    /// The amount that counts, in the report's currency.
    pub amount: String,
    /// The category.
    pub category: String,
    /// The tag.
    pub tag: String,
    /// Owed to the employee.
    pub reimbursable: bool,
}

impl AuditedReport {
    /// The audit's view of a report.
    pub fn of(report: &Report) -> Self {
        Self {
            report_id: report.id.to_string(),
            decimal_id: report.id.0,
            policy_id: report.policy_id.clone(),
            state: report.state,
            submitter: report.submitter.email.clone(),
            approved: report.approved.map(|at| at.to_rfc3339()),
            currency: report.currency.clone(),
            total: hundredths(report.total),
            lines: report.expenses.len(),
            line_sum: hundredths(report.line_sum()),
            labels: report
                .markings
                .iter()
                .map(|marking| marking.label.clone())
                .collect(),
            expenses: report
                .expenses
                .iter()
                .map(|expense| AuditedExpense {
                    transaction_id: expense.transaction_id.clone(),
                    amount: hundredths(expense.effective()),
                    category: expense.category.clone(),
                    tag: expense.tag.clone(),
                    reimbursable: expense.reimbursable,
                })
                .collect(),
        }
    }
}

fn hundredths(amount: i64) -> String {
    Decimal::new(amount, 2).to_string()
}

/// The routes.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/_sandbox/reports", get(list))
        .route("/_sandbox/edits", post(edit))
        .layer(middleware::from_fn(loopback_only))
        .with_state(state)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    all: bool,
}

async fn list(Shared(state): Shared<Arc<State>>, Query(which): Query<Which>) -> Response {
    let counts = |report: &&Report| {
        which.all || matches!(report.state, ReportState::Approved | ReportState::Reimbursed)
    };
    let reports: Vec<AuditedReport> = state.world.read(|world| {
        world
            .reports
            .values()
            .filter(counts)
            .map(AuditedReport::of)
            .collect()
    });
    Json(reports).into_response()
}

async fn edit(Shared(state): Shared<Arc<State>>, body: String) -> Response {
    let edits = if body.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<Edit>>(&body)
    } else {
        serde_json::from_str::<Edit>(&body).map(|edit| vec![edit])
    };
    let edits = match edits {
        Ok(edits) => edits,
        Err(error) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("not an edit: {error}")),
    };
    let now = state.clock.now();
    match state
        .world
        .edit(|world| edits.into_iter().try_for_each(|edit| world.apply(edit, now)))
    {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
    }
}
