//! The jobs, a file each.

mod create;
mod download;
mod export;
mod policies;
mod report_status;
mod selection;
mod update_policy;

use serde_json::Value;

use super::State;
use super::reply::{Refusal, Reply, authentication_error};
use super::request::Call;
use super::world::{Account, Policy, Role};

/// Does what a call asks.
pub fn run(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let account = authenticate(state, call)?;
    match call.operation() {
        "export" | "mark" => export::run(state, call, &account),
        "download" => download::run(state, call),
        "policy_list" => policies::list(state, call, &account),
        "policy" => policies::get(state, call, &account),
        "policy_update" => update_policy::run(state, call, &account),
        "report_status" => report_status::run(state, call, &account),
        "create" => create::run(state, call, &account),
        "reconciliation" | "cards" | "employees" => {
            // Documented, but of no use to a connector of approved reports; the answer is the one without the right.
            Err(Refusal::new(403, "This job is not available on this stand-in"))
        }
        _ if call.text("/type").is_empty()
            || call.text("/type") == "get"
            || call.text("/type") == "update" =>
        {
            Err(Refusal::new(410, "Argument 'type' is missing or malformed"))
        }
        _ => Err(Refusal::new(404, "Unknown job type")),
    }
}

fn authenticate(state: &State, call: &Call) -> Result<Account, Refusal> {
    if !call.job.get("credentials").is_some_and(Value::is_object) {
        return Err(Refusal::new(403, "No authentication method specified"));
    }
    let id = call.text("/credentials/partnerUserID");
    let secret = call.text("/credentials/partnerUserSecret");
    let account = state.world.read(|world| world.accounts.get(id).cloned());
    account
        .filter(|account| account.secret == secret)
        .ok_or_else(authentication_error)
}

/// Refuses who is no admin of `policy`.
fn must_be_admin(account: &Account, policy: &Policy) -> Result<(), Refusal> {
    if account.role_on(policy) == Some(Role::Admin) {
        return Ok(());
    }
    Err(Refusal::new(
        403,
        format!("You do not have permission to access policy {}", policy.id),
    ))
}

/// A list of ids that is a string with commas or an array of strings.
fn id_list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
