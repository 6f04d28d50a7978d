//! Subscriptions to a stream and to `$all`.

use eventstore::SubscriptionFilter;
use eventstore::{
    StreamPosition, StreamState, SubscribeToAllOptions, SubscribeToStreamOptions, Subscription,
    SubscriptionEvent,
};
use tieout_eventstore_stand_in::StandIn;

use crate::support::{append, client, never, soon, text};

async fn next(subscription: &mut Subscription) -> String {
    match soon(subscription.next_subscription_event()).await.unwrap() {
        SubscriptionEvent::Confirmed(_) => "confirmed".to_owned(),
        SubscriptionEvent::EventAppeared(event) => text(&event),
        SubscriptionEvent::Checkpoint(position) => format!("checkpoint {}", position.commit),
        SubscriptionEvent::CaughtUp(_) => "caught up".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stream_is_followed_from_after_a_revision_and_then_live() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0", "1", "2"])
        .await
        .unwrap();
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Position(0));
    let mut subscription = client.subscribe_to_stream("a", &options).await;
    for expected in ["confirmed", "1", "2", "caught up"] {
        assert_eq!(next(&mut subscription).await, expected);
    }
    append(&client, "b", StreamState::Any, &["elsewhere"])
        .await
        .unwrap();
    append(&client, "a", StreamState::Any, &["3"]).await.unwrap();
    assert_eq!(next(&mut subscription).await, "3");
    never(subscription.next_subscription_event()).await;
}

#[tokio::test]
async fn a_stream_not_there_yet_is_followed_once_it_is() {
    let server = StandIn::start();
    let client = client(&server);
    let mut subscription = client
        .subscribe_to_stream("a", &SubscribeToStreamOptions::default())
        .await;
    assert_eq!(next(&mut subscription).await, "confirmed");
    assert_eq!(next(&mut subscription).await, "caught up");
    append(&client, "a", StreamState::NoStream, &["0"]).await.unwrap();
    assert_eq!(next(&mut subscription).await, "0");
}

#[tokio::test]
async fn all_is_followed_from_after_a_position() {
    let server = StandIn::start();
    let client = client(&server);
    let first = append(&client, "a", StreamState::Any, &["0"]).await.unwrap();
    append(&client, "b", StreamState::Any, &["1"]).await.unwrap();
    let options = SubscribeToAllOptions::default().position(StreamPosition::Position(first.position));
    let mut subscription = client.subscribe_to_all(&options).await;
    for expected in ["confirmed", "1", "caught up"] {
        assert_eq!(next(&mut subscription).await, expected);
    }
    append(&client, "c", StreamState::Any, &["2"]).await.unwrap();
    assert_eq!(next(&mut subscription).await, "2");
}

#[tokio::test]
async fn a_filtered_subscription_is_told_how_far_the_log_was_looked_at() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "a", StreamState::Any, &["0"]).await.unwrap();
    let hidden = append(&client, "hidden", StreamState::Any, &["1"]).await.unwrap();
    let filter = SubscriptionFilter::on_stream_name().add_prefix("a").max(32);
    let mut subscription = client
        .subscribe_to_all(
            &SubscribeToAllOptions::default()
                .position(StreamPosition::Start)
                .filter(filter),
        )
        .await;
    for expected in [
        "confirmed",
        "0",
        &format!("checkpoint {}", hidden.position.commit),
        "caught up",
    ] {
        assert_eq!(next(&mut subscription).await, expected);
    }
    // Thirty-two events gone by, none shown.
    let texts: Vec<_> = (0..32).map(|nth| format!("h{nth}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let hidden = append(&client, "hidden", StreamState::Any, &texts).await.unwrap();
    assert_eq!(
        next(&mut subscription).await,
        format!("checkpoint {}", hidden.position.commit)
    );
}
