//! A log that was restored from a backup knows less than QAD shows. Whatever was taken back with it, nothing is posted
//! a second time.

#![allow(clippy::expect_used, clippy::panic, reason = "a test: a surprise must end it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tieout_domain::report::Proof;
use tieout_projections::tie_out::What;
use tieout_projections::work_list::DocumentStanding;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, binary, text};

const REPORTS: usize = 8;
const WORLD: Size = Size::Many {
    reports: REPORTS,
    lines: 2,
};

/// The files of the log: with what SQLite has not yet moved into the first.
fn files(folder: &Path) -> [PathBuf; 3] {
    ["tieout.db", "tieout.db-wal", "tieout.db-shm"].map(|name| folder.join(name))
}

/// Copies the log's files, and takes away in the target what the source does not have. Nobody has it open.
fn copy(from: &Path, to: &Path) {
    for (from, to) in files(from).iter().zip(&files(to)) {
        match std::fs::copy(from, to) {
            Ok(_) => {}
            Err(_) => drop(std::fs::remove_file(to)),
        }
    }
}

/// A scene whose first cycle was killed at a point, and a backup of its log as it was then.
async fn killed_and_backed_up(point: &str) -> (Scene, tempfile::TempDir) {
    let scene = Scene::with(WORLD, |_| {}).await;
    killed(&scene, point).await;
    let backup = tempfile::tempdir().expect("a folder");
    copy(&installation(&scene), backup.path());
    (scene, backup)
}

async fn killed(scene: &Scene, point: &str) {
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", point)]).await;
    assert_eq!(killed.status.code(), None, "killed at {point}: {}", text(&killed));
}

fn installation(scene: &Scene) -> PathBuf {
    scene.config.parent().expect("a folder").to_owned()
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

/// The backup is of `point`; everything is posted after it and nothing is marked yet when the log is lost.
async fn lost_before_marking(point: &str, known: usize) {
    let (scene, backup) = killed_and_backed_up(point).await;
    killed(&scene, "marking:1").await;
    let ledger = scene.ledger();
    assert_eq!(
        ledger.len(),
        REPORTS,
        "{point}: all was posted before the log was lost"
    );

    copy(backup.path(), &installation(&scene));
    let last = scene.settle(8).await;
    assert_eq!(
        scene.ledger(),
        ledger,
        "{point}: the ledger is the same to the last line"
    );
    scene
        .all_is_done(REPORTS, &last, &format!("{point}: restored"))
        .await;
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
        lost_before_marking("mapped:8", 0),
        lost_before_marking("sent:4", 3),
        lost_before_marking("recorded:5", 5)
    );
}

/// A backup older than the reports themselves: nothing of them is in the log, and the poll shows none that is marked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_came_posted_and_was_marked_since_the_backup_is_named_as_missing() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let backup = tempfile::tempdir().expect("a folder");
    copy(&installation(&scene), backup.path());
    let last = scene.settle(8).await;
    scene.all_is_done(REPORTS, &last, "the month").await;
    let ledger = scene.ledger();

    copy(backup.path(), &installation(&scene));
    scene.settle(8).await;
    assert_eq!(scene.ledger(), ledger, "the ledger is the same to the last line");
    let mut named = BTreeMap::new();
    for difference in scene.tie_out().await.differences {
        match difference.what {
            What::MissingInLog { report_id, .. } => *named.entry(report_id).or_insert(0) += 1,
            What::DocumentUnexplained { report_id, .. } => *named.entry(report_id).or_insert(0) += 10,
            other => panic!("{other}"),
        }
    }
    assert_eq!(named.len(), REPORTS, "{named:?}");
    assert!(
        named.values().all(|kinds| *kinds == 11),
        "each at the source and in the ledger: {named:?}"
    );
}

/// What was marked since the backup is not shown to a poll any more, so that the restored log takes it for withdrawn. It
/// is not posted again, and the tie-out names every one of them.
async fn lost_after_marking(point: &str, unknown: usize) {
    let (scene, backup) = killed_and_backed_up(point).await;
    let last = scene.settle(8).await;
    scene
        .all_is_done(REPORTS, &last, &format!("{point}: the month went on"))
        .await;
    let ledger = scene.ledger();

    copy(backup.path(), &installation(&scene));
    scene.settle(8).await;
    assert_eq!(
        scene.ledger(),
        ledger,
        "{point}: the ledger is the same to the last line"
    );
    scene.nothing_is_wrong(&format!("{point}: restored"));
    let mut named = BTreeMap::new();
    for difference in scene.tie_out().await.differences {
        match difference.what {
            What::ShownThoughWithdrawn { report_id } => *named.entry(report_id).or_insert(0) += 1,
            What::DocumentUnexplained { report_id, .. } => *named.entry(report_id).or_insert(0) += 10,
            other => panic!("{point}: {other}"),
        }
    }
    assert_eq!(named.len(), unknown, "{point}: {named:?}");
    assert!(
        named.values().all(|kinds| *kinds == 11),
        "each at the source and in the ledger: {named:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_marked_since_the_backup_is_not_posted_again_and_is_named() {
    binary();
    tokio::join!(
        lost_after_marking("mapped:8", 8),
        lost_after_marking("sent:4", 4),
        lost_after_marking("marking:1", 0)
    );
}
