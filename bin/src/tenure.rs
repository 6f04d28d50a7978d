//! Which instance works a connection, where several share a cluster's log. On SQLite nobody asks: its instances are on one
//! machine, and work side by side.
//!
//! The lease spares work; it is not what keeps a report from being posted twice. That is the intent in the log, appended at
//! an expected revision and read back, and it holds where a lease is wrong. So commands of people (`resolve`, `replay`,
//! `exclude`, `reverse`, `reconcile`) take none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tieout_domain::ports::Clock as _;
use tieout_store::{Lease, LeaseState, Tenure};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::config::ConnectionConfig;
use crate::installation::{Installation, World};
use crate::out::Failure;
use crate::ports::SystemClock;

/// The longest wait between two looks at somebody else's lease.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// The shortest.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);

/// One instance's wish to work one connection.
pub struct Candidate {
    lease: Option<Arc<Mutex<Lease>>>,
    owner: String,
    host: String,
    term: Duration,
    clock: SystemClock,
}

/// What came of asking.
pub enum Turn {
    /// It may work, for as long as the keeper lives and has not lost it.
    Ours(Keeper),
    /// Another instance works it.
    Theirs(Holder),
}

/// Another instance that works a connection.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// Its id.
    pub instance: String,
    /// Its machine.
    pub host: String,
    #[serde(skip)]
    free_in: Duration,
}

impl Candidate {
    /// For a connection of an installation.
    pub fn of(installation: &Installation, config: &ConnectionConfig) -> Self {
        let lease = installation.log.lease(&config.id.to_string());
        Self {
            lease: lease.map(|lease| Arc::new(Mutex::new(lease))),
            owner: installation.instance.to_string(),
            host: host(),
            term: installation.config.store.lease,
            clock: installation.clock.clone(),
        }
    }

    /// Takes the connection, if it is free; then it is kept until the keeper is dropped or given back.
    ///
    /// # Errors
    /// Where the log cannot be asked.
    pub async fn ask(&self, world: &World) -> Result<Turn, Failure> {
        world.lost().store(false, Ordering::SeqCst);
        let Some(lease) = &self.lease else {
            return Ok(Turn::Ours(Keeper::of_nothing(world)));
        };
        let clock = self.clock.clone();
        let asked = lease
            .lock()
            .await
            .ask(&self.owner, &self.host, self.term, || steady(&clock))
            .await?;
        Ok(match asked {
            LeaseState::Theirs { owner, host, free_in } => Turn::Theirs(Holder {
                instance: owner,
                host,
                free_in,
            }),
            LeaseState::Mine(tenure) => Turn::Ours(Keeper {
                heart: Some(tokio::spawn(beat(
                    Arc::clone(lease),
                    (self.owner.clone(), self.host.clone()),
                    self.term,
                    self.clock.clone(),
                    tenure,
                    world.lost(),
                ))),
                lease: Some((Arc::clone(lease), self.owner.clone())),
                lost: world.lost(),
            }),
        })
    }

    /// Asks until the connection is free, for one term at most; then whoever renewed it meanwhile is told.
    ///
    /// # Errors
    /// Where the log cannot be asked.
    pub async fn wait(&self, world: &World) -> Result<Turn, Failure> {
        let began = steady(&self.clock);
        loop {
            match self.ask(world).await? {
                Turn::Theirs(holder) if steady(&self.clock).saturating_sub(began) <= self.term => {
                    tokio::time::sleep(self.next_look(&holder)).await;
                }
                turn => return Ok(turn),
            }
        }
    }

    /// How long until it is worth to ask again.
    pub fn next_look(&self, holder: &Holder) -> Duration {
        let often = (self.term / 6).min(LONGEST_LOOK);
        holder.free_in.min(often).max(SHORTEST_LOOK)
    }
}

/// Keeps a connection: renews its lease, and says when it is lost.
pub struct Keeper {
    heart: Option<JoinHandle<()>>,
    lease: Option<(Arc<Mutex<Lease>>, String)>,
    lost: Arc<AtomicBool>,
}

impl Keeper {
    fn of_nothing(world: &World) -> Self {
        Self {
            heart: None,
            lease: None,
            lost: world.lost(),
        }
    }

    /// Was the connection lost? Then nothing new is begun, and it must be asked for again.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Gives the connection back, so that another need not wait for the end of the term.
    pub async fn give_back(mut self) {
        if let Some(heart) = self.heart.take() {
            heart.abort();
            // It must not renew what is given back.
            let _ = heart.await;
        }
        if let Some((lease, owner)) = self.lease.take()
            && let Err(error) = lease.lock().await.release(&owner).await
        {
            tracing::warn!(%error, "the lease could not be given back: another instance takes over when its term ends");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(heart) = &self.heart {
            heart.abort();
        }
    }
}

/// Renews the lease every third of its term. What is not renewed a third before its end counts as lost: the call that is
/// under way needs time to end, too.
async fn beat(
    lease: Arc<Mutex<Lease>>,
    (owner, host): (String, String),
    term: Duration,
    clock: SystemClock,
    tenure: Tenure,
    lost: Arc<AtomicBool>,
) {
    let third = term / 3;
    let mut until = tenure.until;
    loop {
        let left = until.saturating_sub(third).saturating_sub(steady(&clock));
        tokio::time::sleep(third.min(left)).await;
        let left = until.saturating_sub(third).saturating_sub(steady(&clock));
        let renewed = tokio::time::timeout(left.max(SHORTEST_LOOK), async {
            lease
                .lock()
                .await
                .ask(&owner, &host, term, || steady(&clock))
                .await
        });
        match renewed.await {
            Ok(Ok(LeaseState::Mine(tenure))) => until = tenure.until,
            Ok(Ok(LeaseState::Theirs { host, .. })) => {
                tracing::warn!(%host, "another instance took the connection over: nothing new is begun");
                break;
            }
            Ok(Err(error)) if !left.is_zero() => {
                tracing::warn!(%error, "the lease could not be renewed; trying again");
                tokio::time::sleep(SHORTEST_LOOK).await;
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("the lease could not be renewed in time: nothing new is begun");
                break;
            }
        }
    }
    lost.store(true, Ordering::SeqCst);
}

/// A clock that counts suspended time too, and that nobody can set.
fn steady(clock: &SystemClock) -> Duration {
    Duration::from_millis(clock.steady().millis)
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "an unnamed machine".to_owned(), |name| name.trim().to_owned())
}
