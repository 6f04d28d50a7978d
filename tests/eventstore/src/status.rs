//! What the server answers when it refuses: `RpcExceptions.cs` (calls) and `Status.cs` (inside a batch append).

use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::event::Expected;
use crate::wire::event_store::client as shared;
use crate::wire::google::rpc;

/// Sum of one append; the server's default.
pub const MAX_APPEND_SIZE: usize = 1_048_576;

fn with_trailers(code: Code, message: &str, trailers: &[(&'static str, &str)]) -> Status {
    let mut metadata = MetadataMap::new();
    for (key, value) in trailers {
        if let Ok(value) = value.parse() {
            metadata.insert(*key, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

pub(crate) fn not_leader(host: &str, port: u16) -> Status {
    with_trailers(
        Code::NotFound,
        "Leader info available",
        &[
            ("exception", "not-leader"),
            ("leader-endpoint-host", host),
            ("leader-endpoint-port", &port.to_string()),
        ],
    )
}

pub(crate) fn too_large() -> Status {
    with_trailers(
        Code::InvalidArgument,
        &format!("Maximum Append Size of {MAX_APPEND_SIZE} Exceeded."),
        &[
            ("exception", "maximum-append-size-exceeded"),
            ("maximum-append-size", &MAX_APPEND_SIZE.to_string()),
        ],
    )
}

pub(crate) fn missing_metadata(name: &str) -> Status {
    with_trailers(
        Code::InvalidArgument,
        &format!("Required Metadata Property '{name}' is missing"),
        &[
            ("exception", "missing-required-metadata-property"),
            ("required-metadata-properties", "type,content-type"),
        ],
    )
}

pub(crate) fn access_denied() -> Status {
    with_trailers(
        Code::PermissionDenied,
        "Access Denied",
        &[("exception", "access-denied")],
    )
}

pub(crate) fn not_ready() -> Status {
    Status::unavailable("Server Is Not Ready")
}

pub(crate) fn deadline() -> Status {
    Status::deadline_exceeded("Deadline Exceeded")
}

/// The refusals that a batch append carries inside its answers.
pub(crate) mod in_band {
    use super::*;

    /// The details are always of the message's own name.
    fn status(code: Code, message: &str, details: &impl Message) -> rpc::Status {
        let details = prost_types::Any {
            type_url: format!("type.googleapis.com/event_store.client.{message}"),
            value: details.encode_to_vec(),
        };
        rpc::Status {
            code: code as i32,
            message: message.to_owned(),
            details: Some(details),
        }
    }

    pub(crate) fn wrong_version(current: i64, expected: Expected) -> rpc::Status {
        use shared::wrong_expected_version::{
            CurrentStreamRevisionOption as Current, ExpectedStreamPositionOption as Wanted,
        };
        let current =
            u64::try_from(current).map_or(Current::CurrentNoStream(()), Current::CurrentStreamRevision);
        let expected = match expected {
            Expected::Any => Wanted::ExpectedAny(()),
            Expected::Exists => Wanted::ExpectedStreamExists(()),
            Expected::NoStream => Wanted::ExpectedNoStream(()),
            Expected::At(revision) => Wanted::ExpectedStreamPosition(revision),
        };
        let details = shared::WrongExpectedVersion {
            current_stream_revision_option: Some(current),
            expected_stream_position_option: Some(expected),
        };
        status(Code::AlreadyExists, "WrongExpectedVersion", &details)
    }

    pub(crate) fn access_denied() -> rpc::Status {
        status(Code::PermissionDenied, "AccessDenied", &shared::AccessDenied {})
    }

    pub(crate) fn timeout() -> rpc::Status {
        status(Code::DeadlineExceeded, "Timeout", &shared::Timeout {})
    }

    pub(crate) fn too_large() -> rpc::Status {
        let details = shared::MaximumAppendSizeExceeded {
            max_append_size: MAX_APPEND_SIZE as u32,
        };
        status(Code::InvalidArgument, "MaximumAppendSizeExceeded", &details)
    }

    pub(crate) fn bad_request(message: &str) -> rpc::Status {
        status(
            Code::InvalidArgument,
            "BadRequest",
            &shared::BadRequest {
                message: message.to_owned(),
            },
        )
    }

    /// The server forgets to set a code here: the error says `Ok`.
    pub(crate) fn not_ready() -> rpc::Status {
        rpc::Status {
            code: Code::Ok as i32,
            message: "Server Is Not Ready".to_owned(),
            details: None,
        }
    }
}
