//! Reads of streams and of `$all`.

use eventstore::{
    Error, Position, ReadAllOptions, ReadEvent, ReadStreamOptions, StreamMetadataBuilder, StreamPosition,
};
use eventstore::{StreamState, SubscriptionFilter};
use tieout_eventstore_stand_in::StandIn;

use crate::support::{all, append, client, stream_texts, texts};

fn stream_from(position: StreamPosition<u64>) -> ReadStreamOptions {
    ReadStreamOptions::default().position(position)
}

#[tokio::test]
async fn a_stream_is_read_both_ways_from_a_revision_and_with_a_count() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1", "2", "3"])
        .await
        .unwrap();
    let read =
        async |options: ReadStreamOptions| texts(client.read_stream("a", &options).await.unwrap()).await;
    assert_eq!(read(stream_from(StreamPosition::Position(2))).await, ["2", "3"]);
    assert_eq!(
        read(stream_from(StreamPosition::Start).max_count(2)).await,
        ["0", "1"]
    );
    assert_eq!(
        read(stream_from(StreamPosition::End).backwards()).await,
        ["3", "2", "1", "0"]
    );
    assert_eq!(
        read(stream_from(StreamPosition::Position(1)).backwards()).await,
        ["1", "0"]
    );
    assert_eq!(
        read(stream_from(StreamPosition::End).backwards().max_count(1)).await,
        ["3"]
    );
    assert!(read(stream_from(StreamPosition::Position(9))).await.is_empty());
}

#[tokio::test]
async fn a_missing_stream_is_not_found_at_the_first_event() {
    let server = StandIn::start();
    let mut read = client(&server)
        .read_stream("none", &stream_from(StreamPosition::Start))
        .await
        .unwrap();
    assert!(matches!(read.next().await, Err(Error::ResourceNotFound)));
}

#[tokio::test]
async fn a_read_tells_where_the_stream_ends() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1"]).await.unwrap();
    let mut read = client
        .read_stream("a", &stream_from(StreamPosition::Position(9)))
        .await
        .unwrap();
    assert!(matches!(
        read.next_read_event().await.unwrap(),
        Some(ReadEvent::FirstStreamPosition(2))
    ));
    assert!(matches!(
        read.next_read_event().await.unwrap(),
        Some(ReadEvent::LastStreamPosition(1))
    ));
    assert!(read.next_read_event().await.unwrap().is_none());
}

#[tokio::test]
async fn events_carry_what_was_written_and_where_they_stand() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1"]).await.unwrap();
    let by_stream = all(client
        .read_stream("a", &stream_from(StreamPosition::Start))
        .await
        .unwrap())
    .await;
    let log = server.events("a");
    for (read, written) in by_stream.iter().map(|event| event.get_original_event()).zip(&log) {
        assert_eq!(
            (read.id, read.revision, read.position.commit),
            (written.id, written.revision, written.position)
        );
        assert_eq!(
            (read.event_type.as_str(), read.is_json, read.stream_id()),
            ("happened", false, "a")
        );
        // The client keeps whole seconds of what it is given in ticks.
        assert_eq!(read.created.timestamp(), written.created as i64 / 10_000_000);
    }
    server.stream_reads_without_positions(true);
    let without = all(client
        .read_stream("a", &stream_from(StreamPosition::Start))
        .await
        .unwrap())
    .await;
    assert_eq!(without[0].commit_position, None);
    assert_eq!(
        without[0].get_original_event().position,
        Position {
            commit: u64::MAX,
            prepare: u64::MAX
        }
    );
}

#[tokio::test]
async fn all_is_read_inclusively_forwards_and_exclusively_backwards() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1"]).await.unwrap();
    append(&client, "b", StreamState::Any, &["2"]).await.unwrap();
    let read = async |options: ReadAllOptions| all(client.read_all(&options).await.unwrap()).await;
    let everything = read(ReadAllOptions::default().position(StreamPosition::Start)).await;
    // The system's own events are among them.
    assert!(everything[0].get_original_event().stream_id().starts_with('$'));
    let positions: Vec<_> = everything
        .iter()
        .map(|event| event.get_original_event().position)
        .collect();
    assert!(positions.is_sorted_by(|one, next| one < next));
    let from = positions[positions.len() - 2];
    let forwards = read(ReadAllOptions::default().position(StreamPosition::Position(from))).await;
    assert_eq!(forwards.len(), 2);
    let backwards = read(
        ReadAllOptions::default()
            .position(StreamPosition::Position(from))
            .backwards(),
    )
    .await;
    assert_eq!(
        backwards[0].get_original_event().position,
        positions[positions.len() - 3]
    );
    assert_eq!(backwards.len(), positions.len() - 2);
    let last = read(
        ReadAllOptions::default()
            .position(StreamPosition::End)
            .backwards()
            .max_count(1),
    )
    .await;
    assert_eq!(
        last[0].get_original_event().position,
        positions[positions.len() - 1]
    );
}

#[tokio::test]
async fn filters_show_streams_by_prefix_or_pattern_and_count_what_they_show() {
    let server = StandIn::start();
    let client = client(&server);
    for (stream, text) in [("a-1", "0"), ("b-1", "1"), ("a-2", "2"), ("c-1", "3")] {
        append(&client, stream, StreamState::Any, &[text]).await.unwrap();
    }
    let read = async |filter: SubscriptionFilter, count: usize| {
        let options = ReadAllOptions::default()
            .position(StreamPosition::Start)
            .filter(filter)
            .max_count(count);
        texts(client.read_all(&options).await.unwrap()).await
    };
    let stream = SubscriptionFilter::on_stream_name;
    assert_eq!(
        read(stream().add_prefix("a-").add_prefix("c-"), 9).await,
        ["0", "2", "3"]
    );
    assert_eq!(
        read(stream().add_prefix("a-").add_prefix("c-"), 2).await,
        ["0", "2"]
    );
    assert_eq!(read(stream().regex("^[bc]-"), 9).await, ["1", "3"]);
    assert_eq!(
        read(SubscriptionFilter::on_event_type().exclude_system_events(), 9)
            .await
            .len(),
        4
    );
}

#[tokio::test]
async fn metadata_hide_old_events_from_reads_of_the_stream_but_not_of_all() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1", "2"])
        .await
        .unwrap();
    let metadata = StreamMetadataBuilder::default().max_count(2).build();
    client
        .set_stream_metadata("a", &Default::default(), &metadata)
        .await
        .unwrap();
    assert_eq!(stream_texts(&client, "a").await, ["1", "2"]);
    assert!(server.streams().contains(&"$$a".to_owned()));
    assert_eq!(server.events("a").len(), 3);
}

#[tokio::test]
async fn a_long_stream_is_read_whole_in_both_directions() {
    let server = StandIn::start();
    let client = client(&server);
    server.preload(&["a", "b"], 3_000, 10);
    for options in [
        stream_from(StreamPosition::Start),
        stream_from(StreamPosition::End).backwards(),
    ] {
        assert_eq!(
            all(client
                .read_stream("a", &options.max_count(usize::MAX))
                .await
                .unwrap())
            .await
            .len(),
            1_500
        );
    }
}

#[tokio::test]
async fn a_backup_put_back_forgets_what_came_after() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::NoStream, &["0"]).await.unwrap();
    let backup = server.snapshot();
    append(&client, "a", StreamState::StreamRevision(0), &["1"])
        .await
        .unwrap();
    server.restore(&backup);
    assert_eq!(stream_texts(&client, "a").await, ["0"]);
    append(&client, "a", StreamState::StreamRevision(0), &["other"])
        .await
        .unwrap();
}
