//! A log as a death leaves it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, Recorded, Revision, StreamName};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

/// Numbers from a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }
}

/// The bytes of a log whose writer died, and what it had appended.
#[derive(Clone)]
pub struct Left {
    pub database: Vec<u8>,
    pub wal: Vec<u8>,
    pub appended: Vec<Recorded>,
}

/// Appends so often, to a few streams, events of sizes that share pages and that overflow them; the
/// write-ahead log is folded into the file after `folded` of them, as a checkpoint would.
pub async fn left_behind(seed: u64, folded: usize) -> Left {
    left_after(seed, 120, folded).await
}

pub async fn left_after(seed: u64, appends: usize, folded: usize) -> Left {
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

pub fn event(dice: &mut Dice) -> NewEvent {
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

pub fn name(stream: usize) -> StreamName {
    StreamName(format!("report-0197a1b2-{stream}"))
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

pub async fn everything(log: &SqliteLog) -> Result<Vec<Recorded>, LogError> {
    let mut read: Vec<Recorded> = Vec::new();
    loop {
        let page = log.read_all(read.last().map(|event| event.position), 500).await?;
        if page.is_empty() {
            return Ok(read);
        }
        read.extend(page);
    }
}

/// Where frames of the write-ahead log end (sqlite.org/fileformat2.html §4.1).
pub fn frame_ends(wal: &[u8]) -> Vec<usize> {
    let page = u32::from_be_bytes(wal[8..12].try_into().unwrap());
    let frame = 24 + usize::try_from(page).unwrap();
    (0..)
        .map(|count| 32 + count * frame)
        .take_while(|end| *end <= wal.len())
        .collect()
}
