//! The unary append: `Streams.Append.cs`.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tonic::{Status, Streaming};

use crate::call::Call;
use crate::encode::uuid_of;
use crate::event::{Expected, Proposed};
use crate::faults::{Attempt, Fault};
use crate::state::Outcome;
use crate::status;
use crate::wire::event_store::client as shared;
use crate::wire::event_store::client::streams::{AppendReq, AppendResp, append_req, append_resp};

pub(crate) async fn append(call: Call, mut messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let options = match messages.message().await?.and_then(|message| message.content) {
        Some(append_req::Content::Options(options)) => options,
        // The server throws `InvalidOperationException`, which gRPC shows like this.
        _ => return Err(Status::unknown("Exception was thrown by handler.")),
    };
    let stream = stream_name(options.stream_identifier);
    let expected = expected(options.expected_stream_revision)?;
    if !call.allowed() {
        return Err(status::access_denied());
    }
    let mut events = Vec::new();
    let mut size = 0;
    while let Some(message) = messages.message().await? {
        let Some(append_req::Content::ProposedMessage(message)) = message.content else {
            return Err(Status::unknown("Exception was thrown by handler."));
        };
        let event = proposed(
            message.id,
            message.metadata,
            message.data,
            message.custom_metadata,
        )
        .map_err(|m| status::missing_metadata(&m))?;
        size += event.size();
        if size > status::MAX_APPEND_SIZE {
            return Err(status::too_large());
        }
        events.push(event);
    }
    call.slow().await?;
    let shared = &call.seat.shared;
    let fault = shared.faults.strike_append(&Attempt {
        stream: &stream,
        expected,
        events: &events,
        batch: false,
    });
    if let Some(refusal) = fault.and_then(|fault| call.refusal(fault)) {
        return Err(refusal);
    }
    call.check_leader()?;
    let outcome = shared.append(&stream, expected, &events);
    match fault {
        Some(Fault::LoseAck) => {
            call.cut();
            std::future::pending().await
        }
        Some(Fault::LoseAckSilently) => std::future::pending().await,
        _ => Ok(AppendResp {
            result: Some(result(outcome, expected)),
        }),
    }
}

fn result(outcome: Outcome, expected: Expected) -> append_resp::Result {
    use append_resp::wrong_expected_version as wrong;
    use append_resp::{Success, success};
    let empty = || shared::Empty {};
    match outcome {
        Outcome::Done { last, position } => append_resp::Result::Success(Success {
            current_revision_option: Some(u64::try_from(last).map_or_else(
                |_| success::CurrentRevisionOption::NoStream(empty()),
                success::CurrentRevisionOption::CurrentRevision,
            )),
            position_option: Some(position.map_or_else(
                || success::PositionOption::NoPosition(empty()),
                |at| {
                    success::PositionOption::Position(append_resp::Position {
                        commit_position: at,
                        prepare_position: at,
                    })
                },
            )),
        }),
        Outcome::Wrong { current } => {
            use wrong::{CurrentRevisionOption as Current, CurrentRevisionOption2060 as OldCurrent};
            use wrong::{ExpectedRevisionOption as Wanted, ExpectedRevisionOption2060 as OldWanted};
            let (now, old_now) = u64::try_from(current).map_or_else(
                |_| {
                    (
                        Current::CurrentNoStream(empty()),
                        OldCurrent::NoStream2060(empty()),
                    )
                },
                |at| (Current::CurrentRevision(at), OldCurrent::CurrentRevision2060(at)),
            );
            let (wanted, old_wanted) = match expected {
                Expected::Any => (Wanted::ExpectedAny(empty()), OldWanted::Any2060(empty())),
                Expected::Exists => (
                    Wanted::ExpectedStreamExists(empty()),
                    OldWanted::StreamExists2060(empty()),
                ),
                Expected::NoStream => (
                    Wanted::ExpectedNoStream(empty()),
                    OldWanted::ExpectedRevision2060(u64::MAX),
                ),
                Expected::At(at) => (Wanted::ExpectedRevision(at), OldWanted::ExpectedRevision2060(at)),
            };
            append_resp::Result::WrongExpectedVersion(append_resp::WrongExpectedVersion {
                current_revision_option_20_6_0: Some(old_now),
                expected_revision_option_20_6_0: Some(old_wanted),
                current_revision_option: Some(now),
                expected_revision_option: Some(wanted),
            })
        }
    }
}

pub(crate) fn stream_name(identifier: Option<shared::StreamIdentifier>) -> String {
    let name = identifier.unwrap_or_default().stream_name;
    String::from_utf8_lossy(&name).into_owned()
}

fn expected(option: Option<append_req::options::ExpectedStreamRevision>) -> Result<Expected, Status> {
    use append_req::options::ExpectedStreamRevision as Option_;
    match option {
        Some(Option_::Revision(at)) => Ok(Expected::At(at)),
        Some(Option_::NoStream(_)) => Ok(Expected::NoStream),
        Some(Option_::Any(_)) => Ok(Expected::Any),
        Some(Option_::StreamExists(_)) => Ok(Expected::Exists),
        None => Err(Status::invalid_argument(
            "'None' is not a valid ExpectedStreamRevisionOneofCase",
        )),
    }
}

/// An event as proposed; the error names what its metadata lack.
pub(crate) fn proposed(
    id: Option<shared::Uuid>,
    mut metadata: HashMap<String, String>,
    data: Bytes,
    custom: Bytes,
) -> Result<Proposed, String> {
    let kind = metadata.remove("type").ok_or("type")?;
    let content_type = metadata.remove("content-type").ok_or("content-type")?;
    Ok(Proposed {
        id: uuid_of(id).unwrap_or_default(),
        kind: Arc::from(kind),
        json: content_type == "application/json",
        data,
        metadata: custom,
    })
}
