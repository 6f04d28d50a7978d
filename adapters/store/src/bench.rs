//! Where the writer works: what waits is gathered into a group, the group into one transaction.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use crate::number::from_sql;
use crate::trouble::{Place, Trouble};
use crate::writer::{Applied, Order};

/// How many requests one commit may carry, so that the first in it does not wait for ever.
const GROUP_REQUESTS: usize = 512;
/// How many bytes one commit may carry (it may be exceeded by the last request), so that memory stays flat.
const GROUP_BYTES: usize = 8 << 20;
/// The longest a commit waits for those who are likely to join it.
const LONGEST_PATIENCE: Duration = Duration::from_millis(1);

/// The thread's side.
pub(crate) struct Bench {
    connection: Connection,
    place: Place,
    orders: Receiver<Box<dyn Order>>,
    counted: watch::Sender<u64>,
    /// Whether `synchronous` is FULL (else NORMAL).
    synced: bool,
    /// Taken from the queue, not yet in a group.
    waiting: VecDeque<Box<dyn Order>>,
    /// How many the next group would hold if all came back who were just answered.
    likely: usize,
    last_took: Duration,
}

type Group = Vec<Box<dyn Order>>;

/// How a transaction ended.
enum End {
    Committed,
    /// SQLite failed within one of the orders, which holds the reason as its outcome; nothing was written.
    Spoiled,
    /// It could not begin; nothing was written.
    NotBegun(rusqlite::Error),
    /// It could not be committed.
    NotCommitted(Trouble),
}

impl Bench {
    pub(crate) fn new(
        connection: Connection,
        place: Place,
        orders: Receiver<Box<dyn Order>>,
        counted: watch::Sender<u64>,
    ) -> Self {
        // Connections are opened with `synchronous=FULL`.
        Self {
            connection,
            place,
            orders,
            counted,
            synced: true,
            waiting: VecDeque::new(),
            likely: 0,
            last_took: Duration::ZERO,
        }
    }

    /// Works until nobody can order any more.
    pub(crate) fn work(mut self) {
        while let Some(group) = self.gather() {
            self.carry_out(group);
        }
    }

    /// Takes what waits. Those who were just answered are likely to come back at once, and would otherwise find the
    /// door shut and make every commit half as full: waiting for them a fraction of a commit's time lets them in. It
    /// looks instead of sleeping, because to be woken for each of them costs more. A lone writer never waits.
    fn gather(&mut self) -> Option<Group> {
        if self.waiting.is_empty() {
            self.waiting.push_back(self.orders.recv().ok()?);
        }
        let deadline = Instant::now() + LONGEST_PATIENCE.min(self.last_took / 2);
        loop {
            self.waiting.extend(self.orders.try_iter());
            if self.waiting.len() >= self.likely.min(GROUP_REQUESTS) || Instant::now() >= deadline {
                break;
            }
            std::thread::yield_now();
        }
        let mut group = Vec::new();
        let mut bytes = 0_usize;
        while group.len() < GROUP_REQUESTS
            && bytes < GROUP_BYTES
            && let Some(next) = self.waiting.pop_front()
        {
            bytes = bytes.saturating_add(next.weight());
            group.push(next);
        }
        Some(group)
    }

    /// Appends and what need not wait for the disk go apart, so that neither suffers from what befalls the other.
    fn carry_out(&mut self, group: Group) {
        let (synced, unsynced): (Group, Group) = group
            .into_iter()
            .partition(|order| order.must_survive_power_cut());
        for (synced, group) in [(true, synced), (false, unsynced)] {
            if !group.is_empty() {
                self.carry_out_together(group, synced);
            }
        }
    }

    fn carry_out_together(&mut self, mut group: Group, synced: bool) {
        let alone = group.len() == 1;
        let started = Instant::now();
        let answer = match self.transact(&mut group, synced) {
            End::Committed => {
                self.publish();
                Ok(())
            }
            // Each deserves its own try, and the culprit its own answer.
            End::Spoiled if alone => Ok(()),
            End::Spoiled => return self.one_by_one(group, synced),
            End::NotCommitted(trouble) if !alone && trouble.wrote_nothing() => {
                return self.one_by_one(group, synced);
            }
            End::NotCommitted(trouble) => Err(self.place.error(trouble)),
            End::NotBegun(error) => Err(self.place.error(error)),
        };
        self.last_took = started.elapsed();
        // Whoever is here by now is none of those who are answered next.
        self.waiting.extend(self.orders.try_iter());
        self.likely = self.waiting.len().saturating_add(group.len());
        for order in group {
            order.answer(&self.place, answer.clone());
        }
    }

    fn one_by_one(&mut self, group: Group, synced: bool) {
        for order in group {
            self.carry_out_together(vec![order], synced);
        }
    }

    fn transact(&mut self, group: &mut Group, synced: bool) -> End {
        if let Err(error) = self.begin(synced) {
            return End::NotBegun(error);
        }
        if group
            .iter_mut()
            .any(|order| order.apply(&self.connection) == Applied::Spoiled)
        {
            self.undo();
            return End::Spoiled;
        }
        match self.run("COMMIT") {
            Ok(()) => End::Committed,
            Err(error) => {
                self.undo();
                End::NotCommitted(Trouble::Sql(error))
            }
        }
    }

    fn begin(&mut self, synced: bool) -> rusqlite::Result<()> {
        if self.synced != synced {
            self.connection
                .pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
            self.synced = synced;
        }
        self.run("BEGIN IMMEDIATE")
    }

    fn undo(&self) {
        // SQLite may have done so itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.run("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction of the log could not be rolled back");
        }
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn publish(&self) {
        match count_events(&self.connection) {
            Ok(count) => {
                self.counted
                    .send_if_modified(|known| std::mem::replace(known, count) != count);
            }
            // Those who wait look for themselves before long.
            Err(error) => tracing::warn!(%error, "the head of the log could not be read after a commit"),
        }
    }
}

/// The number of events in the log.
pub(crate) fn count_events(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(leaf) + 1, 0) FROM events")?
        .query_row([], |row| row.get(0))
        .map(from_sql)
}
