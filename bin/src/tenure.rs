//! Which instance works a connection, where several share a cluster's log. On SQLite nobody asks: its instances are on one
//! machine, and work side by side.
//!
//! The lease spares work; it is not what keeps a report from being posted twice. That is the intent in the log, appended at
//! an expected revision and read back, and it holds where a lease is wrong. So commands of people (`resolve`, `replay`,
//! `exclude`, `reverse`, `reconcile`) take none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Until when a world may begin anything new, on the steady clock: for ever, where nobody shares the log.
///
/// The world looks at the clock itself, whenever it is asked. So a machine that was suspended, or so busy that the heart did
/// not beat, begins nothing after its term, before anything else of the program has noticed.
#[derive(Debug, Clone)]
pub struct Standing {
    until_millis: Arc<AtomicU64>,
    clock: SystemClock,
}

impl Standing {
    /// For ever.
    pub fn of(clock: SystemClock) -> Self {
        Self {
            until_millis: Arc::new(AtomicU64::new(u64::MAX)),
            clock,
        }
    }

    /// May nothing new be begun?
    pub fn is_over(&self) -> bool {
        self.clock.steady().millis >= self.until_millis.load(Ordering::SeqCst)
    }

    fn begin(&self, until: Duration) {
        let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.until_millis.store(millis, Ordering::SeqCst);
    }

    /// Moves the end on; `false` if it was reached before: what was over does not come back by itself.
    fn move_on(&self, until: Duration) -> bool {
        let over = self.is_over();
        if !over {
            self.begin(until);
        }
        !over
    }

    fn end(&self) {
        self.begin(Duration::ZERO);
    }
}

/// One instance's wish to work one connection.
pub struct Candidate {
    lease: Option<Arc<Mutex<Lease>>>,
    owner: String,
    host: String,
    term: Duration,
    clock: SystemClock,
}

/// How long giving a lease back may take: whoever ends does not wait for a cluster that is away.
const GIVING_BACK: Duration = Duration::from_secs(3);

/// Nothing new is begun in the last third of a term: what is under way needs time to end, too.
fn last_begin(tenure: Tenure, term: Duration) -> Duration {
    tenure.until.saturating_sub(term / 3)
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
        let standing = world.standing();
        let Some(lease) = &self.lease else {
            return Ok(Turn::Ours(Keeper {
                heart: None,
                lease: None,
                standing,
            }));
        };
        standing.end();
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
            LeaseState::Mine(tenure) => {
                standing.begin(last_begin(tenure, self.term));
                let heart = beat(
                    Arc::clone(lease),
                    (self.owner.clone(), self.host.clone()),
                    self.term,
                    self.clock.clone(),
                    tenure,
                    standing.clone(),
                );
                Turn::Ours(Keeper {
                    heart: Some(tokio::spawn(heart)),
                    lease: Some((Arc::clone(lease), self.owner.clone())),
                    standing,
                })
            }
        })
    }

    /// Asks until the connection is free, or until its holder renews it and so is seen to live.
    ///
    /// # Errors
    /// Where the log cannot be asked.
    pub async fn wait(&self, world: &World) -> Result<Turn, Failure> {
        let mut left: Option<Duration> = None;
        loop {
            let holder = match self.ask(world).await? {
                Turn::Theirs(holder) => holder,
                ours => return Ok(ours),
            };
            // Of a lease that nobody renews, less is left each time.
            if left.is_some_and(|left| holder.free_in >= left) {
                return Ok(Turn::Theirs(holder));
            }
            left = Some(holder.free_in);
            tokio::time::sleep(self.next_look(&holder)).await;
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
    standing: Standing,
}

impl Keeper {
    /// Was the connection lost? Then nothing new is begun, and it must be asked for again.
    pub fn is_lost(&self) -> bool {
        self.standing.is_over()
    }

    /// Gives the connection back, so that another need not wait for the end of the term.
    pub async fn give_back(mut self) {
        if let Some(heart) = self.heart.take() {
            heart.abort();
            // It must not renew what is given back.
            let _ = heart.await;
        }
        let Some((lease, owner)) = self.lease.take() else {
            return;
        };
        self.standing.end();
        let given = tokio::time::timeout(GIVING_BACK, async { lease.lock().await.release(&owner).await });
        let why = match given.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the cluster did not answer within {GIVING_BACK:?}"),
        };
        tracing::warn!(%why, "the lease could not be given back: another instance takes over when its term ends");
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
    standing: Standing,
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
            Ok(Ok(LeaseState::Mine(tenure))) if standing.move_on(last_begin(tenure, term)) => {
                until = tenure.until;
            }
            Ok(Ok(LeaseState::Mine(_))) => {
                tracing::warn!(
                    "the lease was renewed too late: nothing new is begun before it is asked for again"
                );
                break;
            }
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
    standing.end();
}

/// A clock that counts suspended time too, and that nobody can set.
fn steady(clock: &SystemClock) -> Duration {
    Duration::from_millis(clock.steady().millis)
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "an unnamed machine".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_by_the_clock_is_over_whatever_the_heart_says_later() {
        let standing = Standing::of(SystemClock::new());
        assert!(!standing.is_over(), "nobody shares the log");
        let now = steady(&standing.clock);
        standing.begin(now + Duration::from_secs(60));
        assert!(standing.move_on(now + Duration::from_secs(90)) && !standing.is_over());
        // The machine slept past the end.
        standing.begin(now);
        assert!(standing.is_over());
        assert!(!standing.move_on(now + Duration::from_secs(60)));
        assert!(standing.is_over(), "it must be asked for anew");
    }

    #[test]
    fn the_last_third_of_a_term_begins_nothing() {
        let tenure = Tenure {
            until: Duration::from_secs(130),
        };
        assert_eq!(
            last_begin(tenure, Duration::from_secs(30)),
            Duration::from_secs(120)
        );
    }
}
