//! Over a real socket: connections that are dropped, callers that give up.

use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::{FaultKind, QadConfig, QadStandIn, sample};

use crate::support::{INVOICE, WORKSPACE, example_invoice};

struct Caller {
    stand_in: QadStandIn,
    client: reqwest::Client,
    token: String,
}

impl Caller {
    async fn new() -> Self {
        let stand_in = QadStandIn::start(QadConfig {
            world: sample::world(),
            ..QadConfig::default()
        })
        .await
        .unwrap();
        let client = reqwest::Client::new();
        let form = [
            ("grant_type", "password"),
            ("client_id", "CLIENT"),
            ("username", "svc"),
            ("password", "secret"),
        ];
        let answer = client
            .post(format!("{}/oauth/token", stand_in.url()))
            .form(&form)
            .send()
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let token = body["access_token"].as_str().unwrap().to_owned();
        Self {
            stand_in,
            client,
            token,
        }
    }

    fn post(&self) -> reqwest::RequestBuilder {
        let body = serde_json::json!({"supplierInvoices": [example_invoice()]});
        self.client
            .post(format!("{}/api/erp/supplierInvoices", self.stand_in.url()))
            .query(&[("viewUri", INVOICE)])
            .bearer_auth(&self.token)
            .header("x-qad-workspace-id", WORKSPACE)
            .body(body.to_string())
    }

    fn stored(&self) -> usize {
        self.stand_in
            .handle()
            .read(|world| world.workspace(WORKSPACE).unwrap().ledger.len())
    }

    fn struck_by(&self, kind: FaultKind) {
        self.stand_in
            .handle()
            .faults()
            .add(FaultRule::next("post:supplier_invoice", kind));
    }
}

#[tokio::test]
async fn a_document_is_posted_over_http() {
    let caller = Caller::new().await;
    let answer = caller.post().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(caller.stored(), 1);
    caller.stand_in.shutdown().await;
}

#[tokio::test]
async fn a_dropped_connection_is_an_error_whether_or_not_it_was_stored() {
    for (kind, stored) in [(FaultKind::DropBefore, 0), (FaultKind::DropAfter, 1)] {
        let caller = Caller::new().await;
        caller.struck_by(kind);
        let error = caller.post().send().await.unwrap_err();
        assert!(error.is_request() && !error.is_timeout(), "{error:?}");
        assert_eq!(caller.stored(), stored);
    }
}

/// Yields until it holds; whoever never makes it hold is stopped by the test runner.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_delayed_document_is_there_before_the_caller_gives_up() {
    let caller = Caller::new().await;
    caller.struck_by(FaultKind::Delay { ms: 3_600_000 });
    let call = tokio::spawn(caller.post().send());
    until(|| caller.stored() == 1).await;
    assert!(!call.is_finished());
    call.abort();
}

#[tokio::test]
async fn a_zombie_is_stored_after_the_caller_has_gone() {
    let caller = Caller::new().await;
    caller.struck_by(FaultKind::Zombie { ms: 300 });
    let call = tokio::spawn(caller.post().send());
    // The rule is spent when the request has arrived.
    until(|| caller.stand_in.handle().faults().pending().is_empty()).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(caller.stored(), 0);
    until(|| caller.stored() == 1).await;
}

#[tokio::test]
async fn control_endpoints_lie_beside_the_context_root() {
    let caller = Caller::new().await;
    caller.post().send().await.unwrap();
    let listing = caller
        .client
        .get(format!("{}/_sandbox/documents", caller.stand_in.origin()))
        .send()
        .await
        .unwrap();
    assert_eq!(listing.status(), 200);
    let elsewhere = caller
        .client
        .get(format!("{}/_sandbox/documents", caller.stand_in.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(elsewhere.status(), 401);
}
