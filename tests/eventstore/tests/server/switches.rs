//! What goes wrong on demand, and how the real client shows it.

use std::sync::Arc;
use std::time::Duration;

use eventstore::{
    AppendToStreamOptions, Error, ReadStreamOptions, StreamPosition, StreamState, SubscribeToStreamOptions,
    SubscriptionEvent,
};
use tieout_eventstore_stand_in::{Fault, StandIn};

use crate::support::{append, batch, client, client_at, events, never, soon, stream_texts, until};

#[tokio::test]
async fn a_lost_answer_is_an_append_done_and_a_server_error() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::NoStream, &["0"]).await.unwrap();
    server.lose_acks(1);
    let error = soon(append(&client, "a", StreamState::StreamRevision(0), &["1"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ServerError(_)), "{error:?}");
    assert_eq!((server.struck(Fault::LoseAck), server.connections_cut()), (1, 1));
    // Once more, as a writer must: found done.
    let again = soon(append(&client, "a", StreamState::StreamRevision(0), &["1"]))
        .await
        .unwrap();
    assert_eq!((again.next_expected_version, server.append_count()), (1, 2));
}

#[tokio::test]
async fn a_lost_answer_in_a_batch_fails_all_that_is_under_way() {
    let server = StandIn::start();
    let client = client(&server);
    let batch = batch(&client).await;
    batch
        .append_to_stream("a", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    server.lose_acks(1);
    let error = soon(batch.append_to_stream("a", StreamState::StreamRevision(0), events(&["1"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ServerError(_)), "{error:?}");
    assert_eq!(server.events("a").len(), 2);
}

#[tokio::test]
async fn a_silent_loss_leaves_the_client_waiting() {
    let server = StandIn::start();
    let client = client(&server);
    let batch = batch(&client).await;
    server.lose_acks_silently(2);
    never(append(&client, "a", StreamState::NoStream, &["0"])).await;
    never(batch.append_to_stream("a", StreamState::Any, events(&["1"]))).await;
    assert_eq!(
        (server.struck(Fault::LoseAckSilently), server.connections_cut()),
        (2, 0)
    );
    // Both are done, and the session still serves.
    batch
        .append_to_stream("a", StreamState::StreamRevision(1), events(&["2"]))
        .await
        .unwrap();
    assert_eq!(stream_texts(&client, "a").await, ["0", "1", "2"]);
}

#[tokio::test]
async fn a_refusal_as_not_leader_names_the_leader() {
    let server = StandIn::start();
    let client = client(&server);
    server.refuse_as_not_leader(1);
    let error = append(&client, "a", StreamState::Any, &["0"]).await.unwrap_err();
    let Error::NotLeaderException(leader) = error else {
        panic!("{error:?}")
    };
    assert_eq!(leader.port, u32::from(server.port(0)));
    assert_eq!(server.append_count(), 0);
    let batch = batch(&client).await;
    server.refuse_as_not_leader(1);
    let error = soon(batch.append_to_stream("a", StreamState::Any, events(&["0"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotLeaderException(_)), "{error:?}");
    assert_eq!(server.struck(Fault::NotLeader), 2);
}

#[tokio::test]
async fn deadlines_and_unavailability_have_no_effect() {
    let server = StandIn::start();
    let client = client(&server);
    server.deadline(1);
    assert!(matches!(
        append(&client, "a", StreamState::Any, &["0"]).await,
        Err(Error::DeadlineExceeded)
    ));
    server.unavailable(1);
    assert!(matches!(
        append(&client, "a", StreamState::Any, &["0"]).await,
        Err(Error::ServerError(_))
    ));
    let read = ReadStreamOptions::default();
    server.unavailable(1);
    assert!(matches!(
        client.read_stream("a", &read).await,
        Err(Error::ServerError(_))
    ));
    for (set, code) in [
        (&(|| server.deadline(1)) as &dyn Fn(), 4),
        (&|| server.not_ready(1), 0),
    ] {
        let batch = batch(&client).await;
        set();
        let error = soon(batch.append_to_stream("a", StreamState::Any, events(&["0"])))
            .await
            .unwrap_err();
        let Error::Grpc { code: got, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(got as i32, code);
    }
    assert_eq!(server.append_count(), 0);
}

#[tokio::test]
async fn a_clean_end_leaves_what_is_under_way_in_a_batch_hanging_until_the_next_append_fails() {
    let server = StandIn::start();
    let client = client(&server);
    let session = Arc::new(batch(&client).await);
    session
        .append_to_stream("a", StreamState::Any, events(&["0"]))
        .await
        .unwrap();
    assert_eq!(server.open_streams(), 1);
    server.lose_acks_silently(1);
    let under_way = Arc::clone(&session);
    let mut under_way = tokio::spawn(async move {
        under_way
            .append_to_stream("a", StreamState::Any, events(&["1"]))
            .await
    });
    until(|| server.struck(Fault::LoseAckSilently) == 1).await;
    server.end_streams_cleanly();
    until(|| server.streams_ended() == 1).await;
    never(&mut under_way).await;
    // The client has noticed by now: the next append fails at once, and frees what hung.
    let error = soon(session.append_to_stream("a", StreamState::Any, events(&["2"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ServerError(_)), "{error:?}");
    assert!(matches!(
        soon(under_way).await.unwrap(),
        Err(Error::ServerError(_))
    ));
    assert_eq!(server.events("a").len(), 2);
}

#[tokio::test]
async fn broken_streams_are_errors() {
    let server = StandIn::start();
    let client = client(&server);
    let mut subscription = client
        .subscribe_to_stream("a", &SubscribeToStreamOptions::default())
        .await;
    loop {
        if let SubscriptionEvent::CaughtUp(_) = soon(subscription.next_subscription_event()).await.unwrap() {
            break;
        }
    }
    server.break_streams();
    let error = soon(subscription.next_subscription_event()).await.unwrap_err();
    assert!(matches!(error, Error::ServerError(_)), "{error:?}");
    soon(append(&client, "a", StreamState::Any, &["0"]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_slow_server_runs_into_the_callers_deadline() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0"]).await.unwrap();
    server.slow(Duration::from_secs(60));
    let options = AppendToStreamOptions::default().deadline(Duration::from_millis(50));
    let error = soon(client.append_to_stream("a", &options, events(&["1"])))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded), "{error:?}");
    server.slow(Duration::ZERO);
    assert_eq!(server.events("a").len(), 1);
}

#[tokio::test]
async fn a_hook_chooses_which_append_fails() {
    let server = StandIn::start();
    let client = client(&server);
    server.fail_append_when(|attempt| (attempt.stream == "b").then_some(Fault::Deadline));
    append(&client, "a", StreamState::Any, &["0"]).await.unwrap();
    assert!(matches!(
        append(&client, "b", StreamState::Any, &["0"]).await,
        Err(Error::DeadlineExceeded)
    ));
    server.fail_no_append();
    append(&client, "b", StreamState::Any, &["0"]).await.unwrap();
    assert_eq!(server.struck(Fault::Deadline), 1);
}

#[tokio::test]
async fn only_who_is_known_may() {
    let server = StandIn::start();
    server.require_user("writer", "secret");
    let at = |user: &str| client_at(&server.url().replace("esdb://", &format!("esdb://{user}")));
    append(&at("writer:secret@"), "a", StreamState::Any, &["0"])
        .await
        .unwrap();
    for user in ["", "writer:wrong@"] {
        let client = at(user);
        let error = append(&client, "a", StreamState::Any, &["1"]).await.unwrap_err();
        assert!(matches!(error, Error::AccessDenied), "{user}: {error:?}");
        let read = client
            .read_stream("a", &ReadStreamOptions::default().position(StreamPosition::Start))
            .await;
        assert!(matches!(read, Err(Error::AccessDenied)));
    }
    let error = batch(&at(""))
        .await
        .append_to_stream("a", StreamState::Any, events(&["1"]))
        .await
        .unwrap_err();
    let Error::Grpc { code, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(code as i32, 7);
    assert_eq!(server.append_count(), 1);
}
