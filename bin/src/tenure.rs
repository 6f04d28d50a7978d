//! Which instance works a connection, where several share a cluster's log. On SQLite nobody asks: its instances are on one
//! machine, and work side by side.
//!
//! The lease spares work; it is not what keeps a report from being posted twice. That is the intent in the log, appended at
//! an expected revision and read back, and it holds where a lease is wrong. So commands of people (`resolve`, `replay`,
//! `exclude`, `reverse`, `reconcile`) take none.
//!
//! What a world may begin is decided by the clock ([`Hold`]), not by a task that has to run first: a machine that was
//! suspended begins nothing when it wakes, although its heart has not beaten yet.

mod hold;

use std::sync::Arc;
use std::time::Duration;

use tieout_store::{Lease, LeaseState, Tenure};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;
use crate::ports::SystemClock;

pub use hold::Hold;

/// The longest wait between two looks at somebody else's lease, and for a lease to be given back.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// The shortest.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);

/// One instance's wish to work one connection.
pub struct Candidate {
    /// None where nobody need ask.
    lease: Option<Arc<Mutex<Lease>>>,
    asker: Asker,
    hold: Arc<Hold>,
}

/// Who asks, and for how long.
#[derive(Clone)]
struct Asker {
    instance: String,
    host: String,
    /// As configured.
    lease: Duration,
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
    /// How long until it may be taken, if it is not renewed.
    #[serde(skip)]
    pub free_in: Duration,
}

impl Candidate {
    /// For a connection of an installation.
    pub fn of(installation: &Installation, config: &ConnectionConfig) -> Self {
        let lease = installation.log.lease(&lease_name(config));
        let hold = if lease.is_none() {
            Hold::without_end()
        } else {
            Hold::over()
        };
        Self {
            lease: lease.map(|lease| Arc::new(Mutex::new(lease))),
            asker: Asker {
                instance: installation.instance.to_string(),
                host: host(),
                lease: installation.config.store.lease,
                term: term_of(installation.config.store.lease),
                clock: installation.clock.clone(),
            },
            hold: Arc::new(hold),
        }
    }

    /// Until when the connection may be worked: for the world that works it.
    pub fn hold(&self) -> Arc<Hold> {
        Arc::clone(&self.hold)
    }

    /// Takes the connection, if it is free; then it is kept until the keeper is dropped.
    ///
    /// # Errors
    /// Where the log cannot be asked, or answers so late that nothing is left of the term.
    pub async fn ask(&self) -> Result<Turn, Failure> {
        let Some(lease) = &self.lease else {
            return Ok(Turn::Ours(Keeper { heart: None }));
        };
        self.hold.end();
        match self.asker.asks(lease).await? {
            LeaseState::Theirs { owner, host, free_in } => Ok(Turn::Theirs(Holder {
                instance: owner,
                host,
                free_in,
            })),
            LeaseState::Mine(tenure) => {
                if !self.asker.may_work(&self.hold, tenure) {
                    return Err(Failure::Outside(format!(
                        "the cluster answers so late that nothing is left of the lease: set `[store] lease` above {:?}",
                        self.asker.lease
                    )));
                }
                let heart = beat(Arc::clone(lease), self.asker.clone(), Arc::clone(&self.hold));
                Ok(Turn::Ours(Keeper {
                    heart: Some(tokio::spawn(heart)),
                }))
            }
        }
    }

    /// Asks until the connection is free, or another instance is seen to renew it (or to take it): that is within a term
    /// of whoever holds it.
    ///
    /// # Errors
    /// Where the log cannot be asked.
    pub async fn wait(&self) -> Result<Turn, Failure> {
        let mut free_in_before = None;
        loop {
            match self.ask().await? {
                // What nobody renews comes nearer with every look.
                Turn::Theirs(holder) if free_in_before.is_none_or(|before| holder.free_in < before) => {
                    free_in_before = Some(holder.free_in);
                    tokio::time::sleep(between(&holder, self.asker.term / 10)).await;
                }
                turn => return Ok(turn),
            }
        }
    }

    /// How long until it is worth to ask again.
    pub fn next_look(&self, holder: &Holder) -> Duration {
        between(holder, self.asker.term / 6)
    }

    /// Is it lost, or was it never ours?
    pub fn is_over(&self) -> bool {
        self.hold.is_over(&self.asker.clock)
    }

    /// Ends when the connection is lost.
    pub async fn lost(&self) {
        self.hold.ends(&self.asker.clock).await;
    }

    /// Gives the connection back, so that another need not wait for the end of the term. Where it was never asked for,
    /// nothing happens.
    pub async fn give_back(&self, keeper: Option<Keeper>) {
        let Some(lease) = &self.lease else { return };
        self.hold.end();
        if let Some(heart) = keeper.and_then(|mut keeper| keeper.heart.take()) {
            heart.abort();
            // It must not renew what is given back.
            let _ = heart.await;
        }
        let given = async { lease.lock().await.release(&self.asker.instance).await };
        match tokio::time::timeout(self.asker.term.min(LONGEST_LOOK), given).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lease could not be given back: another instance takes over when its term ends");
            }
            Err(_) => {
                tracing::warn!(
                    "the lease could not be given back in time: another instance takes over when its term ends"
                );
            }
        }
    }
}

/// Keeps a connection: renews its lease for as long as it lives.
pub struct Keeper {
    heart: Option<JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(heart) = &self.heart {
            heart.abort();
        }
    }
}

impl Asker {
    async fn asks(&self, lease: &Mutex<Lease>) -> Result<LeaseState, Failure> {
        let mut lease = lease.lock().await;
        let state = lease
            .ask(&self.instance, &self.host, self.term, || {
                hold::steady(&self.clock)
            })
            .await?;
        Ok(state)
    }

    /// Work goes on until a third of the term before its end: the call that is under way needs time to end, too. `false`
    /// where that is over already.
    fn may_work(&self, hold: &Hold, tenure: Tenure) -> bool {
        hold.lasts_until(tenure.until.saturating_sub(self.term / 3));
        !hold.is_over(&self.clock)
    }
}

/// Renews the lease every third of its term, until it is lost.
async fn beat(lease: Arc<Mutex<Lease>>, asker: Asker, hold: Arc<Hold>) {
    let mut wait = asker.term / 3;
    loop {
        tokio::time::sleep(wait).await;
        let left = hold.left(&asker.clock).unwrap_or_default();
        match tokio::time::timeout(left, asker.asks(&lease)).await {
            Ok(Ok(LeaseState::Mine(tenure))) if asker.may_work(&hold, tenure) => wait = asker.term / 3,
            Ok(Ok(LeaseState::Theirs { host, .. })) => {
                tracing::warn!(%host, "another instance took the connection over: nothing new is begun");
                break;
            }
            Ok(Err(error)) if !hold.is_over(&asker.clock) => {
                tracing::warn!(%error, "the lease could not be renewed; trying again");
                wait = (asker.term / 20).max(SHORTEST_LOOK);
            }
            Ok(_) | Err(_) => {
                tracing::warn!("the lease could not be renewed in time: nothing new is begun");
                break;
            }
        }
    }
    hold.end();
}

/// Not before it may be free, not too often, and not too seldom for whoever gives it back early.
fn between(holder: &Holder, often: Duration) -> Duration {
    holder.free_in.min(often.min(LONGEST_LOOK)).max(SHORTEST_LOOK)
}

/// What is asked for. With `TIEOUT_TRIAL_LEASE=NAME` a lease of that name beside the connection's own, so that a trial can
/// put two instances to work at once: what keeps a report from being posted twice is then the intent alone.
fn lease_name(config: &ConnectionConfig) -> String {
    match std::env::var("TIEOUT_TRIAL_LEASE") {
        Ok(name) if !name.is_empty() => format!("{}-{name}", config.id),
        Ok(_) | Err(_) => config.id.to_string(),
    }
}

/// A lease is written for three quarters of the time in which a takeover must be done: what is left is for whoever waits
/// to look, to ask and to begin.
fn term_of(lease: Duration) -> Duration {
    lease * 3 / 4
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "an unnamed machine".to_owned(), |name| name.trim().to_owned())
}
