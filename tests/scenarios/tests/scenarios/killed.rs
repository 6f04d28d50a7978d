//! Killed at every point of the cycle, under every fault of QAD that leaves an outcome unknown, and at random moments:
//! each document is posted exactly once, each report is marked, and nothing stays in doubt.

#![allow(clippy::expect_used, reason = "a test: a surprise must end it")]

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::{Dice, Scene, binary, text};
use tokio::task::JoinSet;

const KILLED: Option<i32> = Some(9);

/// Scenes at once.
const AT_ONCE: usize = 5;

/// Each point with the passing at which the process dies: in the middle of the three reports where it passes for each.
const POINTS: [&str; 10] = [
    "captured:2",
    "polled:1",
    "mapped:2",
    "claimed:2",
    "intent:2",
    "looked:2",
    "sent:2",
    "recorded:2",
    "marking:1",
    "marked:1",
];

/// Three reports; the second document posted meets the fault, the process dies at the point, and is started again.
async fn dies_at(point: &'static str, fault: Option<FaultKind>) {
    let when = format!("killed at `{point}` under {fault:?}");
    let scene = Scene::with(Size::Many { reports: 3, lines: 2 }, |_| {}).await;
    if let Some(fault) = fault {
        scene
            .stand_ins
            .qad
            .handle()
            .faults()
            .add(FaultRule::next("post:*", fault).after(1));
    }
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", point)]).await;
    assert_eq!(killed.status.signal(), KILLED, "{when}: {}", text(&killed));
    scene.nothing_is_wrong(&when);
    let last = scene.settle(8).await;
    scene.all_is_done(3, &last, &when).await;
    assert!(
        scene.stand_ins.qad.handle().faults().pending().is_empty(),
        "{when}: the fault has struck"
    );
}

/// Every point, a few at once: most of the time is the quarantine's.
async fn dies_at_every_point(fault: Option<FaultKind>) {
    binary();
    let mut scenes = JoinSet::new();
    for point in POINTS {
        if scenes.len() >= AT_ONCE {
            scenes
                .join_next()
                .await
                .expect("one is running")
                .expect("the scene ends well");
        }
        scenes.spawn(dies_at(point, fault.clone()));
    }
    while let Some(ended) = scenes.join_next().await {
        ended.expect("the scene ends well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_point() {
    dies_at_every_point(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_point_while_an_answer_is_lost_after_the_document_is_stored() {
    dies_at_every_point(Some(FaultKind::DropAfter)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_point_while_a_request_is_lost() {
    dies_at_every_point(Some(FaultKind::DropBefore)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_point_while_a_gateway_fails_after_the_document_is_stored() {
    dies_at_every_point(Some(FaultKind::ErrorAfter { status: 502 })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_point_while_a_page_comes_instead_of_an_answer() {
    dies_at_every_point(Some(FaultKind::HtmlPageAfter)).await;
}

/// Runs the program, and kills it a moment after it has asked QAD for something so many times; was it killed?
///
/// Counted in calls and not in time, so that a slow machine dies as far into the cycle as a quick one.
async fn dies_after(scene: &Scene, calls: usize, moment: Duration) -> bool {
    let counted = scene.stand_ins.qad.handle().calls();
    counted.clear();
    let mut command = scene.command(&["sync"]);
    let mut running = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    loop {
        if let Some(ended) = running.try_wait().expect("it can be waited for") {
            assert_eq!(ended.signal(), None, "nobody killed it");
            return false;
        }
        if counted.all().len() >= calls {
            tokio::time::sleep(moment).await;
            running.kill().await.expect("it is killed");
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Killed until all is marked; how often.
async fn dies_again_and_again(seed: u64) -> u32 {
    let reports = 12;
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    let mut dice = Dice::new(seed);
    let mut killed = 0;
    for round in 0..100 {
        let (calls, moment) = (dice.below(30), Duration::from_micros(dice.below(9_000)));
        killed += u32::from(dies_after(&scene, usize::try_from(calls).expect("small"), moment).await);
        scene.nothing_is_wrong(&format!(
            "seed {seed}, round {round}, after {calls} calls and {moment:?}"
        ));
        if scene.marked().len() == reports {
            break;
        }
    }
    let last = scene.settle(10).await;
    scene
        .all_is_done(reports, &last, &format!("seed {seed}, after {killed} deaths"))
        .await;
    killed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_random_moments_again_and_again() {
    binary();
    // Other moments: TIEOUT_SEED=7 cargo test -p tieout-scenarios --test scenarios killed::random
    let given = std::env::var("TIEOUT_SEED")
        .ok()
        .map(|text| text.parse().expect("TIEOUT_SEED is a number"));
    let seed: u64 = given.unwrap_or(2_026);
    let (one, other) = tokio::join!(dies_again_and_again(seed), dies_again_and_again(seed + 1));
    // How many of the deaths come before the end of a cycle depends on the machine; a dozen show that the test bites.
    assert!(
        one + other >= 12,
        "killed only {one} and {other} times: the moments come too late"
    );
}
