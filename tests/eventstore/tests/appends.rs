//! Appends, one by one and in batches, as the real client sees them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use eventstore::{AppendToStreamOptions, Client, EventData, ReadStreamOptions, StreamPosition, StreamState};
use tieout_eventstore_stand_in::StandIn;

fn client(of: &StandIn) -> Client {
    Client::new(of.url().parse().unwrap()).unwrap()
}

fn event(text: &str) -> EventData {
    EventData::binary("happened", text.to_owned().into_bytes().into()).id(uuid::Uuid::new_v4())
}

#[tokio::test]
async fn what_is_appended_is_read() {
    let server = StandIn::start();
    let client = client(&server);
    let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    let written = client
        .append_to_stream("a", &options, vec![event("1"), event("2")])
        .await
        .unwrap();
    assert_eq!(written.next_expected_version, 1);
    let batch = client.batch_append(&Default::default()).await.unwrap();
    let third = batch
        .append_to_stream("a", StreamState::StreamRevision(1), vec![event("3")])
        .await
        .unwrap();
    assert_eq!(third.current_revision(), Some(2));
    let mut read = client
        .read_stream("a", &ReadStreamOptions::default().position(StreamPosition::Start))
        .await
        .unwrap();
    let mut bodies = Vec::new();
    while let Some(event) = read.next().await.unwrap() {
        bodies.push(event.get_original_event().data.clone());
    }
    assert_eq!(bodies, ["1", "2", "3"]);
}
