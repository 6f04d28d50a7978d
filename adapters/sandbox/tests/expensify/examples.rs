//! The contract's examples (§11), as golden bodies.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tieout_sandbox::expensify::world::{Account, ReportId, ReportState, Tag};
use tieout_sandbox::expensify::{Expensify, Limits};

use crate::support::*;

#[tokio::test]
async fn e1_an_export_answers_a_bare_file_name() {
    let stand_in = stand_in();
    let job = export_job(
        json!({"reportState": "APPROVED,REIMBURSED", "filters": {"startDate": "2026-01-01", "endDate": "2026-09-30",
            "policyIDList": POLICY, "markedAsExported": "acme-gl"}}),
        json!([]),
    );
    let answer = call(&stand_in, &job, &[("template", TEMPLATE)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.content_type, "text/plain;charset=utf-8");
    let uuid = answer
        .body
        .strip_prefix("acme")
        .and_then(|rest| rest.strip_suffix(".txt"))
        .unwrap();
    assert_eq!(
        (uuid.len(), uuid.matches('-').count(), uuid.chars().nth(14)),
        (36, 4, Some('4'))
    );
}

#[tokio::test]
async fn e2_the_download_is_the_rendered_template() {
    let stand_in = stand_in();
    let file = exported(
        &stand_in,
        json!({"filters": {"reportIDList": id(1000)}}),
        json!([]),
        TEMPLATE,
    )
    .await;
    let lines: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [json!({
            "reportID": id(1000), "oldReportID": "1000", "status": "Approved", "name": "", "currency": "USD",
            "total": "12900", "approved": "2026-09-02 10:11:12", "ach": "false", "field": "fair", "n": "1",
            "expenses": [{
                "id": "4056343049275634494", "amount": "10900", "modifiedAmount": "", "convertedAmount": "12900",
                "currency": "EUR", "merchant": "Cab", "comment": "", "category": "Meals", "gl": "6100",
                "tag1": "Eng", "tag2": "Core", "mileage": "", "card": "", "reimbursable": "true",
            }],
        })]
    );
}

#[tokio::test]
async fn e3_marking_happens_when_the_export_ends_and_not_at_the_download() {
    let stand_in = stand_in();
    let both = format!("{},{}", id(1000), "2000");
    let job = export_job(
        json!({"reportState": "APPROVED,REIMBURSED", "filters": {"reportIDList": both}}),
        json!([{"actionName": "markAsExported", "label": "acme-gl"}]),
    );
    let name = call(&stand_in, &job, &[("template", IDS_ONLY)]).await.body;
    let marked = |label: &str| {
        stand_in
            .world()
            .read(|w| w.reports[&ReportId(1000)].is_marked(label))
    };
    assert!(marked("acme-gl"));
    assert!(!marked("Acme-GL"), "labels are case sensitive");
    assert_eq!(
        call(&stand_in, &download_job(&name), &[]).await.body,
        format!("{}\n{}\n", id(1000), id(2000))
    );
    let left = |label: &str| {
        let filters = json!({"startDate": "2026-01-01", "markedAsExported": label});
        selected(
            &stand_in,
            json!({"reportState": "APPROVED,REIMBURSED", "filters": filters}),
        )
    };
    assert_eq!(left("acme-gl").await, Vec::<u64>::new());
    assert_eq!(left("another-label").await, [1000, 2000]);
    assert_eq!(stand_in.calls().count("mark"), 1);
}

#[tokio::test]
async fn a_test_run_and_a_mark_without_label_mark_nothing() {
    let stand_in = stand_in();
    let mut job = export_job(
        json!({"filters": {"reportIDList": id(1000)}}),
        json!([{"actionName": "markAsExported", "label": "acme-gl"}]),
    );
    job["test"] = json!("true");
    call(&stand_in, &job, &[("template", IDS_ONLY)]).await;
    job["test"] = json!("false");
    job["onFinish"] =
        json!([{"actionName": "markAsExported"}, {"actionName": "email", "recipients": "a@b.c"}]);
    call(&stand_in, &job, &[("template", IDS_ONLY)]).await;
    assert!(
        stand_in
            .world()
            .read(|w| w.reports[&ReportId(1000)].markings.is_empty())
    );
}

#[tokio::test]
async fn e4_bad_credentials_are_an_envelope_under_200() {
    let stand_in = stand_in();
    let mut job = download_job("x.txt");
    job["credentials"]["partnerUserSecret"] = json!("wrong");
    let answer = call(&stand_in, &job, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"responseMessage": "Authentication error", "responseCode": 404})
    );
    job.as_object_mut().unwrap().remove("credentials");
    let answer = call(&stand_in, &job, &[]).await;
    assert_eq!(
        answer.json(),
        json!({"responseMessage": "No authentication method specified", "responseCode": 403})
    );
    assert_eq!(stand_in.calls().all().last().unwrap().code, Some(403));
}

#[tokio::test]
async fn e5_creating_an_expense_twice_makes_two() {
    let (mut config, _) = config();
    config
        .world
        .accounts
        .insert("own".to_owned(), Account::sees_everything("u@d.com", "s"));
    let stand_in = Expensify::new(config);
    let mut job = json!({"type": "create", "credentials": {"partnerUserID": "own", "partnerUserSecret": "s"},
        "inputSettings": {"type": "expenses", "employeeEmail": "u@d.com", "transactionList": [
            {"merchant": "Fixture Probe", "created": "2026-08-03", "amount": 777, "currency": "USD", "externalID": "x"}]}});
    let answer = call(&stand_in, &job, &[]).await.json();
    let item = &answer["transactionList"][0];
    assert_eq!(
        (&item["amount"], &item["mcc"], &item["category"]),
        (&json!(777), &json!(0), &json!("Uncategorized"))
    );
    assert!(item.get("externalID").is_none());
    assert_ne!(
        call(&stand_in, &job, &[]).await.json()["transactionList"][0]["transactionID"],
        item["transactionID"]
    );
    job["inputSettings"]
        .as_object_mut()
        .unwrap()
        .remove("employeeEmail");
    let expected =
        json!({"responseMessage": "'employeeEmail' parameter is missing or malformed", "responseCode": 410});
    assert_eq!(call(&stand_in, &job, &[]).await.json(), expected);
}

#[tokio::test]
async fn e6_policies_are_listed_and_shown() {
    let stand_in = stand_in();
    let job = json!({"type": "get", "credentials": credentials(), "inputSettings": {"type": "policyList"}});
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"policyList": [{"outputCurrency": "USD", "owner": "owner@sandbox.example", "role": "admin",
            "name": "Acme US", "id": POLICY, "type": "corporate"}], "responseCode": 200})
    );
    let job = json!({"type": "get", "credentials": credentials(), "inputSettings": {"type": "policy",
        "policyIDList": [POLICY], "fields": ["categories", "tax"]}});
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"responseCode": 200, "policyInfo": {POLICY: {
            "categories": [{"name": "Meals", "enabled": true, "glCode": "6100", "areCommentsRequired": false}],
            "tax": {"default": "4", "name": "Tax", "rates": [
                {"rate": 20, "name": "Standard", "rateID": "2"}, {"rate": 0, "name": "Zero", "rateID": "4"}]}}}})
    );
    let job = json!({"type": "get", "credentials": credentials(), "inputSettings": {"type": "policy", "fields": ["tags"]}});
    let expected =
        json!({"responseMessage": "Required parameter 'policyIDList' is missing", "responseCode": 410});
    assert_eq!(call(&stand_in, &job, &[]).await.json(), expected);
}

#[tokio::test]
async fn e7_categories_merge_and_unseen_keys_change_nothing() {
    let stand_in = stand_in();
    let data =
        json!({"action": "merge", "data": [{"name": "Travel:Air", "enabled": true, "glCode": "6200"}]});
    let mut job = json!({"type": "update", "credentials": credentials(),
        "inputSettings": {"type": "policy", "policyID": POLICY, "categories": data}});
    let names = || {
        stand_in.world().read(|w| {
            w.policies[POLICY]
                .categories
                .iter()
                .map(|c| c.name.clone())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"responseCode": 200})
    );
    assert_eq!(names(), ["Meals"], "inside inputSettings it is not seen");
    job["categories"] = data;
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"responseCode": 200})
    );
    assert_eq!(names(), ["Meals", "Travel:Air"]);
    job["categories"] = json!({"action": "merge", "data": "?"});
    let expected = json!({"responseMessage": "'categories' object malformed", "responseCode": 410});
    assert_eq!(call(&stand_in, &job, &[]).await.json(), expected);
}

#[tokio::test]
async fn a_merge_of_tags_deletes_the_others_of_its_list() {
    let stand_in = stand_in();
    let job = json!({"type": "update", "credentials": credentials(),
        "inputSettings": {"type": "policy", "policyID": POLICY},
        "tags": {"action": "merge", "data": [{"name": "Dept", "tags": [{"name": "Sales"}]}]}});
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"responseCode": 200})
    );
    let names = |tags: &[Tag]| tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>();
    stand_in.world().read(|w| {
        let levels = &w.policies[POLICY].tags;
        assert_eq!(
            (names(&levels[0].tags), names(&levels[1].tags)),
            (vec!["Sales".to_owned()], vec!["Core".to_owned()])
        );
    });
}

#[tokio::test]
async fn e8_dependent_tags_come_by_file() {
    let stand_in = stand_in();
    let job = json!({"type": "update", "credentials": credentials(), "inputSettings": {"type": "policy", "policyID": POLICY},
        "tags": {"action": "replace", "source": "file", "config":
            {"dependency": true, "glCodes": true, "header": true, "setRequired": false, "fileType": "csv"}}});
    let file = "Dept,Dept GL,Team,Team GL\nEng,100,Core,110\nEng,100,\"Q,A\",120\n";
    assert_eq!(
        call(&stand_in, &job, &[("file", file)]).await.json(),
        json!({"responseCode": 200})
    );
    let get = json!({"type": "get", "credentials": credentials(),
        "inputSettings": {"type": "policy", "policyIDList": [POLICY], "fields": ["tags"]}});
    assert_eq!(
        call(&stand_in, &get, &[]).await.json()["policyInfo"][POLICY]["tags"],
        json!([{"name": "Eng:Core", "enabled": true, "glCode": "110"}, {"name": "Eng:Q,A", "enabled": true, "glCode": "120"}])
    );
}

#[tokio::test]
async fn e10_a_partly_reimbursed_batch_is_still_200() {
    let stand_in = stand_in();
    let both = format!("{},{}", id(1000), id(3000));
    let job = json!({"type": "update", "credentials": credentials(),
        "inputSettings": {"type": "reportStatus", "status": "REIMBURSED", "filters": {"reportIDList": both}}});
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"skippedReports": [{"reason": "Report is in status 'Open'", "reportID": id(3000)}],
            "reportIDs": [id(1000)], "responseCode": 200})
    );
    assert_eq!(
        stand_in.world().read(|w| w.reports[&ReportId(1000)].state),
        ReportState::Reimbursed
    );
    let job = json!({"type": "update", "credentials": credentials(),
        "inputSettings": {"type": "reportStatus", "status": "APPROVED", "filters": {"reportIDList": both}}});
    let expected = json!({"responseMessage": "Status 'APPROVED' is not supported", "responseCode": 410});
    assert_eq!(call(&stand_in, &job, &[]).await.json(), expected);
}

#[tokio::test]
async fn e12_the_limiter_answers_429_and_counts_what_it_refuses() {
    let (mut config, clock) = config();
    config.limits = Some(Limits::production());
    let stand_in = Expensify::new(config.clone());
    for _ in 0..5 {
        assert_eq!(
            call(&stand_in, &download_job("x.txt"), &[]).await.status,
            StatusCode::OK
        );
    }
    let answer = call(&stand_in, &download_job("x.txt"), &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        answer.body,
        r#"{"responseCode":429,"responseMessage":"You have been rate-limited. Please try again later or contact help@expensify.com for assistance."}"#
    );
    assert_eq!(
        (stand_in.calls().throttled(), stand_in.calls().all().len()),
        (1, 6)
    );
    clock.advance(chrono::TimeDelta::seconds(10));
    assert_eq!(
        call(&stand_in, &download_job("x.txt"), &[]).await.status,
        StatusCode::OK
    );

    config.quirks.throttles_in_body = true;
    let stand_in = Expensify::new(config);
    for _ in 0..5 {
        call(&stand_in, &download_job("x.txt"), &[]).await;
    }
    let answer = call(&stand_in, &download_job("x.txt"), &[]).await;
    assert_eq!(
        (answer.status, answer.json()["responseCode"].clone()),
        (StatusCode::OK, json!(429))
    );
}

#[tokio::test]
async fn creating_a_policy_answers_typed_json_and_a_rule_twice_666() {
    let stand_in = stand_in();
    let job = json!({"type": "create", "credentials": credentials(), "inputSettings": {"type": "policy", "policyName": "New"}});
    let answer = call(&stand_in, &job, &[]).await;
    assert_eq!(
        (
            answer.content_type.as_str(),
            answer.json()["policyID"].as_str().unwrap().len()
        ),
        ("application/json", 16)
    );
    let job = json!({"type": "create", "credentials": credentials(), "inputSettings": {"type": "expenseRules",
        "policyID": POLICY, "employeeEmail": "ann@acme.com", "actions": {"tag": "Eng"}}});
    assert_eq!(
        call(&stand_in, &job, &[]).await.json(),
        json!({"responseMessage": "OK", "responseCode": 200})
    );
    let expected = json!({"responseMessage": "Rule already exists with those actions, please update rule 1", "responseCode": 666});
    assert_eq!(call(&stand_in, &job, &[]).await.json(), expected);
}
