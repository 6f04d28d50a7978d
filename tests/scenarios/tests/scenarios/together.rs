//! Two instances at work on one store at once, which nobody should start and somebody will: never a document twice, none
//! lost, and what each wrote the other can read.
//!
//! On a cluster a lease keeps the second one out. It may be wrong, so here each asks for a lease of its own and gets it:
//! what is tried is the intent alone. Only beside the schedule is the lease left as it is.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use std::process::{Output, Stdio};
use std::time::Duration;

use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Expectation, Size};
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::{Dice, SEED, Scene, binary, on_a_cluster, text};

const REPORTS: usize = 12;
const WORLD: Size = Size::Many {
    reports: REPORTS,
    lines: 2,
};

/// A world in which posting takes a while, so that two have time to meet, and in which posts fail after so many others.
async fn unhurried<const N: usize>(faults: [(u32, FaultKind); N]) -> Scene {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let queue = scene.stand_ins.qad.handle().faults();
    for (after, kind) in faults {
        queue.add(FaultRule::next("post:*", kind).after(after));
    }
    // Behind the others: only what nothing else strikes is late.
    queue.add(FaultRule::next("post:*", LATE).times(1_000));
    scene
}

const LATE: FaultKind = FaultKind::Delay { ms: 25 };

fn every_fault_has_struck(scene: &Scene, when: &str) {
    let pending = scene.stand_ins.qad.handle().faults().pending();
    let left: Vec<_> = pending.iter().filter(|rule| rule.kind != LATE).collect();
    assert!(left.is_empty(), "{when}: {left:?}");
}

/// A cycle that begins a little later, killed at a point if one is named.
async fn one_cycle(scene: &Scene, late: Duration, lease: Option<&str>, dies_at: Option<&str>) -> Output {
    tokio::time::sleep(late).await;
    let set = [("TIEOUT_TRIAL_LEASE", lease), ("TIEOUT_CRASH_AT", dies_at)];
    let set: Vec<_> = set
        .into_iter()
        .filter_map(|(variable, value)| Some((variable, value?)))
        .collect();
    scene.run(&["sync", "--json"], &set).await
}

/// Two cycles, each beginning when it may, both at work wherever they meet.
async fn both(scene: &Scene, late: [Duration; 2], one_dies_at: Option<&str>) -> [Output; 2] {
    let [first, second] = late;
    tokio::join!(
        one_cycle(scene, first, Some("one"), one_dies_at),
        one_cycle(scene, second, Some("other"), None)
    )
    .into()
}

/// What a cycle that lived to its end did of something. The other one may have kept it from any, and may not make it fail.
fn done(output: &Output, what: &str, when: &str) -> u64 {
    if output.status.code().is_none() {
        return 0;
    }
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{when}: {}",
        text(output)
    );
    let cycles: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{when}: {e}: {}", text(output)));
    // On a cluster, whoever meets the schedule's living lease stands aside and says so; in a file both work.
    if on_a_cluster() && cycles[0]["worked_by"]["instance"].is_string() {
        return 0;
    }
    cycles[0][what].as_u64().expect("a number")
}

/// Each writes personal fields under keys of its own making: all of them must open.
async fn everything_is_readable(scene: &Scene, when: &str) {
    let output = scene.tieout(&["reports", "--json"]).await;
    let rows: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{when}: {e}: {}", text(&output)));
    let rows = rows.as_array().expect("an array");
    assert_eq!(rows.len(), REPORTS, "{when}");
    let shut: Vec<_> = rows.iter().filter(|row| !row["submitter"].is_string()).collect();
    assert!(shut.is_empty(), "{when}: {shut:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_cycles_at_once_round_after_round() {
    let mut met = 0;
    for seed in 0..4 {
        let scene = unhurried([]).await;
        let mut dice = Dice::new(seed);
        for round in 0..3 {
            let when = format!("seed {seed}, round {round}");
            let mut late = || Duration::from_millis(dice.below(120));
            let posted = both(&scene, [late(), late()], None)
                .await
                .map(|output| done(&output, "posted", &when));
            met += u32::from(posted.iter().all(|count| *count > 0));
            scene.nothing_is_wrong(&when);
        }
        let last = scene.settle(8).await;
        let when = format!("seed {seed}");
        scene.all_is_done(REPORTS, &last, &when).await;
        everything_is_readable(&scene, &when).await;
    }
    assert!(met > 0, "the two never met: the test shows nothing");
}

/// Each meets the other between the two documents of a report: what the other one is sending is no stranger.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_cycles_at_once_on_reports_of_two_documents() {
    binary();
    let month = month::month(SEED, Size::Demo);
    let two = |expectation: &Expectation| matches!(expectation, Expectation::Posted { documents } if documents.len() == 2);
    let parts = month
        .story
        .parts
        .iter()
        .filter(|(_, part)| two(&part.expectation));
    let reports: Vec<_> = parts
        .take(REPORTS)
        .map(|(id, _)| month.expensify.reports[id].clone())
        .collect();
    assert_eq!(reports.len(), REPORTS);
    let none = Size::Many { reports: 0, lines: 0 };
    let scene = Scene::with(none, |world| {
        reports.into_iter().for_each(|report| world.add_report(report))
    })
    .await;
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("post:*", LATE).times(1_000));

    let mut dice = Dice::new(1);
    for round in 0..3 {
        let mut late = || Duration::from_millis(dice.below(60));
        for output in both(&scene, [late(), late()], None).await {
            done(&output, "posted", &format!("round {round}"));
        }
    }
    let last = scene.settle(8).await;
    assert_eq!(
        last["resolved"]["incidents"], 0,
        "nothing here needs a person: {last:#}"
    );
    assert_eq!(last["stages"]["marked_exported"], REPORTS, "{last:#}");
    assert_eq!(scene.ledger().len(), 2 * REPORTS);
    scene.must_tie_out("reports of two documents").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_at_once_while_answers_and_requests_are_lost_and_one_of_them_dies() {
    for (seed, point) in [
        (1, "sent:3"),
        (2, "intent:2"),
        (3, "recorded:4"),
        (4, "marking:1"),
    ] {
        let scene = unhurried([
            (2, FaultKind::DropAfter),
            (4, FaultKind::DropBefore),
            (6, FaultKind::ErrorAfter { status: 502 }),
            // Arrives when its sender has given it up, and before the quarantine has ended.
            (8, FaultKind::Zombie { ms: 3_000 }),
        ])
        .await;
        let mut dice = Dice::new(seed);
        for round in 0..3 {
            let when = format!("killed at {point}, round {round}");
            let mut late = || Duration::from_millis(dice.below(120));
            let dies_at = (round == 0).then_some(point);
            for output in both(&scene, [late(), late()], dies_at).await {
                done(&output, "posted", &when);
            }
            scene.nothing_is_wrong(&when);
        }
        let last = scene.settle(10).await;
        scene.all_is_done(REPORTS, &last, point).await;
        every_fault_has_struck(&scene, point);
        everything_is_readable(&scene, point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_people_run_cycles_beside_the_schedule() {
    let scene = unhurried([(3, FaultKind::DropBefore)]).await;
    scene.reconfigure(|text| {
        text.replace("every = \"1m\"", "every = \"1s\"")
            .replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]")
    });
    let mut serve = scene
        .command(&["serve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    for round in 0..3 {
        let when = format!("round {round}");
        let (one, other) = tokio::join!(
            one_cycle(&scene, Duration::ZERO, None, None),
            one_cycle(&scene, Duration::ZERO, None, None)
        );
        for output in [&one, &other] {
            done(output, "posted", &when);
        }
        scene.nothing_is_wrong(&when);
    }
    let number = i32::try_from(serve.id().expect("it runs")).expect("a process number");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(number),
        nix::sys::signal::Signal::SIGTERM,
    )
    .expect("it is told to stop");
    let ended = serve.wait().await.expect("it ends");
    assert_eq!(ended.code(), Some(0), "told to stop, it ends well");

    let last = scene.settle(8).await;
    scene.all_is_done(REPORTS, &last, "beside the schedule").await;
    every_fault_has_struck(&scene, "beside the schedule");
    everything_is_readable(&scene, "beside the schedule").await;
}
