//! Several nodes over one log.

use eventstore::{Error, StreamState};
use tieout_eventstore_stand_in::StandIn;

use crate::support::{append, batch, client, client_at, events, soon, stream_texts};

#[tokio::test]
async fn the_client_finds_the_leader_by_gossip() {
    let server = StandIn::cluster(3);
    server.set_leader(2);
    append(&client(&server), "a", StreamState::NoStream, &["0"])
        .await
        .unwrap();
    assert_eq!(server.append_count(), 1);
}

#[tokio::test]
async fn a_follower_refuses_who_requires_a_leader_and_forwards_for_who_does_not() {
    let server = StandIn::cluster(3);
    let follower = |preference: &str| {
        client_at(&format!(
            "esdb://127.0.0.1:{}?tls=false&nodePreference={preference}",
            server.port(1)
        ))
    };
    let client = follower("leader");
    let error = append(&client, "a", StreamState::NoStream, &["0"])
        .await
        .unwrap_err();
    let Error::NotLeaderException(leader) = error else {
        panic!("{error:?}")
    };
    assert_eq!(leader.port, u32::from(server.port(0)));
    // The client goes where it was told to.
    soon(append(&client, "a", StreamState::NoStream, &["0"]))
        .await
        .unwrap();
    append(&follower("follower"), "a", StreamState::StreamRevision(0), &["1"])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_batch_finds_out_at_its_next_append_that_the_leader_changed() {
    let server = StandIn::cluster(3);
    let client = client(&server);
    let session = batch(&client).await;
    session
        .append_to_stream("a", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    server.set_leader(1);
    let error = soon(session.append_to_stream("a", StreamState::StreamRevision(0), events(&["1"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotLeaderException(_)), "{error:?}");
    let session = batch(&client).await;
    soon(session.append_to_stream("a", StreamState::StreamRevision(0), events(&["1"])))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_never_leaves_a_killed_leader_by_itself() {
    let server = StandIn::cluster(3);
    let bound = client(&server);
    append(&bound, "a", StreamState::NoStream, &["0"]).await.unwrap();
    server.stop_node(0);
    server.set_leader(1);
    // The client says it looks for another node, but keeps the one it has: it has to be made anew.
    for _ in 0..3 {
        let error = soon(append(&bound, "a", StreamState::StreamRevision(0), &["1"]))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::ServerError(_)), "{error:?}");
    }
    soon(append(
        &client(&server),
        "a",
        StreamState::StreamRevision(0),
        &["1"],
    ))
    .await
    .unwrap();
    // Only the node itself, back and a follower now, sends it on.
    server.start_node(0);
    let error = soon(append(&bound, "a", StreamState::StreamRevision(1), &["2"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotLeaderException(_)), "{error:?}");
    soon(append(&bound, "a", StreamState::StreamRevision(1), &["2"]))
        .await
        .unwrap();
    assert_eq!(stream_texts(&bound, "a").await, ["0", "1", "2"]);
}

#[tokio::test]
async fn a_client_sent_on_to_a_leader_that_then_dies_gets_errors_only() {
    let server = StandIn::cluster(2);
    let bound = client(&server);
    append(&bound, "a", StreamState::NoStream, &["0"]).await.unwrap();
    server.set_leader(1);
    let error = soon(append(&bound, "a", StreamState::StreamRevision(0), &["1"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotLeaderException(_)), "{error:?}");
    server.stop_node(1);
    // Which of the two depends on whether it had got there before the leader died.
    let first = soon(append(&bound, "a", StreamState::StreamRevision(0), &["1"]))
        .await
        .unwrap_err();
    let again = soon(append(&bound, "a", StreamState::StreamRevision(0), &["1"]))
        .await
        .unwrap_err();
    assert!(
        matches!(first, Error::ServerError(_) | Error::ConnectionClosed),
        "{first:?}"
    );
    assert!(
        matches!(again, Error::ServerError(_) | Error::ConnectionClosed),
        "{again:?}"
    );
}
