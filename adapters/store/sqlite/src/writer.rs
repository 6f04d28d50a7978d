//! The one thread that writes.
//!
//! ```text
//!  append ─┐                  ┌───────── one transaction ─────────┐
//!  append ─┼─► queue ─► group │ append · append · append · append │ ─► commit, one sync ─► answers
//!  append ─┘                  └───────────────────────────────────┘
//! ```
//!
//! While a commit waits for the disk, the next requests gather; they go into the next commit together, so that the price
//! of one sync is shared by all who wait for it. Nobody is answered before the commit.
//!
//! A conflict of one does not fail the others, because work refuses before it writes. (A savepoint for each would do the
//! same, and copy every page each of them touches.) Where SQLite itself fails, for want of room say, the group is undone
//! and each member is tried alone.
//!
//! Several processes may do this on one file: each transaction takes the file's write lock when it begins, and nothing
//! read before is believed.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tieout_domain::ports::LogError;
use tokio::sync::{oneshot, watch};

use crate::bench::{Bench, Desk, count_events};
use crate::trouble::{Place, Trouble};

/// Something to be done within a transaction.
pub(crate) trait Work: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;
    /// Does it. It must refuse ([`Trouble::Said`]) before it writes anything; when SQLite fails, what was written is
    /// undone. It may be called a second time, if the group it was in was undone and each member is tried alone.
    fn apply(&mut self, desk: &mut Desk<'_>) -> Result<Self::Answer, Trouble>;
    /// Whether the answer promises that it survives a power cut. What can be made again need not wait for the disk; a
    /// crash of the process alone loses nothing either way.
    fn must_survive_power_cut(&self) -> bool;
    /// Roughly how many bytes it writes.
    fn weight(&self) -> usize;
}

/// What a piece of work leaves of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It was done, or refused without a trace.
    Sound,
    /// SQLite failed in the middle of it.
    Spoiled,
}

/// A piece of work with somebody waiting for it.
pub(crate) trait Order: Send {
    /// Does it, and keeps the outcome inside.
    fn apply(&mut self, desk: &mut Desk<'_>) -> Applied;
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
    fn apply(&mut self, desk: &mut Desk<'_>) -> Applied {
        match self.outcome.insert(self.work.apply(desk)) {
            Err(Trouble::Sql(_)) => Applied::Spoiled,
            Ok(_) | Err(Trouble::Said(_) | Trouble::Damaged(_)) => Applied::Sound,
        }
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
        let bench = Bench::new(connection, place.clone(), orders, counted);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::join_all;
    use tempfile::TempDir;
    use tieout_domain::ids::EventId;
    use tieout_domain::ports::{Appended, Expected, Log, NewEvent, PaceBook, Revision, StreamName};
    use uuid::Uuid;

    use super::*;
    use crate::SqliteLog;

    /// Anything, done on the writer's own connection.
    struct Run<F>(Option<F>);
    impl<T: Send + 'static, F: FnOnce(&Connection) -> T + Send + 'static> Work for Run<F> {
        type Answer = T;
        fn apply(&mut self, desk: &mut Desk<'_>) -> Result<T, Trouble> {
            Ok(self.0.take().expect("runs once")(desk.connection))
        }
        fn must_survive_power_cut(&self) -> bool {
            false
        }
        fn weight(&self) -> usize {
            0
        }
    }

    async fn run<T: Send + 'static>(
        log: &SqliteLog,
        work: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, LogError> {
        log.inner.writer.order(Run(Some(work))).await
    }

    /// Gives the file no more room than `spare` pages; `None` takes the limit away.
    async fn leave_room(log: &SqliteLog, spare: Option<i64>) {
        let limit = move |connection: &Connection| {
            let used: i64 = connection
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .unwrap();
            let pages = spare.map_or(i64::from(u32::MAX - 1), |spare| used + spare);
            connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .unwrap();
        };
        run(log, limit).await.unwrap();
    }

    fn event(size: usize) -> NewEvent {
        NewEvent {
            id: EventId(Uuid::now_v7()),
            kind: "Noted".to_owned(),
            data: vec![b'x'; size],
            metadata: Vec::new(),
        }
    }

    async fn append(
        log: &SqliteLog,
        name: &str,
        expected: Expected,
        event: NewEvent,
    ) -> Result<Appended, LogError> {
        log.append(&StreamName(name.to_owned()), expected, vec![event])
            .await
    }

    fn new_log() -> (TempDir, SqliteLog) {
        let folder = TempDir::new().unwrap();
        let log = SqliteLog::open(folder.path().join("tieout.db")).unwrap();
        (folder, log)
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_nothing_is_appended_until_there_is_room() {
        let (_folder, log) = new_log();
        append(&log, "report-1", Expected::NoStream, event(100))
            .await
            .unwrap();
        leave_room(&log, Some(0)).await;
        let large = event(256 << 10);
        for _ in 0..3 {
            let answer = append(&log, "report-1", Expected::At(Revision(0)), large.clone()).await;
            assert!(matches!(answer, Err(LogError::Full { .. })), "{answer:?}");
        }
        assert_eq!(log.read_all(None, 10).await.unwrap().len(), 1);
        leave_room(&log, None).await;
        append(&log, "report-1", Expected::At(Revision(0)), large)
            .await
            .unwrap();
        assert_eq!(log.verify().await.unwrap().events, 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_nearly_full_disk_each_append_of_a_group_is_answered_for_itself() {
        let (_folder, log) = new_log();
        leave_room(&log, Some(20)).await;
        let log = Arc::new(log);
        let writers = (0..32).map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let size = if n % 2 == 0 { 256 << 10 } else { 100 };
                (
                    n,
                    append(&log, &format!("report-{n}"), Expected::NoStream, event(size)).await,
                )
            })
        });
        for written in join_all(writers).await {
            let (n, answer) = written.unwrap();
            let kept = log
                .read_stream(&StreamName(format!("report-{n}")), Revision(0), 10)
                .await
                .unwrap()
                .len();
            match answer {
                Ok(_) => assert_eq!((n % 2, kept), (1, 1), "a small one found room"),
                Err(LogError::Full { .. }) => assert_eq!((n % 2, kept), (0, 0), "a large one did not"),
                other => panic!("{n}: {other:?}"),
            }
        }
        leave_room(&log, None).await;
        append(&log, "report-0", Expected::NoStream, event(256 << 10))
            .await
            .unwrap();
        assert_eq!(log.verify().await.unwrap().events, 17);
    }

    #[tokio::test]
    async fn a_lost_writer_answers_errors_and_reading_goes_on() {
        let (_folder, log) = new_log();
        append(&log, "report-1", Expected::NoStream, event(1))
            .await
            .unwrap();
        let dying = run(&log, |_| panic!("the writer dies, as this test wants")).await;
        assert!(
            matches!(&dying, Err(LogError::Failed { detail, .. }) if detail.contains("unknown")),
            "{dying:?}"
        );
        for _ in 0..2 {
            let answer = append(&log, "report-1", Expected::At(Revision(0)), event(1)).await;
            assert!(matches!(answer, Err(LogError::Failed { .. })), "{answer:?}");
        }
        assert_eq!(log.read_all(None, 10).await.unwrap().len(), 1);
        log.wait_beyond(None).await.unwrap();
        let again = SqliteLog::open(log.path()).unwrap();
        append(&again, "report-1", Expected::At(Revision(0)), event(1))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_rule_that_panics_takes_nobody_with_it() {
        let (_folder, log) = new_log();
        let answer = log
            .reserve(
                "acme",
                Box::new(|_| panic!("the rule panics, as this test wants")),
            )
            .await;
        assert!(matches!(answer, Err(LogError::Failed { .. })), "{answer:?}");
        append(&log, "report-1", Expected::NoStream, event(1))
            .await
            .unwrap();
        assert_eq!(
            log.reserve("acme", Box::new(|sends| i64::try_from(sends.len()).unwrap()))
                .await
                .unwrap(),
            0
        );
    }

    #[tokio::test]
    async fn appends_are_synced_and_the_rest_is_not() {
        let (_folder, log) = new_log();
        let level = |connection: &Connection| {
            connection
                .pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
                .unwrap()
        };
        const NORMAL: i64 = 1;
        assert_eq!(run(&log, level).await.unwrap(), NORMAL);
        let synced = Arc::new(std::sync::Mutex::new(None));
        struct Probe(Arc<std::sync::Mutex<Option<i64>>>);
        impl Work for Probe {
            type Answer = ();
            fn apply(&mut self, desk: &mut Desk<'_>) -> Result<(), Trouble> {
                *self.0.lock().unwrap() = Some(desk.connection.pragma_query_value(
                    None,
                    "synchronous",
                    |row| row.get(0),
                )?);
                Ok(())
            }
            fn must_survive_power_cut(&self) -> bool {
                true
            }
            fn weight(&self) -> usize {
                0
            }
        }
        log.inner.writer.order(Probe(Arc::clone(&synced))).await.unwrap();
        const FULL: i64 = 2;
        assert_eq!(*synced.lock().unwrap(), Some(FULL));
    }

    #[tokio::test]
    async fn what_is_in_the_queue_is_written_before_the_last_handle_is_gone() {
        let (_folder, log) = new_log();
        let path = log.path().to_owned();
        let mut appends: Vec<_> = (0..50)
            .map(|n| {
                Box::pin(append(
                    &log,
                    Box::leak(format!("report-{n}").into_boxed_str()),
                    Expected::NoStream,
                    event(10),
                ))
            })
            .collect();
        for one in &mut appends {
            // Polled once, it is in the queue; then it is dropped, unanswered.
            let _ = futures::poll!(one);
        }
        drop(appends);
        drop(log);
        assert_eq!(SqliteLog::open(path).unwrap().verify().await.unwrap().events, 50);
    }
}
