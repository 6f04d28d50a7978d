//! What the stand-in answers, before it is bytes (contract §1.3).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::files::Content;

/// A job that was refused: an envelope under HTTP 200 (contract §1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `responseCode`.
    pub code: i64,
    /// `responseMessage`; none for the bare failures.
    pub message: Option<String>,
}

impl Refusal {
    /// A refusal with its message.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: Some(message.into()),
        }
    }
}

/// What a call is answered.
#[derive(Debug)]
pub enum Reply {
    /// A bare file name (or several, with commas).
    FileName(String),
    /// The bytes of a file.
    File(Content),
    /// A JSON object as `text/plain`, as most jobs answer.
    Json(Value),
    /// A JSON object as `application/json`, as the creation of a policy is answered.
    TypedJson(Value),
    /// An envelope that refuses.
    Refused(Refusal),
}

/// The rate-limit message of old, still the only one on record (contract E12).
const RATE_LIMITED: &str =
    "You have been rate-limited. Please try again later or contact help@expensify.com for assistance.";

/// The refusal of a call over the limit.
pub fn rate_limited() -> Refusal {
    Refusal::new(429, RATE_LIMITED)
}

/// The refusal of unknown credentials (contract E4).
pub fn authentication_error() -> Refusal {
    Refusal::new(404, "Authentication error")
}

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain;charset=utf-8");
const TYPED: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html;charset=utf-8");

impl Reply {
    /// The code in the body, where it is not 200.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            _ => None,
        }
    }

    /// The response; with `cut_at`, a file breaks off there.
    pub fn into_response(self, cut_at: Option<u64>) -> Response {
        match self {
            Self::FileName(name) => response(StatusCode::OK, PLAIN, Body::from(name)),
            Self::File(content) => response(StatusCode::OK, PLAIN, content.body(cut_at)),
            Self::Json(value) => response(StatusCode::OK, PLAIN, Body::from(value.to_string())),
            Self::TypedJson(value) => response(StatusCode::OK, TYPED, Body::from(value.to_string())),
            Self::Refused(refusal) => refused(StatusCode::OK, &refusal),
        }
    }
}

/// A refusal's envelope under `status`.
pub fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    let body = match &refusal.message {
        Some(message) => json!({"responseMessage": message, "responseCode": refusal.code}),
        None => json!({"responseCode": refusal.code}),
    };
    response(status, PLAIN, Body::from(body.to_string()))
}

/// A gateway's page.
pub fn bad_gateway() -> Response {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>\
                </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    response(StatusCode::BAD_GATEWAY, HTML, Body::from(page))
}

/// A page where none belongs, under HTTP 200.
pub fn html_page() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Expensify</title></head><body>We'll be right back.</body></html>\n";
    response(StatusCode::OK, HTML, Body::from(page))
}

fn response(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
