//! The one thread that writes.
//!
//! ```text
//!  append ─┐                  ┌────────────────── one transaction ──────────────────┐
//!  append ─┼─► queue ─► group │ savepoint: append │ savepoint: append │ savepoint …  │ ─► commit, one sync ─► answers
//!  reserve ┘                  └─────────────────────────────────────────────────────┘
//! ```
//!
//! While a commit waits for the disk, the next requests gather; they go into the next commit together, so that the price
//! of one sync is shared by all who wait for it. Each has its own savepoint: a conflict of one does not fail the others.
//! Nobody is answered before the commit.
//!
//! Several processes may do this on one file: each transaction takes the file's write lock when it begins, and nothing
//! read before is believed.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tieout_domain::ports::LogError;
use tokio::sync::{oneshot, watch};

use crate::number::from_sql;
use crate::trouble::{Place, Trouble};

/// How many requests one commit may carry, so that the first in it does not wait for ever.
const GROUP_REQUESTS: usize = 512;
/// How many bytes one commit may carry (it may be exceeded by the last request), so that memory stays flat.
const GROUP_BYTES: usize = 8 << 20;

/// Something to be done within a transaction.
pub(crate) trait Work: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;
    /// Does it. What it wrote is undone if it fails. It may be called a second time, if the group it was in could not be
    /// committed and each member is tried alone.
    fn apply(&mut self, connection: &Connection) -> Result<Self::Answer, Trouble>;
    /// Whether the answer promises that it survives a power cut. What can be made again need not wait for the disk; a
    /// crash of the process alone loses nothing either way.
    fn must_survive_power_cut(&self) -> bool;
    /// Roughly how many bytes it writes.
    fn weight(&self) -> usize;
}

/// A piece of work with somebody waiting for it.
trait Order: Send {
    /// Whether what it wrote is to be kept. The outcome is kept inside.
    fn apply(&mut self, connection: &Connection) -> bool;
    fn must_survive_power_cut(&self) -> bool;
    fn weight(&self) -> usize;
    /// Answers with the outcome, or with what befell the whole group.
    fn answer(self: Box<Self>, place: &Place, group: Result<(), LogError>);
}

struct Waiting<W: Work> {
    work: W,
    outcome: Option<Result<W::Answer, Trouble>>,
    reply: oneshot::Sender<Result<W::Answer, LogError>>,
}

impl<W: Work> Order for Waiting<W> {
    fn apply(&mut self, connection: &Connection) -> bool {
        self.outcome.insert(self.work.apply(connection)).is_ok()
    }
    fn must_survive_power_cut(&self) -> bool {
        self.work.must_survive_power_cut()
    }
    fn weight(&self) -> usize {
        self.work.weight()
    }
    fn answer(self: Box<Self>, place: &Place, group: Result<(), LogError>) {
        let Self { outcome, reply, .. } = *self;
        let answer = group.and_then(|()| match outcome {
            Some(outcome) => outcome.map_err(|trouble| place.error(trouble)),
            None => Err(place.failed(LOST)),
        });
        // Nobody may be waiting any more; what was committed stays committed.
        let _ = reply.send(answer);
    }
}

const LOST: &str = "its writer stopped before it answered; whether the write happened is unknown: open the log again and read";

/// The way to the writer thread. Dropping it lets the thread finish what is in the queue, and waits for that.
pub(crate) struct Writer {
    place: Place,
    queue: Option<Sender<Box<dyn Order>>>,
    thread: Option<JoinHandle<()>>,
    events: watch::Receiver<u64>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(crate) fn start(connection: Connection, place: Place) -> Result<Self, LogError> {
        let count = count_events(&connection).map_err(|e| place.error(e))?;
        let (queue, orders) = channel();
        let (counted, events) = watch::channel(count);
        let bench = Bench {
            connection,
            place: place.clone(),
            orders,
            counted,
            synced: true,
            last_size: 0,
            last_took: Duration::ZERO,
        };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || bench.work())
            .map_err(|e| {
                place.failed(format!(
                    "its writer thread cannot be started ({e}); free some memory or threads"
                ))
            })?;
        Ok(Self {
            place,
            queue: Some(queue),
            thread: Some(thread),
            events,
        })
    }

    /// Has a piece of work done, in a commit it may share with others. Dropping the future does not take it back.
    pub(crate) async fn order<W: Work>(&self, work: W) -> Result<W::Answer, LogError> {
        let (reply, answer) = oneshot::channel();
        let order: Box<dyn Order> = Box::new(Waiting {
            work,
            outcome: None,
            reply,
        });
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(order).is_ok());
        if !sent {
            return Err(self
                .place
                .failed("its writer has stopped; nothing was written; open the log again"));
        }
        answer.await.unwrap_or_else(|_| Err(self.place.failed(LOST)))
    }

    /// The number of events in the log after the last commit of this writer (other processes' are seen late).
    pub(crate) fn events(&self) -> watch::Receiver<u64> {
        self.events.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's side.
struct Bench {
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
    fn work(mut self) {
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
                Err(TryRecvError::Empty) if group.len() < self.last_size => {
                    match self
                        .orders
                        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                    {
                        Ok(next) => Some(next),
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
                    }
                }
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

fn count_events(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(leaf) + 1, 0) FROM events")?
        .query_row([], |row| row.get(0))
        .map(from_sql)
}
