//! Torn writes and rotten bytes: whatever is cut off or changed at the end of the write-ahead log, at the end of the
//! database or within it, the log is refused, or opens as an exact prefix of what was appended and goes on from there, or
//! says that it is damaged when the damage is met. Never another answer, never a panic.
//!
//! Every case is drawn from a seed and named in what fails; `-- --nocapture` prints how many came to what.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests outside a test function"
)]

mod fate;
mod left;

use std::fs;

use fate::Count;
use left::{Dice, Left, beside, frame_ends, left_after, left_behind};
use tempfile::TempDir;
use tieout_sqlite::SqliteLog;

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
