//! Appends: versions, idempotency, sizes.

use eventstore::{AppendToStreamOptions, CurrentRevision, Error, EventData, StreamState};
use tieout_eventstore_stand_in::{MAX_APPEND_SIZE, StandIn};

use crate::support::{append, batch, client, events, soon, stream_texts};

#[tokio::test]
async fn what_is_appended_is_read_whichever_way_it_came() {
    let server = StandIn::start();
    let client = client(&server);
    let written = append(&client, "a", StreamState::NoStream, &["1", "2"])
        .await
        .unwrap();
    assert_eq!(written.next_expected_version, 1);
    let batch = batch(&client).await;
    let third = batch
        .append_to_stream("a", StreamState::StreamRevision(1), events(&["3"]))
        .await
        .unwrap();
    assert_eq!((third.stream_name(), third.current_revision()), ("a", Some(2)));
    assert!(third.current_position().unwrap().commit > written.position.commit);
    assert_eq!(stream_texts(&client, "a").await, ["1", "2", "3"]);
    assert_eq!(server.append_count(), 2);
}

#[tokio::test]
async fn the_same_append_again_is_a_success_that_writes_nothing() {
    let server = StandIn::start();
    let client = client(&server);
    for state in [
        StreamState::NoStream,
        StreamState::NoStream,
        StreamState::Any,
        StreamState::StreamExists,
    ] {
        let written = append(&client, "a", state, &["1", "2"]).await.unwrap();
        assert_eq!(written.next_expected_version, 1, "{state:?}");
    }
    append(&client, "a", StreamState::StreamRevision(1), &["3"])
        .await
        .unwrap();
    // Answered with the last of these events, not of the stream.
    let again = append(&client, "a", StreamState::NoStream, &["1"]).await.unwrap();
    assert_eq!(again.next_expected_version, 0);
    assert_eq!(stream_texts(&client, "a").await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_wrong_version_names_both_versions() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::NoStream, &["1", "2"])
        .await
        .unwrap();
    let error = append(&client, "a", StreamState::NoStream, &["x"])
        .await
        .unwrap_err();
    let Error::WrongExpectedVersion { expected, current } = error else {
        panic!("{error}")
    };
    assert_eq!(
        (expected, current),
        (StreamState::NoStream, CurrentRevision::Current(1))
    );
    // The first event is there, a later one is not: corrupted idempotency.
    for state in [StreamState::NoStream, StreamState::Any] {
        let error = append(&client, "a", state, &["1", "x"]).await.unwrap_err();
        assert!(
            matches!(error, Error::WrongExpectedVersion { .. }),
            "{state:?}: {error}"
        );
    }
    for state in [StreamState::StreamRevision(7), StreamState::StreamRevision(0)] {
        assert!(append(&client, "a", state, &["x"]).await.is_err());
    }
    assert!(
        append(&client, "missing", StreamState::StreamExists, &["x"])
            .await
            .is_err()
    );
    assert_eq!(stream_texts(&client, "a").await, ["1", "2"]);
}

#[tokio::test]
async fn one_id_may_stand_in_two_streams_but_any_knows_it_in_the_first_only() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["1"]).await.unwrap();
    append(&client, "b", StreamState::NoStream, &["1"]).await.unwrap();
    assert_eq!(
        append(&client, "b", StreamState::NoStream, &["1"])
            .await
            .unwrap()
            .next_expected_version,
        0
    );
    assert_eq!(
        append(&client, "b", StreamState::Any, &["1"])
            .await
            .unwrap()
            .next_expected_version,
        1
    );
    server.forget_event_ids();
    assert_eq!(
        append(&client, "a", StreamState::Any, &["1"])
            .await
            .unwrap()
            .next_expected_version,
        1
    );
}

#[tokio::test]
async fn in_a_batch_a_wrong_version_is_an_error_without_numbers_and_ends_the_clients_session() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::NoStream, &["1"]).await.unwrap();
    let batch = batch(&client).await;
    let error = batch
        .append_to_stream("a", StreamState::NoStream, events(&["x"]))
        .await
        .unwrap_err();
    let Error::Grpc { code, message } = error else {
        panic!("{error}")
    };
    assert_eq!((code as i32, message.as_str()), (6, "WrongExpectedVersion"));
    // The server would go on, but the client has given the session up.
    let error = soon(batch.append_to_stream("a", StreamState::Any, events(&["2"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ServerError(_)), "{error}");
}

#[tokio::test]
async fn too_large_an_append_is_refused() {
    let server = StandIn::start();
    let client = client(&server);
    let of = |size: usize| vec![EventData::binary("ab", vec![0; size].into()).id(uuid::Uuid::new_v4())];
    let options = AppendToStreamOptions::default();
    client
        .append_to_stream("a", &options, of(MAX_APPEND_SIZE - 4))
        .await
        .unwrap();
    let error = client
        .append_to_stream("a", &options, of(MAX_APPEND_SIZE - 3))
        .await
        .unwrap_err();
    let Error::Grpc { code, message } = error else {
        panic!("{error}")
    };
    assert_eq!(
        (code as i32, message.as_str()),
        (3, "Maximum Append Size of 1048576 Exceeded.")
    );
    let error = batch(&client)
        .await
        .append_to_stream("a", StreamState::Any, of(MAX_APPEND_SIZE))
        .await
        .unwrap_err();
    let Error::Grpc { code, message } = error else {
        panic!("{error}")
    };
    assert_eq!((code as i32, message.as_str()), (3, "MaximumAppendSizeExceeded"));
}
