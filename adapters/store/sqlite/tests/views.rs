//! Views beside the log, and copies of it all.
#![allow(clippy::unwrap_used, reason = "helpers of tests outside a test function")]

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, PaceBook, Position, Revision, StreamName};
use tieout_sqlite::{LoadedView, SqliteLog, Stepped, ViewRow, ViewStep};
use uuid::Uuid;

fn open(folder: &TempDir) -> SqliteLog {
    SqliteLog::open(folder.path().join("tieout.db")).unwrap()
}

fn row(key: &str, row: Value) -> ViewRow {
    ViewRow {
        key: key.to_owned(),
        row,
    }
}

fn step(since: Option<u64>, checkpoint: u64, upserts: Vec<ViewRow>, deletes: &[&str]) -> ViewStep {
    ViewStep {
        since: since.map(|at| Position(at, 0)),
        checkpoint: Position(checkpoint, 0),
        upserts,
        deletes: deletes.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn event() -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: b"{}".to_vec(),
        metadata: Vec::new(),
    }
}

#[tokio::test]
async fn a_view_is_loaded_as_it_was_applied() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    let views = log.views();
    assert_eq!(
        views.load("reports").await.unwrap(),
        LoadedView {
            checkpoint: None,
            rows: vec![]
        }
    );
    let exact: Value =
        serde_json::from_str(r#"{"amount": 12345678901234567890.10, "text": "a\u0000\"'żółć 🧾"}"#).unwrap();
    let first = step(
        None,
        3,
        vec![
            row("b", exact.clone()),
            row("a", json!(null)),
            row("c", json!([1])),
        ],
        &[],
    );
    assert_eq!(views.apply("reports", first).await.unwrap(), Stepped::Applied);
    let second = step(
        Some(3),
        9,
        vec![row("a", json!({"state": "Posted"})), row("c", json!(2))],
        &["c", "nobody"],
    );
    assert_eq!(views.apply("reports", second).await.unwrap(), Stepped::Applied);
    let rows = vec![
        row("a", json!({"state": "Posted"})),
        row("b", exact.clone()),
        row("c", json!(2)),
    ];
    let expected = LoadedView {
        checkpoint: Some(Position(9, 0)),
        rows,
    };
    assert_eq!(views.load("reports").await.unwrap(), expected);
    assert_eq!(views.get("reports", "b").await.unwrap(), Some(exact));
    assert_eq!(views.get("reports", "z").await.unwrap(), None);
    drop((views, log));
    assert_eq!(open(&folder).views().load("reports").await.unwrap(), expected);
}

#[tokio::test]
async fn pages_of_a_view_join_in_the_order_of_keys() {
    let folder = TempDir::new().unwrap();
    let views = open(&folder).views();
    let rows: Vec<ViewRow> = (0..25).map(|n| row(&format!("{n:03}"), json!(n))).collect();
    views
        .apply(
            "reports",
            step(None, 1, rows.iter().rev().cloned().collect(), &[]),
        )
        .await
        .unwrap();
    let mut read: Vec<ViewRow> = Vec::new();
    loop {
        let page = views
            .page("reports", read.last().map(|r| r.key.as_str()), 10)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, rows);
}

#[tokio::test]
async fn a_step_from_a_place_the_view_has_left_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let (views, others) = (open(&folder).views(), open(&folder).views());
    views
        .apply("reports", step(None, 5, vec![row("a", json!(5))], &[]))
        .await
        .unwrap();
    for since in [None, Some(4), Some(6)] {
        let late = step(since, 7, vec![row("a", json!(7)), row("b", json!(7))], &["a"]);
        let answer = others.apply("reports", late).await.unwrap();
        assert_eq!(
            answer,
            Stepped::Overtaken {
                actual: Some(Position(5, 0))
            }
        );
    }
    assert_eq!(views.load("reports").await.unwrap().rows, [row("a", json!(5))]);
}

#[tokio::test]
async fn dropping_a_view_leaves_the_others_and_the_log() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    log.append(
        &StreamName("report-1".to_owned()),
        Expected::NoStream,
        vec![event()],
    )
    .await
    .unwrap();
    let views = log.views();
    for view in ["reports", "trail"] {
        views
            .apply(view, step(None, 1, vec![row("a", json!(1))], &[]))
            .await
            .unwrap();
    }
    views.drop_view("reports").await.unwrap();
    views.drop_view("never there").await.unwrap();
    assert_eq!(
        views.load("reports").await.unwrap(),
        LoadedView {
            checkpoint: None,
            rows: vec![]
        }
    );
    assert_eq!(views.checkpoint("trail").await.unwrap(), Some(Position(1, 0)));
    assert_eq!(log.verify().await.unwrap().events, 1);
}

#[tokio::test]
async fn tables_of_views_dropped_by_hand_are_made_again() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    log.views()
        .apply("reports", step(None, 1, vec![row("a", json!(1))], &[]))
        .await
        .unwrap();
    let sql = Connection::open(log.path()).unwrap();
    sql.execute_batch("DROP TABLE view_rows; DROP TABLE view_checkpoints")
        .unwrap();
    assert_eq!(
        log.views()
            .apply("reports", step(None, 1, vec![], &[]))
            .await
            .unwrap(),
        Stepped::Applied
    );
    sql.execute_batch("DROP TABLE view_rows; DROP TABLE view_checkpoints")
        .unwrap();
    drop(log);
    assert_eq!(open(&folder).views().checkpoint("reports").await.unwrap(), None);
}

#[tokio::test]
async fn a_copy_made_while_others_write_is_a_whole_log() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    let stream = StreamName("report-1".to_owned());
    log.append(&stream, Expected::NoStream, vec![event(), event()])
        .await
        .unwrap();
    log.views()
        .apply("reports", step(None, 2, vec![row("a", json!(1))], &[]))
        .await
        .unwrap();
    log.reserve("acme", Box::new(|_| 7)).await.unwrap();
    let writing = tokio::spawn({
        let (log, stream) = (log.clone(), stream.clone());
        async move {
            for _ in 0..50 {
                log.append(&stream, Expected::Any, vec![event()]).await.unwrap();
            }
        }
    });
    let target = folder.path().join("copy of 1' \"log\".db");
    let copied = log.backup_to(&target).await.unwrap();
    writing.await.unwrap();
    let count = usize::try_from(copied.events).unwrap();
    assert!((2..=52).contains(&count));

    let original = log.read_all(None, count).await.unwrap();
    let copy = SqliteLog::open_existing(&target).unwrap();
    assert_eq!(
        copy.read_all(None, 1_000).await.unwrap(),
        original,
        "same events, leaves and positions"
    );
    assert_eq!(
        copy.views().checkpoint("reports").await.unwrap(),
        Some(Position(2, 0))
    );
    let head = Revision(copied.events - 1);
    copy.append(&stream, Expected::At(head), vec![event()])
        .await
        .unwrap();
    copy.reserve("acme", Box::new(|sends| sends.iter().sum()))
        .await
        .unwrap();

    let again = log.backup_to(&target).await;
    assert!(
        matches!(&again, Err(LogError::Unusable { detail, .. }) if detail.contains("replaces nothing")),
        "{again:?}"
    );
    let nowhere = log.backup_to(folder.path().join("no/such/folder/copy.db")).await;
    assert!(matches!(nowhere, Err(LogError::Unusable { .. })), "{nowhere:?}");
    // The connection that was lent for the copy refuses writes again, and reads as before.
    assert_eq!(log.verify().await.unwrap().events, 52);
}
