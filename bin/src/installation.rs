//! An installation opened: its configuration, log, vault and people; and the world of one of its connections.

mod keys;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::{ExposeSecret, SecretString};
use tieout_domain::ids::InstanceId;
use tieout_domain::journal::Reader;
use tieout_domain::ports::{Entropy, Ports};
use tieout_domain::rules::{RuleFault, RuleSet};
use tieout_domain::workflow::Connection;
use tieout_expensify::{ExpensifyClient, Limits, Settings};
use tieout_qad::{QadClient, profile::Profile};
use tieout_store::{SqliteLog, Store, User};
use tieout_vault::{KeySource, People, SetName, Vault};

use crate::config::{Config, ConnectionConfig};
use crate::out::Failure;
use crate::ports::{CrashPoint, SystemClock, SystemEntropy};
use crate::tenure::Hold;

/// The build that writes events.
pub const BUILD: &str = concat!("tieout ", env!("CARGO_PKG_VERSION"));

/// What every command works on.
pub struct Installation {
    /// As read.
    pub config: Config,
    /// The log.
    pub log: Arc<Store>,
    /// Time.
    pub clock: SystemClock,
    /// This run of the program.
    pub instance: InstanceId,
    people: Arc<People>,
    vault: std::sync::Mutex<Vault>,
    limits: Limits,
    stop: Arc<AtomicBool>,
}

/// The key of the vault, as the configuration names its source.
pub fn key_source(config: &Config) -> Result<KeySource, Failure> {
    let vault = &config.vault;
    if let Some(path) = &vault.key_file {
        return Ok(KeySource::File(config.at(path)));
    }
    if let Some(variable) = &vault.key_env {
        let value = std::env::var(variable).map_err(|_| {
            Failure::Usage(format!(
                "the environment variable {variable}, which holds the key of the vault, is not set"
            ))
        })?;
        return Ok(KeySource::Environment {
            variable: variable.clone(),
            value: SecretString::from(value),
        });
    }
    if vault.passphrase {
        return passphrase("Passphrase of the vault: ").map(KeySource::Passphrase);
    }
    Ok(KeySource::File(config.at(Path::new("tieout.key"))))
}

/// A passphrase from `TIEOUT_PASSPHRASE`, else from the terminal.
pub fn passphrase(prompt: &str) -> Result<SecretString, Failure> {
    if let Ok(value) = std::env::var("TIEOUT_PASSPHRASE") {
        return Ok(SecretString::from(value));
    }
    rpassword::prompt_password(prompt)
        .map(SecretString::from)
        .map_err(|e| {
            Failure::Usage(format!(
                "no passphrase: there is no terminal to ask on ({e}); set TIEOUT_PASSPHRASE"
            ))
        })
}

/// The set of a connection's credentials. Named by the connection's id, so that renaming a connection loses nothing.
pub fn set_name(connection: &ConnectionConfig, system: &str) -> Result<SetName, Failure> {
    SetName::new(format!("{}/{system}", connection.id)).map_err(|e| Failure::Usage(e.to_string()))
}

/// The set of the cluster's user in the vault.
pub const STORE_SET: &str = "store/eventstore";

/// Who signs in at the cluster that keeps the log; nobody, where the vault holds no such set.
pub fn store_user(vault: &Vault) -> Result<Option<User>, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let name = SetName::new(STORE_SET).map_err(|e| usage(&e))?;
    if !vault.sets().any(|info| info.name == name) {
        return Ok(None);
    }
    let fields = vault
        .require(&name, &["username", "password"])
        .map_err(|e| usage(&e))?;
    let field = |name: &str| fields.require(name).cloned().map_err(|e| usage(&e));
    Ok(Some(User {
        name: field("username")?.expose_secret().to_owned(),
        password: field("password")?,
    }))
}

impl Installation {
    /// Opens everything a command needs.
    pub async fn open(config_path: &Path) -> Result<Self, Failure> {
        Self::open_at(Config::read(config_path)?, SystemClock::from_environment()).await
    }

    /// Opens an installation whose wall clock is given.
    pub async fn open_at(config: Config, clock: SystemClock) -> Result<Self, Failure> {
        let place = config.store_place().map_err(Failure::Usage)?;
        // A lost log is told before anything is asked for.
        if let Some(file) = place.file().filter(|file| !file.exists()) {
            SqliteLog::open_existing(file)?;
        }
        let key = key_source(&config)?;
        let vault =
            Vault::open(&config.at(&config.vault.path), &key).map_err(|e| Failure::Usage(e.to_string()))?;
        let user = store_user(&vault)?;
        let log = Store::open_existing(&place, &config.at(&config.store.views), user).await?;
        let keys = vault.people_keys().map_err(|e| Failure::Usage(e.to_string()))?;
        let people = People::open(&config.at(&config.vault.people), keys)
            .map_err(|e| Failure::Usage(e.to_string()))?;
        let instance = InstanceId(SystemEntropy.uuid());
        Ok(Self {
            config,
            log: Arc::new(log),
            clock,
            instance,
            people: Arc::new(people),
            vault: std::sync::Mutex::new(vault),
            limits: limits()?,
            stop: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Shrinks the limiter's windows, for a stand-in that shrinks its own as much.
    pub fn shrink_limits(&mut self, factor: std::num::NonZeroU32) {
        if factor.get() > 1 {
            self.limits = Limits::scaled(factor);
        }
    }

    fn vault(&self) -> std::sync::MutexGuard<'_, Vault> {
        // A writer that panicked left the vault as it was read: every change of it is one replacement of the file.
        self.vault
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The versions of a connection's credentials, as last read.
    pub fn credential_versions(&self, config: &ConnectionConfig) -> Vec<u64> {
        let names: Vec<SetName> = ["expensify", "qad"]
            .iter()
            .filter_map(|system| set_name(config, system).ok())
            .collect();
        self.vault()
            .sets()
            .filter(|info| names.contains(&info.name))
            .map(|info| info.version)
            .collect()
    }

    /// Reads the vault again; were the connection's credentials rotated since `versions`?
    pub fn credentials_changed(
        &self,
        config: &ConnectionConfig,
        versions: &mut Vec<u64>,
    ) -> Result<bool, Failure> {
        self.vault().reload().map_err(|e| Failure::Usage(e.to_string()))?;
        let now = self.credential_versions(config);
        let changed = now != *versions;
        *versions = now;
        Ok(changed)
    }

    /// Tells every world of this installation to begin nothing new.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Reads typed events; holds no port with an effect.
    pub fn reader(&self) -> Reader<'_, Store, People> {
        Reader {
            log: &self.log,
            sealer: &self.people,
        }
    }

    /// Opens personal sections.
    pub fn people(&self) -> &People {
        &self.people
    }

    /// The connection as the workflow knows it, its profile read.
    pub fn connection(&self, config: &ConnectionConfig) -> Result<Connection, Failure> {
        let profile = self.profile(config)?;
        Ok(Connection {
            id: config.id,
            name: config.name.clone(),
            policies: config.expensify.policies.clone(),
            label: config.expensify.label.clone(),
            go_live: config.expensify.go_live,
            zone: config.qad.timezone,
            workspace: config.qad.workspace.clone(),
            quarantine: profile.waits.quarantine.0,
            recheck: config.recheck,
            build: BUILD.to_owned(),
        })
    }

    /// The connection's rule file, and its text: a draft. What is in force stands in the log.
    pub fn rules(&self, config: &ConnectionConfig) -> Result<(RuleSet, String), Failure> {
        let path = self.config.at(&config.rules);
        self.rule_file(&path).map_err(|failure| match failure {
            Failure::Usage(what) => Failure::Usage(format!("connection `{}`: {what}", config.name)),
            other => other,
        })
    }

    /// A rule file, and its text.
    pub fn rule_file(&self, path: &Path) -> Result<(RuleSet, String), Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("the rule set {} cannot be read: {e}", path.display())))?;
        let rules = RuleSet::parse(&text).map_err(|faults| refused(&path.display().to_string(), &faults))?;
        Ok((rules, text))
    }

    /// The QAD profile.
    pub fn profile(&self, config: &ConnectionConfig) -> Result<Profile, Failure> {
        let path = self.config.at(&config.qad.profile);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Failure::Usage(format!(
                "the QAD profile {} of connection `{}` cannot be read: {e}",
                path.display(),
                config.name
            ))
        })?;
        Profile::parse(&text).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))
    }

    /// A client of Expensify.
    pub fn expensify(&self, config: &ConnectionConfig) -> Result<Expensify, Failure> {
        let fields = self
            .vault()
            .require(
                &set_name(config, "expensify")?,
                &["partner_user_id", "partner_user_secret"],
            )
            .map_err(|e| {
                Failure::Usage(format!(
                    "{e}; run `tieout credentials expensify --connection {}`",
                    config.name
                ))
            })?;
        let field = |name: &str| {
            fields
                .require(name)
                .cloned()
                .map_err(|e| Failure::Usage(e.to_string()))
        };
        let credentials =
            tieout_expensify::Credentials::new(field("partner_user_id")?, field("partner_user_secret")?)
                .map_err(|e| Failure::Usage(e.to_string()))?;
        ExpensifyClient::new(
            &config.expensify.url,
            credentials,
            Settings::new(self.limits),
            Arc::new(self.clock.clone()),
            Arc::new(SystemEntropy),
            Arc::clone(&self.log),
        )
        .map_err(|e| Failure::Usage(e.to_string()))
    }

    /// A client of QAD, in the connection's workspace or another one.
    pub fn qad(
        &self,
        config: &ConnectionConfig,
        workspace: Option<&tieout_domain::ids::Workspace>,
    ) -> Result<Qad, Failure> {
        let fields = self
            .vault()
            .require(&set_name(config, "qad")?, &["client_id", "username", "password"])
            .map_err(|e| {
                Failure::Usage(format!(
                    "{e}; run `tieout credentials qad --connection {}`",
                    config.name
                ))
            })?;
        let field = |name: &str| {
            fields
                .require(name)
                .cloned()
                .map_err(|e| Failure::Usage(e.to_string()))
        };
        let credentials = tieout_qad::Credentials {
            client_id: field("client_id")?.expose_secret().to_owned(),
            username: field("username")?.expose_secret().to_owned(),
            password: field("password")?,
        };
        let workspace = workspace.unwrap_or(&config.qad.workspace);
        QadClient::new(
            &config.qad.url,
            workspace,
            credentials,
            self.profile(config)?,
            self.clock.clone(),
        )
        .map_err(|e| Failure::Usage(e.to_string()))
    }

    /// The world of one connection.
    pub fn world(&self, config: &ConnectionConfig) -> Result<World, Failure> {
        Ok(World {
            log: Arc::clone(&self.log),
            source: self.expensify(config)?,
            ledger: self.qad(config, None)?,
            clock: self.clock.clone(),
            entropy: SystemEntropy,
            people: Arc::clone(&self.people),
            crash: CrashPoint::from_environment(),
            stop: Arc::clone(&self.stop),
            hold: Arc::new(Hold::without_end()),
        })
    }
}

/// A rule file that cannot be used, with every fault and where it stands.
pub(crate) fn refused(file: &str, faults: &[RuleFault]) -> Failure {
    let said = |fault: &RuleFault| format!("  {file}:{}: {fault}", fault.at());
    let list: Vec<String> = faults.iter().map(said).collect();
    Failure::Usage(format!("the rule set {file} is refused:\n{}", list.join("\n")))
}

/// The limiter's windows: those of production, or shorter by the factor of `TIEOUT_LIMIT_SCALE`, which only a stand-in
/// on this machine forgives.
fn limits() -> Result<Limits, Failure> {
    match std::env::var("TIEOUT_LIMIT_SCALE") {
        Err(_) => Ok(Limits::production()),
        Ok(text) => text.parse().map(Limits::scaled).map_err(|_| {
            Failure::Usage(format!(
                "TIEOUT_LIMIT_SCALE is `{text}`, not a whole number above zero"
            ))
        }),
    }
}

/// Our client of Expensify.
pub type Expensify = ExpensifyClient<SystemClock, SystemEntropy, Store>;
/// Our client of QAD.
pub type Qad = QadClient<SystemClock>;

/// The world of one connection, as the workflow sees it.
pub struct World {
    log: Arc<Store>,
    source: Expensify,
    ledger: Qad,
    clock: SystemClock,
    entropy: SystemEntropy,
    people: Arc<People>,
    crash: CrashPoint,
    stop: Arc<AtomicBool>,
    hold: Arc<Hold>,
}
impl World {
    /// The same, beginning nothing new once the connection is no longer held.
    pub fn while_held(self, hold: Arc<Hold>) -> Self {
        Self { hold, ..self }
    }
}
impl Ports for World {
    type Log = Store;
    type Source = Expensify;
    type Ledger = Qad;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Sealer = People;

    fn log(&self) -> &Store {
        &self.log
    }
    fn source(&self) -> &Expensify {
        &self.source
    }
    fn ledger(&self) -> &Qad {
        &self.ledger
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn sealer(&self) -> &People {
        &self.people
    }
    fn passing(&self, point: &'static str) {
        self.crash.passing(point);
    }
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.hold.is_over(&self.clock)
    }
}
