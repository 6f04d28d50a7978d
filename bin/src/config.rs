//! `tieout.toml`: the store and the connections. Secrets are never in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;
use tieout_domain::ids::{ConnectionId, ConnectionName, Label, PolicyId, Workspace};
use tieout_store::StorePlace;

use crate::out::Failure;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the log is.
    pub store: Store,
    /// Where the secrets are.
    #[serde(default)]
    pub vault: VaultFiles,
    /// Health and readiness of `serve`.
    #[serde(default)]
    pub serve: Serve,
    /// The connections.
    #[serde(default)]
    pub connection: Vec<ConnectionConfig>,
    /// The folder that relative paths start from: the file's own.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Where the log is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `sqlite:<path>`, or `esdb://n1:2113,n2:2113,n3:2113?tls=true` for a cluster.
    pub url: String,
    /// Where the log is on a cluster: the file of this instance's views. It can be deleted at any time.
    #[serde(default = "views_file")]
    pub views: PathBuf,
    /// Where the log is on a cluster: within this time of the death of the instance that works a connection, another one
    /// takes over. A second to a minute.
    #[serde(deserialize_with = "lease", default = "half_a_minute")]
    pub lease: Duration,
}

/// Where the secrets are, and where the key that opens them comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultFiles {
    /// Credentials.
    pub path: PathBuf,
    /// People's keys.
    pub people: PathBuf,
    /// File that holds the key, 0600.
    pub key_file: Option<PathBuf>,
    /// Environment variable that holds the key, base64.
    pub key_env: Option<String>,
    /// The key is derived from a passphrase: asked on the terminal, or taken from `TIEOUT_PASSPHRASE`.
    pub passphrase: bool,
}
impl Default for VaultFiles {
    fn default() -> Self {
        Self {
            path: "tieout.vault".into(),
            people: "tieout.people".into(),
            key_file: None,
            key_env: None,
            passphrase: false,
        }
    }
}

/// Health and readiness of `serve`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// Address of `/healthz` and `/readyz`.
    pub listen: std::net::SocketAddr,
}
impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 8087)),
        }
    }
}

/// One connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Minted by `tieout init`; streams in the log bear it, so it never changes.
    pub id: ConnectionId,
    /// A label.
    pub name: ConnectionName,
    /// The rule set.
    pub rules: PathBuf,
    /// How often a cycle begins, e.g. `15m`.
    #[serde(deserialize_with = "span")]
    pub every: Duration,
    /// How often what is posted is held against both systems again, e.g. `24h`.
    #[serde(deserialize_with = "span", default = "a_day")]
    pub recheck: Duration,
    /// The source.
    pub expensify: ExpensifyConfig,
    /// The ledger.
    pub qad: QadConfig,
}

/// The source of a connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpensifyConfig {
    /// The one endpoint.
    pub url: String,
    /// Policies, each of one connection only.
    pub policies: Vec<PolicyId>,
    /// The export label.
    pub label: Label,
    /// Approvals before this day were keyed by hand.
    pub go_live: NaiveDate,
}

/// The ledger of a connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QadConfig {
    /// Base URL, with its context root.
    pub url: String,
    /// Domain and entity.
    pub workspace: Workspace,
    /// The profile of this installation.
    pub profile: PathBuf,
    /// Every date we derive is of this zone.
    #[serde(deserialize_with = "zone")]
    pub timezone: Tz,
}

fn views_file() -> PathBuf {
    "tieout-views.db".into()
}

/// Shorter, and a slow cluster is always too late; longer, and a dead instance is not replaced within a minute.
const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn a_day() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}

fn span<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_span(&text).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "`{text}` is no time span: write a number and s, m, h or d, e.g. `15m`"
        ))
    })
}

fn lease<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let lease = span(deserializer)?;
    if LEASES.contains(&lease) {
        Ok(lease)
    } else {
        Err(serde::de::Error::custom(format!(
            "`lease` is {} s: write a second to a minute, `1s` to `60s`; within it another instance takes over from a dead one",
            lease.as_secs()
        )))
    }
}

fn zone<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is no time zone of the IANA list, e.g. `America/New_York`"
        ))
    })
}

/// Reads `90s`, `15m`, `1h`, `1d`.
pub fn parse_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

impl Config {
    /// Reads a file and checks what can be checked without opening anything else.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Failure::Usage(format!(
                "the configuration {} cannot be read ({e}): run `tieout init` to make one, or name another with --config",
                path.display()
            ))
        })?;
        let folder = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self::parse(&text, &folder).map_err(|detail| Failure::Usage(format!("{}: {detail}", path.display())))
    }

    /// Reads a text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        config.folder = folder.to_path_buf();
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        self.store_place()?;
        let sources = [
            self.vault.key_file.is_some(),
            self.vault.key_env.is_some(),
            self.vault.passphrase,
        ];
        if sources.iter().filter(|given| **given).count() > 1 {
            return Err("[vault] names more than one of key_file, key_env and passphrase: keep one".into());
        }
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let mut policies = BTreeSet::new();
        for connection in &self.connection {
            if !names.insert(connection.name.clone()) {
                return Err(format!(
                    "two connections are named `{}`: rename one",
                    connection.name
                ));
            }
            if !ids.insert(connection.id) {
                return Err(format!(
                    "two connections have the id {}: an id is minted once by `tieout init` and never copied",
                    connection.id
                ));
            }
            if connection.expensify.policies.is_empty() {
                return Err(format!("connection `{}` names no policies", connection.name));
            }
            for policy in &connection.expensify.policies {
                if !policies.insert(policy.clone()) {
                    return Err(format!(
                        "policy {policy} stands in two places: a policy belongs to one connection, once"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Where the log is.
    pub fn store_place(&self) -> Result<StorePlace, String> {
        StorePlace::parse(&self.store.url, &self.folder)
    }

    /// A path of the file, from the file's folder.
    pub fn at(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The connections that are meant: the one named, or all.
    pub fn chosen(&self, name: Option<&str>) -> Result<Vec<&ConnectionConfig>, Failure> {
        if self.connection.is_empty() {
            return Err(Failure::Usage(
                "the configuration names no [[connection]]: run `tieout init`".into(),
            ));
        }
        let found: Vec<_> = self
            .connection
            .iter()
            .filter(|c| name.is_none_or(|name| c.name.as_str() == name))
            .collect();
        match (found.is_empty(), name) {
            (true, Some(name)) => {
                let known: Vec<&str> = self.connection.iter().map(|c| c.name.as_str()).collect();
                Err(Failure::Usage(format!(
                    "there is no connection `{name}`; the configuration has {}",
                    known.join(", ")
                )))
            }
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[store]
url = "sqlite:tieout.db"

[[connection]]
id = "0198c0de-0000-7000-8000-000000000001"
name = "acme-us"
rules = "rules/acme-us.toml"
every = "15m"

[connection.expensify]
url = "https://integrations.expensify.com/Integration-Server/ExpensifyIntegrations"
policies = ["0123456789ABCDEF"]
label = "tieout-acme-us"
go_live = "2026-11-01"

[connection.qad]
url = "https://acme.adaptive.qad.com/clouderp"
workspace = "10USA_10USACO"
profile = "profiles/acme.toml"
timezone = "America/New_York"
"#;

    #[test]
    fn the_example_of_the_design_is_read() {
        let config = Config::parse(GOOD, Path::new("/etc/tieout")).unwrap();
        let place = config.store_place().unwrap();
        assert_eq!(place.file(), Some(Path::new("/etc/tieout/tieout.db")));
        assert_eq!(config.connection[0].every, Duration::from_secs(900));
        assert_eq!(
            config.connection[0].recheck,
            Duration::from_secs(86_400),
            "by default"
        );
        let weekly = GOOD.replace("every = \"15m\"", "every = \"15m\"\nrecheck = \"7d\"");
        let config = Config::parse(&weekly, Path::new(".")).unwrap();
        assert_eq!(config.connection[0].recheck, Duration::from_secs(604_800));
    }

    #[test]
    #[cfg(feature = "eventstore")]
    fn a_cluster_keeps_the_log_by_one_changed_line() {
        let text = GOOD.replace("sqlite:tieout.db", "esdb://n1:2113,n2:2113,n3:2113?tls=true");
        let config = Config::parse(&text, Path::new(".")).unwrap();
        assert_eq!(config.store_place().unwrap().file(), None);
        assert_eq!(config.store.lease, Duration::from_secs(30));
    }

    #[test]
    #[cfg(not(feature = "eventstore"))]
    fn a_build_without_the_engine_for_a_cluster_says_so() {
        let text = GOOD.replace("sqlite:tieout.db", "esdb://n1:2113");
        let refusal = Config::parse(&text, Path::new(".")).unwrap_err();
        assert!(refusal.contains("without the engine for a cluster"), "{refusal}");
    }

    #[test]
    fn each_bad_configuration_is_refused_by_name() {
        let with = |from: &str, to: &str| Config::parse(&GOOD.replace(from, to), Path::new(".")).unwrap_err();
        assert!(with("every = \"15m\"", "every = \"15\"").contains("`15` is no time span"));
        let recheck = with("every = \"15m\"", "every = \"15m\"\nrecheck = \"daily\"");
        assert!(recheck.contains("`daily` is no time span"), "{recheck}");
        for lease in ["61s", "1d"] {
            let refusal = with("[store]", &format!("[store]\nlease = \"{lease}\""));
            assert!(refusal.contains("a second to a minute"), "{refusal}");
        }
        assert!(with("America/New_York", "America/Gotham").contains("`America/Gotham` is no time zone"));
        assert!(with("[store]", "[store]\ncolour = \"red\"").contains("unknown field `colour`"));
        assert!(with("go_live = \"2026-11-01\"\n", "").contains("missing field `go_live`"));
        let secret = with("sqlite:tieout.db", "esdb://admin:changeit@n1:2113");
        assert!(
            !secret.contains("changeit") && secret.contains("[store] url"),
            "{secret}"
        );
        assert!(with("sqlite:tieout.db", "postgres://n1").contains("is not of the form"));
        assert!(with("policies = [\"0123456789ABCDEF\"]", "policies = []").contains("names no policies"));
        assert!(
            with("policies = [\"0123456789ABCDEF\"]", "policies = [\"A\", \"A\"]")
                .contains("stands in two places")
        );
        assert!(with("id = \"0198c0de", "id = \"zzzz").contains("id"));
    }
}
