//! Scenarios: the program as a process, against the stand-ins over real HTTP, killed and started again.
//!
//! A [`Scene`] holds both stand-ins in this process (so that a test can look into and change their worlds) and an
//! installation in a folder of its own; [`Scene::tieout`] runs the real binary on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise must end the test"
)]

pub mod book;
pub mod deaths;
pub mod must;
mod proof;
pub mod proxy;
mod shaped;
pub mod shapes;
pub mod supply;
pub mod trial;
pub mod trouble;
pub mod witness;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use tieout::commands::certify::{Certificate, certify_in};
use tieout::commands::demo::stage::{StageOptions, StandIns, Waits, install};
use tieout::commands::rules::put_in_force;
use tieout::config::Config;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::ids::PersonName;
use tieout_eventstore_stand_in::{Snapshot, StandIn};
use tieout_sandbox::expensify::world::World as ExpensifyWorld;
use tieout_sandbox::month::{self, Size, canary, credentials};
use tieout_store::{Store, StorePlace};

pub use proof::LABEL;
pub use tieout_simulation::dice::Dice;

/// The seed of every world.
pub const SEED: u64 = 2026;

/// How many times shorter the rate limits are in scenarios, on both sides.
pub const SHRINK: u32 = 200;

/// The program, built beside the tests.
///
/// Cargo gives integration tests the binaries of their own package only, and so this package has one that is the program
/// ([`tieout::main`]): always of the sources that are tested, and with the features that everything else is built with.
/// `TIEOUT_BINARY` names another one, a released build say.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("TIEOUT_BINARY") {
            return given.into();
        }
        let mut folder = std::env::current_exe().expect("the test's own path");
        folder.pop();
        if folder.ends_with("deps") {
            folder.pop();
        }
        let program = folder.join("tieout-as-tested");
        assert!(program.is_file(), "the program is not beside the tests");
        program
    })
}

/// Both stand-ins and an installation.
pub struct Scene {
    /// The stand-ins.
    pub stand_ins: StandIns,
    /// The installation's folder.
    pub folder: tempfile::TempDir,
    /// Its configuration.
    pub config: PathBuf,
    /// How far the month is from today.
    offset_millis: i64,
    /// How many times shorter the rate limits are, on both sides.
    shrink: u32,
    /// The log, where it is on a cluster.
    cluster: Option<StandIn>,
}

/// A log as it was: what a backup keeps.
pub enum Backup {
    /// The files of SQLite.
    Files(tempfile::TempDir),
    /// Everything on the cluster.
    Cluster(Box<Snapshot>),
}

impl Scene {
    /// The demo's month, certified and ready.
    pub async fn month() -> Self {
        Self::with(Size::Demo, |_| {}).await
    }

    /// The month with changes to Expensify's world before anything runs.
    pub async fn with(size: Size, change: impl FnOnce(&mut ExpensifyWorld)) -> Self {
        let scene = Self::uncertified(size, change).await;
        scene.certify().await;
        scene
    }

    /// The same, before certification.
    pub async fn uncertified(size: Size, change: impl FnOnce(&mut ExpensifyWorld)) -> Self {
        Self::at_pace(SHRINK, size, change).await
    }

    /// The same, with rate limits so many times shorter than the real ones.
    pub async fn at_pace(shrink: u32, size: Size, change: impl FnOnce(&mut ExpensifyWorld)) -> Self {
        let clock = SystemClock::set_to(month::now());
        let options = StageOptions {
            seed: SEED,
            size,
            expensify_port: 0,
            qad_port: 0,
            shrink: NonZeroU32::new(shrink).expect("above zero"),
            clock: clock.clone(),
        };
        let stand_ins = StandIns::start(&options).await.expect("the stand-ins start");
        stand_ins.expensify.world().edit(change);
        let folder = tempfile::tempdir().expect("a folder");
        let waits = Waits {
            quarantine: "4s",
            connect_timeout: "1s",
            read_timeout: "2s",
        };
        let config = install(
            &folder.path().join("installation"),
            &stand_ins.expensify.url(),
            &stand_ins.qad.url(),
            &waits,
            month::now(),
        )
        .expect("an installation");
        let mut scene = Self {
            stand_ins,
            folder,
            config,
            offset_millis: clock.offset_millis(),
            shrink,
            cluster: None,
        };
        if on_a_cluster() {
            scene.move_to_a_cluster().await;
        } else {
            scene.put_rules_in_force().await;
        }
        scene
    }

    /// The installation's rule file comes into force, as if one person had walked it through; again after it was changed.
    pub async fn put_rules_in_force(&self) {
        let config = Config::read(&self.config).expect("the configuration");
        let clock = SystemClock::set_to(self.now());
        let installation = Installation::open_at(config, clock)
            .await
            .expect("the installation");
        let who = PersonName::new("tester").expect("a name");
        for connection in &installation.config.connection {
            let (_, text) = installation.rules(connection).expect("the rule file");
            put_in_force(&installation, connection, &text, &who)
                .await
                .expect("the rules come into force");
        }
    }

    /// Is the log on a cluster?
    pub fn is_on_a_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// The (stand-in) cluster that the log is on.
    pub fn cluster(&self) -> Option<&StandIn> {
        self.cluster.as_ref()
    }

    /// From here on the log is on a (stand-in) cluster, and is empty; leases last a second.
    pub async fn move_to_a_cluster(&mut self) {
        let cluster = StandIn::start();
        self.begin_on(&cluster.url()).await;
        self.cluster = Some(cluster);
        self.put_rules_in_force().await;
    }

    /// The installation's log begins anew at a URL.
    async fn begin_on(&self, url: &str) {
        let store = format!("url = \"{url}\"\nlease = \"1s\"");
        self.reconfigure(|text| text.replacen("url = \"sqlite:tieout.db\"", &store, 1));
        let place = StorePlace::parse(url, self.folder.path()).expect("the cluster's address");
        Store::open(&place, &self.file("tieout-views.db"), None)
            .await
            .expect("a log begins");
    }

    /// Another installation of the same world, with an empty log of its own.
    pub async fn second_installation(&mut self) {
        let waits = Waits {
            quarantine: "4s",
            connect_timeout: "1s",
            read_timeout: "2s",
        };
        self.config = install(
            &self.folder.path().join("second"),
            &self.stand_ins.expensify.url(),
            &self.stand_ins.qad.url(),
            &waits,
            month::now(),
        )
        .expect("a second installation");
        if let Some(cluster) = &self.cluster {
            self.begin_on(&format!("{}&log=second", cluster.url())).await;
        }
        self.put_rules_in_force().await;
    }

    /// Copies the log away. Nobody may have it open.
    pub fn back_up(&self) -> Backup {
        match &self.cluster {
            Some(cluster) => Backup::Cluster(Box::new(cluster.snapshot())),
            None => {
                let folder = tempfile::tempdir().expect("a folder");
                copy_log(self.config.parent().expect("a folder"), folder.path());
                Backup::Files(folder)
            }
        }
    }

    /// Puts the log back as it was. Nobody may have it open.
    pub fn put_back(&self, backup: &Backup) {
        match (backup, &self.cluster) {
            (Backup::Files(folder), _) => copy_log(folder.path(), self.config.parent().expect("a folder")),
            (Backup::Cluster(snapshot), Some(cluster)) => cluster.restore(snapshot),
            (Backup::Cluster(_), None) => panic!("the log is in a file"),
        }
    }

    /// Certifies the profile in the test workspace.
    pub async fn certify(&self) {
        let config = Config::read(&self.config).expect("the configuration");
        let installation = Installation::open_at(config, SystemClock::set_to(month::now()))
            .await
            .expect("the installation");
        let connection = installation
            .config
            .connection
            .first()
            .expect("a connection")
            .clone();
        let certificate = Certificate {
            workspace: credentials::QAD_TEST_WORKSPACE.into(),
            supplier: canary::SUPPLIER.into(),
            account: canary::ACCOUNT.into(),
            clearing: "2155".into(),
            cost_centre: canary::COST_CENTRE.into(),
            currency: "USD".into(),
            date: None,
            person: "tester".into(),
        };
        certify_in(&installation, &connection, &certificate, &mut |_| Ok(()))
            .await
            .expect("the certification");
    }

    /// Runs the program on the installation to its end.
    pub async fn tieout(&self, args: &[&str]) -> Output {
        self.run(args, &[]).await
    }

    /// Runs the program with more in its environment.
    pub async fn run(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        command.output().await.expect("the program runs")
    }

    /// The program, about to run.
    pub fn command(&self, args: &[&str]) -> tokio::process::Command {
        self.command_with(args, &self.config)
    }

    /// The program, about to run with another configuration.
    pub fn command_with(&self, args: &[&str], config: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(binary());
        command
            .args(args)
            .arg("--config")
            .arg(config)
            .env("TIEOUT_LIMIT_SCALE", self.shrink.to_string())
            .env("TIEOUT_CLOCK_OFFSET_MS", self.offset_millis.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs cycles until one leaves nothing to do, at most `most`; returns the last one's JSON.
    pub async fn settle(&self, most: usize) -> serde_json::Value {
        let mut last = serde_json::Value::Null;
        for _ in 0..most {
            let output = self.tieout(&["sync", "--json"]).await;
            assert!(
                matches!(output.status.code(), Some(0 | 1 | 3)),
                "sync: {}",
                text(&output)
            );
            let cycles: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON of sync");
            last = cycles[0].clone();
            let idle = last["complete"] == true
                && [
                    "captured",
                    "posted",
                    "adopted",
                    "failed",
                    "in_doubt",
                    "marked_asked",
                    "marked_proven",
                ]
                .iter()
                .all(|key| last[*key] == 0);
            if idle {
                break;
            }
            if last["in_doubt"] != 0 {
                tokio::time::sleep(std::time::Duration::from_millis(4_100)).await;
            }
        }
        last
    }

    /// Runs `reconcile --ledger` on the installation's one connection; its exit status and its JSON (null, where it has none).
    pub async fn reconcile(&self, more: &[&str]) -> (Option<i32>, serde_json::Value) {
        let output = self
            .tieout(&[&["reconcile", "--ledger", "--json"], more].concat())
            .await;
        let documents: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| serde_json::json!([{"failed": text(&output)}]));
        (output.status.code(), documents[0].clone())
    }

    /// Puts a proxy between the program and the stand-in Expensify.
    pub async fn through_a_proxy(&self) -> proxy::Proxy {
        let direct = self.stand_ins.expensify.url();
        let proxy = proxy::Proxy::start(&direct).await;
        self.reconfigure(|text| text.replace(&direct, &proxy.url));
        proxy
    }

    /// Changes the configuration.
    pub fn reconfigure(&self, change: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(&self.config).expect("the configuration");
        std::fs::write(&self.config, change(text)).expect("the configuration");
    }

    /// The scene's present instant: the stand-ins' and the program's.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + chrono::Duration::milliseconds(self.offset_millis)
    }

    /// A file of the installation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.config.with_file_name(name)
    }

    /// Every document in the workspace's ledger whose reference is one of ours.
    pub fn ledger(&self) -> Vec<tieout_sandbox::qad::world::Document> {
        self.stand_ins.qad.handle().read(|world| {
            let workspace = world
                .workspaces
                .get(credentials::QAD_WORKSPACE)
                .expect("the workspace");
            workspace
                .ledger
                .iter()
                .filter(|d| !d.reference.starts_with("ECANARY"))
                .cloned()
                .collect()
        })
    }
}

/// Are the scenes' logs on a cluster? `TIEOUT_TEST_STORE=eventstore` says so.
pub fn on_a_cluster() -> bool {
    match std::env::var("TIEOUT_TEST_STORE").as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("eventstore") => true,
        Ok(other) => panic!("TIEOUT_TEST_STORE is `{other}`, neither sqlite nor eventstore"),
    }
}

/// Copies the log's files from one installation's folder (or a backup) into another, and takes away there what the source
/// does not have: what SQLite has not yet moved into the first file counts too. Nobody may have it open.
fn copy_log(from: &Path, to: &Path) {
    for name in ["tieout.db", "tieout.db-wal", "tieout.db-shm"] {
        if std::fs::copy(from.join(name), to.join(name)).is_err() {
            let _ = std::fs::remove_file(to.join(name));
        }
    }
}

/// Both streams of a finished program.
pub fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
