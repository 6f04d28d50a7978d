//! A log, two clocks, chance and a keeper of keys, all in memory and all at a test's command.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::{EventId, SubjectId};
use crate::journal::{Actor, Cause, Journal, Reader, Stamp, SystemActor};
use crate::ports::{
    Appended, Clock, Entropy, Expected, Leaf, Log, LogError, NewEvent, Opened, Position, Recorded, Revision,
    SealError, Sealer, StreamName,
};
use crate::report::tests::samples::instant;
use crate::time::Steady;

/// Runs a future that never waits for anything outside.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// A log that remembers every append, and fails the one it is told to.
#[derive(Default)]
pub(crate) struct MemoryLog {
    pub(crate) events: Mutex<Vec<Recorded>>,
    /// Bytes of data of each append, in order.
    pub(crate) appends: Mutex<Vec<Vec<usize>>>,
    /// How many more appends succeed.
    pub(crate) appends_left: Mutex<Option<usize>>,
    /// What another writer appends just before the next append.
    pub(crate) rival: Mutex<Option<Recorded>>,
}
impl MemoryLog {
    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.events.lock().unwrap().clone()
    }

    fn head_of(&self, stream: &StreamName) -> Option<Revision> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .rev()
            .find(|e| e.stream == *stream)
            .map(|e| e.revision)
    }
}
impl Log for MemoryLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let failed = |detail: &str| LogError::Failed {
            place: "memory".into(),
            detail: detail.into(),
        };
        if let Some(left) = self.appends_left.lock().unwrap().as_mut() {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| failed("the process was killed"))?;
        }
        let rival = self.rival.lock().unwrap().take();
        self.events.lock().unwrap().extend(rival);
        let actual = self.head_of(stream);
        if !expected.holds(actual) {
            return Err(LogError::Conflict {
                stream: stream.clone(),
                expected,
                actual,
            });
        }
        self.appends
            .lock()
            .unwrap()
            .push(events.iter().map(|event| event.data.len()).collect());
        let mut revision = actual.map_or(Revision(0), Revision::next);
        let mut all = self.events.lock().unwrap();
        for event in events {
            let leaf = all.len() as u64;
            all.push(Recorded {
                stream: stream.clone(),
                revision,
                position: Position(leaf * 100, leaf * 100),
                event,
            });
            revision = revision.next();
        }
        let last = all.last().ok_or_else(|| failed("nothing to append"))?;
        Ok(Appended {
            revision: last.revision,
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let events = self.events.lock().unwrap();
        let of_stream = events
            .iter()
            .filter(|e| e.stream == *stream && e.revision >= from);
        Ok(of_stream.take(limit).cloned().collect())
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        let events = self.events.lock().unwrap();
        let beyond = events
            .iter()
            .filter(|e| after.is_none_or(|after| e.position > after));
        Ok(beyond.take(limit).cloned().collect())
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        let events = self.events.lock().unwrap();
        let found = events.iter().position(|event| event.position == position);
        Ok(found.map(|rank| Leaf(rank as u64)))
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        Ok(self.events.lock().unwrap().last().map(|e| e.position))
    }

    async fn wait_beyond(&self, _position: Option<Position>) -> Result<(), LogError> {
        Ok(())
    }
}

/// The wall clock says what it is told to, then stays; the steady one stands at so many milliseconds.
pub(crate) struct Wall(pub(crate) Mutex<VecDeque<DateTime<Utc>>>, pub(crate) AtomicU64);
impl Clock for Wall {
    fn now(&self) -> DateTime<Utc> {
        let mut told = self.0.lock().unwrap();
        let time = *told.front().unwrap();
        if told.len() > 1 {
            told.pop_front();
        }
        time
    }
    fn steady(&self) -> Steady {
        Steady {
            epoch: "boot-1".into(),
            millis: self.1.load(Ordering::SeqCst),
        }
    }
    async fn sleep(&self, _duration: std::time::Duration) {}
}

#[derive(Default)]
pub(crate) struct Count(AtomicU64);
impl Entropy for Count {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)) + 1)
    }
    fn salt(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// Keeps a key for each person; bound to the context, as the vault's are.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) forgotten: Mutex<BTreeSet<SubjectId>>,
}
impl Keys {
    fn masked(subject: SubjectId, bytes: &[u8], context: &[u8]) -> Vec<u8> {
        let key: Vec<u8> = subject
            .0
            .as_bytes()
            .iter()
            .zip(context)
            .map(|(a, b)| a ^ b ^ 0xA5)
            .collect();
        bytes
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect()
    }
}
impl Sealer for Keys {
    fn subject_for(&self, _person: &crate::ids::Email) -> Result<SubjectId, SealError> {
        Ok(kim())
    }
    fn seal(&self, subject: SubjectId, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(Self::masked(subject, plain, context))
    }
    fn open(&self, subject: SubjectId, sealed: &[u8], context: &[u8]) -> Result<Opened, SealError> {
        if self.forgotten.lock().unwrap().contains(&subject) {
            return Ok(Opened::Forgotten);
        }
        Ok(Opened::Plain(Self::masked(subject, sealed, context)))
    }
}

pub(crate) fn kim() -> SubjectId {
    SubjectId(Uuid::from_u128(0xF00D_0000_1111_2222_3333_4444_5555_6666))
}

/// Everything a journal stands on.
pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) wall: Wall,
    pub(crate) count: Count,
    pub(crate) keys: Keys,
}
impl World {
    pub(crate) fn new() -> Self {
        Self::at(["2026-11-06T12:00:00Z"])
    }

    pub(crate) fn at<const N: usize>(times: [&str; N]) -> Self {
        Self {
            log: MemoryLog::default(),
            wall: Wall(
                Mutex::new(times.into_iter().map(instant).collect()),
                AtomicU64::new(0),
            ),
            count: Count::default(),
            keys: Keys::default(),
        }
    }

    pub(crate) fn journal(&self) -> Journal<'_, MemoryLog, Wall, Count, Keys> {
        Journal::new(
            &self.log,
            &self.wall,
            &self.count,
            &self.keys,
            "tieout 0.1.0 (test)",
        )
    }

    pub(crate) fn reader(&self) -> Reader<'_, MemoryLog, Keys> {
        Reader {
            log: &self.log,
            sealer: &self.keys,
        }
    }

    /// Changes what the log holds, as damage would.
    pub(crate) fn damage(&self, change: impl FnOnce(&mut Vec<Recorded>)) {
        change(&mut self.log.events.lock().unwrap());
    }

    /// How many events of each kind the log holds.
    pub(crate) fn kinds(&self) -> BTreeMap<String, usize> {
        self.log
            .all()
            .into_iter()
            .fold(BTreeMap::new(), |mut kinds, recorded| {
                *kinds.entry(recorded.event.kind).or_default() += 1;
                kinds
            })
    }
}

pub(crate) fn poller() -> Stamp {
    Stamp {
        actor: Actor::System {
            part: SystemActor::Poller,
        },
        cause: Cause::Command { name: "sync".into() },
    }
}

pub(crate) fn event_id(number: u128) -> EventId {
    EventId(Uuid::from_u128(number))
}
