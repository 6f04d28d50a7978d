//! What can go wrong at the stand-in Expensify.

use serde::{Deserialize, Serialize};

/// A way for a call to go wrong. As JSON `"drop_after"`, `{"slow": {"ms": 200}}`.
///
/// Operations for fault rules: `export`, `mark` (an export whose `onFinish` marks), `download`, `reconciliation`,
/// `policy_list`, `policy`, `policy_update`, `report_status`, `create`, `cards`, `employees`, `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The job is done at once, the answer comes `ms` later: a client that gives up leaves a job that is done.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// The job itself is done `ms` later, whether the client is still there or not.
    Late {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection closes before anything is done.
    DropBefore,
    /// The connection closes when all is done: a mark holds though the call failed.
    DropAfter,
    /// HTTP 502 with a gateway's page; nothing is done.
    BadGateway,
    /// HTTP 502 with a gateway's page; all is done.
    BadGatewayAfter,
    /// HTTP 200 with a page of HTML; nothing is done.
    HtmlPage,
    /// HTTP 429 with the rate-limit envelope.
    TooManyRequests,
    /// HTTP 200 with the rate-limit envelope.
    TooManyRequestsInBody,
    /// HTTP 200 with `responseCode` 500; nothing is done.
    ServerError,
    /// HTTP 200 with `responseCode` 500; all is done.
    ServerErrorAfter,
    /// HTTP 200 with `Authentication error`.
    AuthenticationFailure,
    /// A download of nothing, as if the file were not ready.
    EmptyDownload,
    /// A download that says the file is not there.
    FileNotFound,
    /// A download that ends early, in good order. Without `bytes`, at half of the file.
    TruncatedFile {
        /// How many bytes are left.
        bytes: Option<u64>,
    },
    /// A download whose connection breaks. Without `bytes`, at half of the file.
    BrokenDownload {
        /// How many bytes come through.
        bytes: Option<u64>,
    },
    /// A download without its n-th line, from 0.
    LineDropped {
        /// The line.
        line: usize,
    },
    /// A download whose n-th line, from 0, has lost its second half.
    LineGarbled {
        /// The line.
        line: usize,
    },
}

impl FaultKind {
    /// Its name, for the list of calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slow { .. } => "slow",
            Self::Late { .. } => "late",
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::BadGateway => "bad_gateway",
            Self::BadGatewayAfter => "bad_gateway_after",
            Self::HtmlPage => "html_page",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyRequestsInBody => "too_many_requests_in_body",
            Self::ServerError => "server_error",
            Self::ServerErrorAfter => "server_error_after",
            Self::AuthenticationFailure => "authentication_failure",
            Self::EmptyDownload => "empty_download",
            Self::FileNotFound => "file_not_found",
            Self::TruncatedFile { .. } => "truncated_file",
            Self::BrokenDownload { .. } => "broken_download",
            Self::LineDropped { .. } => "line_dropped",
            Self::LineGarbled { .. } => "line_garbled",
        }
    }
}
