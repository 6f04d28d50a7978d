//! A log that was restored from a backup knows less than QAD shows. Whatever was taken back with it, nothing posts before
//! `reconcile --ledger` has brought it up to QAD, and then it ties out. What only a person can settle is in `recovery`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use tieout_domain::journal::Streams;
use tieout_domain::ports::{Log as _, Revision};
use tieout_domain::report::Proof;
use tieout_projections::work_list::DocumentStanding;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Backup, Scene, binary, text};

const REPORTS: usize = 8;
const WORLD: Size = Size::Many {
    reports: REPORTS,
    lines: 2,
};

/// A scene whose first cycle was killed at a point, and a backup of its log as it was then.
async fn killed_and_backed_up(point: &str) -> (Scene, Backup) {
    let scene = Scene::with(WORLD, |_| {}).await;
    killed(&scene, point).await;
    let backup = scene.back_up();
    (scene, backup)
}

async fn killed(scene: &Scene, point: &str) {
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", point)]).await;
    assert_eq!(killed.status.code(), None, "killed at {point}: {}", text(&killed));
}

/// How many documents the log holds as found in QAD and not as sent by us.
async fn adopted(scene: &Scene) -> usize {
    let rows = scene.rows().await;
    let documents = rows.iter().flat_map(|row| &row.now.documents);
    documents
        .filter(|document| {
            matches!(
                document.standing,
                DocumentStanding::Posted {
                    proof: Proof::Adopted,
                    ..
                }
            )
        })
        .count()
}

/// What the stream of the ledger holds.
async fn of_the_ledger(scene: &Scene) -> Vec<String> {
    let stream = Streams(scene.connection().id).ledger();
    let log = scene.installation().await.log;
    let events = log.read_stream(&stream, Revision(0), 100).await.expect("the log");
    events.into_iter().map(|recorded| recorded.event.kind).collect()
}

/// One cycle on a log that was restored: it says that it is in recovery, and posts nothing.
async fn opens_in_recovery(scene: &Scene, when: &str) {
    let before = scene.ledger();
    let output = scene.tieout(&["sync", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{when}: {}", text(&output));
    let cycles: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON of sync");
    assert_eq!(cycles[0]["in_recovery"], true, "{when}: {cycles:#}");
    assert_eq!(cycles[0]["posted"], 0, "{when}: {cycles:#}");
    let warnings = cycles[0]["warnings"].to_string();
    assert!(
        warnings.contains("in recovery since") && warnings.contains("tieout reconcile --ledger"),
        "{when}: {warnings}"
    );
    assert_eq!(scene.ledger(), before, "{when}: nothing was sent");
}

/// The restored log is brought up to QAD, and goes on as if nothing had been lost.
async fn is_healed(scene: &Scene, adopts: usize, when: &str) {
    let ledger = scene.ledger();
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{when}: {reconciled:#}");
    assert_eq!(reconciled["closed"], true, "{when}: {reconciled:#}");
    let count = reconciled["adopted"].as_array().map(Vec::len);
    assert_eq!(count, Some(adopts), "{when}: {reconciled:#}");
    assert_eq!(scene.ledger(), ledger, "{when}: it cannot send");
    let last = scene.settle(8).await;
    assert_eq!(
        scene.ledger(),
        ledger,
        "{when}: the ledger is the same to the last line"
    );
    scene.all_is_done(REPORTS, &last, when).await;
}

/// The backup is of `point`; everything is posted after it and nothing is marked yet when the log is lost. `known` are
/// posted by the backup's log, `in_hand` more are being sent.
async fn lost_before_marking(point: &str, known: usize, in_hand: usize) {
    let (scene, backup) = killed_and_backed_up(point).await;
    killed(&scene, "marking:1").await;
    assert_eq!(
        scene.ledger().len(),
        REPORTS,
        "{point}: all was posted before the log was lost"
    );

    scene.put_back(&backup);
    opens_in_recovery(&scene, point).await;
    is_healed(&scene, REPORTS - known - in_hand, point).await;
    assert_eq!(
        adopted(&scene).await,
        REPORTS - known,
        "{point}: what the restored log did not know was found in QAD"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_posted_since_the_backup_is_adopted_and_ties_out() {
    binary();
    tokio::join!(
        lost_before_marking("mapped:8", 0, 0),
        lost_before_marking("sent:4", 3, 1),
        lost_before_marking("recorded:5", 5, 0)
    );
}

/// A backup older than the reports themselves: nothing of them is in the log, and the poll shows none that is marked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_came_posted_and_was_marked_since_the_backup_is_healed_and_ties_out() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let backup = scene.back_up();
    let last = scene.settle(8).await;
    scene.all_is_done(REPORTS, &last, "the month").await;

    scene.put_back(&backup);
    let tied = scene.tie_out().await;
    assert!(!tied.ties(), "without the log nothing is accounted for");
    opens_in_recovery(&scene, "restored").await;
    opens_in_recovery(&scene, "restored, and a cycle later").await;
    assert_eq!(of_the_ledger(&scene).await, ["RecoveryOpened"], "said once");
    is_healed(&scene, REPORTS, "restored").await;
    assert_eq!(adopted(&scene).await, REPORTS);
    assert_eq!(of_the_ledger(&scene).await, ["RecoveryOpened", "RecoveryClosed"]);
}

/// What was marked since the backup is not shown to a poll any more, so that the restored log takes it for withdrawn.
async fn lost_after_marking(point: &str, known: usize, in_hand: usize) {
    let (scene, backup) = killed_and_backed_up(point).await;
    let last = scene.settle(8).await;
    scene
        .all_is_done(REPORTS, &last, &format!("{point}: the month went on"))
        .await;

    scene.put_back(&backup);
    let unknown = REPORTS - known - in_hand;
    if unknown > 0 {
        opens_in_recovery(&scene, point).await;
        is_healed(&scene, unknown, point).await;
    } else {
        // Everything is known, but that it was marked: that is no matter of the ledger.
        let last = scene.settle(8).await;
        scene.all_is_done(REPORTS, &last, point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_marked_since_the_backup_is_healed_and_ties_out() {
    binary();
    tokio::join!(
        lost_after_marking("mapped:8", 0, 0),
        lost_after_marking("sent:4", 3, 1),
        lost_after_marking("marking:1", REPORTS, 0)
    );
}

/// The reconciliation itself is killed, a cycle comes in between, and it is run again.
async fn killed_while_reconciling(point: &str) {
    let scene = Scene::with(WORLD, |_| {}).await;
    let backup = scene.back_up();
    scene.settle(8).await;
    scene.put_back(&backup);
    let ledger = scene.ledger();

    let output = scene
        .run(&["reconcile", "--ledger"], &[("TIEOUT_CRASH_AT", point)])
        .await;
    assert_eq!(output.status.code(), None, "killed at {point}: {}", text(&output));
    let between = scene.tieout(&["sync", "--json"]).await;
    assert_eq!(between.status.code(), Some(1), "{point}: {}", text(&between));
    assert_eq!(scene.ledger(), ledger, "{point}: nothing posts in between");
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{point}: {reconciled:#}");
    let last = scene.settle(8).await;
    scene.all_is_done(REPORTS, &last, point).await;
    assert_eq!(scene.ledger(), ledger, "{point}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reconciliation_killed_at_any_point_is_run_again() {
    binary();
    tokio::join!(
        killed_while_reconciling("intent:1"),
        killed_while_reconciling("looked:4"),
        killed_while_reconciling("healed:3"),
        killed_while_reconciling("healed:8")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_nothing_is_unexplained_there_is_nothing_to_reconcile_and_the_doctor_says_so() {
    binary();
    let scene = Scene::with(Size::Many { reports: 2, lines: 1 }, |_| {}).await;
    let backup = scene.back_up();
    scene.settle(6).await;
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{reconciled:#}");
    assert_eq!(
        (&reconciled["documents"], &reconciled["closed"]),
        (&2.into(), &false.into()),
        "{reconciled:#}"
    );

    let recovery = || async {
        let output = scene.tieout(&["doctor", "--json"]).await;
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON of the doctor");
        let checks = found["connections"][0]["checks"]
            .as_array()
            .expect("checks")
            .clone();
        checks
            .into_iter()
            .find(|check| check["name"] == "recovery")
            .expect("a line for it")
    };
    assert_eq!(recovery().await["ok"], true);
    scene.put_back(&backup);
    let told = recovery().await;
    assert_eq!(told["ok"], false, "{told:#}");
    assert!(
        told["detail"]
            .to_string()
            .contains("the next cycle opens in recovery"),
        "{told:#}"
    );
    scene.tieout(&["sync"]).await;
    let told = recovery().await;
    assert_eq!(told["ok"], false, "{told:#}");
    assert!(
        told["detail"].to_string().contains("in recovery since"),
        "{told:#}"
    );
    assert!(told["fix"].to_string().contains("reconcile --ledger"), "{told:#}");
}
