//! Reads: pages of a stream or of everything, always from the leader, so that what was just written is read.

use eventstore::{
    Position as At, ReadAllOptions, ReadStream, ReadStreamOptions, RecordedEvent, StreamPosition,
    SubscriptionFilter,
};
use tieout_domain::ids::EventId;
use tieout_domain::ports::{LogError, NewEvent, Page, Position, Recorded, Revision, StreamName};
use uuid::Uuid;

use crate::address::LogName;
use crate::error::{Cause, Trouble};
use crate::link::{Final, Link};

/// The most that is asked of the server at once; a page holds no more either.
const AT_ONCE: usize = 4_096;
/// How many events of others the server looks at before it says how far it came.
const WINDOW: u32 = 4_096;

/// An event as the server has it, before its name is made ours.
pub(crate) struct Found {
    pub(crate) revision: Revision,
    pub(crate) position: Position,
    pub(crate) event: NewEvent,
}

/// Up to `limit` events of a stream of the server, from a revision on.
pub(crate) async fn stream_page(
    link: &Link,
    on_server: &str,
    name: &StreamName,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, LogError> {
    // The server's revisions are signed.
    if limit == 0 || i64::try_from(from.0).is_err() {
        return Ok(Vec::new());
    }
    let limit = limit.min(AT_ONCE);
    let done = link
        .until_done("reading", on_server, |generation| {
            Box::pin(async move {
                let options = stream_options(link)
                    .position(StreamPosition::Position(from.0))
                    .max_count(limit);
                let mut stream = generation
                    .client
                    .read_stream(on_server, &options)
                    .await
                    .map_err(Trouble::of)?;
                let mut page = Page::new(limit);
                while let Some(found) = next(&mut stream).await? {
                    if !take(&mut page, name.clone(), found) {
                        break;
                    }
                }
                Ok(page.into_events())
            })
        })
        .await?;
    match done {
        Ok(page) => Ok(page),
        Err(Final::NoStream | Final::Conflict) => Ok(Vec::new()),
    }
}

/// The last events of a stream of the server, oldest first: where each stands, and its id.
pub(crate) async fn tail(
    link: &Link,
    on_server: &str,
    count: usize,
) -> Result<Vec<(Revision, Uuid)>, LogError> {
    let events = last(link, on_server, count).await?;
    Ok(events
        .into_iter()
        .map(|found| (found.revision, found.event.id.0))
        .collect())
}

/// The last events of a stream of the server, oldest first.
pub(crate) async fn last(link: &Link, on_server: &str, count: usize) -> Result<Vec<Found>, LogError> {
    let done = link
        .until_done("reading", on_server, |generation| {
            Box::pin(async move {
                let options = stream_options(link)
                    .position(StreamPosition::End)
                    .backwards()
                    .max_count(count);
                let mut stream = generation
                    .client
                    .read_stream(on_server, &options)
                    .await
                    .map_err(Trouble::of)?;
                let mut events = Vec::new();
                while let Some(found) = next(&mut stream).await? {
                    events.push(found);
                }
                events.reverse();
                Ok(events)
            })
        })
        .await?;
    match done {
        Ok(events) => Ok(events),
        Err(Final::NoStream | Final::Conflict) => Ok(Vec::new()),
    }
}

/// Up to `limit` audited events after a position.
pub(crate) async fn all_page(
    link: &Link,
    log: &LogName,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Recorded>, LogError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let limit = limit.min(AT_ONCE);
    let prefix = &*log.prefix();
    // The server reads from a position on, the event at it included.
    let (from, count) = match after {
        None => (StreamPosition::Start, limit),
        Some(position) => (StreamPosition::Position(at(position)), limit.saturating_add(1)),
    };
    let done = link
        .until_done("reading all of", prefix, |generation| {
            Box::pin(async move {
                let options = all_options(link, prefix).position(from).max_count(count);
                let mut stream = generation.client.read_all(&options).await.map_err(Trouble::of)?;
                let mut page = Page::new(limit);
                while let Some(event) = stream.next().await.map_err(Trouble::of)? {
                    let event = event.event.ok_or_else(unreadable)?;
                    let Some(name) = event.stream_id().strip_prefix(prefix).map(str::to_owned) else {
                        continue;
                    };
                    let found = found(event)?;
                    if after.is_some_and(|after| found.position <= after) {
                        continue;
                    }
                    if !take(&mut page, StreamName(name), found) {
                        break;
                    }
                }
                Ok(page.into_events())
            })
        })
        .await?;
    Ok(done.unwrap_or_default())
}

/// The id of the audited event at a position.
pub(crate) async fn id_at(
    link: &Link,
    log: &LogName,
    position: Position,
) -> Result<Option<EventId>, LogError> {
    let prefix = &*log.prefix();
    let done = link
        .until_done("reading at a place of", prefix, |generation| {
            Box::pin(async move {
                let options = all_options(link, prefix)
                    .position(StreamPosition::Position(at(position)))
                    .max_count(1);
                let mut stream = generation.client.read_all(&options).await.map_err(Trouble::of)?;
                match stream.next().await.map_err(Trouble::of)? {
                    None => Ok(None),
                    Some(event) => found(event.event.ok_or_else(unreadable)?).map(Some),
                }
            })
        })
        .await?;
    Ok(done
        .ok()
        .flatten()
        .filter(|found| found.position == position)
        .map(|found| found.event.id))
}

/// The position of the last audited event.
pub(crate) async fn head(link: &Link, log: &LogName) -> Result<Option<Position>, LogError> {
    let prefix = &*log.prefix();
    let done = link
        .until_done("reading the end of", prefix, |generation| {
            Box::pin(async move {
                let options = all_options(link, prefix)
                    .position(StreamPosition::End)
                    .backwards()
                    .max_count(1);
                let mut stream = generation.client.read_all(&options).await.map_err(Trouble::of)?;
                match stream.next().await.map_err(Trouble::of)? {
                    None => Ok(None),
                    Some(event) => {
                        found(event.event.ok_or_else(unreadable)?).map(|found| Some(found.position))
                    }
                }
            })
        })
        .await?;
    Ok(done.unwrap_or_default())
}

fn stream_options(link: &Link) -> ReadStreamOptions {
    let options = ReadStreamOptions::default()
        .requires_leader(true)
        .deadline(link.patience.in_all);
    match link.credentials() {
        None => options,
        Some(user) => options.authenticated(user),
    }
}

fn all_options(link: &Link, prefix: &str) -> ReadAllOptions {
    let filter = SubscriptionFilter::on_stream_name()
        .add_prefix(prefix)
        .max(WINDOW);
    let options = ReadAllOptions::default()
        .filter(filter)
        .requires_leader(true)
        .deadline(link.patience.in_all);
    match link.credentials() {
        None => options,
        Some(user) => options.authenticated(user),
    }
}

async fn next(stream: &mut ReadStream) -> Result<Option<Found>, Trouble> {
    match stream.next().await.map_err(Trouble::of)? {
        None => Ok(None),
        Some(event) => found(event.event.ok_or_else(unreadable)?).map(Some),
    }
}

/// Puts an event on a page, unless the page is full.
fn take(page: &mut Page, stream: StreamName, found: Found) -> bool {
    let size = found.event.data.len().saturating_add(found.event.metadata.len());
    let room = page.has_room_for(size);
    if room {
        page.add(Recorded {
            stream,
            revision: found.revision,
            position: found.position,
            event: found.event,
        });
    }
    room
}

fn found(event: RecordedEvent) -> Result<Found, Trouble> {
    let At { commit, prepare } = event.position;
    if commit == u64::MAX || prepare == u64::MAX {
        return Err(Trouble::Final(Cause::Other(
            "the server does not say where an event of a stream stands in $all: version 22.10 or later is needed".to_owned(),
        )));
    }
    Ok(Found {
        revision: Revision(event.revision),
        position: Position(commit, prepare),
        event: NewEvent {
            id: EventId(event.id),
            kind: event.event_type,
            data: event.data.into(),
            metadata: event.custom_metadata.into(),
        },
    })
}

fn at(position: Position) -> At {
    At {
        commit: position.0,
        prepare: position.1,
    }
}

fn unreadable() -> Trouble {
    Trouble::Final(Cause::Other(
        "the server sent an event without its content".to_owned(),
    ))
}
