//! Several instances on one store at the same time, a `serve` and pairs of `sync`: never a document twice, none lost.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::{Scene, binary, text};

/// Two at once until all is marked; each must end by itself, and neither may fail because of the other.
async fn pairs_of_sync(scene: &Scene, reports: usize, most: usize) {
    for round in 0..most {
        let (one, other) = tokio::join!(scene.tieout(&["sync"]), scene.tieout(&["sync"]));
        for ended in [one, other] {
            assert!(
                matches!(ended.status.code(), Some(0 | 1)),
                "round {round}: {}",
                text(&ended)
            );
        }
        scene.nothing_is_wrong(&format!("round {round}"));
        if scene.marked().len() == reports {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_syncs_at_a_time() {
    binary();
    let reports = 12;
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    let faults = scene.stand_ins.qad.handle().faults();
    // Answers that take their time, so that one instance meets what the other is at; and one that never comes.
    faults.add(FaultRule::next("post:*", FaultKind::Delay { ms: 120 }).times(6));
    faults.add(FaultRule::next("post:*", FaultKind::DropAfter));
    pairs_of_sync(&scene, reports, 6).await;
    let last = scene.settle(8).await;
    scene.all_is_done(reports, &last, "two syncs at a time").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_serve_and_two_syncs_at_a_time() {
    binary();
    let reports = 12;
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    scene.reconfigure(|text| {
        format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n\n{}",
            text.replace("every = \"1m\"", "every = \"1s\"")
        )
    });
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("post:*", FaultKind::Delay { ms: 120 }).times(6));
    faults.add(FaultRule::next("post:*", FaultKind::DropBefore));

    let mut command = scene.command(&["serve"]);
    let mut serve = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    pairs_of_sync(&scene, reports, 6).await;
    let id = i32::try_from(serve.id().expect("it still serves")).expect("a process id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("it is there");
    let ended = tokio::time::timeout(Duration::from_secs(40), serve.wait())
        .await
        .expect("it ends in its time")
        .expect("it ends");
    assert_eq!((ended.code(), ended.signal()), (Some(0), None), "a clean end");

    let last = scene.settle(8).await;
    scene
        .all_is_done(reports, &last, "a serve and two syncs at a time")
        .await;
}
