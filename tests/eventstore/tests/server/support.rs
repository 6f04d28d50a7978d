//! What every test needs: a client, events, and what came out of a read.

use std::time::Duration;

use eventstore::{
    AppendToStreamOptions, BatchAppendClient, Client, EventData, ReadStream, ReadStreamOptions,
    ResolvedEvent, StreamPosition, StreamState, WriteResult,
};
use tieout_eventstore_stand_in::StandIn;

pub fn client(of: &StandIn) -> Client {
    client_at(&of.url())
}

pub fn client_at(url: &str) -> Client {
    Client::new(url.parse().unwrap()).unwrap()
}

/// An event whose id is made from its text, so that the same text is the same event.
pub fn event(text: &str) -> EventData {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes());
    EventData::binary("happened", text.to_owned().into_bytes().into()).id(id)
}

pub fn events(texts: &[&str]) -> Vec<EventData> {
    texts.iter().map(|text| event(text)).collect()
}

pub async fn append(
    client: &Client,
    stream: &str,
    state: StreamState,
    texts: &[&str],
) -> eventstore::Result<WriteResult> {
    let options = AppendToStreamOptions::default().stream_state(state);
    client.append_to_stream(stream, &options, events(texts)).await
}

pub async fn batch(client: &Client) -> BatchAppendClient {
    client.batch_append(&Default::default()).await.unwrap()
}

pub fn text(event: &ResolvedEvent) -> String {
    String::from_utf8(event.get_original_event().data.to_vec()).unwrap()
}

pub async fn all(mut read: ReadStream) -> Vec<ResolvedEvent> {
    let mut events = Vec::new();
    while let Some(event) = read.next().await.unwrap() {
        events.push(event);
    }
    events
}

pub async fn texts(read: ReadStream) -> Vec<String> {
    all(read).await.iter().map(text).collect()
}

pub async fn stream_texts(client: &Client, stream: &str) -> Vec<String> {
    let options = ReadStreamOptions::default()
        .position(StreamPosition::Start)
        .forwards();
    texts(client.read_stream(stream, &options).await.unwrap()).await
}

/// For what must come: a hang is a failure.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what)
        .await
        .expect("it came in time")
}

/// For what must not come.
pub async fn never<T>(what: impl Future<Output = T>) {
    assert!(
        tokio::time::timeout(Duration::from_millis(300), what)
            .await
            .is_err(),
        "it came"
    );
}

/// Waits until something outside the client is so.
pub async fn until(what: impl Fn() -> bool) {
    soon(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}
