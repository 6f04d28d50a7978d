//! Where the writer works: what waits is gathered into a group, the group into one transaction.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use crate::append::Appending;
use crate::number::from_sql;
use crate::trouble::{Place, Trouble};
use crate::writer::{Applied, Order};

/// How many requests one commit may carry, so that the first in it does not wait for ever.
const GROUP_REQUESTS: usize = 512;
/// How many bytes one commit may carry (it may be exceeded by the last request), so that memory stays flat.
const GROUP_BYTES: usize = 8 << 20;
/// The longest a commit waits for those who are likely to join it.
const LONGEST_PATIENCE: Duration = Duration::from_millis(1);

/// Where orders come in.
struct Door {
    orders: Receiver<Box<dyn Order>>,
    /// Taken from the queue, not yet in a group.
    waiting: VecDeque<Box<dyn Order>>,
    /// Seen while a group of the other kind was gathered.
    aside: VecDeque<Box<dyn Order>>,
    /// How many the next group would hold if all came back who were just answered.
    likely: usize,
}

impl Door {
    /// The next order, however long it takes; `None` when nobody can order any more.
    fn first(&mut self) -> Option<Box<dyn Order>> {
        self.waiting.pop_front().or_else(|| self.orders.recv().ok())
    }

    /// Another for a group that holds `size` already. Those who were just answered are likely to come back at once, and
    /// would otherwise find the door shut and make every commit half as full: waiting for them until `deadline` lets
    /// them in. It looks instead of sleeping, because to be woken for each of them costs more.
    fn next(&mut self, synced: bool, size: usize, deadline: Instant) -> Option<Box<dyn Order>> {
        loop {
            while let Some(order) = self.waiting.pop_front() {
                if order.must_survive_power_cut() == synced {
                    return Some(order);
                }
                self.aside.push_back(order);
            }
            self.waiting.extend(self.orders.try_iter());
            if self.waiting.is_empty() {
                if size.saturating_add(self.aside.len()) >= self.likely || Instant::now() >= deadline {
                    return None;
                }
                std::thread::yield_now();
            }
        }
    }

    /// To be called before `answered` are answered: whoever is here by now is none of them.
    fn shut(&mut self, answered: usize) {
        self.aside.append(&mut self.waiting);
        std::mem::swap(&mut self.aside, &mut self.waiting);
        self.waiting.extend(self.orders.try_iter());
        self.likely = self.waiting.len().saturating_add(answered);
    }
}

/// The thread's side.
pub(crate) struct Bench {
    connection: Connection,
    place: Place,
    door: Door,
    counted: watch::Sender<u64>,
    /// Whether `synchronous` is FULL (else NORMAL).
    synced: bool,
    last_took: Duration,
}

/// What the orders of one transaction work on.
pub(crate) struct Desk<'c> {
    /// In the transaction.
    pub(crate) connection: &'c Connection,
    appending: Option<Appending<'c>>,
}

impl<'c> Desk<'c> {
    /// What appends need, prepared by the first of them.
    pub(crate) fn appending(&mut self) -> rusqlite::Result<&mut Appending<'c>> {
        match &mut self.appending {
            Some(appending) => Ok(appending),
            empty => Ok(empty.insert(Appending::prepare(self.connection)?)),
        }
    }
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
            door: Door {
                orders,
                waiting: VecDeque::new(),
                aside: VecDeque::new(),
                likely: 0,
            },
            counted,
            synced: true,
            last_took: Duration::ZERO,
        }
    }

    /// Works until nobody can order any more. Appends and what need not wait for the disk go into commits of their own,
    /// so that neither suffers from what befalls the other.
    pub(crate) fn work(mut self) {
        while let Some(first) = self.door.first() {
            self.carry_out(vec![first], true);
        }
    }

    /// Carries out a group, which others may join or not.
    fn carry_out(&mut self, mut group: Group, open: bool) {
        let synced = group.iter().any(|order| order.must_survive_power_cut());
        let started = Instant::now();
        let end = self.transact(&mut group, synced, open);
        self.last_took = started.elapsed();
        let alone = group.len() == 1;
        let answer = match end {
            End::Committed => {
                self.publish();
                Ok(())
            }
            // Each deserves its own try, and the culprit its own answer.
            End::Spoiled if alone => Ok(()),
            End::Spoiled => return self.one_by_one(group),
            End::NotCommitted(trouble) if !alone && trouble.wrote_nothing() => return self.one_by_one(group),
            End::NotCommitted(trouble) => Err(self.place.error(trouble)),
            End::NotBegun(error) => {
                // Nobody else here would fare better, and each would wait as long to learn it.
                group.extend(std::iter::from_fn(|| self.door.next(synced, usize::MAX, started)));
                Err(self.place.error(error))
            }
        };
        self.door.shut(group.len());
        for order in group {
            order.answer(&self.place, answer.clone());
        }
    }

    fn one_by_one(&mut self, group: Group) {
        for order in group {
            self.carry_out(vec![order], false);
        }
    }

    /// Applies each order as it comes, while those just answered are preparing their next.
    fn transact(&mut self, group: &mut Group, synced: bool, open: bool) -> End {
        if let Err(error) = self.begin(synced) {
            return End::NotBegun(error);
        }
        let deadline = Instant::now() + LONGEST_PATIENCE.min(self.last_took / 2);
        let mut desk = Desk {
            connection: &self.connection,
            appending: None,
        };
        let mut spoiled = group
            .iter_mut()
            .any(|order| order.apply(&mut desk) == Applied::Spoiled);
        let mut bytes: usize = group.iter().map(|order| order.weight()).sum();
        while open
            && !spoiled
            && group.len() < GROUP_REQUESTS
            && bytes < GROUP_BYTES
            && let Some(mut next) = self.door.next(synced, group.len(), deadline)
        {
            spoiled = next.apply(&mut desk) == Applied::Spoiled;
            bytes = bytes.saturating_add(next.weight());
            group.push(next);
        }
        drop(desk);
        if spoiled {
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
