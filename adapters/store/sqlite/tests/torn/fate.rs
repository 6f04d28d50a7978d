//! What becomes of a log that was torn, held against the law.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, LogError, NewEvent, Recorded, Revision};
use tieout_sqlite::SqliteLog;
use uuid::Uuid;

use crate::left::{Left, beside, everything, name};

/// What a torn log came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
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
pub async fn fate(left: &Left) -> Result<Outcome, String> {
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
                let short = length.map(|length| {
                    mine.iter()
                        .filter(|event| event.position.0 <= length as u64)
                        .count()
                });
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
pub async fn go_on(log: &SqliteLog, kept: &[Recorded]) -> Result<(), String> {
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
    if appended.revision != wanted {
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
        if !matches!(&again, Ok(at) if at.revision == retried.revision) {
            return Err(format!("a retry of its last event is answered {again:?}"));
        }
    }
    log.verify().await.map(drop).map_err(|e| e.to_string())
}

/// How many came to what, and every breach of the law.
#[derive(Default)]
pub struct Count {
    pub outcomes: BTreeMap<&'static str, u32>,
    pub prefixes: BTreeMap<usize, u32>,
    pub breaches: Vec<String>,
}

impl Count {
    pub async fn of(&mut self, case: &str, left: &Left) {
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

    pub fn judge(self, what: &str) -> BTreeMap<&'static str, u32> {
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
