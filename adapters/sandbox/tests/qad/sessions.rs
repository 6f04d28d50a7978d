//! Contract qad §1.4, §1.5: tokens, lockout, permissions, workspace.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Site, WORKSPACE};

const LOGIN: &str = "grant_type=password&client_id=CLIENT&username=svc&password=secret";
const WRONG: &str = "grant_type=password&client_id=CLIENT&username=svc&password=wrong";

async fn status(site: &Site) -> StatusCode {
    site.browse("urn:browse:mfg:gp309", &[]).await.status
}

#[tokio::test]
async fn the_password_grant_answers_as_the_contract_shows() {
    let site = Site::new().await;
    let answer = site.token(LOGIN).await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(3600))
    );
    assert!(body["access_token"].is_string() && body["refresh_token"].is_string());
}

#[tokio::test]
async fn parameters_in_the_query_are_taken_too() {
    let site = Site::new().await;
    let request = Request::post(format!("/clouderp/oauth/token?{LOGIN}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(site.send(request).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_is_400_and_ten_of_them_lock() {
    let site = Site::new().await;
    for _ in 0..10 {
        let answer = site.token(WRONG).await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json(),
            json!({"error": "invalid_grant", "error_description": "Username or password is invalid, please try again."})
        );
    }
    assert_eq!(site.token(LOGIN).await.status, 400);
    site.handle
        .edit(|world| world.users.get_mut("svc").unwrap().unlock());
    assert_eq!(site.token(LOGIN).await.status, 200);
}

#[tokio::test]
async fn a_right_password_forgets_the_failures() {
    let site = Site::new().await;
    for _ in 0..3 {
        for _ in 0..9 {
            site.token(WRONG).await;
        }
        assert_eq!(site.token(LOGIN).await.status, 200);
    }
}

#[tokio::test]
async fn an_unknown_client_and_an_unknown_grant_are_told_apart() {
    let site = Site::new().await;
    let client = site.token(&LOGIN.replace("CLIENT", "OTHER")).await;
    assert_eq!(
        (client.status.as_u16(), &client.json()["error"]),
        (400, &json!("invalid_client"))
    );
    let grant = site.token(&LOGIN.replace("=password&", "=magic&")).await;
    assert_eq!(grant.json()["error"], json!("unsupported_grant_type"));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_lives_its_time() {
    let mut site = Site::new().await;
    let refresh = |answer: &crate::support::Answer| {
        let token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        format!("grant_type=refresh_token&client_id=CLIENT&refresh_token={token}")
    };
    let form = refresh(&site.token(LOGIN).await);
    let second = site.token(&form).await;
    site.token = second.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status(&site).await, 200);
    assert_eq!(site.token(&form).await.status, 400, "a spent refresh token");
    site.clock.advance(TimeDelta::days(2));
    assert_eq!(
        site.token(&refresh(&second)).await.status,
        400,
        "an old refresh token"
    );
}

#[tokio::test]
async fn an_expired_an_unknown_and_a_missing_token_are_401() {
    let mut site = Site::new().await;
    site.clock.advance(TimeDelta::seconds(3599));
    assert_eq!(status(&site).await, 200);
    site.clock.advance(TimeDelta::seconds(1));
    let answer = site.browse("urn:browse:mfg:gp309", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (401, json!({"error": "invalid_token"}))
    );
    site.token = "made-up".into();
    assert_eq!(status(&site).await, 401);
    let bare = Request::get("/clouderp/api/qracore/browses")
        .body(Body::empty())
        .unwrap();
    assert_eq!(site.send(bare).await.status, 401);
}

#[tokio::test]
async fn a_forbidden_user_is_403_in_the_platforms_envelope() {
    let site = Site::new().await;
    site.handle
        .edit(|world| world.users.get_mut("svc").unwrap().forbidden = true);
    let answer = site.browse("urn:browse:mfg:gp309", &[]).await;
    let denied =
        json!({"errors": [{"severity": 1, "code": "403", "message": "Access is denied", "fieldName": ""}]});
    assert_eq!((answer.status.as_u16(), answer.json()), (403, denied));
}

async fn in_workspace(site: &Site, workspace: Option<&str>) -> StatusCode {
    let target = "/clouderp/api/qracore/browses?browseId=urn:browse:mfg:gp309&page=1&pageAction=first";
    let mut request = Request::get(target).header("authorization", format!("Bearer {}", site.token));
    if let Some(workspace) = workspace {
        request = request.header("x-qad-workspace-id", workspace);
    }
    site.send(request.body(Body::empty()).unwrap()).await.status
}

#[tokio::test]
async fn the_header_selects_the_workspace_and_the_users_default_stands_in_for_it() {
    let site = Site::new().await;
    assert_eq!(in_workspace(&site, Some(WORKSPACE)).await, 200);
    assert_eq!(in_workspace(&site, Some("99XX_99XXCO")).await, 403);
    assert_eq!(in_workspace(&site, None).await, 403);
    site.handle
        .edit(|world| world.users.get_mut("svc").unwrap().default_workspace = Some(WORKSPACE.into()));
    assert_eq!(in_workspace(&site, None).await, 200);
}

#[tokio::test]
async fn basic_is_taken_on_browses_only() {
    let site = Site::new().await;
    let basic = |target: &str, password: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("svc:{password}"));
        Request::get(target)
            .header("authorization", format!("Basic {pair}"))
            .header("x-qad-workspace-id", WORKSPACE)
            .body(Body::empty())
            .unwrap()
    };
    let browse = "/clouderp/api/qracore/browses?browseId=urn:browse:mfg:gp309&page=1&pageAction=first";
    assert_eq!(site.send(basic(browse, "secret")).await.status, 200);
    assert_eq!(site.send(basic(browse, "wrong")).await.status, 401);
    assert_eq!(
        site.send(basic("/clouderp/api/erp/supplierInvoices", "secret"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn the_legacy_login_gives_a_cookie() {
    let site = Site::new().await;
    let login =
        Request::post("/clouderp/api/login").body(Body::from(r#"{"username":"svc","password":"secret"}"#));
    let session = site.send(login.unwrap()).await.json()["sessionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let browse =
        Request::get("/clouderp/api/qracore/browses?browseId=urn:browse:mfg:gp309&page=1&pageAction=first")
            .header("cookie", format!("a=b; JSESSIONID={session}"))
            .header("x-qad-workspace-id", WORKSPACE);
    assert_eq!(site.send(browse.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn calls_are_kept_with_their_caller_and_without_secrets() {
    let site = Site::new().await;
    site.token(LOGIN).await;
    site.browse("urn:browse:mfg:gp309", &[]).await;
    let calls = site.handle.calls().all();
    let kept: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.caller.as_str(), call.status))
        .collect();
    assert_eq!(kept, [("token", "svc", 200), ("browse:accounts", "svc", 200)]);
    let text = format!("{calls:?}{:?}", site.handle);
    assert!(!text.contains("secret") && !text.contains(&site.token));
}
