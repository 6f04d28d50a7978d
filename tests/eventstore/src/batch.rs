//! The batch append: `Streams.BatchAppend.cs`. One stream of requests, one answer for each correlation id.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::sync::watch;
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::append::{proposed, stream_name};
use crate::call::Call;
use crate::encode::uuid_of;
use crate::event::{Expected, Proposed};
use crate::faults::{Attempt, Fault};
use crate::shared::Open;
use crate::state::Outcome;
use crate::status::{self, in_band};
use crate::wire::event_store::client as shared;
use crate::wire::event_store::client::streams::batch_append_req::{Options, options};
use crate::wire::event_store::client::streams::batch_append_resp::{self, success};
use crate::wire::event_store::client::streams::{BatchAppendReq, BatchAppendResp};
use crate::wire::google::rpc;

struct Session {
    call: Call,
    requests: Streaming<BatchAppendReq>,
    pending: HashMap<Uuid, Pending>,
    end: watch::Receiver<()>,
    _open: Open,
}

/// A write whose last part has not come yet.
struct Pending {
    identifier: shared::StreamIdentifier,
    expected: Expected,
    events: Vec<Proposed>,
    size: usize,
}

/// What becomes of one request.
enum Answer {
    None,
    Response(BatchAppendResp),
    /// The whole stream ends with this.
    Failure(Status),
    /// The connection is gone.
    Gone,
}

pub(crate) fn batch_append(
    call: Call,
    requests: Streaming<BatchAppendReq>,
) -> impl Stream<Item = Result<BatchAppendResp, Status>> + Send + 'static {
    let end = call.seat.shared.end.subscribe();
    let open = Open::new(&call.seat.shared);
    let session = Session {
        call,
        requests,
        pending: HashMap::new(),
        end,
        _open: open,
    };
    stream::unfold(session, async |mut session| {
        Some((session.next().await?, session))
    })
}

impl Session {
    async fn next(&mut self) -> Option<Result<BatchAppendResp, Status>> {
        let mut end = self.end.clone();
        tokio::select! {
            biased;
            // Whatever waits in a slow server goes down with the stream, without effect.
            _ = end.changed() => {
                self.call.seat.shared.streams_ended.fetch_add(1, Ordering::SeqCst);
                None
            }
            response = self.answers() => response,
        }
    }

    async fn answers(&mut self) -> Option<Result<BatchAppendResp, Status>> {
        loop {
            let request = self.requests.message().await.ok()??;
            match self.answer(request).await {
                Answer::None => {}
                Answer::Response(response) => return Some(Ok(response)),
                Answer::Failure(status) => return Some(Err(status)),
                Answer::Gone => std::future::pending().await,
            }
        }
    }

    async fn answer(&mut self, request: BatchAppendReq) -> Answer {
        let correlation = request.correlation_id.clone();
        let id = uuid_of(request.correlation_id).unwrap_or_default();
        if let Some(options) = request.options {
            let identifier = options.stream_identifier.clone();
            match self.begin(options) {
                Ok(pending) => {
                    self.pending.entry(id).or_insert(pending);
                }
                Err(error) => {
                    return respond(correlation, identifier, batch_append_resp::Result::Error(error));
                }
            }
        }
        let Some(mut write) = self.pending.remove(&id) else {
            return Answer::None;
        };
        let identifier = Some(write.identifier.clone());
        for message in request.proposed_messages {
            match proposed(
                message.id,
                message.metadata,
                message.data,
                message.custom_metadata,
            ) {
                Ok(event) => {
                    write.size += event.size();
                    write.events.push(event);
                }
                Err(missing) => {
                    let message = format!("The given key '{missing}' was not present in the dictionary.");
                    return respond(
                        correlation,
                        identifier,
                        batch_append_resp::Result::Error(in_band::bad_request(&message)),
                    );
                }
            }
        }
        if write.size > status::MAX_APPEND_SIZE {
            return respond(
                correlation,
                identifier,
                batch_append_resp::Result::Error(in_band::too_large()),
            );
        }
        if !request.is_final {
            self.pending.insert(id, write);
            return Answer::None;
        }
        match self.write(&write).await {
            Ok(Some(result)) => respond(correlation, identifier, result),
            Ok(None) => Answer::None,
            Err(answer) => answer,
        }
    }

    fn begin(&self, options: Options) -> Result<Pending, rpc::Status> {
        if !self.call.allowed() {
            return Err(in_band::access_denied());
        }
        let identifier = options
            .stream_identifier
            .ok_or_else(|| in_band::bad_request("Required field StreamIdentifier not set."))?;
        if no_time_left(options.deadline_option.as_ref()) {
            return Err(in_band::timeout());
        }
        use options::ExpectedStreamPosition as Wanted;
        let expected = match options.expected_stream_position {
            Some(Wanted::StreamPosition(at)) => Expected::At(at),
            Some(Wanted::NoStream(())) => Expected::NoStream,
            Some(Wanted::Any(())) => Expected::Any,
            Some(Wanted::StreamExists(())) => Expected::Exists,
            None => {
                return Err(in_band::bad_request(
                    "'None' is not a valid ExpectedStreamPositionOneofCase",
                ));
            }
        };
        Ok(Pending {
            identifier,
            expected,
            events: Vec::new(),
            size: 0,
        })
    }

    /// The result to answer, or nothing at all, or an end of the whole stream.
    async fn write(&mut self, write: &Pending) -> Result<Option<batch_append_resp::Result>, Answer> {
        let by = self.call.seat.shared.faults.slow();
        if by > Duration::ZERO {
            tokio::time::sleep(by).await;
        }
        let stream = stream_name(Some(write.identifier.clone()));
        let shared = &self.call.seat.shared;
        let attempt = Attempt {
            stream: &stream,
            expected: write.expected,
            events: &write.events,
            batch: true,
        };
        let fault = shared.faults.strike_append(&attempt);
        match fault {
            Some(Fault::Deadline) => return Ok(Some(batch_append_resp::Result::Error(in_band::timeout()))),
            Some(Fault::NotReady) => return Ok(Some(batch_append_resp::Result::Error(in_band::not_ready()))),
            // The server throws in here, and all that is under way on the stream goes down with it.
            Some(fault) => self
                .call
                .refusal(fault)
                .map_or(Ok(()), |refusal| Err(Answer::Failure(refusal)))?,
            None => {}
        }
        self.call.check_leader().map_err(Answer::Failure)?;
        let outcome = shared.append(&stream, write.expected, &write.events);
        match fault {
            Some(Fault::LoseAck) => {
                self.call.cut();
                Err(Answer::Gone)
            }
            Some(Fault::LoseAckSilently) => Ok(None),
            _ => Ok(Some(result(outcome, write.expected))),
        }
    }
}

fn respond(
    correlation: Option<shared::Uuid>,
    identifier: Option<shared::StreamIdentifier>,
    result: batch_append_resp::Result,
) -> Answer {
    Answer::Response(BatchAppendResp {
        correlation_id: correlation,
        result: Some(result),
        // Never without: the client unwraps it.
        stream_identifier: Some(identifier.unwrap_or_default()),
        // The server does not set it.
        expected_stream_position: None,
    })
}

fn result(outcome: Outcome, expected: Expected) -> batch_append_resp::Result {
    match outcome {
        Outcome::Wrong { current } => {
            batch_append_resp::Result::Error(in_band::wrong_version(current, expected))
        }
        Outcome::Done { last, position } => batch_append_resp::Result::Success(batch_append_resp::Success {
            current_revision_option: Some(u64::try_from(last).map_or(
                success::CurrentRevisionOption::NoStream(()),
                success::CurrentRevisionOption::CurrentRevision,
            )),
            position_option: Some(position.map_or(success::PositionOption::NoPosition(()), |at| {
                success::PositionOption::Position(shared::AllStreamPosition {
                    commit_position: at,
                    prepare_position: at,
                })
            })),
        }),
    }
}

/// A duration (the client sends the time of day as one: half a century), or an instant as older clients do.
fn no_time_left(deadline: Option<&options::DeadlineOption>) -> bool {
    match deadline {
        None => false,
        Some(options::DeadlineOption::Deadline(left)) => left.seconds <= 0 && left.nanos <= 0,
        Some(options::DeadlineOption::Deadline21100(at)) => {
            let now = i64::try_from(crate::state::now_in_ticks() / 10_000_000).unwrap_or(i64::MAX);
            at.seconds <= now
        }
    }
}
