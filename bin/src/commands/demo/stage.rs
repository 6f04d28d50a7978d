//! The stage of a demo: both stand-ins with a month in them, and an installation that is set up for them.

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tieout_domain::ids::ConnectionId;
use tieout_domain::ports::{Clock as _, Entropy};
use tieout_qad::profile::{Canaries, TEMPLATE};
use tieout_sandbox::clock::Clock;
use tieout_sandbox::expensify::{Config as ExpensifyConfig, ExpensifyStandIn, Limits};
use tieout_sandbox::month::{self, Month, Size, canary, credentials};
use tieout_sandbox::qad::{QadConfig, QadStandIn};
use tieout_store::SqliteLog;
use tieout_vault::{KeySource, People, SecretFields, SetName, Vault, create_key_file};

use crate::out::Failure;
use crate::ports::{SystemClock, SystemEntropy};

/// The rule set of the demo's manufacturer.
pub const RULES: &str = include_str!("../../../demo/rules.toml");

/// The connection's name in a demo installation.
pub const CONNECTION: &str = "larkfield";

/// What the stand-ins are started with.
pub struct StageOptions {
    /// Seed of the month.
    pub seed: u64,
    /// How much of one.
    pub size: Size,
    /// Port of the stand-in Expensify; 0 for any.
    pub expensify_port: u16,
    /// Port of the stand-in QAD; 0 for any.
    pub qad_port: u16,
    /// The limiter's windows are this many times shorter.
    pub shrink: NonZeroU32,
    /// Their time.
    pub clock: SystemClock,
}

/// Both stand-ins, running.
pub struct StandIns {
    /// Expensify.
    pub expensify: ExpensifyStandIn,
    /// QAD.
    pub qad: QadStandIn,
}

/// A clock of the stand-ins that shows what ours shows.
fn shared(clock: &SystemClock) -> Clock {
    let clock = clock.clone();
    Clock::from_fn(move || clock.now())
}

impl StandIns {
    /// Starts both on loopback.
    pub async fn start(options: &StageOptions) -> Result<Self, Failure> {
        let Month { expensify, qad, .. } = month::month(options.seed, options.size);
        let limits = if options.shrink.get() == 1 {
            Limits::production()
        } else {
            Limits::shrunk_by(options.shrink.get())
        };
        let config = ExpensifyConfig {
            port: options.expensify_port,
            clock: shared(&options.clock),
            limits: Some(limits),
            seed: options.seed,
            ..ExpensifyConfig::new(expensify)
        };
        let expensify = ExpensifyStandIn::start(config)
            .await
            .map_err(|e| Failure::Usage(format!("the stand-in Expensify cannot start: {e}")))?;
        let config = QadConfig {
            port: options.qad_port,
            clock: shared(&options.clock),
            world: qad,
            ..QadConfig::default()
        };
        let qad = QadStandIn::start(config)
            .await
            .map_err(|e| Failure::Usage(format!("the stand-in QAD cannot start: {e}")))?;
        Ok(Self { expensify, qad })
    }
}

/// How long things take in a demo installation.
pub struct Waits {
    /// See the profile.
    pub quarantine: &'static str,
    /// See the profile.
    pub connect_timeout: &'static str,
    /// See the profile.
    pub read_timeout: &'static str,
}

/// The profile of the stand-in: the template with its canaries filled in.
pub fn profile(waits: &Waits) -> Result<String, Failure> {
    let filled = Canaries {
        account: canary::ACCOUNT.into(),
        cost_centre: canary::COST_CENTRE.into(),
        sub_account: canary::SUB_ACCOUNT.into(),
        project: canary::PROJECT.into(),
        supplier: canary::SUPPLIER.into(),
        employee: canary::EMPLOYEE.into(),
        daybook: canary::DAYBOOK.into(),
        period: canary::PERIOD.into(),
        supplier_invoice: canary::INVOICE.into(),
        journal: canary::JOURNAL.into(),
    }
    .fill(TEMPLATE);
    let mut text = filled;
    for (from, to) in [
        (
            "quarantine = \"15m\" ",
            format!("quarantine = \"{}\" ", waits.quarantine),
        ),
        (
            "connect_timeout = \"10s\" ",
            format!("connect_timeout = \"{}\" ", waits.connect_timeout),
        ),
        (
            "read_timeout = \"60s\" ",
            format!("read_timeout = \"{}\" ", waits.read_timeout),
        ),
    ] {
        if !text.contains(from) {
            return Err(Failure::Usage(format!(
                "the profile template has no `{from}` any more: the demo must be told its new form"
            )));
        }
        text = text.replace(from, &to);
    }
    Ok(text)
}

/// Sets an installation up in a folder that is empty or does not exist: configuration, rules, profile, key, vault, log.
/// Returns the path of its configuration.
pub fn install(
    folder: &Path,
    expensify_url: &str,
    qad_url: &str,
    waits: &Waits,
    now: DateTime<Utc>,
) -> Result<PathBuf, Failure> {
    let made = |what: &str| {
        let what = what.to_owned();
        move |e: std::io::Error| Failure::Usage(format!("{what} cannot be made: {e}"))
    };
    fs::create_dir_all(folder).map_err(made("the folder"))?;
    let config_path = folder.join("tieout.toml");
    if config_path.exists() {
        return Err(Failure::Usage(format!(
            "{} exists: name a folder that does not",
            config_path.display()
        )));
    }
    let id = ConnectionId(SystemEntropy.uuid());
    let policies: Vec<String> = month::POLICIES
        .iter()
        .map(|policy| format!("\"{policy}\""))
        .collect();
    let config = format!(
        r#"# A made-up installation: Larkfield, a manufacturer that does not exist, against the stand-ins of `tieout sandbox`.
[store]
url = "sqlite:tieout.db"

[vault]
path = "tieout.vault"
people = "tieout.people"
key_file = "tieout.key"

[[connection]]
id = "{id}"
name = "{CONNECTION}"
rules = "rules.toml"
every = "1m"

[connection.expensify]
url = "{expensify_url}"
policies = [{policies}]
label = "tieout-{CONNECTION}"
go_live = "{go_live}"

[connection.qad]
url = "{qad_url}"
workspace = "{workspace}"
profile = "profile.toml"
timezone = "{timezone}"
"#,
        policies = policies.join(", "),
        go_live = month::go_live(),
        workspace = credentials::QAD_WORKSPACE,
        timezone = month::TIMEZONE,
    );
    fs::write(&config_path, config).map_err(made("the configuration"))?;
    fs::write(folder.join("rules.toml"), RULES).map_err(made("the rule set"))?;
    fs::write(folder.join("profile.toml"), profile(waits)?).map_err(made("the profile"))?;

    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let key = folder.join("tieout.key");
    create_key_file(&key).map_err(|e| usage(&e))?;
    let mut vault =
        Vault::create(&folder.join("tieout.vault"), &KeySource::File(key), now).map_err(|e| usage(&e))?;
    let keys = vault.people_keys().map_err(|e| usage(&e))?;
    People::create(&folder.join("tieout.people"), keys).map_err(|e| usage(&e))?;
    let secret = |text: &str| SecretString::from(text.to_owned());
    let sets = [
        (
            "expensify",
            vec![
                ("partner_user_id", credentials::EXPENSIFY_USER_ID),
                ("partner_user_secret", credentials::EXPENSIFY_SECRET),
            ],
        ),
        (
            "qad",
            vec![
                ("client_id", credentials::QAD_CLIENT_ID),
                ("username", credentials::QAD_USER),
                ("password", credentials::QAD_PASSWORD),
            ],
        ),
    ];
    for (system, fields) in sets {
        let name = SetName::new(format!("{id}/{system}")).map_err(|e| usage(&e))?;
        let fields = fields
            .into_iter()
            .fold(SecretFields::new(), |set, (field, value)| {
                set.with(field, secret(value))
            });
        vault.put(&name, &fields, now).map_err(|e| usage(&e))?;
    }
    SqliteLog::open(folder.join("tieout.db"))?;
    Ok(config_path)
}
