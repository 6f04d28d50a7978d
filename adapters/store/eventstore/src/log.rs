//! The log on a cluster: the ports, put together from the rooms beside this one.

use std::sync::Arc;
use std::time::Duration;

use tieout_domain::ids::EventId;
use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, PaceBook, PaceRule, Position, Recorded, Revision,
    StreamName,
};
use tokio::sync::watch;

use crate::address::{Address, LogName};
use crate::append::append;
use crate::beside::{note, notes};
use crate::lease::Lease;
use crate::leaves::Leaves;
use crate::link::{Link, Patience, User};
use crate::pace;
use crate::read;
use crate::session::Turns;

/// How soon an append by another process is noticed. Our own are noticed at once.
const OTHERS_NOTICED_WITHIN: Duration = Duration::from_millis(200);

/// The version of how the log lies on the server.
const FORMAT: &[u8] = br#"{"format":1}"#;

/// The log on a cluster, shared by clones of this handle and by all instances that name it.
///
/// An append is durable when it is answered: a majority of the nodes has it.
#[derive(Clone)]
pub struct EventStoreLog {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) link: Arc<Link>,
    pub(crate) log: LogName,
    pub(crate) turns: Arc<Turns>,
    leaves: Leaves,
    appended: watch::Sender<()>,
}

impl std::fmt::Debug for EventStoreLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStoreLog")
            .field("at", &self.inner.link.place.0)
            .finish_non_exhaustive()
    }
}

impl EventStoreLog {
    /// Opens the log, or begins an empty one where there is none of its name.
    ///
    /// # Errors
    /// [`LogError::Failed`] where the cluster cannot be reached, [`LogError::Unusable`] where it does not let us in or
    /// holds a log of a newer program.
    pub async fn open(address: &Address, user: Option<User>, patience: Patience) -> Result<Self, LogError> {
        let log = Self::new(address, user, patience);
        log.begin().await?;
        log.check_format().await?;
        Ok(log)
    }

    /// Opens the log, which must be there: for a program that has run before, where an empty log would stand for a lost
    /// one, and would begin to post again.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where there is no log of this name.
    pub async fn open_existing(
        address: &Address,
        user: Option<User>,
        patience: Patience,
    ) -> Result<Self, LogError> {
        let log = Self::new(address, user, patience);
        log.check_format().await?;
        Ok(log)
    }

    fn new(address: &Address, user: Option<User>, patience: Patience) -> Self {
        let link = Link::new(address.clone(), user, patience);
        Self::over(Arc::new(link), Arc::default(), address.log().clone())
    }

    fn over(link: Arc<Link>, turns: Arc<Turns>, log: LogName) -> Self {
        Self {
            inner: Arc::new(Inner {
                link,
                log,
                turns,
                leaves: Leaves::default(),
                appended: watch::Sender::new(()),
            }),
        }
    }

    /// Another log of the same cluster, opened or begun as by [`open`](Self::open), through the same client: making one
    /// takes longer than opening a log.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn another(&self, log: LogName) -> Result<Self, LogError> {
        let Inner { link, turns, .. } = self.inner.as_ref();
        let log = Self::over(Arc::clone(link), Arc::clone(turns), log);
        log.begin().await?;
        log.check_format().await?;
        Ok(log)
    }

    async fn begin(&self) -> Result<(), LogError> {
        let Inner { link, log, turns, .. } = self.inner.as_ref();
        let stream = log.beside("log");
        if notes(link, &stream, 1).await?.is_empty() {
            // Where somebody else was faster, it is begun all the same.
            note(link, turns, &stream, None, "Begun", FORMAT.to_vec()).await?;
        }
        Ok(())
    }

    async fn check_format(&self) -> Result<(), LogError> {
        let Inner { link, log, .. } = self.inner.as_ref();
        match notes(link, &log.beside("log"), 1).await?.last() {
            None => Err(link.place.unusable(format!(
                "there is no log `{log}` on this cluster; correct `[store] url`, or run `tieout init` to begin a new one"
            ))),
            Some(found) if found.event.data == FORMAT => Ok(()),
            Some(found) => Err(link.place.unusable(format!(
                "log `{log}` was begun by a newer program ({}): run that one",
                String::from_utf8_lossy(&found.event.data)
            ))),
        }
    }

    /// Where it is, without secrets.
    pub fn place(&self) -> &str {
        &self.inner.link.place.0
    }

    /// Its name on the cluster.
    pub fn name(&self) -> &LogName {
        &self.inner.log
    }

    /// How many clients were made so far: one, and one for each time one had to be given up.
    pub fn clients_made(&self) -> u64 {
        self.inner.link.clients_made()
    }

    /// The id of the event at a position; `None` where none stands there now.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn id_at(&self, position: Position) -> Result<Option<EventId>, LogError> {
        read::id_at(&self.inner.link, &self.inner.log, position).await
    }

    /// Who works something, `what` being a name: a connection's id.
    pub fn lease(&self, what: &str) -> Lease {
        Lease::new(Arc::clone(&self.inner), what)
    }
}

/// Pages end early: beside `limit`, a page stops at about 4 MiB of data (but holds at least one event). An empty page is
/// the end.
impl Log for EventStoreLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let Inner { link, log, turns, .. } = self.inner.as_ref();
        let appended = append(link, turns, &log.audited(&stream.0), stream, expected, events).await?;
        self.inner.appended.send_replace(());
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let Inner { link, log, .. } = self.inner.as_ref();
        read::stream_page(link, &log.audited(&stream.0), stream, from, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        read::all_page(&self.inner.link, &self.inner.log, after, limit).await
    }

    /// Counts from the last note before it; the first time on a large log that takes as long as reading it.
    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        let Inner {
            link,
            log,
            turns,
            leaves,
            ..
        } = self.inner.as_ref();
        leaves.leaf(link, turns, log, position).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        read::head(&self.inner.link, &self.inner.log).await
    }

    /// Wakes at once for appends through this handle and its clones, and within 200 ms for those of others. It asks, and
    /// does not subscribe: the client spins for ever when a subscription ends cleanly.
    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        let mut appended = self.inner.appended.subscribe();
        loop {
            appended.borrow_and_update();
            if !self.read_all(position, 1).await?.is_empty() {
                return Ok(());
            }
            let _ = tokio::time::timeout(OTHERS_NOTICED_WITHIN, appended.changed()).await;
        }
    }
}

/// Turns are kept in the order in which they were reserved, at most 20 an account, and shared by all instances on the log.
impl PaceBook for EventStoreLog {
    async fn reserve(&self, account: &str, rule: PaceRule) -> Result<i64, LogError> {
        let Inner { link, log, turns, .. } = self.inner.as_ref();
        pace::reserve(link, turns, log, account, rule).await
    }
}
