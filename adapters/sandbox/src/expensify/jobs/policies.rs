//! What is read of policies (contract §7).

use serde_json::{Map, Value, json};

use super::super::State;
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;
use super::super::world::{Account, Policy, Role};
use super::{id_list, must_be_admin};

/// `policyList`: the policies of the account, with `adminOnly` those it administers.
pub fn list(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    if let Some(user) = call.given("/inputSettings/userEmail")
        && user != account.email
        && !account.acts_for_others
    {
        return Err(Refusal::new(
            500,
            format!("Not authorized to authenticate as user {user}"),
        ));
    }
    let admin_only = call
        .job
        .pointer("/inputSettings/adminOnly")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let policies = state.world.read(|world| {
        world
            .policies
            .values()
            .filter_map(|policy| Some((policy, account.role_on(policy)?)))
            .filter(|(_, role)| !admin_only || *role == Role::Admin)
            .map(|(policy, role)| {
                json!({
                    "id": policy.id, "name": policy.name, "owner": policy.owner, "role": role,
                    "outputCurrency": policy.output_currency, "type": policy.kind,
                })
            })
            .collect::<Vec<_>>()
    });
    Ok(Reply::Json(json!({"policyList": policies, "responseCode": 200})))
}

/// `policy`: the sections asked for, of the policies asked for.
pub fn get(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let ids = id_list(call.job.pointer("/inputSettings/policyIDList"));
    if ids.is_empty() {
        return Err(Refusal::new(410, "Required parameter 'policyIDList' is missing"));
    }
    let fields = id_list(call.job.pointer("/inputSettings/fields"));
    if fields.is_empty() {
        return Err(Refusal::new(410, "Required parameter 'fields' is missing"));
    }
    state.world.read(|world| {
        let mut info = Map::new();
        for id in &ids {
            // An update answers 404 here and this job 410, by the sources (contract §1.4).
            let Some(policy) = world.policies.get(id) else {
                return Err(Refusal::new(410, format!("Policy {id} not found")));
            };
            if account.role_on(policy).is_none() {
                return Err(Refusal::new(
                    403,
                    format!("You do not have permission to access policy {id}"),
                ));
            }
            if fields
                .iter()
                .any(|field| matches!(field.as_str(), "employees" | "tax"))
            {
                must_be_admin(account, policy)?;
            }
            let sections = fields
                .iter()
                .filter_map(|field| Some((field.clone(), section(policy, field)?)));
            info.insert(id.clone(), Value::Object(sections.collect()));
        }
        Ok(Reply::Json(json!({"policyInfo": info, "responseCode": 200})))
    })
}

fn section(policy: &Policy, field: &str) -> Option<Value> {
    Some(match field {
        "categories" => json!(policy.categories),
        // Both shapes were observed: flat, and by level.
        "tags" => match policy.tags.as_slice() {
            [] => json!([]),
            [only] if only.name.is_empty() => json!(only.tags),
            levels => json!(levels),
        },
        "reportFields" => json!(policy.report_fields),
        "tax" => policy.tax.as_ref().map_or_else(|| json!({}), |tax| json!(tax)),
        "employees" => json!(policy.employees),
        _ => return None,
    })
}
