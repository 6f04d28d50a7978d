//! The endpoints under `/_sandbox/` that both stand-ins have: calls and faults.
//!
//! | method and path | does |
//! |---|---|
//! | `GET /_sandbox/calls` | `{"counts": {operation: n}, "throttled": n, "calls": [..]}` |
//! | `DELETE /_sandbox/calls` | forgets them |
//! | `GET /_sandbox/faults` | the rules still pending |
//! | `POST /_sandbox/faults` | adds a rule (or an array of rules) |
//! | `DELETE /_sandbox/faults` | forgets them |
//!
//! The listener is bound to loopback; a request whose `Host` names anything else is refused too, so that a page in a
//! browser cannot reach these by pointing a name of its own at 127.0.0.1.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::calls::Calls;
use crate::fault::{FaultRule, Faults};

/// What a fault kind must be to be set and shown over HTTP.
pub trait Kind: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<K: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Kind for K {}

struct Shared<K> {
    calls: Calls,
    faults: Faults<K>,
}

impl<K> Clone for Shared<K> {
    fn clone(&self) -> Self {
        Self {
            calls: self.calls.clone(),
            faults: self.faults.clone(),
        }
    }
}

/// The routes for calls and faults; merge it into a stand-in's router.
pub fn router<K: Kind>(calls: Calls, faults: Faults<K>) -> Router {
    Router::new()
        .route("/_sandbox/calls", get(list_calls::<K>).delete(forget_calls::<K>))
        .route(
            "/_sandbox/faults",
            get(list_faults::<K>)
                .post(add_faults::<K>)
                .delete(forget_faults::<K>),
        )
        .layer(middleware::from_fn(loopback_only))
        .with_state(Shared { calls, faults })
}

async fn list_calls<K: Kind>(State(shared): State<Shared<K>>) -> Response {
    let calls = &shared.calls;
    Json(json!({"counts": calls.counts(), "throttled": calls.throttled(), "calls": calls.all()}))
        .into_response()
}

async fn forget_calls<K: Kind>(State(shared): State<Shared<K>>) -> StatusCode {
    shared.calls.clear();
    StatusCode::NO_CONTENT
}

async fn list_faults<K: Kind>(State(shared): State<Shared<K>>) -> Response {
    Json(shared.faults.pending()).into_response()
}

async fn forget_faults<K: Kind>(State(shared): State<Shared<K>>) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn add_faults<K: Kind>(State(shared): State<Shared<K>>, body: String) -> Response {
    // By the first character and not by trying both: an untagged enum would hide what is wrong with a rule.
    let rules = if body.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<FaultRule<K>>>(&body)
    } else {
        serde_json::from_str::<FaultRule<K>>(&body).map(|rule| vec![rule])
    };
    match rules {
        Ok(rules) => {
            rules.into_iter().for_each(|rule| shared.faults.add(rule));
            (StatusCode::CREATED, Json(shared.faults.pending())).into_response()
        }
        Err(error) => refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("not a fault rule: {error}"),
        ),
    }
}

/// A control endpoint's refusal: `{"error": why}`.
pub fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}

/// Refuses a request whose `Host` is not a loopback name; for every control route of a stand-in.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let named = host.map(|host| match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    });
    match named {
        // No Host at all is a call in process.
        None | Some("127.0.0.1" | "localhost" | "::1" | "") => next.run(request).await,
        Some(other) => refuse(
            StatusCode::FORBIDDEN,
            &format!("the control endpoints answer on loopback only, and `{other}` is not; use 127.0.0.1"),
        ),
    }
}
