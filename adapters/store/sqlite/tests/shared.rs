//! One file, several handles and several processes; and death at any moment.
#![allow(clippy::unwrap_used, reason = "helpers of tests outside a test function")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::future::join_all;
use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, PaceBook, Recorded, Revision, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

fn event() -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: vec![b'x'; 500],
        metadata: Vec::new(),
    }
}

fn stream(name: &str) -> StreamName {
    StreamName(name.to_owned())
}

async fn everything(log: &SqliteLog) -> Vec<Recorded> {
    let mut read: Vec<Recorded> = Vec::new();
    loop {
        let page = log
            .read_all(read.last().map(|e| e.position), 1_000)
            .await
            .unwrap();
        if page.is_empty() {
            return read;
        }
        read.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_contend_for_one_stream_and_no_append_is_lost() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    let writers = (0..16).map(|_| {
        let log = SqliteLog::open(&path).unwrap();
        tokio::spawn(async move {
            let mut conflicts = 0_u32;
            for _ in 0..5 {
                let mine = event();
                let mut expected = Expected::NoStream;
                while let Err(error) = log
                    .append(&stream("report-1"), expected, vec![mine.clone()])
                    .await
                {
                    let LogError::Conflict {
                        actual: Some(actual), ..
                    } = error
                    else {
                        unreachable!("{error}")
                    };
                    expected = Expected::At(actual);
                    conflicts += 1;
                }
            }
            conflicts
        })
    });
    let conflicts: u32 = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(conflicts > 0, "they were in each other's way");
    let log = SqliteLog::open(&path).unwrap();
    assert_eq!(
        log.read_stream(&stream("report-1"), Revision(0), 1_000)
            .await
            .unwrap()
            .len(),
        80
    );
    assert_eq!(log.verify().await.unwrap().events, 80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_that_start_at_once_make_one_log() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    let starters = (0..16).map(|n| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || SqliteLog::open(path).map(|log| (n, log)))
    });
    for opened in join_all(starters).await {
        let (n, log) = opened.unwrap().unwrap();
        log.append(&stream(&format!("report-{n}")), Expected::NoStream, vec![event()])
            .await
            .unwrap();
    }
    assert_eq!(SqliteLog::open(&path).unwrap().verify().await.unwrap().events, 16);
}

#[tokio::test]
async fn a_waiter_notices_the_append_of_another_handle() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    let (here, there) = (SqliteLog::open(&path).unwrap(), SqliteLog::open(&path).unwrap());
    let waiter = tokio::spawn(async move { here.wait_beyond(None).await });
    tokio::task::yield_now().await;
    there
        .append(&stream("report-1"), Expected::NoStream, vec![event()])
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiter)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_share_one_limiter() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    let handles = [SqliteLog::open(&path).unwrap(), SqliteLog::open(&path).unwrap()];
    let turns = (0..40).map(|n| {
        let log = handles[n % 2].clone();
        tokio::spawn(async move {
            let rule = Box::new(|sends: &[i64]| sends.last().map_or(0, |last| last + 1));
            log.reserve("acme", rule).await.unwrap()
        })
    });
    let mut turns: Vec<i64> = join_all(turns).await.into_iter().map(Result::unwrap).collect();
    turns.sort_unstable();
    assert!(turns.into_iter().eq(0..40));
}

// ── real processes ───────────────────────────────────────────────────────────────────────────────────────────────

const CHILD: &str = "TIEOUT_TEST_CHILD_LOG";

fn start_child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "appends_until_killed_if_it_is_a_child", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The other process of the tests below: writes without end and says so after each answer. By itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_until_killed_if_it_is_a_child() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let log = SqliteLog::open(path).unwrap();
    let writers = (0..4).map(|writer| {
        let log = log.clone();
        tokio::spawn(async move {
            let own = stream(&format!("report-{}-{writer}", std::process::id()));
            loop {
                let event = event();
                let id = event.id;
                log.append(&own, Expected::Any, vec![event]).await.unwrap();
                // A parent that has seen enough closes the pipe.
                if writeln!(std::io::stdout(), "\nanswered {id}").is_err() {
                    return;
                }
            }
        })
    });
    join_all(writers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_sigkill_of_two_processes_in_the_middle_of_writing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    for round in 0..3 {
        let children = [start_child(&path), start_child(&path)];
        let reading = children.map(|mut child| {
            tokio::task::spawn_blocking(move || {
                let mut answered: Vec<EventId> = Vec::new();
                for line in BufReader::new(child.stdout.take().unwrap()).lines() {
                    if let Some(id) = line.unwrap().strip_prefix("answered ") {
                        answered.push(id.parse().unwrap());
                        if answered.len() == 60 {
                            child.kill().unwrap();
                        }
                    }
                }
                child.wait().unwrap();
                answered
            })
        });
        let answered: Vec<EventId> = join_all(reading)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        assert!(
            answered.len() >= 120,
            "both wrote in round {round}: {}",
            answered.len()
        );
        let log = SqliteLog::open(&path).unwrap();
        log.verify().await.unwrap();
        let kept: std::collections::BTreeSet<EventId> =
            everything(&log).await.iter().map(|e| e.event.id).collect();
        let lost: Vec<_> = answered.iter().filter(|id| !kept.contains(id)).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
    }
}
