//! The lease: never two holders at one instant by their own clocks, whatever their wall clocks say. Time is passed in.
#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is tests")]

use std::time::Duration;

use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Leaf, Log, NewEvent, StreamName};
use tieout_eventstore::{EventStoreLog, Lease, LeaseState, Patience};
use tieout_eventstore_stand_in::{Fault, StandIn};

const TERM: Duration = Duration::from_secs(30);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

async fn log(server: &StandIn) -> EventStoreLog {
    patient(server, Patience::default().in_all).await
}

async fn patient(server: &StandIn, in_all: Duration) -> EventStoreLog {
    let patience = Patience {
        deadline: Duration::from_millis(300),
        in_all,
        ..Patience::default()
    };
    EventStoreLog::open(&server.url().parse().unwrap(), None, patience)
        .await
        .unwrap()
}

/// One who asks, by a steady clock that began `origin` before the others'.
struct Asker {
    name: &'static str,
    lease: Lease,
    origin: Duration,
    /// When its term ends, in everybody's time.
    until: Option<Duration>,
}

impl Asker {
    async fn new(server: &StandIn, name: &'static str, origin: u64) -> Self {
        Self {
            name,
            lease: log(server).await.lease("acme-us"),
            origin: seconds(origin),
            until: None,
        }
    }

    /// One who never tries again: what befalls it is told at once.
    async fn impatient(server: &StandIn, name: &'static str) -> Self {
        Self {
            lease: patient(server, Duration::ZERO).await.lease("acme-us"),
            ..Self::new(server, name, 0).await
        }
    }

    /// Asks at an instant, and is not answered.
    async fn asks_in_vain(&mut self, at: Duration) {
        let asked = self.lease.ask(self.name, "a machine", TERM, || at).await;
        assert!(asked.is_err(), "{asked:?}");
    }

    /// Asks at an instant of everybody's time.
    async fn asks(&mut self, at: Duration) -> LeaseState {
        let own = self.origin + at;
        let state = self
            .lease
            .ask(self.name, "a machine", TERM, || own)
            .await
            .unwrap();
        self.until = match &state {
            LeaseState::Mine(tenure) => Some(tenure.until - self.origin),
            LeaseState::Theirs { .. } => None,
        };
        state
    }

    fn holds(&self, at: Duration) -> bool {
        self.until.is_some_and(|until| at < until)
    }
}

fn is_mine(state: &LeaseState) -> bool {
    matches!(state, LeaseState::Mine(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_takes_it_and_the_second_is_told_who_and_how_long() {
    let server = StandIn::start();
    let (mut one, mut other) = (
        Asker::new(&server, "one", 0).await,
        Asker::new(&server, "other", 5_000).await,
    );
    assert!(is_mine(&one.asks(seconds(0)).await));
    let LeaseState::Theirs { owner, free_in, .. } = other.asks(seconds(1)).await else {
        panic!("two have it");
    };
    assert_eq!(
        (owner.as_str(), free_in),
        ("one", TERM),
        "counted from when it was first seen"
    );
    let LeaseState::Theirs { free_in, .. } = other.asks(seconds(11)).await else {
        panic!("two have it");
    };
    assert_eq!(free_in, seconds(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_renewed_is_not_taken_and_what_is_not_is() {
    let server = StandIn::start();
    let (mut one, mut other) = (
        Asker::new(&server, "one", 900).await,
        Asker::new(&server, "other", 0).await,
    );
    for at in (0..100).step_by(10) {
        assert!(is_mine(&one.asks(seconds(at)).await), "renewed at {at}");
        assert!(!is_mine(&other.asks(seconds(at + 5)).await));
    }
    // Last renewed at 90, first seen so at 95.
    assert!(!is_mine(&other.asks(seconds(124)).await));
    assert!(!one.holds(seconds(120)), "its own term ended before");
    assert!(is_mine(&other.asks(seconds(125)).await));
    assert!(!is_mine(&one.asks(seconds(126)).await), "too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_is_free_at_once() {
    let server = StandIn::start();
    let (mut one, mut other) = (
        Asker::new(&server, "one", 0).await,
        Asker::new(&server, "other", 0).await,
    );
    assert!(is_mine(&one.asks(seconds(0)).await));
    assert!(!is_mine(&other.asks(seconds(1)).await));
    one.lease.release("one").await.unwrap();
    assert!(is_mine(&other.asks(seconds(2)).await));
    // Giving back what is another's by now changes nothing.
    one.lease.release("one").await.unwrap();
    assert!(!is_mine(&one.asks(seconds(3)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_instance_on_the_same_machine_waits_as_everybody() {
    let server = StandIn::start();
    let mut before = Asker::new(&server, "before", 0).await;
    assert!(is_mine(&before.asks(seconds(0)).await));
    drop(before);
    let mut after = Asker::new(&server, "after", 0).await;
    assert!(!is_mine(&after.asks(seconds(1)).await));
    assert!(is_mine(&after.asks(seconds(31)).await));
}

/// Three who ask in every order of a thrown dice, by clocks with other origins, while acknowledgements are lost: never do
/// two hold it at one instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_do_two_hold_it_at_one_instant() {
    let server = StandIn::start();
    let mut askers = [
        Asker::new(&server, "one", 0).await,
        Asker::new(&server, "two", 77_777).await,
        Asker::new(&server, "three", 12).await,
    ];
    let mut dice: u64 = 2_026;
    let mut roll = |below: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let (mut at, mut taken) = (Duration::ZERO, 0);
    for _ in 0..400 {
        at += Duration::from_millis(roll(12_000));
        if roll(20) == 0 {
            server.lose_acks(1);
        }
        let whose = usize::try_from(roll(3)).unwrap();
        if let Some(asker) = askers.get_mut(whose) {
            if roll(25) == 0 {
                asker.until = None;
                asker.lease.release(asker.name).await.unwrap();
            } else {
                taken += u32::from(is_mine(&asker.asks(at).await));
            }
        }
        let holders = askers.iter().filter(|asker| asker.holds(at)).count();
        assert!(holders <= 1, "{holders} hold it at {at:?}");
    }
    assert!(taken > 50, "it went from hand to hand ({taken})");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_was_not_answered_locks_nobody_out_of_what_is_its_own() {
    let server = StandIn::start();
    let mut one = Asker::impatient(&server, "one").await;
    assert!(is_mine(&one.asks(seconds(0)).await));
    for at in 1..4 {
        server.lose_acks(1);
        one.asks_in_vain(seconds(at * 10)).await;
        assert!(is_mine(&one.asks(seconds(at * 10 + 1)).await), "at {at}");
    }
    let mut other = Asker::new(&server, "other", 0).await;
    assert!(!is_mine(&other.asks(seconds(32)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_without_an_answer_is_given_back_all_the_same() {
    let server = StandIn::start();
    let mut one = Asker::impatient(&server, "one").await;
    let mut other = Asker::new(&server, "other", 0).await;
    // Of the note itself, not of what is said about its stream before.
    server.fail_append_when(|append| (!append.stream.starts_with("$$")).then_some(Fault::LoseAck));
    one.asks_in_vain(seconds(0)).await;
    server.fail_no_append();
    assert!(!is_mine(&other.asks(seconds(1)).await), "it stands");
    one.lease.release("one").await.unwrap();
    assert!(is_mine(&other.asks(seconds(2)).await), "it does not any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_up_asking_half_way_may_ask_again_or_give_it_back() {
    let server = StandIn::start();
    let (mut one, mut other) = (
        Asker::new(&server, "one", 0).await,
        Asker::new(&server, "other", 0).await,
    );
    assert!(is_mine(&one.asks(seconds(0)).await));
    for at in 1..3 {
        server.lose_acks_silently(1);
        let given_up = tokio::time::timeout(Duration::from_millis(150), one.asks(seconds(at))).await;
        assert!(given_up.is_err(), "no answer came");
        if at == 1 {
            assert!(is_mine(&one.asks(seconds(at)).await));
        }
    }
    one.lease.release("one").await.unwrap();
    assert!(is_mine(&other.asks(seconds(3)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_comes_again_after_a_restore_is_another_note() {
    let server = StandIn::start();
    let mut one = Asker::new(&server, "one", 0).await;
    let mut other = Asker::new(&server, "other", 0).await;
    let mut third = Asker::new(&server, "third", 0).await;
    assert!(is_mine(&one.asks(seconds(0)).await));
    let backup = server.snapshot();
    assert!(is_mine(&one.asks(seconds(10)).await));
    assert!(
        !is_mine(&other.asks(seconds(11)).await),
        "seen at the next revision"
    );
    server.restore(&backup);
    assert!(!is_mine(&third.asks(seconds(12)).await));
    assert!(is_mine(&third.asks(seconds(42)).await), "at that revision again");
    assert!(!is_mine(&other.asks(seconds(43)).await), "not what it saw before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_keeps_few_of_it_even_where_the_first_asking_failed() {
    let server = StandIn::start();
    let mut one = Asker::impatient(&server, "one").await;
    server.lose_acks(1);
    one.asks_in_vain(seconds(0)).await;
    assert!(is_mine(&one.asks(seconds(1)).await));
    let kept: Vec<_> = server
        .streams()
        .into_iter()
        .filter(|name| name.starts_with("$$") && name.contains("lease-acme-us"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_it_is_in_the_audited_log() {
    let server = StandIn::start();
    let mut one = Asker::new(&server, "one", 0).await;
    for at in 0..20 {
        one.asks(seconds(at)).await;
    }
    let log = log(&server).await;
    assert_eq!(log.head().await.unwrap(), None);
    assert_eq!(log.read_all(None, 10).await.unwrap(), []);
    // Nor does it count among the ranks of what is.
    let mut positions = Vec::new();
    for number in 0..3 {
        let event = NewEvent {
            id: EventId(uuid::Uuid::from_u128(number)),
            kind: "an event".to_owned(),
            data: b"{}".to_vec(),
            metadata: b"{}".to_vec(),
        };
        log.append(&StreamName("audited".to_owned()), Expected::Any, vec![event])
            .await
            .unwrap();
        positions.push(log.head().await.unwrap().unwrap());
        one.asks(seconds(20)).await;
    }
    for (rank, position) in positions.into_iter().enumerate() {
        let rank = u64::try_from(rank).unwrap();
        assert_eq!(log.leaf(position).await.unwrap(), Some(Leaf(rank)));
    }
    assert_eq!(log.read_all(None, 10).await.unwrap().len(), 3);
}
