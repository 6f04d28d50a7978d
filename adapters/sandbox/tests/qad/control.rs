//! The endpoints under `/_sandbox/`.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, Site, WORKSPACE, example_invoice, example_journal};

async fn call(site: &Site, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:4711");
    site.send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

async fn edit(site: &Site, edit: Value) -> u16 {
    call(site, "POST", "/_sandbox/edits", edit).await.status.as_u16()
}

#[tokio::test]
async fn the_audit_listing_comes_straight_from_the_ledgers() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    site.journal(example_journal()).await.stored();
    let listed = call(&site, "GET", "/_sandbox/documents", Value::Null)
        .await
        .json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["workspace"], json!(WORKSPACE));
    assert_eq!(
        (&listed[0]["reference"], &listed[0]["total_credit"]),
        (&json!("EXP-R00AbC12"), &json!("212.50"))
    );
    assert_eq!(listed[1]["lines"][1]["credit"], json!("212.50"));
    let none = call(
        &site,
        "GET",
        "/_sandbox/documents?workspace=11CAN_11CANCO",
        Value::Null,
    )
    .await
    .json();
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn edits_change_what_is_accepted() {
    let site = Site::new().await;
    let close = |open: bool| json!({"period": {"workspace": WORKSPACE, "year": 2024, "period": 5, "module": "purchasing", "open": open}});
    assert_eq!(edit(&site, close(false)).await, 204);
    assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-PERIOD"]);
    assert_eq!(edit(&site, json!([close(true)])).await, 204);
    for (kind, code, reason) in [
        ("account", "6420", "SIM-ACCT-INACTIVE"),
        ("cost_centre", "1200", "SIM-CC-INACTIVE"),
        ("supplier", "emp-e1001", "SIM-SUPPLIER-INACTIVE"),
        ("daybook", "SINV", "SIM-DAYBOOK-INACTIVE"),
    ] {
        let change = |active: bool| json!({kind: {"workspace": WORKSPACE, "code": code, "active": active}});
        assert_eq!(edit(&site, change(false)).await, 204);
        assert_eq!(site.invoice(example_invoice()).await.codes()[0], reason);
        assert_eq!(edit(&site, change(true)).await, 204);
    }
    site.invoice(example_invoice()).await.stored();
    let named = json!({"workspace": WORKSPACE, "year": 2024, "daybook": "SINV", "voucher": 1});
    assert_eq!(edit(&site, json!({"reverse": named})).await, 204);
    assert!(site.documents()[0].reversal.is_some());
    assert_eq!(edit(&site, json!({"remove": named})).await, 204);
    assert!(site.documents().is_empty());
    assert_eq!(edit(&site, json!({"remove": named})).await, 422);
    assert_eq!(
        edit(&site, json!({"user": {"name": "svc", "forbidden": true}})).await,
        204
    );
    assert_eq!(site.invoice(example_invoice()).await.status, 403);
}

#[tokio::test]
async fn what_is_no_edit_is_refused_with_a_reason() {
    let site = Site::new().await;
    let answer = call(&site, "POST", "/_sandbox/edits", json!({"demolish": {}})).await;
    assert_eq!(answer.status, 422);
    assert!(answer.json()["error"].as_str().unwrap().contains("demolish"));
    let unknown = json!({"account": {"workspace": WORKSPACE, "code": "0", "active": true}});
    let answer = call(&site, "POST", "/_sandbox/edits", unknown).await;
    assert_eq!(
        answer.json()["error"],
        json!("there is no master 0 in workspace 10USA_10USACO")
    );
}

#[tokio::test]
async fn faults_are_set_over_http_and_calls_read() {
    let site = Site::new().await;
    let rule = json!({"operation": "post:*", "kind": {"error_after": {"status": 502}}});
    assert_eq!(call(&site, "POST", "/_sandbox/faults", rule).await.status, 201);
    assert_eq!(site.invoice(example_invoice()).await.status, 502);
    assert_eq!(site.documents().len(), 1);
    let calls = call(&site, "GET", "/_sandbox/calls", Value::Null).await.json();
    assert_eq!(calls["counts"], json!({"post:supplier_invoice": 1}));
}

#[tokio::test]
async fn a_foreign_host_name_is_refused() {
    let site = Site::new().await;
    let request = Request::get("/_sandbox/documents")
        .header("host", "evil.example")
        .body(Body::empty());
    assert_eq!(site.send(request.unwrap()).await.status, 403);
}
