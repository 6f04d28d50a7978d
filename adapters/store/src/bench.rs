//! Where the writer works: what waits is gathered into a group, the group into one transaction.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use crate::number::from_sql;
use crate::trouble::{Place, Trouble};
use crate::writer::Order;

/// How many requests one commit may carry, so that the first in it does not wait for ever.
const GROUP_REQUESTS: usize = 512;
/// How many bytes one commit may carry (it may be exceeded by the last request), so that memory stays flat.
const GROUP_BYTES: usize = 8 << 20;

/// The thread's side.
pub(crate) struct Bench {
    connection: Connection,
    place: Place,
    orders: Receiver<Box<dyn Order>>,
    counted: watch::Sender<u64>,
    /// Whether `synchronous` is FULL (else NORMAL).
    synced: bool,
    last_size: usize,
    last_took: Duration,
}

type Group = Vec<Box<dyn Order>>;

/// How a transaction ended.
enum End {
    Committed,
    /// SQLite itself undid the whole transaction in the middle of one order, which holds the reason as its outcome.
    Undone,
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
            last_size: 0,
            last_took: Duration::ZERO,
        }
    }

    /// Works until nobody can order any more.
    pub(crate) fn work(mut self) {
        while let Ok(first) = self.orders.recv() {
            let group = self.gather(first);
            let started = Instant::now();
            self.last_size = group.len();
            self.carry_out(group);
            self.last_took = started.elapsed();
        }
    }

    /// Takes what is in the queue. Where the last commit answered several, they are likely about to come back together:
    /// waiting for them a fraction of a commit's time fills this commit, instead of the next one. A lone writer never waits.
    fn gather(&self, first: Box<dyn Order>) -> Group {
        let patience = if self.last_size > 1 {
            self.last_took / 4
        } else {
            Duration::ZERO
        };
        let deadline = Instant::now() + patience;
        let mut bytes = first.weight();
        let mut group = vec![first];
        while group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
            let next = match self.orders.try_recv() {
                Ok(next) => Some(next),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) if group.len() < self.last_size => self
                    .orders
                    .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                    .ok(),
                Err(TryRecvError::Empty) => None,
            };
            let Some(next) = next else { break };
            bytes = bytes.saturating_add(next.weight());
            group.push(next);
        }
        group
    }

    fn carry_out(&mut self, mut group: Group) {
        let alone = group.len() == 1;
        let answer = match self.transact(&mut group) {
            End::Committed => {
                self.publish();
                Ok(())
            }
            // The culprit gets its own outcome; the others deserve their own try.
            End::Undone if alone => Ok(()),
            End::Undone => return self.one_by_one(group),
            End::NotCommitted(trouble) if !alone && trouble.wrote_nothing() => return self.one_by_one(group),
            End::NotCommitted(trouble) => Err(self.place.error(trouble)),
            End::NotBegun(error) => Err(self.place.error(error)),
        };
        for order in group {
            order.answer(&self.place, answer.clone());
        }
    }

    fn one_by_one(&mut self, group: Group) {
        for order in group {
            self.carry_out(vec![order]);
        }
    }

    fn transact(&mut self, group: &mut Group) -> End {
        if let Err(error) = self.begin(group.iter().any(|order| order.must_survive_power_cut())) {
            return End::NotBegun(error);
        }
        for order in group.iter_mut() {
            match self.apply_one(order.as_mut()) {
                Ok(()) if self.connection.is_autocommit() => return End::Undone,
                Ok(()) => {}
                Err(error) => return self.undo(error),
            }
        }
        match self.run("COMMIT") {
            Ok(()) => End::Committed,
            Err(error) => self.undo(error),
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

    fn apply_one(&self, order: &mut dyn Order) -> rusqlite::Result<()> {
        self.run("SAVEPOINT one")?;
        let keep = order.apply(&self.connection);
        if self.connection.is_autocommit() {
            return Ok(());
        }
        if !keep {
            self.run("ROLLBACK TO one")?;
        }
        self.run("RELEASE one")
    }

    fn undo(&self, error: rusqlite::Error) -> End {
        if !self.connection.is_autocommit()
            && let Err(second) = self.run("ROLLBACK")
        {
            tracing::warn!(error = %second, "a transaction of the log could not be rolled back");
        }
        End::NotCommitted(Trouble::Sql(error))
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
