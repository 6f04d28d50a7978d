//! Torn writes and rotten bytes: whatever is cut off or changed at the end of the write-ahead log, at the end of the
//! database or within it, the log is refused, or opens as an exact prefix of what was appended and goes on from there, or
//! says that it is damaged when the damage is met. Never another answer, never a panic.
//!
//! Every case is drawn from a seed and named in what fails; `-- --nocapture` prints how many came to what.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests outside a test function"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, Recorded, Revision, StreamName};
use tieout_store::SqliteLog;
use uuid::Uuid;

/// Numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }
}

// ── a log as a death leaves it ───────────────────────────────────────────────────────────────────────────────────

/// The bytes of a log whose writer died, and what it had appended.
#[derive(Clone)]
struct Left {
    database: Vec<u8>,
    wal: Vec<u8>,
    appended: Vec<Recorded>,
}

/// Appends so often, to a few streams, events of sizes that share pages and that overflow them; the
/// write-ahead log is folded into the file after `folded` of them, as a checkpoint would.
async fn left_behind(seed: u64, folded: usize) -> Left {
    left_after(seed, 120, folded).await
}

async fn left_after(seed: u64, appends: usize, folded: usize) -> Left {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    let mut dice = Dice(seed);
    let mut log = SqliteLog::open(&path).unwrap();
    let mut heads: BTreeMap<usize, Revision> = BTreeMap::new();
    for turn in 0..appends {
        if turn == folded {
            // The last handle folds it in.
            drop(log);
            log = SqliteLog::open(&path).unwrap();
        }
        let stream = dice.below(9);
        let expected = heads
            .get(&stream)
            .map_or(Expected::NoStream, |head| Expected::At(*head));
        let events: Vec<NewEvent> = (0..1 + dice.below(3)).map(|_| event(&mut dice)).collect();
        let appended = log.append(&name(stream), expected, events).await.unwrap();
        heads.insert(stream, appended.revision);
    }
    let appended = everything(&log).await.unwrap();
    // Copied while it is open, as a death would leave it: nothing folds the rest in.
    let left = Left {
        database: fs::read(&path).unwrap(),
        wal: fs::read(beside(&path, "-wal")).unwrap(),
        appended,
    };
    assert!(
        left.wal.len() > 20_000,
        "there is something to tear: {}",
        left.wal.len()
    );
    left
}

fn event(dice: &mut Dice) -> NewEvent {
    let size = match dice.below(8) {
        0 if dice.below(2) == 0 => 20_000 + dice.below(9_000),
        1 => 0,
        _ => 40 + dice.below(1_500),
    };
    let data = (0..size)
        .map(|_| u8::try_from(dice.below(256)).unwrap())
        .collect();
    let id = u128::from(dice.0) << 64 | u128::from(Dice(dice.0).0.wrapping_mul(31));
    NewEvent {
        id: EventId(Uuid::from_u128(id)),
        kind: ["Discovered", "Mapped", "PostingStarted"][dice.below(3)].to_owned(),
        data,
        metadata: format!("{{\"n\":{}}}", dice.below(1_000)).into_bytes(),
    }
}

fn name(stream: usize) -> StreamName {
    StreamName(format!("report-0197a1b2-{stream}"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

async fn everything(log: &SqliteLog) -> Result<Vec<Recorded>, LogError> {
    let mut read: Vec<Recorded> = Vec::new();
    loop {
        let page = log.read_all(read.last().map(|event| event.position), 500).await?;
        if page.is_empty() {
            return Ok(read);
        }
        read.extend(page);
    }
}

// ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────

/// What a torn log came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Opening says that it is damaged.
    Refused,
    /// It opens, and reading says so.
    FoundByReading,
    /// It opens and reads as a prefix, and `verify` says that something else is damaged.
    FoundByVerify,
    /// It opens as a prefix of what was appended, and goes on.
    Prefix(usize),
}

/// Opens what is left, and holds it against the law. `Err` is a breach of it.
async fn fate(left: &Left) -> Result<Outcome, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tieout.db");
    fs::write(&path, &left.database).unwrap();
    fs::write(beside(&path, "-wal"), &left.wal).unwrap();
    let log = match SqliteLog::open(&path) {
        Ok(log) => log,
        Err(LogError::Unusable { detail, .. })
            if detail.contains("restore") || detail.contains("newer tieout") =>
        {
            return Ok(Outcome::Refused);
        }
        Err(other) => return Err(format!("refused, and not as damaged: {other}")),
    };
    let damage = |error: LogError| match error {
        LogError::Unusable { .. } => Ok(()),
        other => Err(format!("it fails, and not as damaged: {other}")),
    };
    // Every reading is right, or says that the file is damaged.
    let mut met = false;
    let read = match everything(&log).await {
        Ok(read) => Some(read),
        Err(error) => {
            damage(error)?;
            met = true;
            None
        }
    };
    let length = read.as_ref().map(Vec::len);
    if let Some(read) = &read
        && *read != left.appended[..read.len().min(left.appended.len())]
    {
        return Err(format!(
            "it reads {} events, and they are no prefix of what was appended",
            read.len()
        ));
    }
    for stream in 0..9 {
        let mine: Vec<&Recorded> = left
            .appended
            .iter()
            .filter(|event| event.stream == name(stream))
            .collect();
        match log.read_stream(&name(stream), Revision(0), 1_000).await {
            Err(error) => {
                damage(error)?;
                met = true;
            }
            Ok(found) => {
                let short =
                    length.map(|length| mine.iter().filter(|event| event.leaf.0 < length as u64).count());
                let prefix =
                    found.iter().zip(&mine).all(|(found, mine)| found == *mine) && found.len() <= mine.len();
                if !prefix || short.is_some_and(|short| short != found.len() && !met) {
                    let verified = log.verify().await.is_err();
                    return Err(format!(
                        "stream {stream} reads {} events, of {short:?} in all; verify notices: {verified}",
                        found.len()
                    ));
                }
            }
        }
    }
    let verified = log.verify().await;
    match (verified, met, length) {
        (Err(error), _, _) => {
            damage(error)?;
            return Ok(if met {
                Outcome::FoundByReading
            } else {
                Outcome::FoundByVerify
            });
        }
        (Ok(_), true, _) | (Ok(_), _, None) => {
            return Err("reading finds damage, and verify finds none".to_owned());
        }
        (Ok(verified), false, Some(length)) if verified.events != length as u64 => {
            return Err(format!(
                "verify counts {} events, and {length} are read",
                verified.events
            ));
        }
        _ => {}
    }
    let length = length.unwrap_or_default();
    go_on(&log, &left.appended[..length]).await?;
    Ok(Outcome::Prefix(length))
}

/// What is there goes on: the next event of a stream follows the last, and a retry of the last is known.
async fn go_on(log: &SqliteLog, kept: &[Recorded]) -> Result<(), String> {
    let stream = name(3);
    let last = kept.iter().rev().find(|event| event.stream == stream);
    let expected = last.map_or(Expected::NoStream, |last| Expected::At(last.revision));
    let fresh = NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: b"after".to_vec(),
        metadata: Vec::new(),
    };
    let appended = log
        .append(&stream, expected, vec![fresh.clone()])
        .await
        .map_err(|e| e.to_string())?;
    let wanted = last.map_or(Revision(0), |last| last.revision.next());
    if appended.revision != wanted || appended.position.0 != kept.len() as u64 + 1 {
        return Err(format!("it goes on at {appended:?}"));
    }
    let read = everything(log).await.map_err(|e| e.to_string())?;
    let (before, after) = read.split_at(kept.len());
    if before != kept || after.len() != 1 || after[0].event != fresh {
        return Err("what it reads after an append is something else".to_owned());
    }
    if let Some(retried) = kept.last() {
        let expected = match retried.revision.0.checked_sub(1) {
            None => Expected::NoStream,
            Some(before) => Expected::At(Revision(before)),
        };
        let again = log
            .append(&retried.stream, expected, vec![retried.event.clone()])
            .await;
        if !matches!(&again, Ok(at) if at.position == retried.position) {
            return Err(format!("a retry of its last event is answered {again:?}"));
        }
    }
    log.verify().await.map(drop).map_err(|e| e.to_string())
}

/// How many came to what, and every breach of the law.
#[derive(Default)]
struct Count {
    outcomes: BTreeMap<&'static str, u32>,
    prefixes: BTreeMap<usize, u32>,
    breaches: Vec<String>,
}

impl Count {
    async fn of(&mut self, case: &str, left: &Left) {
        let word = match fate(left).await {
            Ok(Outcome::Refused) => "refused on opening",
            Ok(Outcome::FoundByReading) => "found by reading",
            Ok(Outcome::FoundByVerify) => "found by verify",
            Ok(Outcome::Prefix(length)) => {
                *self.prefixes.entry(length).or_default() += 1;
                if length == left.appended.len() {
                    "whole"
                } else {
                    "a prefix"
                }
            }
            Err(breach) => {
                self.breaches.push(format!("{case}: {breach}"));
                "WRONG"
            }
        };
        *self.outcomes.entry(word).or_default() += 1;
    }

    fn judge(self, what: &str) -> BTreeMap<&'static str, u32> {
        let prefixes: Vec<String> = self
            .prefixes
            .iter()
            .map(|(length, count)| format!("{length}×{count}"))
            .collect();
        eprintln!(
            "{what}: {:?}; events kept × cases: {}",
            self.outcomes,
            prefixes.join(" ")
        );
        assert!(
            self.breaches.is_empty(),
            "{what}: {} breaches, the first: {:#?}",
            self.breaches.len(),
            &self.breaches[..self.breaches.len().min(6)]
        );
        self.outcomes
    }
}

/// Where frames of the write-ahead log end (sqlite.org/fileformat2.html §4.1).
fn frame_ends(wal: &[u8]) -> Vec<usize> {
    let page = u32::from_be_bytes(wal[8..12].try_into().unwrap());
    let frame = 24 + usize::try_from(page).unwrap();
    (0..)
        .map(|count| 32 + count * frame)
        .take_while(|end| *end <= wal.len())
        .collect()
}

// ── the cases ────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_write_ahead_log_cut_anywhere_leaves_a_prefix() {
    let mut count = Count::default();
    for (seed, folded) in [(1, 0), (2, 12)] {
        let left = left_after(seed, 24, folded).await;
        let mut dice = Dice(seed);
        let ends = frame_ends(&left.wal);
        let random = (0..60).map(|_| dice.below(left.wal.len())).collect::<Vec<_>>();
        for cut in ends.into_iter().chain(random).chain([0, 1, 31]) {
            let cut = cut.min(left.wal.len());
            let torn = Left {
                wal: left.wal[..cut].to_vec(),
                ..left.clone()
            };
            count.of(&format!("seed {seed}, cut at {cut}"), &torn).await;
        }
    }
    let outcomes = count.judge("write-ahead log cut");
    assert!(outcomes["a prefix"] > 100, "{outcomes:?}");
}

#[tokio::test]
async fn a_write_ahead_log_with_rotten_bytes_leaves_a_prefix() {
    let mut count = Count::default();
    for (seed, folded) in [(3, 0), (4, 60)] {
        let left = left_behind(seed, folded).await;
        let mut dice = Dice(seed);
        for turn in 0..80 {
            let mut wal = left.wal.clone();
            // One byte, a few side by side, or a whole sector that never arrived; most in the last third.
            let long = [1, 4, 512][dice.below(3)];
            let from = if turn % 3 == 0 { 0 } else { wal.len() * 2 / 3 };
            let at = from + dice.below(wal.len() - from - long);
            let flip = u8::try_from(1 + dice.below(255)).unwrap();
            wal[at..at + long]
                .iter_mut()
                .for_each(|byte| *byte = if long == 512 { 0 } else { *byte ^ flip });
            let torn = Left { wal, ..left.clone() };
            count
                .of(&format!("seed {seed}, {long} bytes at {at}"), &torn)
                .await;
        }
    }
    let outcomes = count.judge("write-ahead log rotten");
    assert!(outcomes["a prefix"] > 100, "{outcomes:?}");
}

#[tokio::test]
async fn a_database_cut_anywhere_is_refused_or_made_whole_by_its_write_ahead_log() {
    let mut count = Count::default();
    for (seed, folded) in [(5, 60), (6, 110)] {
        let left = left_behind(seed, folded).await;
        let mut dice = Dice(seed);
        for turn in 0..60 {
            let whole = left.database.len();
            let cut = match turn % 3 {
                0 => whole - 8_192 * (1 + dice.below(whole / 8_192)),
                1 => whole - 1 - dice.below(8_192),
                _ => dice.below(whole),
            };
            let torn = Left {
                database: left.database[..cut].to_vec(),
                ..left.clone()
            };
            count
                .of(&format!("seed {seed}, cut at {cut} of {whole}"), &torn)
                .await;
            // Without the write-ahead log what is left cannot be more than what was folded in.
            let torn = Left {
                wal: Vec::new(),
                ..torn
            };
            count
                .of(&format!("seed {seed}, cut at {cut} of {whole}, alone"), &torn)
                .await;
        }
    }
    count.judge("database cut");
}

#[tokio::test]
async fn rotten_bytes_in_the_database_are_found_before_they_give_a_wrong_answer() {
    let mut count = Count::default();
    for (seed, folded) in [(7, 119), (8, 60)] {
        let left = left_behind(seed, folded).await;
        let mut dice = Dice(seed);
        for turn in 0..200 {
            let mut database = left.database.clone();
            let long = [1, 1, 2, 8, 512][dice.below(5)];
            // All over the file, and in its last pages.
            let from = if turn % 2 == 0 {
                0
            } else {
                database.len() - 4 * 8_192
            };
            let at = from + dice.below(database.len() - from - long);
            let flip = u8::try_from(1 + dice.below(255)).unwrap();
            database[at..at + long].iter_mut().for_each(|byte| *byte ^= flip);
            let torn = Left {
                database,
                ..left.clone()
            };
            count
                .of(&format!("seed {seed}, {long} bytes at {at}"), &torn)
                .await;
        }
    }
    count.judge("database rotten");
}

/// Where the cells of the index pages lie: their types are 2 and 10 (sqlite.org/fileformat2.html §1.6).
fn index_cells(database: &[u8]) -> Vec<std::ops::Range<usize>> {
    let pages = (1..database.len() / 8_192).map(|page| page * 8_192);
    let indexes = pages.filter(|at| matches!(database[*at], 2 | 10));
    indexes
        .map(|at| {
            let first = u16::from_be_bytes([database[at + 5], database[at + 6]]);
            at + usize::from(first)..at + 8_192
        })
        .collect()
}

/// By the indexes a stream is found by its name, an event of it by its revision, and a retry by its id.
#[tokio::test]
async fn rotten_bytes_in_the_indexes_are_found_on_opening_by_reading_or_by_verify() {
    let mut count = Count::default();
    for seed in [12, 13] {
        let left = left_behind(seed, 119).await;
        let cells = index_cells(&left.database);
        let mut dice = Dice(seed);
        for _ in 0..120 {
            let mut database = left.database.clone();
            let page = &cells[dice.below(cells.len())];
            let at = page.start + dice.below(page.len());
            database[at] ^= u8::try_from(1 + dice.below(255)).unwrap();
            let torn = Left {
                database,
                ..left.clone()
            };
            count.of(&format!("seed {seed}, index byte {at}"), &torn).await;
        }
    }
    count.judge("indexes rotten");
}

#[tokio::test]
async fn a_checkpoint_that_was_cut_short_and_lost_its_write_ahead_log_is_found() {
    let mut count = Count::default();
    for seed in [9, 10, 11] {
        // The same appends, folded in at 60 and not folded in at all but for that: what a checkpoint at the end writes.
        let left = left_behind(seed, 60).await;
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("tieout.db");
        fs::write(&path, &left.database).unwrap();
        fs::write(beside(&path, "-wal"), &left.wal).unwrap();
        drop(SqliteLog::open(&path).unwrap());
        let after = fs::read(&path).unwrap();
        let mut dice = Dice(seed);
        for _ in 0..25 {
            // Some of its pages were written and others were not, in the order of the file or in none.
            let mut database = left.database.clone();
            database.resize(after.len(), 0);
            let upto = dice.below(after.len() / 8_192);
            let in_order = dice.below(2) == 0;
            for page in 0..after.len() / 8_192 {
                if (in_order && page < upto) || (!in_order && dice.below(2) == 0) {
                    database[page * 8_192..(page + 1) * 8_192]
                        .copy_from_slice(&after[page * 8_192..(page + 1) * 8_192]);
                }
            }
            let half = Left {
                database,
                ..left.clone()
            };
            count
                .of(
                    &format!("seed {seed}, {upto} pages, with its write-ahead log"),
                    &half,
                )
                .await;
            let lost = Left {
                wal: Vec::new(),
                ..half
            };
            count
                .of(&format!("seed {seed}, {upto} pages, without"), &lost)
                .await;
        }
    }
    count.judge("checkpoint cut short");
}
