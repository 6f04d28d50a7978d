//! Two instances of the program on one cluster's log: one works the connection, the other stands by. The one at work is
//! killed at random moments; the other takes over within the lease, nothing is posted twice, and nothing is lost.
//!
//! `TIEOUT_TAKEOVERS` says how many deaths (10, and 100 for the closing note).
#![allow(clippy::print_stderr, reason = "the times are told")]
#![allow(
    clippy::expect_used,
    reason = "a helper of tests: a surprise must end the test"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tieout_sandbox::month::Size;
use tieout_scenarios::book::Book;
use tieout_scenarios::supply::Supply;
use tieout_scenarios::{Dice, Scene, binary};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

const LEASE: Duration = Duration::from_secs(1);
/// What a takeover may take beyond the lease: a look at it every sixth of the term, and a busy machine.
const MARGIN: Duration = Duration::from_millis(1_500);

/// One instance of `tieout serve`.
struct Instance {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Instance {
    fn start(scene: &Scene, config: &Path) -> Self {
        let mut command = scene.command_with(&["serve"], config);
        command.stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().expect("its words"));
        let kept = Arc::clone(&said);
        tokio::spawn(async move {
            let mut lines = lines.lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().expect("nobody panics").push((Instant::now(), line));
            }
        });
        Self { child, said }
    }

    fn heard(&self, words: &str) -> Option<Instant> {
        let said = self.said.lock().expect("nobody panics");
        said.iter()
            .find(|(_, line)| line.contains(words))
            .map(|(at, _)| *at)
    }

    async fn says(&self, words: &str, within: Duration) -> Instant {
        let began = Instant::now();
        loop {
            if let Some(at) = self.heard(words) {
                return at;
            }
            assert!(
                began.elapsed() < within,
                "it does not say `{words}` within {within:?}: {:#?}",
                self.said.lock().expect("nobody panics")
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The other instance's configuration: the same installation, its own views.
fn other_config(scene: &Scene) -> PathBuf {
    let text = std::fs::read_to_string(&scene.config).expect("the configuration");
    let other = scene.file("other.toml");
    let text = text.replace("lease = ", "views = \"other-views.db\"\nlease = ");
    std::fs::write(&other, text).expect("another configuration");
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_one_at_work_is_killed_and_the_other_takes_over_within_the_lease() {
    binary();
    let times: u32 = std::env::var("TIEOUT_TAKEOVERS").map_or(10, |text| text.parse().expect("a number"));
    let seed = 4_711;
    let mut scene = Scene::at_pace(2_000, Size::Many { reports: 0, lines: 0 }, |_| {}).await;
    if !scene.is_on_a_cluster() {
        scene.move_to_a_cluster().await;
    }
    scene.certify().await;
    scene.reconfigure(|text| {
        text.replace("every = \"1m\"", "every = \"1s\"")
            .replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]")
    });
    let other = other_config(&scene);
    let (mut dice, mut supply, mut book) = (Dice::new(seed), Supply::new(seed), Book::open(&scene));
    supply.arrive(&scene, &mut book, 20);
    book.started(scene.now());
    let mut active = Instance::start(&scene, &scene.config);
    active.says("tieout serves", Duration::from_secs(20)).await;
    // It holds the lease once the other one is told so.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut configs = [scene.config.clone(), other];
    let mut standby = Instance::start(&scene, &configs[1]);
    let mut took = Vec::new();
    for death in 1..=times {
        standby.says("standing by", Duration::from_secs(30)).await;
        supply.arrive(&scene, &mut book, usize::try_from(dice.below(6)).expect("small"));
        tokio::time::sleep(Duration::from_millis(dice.below(2_500))).await;
        active.child.start_kill().expect("SIGKILL");
        let killed = Instant::now();
        active.child.wait().await.expect("it is gone");
        let taken = standby.says("taken over", LEASE + Duration::from_secs(20)).await;
        let time = taken.saturating_duration_since(killed);
        took.push(time);
        assert!(time <= LEASE + MARGIN, "death {death}: taken over after {time:?}");
        let verdict = book.look(&scene);
        assert!(verdict.wrong.is_empty(), "death {death}: {:#?}", verdict.wrong);
        book.started(scene.now());
        // The dead one comes back, as the one that stands by.
        configs.swap(0, 1);
        active = std::mem::replace(&mut standby, Instance::start(&scene, &configs[1]));
    }
    for mut instance in [active, standby] {
        instance.child.start_kill().expect("SIGKILL");
        instance.child.wait().await.expect("it is gone");
    }
    took.sort_unstable();
    eprintln!(
        "{times} deaths, lease {LEASE:?}: taken over after {:?} in the middle, {:?} at most",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    supply.approve_all(&scene, &mut book);
    let last = scene.settle(12).await;
    assert_eq!(last["in_doubt"], 0, "{last:#}");
    scene.must_tie_out("at rest").await;
    if let Err(wrong) = book.must_be_done(&scene) {
        panic!("{wrong:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_single_cycle_beside_a_living_instance_says_who_works_it_and_does_nothing() {
    binary();
    let mut scene = Scene::at_pace(2_000, Size::Many { reports: 0, lines: 0 }, |_| {}).await;
    if !scene.is_on_a_cluster() {
        scene.move_to_a_cluster().await;
    }
    scene.certify().await;
    scene.reconfigure(|text| text.replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]"));
    let mut active = Instance::start(&scene, &scene.config);
    active.says("0 seen", Duration::from_secs(30)).await;
    let other = other_config(&scene);
    let began = Instant::now();
    let output = scene
        .command_with(&["sync", "--json"], &other)
        .output()
        .await
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let by = &said[0]["worked_by"];
    assert!(by["instance"].is_string() && by["host"].is_string(), "{said:#}");
    assert!(said[0].get("seen").is_none(), "nothing was done: {said:#}");
    // Seen to live by a renewal: nobody waits for an end that does not come.
    assert!(began.elapsed() < LEASE * 10, "{:?}", began.elapsed());

    // Told to stop, it gives the connection back; then a single cycle runs.
    let pid = active.child.id().expect("it runs");
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .status()
        .expect("kill");
    assert!(killed.success());
    active.child.wait().await.expect("it ends");
    let output = scene
        .command_with(&["sync", "--json"], &other)
        .output()
        .await
        .expect("it runs");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(said[0]["seen"], 0, "{said:#} {output:?}");
}
