//! The one endpoint: reads a call, lets the limiter and the faults have their way, runs the job.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::State;
use super::fault::FaultKind;
use super::files::Content;
use super::jobs;
use super::reply::{self, Refusal, Reply};
use super::request::Call;
use crate::calls;
use crate::server::ConnectionDropped;

/// The largest body taken: templates and tag files are far smaller.
const LARGEST_BODY: usize = 64 << 20;

/// Answers a call. The work goes on in a task of its own: a client that gives up does not stop its job (contract §1.6).
pub async fn handle(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Ok(body) = to_bytes(request.into_body(), LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match tokio::spawn(answer(state, query, body)).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn answer(state: Arc<State>, query: String, body: Bytes) -> Response {
    let call = Call::read(&query, &body);
    drop(body);
    let (operation, caller) = match &call {
        Ok(call) => (
            call.operation(),
            call.text("/credentials/partnerUserID").to_owned(),
        ),
        Err(_) => ("unknown", String::new()),
    };
    let at = state.clock.now();
    let throttled = !state.limiter.passes(&caller, at);
    let fault = if throttled {
        None
    } else {
        state.faults.strike(operation)
    };
    tracing::debug!(
        operation,
        throttled,
        fault = fault.as_ref().map(FaultKind::name),
        "expensify stand-in called"
    );
    let ticket = state.calls.record(calls::Call {
        at,
        server: "expensify",
        operation: operation.to_owned(),
        caller,
        status: 0,
        code: None,
        throttled,
        fault: fault.as_ref().map(|fault| fault.name().to_owned()),
    });
    let (response, code) = if throttled {
        let status = if state.quirks.throttles_in_body {
            StatusCode::OK
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        (reply::refused(status, &reply::rate_limited()), Some(429))
    } else {
        match call {
            Ok(call) => with_fault(&state, call, fault).await,
            Err(refusal) => (reply::refused(StatusCode::OK, &refusal), Some(refusal.code)),
        }
    };
    let dropped = response.extensions().get::<ConnectionDropped>().is_some();
    let status = if dropped { 0 } else { response.status().as_u16() };
    state.calls.settle(ticket, status, code);
    response
}

/// Runs the job with what goes wrong on the way; the response and the code in its body.
async fn with_fault(state: &Arc<State>, call: Call, fault: Option<FaultKind>) -> (Response, Option<i64>) {
    let envelope = |refusal: Refusal| (reply::refused(StatusCode::OK, &refusal), Some(refusal.code));
    let Some(fault) = fault else {
        return plain(run(state, call).await);
    };
    match fault {
        FaultKind::DropBefore => (ConnectionDropped.into_response(), None),
        FaultKind::BadGateway => (reply::bad_gateway(), None),
        FaultKind::HtmlPage => (reply::html_page(), None),
        FaultKind::TooManyRequests => (
            reply::refused(StatusCode::TOO_MANY_REQUESTS, &reply::rate_limited()),
            Some(429),
        ),
        FaultKind::TooManyRequestsInBody => envelope(reply::rate_limited()),
        FaultKind::ServerError => envelope(Refusal::new(500, "Internal server error")),
        FaultKind::AuthenticationFailure => envelope(reply::authentication_error()),
        FaultKind::FileNotFound => envelope(Refusal::new(404, "File not found")),
        FaultKind::EmptyDownload => plain(Reply::File(Content::Memory(Bytes::new()))),
        FaultKind::Late { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            plain(run(state, call).await)
        }
        FaultKind::Slow { ms } => {
            let reply = run(state, call).await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            plain(reply)
        }
        FaultKind::DropAfter => {
            run(state, call).await;
            (ConnectionDropped.into_response(), None)
        }
        FaultKind::BadGatewayAfter => {
            run(state, call).await;
            (reply::bad_gateway(), None)
        }
        FaultKind::ServerErrorAfter => {
            run(state, call).await;
            envelope(Refusal::new(500, "Internal server error"))
        }
        FaultKind::TruncatedFile { .. }
        | FaultKind::BrokenDownload { .. }
        | FaultKind::LineDropped { .. }
        | FaultKind::LineGarbled { .. } => spoiled(run(state, call).await, &fault),
    }
}

fn plain(reply: Reply) -> (Response, Option<i64>) {
    let code = reply.code();
    (reply.into_response(None), code)
}

/// A file with something wrong in it; any other reply goes out as it is.
fn spoiled(reply: Reply, fault: &FaultKind) -> (Response, Option<i64>) {
    let Reply::File(content) = reply else {
        return plain(reply);
    };
    let Ok(bytes) = content.whole() else {
        return plain(Reply::File(content));
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let kept = match fault {
        FaultKind::BrokenDownload { bytes } => {
            let cut = bytes.unwrap_or(length / 2).min(length);
            return (Reply::File(content).into_response(Some(cut)), None);
        }
        FaultKind::TruncatedFile { bytes: kept } => {
            let kept = usize::try_from(kept.unwrap_or(length / 2)).unwrap_or(usize::MAX);
            bytes.slice(..kept.min(bytes.len()))
        }
        FaultKind::LineDropped { line } => spoil_line(&bytes, *line, |_| Vec::new()),
        FaultKind::LineGarbled { line } => spoil_line(&bytes, *line, |whole| {
            let mut half: Vec<u8> = whole.iter().take(whole.len() / 2).copied().collect();
            half.push(b'\n');
            half
        }),
        _ => bytes,
    };
    plain(Reply::File(Content::Memory(kept)))
}

fn spoil_line(bytes: &[u8], line: usize, spoil: impl Fn(&[u8]) -> Vec<u8>) -> Bytes {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines
        .flat_map(|(index, text)| if index == line { spoil(text) } else { text.to_vec() })
        .collect()
}

/// Runs the job. Rendering a month is seconds of work: it must not hold up the other calls where there are threads
/// for it, and must not leave the one thread where a simulation wants every step in order.
async fn run(state: &Arc<State>, call: Call) -> Reply {
    let state = Arc::clone(state);
    let job = move || jobs::run(&state, &call).unwrap_or_else(Reply::Refused);
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return job();
    }
    let panicked = || {
        Reply::Refused(Refusal {
            code: 500,
            message: None,
        })
    };
    tokio::task::spawn_blocking(job)
        .await
        .unwrap_or_else(|_| panicked())
}
