//! A proxy between the program and the stand-in Expensify that rewrites what it answers: for what the stand-in's own
//! world cannot say, such as a status nobody knows or a count that disagrees with its lines.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Changes a body on its way.
pub type Rewrite = Box<dyn Fn(&str) -> String + Send>;

#[derive(Clone)]
struct Shared {
    target: String,
    client: reqwest::Client,
    request: Arc<Mutex<Rewrite>>,
    answer: Arc<Mutex<Rewrite>>,
}

/// The proxy, running.
pub struct Proxy {
    /// Its own address, with the path of the target.
    pub url: String,
    shared: Shared,
}

impl Proxy {
    /// Starts a proxy that changes nothing yet.
    pub async fn start(target: &str) -> Self {
        let plain = || -> Arc<Mutex<Rewrite>> { Arc::new(Mutex::new(Box::new(ToOwned::to_owned))) };
        let shared = Shared {
            target: target.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            request: plain(),
            answer: plain(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let path = target.splitn(4, '/').nth(3).unwrap_or_default();
        let url = format!("http://{address}/{path}");
        let router = Router::new().fallback(forward).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Changes every answer's body from now on.
    pub fn rewrite_answers(&self, rewrite: impl Fn(&str) -> String + Send + 'static) {
        *self.shared.answer.lock().expect("no panic") = Box::new(rewrite);
    }

    /// Changes every request's body from now on.
    pub fn rewrite_requests(&self, rewrite: impl Fn(&str) -> String + Send + 'static) {
        *self.shared.request.lock().expect("no panic") = Box::new(rewrite);
    }

    /// Changes nothing any more.
    pub fn be_transparent(&self) {
        self.rewrite_answers(ToOwned::to_owned);
        self.rewrite_requests(ToOwned::to_owned);
    }
}

async fn forward(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("a form");
    let body = (shared.request.lock().expect("no panic"))(&body);
    let mut request = shared.client.post(&shared.target).body(body);
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    match request.send().await {
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        Ok(answer) => {
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            let text = (shared.answer.lock().expect("no panic"))(&text);
            (status, [(header::CONTENT_TYPE, "text/plain;charset=utf-8")], text).into_response()
        }
    }
}
