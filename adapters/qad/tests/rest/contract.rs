//! The contract's own answers (§7) as inputs.

use tieout_domain::chart::MasterRead;
use tieout_domain::ids::{DaybookCode, DocumentKind, Voucher};
use tieout_domain::ports::{Ledger, LedgerError, LookUp, PostAnswer};
use tieout_domain::posting::DocumentKey;

use crate::canned::{Canned, TOKEN, canaries, client};
use crate::documents::{Still, invoice, reference, report};
use tieout_qad::profile::TEMPLATE;

const NOTHING: &str = r#"{"data":[],"auxillaryData":{"HasMoreParams":"false"}}"#;

#[tokio::test]
async fn a_token_is_asked_for_in_the_body_and_sent_with_every_header() {
    let server = Canned::start([
        (200, TOKEN),
        (
            200,
            r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]}}"#,
        ),
    ])
    .await;
    assert!(matches!(
        server.client().post(&invoice()).await,
        PostAnswer::Accepted { key: None, .. }
    ));
    let received = server.received();
    assert_eq!(
        (received[0].path.as_str(), received[0].query.as_str()),
        ("/clouderp/oauth/token", "")
    );
    assert_eq!(
        received[0].body,
        "grant_type=password&client_id=CLIENT&username=svc&password=secret"
    );
    assert_eq!(
        received[0].header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(received[1].header("authorization"), "Bearer eyJ-access-one");
    assert_eq!(received[1].header("x-qad-workspace-id"), "10USA_10USACO");
    assert_eq!(received[1].header("accept"), "application/json");
    assert_eq!(received[1].header("accept-language"), "en");
    assert!(received[1].header("user-agent").starts_with("tieout/"));
}

#[tokio::test]
async fn cost_centres_come_in_pages() {
    let first = r#"{"data":[{"cc_mstr.cc_ctr":"1200","cc_mstr.cc_desc":"Sales East","cc_mstr.cc_active":true}],
     "auxillaryData":{"HasMoreParams":"true"}}"#;
    let second = r#"{"data":[{"cc_mstr.cc_ctr":"1300","cc_mstr.cc_desc":"Plant","cc_mstr.cc_active":false}],
     "auxillaryData":{"HasMoreParams":"false"}}"#;
    let server = Canned::start([(200, TOKEN), (200, NOTHING), (200, first), (200, second)]).await;
    let reading = server.client().read_chart().await.unwrap();
    let MasterRead::Rows(rows) = reading.cost_centres else {
        panic!("{:?}", reading.cost_centres)
    };
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.code.as_str(), row.description.as_str(), row.active))
        .collect();
    assert_eq!(seen, [("1200", "Sales East", true), ("1300", "Plant", false)]);
    let received = server.received();
    assert_eq!(
        received[2].query,
        "browseId=urn%3Abrowse%3Amfg%3Agp059&page=1&pageSize=200&pageAction=first"
    );
    assert_eq!(
        received[3].query,
        "browseId=urn%3Abrowse%3Amfg%3Agp059&page=2&pageSize=200&pageAction=next"
    );
    // An empty page without a known code proves nothing; neither does anything but a page.
    let MasterRead::Failed(why) = reading.accounts else {
        panic!("{:?}", reading.accounts)
    };
    assert!(why.contains("the accounts did not find its canary 6410"), "{why}");
    assert!(matches!(reading.sub_accounts, MasterRead::Failed(why) if why.contains("HTTP 599")));
}

#[tokio::test]
async fn a_look_up_of_the_contract_finds_its_document() {
    let found = r#"{"data":[{"supplierInvoice.reference":"e000kh2eavybuji1 ","supplierInvoice.postingYear":2024,
        "supplierInvoice.daybookCode":"SINV","supplierInvoice.voucher":441,"supplierInvoice.originalCreditTC":212.50,
        "supplierInvoice.documentStatus":"POSTED"}],"auxillaryData":{"HasMoreParams":"false"}}"#;
    let stem = tieout_domain::ids::Reference::stem(report());
    let found = found.replace("e000kh2eavybuj", &stem.to_lowercase());
    let journal_canary = r#"{"data":[{"journalEntry.originReference":"CANARY-JE","journalEntry.postingYear":2024,
        "journalEntry.daybookCode":"SINV","journalEntry.voucher":441,"journalEntry.documentStatus":""}],
        "auxillaryData":{"HasMoreParams":"false"}}"#;
    let server = Canned::start([(200, TOKEN), (200, &found), (200, NOTHING), (200, journal_canary)]).await;
    let LookUp::Found(seen) = server.client().look_up(report()).await.unwrap() else {
        panic!("absent")
    };
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].reference, reference(DocumentKind::SupplierInvoice));
    assert_eq!(
        seen[0].key,
        DocumentKey {
            year: 2024,
            daybook: DaybookCode::new("SINV").unwrap(),
            voucher: Voucher(441)
        }
    );
    let query = &server.received()[1].query;
    assert!(
        query.ends_with(&format!(
            "&filter=supplierInvoice.reference%2Csw%2C{stem}%2Cliteral"
        )),
        "{query}"
    );
}

/// A report of two documents may stand in QAD with one of them: that the other one does not needs its own proof.
#[tokio::test]
async fn a_document_found_does_not_vouch_for_the_emptiness_of_the_other_browse() {
    let stem = tieout_domain::ids::Reference::stem(report());
    let found = format!(
        r#"{{"data":[{{"supplierInvoice.reference":"{stem}I1","supplierInvoice.postingYear":2024,"supplierInvoice.daybookCode":"SINV",
        "supplierInvoice.voucher":441,"supplierInvoice.documentStatus":""}}],"auxillaryData":{{"HasMoreParams":"false"}}}}"#
    );
    let server = Canned::start([(200, TOKEN), (200, &found), (200, NOTHING), (200, NOTHING)]).await;
    let error = server.client().look_up(report()).await.unwrap_err();
    assert!(
        matches!(&error, LedgerError::CanarySilent { canary, .. } if canary == "CANARY-JE"),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_that_begins_as_ours_and_is_not_one_is_an_error() {
    let stem = tieout_domain::ids::Reference::stem(report());
    let row = |reference: String| {
        format!(
            r#"{{"data":[{{"supplierInvoice.reference":"{reference}","supplierInvoice.postingYear":2024,"supplierInvoice.daybookCode":"SINV",
            "supplierInvoice.voucher":441,"supplierInvoice.documentStatus":""}}],"auxillaryData":{{"HasMoreParams":"false"}}}}"#
        )
    };
    for odd in [
        format!("{stem}X1"),
        format!("{stem}I"),
        format!("{stem}I1-COPY"),
        format!("{stem}J1"),
    ] {
        let server = Canned::start([(200, TOKEN), (200, &row(odd.clone()))]).await;
        let error = server.client().look_up(report()).await.unwrap_err();
        assert!(
            matches!(&error, LedgerError::Profile { detail, .. } if detail.contains(&odd)),
            "{odd}: {error}"
        );
    }
    // A row of somebody else means only that the filter was not applied: the canaries decide.
    let canary = |table: &str, field: &str, reference: &str| {
        row(reference.to_owned())
            .replace("supplierInvoice.reference", &format!("{table}.{field}"))
            .replace("supplierInvoice.", &format!("{table}."))
    };
    let server = Canned::start([
        (200, TOKEN),
        (200, &row("4711".to_owned())),
        (200, NOTHING),
        (200, &row("canary-inv".to_owned())),
        (200, &canary("journalEntry", "originReference", "CANARY-JE")),
    ])
    .await;
    assert_eq!(server.client().look_up(report()).await.unwrap(), LookUp::Absent);
}

#[tokio::test]
async fn a_page_that_is_shown_again_is_not_taken_for_more() {
    let page = r#"{"data":[{"cc_mstr.cc_ctr":"1200","cc_mstr.cc_desc":"","cc_mstr.cc_active":true}],"auxillaryData":{"HasMoreParams":"true"}}"#;
    let server = Canned::start([(200, TOKEN), (200, NOTHING), (200, page), (200, page)]).await;
    let reading = server.client().read_chart().await.unwrap();
    assert!(
        matches!(reading.cost_centres, MasterRead::Failed(why) if why.contains("page 2 is page 1 again"))
    );
}

#[tokio::test]
async fn a_browse_that_never_ends_is_given_up() {
    let profile = canaries()
        .fill(TEMPLATE)
        .replace("max_pages = 5000", "max_pages = 1");
    let page = r#"{"data":[{"cc_mstr.cc_ctr":"1200"}],"auxillaryData":{"HasMoreParams":"true"}}"#;
    let server = Canned::start([(200, TOKEN), (200, page)]).await;
    let reading = client(&server.url, &profile, "secret", Still::default())
        .read_chart()
        .await
        .unwrap();
    assert!(matches!(reading.accounts, MasterRead::Failed(why) if why.contains("transport.max_pages")));
}

#[tokio::test]
async fn a_read_that_is_no_json_is_no_data() {
    for (status, body, expected) in [
        (200, "<html>Login</html>", "not JSON"),
        (302, "", "HTTP 302"),
        (500, r#"{"errors":["x"]}"#, "HTTP 500"),
        (200, "[1]", "no JSON object"),
    ] {
        let server = Canned::start([(200, TOKEN), (status, body)]).await;
        let error = server.client().look_up(report()).await.unwrap_err();
        assert!(
            matches!(&error, LedgerError::Unanswered { detail, .. } if detail.contains(expected)),
            "{error}"
        );
    }
    let server = Canned::start([
        (200, TOKEN),
        (
            403,
            r#"{"errors":[{"severity":1,"code":"403","message":"Access is denied","fieldName":""}]}"#,
        ),
    ])
    .await;
    assert!(matches!(
        server.client().look_up(report()).await,
        Err(LedgerError::Denied { .. })
    ));
    assert_eq!(
        server.received().len(),
        2,
        "403 is permission, not expiry: no refresh"
    );
    let server = Canned::start([(200, TOKEN), (400, r#"{"errors":["Invalid URI"]}"#)]).await;
    assert!(matches!(
        server.client().look_up(report()).await,
        Err(LedgerError::Profile { .. })
    ));
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let profile = canaries()
        .fill(TEMPLATE)
        .replace("max_answer_bytes = 67108864", "max_answer_bytes = 1000");
    let long = "x".repeat(5_000);
    let server = Canned::start([(200, TOKEN), (200, &long)]).await;
    let error = client(&server.url, &profile, "secret", Still::default())
        .look_up(report())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("max_answer_bytes"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_the_login_page_is_not_followed() {
    let server = Canned::start([(200, TOKEN), (302, ""), (200, "<html>Login</html>")]).await;
    assert!(
        matches!(server.client().post(&invoice()).await, PostAnswer::Unknown { detail } if detail.starts_with("HTTP 302"))
    );
    assert_eq!(server.received().len(), 2);
}
