//! A log of an earlier format is brought up when it is opened: it keeps every event, and what is added bears sums.
#![allow(clippy::unwrap_used, reason = "helpers of tests outside a test function")]

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, Recorded, Revision, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

/// A log as a program of format 1 left it: one stream of 20 events.
fn of_format_1(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("tieout.db");
    let old = Connection::open(&path).unwrap();
    old.pragma_update(None, "page_size", 8_192).unwrap();
    old.pragma_update(None, "application_id", 0x5449_454F).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(include_str!("../src/schema.sql")).unwrap();
    old.execute("INSERT INTO streams (name, head) VALUES ('report-1', 19)", [])
        .unwrap();
    for leaf in 0..20 {
        let event = event(leaf);
        let row = params![
            leaf,
            event.id.0.as_bytes(),
            event.kind,
            event.data,
            event.metadata
        ];
        old.execute(
            "INSERT INTO events (leaf, stream, revision, id, kind, data, metadata) VALUES (?1, 1, ?1, ?2, ?3, ?4, ?5)",
            row,
        )
        .unwrap();
    }
    path
}

fn event(number: u32) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(u128::from(number) + 1)),
        kind: "Noted".to_owned(),
        data: format!("{{\"n\":{number}}}").into_bytes(),
        metadata: b"{}".to_vec(),
    }
}

fn stream() -> StreamName {
    StreamName("report-1".to_owned())
}

async fn read(log: &SqliteLog) -> Result<Vec<Recorded>, LogError> {
    log.read_stream(&stream(), Revision(0), 100).await
}

/// Changes an event behind the log's back, and puts the guard back.
fn spoil(path: &Path, leaf: u32) {
    let sql = Connection::open(path).unwrap();
    let guard: String = sql
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE name = 'events_are_not_updated'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    sql.execute_batch("DROP TRIGGER events_are_not_updated").unwrap();
    sql.execute("UPDATE events SET data = '{\"n\":0}' WHERE leaf = ?1", [leaf])
        .unwrap_err();
    sql.execute("UPDATE events SET data = x'00' WHERE leaf = ?1", [leaf])
        .unwrap();
    sql.execute_batch(&guard).unwrap();
}

#[tokio::test]
async fn a_log_without_sums_keeps_every_event_and_goes_on_with_sums() {
    let folder = TempDir::new().unwrap();
    let path = of_format_1(&folder);
    let log = SqliteLog::open_existing(&path).unwrap();
    let events: Vec<NewEvent> = read(&log).await.unwrap().into_iter().map(|e| e.event).collect();
    assert!(events.into_iter().eq((0..20).map(event)));
    assert_eq!(log.verify().await.unwrap().events, 20);

    let at = Expected::At(Revision(19));
    log.append(&stream(), at, vec![event(20), event(21)])
        .await
        .unwrap();
    assert_eq!(read(&log).await.unwrap().len(), 22);
    assert_eq!(log.verify().await.unwrap().events, 22);
    drop(log);

    let again = SqliteLog::open_existing(&path).unwrap();
    assert_eq!(again.verify().await.unwrap().events, 22);
    spoil(&path, 21);
    for answer in [read(&again).await.map(drop), again.verify().await.map(drop)] {
        assert!(
            matches!(&answer, Err(LogError::Unusable { detail, .. }) if detail.contains("event 21")),
            "{answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_that_open_it_at_once_bring_it_up_once() {
    let folder = TempDir::new().unwrap();
    let path = of_format_1(&folder);
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            tokio::task::spawn_blocking(move || SqliteLog::open_existing(path).unwrap())
        })
        .collect();
    for opener in openers {
        assert_eq!(opener.await.unwrap().verify().await.unwrap().events, 20);
    }
}

#[tokio::test]
async fn an_event_that_lost_its_sum_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = of_format_1(&folder);
    let log = SqliteLog::open_existing(&path).unwrap();
    let at = Expected::At(Revision(19));
    log.append(&stream(), at, vec![event(20), event(21)])
        .await
        .unwrap();
    let sql = Connection::open(&path).unwrap();
    sql.execute_batch("DROP TRIGGER events_are_not_updated").unwrap();
    sql.execute("UPDATE events SET sum = NULL WHERE leaf = 21", [])
        .unwrap();
    let answer = log.verify().await;
    assert!(
        matches!(&answer, Err(LogError::Unusable { detail, .. }) if detail.contains("lost their sums")),
        "{answer:?}"
    );
}
