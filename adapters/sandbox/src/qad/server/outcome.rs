//! What leaves the server: an answer, or what a fault made of it.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::{Html, IntoResponse};

use crate::qad::envelope::Reply;
use crate::qad::faults::FaultKind;
use crate::server::ConnectionDropped;

/// One way for a call to end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// As it should.
    Answered(Reply),
    /// As it should, but the text breaks off in the middle.
    CutShort(Reply),
    /// With HTTP 200 and a login page.
    HtmlPage,
    /// With an HTTP error of what stands before the application.
    PlatformError(u16),
    /// With a closed connection.
    Dropped,
}

impl Outcome {
    /// How a fault ends a call before it did anything, if it does.
    pub(super) fn instead(fault: Option<&FaultKind>) -> Option<Self> {
        match fault? {
            FaultKind::DropBefore => Some(Self::Dropped),
            FaultKind::HtmlPage => Some(Self::HtmlPage),
            FaultKind::ErrorBefore { status } => Some(Self::PlatformError(*status)),
            FaultKind::Forbidden => Some(Self::Answered(Reply::denied())),
            _ => None,
        }
    }

    /// What a fault lets out of a call that did its work.
    pub(super) fn after(fault: Option<&FaultKind>, reply: Reply) -> Self {
        match fault {
            Some(FaultKind::DropAfter) => Self::Dropped,
            Some(FaultKind::HtmlPageAfter) => Self::HtmlPage,
            Some(FaultKind::ErrorAfter { status }) => Self::PlatformError(*status),
            Some(FaultKind::TruncatedBody) => Self::CutShort(reply),
            _ => Self::Answered(reply),
        }
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::Answered(reply) => reply.into_response(),
            Self::CutShort(reply) => {
                let mut text = reply.body.to_string();
                let half = (0..=text.len() / 2).rev().find(|end| text.is_char_boundary(*end));
                text.truncate(half.unwrap_or_default());
                (
                    reply.status,
                    [(header::CONTENT_TYPE, "application/json;charset=UTF-8")],
                    text,
                )
                    .into_response()
            }
            Self::HtmlPage => Html(
                "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>",
            )
            .into_response(),
            Self::PlatformError(status) => platform_error(status),
            Self::Dropped => ConnectionDropped.into_response(),
        }
    }
}

/// A proxy's page for 5xx, QAD's own envelope below; 429 and 503 tell when to come again.
fn platform_error(status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut response = if status.is_server_error() {
        (
            status,
            Html(format!(
                "<html><body><h1>{} {reason}</h1></body></html>",
                status.as_u16()
            )),
        )
            .into_response()
    } else {
        Reply::platform(status, reason, "").into_response()
    };
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_cut_body_is_not_json_and_breaks_between_letters() {
        let reply = Reply::ok(json!({"text": "äöüäöüäöü"}));
        let body = Outcome::CutShort(reply).into_response().into_body();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert!(std::str::from_utf8(&bytes).is_ok());
        assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_err());
    }

    #[test]
    fn too_many_requests_tell_when_to_come_again() {
        let response = Outcome::PlatformError(429).into_response();
        assert_eq!(response.status(), 429);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}
