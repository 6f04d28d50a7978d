//! `tieout log copy --to`: a log goes from a file to a cluster and back to a file, as a process does it.

#![cfg(feature = "eventstore")]

use std::path::Path;
use std::time::Instant;

use chrono::{TimeZone, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tieout::installation::Installation;
use tieout::ports::SystemEntropy;
use tieout_domain::ids::{CycleId, EventId, ReportId};
use tieout_domain::journal::{Actor, Cause, Draft, Journal, Stamp, Streams, SystemActor};
use tieout_domain::ports::{Expected, Log, NewEvent, Recorded, Revision, StreamName};
use tieout_domain::report::{Exclusion, ReportEvent};
use tieout_eventstore_stand_in::StandIn;
use tieout_store::{SqliteLog, Store, StorePlace};
use uuid::Uuid;

use crate::program::Run;

/// The program without anything of our own surroundings.
fn tieout(folder: &Path, args: &[&str]) -> Run {
    crate::program::tieout(folder, args, &[], "")
}

const REPORT: &str = "R009WqAY45L1";

/// A fresh installation whose log has a report in it, a poll, and parts of something large.
async fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tieout(folder.path(), &["init", "--name", "acme"]).ended_with(0);
    let installation = Installation::open(&folder.path().join("tieout.toml"))
        .await
        .unwrap();
    leave_out(&installation).await;
    let log = installation.log.sqlite().unwrap();
    for number in 0..200_u128 {
        let size = if number % 40 == 0 { 300_000 } else { 50 };
        let event = NewEvent {
            id: EventId(Uuid::from_u128(number + 1)),
            kind: "Noted".into(),
            data: vec![b'x'; size],
            metadata: b"{}".to_vec(),
        };
        let stream = StreamName(format!("other-{}", number / 3 % 5));
        log.append(&stream, Expected::Any, vec![event]).await.unwrap();
    }
    folder
}

async fn leave_out(installation: &Installation) {
    let stamp = Stamp {
        actor: Actor::System {
            part: SystemActor::Poller,
        },
        cause: Cause::Cycle {
            cycle: CycleId(Uuid::from_u128(9)),
        },
    };
    let draft = Draft {
        event: ReportEvent::Excluded(Exclusion::Decided {
            reason: "keyed by hand".into(),
            ledger_reference: None,
        }),
        effective_at: Utc.with_ymd_and_hms(2026, 11, 2, 6, 0, 0).unwrap(),
        subject: None,
    };
    let report: ReportId = REPORT.parse().unwrap();
    let stream = Streams(installation.config.connection[0].id).report(report);
    let (log, people) = (installation.log.as_ref(), installation.people());
    Journal::new(log, &installation.clock, &SystemEntropy, people, "test")
        .append(&stream, Expected::Any, &stamp, vec![draft])
        .await
        .unwrap();
}

async fn events_at(folder: &Path, url: &str) -> Vec<(StreamName, Revision, NewEvent)> {
    let place = StorePlace::parse(url, folder).unwrap();
    let log = Store::open_existing(&place, &folder.join("read-views.db"), None)
        .await
        .unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = log.read_all(after, 100).await.unwrap();
        let Some(last) = page.last() else { return found };
        after = Some(last.position);
        found.extend(page.into_iter().map(
            |Recorded {
                 stream,
                 revision,
                 event,
                 ..
             }| (stream, revision, event),
        ));
    }
}

fn moved(folder: &Path, from: Option<&str>, to: &str) -> Value {
    let mut args = vec!["--json", "log", "copy", "--to", to, "--as", "anna"];
    if let Some(from) = from {
        args.extend(["--from", from]);
    }
    let run = tieout(folder, &args).ended_with(0);
    assert_eq!(run.stderr, "", "silent in a pipe");
    run.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_to_a_cluster_and_back_with_every_byte_and_the_trail_says_so() {
    let folder = installed().await;
    let here = folder.path();
    let stand_in = StandIn::start();
    let url = stand_in.url();
    let before = events_at(here, "sqlite:tieout.db").await;
    let said_by = |args: &[&str]| tieout(here, &[&["--json"], args].concat()).ended_with(0).json();
    let (listed, mut trail_before) = (said_by(&["reports"]), said_by(&["trail", REPORT]));
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(trail_before.get("moved"), None);

    let there = moved(here, None, &url);
    assert_eq!(there["events"], before.len());
    assert_eq!(there["moved_now"], true);
    assert_eq!(there["to"], url.as_str());
    assert_eq!(
        events_at(here, "sqlite:tieout.db").await,
        before,
        "the old log is untouched"
    );
    let on_cluster = events_at(here, &url).await;
    assert_eq!(on_cluster[..before.len()], before);
    assert_eq!(on_cluster.len(), before.len() + 1);

    // Again: nothing new.
    let again = moved(here, None, &url);
    assert_eq!(
        (&again["moved_now"], &again["sha256"]),
        (&false.into(), &there["sha256"])
    );
    assert_eq!(events_at(here, &url).await, on_cluster);

    // Back, into a new file: the record of the first move is among what moves.
    let back = moved(here, Some(&url), "sqlite:back.db");
    assert_eq!(back["events"], on_cluster.len());
    let in_file = events_at(here, "sqlite:back.db").await;
    assert_eq!(in_file[..on_cluster.len()], on_cluster);
    // The same logs directly from file to file have the same sums, whatever lies between.
    let direct = moved(here, None, "sqlite:direct.db");
    assert_eq!(direct["sha256"], there["sha256"]);
    let copied = moved(here, Some("sqlite:back.db"), "sqlite:second.db");
    assert_eq!(copied["events"], in_file.len());
    assert_eq!(
        events_at(here, "sqlite:second.db").await[..in_file.len()],
        in_file
    );

    // The program goes on from the cluster, and the trail says what happened.
    let config = here.join("tieout.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"sqlite:tieout.db\""), "{text}");
    std::fs::write(
        &config,
        text.replace("\"sqlite:tieout.db\"", &format!("\"{url}\"")),
    )
    .unwrap();
    let trail = tieout(here, &["trail", REPORT]).ended_with(0).stdout;
    let said = trail.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = format!("moved: everything before leaf {} was copied from", before.len());
    assert!(said.contains(&line) && said.contains("by anna"), "{trail}");
    let json = said_by(&["trail", REPORT]);
    assert_eq!(json["moved"][0]["sha256"], there["sha256"]);
    assert_eq!(json["moved"][0]["who"]["name"], "anna");
    // All else is said as before.
    trail_before["moved"] = json["moved"].clone();
    assert_eq!(json, trail_before);
    assert_eq!(said_by(&["reports"]), listed);
    tieout(here, &["log", "verify"]).ended_with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused_and_says_what_to_do() {
    let folder = installed().await;
    let here = folder.path();
    let refused = |args: &[&str], status: i32, words: &str| {
        let run = tieout(here, &[&["log", "copy"], args].concat()).ended_with(status);
        assert!(run.stderr.contains(words), "`{words}` is not in {}", run.stderr);
        assert_eq!(run.stdout, "");
    };
    refused(&[], 2, "required");
    refused(&["--to", "sqlite:new.db"], 2, "--as");
    refused(
        &["new.db", "--to", "sqlite:new.db", "--as", "anna"],
        2,
        "cannot be used with",
    );
    refused(&["--from", "sqlite:tieout.db", "new.db"], 2, "--to");
    refused(&["--to", "sqlite:./tieout.db", "--as", "anna"], 2, "the same log");
    refused(&["--to", "new.db", "--as", "anna"], 2, "--to: ");
    refused(
        &["--to", "esdb://me:secret@n1", "--as", "anna"],
        2,
        "must not hold",
    );
    refused(
        &[
            "--from",
            "sqlite:none.db",
            "--to",
            "sqlite:new.db",
            "--as",
            "anna",
        ],
        2,
        "none.db",
    );
    assert!(!here.join("new.db").exists(), "no target is begun for nothing");

    // A backup is what it was: one file, made at once; and a move goes on from it.
    tieout(here, &["log", "copy", "backup.db"]).ended_with(0);
    let before = events_at(here, "sqlite:tieout.db").await;
    assert_eq!(events_at(here, "sqlite:backup.db").await, before);
    let run = tieout(here, &["log", "copy", "--to", "sqlite:backup.db", "--as", "anna"]).ended_with(0);
    for words in [
        "Verified event by event",
        "[store] url",
        "sqlite:backup.db",
        "evidence",
        "Never start",
    ] {
        assert!(run.stdout.contains(words), "{}", run.stdout);
    }
    // Another log is no target.
    let log = SqliteLog::open(here.join("other.db")).unwrap();
    let event = NewEvent {
        id: EventId(Uuid::from_u128(77)),
        kind: "Noted".into(),
        data: Vec::new(),
        metadata: b"{}".to_vec(),
    };
    log.append(&StreamName("other-1".into()), Expected::NoStream, vec![event])
        .await
        .unwrap();
    refused(&["--to", "sqlite:other.db", "--as", "anna"], 1, "event 0");
}

/// `cargo test -p tieout --test cli moving -- --ignored --nocapture`: how fast a log moves.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, minutes long: cargo test --release -p tieout --test cli moving -- --ignored --nocapture"]
async fn how_fast_a_log_moves() {
    let folder = installed().await;
    let here = folder.path();
    let log = SqliteLog::open(here.join("tieout.db")).unwrap();
    for number in 0..20_000_u128 {
        let event = NewEvent {
            id: EventId(Uuid::from_u128(10_000 + number)),
            kind: "Noted".into(),
            data: vec![b'x'; 1_000],
            metadata: vec![b' '; 300],
        };
        let stream = StreamName(format!("many-{}", number / 3 % 997));
        log.append(&stream, Expected::Any, vec![event]).await.unwrap();
    }
    let stand_in = StandIn::start();
    for (from, to) in [
        ("sqlite:tieout.db".to_owned(), stand_in.url()),
        (stand_in.url(), "sqlite:back.db".to_owned()),
        ("sqlite:tieout.db".to_owned(), "sqlite:direct.db".to_owned()),
    ] {
        let begun = Instant::now();
        let said = moved(here, Some(&from), &to);
        let first = begun.elapsed();
        let begun = Instant::now();
        moved(here, Some(&from), &to);
        let text = format!(
            "{from} -> {to}: {} events, moved in {first:?}, verified only in {:?}\n",
            said["events"],
            begun.elapsed()
        );
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
    }
}
