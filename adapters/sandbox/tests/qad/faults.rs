//! Contract qad §7.12 item 8: each fault, on the call it is meant for.

use serde_json::json;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::Module;

use crate::support::{Answer, Site, WORKSPACE, example_invoice};

const ACCOUNTS: &str = "urn:browse:mfg:gp309";

async fn post_under(kind: FaultKind) -> (Site, Answer) {
    let site = Site::new().await;
    site.handle
        .faults()
        .add(FaultRule::next("post:supplier_invoice", kind));
    let answer = site.invoice(example_invoice()).await;
    assert!(site.handle.faults().pending().is_empty());
    (site, answer)
}

async fn browse_under(kind: FaultKind, filter: Option<&str>) -> Answer {
    let site = Site::new().await;
    site.handle.faults().add(FaultRule::next("browse:accounts", kind));
    let filter: Vec<_> = filter.into_iter().map(|filter| ("filter", filter)).collect();
    let answer = site.browse(ACCOUNTS, &filter).await;
    assert_eq!(site.browse(ACCOUNTS, &[]).await.rows().len(), 7, "one call only");
    answer
}

#[tokio::test]
async fn before_means_that_nothing_is_stored() {
    for kind in [
        FaultKind::DropBefore,
        FaultKind::HtmlPage,
        FaultKind::ErrorBefore { status: 503 },
        FaultKind::ErrorBefore { status: 429 },
        FaultKind::TokenExpired,
        FaultKind::Forbidden,
    ] {
        let (site, _) = post_under(kind.clone()).await;
        assert!(site.documents().is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn after_means_that_it_is_stored_all_the_same() {
    for kind in [
        FaultKind::DropAfter,
        FaultKind::HtmlPageAfter,
        FaultKind::ErrorAfter { status: 504 },
        FaultKind::TruncatedBody,
        FaultKind::WarnedAsFailure,
        FaultKind::Delay { ms: 1 },
        FaultKind::Zombie { ms: 1 },
    ] {
        let (site, _) = post_under(kind.clone()).await;
        assert_eq!(site.documents().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn answers_are_spoilt_as_named() {
    assert!(post_under(FaultKind::DropBefore).await.1.dropped);
    assert!(post_under(FaultKind::DropAfter).await.1.dropped);
    let html = post_under(FaultKind::HtmlPageAfter).await.1;
    assert!(html.status == 200 && html.text.starts_with("<!DOCTYPE html>"));
    assert!(
        html.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let busy = post_under(FaultKind::ErrorBefore { status: 429 }).await.1;
    assert_eq!(
        (
            busy.status.as_u16(),
            busy.headers["retry-after"].to_str().unwrap()
        ),
        (429, "1")
    );
    assert_eq!(
        post_under(FaultKind::ErrorAfter { status: 504 }).await.1.status,
        504
    );
    let cut = post_under(FaultKind::TruncatedBody).await.1;
    assert!(cut.status == 200 && serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
    post_under(FaultKind::Zombie { ms: 1 }).await.1.stored();
}

#[tokio::test]
async fn a_stored_document_can_be_answered_as_a_failure_with_a_warning() {
    let answer = post_under(FaultKind::WarnedAsFailure).await.1.json();
    assert_eq!(answer["submitResult"]["success"], json!(false));
    assert_eq!(answer["submitResult"]["errors"][0]["severity"], json!(2));
    assert!(answer.get("supplierInvoices").is_none());
}

#[tokio::test]
async fn a_field_or_a_line_is_lost_while_the_answer_says_success() {
    let lost = |field: &str| FaultKind::FieldNotStored { field: field.into() };
    let (site, answer) = post_under(lost("cost_centre")).await;
    answer.stored();
    assert!(
        site.documents()[0]
            .lines
            .iter()
            .all(|line| line.cost_centre.is_empty())
    );
    let (site, answer) = post_under(lost("reference")).await;
    answer.stored();
    let filter = [("filter", "supplierInvoice.reference,eq,EXP-R00AbC12,literal")];
    let browse = "urn:browse:bebrowse:com.qad.erp.financials.supplierInvoices";
    assert!(
        site.browse(browse, &filter).await.rows().is_empty(),
        "no look-up finds it"
    );
    let (site, answer) = post_under(lost("dueDate")).await;
    answer.stored();
    assert_eq!(site.documents()[0].due_date, None);
    let (site, answer) = post_under(FaultKind::LineNotStored).await;
    answer.stored();
    assert_eq!(site.documents()[0].lines.len(), 1);
}

#[tokio::test]
async fn a_posting_date_moves_to_the_next_open_period() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        let june = world
            .workspace_mut(WORKSPACE)
            .unwrap()
            .period_mut(2024, 6)
            .unwrap();
        june.allow(Some(Module::Purchasing), false);
    });
    site.handle
        .faults()
        .add(FaultRule::next("post:*", FaultKind::PostingDateShifted));
    site.invoice(example_invoice()).await.stored();
    let stored = &site.documents()[0];
    assert_eq!(
        (stored.posting_date.to_string().as_str(), stored.period),
        ("2024-07-01", 7)
    );
}

#[tokio::test]
async fn a_request_delivered_twice_is_stored_twice_and_answered_once() {
    let (site, answer) = post_under(FaultKind::DeliveredTwice).await;
    answer.stored();
    assert_eq!(answer.json()["supplierInvoices"][0]["voucher"], json!(1));
    assert!(answer.json().get("supplementaryMessages").is_none());
    assert_eq!(site.documents().len(), 2);
}

#[tokio::test]
async fn browses_fall_silent_fail_lose_their_canary_and_shrink() {
    let canary = Some("ac_mstr.ac_code,eq,6410,literal");
    assert!(browse_under(FaultKind::EmptyBrowse, None).await.rows().is_empty());
    assert_eq!(browse_under(FaultKind::BrowseFails, None).await.status, 500);
    assert!(
        browse_under(FaultKind::BrokenCanary, canary)
            .await
            .rows()
            .is_empty()
    );
    assert_eq!(browse_under(FaultKind::BrokenCanary, None).await.rows().len(), 7);
    assert_eq!(
        browse_under(FaultKind::RowsMissing { rows: 3 }, None)
            .await
            .rows()
            .len(),
        4
    );
}

#[tokio::test]
async fn a_rule_may_name_the_browse_id() {
    let site = Site::new().await;
    site.handle
        .faults()
        .add(FaultRule::next(format!("browse:{ACCOUNTS}"), FaultKind::EmptyBrowse).after(1));
    assert_eq!(site.browse(ACCOUNTS, &[]).await.rows().len(), 7);
    assert_eq!(site.browse("urn:browse:mfg:gp059", &[]).await.rows().len(), 3);
    assert!(site.browse(ACCOUNTS, &[]).await.rows().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_mended_by_a_login() {
    let mut site = Site::new().await;
    site.handle
        .faults()
        .add(FaultRule::next("browse:*", FaultKind::TokenExpired));
    assert_eq!(site.browse(ACCOUNTS, &[]).await.status, 401);
    assert_eq!(
        site.browse(ACCOUNTS, &[]).await.status,
        401,
        "the token is dead, not the call"
    );
    site.log_in().await;
    assert_eq!(site.browse(ACCOUNTS, &[]).await.status, 200);
    site.handle
        .faults()
        .add(FaultRule::next("token", FaultKind::TokenExpired));
    site.log_in().await;
    assert_eq!(site.browse(ACCOUNTS, &[]).await.status, 401, "dead on arrival");
}

#[tokio::test]
async fn calls_keep_the_fault_that_struck_them() {
    let (site, _) = post_under(FaultKind::DropAfter).await;
    let call = &site.handle.calls().all()[0];
    assert_eq!(
        (call.operation.as_str(), call.status),
        ("post:supplier_invoice", 0)
    );
    assert_eq!(call.fault.as_deref(), Some("drop_after"));
}
