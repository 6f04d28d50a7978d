//! The answers' frames: all confirmed (contract qad §1.4, §1.8, §1.9), so their names stand in code.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::path;

/// An answer before it is bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// The JSON body.
    pub body: Value,
}

impl Reply {
    /// HTTP 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body,
        }
    }

    /// A failure of the platform or gateway.
    pub fn platform(status: StatusCode, message: &str, field: &str) -> Self {
        let code = status.as_u16().to_string();
        let error = json!({"severity": 1, "code": code, "message": message, "fieldName": field});
        Self {
            status,
            body: json!({"errors": [error]}),
        }
    }

    /// `Access is denied`: permissions, not expiry.
    pub fn denied() -> Self {
        Self::platform(StatusCode::FORBIDDEN, "Access is denied", "")
    }

    /// The degenerate form seen on 4xx: the errors are plain texts.
    pub fn bare(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            body: json!({"errors": [text]}),
        }
    }

    /// An error of the token endpoint.
    pub fn oauth(error: &str, description: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({"error": error, "error_description": description}),
        }
    }

    /// An expired or unknown token.
    pub fn invalid_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            body: json!({"error": "invalid_token"}),
        }
    }

    /// A page of a browse. The misspelling and the string are QAD's.
    pub fn page(rows: Vec<Value>, more: bool) -> Self {
        let more = if more { "true" } else { "false" };
        Self::ok(json!({"data": rows, "auxillaryData": {"HasMoreParams": more}}))
    }

    /// A write that was stored: what was created lies at `echo_root`.
    pub fn submitted(echo_root: &str, echo: Vec<Value>) -> Self {
        let mut body = json!({"submitResult": {"success": true, "errorSeverity": 0, "errors": []}});
        path::put(&mut body, echo_root, Value::Array(echo));
        Self::ok(body)
    }

    /// A write that was refused, with every reason.
    pub fn refused(problems: &[Problem]) -> Self {
        let errors: Vec<_> = problems.iter().map(Problem::to_json).collect();
        Self::ok(json!({"submitResult": {"success": false, "errorSeverity": 1, "errors": errors}}))
    }

    /// Gives the answer to a write the HTTP status that this installation gives it; other answers keep theirs.
    pub fn with_write_status(mut self, stored: u16, refused: u16) -> Self {
        let success = path::find(&self.body, "submitResult.success").and_then(Value::as_bool);
        if let Some(success) = success {
            let status = if success { stored } else { refused };
            self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        }
        self
    }

    /// Adds a warning beside the result (§7.9).
    pub fn with_warning(mut self, message: &str) -> Self {
        path::put(
            &mut self.body,
            "supplementaryMessages",
            json!([{"severity": "warning", "message": message}]),
        );
        self
    }

    /// Turns a stored write's answer into a failure that holds nothing but a warning, and echoes no document (§1.8:
    /// the client must not take it for a refusal).
    pub fn into_failure_with_warning(mut self, echo_root: &str, warning: &Problem, severity: u8) -> Self {
        let result = json!({"success": false, "errorSeverity": severity, "errors": [warning.to_json()]});
        if let Value::Object(members) = &mut self.body {
            let top = echo_root.split('.').next().unwrap_or_default();
            members.retain(|name, _| name != top);
            members.insert("submitResult".into(), result);
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        (
            self.status,
            [(header::CONTENT_TYPE, "application/json;charset=UTF-8")],
            self.body.to_string(),
        )
            .into_response()
    }
}

/// One reason against a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, in Pascal case.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// The value that was sent, or empty.
    pub value: String,
    /// QAD's code where one was seen, `SIM-` and a word elsewhere.
    pub code: String,
    /// 1 for an error; see [`super::shape::QadShape::warning_severity`] for a warning.
    pub severity: u8,
}

impl Problem {
    /// An error about the field at `path`.
    pub fn error(path: &str, value: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            field: path::error_name(path),
            message: message.into(),
            value: value.to_owned(),
            code: code.to_owned(),
            severity: 1,
        }
    }

    fn to_json(&self) -> Value {
        let members = [
            ("fieldName", json!(self.field)),
            ("message", json!(self.message)),
            ("fieldValue", json!(self.value)),
            ("code", json!(self.code)),
            ("severity", json!(self.severity)),
        ];
        Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_as_failure_keeps_no_echo() {
        let warning = Problem {
            severity: 2,
            ..Problem::error("reference", "R", "SIM-DUPLICATE", "again")
        };
        let reply = Reply::submitted("result.invoices", vec![json!({"voucher": 1})]);
        let reply = reply.into_failure_with_warning("result.invoices", &warning, 2);
        assert_eq!(reply.body["submitResult"]["success"], json!(false));
        assert_eq!(reply.body["submitResult"]["errors"][0]["severity"], json!(2));
        assert!(reply.body.get("result").is_none());
    }
}
