//! Appends: at an expected revision, tried again until their outcome is known.
//!
//! The same events with the same expectation are appended as often as it takes: the server knows them by their ids and
//! places, and answers as the first time. So a lost acknowledgement doubles nothing. `Any` is made exact before: the end
//! of the stream is read, and that is expected.

use bytes::Bytes;
use eventstore::{EventData, StreamState};
use serde_json::value::RawValue;
use tieout_domain::ports::{Appended, Expected, LogError, NewEvent, Revision, StreamName, check_append};

use crate::link::{Final, Link};
use crate::read;
use crate::session::Turns;

/// How far back a retry without an expectation is looked for.
const LOOK_BACK: usize = 8;

/// The server's revisions are signed.
const LAST_REVISION: u64 = i64::MAX as u64;

/// Appends to the stream of this name on the server.
pub(crate) async fn append(
    link: &Link,
    turns: &Turns,
    on_server: &str,
    stream: &StreamName,
    expected: Expected,
    events: Vec<NewEvent>,
) -> Result<Appended, LogError> {
    check_append(&link.place.0, stream, &events)?;
    let turn = turns.at(on_server);
    let _mine = turn.lock().await;
    let count = events.len() as u64;
    let mut expected = expected;
    let any = expected == Expected::Any;
    loop {
        if any {
            let tail = read::tail(link, on_server, LOOK_BACK.max(events.len())).await?;
            if let Some(appended) = already_there(&tail, &events) {
                return Ok(appended);
            }
            expected = Expected::after(tail.last().map(|(revision, _)| *revision));
        }
        match append_at(link, on_server, expected, &events).await? {
            Ok(()) => {
                let first = expected.first().map_or(0, |first| first.0);
                return Ok(Appended {
                    revision: Revision(first.saturating_add(count).saturating_sub(1)),
                });
            }
            Err(()) if any => {}
            Err(()) => {
                let tail = read::tail(link, on_server, 1).await?;
                return Err(LogError::Conflict {
                    stream: stream.clone(),
                    expected,
                    actual: tail.last().map(|(revision, _)| *revision),
                });
            }
        }
    }
}

/// Appends at a revision; `Err(())` is a conflict.
async fn append_at(
    link: &Link,
    on_server: &str,
    expected: Expected,
    events: &[NewEvent],
) -> Result<Result<(), ()>, LogError> {
    let state = match expected {
        Expected::NoStream => StreamState::NoStream,
        Expected::At(Revision(revision)) if revision < LAST_REVISION => StreamState::StreamRevision(revision),
        // No stream is that long, and the server would read it as a negative number.
        Expected::At(_) => return Ok(Err(())),
        Expected::Any => StreamState::Any,
    };
    let deadline = link.patience.deadline;
    let done = link
        .until_done("appending to", on_server, |generation| {
            Box::pin(async move {
                let events = events.iter().map(proposed).collect();
                let lanes = &generation.lanes;
                lanes
                    .append(
                        &generation.client,
                        link.credentials(),
                        deadline,
                        on_server,
                        state,
                        events,
                    )
                    .await
            })
        })
        .await?;
    match done {
        Ok(()) => Ok(Ok(())),
        Err(Final::Conflict | Final::NoStream) => Ok(Err(())),
    }
}

/// Marked as JSON where it is, so that the server's own pages show it.
fn proposed(event: &NewEvent) -> EventData {
    let raw: Option<&RawValue> = serde_json::from_slice(&event.data).ok();
    raw.filter(|raw| raw.get().len() == event.data.len())
        .and_then(|raw| EventData::json(&event.kind, &raw).ok())
        .unwrap_or_else(|| EventData::binary(&event.kind, Bytes::copy_from_slice(&event.data)))
        .metadata(Bytes::copy_from_slice(&event.metadata))
        .id(event.id.0)
}

/// Do these events stand in the last of the stream, one after the other?
fn already_there(tail: &[(Revision, uuid::Uuid)], events: &[NewEvent]) -> Option<Appended> {
    let first = events.first()?.id.0;
    let start = tail.iter().position(|(_, id)| *id == first)?;
    let standing = tail.get(start..start.checked_add(events.len())?)?;
    let same = standing
        .iter()
        .zip(events)
        .all(|((_, id), event)| *id == event.id.0);
    standing
        .last()
        .filter(|_| same)
        .map(|(revision, _)| Appended { revision: *revision })
}
