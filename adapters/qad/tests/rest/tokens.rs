//! Tokens (contract §1.4).

use std::time::Duration;

use tieout_domain::ports::{Ledger, LedgerError, LookUp, PostAnswer};
use tieout_qad::profile::TEMPLATE;

use crate::canned::{Canned, TOKEN, TOKEN_TWO, WRONG_LOGIN, canaries, client};
use crate::documents::{Still, invoice, report};
use crate::stand_in::StandIn;

const ACCEPTED: &str = r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]}}"#;
const EXPIRED: (u16, &str) = (401, r#"{"error":"invalid_token"}"#);

#[tokio::test]
async fn a_refused_login_is_never_tried_again() {
    let server = Canned::start([(400, WRONG_LOGIN)]).await;
    let client = server.client();
    for _ in 0..3 {
        let error = client.look_up(report()).await.unwrap_err();
        assert!(
            matches!(&error, LedgerError::Unauthorised { detail } if detail.contains("Username or password is invalid")),
            "{error}"
        );
        assert!(matches!(
            client.post(&invoice()).await,
            PostAnswer::NeverArrived { .. }
        ));
    }
    assert_eq!(
        server.received().len(),
        1,
        "each attempt brings the user nearer to its lock"
    );
}

#[tokio::test]
async fn a_token_that_was_turned_away_is_refreshed_once_and_the_call_sent_once_more() {
    let server = Canned::start([(200, TOKEN), EXPIRED, (200, TOKEN_TWO), (200, ACCEPTED)]).await;
    assert!(matches!(
        server.client().post(&invoice()).await,
        PostAnswer::Accepted { .. }
    ));
    let received = server.received();
    assert_eq!(
        received[2].body,
        "grant_type=refresh_token&client_id=CLIENT&refresh_token=eyJ-refresh-one"
    );
    assert_eq!(received[3].header("authorization"), "Bearer eyJ-access-two");
    assert_eq!(received[1].body, received[3].body);
}

#[tokio::test]
async fn a_refresh_that_fails_is_followed_by_one_login() {
    let server = Canned::start([
        (200, TOKEN),
        EXPIRED,
        (400, WRONG_LOGIN),
        (200, TOKEN_TWO),
        (200, ACCEPTED),
    ])
    .await;
    assert!(matches!(
        server.client().post(&invoice()).await,
        PostAnswer::Accepted { .. }
    ));
    assert!(server.received()[3].body.starts_with("grant_type=password"));
}

#[tokio::test]
async fn a_call_turned_away_twice_never_arrived() {
    let server = Canned::start([(200, TOKEN), EXPIRED, (200, TOKEN_TWO), EXPIRED]).await;
    assert!(
        matches!(server.client().post(&invoice()).await, PostAnswer::NeverArrived { detail } if detail.contains("401"))
    );
    assert_eq!(server.received().len(), 4);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_no_refused_login() {
    let server = Canned::start([(503, ""), (200, TOKEN), (200, ACCEPTED)]).await;
    let client = server.client();
    assert!(
        matches!(client.post(&invoice()).await, PostAnswer::NeverArrived { .. }),
        "the document was not sent"
    );
    assert!(matches!(
        client.post(&invoice()).await,
        PostAnswer::Accepted { .. }
    ));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_lives_300_seconds_if_it_does_not_say() {
    let silent = r#"{"access_token":"eyJ-a","refresh_token":"eyJ-r"}"#;
    let server = Canned::start([
        (200, silent),
        (200, ACCEPTED),
        (200, ACCEPTED),
        (200, TOKEN_TWO),
        (200, ACCEPTED),
    ])
    .await;
    let clock = Still::default();
    let client = client(&server.url, &canaries().fill(TEMPLATE), "secret", clock.clone());
    client.post(&invoice()).await;
    clock.advance(Duration::from_secs(269));
    client.post(&invoice()).await;
    clock.advance(Duration::from_secs(2));
    client.post(&invoice()).await;
    let paths: Vec<String> = server
        .received()
        .into_iter()
        .map(|received| received.path.replace("/clouderp", ""))
        .collect();
    let invoices = "/api/erp/supplierInvoices";
    assert_eq!(
        paths,
        ["/oauth/token", invoices, invoices, "/oauth/token", invoices]
    );
}

#[tokio::test]
async fn concurrent_calls_share_one_token() {
    let stand_in = StandIn::start().await;
    let client = &stand_in.client;
    let (one, two, three) = tokio::join!(
        client.look_up(report()),
        client.look_up(report()),
        client.read_chart()
    );
    assert_eq!((one.unwrap(), two.unwrap()), (LookUp::Absent, LookUp::Absent));
    three.unwrap();
    assert_eq!(stand_in.handle.calls().count("token"), 1);
    stand_in.handle.expire_tokens(None);
    let (one, two, three) = tokio::join!(
        client.look_up(report()),
        client.look_up(report()),
        client.read_chart()
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(
        stand_in.handle.calls().count("token"),
        2,
        "one refresh for all that were turned away"
    );
}
