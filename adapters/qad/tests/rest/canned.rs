//! A server that answers what it is told to, in order, and keeps what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use tieout_domain::ids::Workspace;
use tieout_qad::profile::{Canaries, Profile, TEMPLATE};
use tieout_qad::{Credentials, QadClient};

use crate::documents::Still;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
}
impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, String)>,
    received: Vec<Received>,
}

/// The server.
#[derive(Clone)]
pub struct Canned {
    script: Arc<Mutex<Script>>,
    pub url: String,
}

pub const TOKEN: &str = r#"{"access_token":"eyJ-access-one","refresh_token":"eyJ-refresh-one","token_type":"bearer","expires_in":3600}"#;
pub const TOKEN_TWO: &str = r#"{"access_token":"eyJ-access-two","refresh_token":"eyJ-refresh-two","token_type":"bearer","expires_in":3600}"#;
pub const WRONG_LOGIN: &str =
    r#"{"error":"invalid_grant","error_description":"Username or password is invalid, please try again."}"#;

impl Canned {
    pub async fn start<const N: usize>(answers: [(u16, &str); N]) -> Self {
        let answers = answers
            .into_iter()
            .map(|(status, body)| (status, body.to_owned()))
            .collect();
        let script = Arc::new(Mutex::new(Script {
            answers,
            received: Vec::new(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/clouderp", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, url }
    }

    pub fn received(&self) -> Vec<Received> {
        self.script.lock().unwrap().received.clone()
    }

    pub fn client(&self) -> QadClient<Still> {
        client(
            &self.url,
            &Canaries::fill(&canaries(), TEMPLATE),
            "secret",
            Still::default(),
        )
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let mut script = script.lock().unwrap();
    script.received.push(Received {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    });
    let (status, text) = script
        .answers
        .pop_front()
        .unwrap_or((599, "nothing more was to be asked".to_owned()));
    let response = Response::builder().status(status);
    // Where an unauthenticated browser is sent (contract §1.3).
    let response = if status == 302 {
        response.header("location", "/clouderp/resources/login.jsp")
    } else {
        response
    };
    response.body(Body::from(text)).unwrap()
}

pub fn canaries() -> Canaries {
    Canaries {
        account: "6410".into(),
        cost_centre: "1200".into(),
        sub_account: "10".into(),
        project: "P100".into(),
        supplier: "EMP-E1001".into(),
        employee: "E1001".into(),
        daybook: "SINV".into(),
        period: "2024/01".into(),
        supplier_invoice: "CANARY-INV".into(),
        journal: "CANARY-JE".into(),
    }
}

pub fn client(url: &str, profile: &str, password: &str, clock: Still) -> QadClient<Still> {
    let credentials = Credentials {
        client_id: "CLIENT".into(),
        username: "svc".into(),
        password: password.into(),
    };
    QadClient::new(
        url,
        &Workspace::new("10USA_10USACO").unwrap(),
        credentials,
        Profile::parse(profile).unwrap(),
        clock,
    )
    .unwrap()
}
