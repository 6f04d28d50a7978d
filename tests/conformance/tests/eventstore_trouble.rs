//! What the EventStoreDB engine does when the cluster is in trouble: nothing is lost, nothing is doubled, and a reader sees
//! each event once. All of this rests on the stand-in: a real server cannot be told to lose an answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is tests"
)]

use std::time::Duration;

use secrecy::SecretString;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, Position, Recorded, Revision, StreamName};
use tieout_eventstore::{Address, EventStoreLog, Patience, User};
use tieout_eventstore_stand_in::{Fault, StandIn};
use uuid::Uuid;

const EVENTS: u64 = 60;

/// Short, so that what says nothing is noticed soon.
fn patience() -> Patience {
    Patience {
        deadline: Duration::from_millis(400),
        in_all: Duration::from_secs(20),
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(200),
    }
}

fn address(server: &StandIn) -> Address {
    server.url().parse().unwrap()
}

async fn open(server: &StandIn) -> EventStoreLog {
    EventStoreLog::open(&address(server), None, patience())
        .await
        .unwrap()
}

fn stream() -> StreamName {
    StreamName("report-1".to_owned())
}

fn event(number: u64) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: number.to_string().into_bytes(),
        metadata: b"{}".to_vec(),
    }
}

/// Follows the log from a checkpoint until it has so many events.
async fn follow(log: EventStoreLog, count: u64) -> Vec<Recorded> {
    let mut seen: Vec<Recorded> = Vec::new();
    while (seen.len() as u64) < count {
        let after: Option<Position> = seen.last().map(|event| event.position);
        log.wait_beyond(after).await.unwrap();
        seen.extend(log.read_all(after, 7).await.unwrap());
    }
    seen
}

/// Appends one event after the other while `trouble` is made now and then, and another handle follows.
async fn survives(server: &StandIn, trouble: impl Fn(u64)) -> EventStoreLog {
    let log = open(server).await;
    let follower = tokio::spawn(follow(open(server).await, EVENTS));
    let mut expected = Expected::NoStream;
    let mut written = Vec::new();
    for number in 0..EVENTS {
        if number % 10 == 5 {
            trouble(number);
        }
        let event = event(number);
        written.push(event.clone());
        let appended = log.append(&stream(), expected, vec![event]).await.unwrap();
        assert_eq!(appended.revision, Revision(number));
        expected = Expected::At(appended.revision);
    }
    let seen = tokio::time::timeout(Duration::from_secs(30), follower)
        .await
        .expect("the follower ends")
        .unwrap();
    let contents = |events: &[Recorded]| events.iter().map(|event| event.event.clone()).collect::<Vec<_>>();
    assert_eq!(contents(&seen), written, "each once, in order");
    assert_eq!(log.read_all(None, 1_000).await.unwrap(), seen);
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_is_lost_doubles_nothing() {
    let server = StandIn::start();
    survives(&server, |_| server.lose_acks(1)).await;
    assert_eq!(server.struck(Fault::LoseAck), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_that_is_never_sent_though_the_connection_stays() {
    let server = StandIn::start();
    survives(&server, |_| server.lose_acks_silently(1)).await;
    assert_eq!(server.struck(Fault::LoseAckSilently), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_not_the_leader_any_more_is_left() {
    let server = StandIn::start();
    survives(&server, |_| server.refuse_as_not_leader(1)).await;
    assert_eq!(server.struck(Fault::NotLeader), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_and_a_server_that_is_busy_are_tried_again() {
    let server = StandIn::start();
    survives(&server, |number| match number % 20 {
        5 => server.deadline(1),
        _ => server.unavailable(1),
    })
    .await;
    assert_eq!(
        (server.struck(Fault::Deadline), server.struck(Fault::Unavailable)),
        (3, 3)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_end_cleanly_or_break_are_begun_anew() {
    let server = StandIn::start();
    survives(&server, |number| match number % 20 {
        5 => server.end_streams_cleanly(),
        _ => server.break_streams(),
    })
    .await;
    assert!(server.streams_ended() > 0 && server.connections_cut() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_ready_yet_is_waited_for() {
    let server = StandIn::start();
    survives(&server, |_| server.not_ready(2)).await;
    assert!(server.struck(Fault::NotReady) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_nodes_each_may_lead_and_the_leader_may_die() {
    let server = StandIn::cluster(3);
    survives(&server, |number| match number {
        15 => server.set_leader(1),
        25 => {
            server.stop_node(1);
            server.set_leader(2);
        }
        35 => server.start_node(1),
        45 => {
            server.stop_node(2);
            server.stop_node(0);
            server.set_leader(1);
        }
        _ => {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_stays_away_is_given_up_and_its_return_is_noticed() {
    let server = StandIn::start();
    let short = Patience {
        in_all: Duration::from_millis(600),
        ..patience()
    };
    let log = EventStoreLog::open(&address(&server), None, short).await.unwrap();
    server.stop_node(0);
    let event = event(0);
    let away = log
        .append(&stream(), Expected::NoStream, vec![event.clone()])
        .await;
    assert!(matches!(away, Err(LogError::Failed { .. })), "{away:?}");
    server.start_node(0);
    let again = log
        .append(&stream(), Expected::NoStream, vec![event])
        .await
        .unwrap();
    assert_eq!(again.revision, Revision(0));
    assert!(log.clients_made() > 1);
}

/// The trait of the server that makes reading back an intent a law: whoever appends the very same is told "done".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_append_of_two_is_answered_done_to_both_and_two_intents_never_are_the_same() {
    let server = StandIn::start();
    let (one, other) = (open(&server).await, open(&server).await);
    let same = event(7);
    for log in [&one, &other] {
        let told = log
            .append(&stream(), Expected::NoStream, vec![same.clone()])
            .await;
        assert_eq!(told.unwrap().revision, Revision(0));
    }
    let beside = StreamName("report-2".to_owned());
    let won = one.append(&beside, Expected::NoStream, vec![event(1)]).await;
    let lost = other.append(&beside, Expected::NoStream, vec![event(1)]).await;
    assert!(
        won.is_ok() && matches!(lost, Err(LogError::Conflict { .. })),
        "{lost:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_let_in_is_told_what_to_do_and_the_password_is_told_to_nobody() {
    let server = StandIn::start();
    server.require_user("tieout", "geheim");
    let user = |password: &str| {
        Some(User {
            name: "tieout".to_owned(),
            password: SecretString::from(password.to_owned()),
        })
    };
    for wrong in [None, user("falsch")] {
        let refused = EventStoreLog::open(&address(&server), wrong.clone(), patience())
            .await
            .unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("tieout credentials store"), "{said}");
        assert!(!format!("{said}{wrong:?}").contains("falsch"));
    }
    let log = EventStoreLog::open(&address(&server), user("geheim"), patience())
        .await
        .unwrap();
    log.append(&stream(), Expected::NoStream, vec![event(0)])
        .await
        .unwrap();
    assert!(!format!("{log:?}").contains("geheim"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_too_old_to_say_where_events_stand_is_refused_with_the_version_that_is_needed() {
    let server = StandIn::start();
    let log = open(&server).await;
    log.append(&stream(), Expected::NoStream, vec![event(0)])
        .await
        .unwrap();
    server.stream_reads_without_positions(true);
    let refused = log.read_stream(&stream(), Revision(0), 10).await.unwrap_err();
    assert!(refused.to_string().contains("22.10"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_not_there_is_not_begun_in_its_place() {
    let server = StandIn::start();
    let missing = EventStoreLog::open_existing(&address(&server), None, patience())
        .await
        .unwrap_err();
    assert!(
        missing.to_string().contains("there is no log `tieout`"),
        "{missing}"
    );
    open(&server).await;
    EventStoreLog::open_existing(&address(&server), None, patience())
        .await
        .unwrap();
}

/// Other programs write to the cluster too, under names that begin alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_is_neither_seen_nor_counted() {
    let server = StandIn::start();
    let log = open(&server).await;
    let second = log.another("tieout_2".parse().unwrap()).await.unwrap();
    for number in 0..5 {
        log.append(&stream(), Expected::Any, vec![event(number)])
            .await
            .unwrap();
        second
            .append(&stream(), Expected::Any, vec![event(number)])
            .await
            .unwrap();
        server.preload(&["report-1", "tieout-report-1", "tieoutreport"], 20, 50);
    }
    for log in [log, second] {
        let all = log.read_all(None, 100).await.unwrap();
        assert_eq!(all.len(), 5);
        assert_eq!(
            log.leaf(all[4].position).await.unwrap().map(|leaf| leaf.0),
            Some(4)
        );
        assert_eq!(log.head().await.unwrap(), Some(all[4].position));
    }
}
