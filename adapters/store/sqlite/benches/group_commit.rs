//! What grouping commits is worth: 64 concurrent writers through the log, against one sync for each append.
//!
//! `cargo bench -p tieout-store --bench group_commit` prints both rates and their ratio, and exits with 1 if the ratio
//! is below 20. Same disk, same run, same tables and triggers, same payload of about 1 KiB; the two take turns, so that
//! a disk that is slow for a while is slow for both. Put the file elsewhere with `TIEOUT_BENCH_DIR`.
#![allow(clippy::print_stdout, reason = "a bench prints what it found")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, NewEvent, Revision, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WRITERS: usize = 64;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const WANTED: u128 = 20;
/// Events in the life of a report.
const LIFE: u64 = 8;

fn main() -> Outcome<ExitCode> {
    let parent = std::env::var_os("TIEOUT_BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let folder = tempfile::Builder::new()
        .prefix("group-commit")
        .tempdir_in(parent)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    println!(
        "64 writers against one sync an append, {ROUNDS} rounds of {}s each, in {}",
        ROUND.as_secs(),
        folder.path().display()
    );
    let [mut grouped, mut lone, mut single, mut bare] = [const { Rate::ZERO }; 4];
    for round in 0..ROUNDS {
        bare.add(plain_file(&folder.path().join(format!("plain-{round}")))?);
        single.add(one_commit_each(
            &folder.path().join(format!("single-{round}.db")),
        )?);
        let path = folder.path().join(format!("lone-{round}.db"));
        lone.add(runtime.block_on(through_the_log(&path, 1))?);
        let path = folder.path().join(format!("grouped-{round}.db"));
        grouped.add(runtime.block_on(through_the_log(&path, WRITERS))?);
    }
    println!(
        "{:>9} appends/s  64 writers through the log",
        grouped.per_second()
    );
    println!(
        "{:>9} appends/s  one writer through the log (for comparison)",
        lone.per_second()
    );
    println!(
        "{:>9} appends/s  one SQLite commit an append",
        single.per_second()
    );
    println!(
        "{:>9} appends/s  one write and one sync of a plain file an append (for comparison)",
        bare.per_second()
    );
    let tenths = grouped.per_second().saturating_mul(10) / single.per_second().max(1);
    println!(
        "ratio {}.{} (at least {WANTED} is wanted)",
        tenths / 10,
        tenths % 10
    );
    Ok(if tenths >= WANTED * 10 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Rate {
    appends: u128,
    took: Duration,
}

impl Rate {
    const ZERO: Self = Self {
        appends: 0,
        took: Duration::ZERO,
    };
    fn add(&mut self, (appends, took): (u128, Duration)) {
        self.appends += appends;
        self.took += took;
    }
    fn per_second(&self) -> u128 {
        self.appends * 1_000_000 / self.took.as_micros().max(1)
    }
}

fn event() -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: vec![b'x'; 900],
        metadata: vec![b'm'; 124],
    }
}

/// Named as the program names them.
fn stream(report: u64) -> StreamName {
    StreamName(format!(
        "report-0197a1b2-c3d4-7e5f-8061-728394a5b6c7-{}",
        1_000_000_000 + report
    ))
}

async fn through_the_log(path: &Path, writers: usize) -> Outcome<(u128, Duration)> {
    let log = SqliteLog::open(path)?;
    let started = Instant::now();
    let writers: Vec<_> = (0..writers)
        .map(|writer| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut appends = 0_u64;
                while started.elapsed() < ROUND {
                    // Report after report, each with its life of a few events.
                    let report = appends / LIFE * u64::try_from(writers)? + u64::try_from(writer)?;
                    let expected = match appends % LIFE {
                        0 => Expected::NoStream,
                        next => Expected::At(Revision(next - 1)),
                    };
                    log.append(&stream(report), expected, vec![event()]).await?;
                    appends += 1;
                }
                Outcome::Ok(u128::from(appends))
            })
        })
        .collect();
    let mut appends = 0;
    for writer in writers {
        appends += writer.await??;
    }
    Ok((appends, started.elapsed()))
}

/// The loop one would write first: the same tables, report after report, a durable commit for each append.
fn one_commit_each(path: &Path) -> Outcome<(u128, Duration)> {
    drop(SqliteLog::open(path)?);
    let mut sql = Connection::open(path)?;
    sql.pragma_update(None, "synchronous", "FULL")?;
    let started = Instant::now();
    let mut appends = 0_i64;
    while started.elapsed() < ROUND {
        let life = i64::try_from(LIFE)?;
        let (report, revision) = (appends / life, appends % life);
        let event = event();
        let commit = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if revision == 0 {
            commit
                .prepare_cached("INSERT INTO streams (id, name, head) VALUES (?1, ?2, 0)")?
                .execute(params![report + 1, stream(u64::try_from(report)?).0])?;
        } else {
            commit
                .prepare_cached("UPDATE streams SET head = ?2 WHERE id = ?1")?
                .execute([report + 1, revision])?;
        }
        commit
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)")?
            .execute(params![
                appends,
                report + 1,
                revision,
                event.id.0.as_bytes(),
                event.kind,
                event.data,
                event.metadata
            ])?;
        commit.commit()?;
        appends += 1;
    }
    Ok((u128::try_from(appends)?, started.elapsed()))
}

/// What the disk itself can do.
fn plain_file(path: &Path) -> Outcome<(u128, Duration)> {
    let mut file = File::create(path)?;
    let started = Instant::now();
    let mut appends = 0_u128;
    while started.elapsed() < ROUND {
        let event = event();
        file.write_all(&[event.data, event.metadata].concat())?;
        file.sync_data()?;
        appends += 1;
    }
    Ok((appends, started.elapsed()))
}
