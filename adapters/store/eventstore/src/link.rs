//! The client, renewed when it dies, and how long anything is tried.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use eventstore::{Client, Credentials};
use secrecy::{ExposeSecret, SecretString};
use tieout_domain::ports::LogError;
use tokio::sync::OnceCell;

use crate::address::Address;
use crate::error::{Place, Trouble};
use crate::nodelay;
use crate::session::Lanes;

/// Who signs in at the cluster.
#[derive(Debug, Clone)]
pub struct User {
    /// Login.
    pub name: String,
    /// Password.
    pub password: SecretString,
}

/// How long is waited, and how often tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one answer. A session that ended without a word is noticed by this.
    pub deadline: Duration,
    /// For one call of the port, with everything that is tried again: an election takes a few seconds.
    pub in_all: Duration,
    /// The first wait before trying again; it doubles.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            in_all: Duration::from_secs(30),
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_secs(2),
        }
    }
}

/// How many sessions one append may see end by what befell others, before that is taken for trouble of its own.
const MOST_SESSIONS: u32 = 100;

/// One client with its sessions; given up as a whole.
pub(crate) struct Generation {
    number: u64,
    pub(crate) client: Client,
    pub(crate) lanes: Lanes,
    connected: OnceCell<()>,
}

/// The way to the cluster.
pub(crate) struct Link {
    address: Address,
    user: Option<User>,
    pub(crate) place: Place,
    pub(crate) patience: Patience,
    current: Mutex<Option<Arc<Generation>>>,
    made: AtomicU64,
}

impl Link {
    pub(crate) fn new(address: Address, user: Option<User>, patience: Patience) -> Self {
        Self {
            place: Place(address.to_string()),
            address,
            user,
            patience,
            current: Mutex::new(None),
            made: AtomicU64::new(0),
        }
    }

    /// How many clients were made: one, and one for each time it had to be given up.
    pub(crate) fn clients_made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The present client; a new one, connected, where there is none.
    pub(crate) async fn generation(&self) -> Result<Arc<Generation>, Trouble> {
        let generation = self.present()?;
        generation
            .connected
            .get_or_try_init(|| self.connect(&generation.client))
            .await?;
        Ok(generation)
    }

    /// Connects a client, and lets its packets go at once.
    async fn connect(&self, client: &Client) -> Result<(), Trouble> {
        let version = tokio::time::timeout(self.patience.deadline, client.server_info())
            .await
            .map_err(|_| Trouble::Renew(format!("no node answers within {:?}", self.patience.deadline)))?
            .map_err(Trouble::of)?
            .version();
        let sockets = nodelay::set_everywhere().unwrap_or_else(|error| {
            tracing::warn!(%error, "calls to the cluster will be slow: this process cannot list its sockets under /proc");
            0
        });
        tracing::debug!(%version, sockets, at = %self.place.0, "connected to the cluster");
        Ok(())
    }

    fn present(&self) -> Result<Arc<Generation>, Trouble> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(generation) = current.as_ref() {
            return Ok(Arc::clone(generation));
        }
        self.check_ca_file()?;
        let client = Client::new(self.address.settings().clone())
            .map_err(|error| Trouble::Renew(format!("no client could be made: {error}")))?;
        let generation = Arc::new(Generation {
            number: self.made.fetch_add(1, Ordering::Relaxed),
            client,
            lanes: Lanes::default(),
            connected: OnceCell::new(),
        });
        *current = Some(Arc::clone(&generation));
        Ok(generation)
    }

    /// The client would end the process on a file that holds no certificate.
    fn check_ca_file(&self) -> Result<(), Trouble> {
        let Some(path) = self.address.ca_file() else {
            return Ok(());
        };
        let other = |detail: String| Err(Trouble::Final(crate::error::Cause::Other(detail)));
        match std::fs::read_to_string(path) {
            Ok(text)
                if text.contains("-----BEGIN CERTIFICATE-----")
                    && text.contains("-----END CERTIFICATE-----") =>
            {
                Ok(())
            }
            Ok(_) => other(format!("tlsCaFile {path} holds no certificate in PEM form")),
            Err(error) => other(format!("tlsCaFile {path} cannot be read: {error}")),
        }
    }

    fn give_up_present(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Gives a client up, unless somebody did so already.
    fn give_up(&self, generation: &Generation) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|now| now.number == generation.number)
        {
            *current = None;
        }
    }

    /// Who signs in, for one call.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        self.user
            .as_ref()
            .map(|user| Credentials::new(bytes(&user.name), bytes(user.password.expose_secret())))
    }

    /// Does something until it comes to an end that trying again would not change, or patience ends. What is done must
    /// be the same when done twice.
    pub(crate) async fn until_done<'a, T>(
        &self,
        doing: &str,
        stream: &str,
        once: impl Fn(Arc<Generation>) -> Once<'a, T> + Send,
    ) -> Result<Result<T, Final>, LogError> {
        let began = tokio::time::Instant::now();
        let mut wait = self.patience.first_wait;
        let mut failures = 0_u32;
        let mut sessions = 0_u32;
        loop {
            let trouble = match self.generation().await {
                Err(trouble) => {
                    self.give_up_present();
                    trouble
                }
                Ok(generation) => match once(Arc::clone(&generation)).await {
                    Ok(done) => {
                        // The same client may have connected anew.
                        if failures > 0 {
                            let _ = nodelay::set_everywhere();
                        }
                        return Ok(Ok(done));
                    }
                    Err(Trouble::Conflict) => return Ok(Err(Final::Conflict)),
                    Err(Trouble::NoStream) => return Ok(Err(Final::NoStream)),
                    Err(trouble @ Trouble::Final(_)) => {
                        return Err(self.place.error(doing, stream, &trouble));
                    }
                    Err(Trouble::Session) if sessions < MOST_SESSIONS => {
                        sessions += 1;
                        continue;
                    }
                    Err(trouble) => {
                        // It does not notice by itself that its node is gone.
                        self.give_up(&generation);
                        trouble
                    }
                },
            };
            if let Trouble::Final(_) = trouble {
                return Err(self.place.error(doing, stream, &trouble));
            }
            failures = failures.saturating_add(1);
            if began.elapsed() >= self.patience.in_all {
                tracing::warn!(doing, stream, failures, "the cluster does not answer: giving up");
                return Err(self.place.error(doing, stream, &trouble));
            }
            if failures > 1 {
                tracing::info!(doing, stream, failures, why = %trouble.words(), "trying the cluster again");
                tokio::time::sleep(wait).await;
                wait = wait.saturating_mul(2).min(self.patience.longest_wait);
            }
        }
    }
}

/// One try.
pub(crate) type Once<'a, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;

/// An answer of the server that is none of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Final {
    /// The stream is not where it was expected.
    Conflict,
    /// There is no such stream.
    NoStream,
}
