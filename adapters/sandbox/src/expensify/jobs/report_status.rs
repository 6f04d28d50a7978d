//! Approved reports become reimbursed (contract §8.5).

use serde_json::{Map, Value, json};

use super::super::State;
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;
use super::super::world::{Account, ReportId, ReportState};
use super::selection::Selection;

/// Sets the status; what could not be set is listed, under code 200 (207 only with its switch).
pub fn run(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let status = call.text("/inputSettings/status");
    if status != "REIMBURSED" {
        return Err(Refusal::new(410, format!("Status '{status}' is not supported")));
    }
    let source = call.job.pointer("/inputSettings/paymentSource");
    if source.is_some_and(|source| {
        !source
            .as_str()
            .is_some_and(|text| (1..=100).contains(&text.chars().count()))
    }) {
        return Err(Refusal::new(410, "'paymentSource' is missing or malformed"));
    }
    let selection = Selection::of_filters(call.job.pointer("/inputSettings/filters"))?;
    if !selection.is_bounded() {
        return Err(Refusal::new(
            410,
            "One of 'reportIDList' or 'startDate' is required in 'filters'",
        ));
    }
    let today = state.clock.now().date_naive();
    let mut done = Vec::new();
    let mut skipped = Vec::new();
    state.world.edit(|world| {
        let chosen: Vec<ReportId> = selection
            .of(world, account, true)
            .iter()
            .map(|report| report.id)
            .collect();
        for id in chosen {
            let Some(report) = world.reports.get_mut(&id) else {
                continue;
            };
            if report.state == ReportState::Approved {
                report.state = ReportState::Reimbursed;
                report.reimbursed = Some(today);
                done.push(id.to_string());
            } else {
                let reason = format!("Report is in status '{}'", report.state.status_word());
                skipped.push(json!({"reason": reason, "reportID": id.to_string()}));
            }
        }
    });
    let mut answer = Map::new();
    let partial = !skipped.is_empty();
    if partial {
        answer.insert("skippedReports".to_owned(), Value::Array(skipped));
    }
    answer.insert("reportIDs".to_owned(), json!(done));
    let code = if partial && state.quirks.partial_status_is_207 {
        207
    } else {
        200
    };
    answer.insert("responseCode".to_owned(), json!(code));
    Ok(Reply::Json(Value::Object(answer)))
}
