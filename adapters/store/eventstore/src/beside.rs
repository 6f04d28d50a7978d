//! What is kept beside the log: streams of its own, outside of what is audited and of what has a rank.

use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, LogError, NewEvent, Revision, StreamName};
use uuid::Uuid;

use crate::append::append;
use crate::link::Link;
use crate::read::{self, Found};
use crate::session::Turns;

/// Appends one note at an expected revision; `false` where somebody else was faster.
pub(crate) async fn note(
    link: &Link,
    turns: &Turns,
    on_server: &str,
    head: Option<Revision>,
    kind: &str,
    data: Vec<u8>,
) -> Result<bool, LogError> {
    note_as(link, turns, on_server, head, EventId(Uuid::now_v7()), kind, data).await
}

/// The same under a given id: at one revision, done twice, it is done once.
pub(crate) async fn note_as(
    link: &Link,
    turns: &Turns,
    on_server: &str,
    head: Option<Revision>,
    id: EventId,
    kind: &str,
    data: Vec<u8>,
) -> Result<bool, LogError> {
    let event = NewEvent {
        id,
        kind: kind.to_owned(),
        data,
        metadata: b"{}".to_vec(),
    };
    let stream = StreamName(on_server.to_owned());
    match append(
        link,
        turns,
        on_server,
        &stream,
        Expected::after(head),
        vec![event],
    )
    .await
    {
        Ok(_) => Ok(true),
        Err(LogError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The last notes, oldest first.
pub(crate) async fn notes(link: &Link, on_server: &str, count: usize) -> Result<Vec<Found>, LogError> {
    read::last(link, on_server, count).await
}

/// Lets the server forget all but so many of a stream's notes. Once is enough; done twice, it changes nothing.
pub(crate) async fn keep_last(
    link: &Link,
    turns: &Turns,
    on_server: &str,
    count: usize,
) -> Result<(), LogError> {
    let about = format!("$${on_server}");
    if notes(link, &about, 1).await?.is_empty() {
        let wanted = format!(r#"{{"$maxCount":{count}}}"#).into_bytes();
        note(link, turns, &about, None, "$metadata", wanted).await?;
    }
    Ok(())
}
