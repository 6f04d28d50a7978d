//! What is created: expenses, reports, policies, rules (contract §6). Nothing here recognises what was sent before,
//! but for rules.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::super::State;
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;
use super::super::world::{
    Account, Expense, ExpenseRule, Person, Policy, Report, ReportId, ReportState, World,
};

/// Creates what the job's input names.
pub fn run(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    match call.text("/inputSettings/type") {
        "expenses" => expenses(state, call, account),
        "report" => report(state, call, account),
        "policy" => policy(state, call, account),
        "expenseRules" => rule(state, call),
        _ => Err(Refusal::new(410, "Argument 'type' is missing or malformed")),
    }
}

fn employee<'c>(call: &'c Call, account: &Account) -> Result<&'c str, Refusal> {
    let Some(email) = call.given("/inputSettings/employeeEmail") else {
        return Err(Refusal::new(
            410,
            "'employeeEmail' parameter is missing or malformed",
        ));
    };
    if email == account.email || account.acts_for_others {
        return Ok(email);
    }
    Err(Refusal::new(
        500,
        format!("Not authorized to authenticate as user {email}"),
    ))
}

fn expenses(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let email = employee(call, account)?;
    let Some(list) = call
        .job
        .pointer("/inputSettings/transactionList")
        .and_then(Value::as_array)
    else {
        return Err(Refusal::new(
            410,
            "'transactionList' parameter is missing or malformed",
        ));
    };
    let mut read = Vec::new();
    for item in list {
        read.push((
            expense(item, "created")?,
            text(item, "reportID").to_owned(),
            text(item, "policyID").to_owned(),
        ));
    }
    let now = state.clock.now();
    let created = state.world.edit(|world| {
        let mut answers = Vec::new();
        for (mut expense, report, policy) in read {
            let named = report
                .parse::<ReportId>()
                .ok()
                .filter(|id| world.reports.contains_key(id));
            let id = named.unwrap_or_else(|| {
                let mut report = Report::approved(free_id(world), &policy, &expense.currency, now);
                report.state = ReportState::Open;
                report.submitted = None;
                report.approved = None;
                report.submitter = Person {
                    email: email.to_owned(),
                    ..Person::default()
                };
                let id = report.id;
                world.add_report(report);
                id
            });
            expense.transaction_id = free_transaction(world);
            answers.push(json!({
                "amount": expense.amount, "reportID": id.to_string(), "created": expense.created,
                "merchant": expense.merchant, "currency": expense.currency, "comment": expense.comment,
                "tag": expense.tag, "mcc": 0, "transactionID": expense.transaction_id,
                "category": if expense.category.is_empty() { "Uncategorized" } else { &expense.category },
            }));
            if let Some(report) = world.reports.get_mut(&id) {
                report.total += expense.effective();
                report.expenses.push(expense);
            }
        }
        answers
    });
    Ok(Reply::Json(
        json!({"transactionList": created, "responseCode": 200}),
    ))
}

fn expense(item: &Value, date_key: &str) -> Result<Expense, Refusal> {
    let malformed = |name: &str| Refusal::new(410, format!("'{name}' parameter is missing or malformed"));
    let needed = |name: &str| {
        Some(text(item, name))
            .filter(|text| !text.is_empty())
            .ok_or_else(|| malformed(name))
    };
    let date = needed(date_key)?;
    let amount = item
        .get("amount")
        .and_then(Value::as_i64)
        .ok_or_else(|| malformed("amount"))?;
    let flag = |name: &str, default| item.get(name).and_then(Value::as_bool).unwrap_or(default);
    Ok(Expense {
        amount,
        converted_amount: Some(amount),
        currency: needed("currency")?.to_owned(),
        merchant: needed("merchant")?.to_owned(),
        created: NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| {
            Refusal::new(
                410,
                format!("Malformed date '{date}'. Expected format is yyyy-MM-dd"),
            )
        })?,
        category: text(item, "category").to_owned(),
        tag: text(item, "tag").to_owned(),
        comment: text(item, "comment").to_owned(),
        external_id: text(item, "externalID").to_owned(),
        reimbursable: flag("reimbursable", true),
        billable: flag("billable", false),
        ..Expense::default()
    })
}

fn report(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let email = employee(call, account)?;
    let policy = call.text("/inputSettings/policyID");
    let title = call.text("/inputSettings/report/title");
    let mut read = Vec::new();
    for item in call
        .job
        .pointer("/inputSettings/expenses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        read.push(expense(item, "date")?);
    }
    let now = state.clock.now();
    state.world.edit(|world| {
        let Some(currency) = world
            .policies
            .get(policy)
            .map(|policy| policy.output_currency.clone())
        else {
            return Err(Refusal::new(404, format!("Policy {policy} not found")));
        };
        let mut report = Report::approved(free_id(world), policy, &currency, now);
        report.state = ReportState::Open;
        report.submitted = None;
        report.approved = None;
        report.name = title.to_owned();
        report.submitter = Person {
            email: email.to_owned(),
            ..Person::default()
        };
        let id = report.id;
        world.add_report(report);
        for mut expense in read {
            expense.transaction_id = free_transaction(world);
            if let Some(report) = world.reports.get_mut(&id) {
                report.total += expense.effective();
                report.expenses.push(expense);
            }
        }
        Ok(Reply::Json(
            json!({"responseCode": 200, "reportName": title, "reportID": id.to_string()}),
        ))
    })
}

fn policy(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let Some(name) = call.given("/inputSettings/policyName") else {
        return Err(Refusal::new(500, "Required parameter 'policyName' is missing"));
    };
    let id: String = state
        .next_uuid()
        .simple()
        .to_string()
        .to_uppercase()
        .chars()
        .take(16)
        .collect();
    let mut policy = Policy::new(&id, name, "USD");
    policy.owner = account.email.clone();
    policy.kind = call.given("/inputSettings/plan").unwrap_or("team").to_owned();
    state.world.edit(|world| world.add_policy(policy));
    Ok(Reply::TypedJson(
        json!({"responseCode": 200, "policyID": id, "policyName": name}),
    ))
}

fn rule(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let Some(actions) = call
        .job
        .pointer("/inputSettings/actions")
        .filter(|actions| actions.is_object())
    else {
        return Err(Refusal::new(410, "'actions' parameter is missing or malformed"));
    };
    let rule = ExpenseRule {
        policy_id: call.text("/inputSettings/policyID").to_owned(),
        employee_email: call.text("/inputSettings/employeeEmail").to_owned(),
        actions: actions.clone(),
    };
    state.world.edit(|world| {
        if let Some(place) = world.rules.iter().position(|known| *known == rule) {
            let message = format!(
                "Rule already exists with those actions, please update rule {}",
                place + 1
            );
            return Err(Refusal::new(666, message));
        }
        world.rules.push(rule);
        Ok(Reply::Json(json!({"responseMessage": "OK", "responseCode": 200})))
    })
}

fn free_id(world: &World) -> ReportId {
    ReportId(
        world
            .reports
            .keys()
            .next_back()
            .map_or(2_080_715_894_610_667, |last| last.0 + 1),
    )
}

fn free_transaction(world: &World) -> String {
    let known = world.reports.values().flat_map(|report| &report.expenses);
    let last = known
        .filter_map(|expense| expense.transaction_id.parse::<u64>().ok())
        .max();
    (last.unwrap_or(4_056_343_049_275_634_493) + 1).to_string()
}

fn text<'v>(item: &'v Value, key: &str) -> &'v str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}
