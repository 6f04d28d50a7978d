//! Two instances of the program on one cluster's log: one works the connection, the other stands by. The one at work is
//! killed at random depths of its work; the other takes over within the lease, nothing is posted twice, and nothing is
//! lost. One that ends in order hands over at once.
//!
//! `TIEOUT_TAKEOVERS` says how many deaths (10, and 100 for the closing note), `TIEOUT_SEED` which dice.
#![allow(clippy::print_stderr, reason = "the times are told")]
#![allow(
    clippy::expect_used,
    reason = "a helper of tests: a surprise must end the test"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tieout_sandbox::month::Size;
use tieout_scenarios::book::Book;
use tieout_scenarios::deaths::{Aim, End, Histogram, Running, Watched};
use tieout_scenarios::supply::Supply;
use tieout_scenarios::witness::Witness;
use tieout_scenarios::{Dice, Scene, binary, text};

const LEASE: Duration = Duration::from_secs(2);
/// What a takeover may take beyond the lease on a busy machine: a lease of two seconds leaves half a second for the look
/// and the start. With `TIEOUT_TAKEOVERS` given, nothing.
const MARGIN: Duration = Duration::from_millis(1_500);
/// How long something may take that is no takeover.
const PATIENCE: Duration = Duration::from_secs(30);
/// An instance whose moment does not come is killed after so long.
const OVERDUE: Duration = Duration::from_secs(6);

/// A scene on a cluster, with the second instance's configuration: the same installation, its own views and port.
async fn scene_of_two() -> (Scene, [PathBuf; 2]) {
    let mut scene = Scene::at_pace(2_000, Size::Many { reports: 0, lines: 0 }, |_| {}).await;
    if !scene.is_on_a_cluster() {
        scene.move_to_a_cluster().await;
    }
    scene.certify().await;
    scene.reconfigure(|text| {
        text.replace("every = \"1m\"", "every = \"1s\"")
            .replace("lease = \"1s\"", "lease = \"2s\"")
            .replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]")
    });
    let text = std::fs::read_to_string(&scene.config).expect("the configuration");
    assert!(text.contains("lease = \"2s\""), "{text}");
    let other = scene.file("other.toml");
    let text = text.replace("lease = ", "views = \"other-views.db\"\nlease = ");
    std::fs::write(&other, text).expect("another configuration");
    let configs = [scene.config.clone(), other];
    (scene, configs)
}

/// The answer of an instance's readiness, once it has said where it listens.
async fn ready(instance: &Running) -> u16 {
    instance.says("/readyz", PATIENCE).await;
    let said = instance.said();
    let url = said
        .split_whitespace()
        .find_map(|word| word.strip_suffix("/healthz"))
        .expect("where it listens");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(format!("{url}/readyz")).send().await;
    answer.expect("it answers").status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_one_at_work_is_killed_and_the_other_takes_over_within_the_lease() {
    binary();
    let given =
        |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (times, seed) = (given("TIEOUT_TAKEOVERS", 10), given("TIEOUT_SEED", 4_711));
    let margin = std::env::var_os("TIEOUT_TAKEOVERS").map_or(MARGIN, |_| Duration::ZERO);
    let (scene, mut configs) = scene_of_two().await;
    let (mut dice, mut supply, mut book) = (Dice::new(seed), Supply::new(seed), Book::open(&scene));
    let mut starts = vec![scene.now()];
    supply.arrive(&scene, &mut book, 20);
    book.started(scene.now());
    let mut active = Running::start_with(&scene, &configs[0], "run-0", &["serve"], Aim::random(&mut dice));
    // Whoever has worked holds the lease.
    active.says(" seen, ", PATIENCE).await;
    let (mut took, mut deaths) = (Vec::new(), Histogram::default());
    for death in 1..=times {
        let (name, aim) = (format!("run-{death}"), Aim::random(&mut dice));
        let standby = Running::start_with(&scene, &configs[1], &name, &["serve"], aim);
        standby.says("standing by", PATIENCE).await;
        let mut calls = Watched::begin(&scene);
        supply.arrive(&scene, &mut book, usize::try_from(dice.below(6)).expect("small"));
        let began = Instant::now();
        let (depth, killed) = loop {
            calls.look(&scene);
            let now = Instant::now();
            let end = if began.elapsed() > OVERDUE {
                active.at_last(&scene).await
            } else {
                active.attend(&scene, &calls).await
            };
            match end {
                None => tokio::time::sleep(Duration::from_millis(1)).await,
                Some(End::Killed(depth)) => break (depth, now),
                Some(End::Lived(status)) => {
                    panic!("death {death}: it ended with {status}:\n{}", active.said())
                }
            }
        };
        let taken = standby.says("taken over", LEASE + PATIENCE).await;
        let time = taken.saturating_duration_since(killed);
        eprintln!("death {death}, {depth}: taken over after {time:?}");
        deaths.count(&depth);
        took.push(time);
        assert!(time <= LEASE + margin, "death {death}: taken over after {time:?}");
        let verdict = book.look(&scene);
        assert!(verdict.wrong.is_empty(), "death {death}: {:#?}", verdict.wrong);
        starts.push(scene.now());
        book.started(scene.now());
        // The dead one comes back, as the one that stands by.
        configs.swap(0, 1);
        active = standby;
    }
    active.at_last(&scene).await;
    took.sort_unstable();
    eprintln!(
        "{times} deaths, lease {LEASE:?}: taken over after {:?} in the middle, {:?} at most; how far they had come:\n{}",
        took[took.len() / 2],
        took[took.len() - 1],
        deaths.draw()
    );
    supply.approve_all(&scene, &mut book);
    starts.push(scene.now());
    book.started(scene.now());
    let last = scene.settle(12).await;
    assert_eq!(last["in_doubt"], 0, "{last:#}");
    starts.push(scene.now());
    let verdict = book.look(&scene);
    let seen = Witness::default().look(&scene, &book, &starts, &verdict).await;
    assert!(seen.wrong.is_empty(), "at rest: {:#?}", seen.wrong);
    assert_eq!((seen.in_doubt, seen.incidents), (0, 0), "at rest");
    scene.must_tie_out("at rest").await;
    match book.must_be_done(&scene) {
        Ok(documents) => eprintln!("{documents} documents stand, each once; {} events", seen.events),
        Err(wrong) => panic!("{wrong:#?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_ends_in_order_hands_over_at_once_and_sync_says_who_works() {
    binary();
    let (scene, configs) = scene_of_two().await;
    let never = || Aim {
        of: "",
        calls: usize::MAX,
        after: Duration::ZERO,
        stalled: None,
    };
    let active = Running::start_with(&scene, &configs[0], "active", &["serve"], never());
    active.says(" seen, ", PATIENCE).await;
    let standby = Running::start_with(&scene, &configs[1], "standby", &["serve"], never());
    standby.says("standing by", PATIENCE).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ready(&standby).await, 200, "it does what it is there for");

    let asked = Instant::now();
    let output = scene.tieout(&["sync", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON of sync");
    let holder = &said[0]["worked_by"];
    assert!(
        standby
            .said()
            .contains(holder["instance"].as_str().expect("an instance")),
        "{said:#}"
    );
    assert!(
        holder["host"].is_string() && said[0]["connection"].is_string(),
        "{said:#}"
    );
    assert!(asked.elapsed() < LEASE + PATIENCE, "{:?}", asked.elapsed());
    // What sends nothing asks nobody.
    let output = scene.tieout(&["sync", "--dry-run", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    let told = Instant::now();
    active.ask_to_end();
    let time = standby.says("taken over", PATIENCE).await - told;
    eprintln!("told to end, it is taken over after {time:?}");
    assert!(time < LEASE, "not at once: {time:?}");
}
