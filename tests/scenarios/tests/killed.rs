//! Killed at every point of the cycle, under every fault of QAD that leaves an outcome unknown, and at random moments:
//! each document is posted exactly once, each report is marked, and nothing stays in doubt.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::{Dice, Scene, text};
use tokio::task::JoinSet;

const KILLED: Option<i32> = Some(9);

/// Each point with the passing at which the process dies: in the middle of the three reports where it passes for each.
const POINTS: [&str; 10] =
    ["captured:2", "polled:1", "mapped:2", "claimed:2", "intent:2", "looked:2", "sent:2", "recorded:2", "marking:1", "marked:1"];

/// Three reports; the second document posted meets the fault, the process dies at the point, and is started again.
async fn dies_at(point: &'static str, fault: Option<FaultKind>) {
    let when = format!("killed at `{point}` under {fault:?}");
    let scene = Scene::with(Size::Many { reports: 3, lines: 2 }, |_| {}).await;
    if let Some(fault) = fault {
        scene.stand_ins.qad.handle().faults().add(FaultRule::next("post:*", fault).after(1));
    }
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", point)]).await;
    assert_eq!(killed.status.signal(), KILLED, "{when}: {}", text(&killed));
    scene.nothing_is_wrong(&when);
    let last = scene.settle(8).await;
    scene.all_is_done(3, &last, &when).await;
    assert!(scene.stand_ins.qad.handle().faults().pending().is_empty(), "{when}: the fault has struck");
}

/// Every point at once: most of the time is the quarantine's.
async fn dies_at_every_point(fault: Option<FaultKind>) {
    let mut scenes = JoinSet::new();
    for point in POINTS {
        scenes.spawn(dies_at(point, fault.clone()));
    }
    while let Some(ended) = scenes.join_next().await {
        ended.expect("the scene ends well");
    }
}

#[tokio::test]
async fn killed_at_every_point() {
    dies_at_every_point(None).await;
}

#[tokio::test]
async fn killed_at_every_point_while_an_answer_is_lost_after_the_document_is_stored() {
    dies_at_every_point(Some(FaultKind::DropAfter)).await;
}

#[tokio::test]
async fn killed_at_every_point_while_a_request_is_lost() {
    dies_at_every_point(Some(FaultKind::DropBefore)).await;
}

#[tokio::test]
async fn killed_at_every_point_while_a_gateway_fails_after_the_document_is_stored() {
    dies_at_every_point(Some(FaultKind::ErrorAfter { status: 502 })).await;
}

#[tokio::test]
async fn killed_at_every_point_while_a_page_comes_instead_of_an_answer() {
    dies_at_every_point(Some(FaultKind::HtmlPageAfter)).await;
}

#[tokio::test]
async fn killed_at_random_moments_again_and_again() {
    let scene = Scene::with(Size::Many { reports: 12, lines: 2 }, |_| {}).await;
    let mut dice = Dice::new(20_261_102);
    let mut killed = 0;
    for round in 0..36 {
        let mut running = scene.command(&["sync"]).spawn().expect("the program starts");
        let life = Duration::from_millis(dice.below(1_200));
        match tokio::time::timeout(life, running.wait()).await {
            Ok(ended) => assert_eq!(ended.expect("it ends").signal(), None),
            Err(_) => {
                running.kill().await.expect("it is killed");
                killed += 1;
            }
        }
        scene.nothing_is_wrong(&format!("round {round}, after {life:?}"));
    }
    assert!(killed >= 12, "only {killed} of 36 were killed: the moments are too late for this machine");
    let last = scene.settle(10).await;
    scene.all_is_done(12, &last, "after the last kill").await;
}
