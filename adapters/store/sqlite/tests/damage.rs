//! Files that are no log of ours, or no longer a whole one, are refused with a clear word and left as they are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests outside a test function"
)]

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

fn events(count: usize, size: usize) -> Vec<NewEvent> {
    let event = |_| NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: vec![b'x'; size],
        metadata: Vec::new(),
    };
    (0..count).map(event).collect()
}

/// A closed log of 200 events, all of it in the one file.
async fn sound_log(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("tieout.db");
    let log = SqliteLog::open(&path).unwrap();
    for n in 0..20 {
        log.append(
            &StreamName(format!("report-{n}")),
            Expected::NoStream,
            events(10, 1_000),
        )
        .await
        .unwrap();
    }
    drop(log);
    assert!(
        !path.with_extension("db-wal").exists(),
        "the last handle folds the write-ahead log in"
    );
    path
}

#[track_caller]
fn refusal(path: &Path) -> String {
    let before = fs::read(path).ok();
    match SqliteLog::open(path) {
        Err(LogError::Unusable { place, detail }) => {
            assert_eq!(place, path.display().to_string());
            assert!(before == fs::read(path).ok(), "a refused file is left as it is");
            detail
        }
        other => panic!("{} should be refused, not {other:?}", path.display()),
    }
}

#[track_caller]
fn refused_with(path: &Path, words: &[&str]) {
    let detail = refusal(path);
    for word in words {
        assert!(detail.contains(word), "`{detail}` does not say `{word}`");
    }
}

#[test]
fn a_text_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.toml");
    fs::write(&path, "[store]\nurl = \"sqlite:tieout.db\"\n").unwrap();
    refused_with(&path, &["not a SQLite database", "[store] url"]);
    fs::write(&path, "x").unwrap();
    refused_with(&path, &["not a SQLite database"]);
}

#[test]
fn an_empty_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    fs::write(&path, "").unwrap();
    refused_with(&path, &["empty", "delete it", "restore the last backup"]);
}

#[test]
fn a_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    refused_with(folder.path(), &["cannot be read", "folder"]);
}

#[test]
fn a_path_into_nowhere_is_refused() {
    let folder = TempDir::new().unwrap();
    refused_with(
        &folder.path().join("no/such/folder/tieout.db"),
        &["cannot be made", "correct the path"],
    );
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("places.sqlite");
    let foreign = Connection::open(&path).unwrap();
    foreign
        .execute_batch("CREATE TABLE events (id INTEGER); CREATE TABLE streams (id INTEGER);")
        .unwrap();
    drop(foreign);
    refused_with(&path, &["another program"]);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "application_id", 42)
        .unwrap();
    refused_with(&path, &["another program"]);
}

#[tokio::test]
async fn the_log_of_a_newer_program_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = sound_log(&folder).await;
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    refused_with(&path, &["newer tieout (format 7", "run the newer program"]);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 0)
        .unwrap();
    refused_with(&path, &["format is 0", "restore"]);
}

#[tokio::test]
async fn a_file_cut_short_is_refused_wherever_it_is_cut() {
    let folder = TempDir::new().unwrap();
    let path = sound_log(&folder).await;
    let whole = fs::read(&path).unwrap();
    let cuts = [
        1,
        15,
        16,
        60,
        99,
        100,
        4_000,
        4_096,
        10_000,
        4_096 * 8,
        whole.len() / 2,
        whole.len() - 4_096,
        whole.len() - 1,
    ];
    for cut in cuts {
        fs::write(&path, &whole[..cut]).unwrap();
        let detail = refusal(&path);
        assert!(
            detail.contains("restore the last backup"),
            "cut at {cut}: {detail}"
        );
    }
    fs::write(&path, &whole).unwrap();
    SqliteLog::open(&path).unwrap();
}

#[tokio::test]
async fn a_garbled_header_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = sound_log(&folder).await;
    let whole = fs::read(&path).unwrap();
    // The magic, the page size, the format versions, the fractions, the schema format, the mark, the first page.
    for (from, to) in [
        (0, 16),
        (16, 18),
        (18, 20),
        (21, 24),
        (44, 48),
        (68, 72),
        (0, 100),
        (100, 600),
    ] {
        let mut garbled = whole.clone();
        garbled[from..to].iter_mut().for_each(|byte| *byte ^= 0xA5);
        fs::write(&path, garbled).unwrap();
        let detail = refusal(&path);
        assert!(detail.len() > 40, "bytes {from}..{to}: {detail}");
    }
}

#[tokio::test]
async fn damage_inside_is_found_by_verify() {
    let folder = TempDir::new().unwrap();
    let path = sound_log(&folder).await;
    let sound = SqliteLog::open(&path).unwrap();
    let verified = sound.verify().await.unwrap();
    assert_eq!((verified.events, verified.streams), (200, 20));
    drop(sound);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 200].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    match SqliteLog::open(&path) {
        Ok(log) => match log.verify().await {
            Err(LogError::Unusable { detail, .. }) => assert!(detail.contains("damaged"), "{detail}"),
            other => panic!("{other:?}"),
        },
        Err(LogError::Unusable { detail, .. }) => assert!(detail.contains("damaged"), "{detail}"),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_guard_that_was_dropped_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = sound_log(&folder).await;
    let intruder = Connection::open(&path).unwrap();
    intruder
        .execute_batch("DROP TRIGGER events_are_not_deleted")
        .unwrap();
    refused_with(&path, &["trigger `events_are_not_deleted`", "restore"]);
}

#[tokio::test]
async fn events_that_were_removed_behind_our_back_are_noticed() {
    const GUARD: &str = "CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(FAIL, 'nothing is edited: events are never deleted'); END";
    for (removed, noticed_at_once) in [("leaf = 199", true), ("leaf = 0", true), ("leaf = 77", false)] {
        let folder = TempDir::new().unwrap();
        let path = sound_log(&folder).await;
        let intruder = Connection::open(&path).unwrap();
        intruder
            .execute_batch("DROP TRIGGER events_are_not_deleted")
            .unwrap();
        intruder
            .execute(&format!("DELETE FROM events WHERE {removed}"), [])
            .unwrap();
        intruder.execute_batch(GUARD).unwrap();
        drop(intruder);
        if noticed_at_once {
            refused_with(&path, &["restore"]);
        } else {
            let answer = SqliteLog::open(&path).unwrap().verify().await;
            assert!(
                matches!(&answer, Err(LogError::Unusable { detail, .. }) if detail.contains("missing")),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn a_missing_log_is_not_replaced_where_one_is_expected() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    match SqliteLog::open_existing(&path) {
        Err(LogError::Unusable { detail, .. }) => assert!(detail.contains("tieout init"), "{detail}"),
        other => panic!("{other:?}"),
    }
    assert!(!path.exists());
    drop(SqliteLog::open(&path).unwrap());
    SqliteLog::open_existing(&path).unwrap();
}

#[test]
fn a_log_that_went_missing_beside_its_newest_events_is_not_replaced() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    fs::write(folder.path().join("tieout.db-wal"), "the newest events").unwrap();
    refused_with(&path, &["tieout.db-wal is there", "put the file back"]);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn a_new_log_is_readable_by_its_owner_only_and_alone_in_its_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    drop(SqliteLog::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["tieout.db"], "no draft is left behind");
}
