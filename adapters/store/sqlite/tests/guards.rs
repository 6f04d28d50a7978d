//! Nothing is edited, not even with SQL in the hand; and an auditor can read everything.
#![allow(clippy::unwrap_used, reason = "helpers of tests outside a test function")]

use rusqlite::Connection;
use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, NewEvent, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

const ID: &str = "0197a1b2-c3d4-7e5f-8061-728394a5b6c7";

async fn log_with_two_events(folder: &TempDir) -> (SqliteLog, Connection) {
    let path = folder.path().join("tieout.db");
    let log = SqliteLog::open(&path).unwrap();
    let event = |id: Uuid| NewEvent {
        id: EventId(id),
        kind: "Discovered".to_owned(),
        data: r#"{"merchant":"Żabka 🧾"}"#.as_bytes().to_vec(),
        metadata: br#"{"actor":"system:poll"}"#.to_vec(),
    };
    let events = vec![event(ID.parse().unwrap()), event(Uuid::now_v7())];
    log.append(&StreamName("report-1".to_owned()), Expected::NoStream, events)
        .await
        .unwrap();
    (log, Connection::open(path).unwrap())
}

#[tokio::test]
async fn sql_cannot_edit_the_log() {
    let folder = TempDir::new().unwrap();
    let (log, sql) = log_with_two_events(&folder).await;
    let before = log.read_all(None, 10).await.unwrap();
    let edits = [
        "UPDATE events SET data = x'00' WHERE leaf = 0",
        "UPDATE events SET leaf = 7 WHERE leaf = 1",
        "UPDATE OR REPLACE events SET leaf = 0 WHERE leaf = 1",
        "DELETE FROM events WHERE leaf = 1",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT leaf, stream, revision, id, kind, x'00', metadata, sum FROM events WHERE leaf = 0",
        "INSERT OR REPLACE INTO events SELECT 2, stream, revision, randomblob(16), kind, x'00', metadata, sum FROM events WHERE leaf = 0",
        "INSERT OR REPLACE INTO events SELECT 2, stream, 2, id, kind, x'00', metadata, sum FROM events WHERE leaf = 0",
        "INSERT INTO events SELECT 3, stream, 2, randomblob(16), kind, data, metadata, sum FROM events WHERE leaf = 0",
        "INSERT INTO events SELECT -1, stream, 2, randomblob(16), kind, data, metadata, sum FROM events WHERE leaf = 0",
        "UPDATE streams SET name = 'report-2'",
        "UPDATE streams SET id = 9",
        "UPDATE streams SET head = 0",
        "DELETE FROM streams",
        "INSERT OR REPLACE INTO streams (id, name, head) VALUES (1, 'report-2', 1)",
        "INSERT OR REPLACE INTO streams (name, head) VALUES ('report-1', 0)",
    ];
    for edit in edits {
        let refused = sql.execute(edit, []).unwrap_err().to_string();
        assert!(refused.contains("nothing is edited"), "{edit}: {refused}");
    }
    let bare = "INSERT INTO events (leaf, stream, revision, id, kind, data, metadata)
        SELECT 2, stream, 2, randomblob(16), kind, data, metadata FROM events WHERE leaf = 0";
    let refused = sql.execute(bare, []).unwrap_err().to_string();
    assert!(refused.contains("without its sum"), "{refused}");
    assert_eq!(log.read_all(None, 10).await.unwrap(), before);
    log.verify().await.unwrap();
}

#[tokio::test]
async fn an_auditor_reads_the_view_named_log() {
    let folder = TempDir::new().unwrap();
    let (_log, sql) = log_with_two_events(&folder).await;
    let rows: Vec<(i64, String, i64, String, String, String, String)> = sql
        .prepare("SELECT leaf, stream, revision, id, kind, data, metadata FROM log")
        .unwrap()
        .query_map([], |r| {
            Ok((
                r.get(0)?,
                r.get(1)?,
                r.get(2)?,
                r.get(3)?,
                r.get(4)?,
                r.get(5)?,
                r.get(6)?,
            ))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 2);
    let first = &rows[0];
    assert_eq!(
        (first.0, first.1.as_str(), first.2, first.3.as_str()),
        (0, "report-1", 0, ID)
    );
    assert_eq!(
        (first.4.as_str(), first.5.as_str()),
        ("Discovered", r#"{"merchant":"Żabka 🧾"}"#)
    );
    let actor: String = sql
        .query_row("SELECT metadata ->> 'actor' FROM log WHERE leaf = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(actor, "system:poll");
}
