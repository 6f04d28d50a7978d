//! What a cycle asks of Expensify: 2 for each window, 2 for each hundred reports to mark, and retries; never per report.
//! Once a day, when what is posted is held against Expensify again, 2 more for each window; 2 for each hundred reports that
//! are asked for by name, because they are gone or were reversed.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use tieout_sandbox::expensify::FaultKind;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, binary, text};

/// Runs one cycle; the calls it cost, by the stand-in's count, and its summary.
async fn cycle(scene: &Scene) -> (Vec<String>, serde_json::Value) {
    let calls = scene.stand_ins.expensify.calls();
    calls.clear();
    let output = scene.tieout(&["sync", "--json"]).await;
    let cycles: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert_eq!(calls.throttled(), 0, "the limiter kept to the limits");
    (
        calls.all().into_iter().map(|call| call.operation).collect(),
        cycles[0].clone(),
    )
}

/// The whole life of so many reports: the cycle that posts and marks them, the one that proves the marks, and an idle one.
async fn keeps_to_the_budget(reports: usize) {
    binary();
    let scene = Scene::with(Size::Many { reports, lines: 1 }, |_| {}).await;
    // Nobody dies here: a lease on a cluster need not be as short as where another is to take over at once.
    scene.reconfigure(|text| text.replacen("lease = \"1s\"", "lease = \"30s\"", 1));
    let (windows, batches) = (1, reports.div_ceil(100));

    let (calls, posting) = cycle(&scene).await;
    assert_eq!(posting["posted"], reports, "{posting:#}");
    assert!(
        calls.len() <= 2 * windows + 2 * batches,
        "{reports} reports cost {}: {calls:?}",
        calls.len()
    );
    let marks = calls.iter().filter(|operation| *operation == "mark").count();
    assert_eq!(marks, batches, "{calls:?}");

    let (calls, proving) = cycle(&scene).await;
    assert_eq!(proving["marked_proven"], reports, "{proving:#}");
    assert!(calls.len() <= 2 * windows, "{calls:?}");
    let (calls, _) = cycle(&scene).await;
    assert!(calls.len() <= 2 * windows, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_report() {
    keeps_to_the_budget(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_and_fifty_reports() {
    keeps_to_the_budget(150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_hundred_reports() {
    keeps_to_the_budget(400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_for_each_year_since_go_live() {
    binary();
    let scene = Scene::with(Size::Many { reports: 3, lines: 1 }, |_| {}).await;
    scene.reconfigure(|text| text.replace("go_live = \"2026-10-01\"", "go_live = \"2024-10-01\""));
    let (calls, posting) = cycle(&scene).await;
    assert_eq!(posting["posted"], 3, "{posting:#}");
    assert_eq!(
        calls.len(),
        2 * 3 + 2,
        "three windows of at most a year, and one batch: {calls:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retry_costs_what_was_struck_and_no_more() {
    binary();
    let scene = Scene::with(Size::Many { reports: 3, lines: 1 }, |_| {}).await;
    let faults = scene.stand_ins.expensify.faults();
    faults.add(FaultRule::next("export", FaultKind::TooManyRequests));
    let (calls, posting) = cycle(&scene).await;
    assert_eq!(posting["posted"], 3, "{posting:#}");
    assert!(
        calls.len() <= 2 + 2 + 1,
        "one more than without the fault: {calls:?}"
    );
}

/// A cycle in which what is posted is held against both systems again: by default once a day, here after a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_recheck_costs_two_more_for_each_window_whatever_is_posted() {
    binary();
    for (go_live, windows) in [("2026-10-01", 1), ("2024-10-01", 3)] {
        let scene = Scene::with(
            Size::Many {
                reports: 120,
                lines: 1,
            },
            |_| {},
        )
        .await;
        scene.reconfigure(|text| {
            text.replace("go_live = \"2026-10-01\"", &format!("go_live = \"{go_live}\""))
        });
        scene.settle(4).await;
        let (calls, idle) = cycle(&scene).await;
        assert!(idle["rechecked"].is_null(), "not due by default: {idle:#}");
        assert_eq!(calls.len(), 2 * windows, "{calls:?}");

        scene.reconfigure(|text| text.replace("every = \"1m\"", "every = \"1m\"\nrecheck = \"1s\""));
        tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
        let (calls, rechecked) = cycle(&scene).await;
        assert_eq!(rechecked["rechecked"]["held"]["reports"], 120, "{rechecked:#}");
        assert_eq!(calls.len(), 2 * windows + 2 * windows, "{calls:?}");

        // One that is gone is asked for by name once, in one listing for all that are gone.
        scene.stand_ins.expensify.world().edit(|world| {
            let gone: Vec<_> = world.reports.keys().take(2).copied().collect();
            for id in gone {
                world.reports.remove(&id);
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
        let (calls, rechecked) = cycle(&scene).await;
        assert_eq!(rechecked["rechecked"]["held"]["raised"], 2, "{rechecked:#}");
        assert_eq!(calls.len(), 2 * windows + 2 * windows + 2, "{calls:?}");
        tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
        let (calls, _) = cycle(&scene).await;
        assert_eq!(
            calls.len(),
            2 * windows + 2 * windows,
            "known to be gone: {calls:?}"
        );
    }
}

/// What was reversed and is open again bears our label: it is asked for by name, all such reports in one listing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reports_that_were_reversed_cost_two_more_a_hundred_until_they_are_posted_again() {
    binary();
    let scene = Scene::with(Size::Many { reports: 5, lines: 1 }, |_| {}).await;
    scene.settle(4).await;
    let ledger = scene.ledger();
    for document in ledger.iter().take(3) {
        let handle = scene.stand_ins.qad.handle();
        assert!(handle.reverse(tieout_sandbox::month::credentials::QAD_WORKSPACE, &document.key()));
        let reference: tieout_domain::ids::Reference =
            document.reference.parse().unwrap_or_else(|e| panic!("{e}"));
        let id = reference.report.to_string();
        let args = [
            "reverse",
            &id,
            "--by",
            "2026/SINV/9",
            "--again",
            "--why",
            "wrong",
            "--as",
            "you",
        ];
        let output = scene.tieout(&args).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let (calls, posting) = cycle(&scene).await;
    assert_eq!(posting["posted"], 3, "{posting:#}");
    assert_eq!(
        calls.len(),
        2 + 2 + 2,
        "one window, one listing by name, one batch to mark: {calls:?}"
    );
    let (calls, proving) = cycle(&scene).await;
    assert_eq!(proving["marked_proven"], 3, "{proving:#}");
    assert_eq!(calls.len(), 2, "{calls:?}");
}
