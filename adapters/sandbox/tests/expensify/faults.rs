//! Each fault, and the control endpoints that set them.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tieout_sandbox::expensify::world::ReportId;
use tieout_sandbox::expensify::{Expensify, ExpensifyStandIn, FaultKind};
use tieout_sandbox::fault::FaultRule;

use crate::support::*;

fn mark_job() -> Value {
    export_job(
        json!({"filters": {"reportIDList": "1000"}}),
        json!([{"actionName": "markAsExported", "label": "acme-gl"}]),
    )
}

fn is_marked(stand_in: &Expensify) -> bool {
    stand_in
        .world()
        .read(|world| world.reports[&ReportId(1000)].is_marked("acme-gl"))
}

/// Marks under a fault; the answer, and whether the mark holds.
async fn mark_under(kind: FaultKind) -> (Answer, bool) {
    let stand_in = stand_in();
    stand_in.faults().add(FaultRule::next("mark", kind));
    let answer = call(&stand_in, &mark_job(), &[("template", IDS_ONLY)]).await;
    let marked = is_marked(&stand_in);
    let calls = stand_in.calls().all();
    assert!(calls[0].fault.is_some());
    assert_eq!(
        calls[0].status,
        if answer.dropped { 0 } else { answer.status.as_u16() }
    );
    (answer, marked)
}

#[tokio::test]
async fn faults_before_the_job_leave_nothing_and_faults_after_it_leave_the_mark() {
    let (answer, marked) = mark_under(FaultKind::DropBefore).await;
    assert_eq!((answer.dropped, marked), (true, false));
    let (answer, marked) = mark_under(FaultKind::DropAfter).await;
    assert_eq!((answer.dropped, marked), (true, true));
    let (answer, marked) = mark_under(FaultKind::BadGateway).await;
    assert_eq!((answer.status, marked), (StatusCode::BAD_GATEWAY, false));
    assert!(answer.body.contains("<html>"));
    let (answer, marked) = mark_under(FaultKind::BadGatewayAfter).await;
    assert_eq!((answer.status, marked), (StatusCode::BAD_GATEWAY, true));
    let (answer, marked) = mark_under(FaultKind::HtmlPage).await;
    assert_eq!((answer.status, marked), (StatusCode::OK, false));
    assert!(answer.body.starts_with("<!DOCTYPE html>"));
    let (answer, marked) = mark_under(FaultKind::TooManyRequests).await;
    assert_eq!(
        (answer.status, answer.json()["responseCode"].clone(), marked),
        (StatusCode::TOO_MANY_REQUESTS, json!(429), false)
    );
    let (answer, marked) = mark_under(FaultKind::TooManyRequestsInBody).await;
    assert_eq!(
        (answer.status, answer.json()["responseCode"].clone(), marked),
        (StatusCode::OK, json!(429), false)
    );
    let (answer, marked) = mark_under(FaultKind::ServerError).await;
    assert_eq!(
        (answer.status, answer.json()["responseCode"].clone(), marked),
        (StatusCode::OK, json!(500), false)
    );
    let (answer, marked) = mark_under(FaultKind::ServerErrorAfter).await;
    assert_eq!(
        (answer.json()["responseCode"].clone(), marked),
        (json!(500), true)
    );
    let (answer, marked) = mark_under(FaultKind::AuthenticationFailure).await;
    assert_eq!(
        (answer.json()["responseMessage"].clone(), marked),
        (json!("Authentication error"), false)
    );
}

#[tokio::test(start_paused = true)]
async fn slow_and_late_jobs_end_whether_the_client_waits_or_not() {
    for kind in [FaultKind::Slow { ms: 5_000 }, FaultKind::Late { ms: 5_000 }] {
        let stand_in = stand_in();
        stand_in.faults().add(FaultRule::next("mark", kind.clone()));
        let job = mark_job();
        let patience = Duration::from_secs(1);
        let gave_up = tokio::time::timeout(patience, call(&stand_in, &job, &[("template", IDS_ONLY)]))
            .await
            .is_err();
        assert!(gave_up);
        assert_eq!(
            is_marked(&stand_in),
            matches!(kind, FaultKind::Slow { .. }),
            "at once, or not yet"
        );
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::task::yield_now().await;
        assert!(is_marked(&stand_in), "the job ended after its client had gone");
    }
}

#[tokio::test]
async fn downloads_come_back_empty_cut_or_spoiled_once_and_whole_again() {
    let stand_in = stand_in();
    let input = json!({"filters": {"reportIDList": "1000,2000,3000"}});
    let name = call(
        &stand_in,
        &export_job(input, json!([])),
        &[("template", IDS_ONLY)],
    )
    .await
    .body;
    let whole = format!("{}\n{}\n{}\n", id(1000), id(2000), id(3000));
    for (kind, expected) in [
        (FaultKind::EmptyDownload, String::new()),
        (
            FaultKind::TruncatedFile { bytes: Some(20) },
            whole[..20].to_owned(),
        ),
        (
            FaultKind::TruncatedFile { bytes: None },
            whole[..whole.len() / 2].to_owned(),
        ),
        (
            FaultKind::LineDropped { line: 1 },
            format!("{}\n{}\n", id(1000), id(3000)),
        ),
        (
            FaultKind::LineGarbled { line: 1 },
            format!("{}\n{}\n{}\n", id(1000), &id(2000)[..6], id(3000)),
        ),
    ] {
        stand_in.faults().add(FaultRule::next("download", kind.clone()));
        assert_eq!(
            call(&stand_in, &download_job(&name), &[]).await.body,
            expected,
            "{kind:?}"
        );
        assert_eq!(
            call(&stand_in, &download_job(&name), &[]).await.body,
            whole,
            "after {kind:?}"
        );
    }
    stand_in
        .faults()
        .add(FaultRule::next("download", FaultKind::FileNotFound));
    assert_eq!(
        call(&stand_in, &download_job(&name), &[]).await.json()["responseCode"],
        404
    );
}

#[tokio::test]
async fn over_a_socket_connections_really_break() {
    let stand_in = ExpensifyStandIn::start(config().0).await.unwrap();
    let client = reqwest::Client::new();
    let post = |job: &Value| {
        let fields = [
            ("requestJobDescription", job.to_string()),
            ("template", IDS_ONLY.to_owned()),
        ];
        client.post(stand_in.url()).form(&fields).send()
    };
    let name = post(&export_job(
        json!({"filters": {"reportIDList": "1000"}}),
        json!([]),
    ))
    .await
    .unwrap()
    .text()
    .await
    .unwrap();
    stand_in
        .faults()
        .add(FaultRule::next("mark", FaultKind::DropAfter));
    assert!(post(&mark_job()).await.unwrap_err().is_request());
    assert!(
        stand_in
            .world()
            .read(|world| world.reports[&ReportId(1000)].is_marked("acme-gl"))
    );
    stand_in.faults().add(FaultRule::next(
        "download",
        FaultKind::BrokenDownload { bytes: Some(4) },
    ));
    let broken = post(&download_job(&name)).await.unwrap();
    assert!(broken.text().await.is_err());
    assert_eq!(
        post(&download_job(&name)).await.unwrap().text().await.unwrap(),
        format!("{}\n", id(1000))
    );
    let calls = client
        .get(format!("{}/_sandbox/calls", stand_in.base_url()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let calls: Value = serde_json::from_str(&calls).unwrap();
    assert_eq!(calls["counts"], json!({"download": 2, "export": 1, "mark": 1}));
    assert!(!calls.to_string().contains(SECRET));
    let elsewhere = client
        .get(format!("{}/_sandbox/calls", stand_in.base_url()))
        .header("host", "evil.example");
    assert_eq!(elsewhere.send().await.unwrap().status().as_u16(), 403);
    stand_in.shutdown().await;
}

#[tokio::test]
async fn faults_and_edits_are_set_over_http() {
    let stand_in = stand_in();
    let rule = json!({"operation": "export", "after": 1, "kind": {"slow": {"ms": 1}}});
    assert_eq!(
        control(&stand_in, "POST", "/_sandbox/faults", rule).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        control(
            &stand_in,
            "POST",
            "/_sandbox/faults",
            json!([{"kind": "drop_after"}])
        )
        .await
        .status,
        StatusCode::CREATED
    );
    assert_eq!(
        stand_in.faults().pending()[1],
        FaultRule::next_call(FaultKind::DropAfter)
    );
    let wrong = control(&stand_in, "POST", "/_sandbox/faults", json!({"kind": "no_such"})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("no_such"), "{}", wrong.body);
    control(&stand_in, "DELETE", "/_sandbox/faults", json!(null)).await;
    assert!(stand_in.faults().pending().is_empty());

    let edits = json!([
        {"edit": "set_label", "report": id(1000), "label": "x"},
        {"edit": "edit_expense", "transaction": "4056343049275634495", "amount": 900, "category": "Travel"},
        {"edit": "move_expense", "transaction": "4056343049275634495", "to": "1000"},
        {"edit": "set_state", "report": "2000", "state": "open"},
    ]);
    assert_eq!(
        control(&stand_in, "POST", "/_sandbox/edits", edits).await.status,
        StatusCode::NO_CONTENT
    );
    let listing = control(&stand_in, "GET", "/_sandbox/reports", json!(null))
        .await
        .json();
    assert_eq!(
        listing.as_array().unwrap().len(),
        1,
        "only approved and reimbursed reports"
    );
    let report = &listing[0];
    assert_eq!(
        (
            &report["total"],
            &report["line_sum"],
            &report["lines"],
            &report["labels"]
        ),
        (&json!("138.00"), &json!("138.00"), &json!(2), &json!(["x"]))
    );
    assert_eq!(report["expenses"][1]["category"], "Travel");
    assert_eq!(
        control(&stand_in, "GET", "/_sandbox/reports?all=true", json!(null))
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let edit = json!({"edit": "delete_report", "report": "77"});
    assert_eq!(
        control(&stand_in, "POST", "/_sandbox/edits", edit).await.status,
        StatusCode::NOT_FOUND
    );
}
