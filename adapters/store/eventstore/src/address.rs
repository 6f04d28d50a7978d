//! Where the cluster is: `esdb://n1:2113,n2:2113,n3:2113?tls=true`. A URL that holds a user or a password is refused, because
//! URLs are logged and copied; both come from the vault.

use std::fmt;
use std::str::FromStr;

use eventstore::ClientSettings;

/// The schemes of one node or a list of seeds, and those of a name that is looked up.
const SCHEMES: [&str; 4] = ["esdb", "kurrentdb", "esdb+discover", "kurrentdb+discover"];

/// What may stand behind the `?`, as the client reads it. Ours is `log`.
const PARAMETERS: [&str; 11] = [
    "tls",
    "tlsverifycert",
    "tlscafile",
    "nodepreference",
    "maxdiscoverattempts",
    "discoveryinterval",
    "gossiptimeout",
    "keepaliveinterval",
    "keepalivetimeout",
    "defaultdeadline",
    "connectionname",
];

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[store] url: {0}")]
pub struct AddressError(String);

/// The name of a log on a cluster: lower-case letters, digits and `_`, at most 40.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogName(String);

impl LogName {
    /// Where an audited stream stands on the server.
    pub(crate) fn audited(&self, stream: &str) -> String {
        format!("{}.{stream}", self.0)
    }
    /// Where something beside the log stands.
    pub(crate) fn beside(&self, what: &str) -> String {
        format!("{}~{what}", self.0)
    }
    /// What every audited stream begins with, and nothing else.
    pub(crate) fn prefix(&self) -> String {
        self.audited("")
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LogName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.is_empty() || text.len() > 40 || !text.chars().all(fits) {
            return Err(AddressError(format!(
                "`log={text}` is no name of a log: write lower-case letters, digits and `_`, at most 40"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Where a log is on a cluster. Its text has no secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    shown: String,
    log: LogName,
    settings: ClientSettings,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// Is this a URL for this engine, well formed or not?
    pub fn is_meant(url: &str) -> bool {
        url.split_once(':')
            .is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
    }

    /// The log's name on the cluster; `tieout` where the URL says nothing.
    pub fn log(&self) -> &LogName {
        &self.log
    }

    /// Does the connection go without TLS?
    pub fn is_plain(&self) -> bool {
        !self.settings.is_secure_mode_enabled()
    }

    /// Does what is written leave this machine without TLS?
    pub fn travels_in_the_clear(&self) -> bool {
        let here = |host: &str| {
            let ip: Result<std::net::IpAddr, _> = host.trim_matches(['[', ']']).parse();
            host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
        };
        self.is_plain() && !self.settings.hosts().iter().all(|endpoint| here(&endpoint.host))
    }

    /// The file of the certificate authority, if the URL names one.
    pub fn ca_file(&self) -> Option<&str> {
        self.settings.tls_ca_file().map(String::as_str)
    }

    pub(crate) fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// Do both name a node in common, and the same log on it?
    pub fn is_same_log(&self, other: &Self) -> bool {
        let share = |one: &eventstore::Endpoint| {
            let hosts = other.settings.hosts();
            hosts
                .iter()
                .any(|other| one.port == other.port && one.host.eq_ignore_ascii_case(&other.host))
        };
        self.log == other.log && self.settings.hosts().iter().any(share)
    }

    /// The same cluster, another log.
    pub fn with_log(mut self, log: LogName) -> Self {
        self.log = log;
        self
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(url: &str) -> Result<Self, AddressError> {
        let refused = |detail: String| Err(AddressError(detail));
        let Some((scheme, rest)) = url.split_once("://") else {
            return refused("it is not of the form `esdb://host:2113?tls=true`".to_owned());
        };
        if !SCHEMES.contains(&scheme) {
            return refused(format!("`{scheme}` is none of {}", SCHEMES.join(", ")));
        }
        // Before anything could be shown.
        if rest.contains('@') {
            return refused(
                "it must not hold a user or a password: leave out what stands before `@`, and store it with `tieout credentials store`"
                    .to_owned(),
            );
        }
        let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
        if hosts.trim_matches('/').is_empty() {
            return refused("it names no host".to_owned());
        }
        let mut log = None;
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let lower = name.to_ascii_lowercase();
            if lower == "log" {
                log = Some(value.parse()?);
            } else if PARAMETERS.contains(&lower.as_str()) {
                kept.push(pair);
            } else {
                return refused(format!(
                    "`{name}` is no setting; there are log, {}",
                    PARAMETERS.join(", ")
                ));
            }
        }
        let names = |wanted: &str| {
            kept.iter().any(|pair| {
                pair.split('=')
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            })
        };
        // The client waits this long before its first connection, and before every other.
        let mut given = kept.clone();
        if !names("discoveryinterval") {
            given.push("discoveryInterval=50");
        }
        if !names("maxdiscoverattempts") {
            given.push("maxDiscoverAttempts=10");
        }
        let text = format!("{scheme}://{hosts}?{}", given.join("&"));
        let settings: ClientSettings =
            text.parse()
                .map_err(|error: eventstore::ClientSettingsParseError| {
                    AddressError(error.message().to_owned())
                })?;
        if settings.node_preference() != eventstore::NodePreference::Leader {
            return refused(
                "`nodePreference` must be `leader`, or be left out: what was just written must be read"
                    .to_owned(),
            );
        }
        Ok(Self {
            shown: url.to_owned(),
            log: log.unwrap_or_else(|| LogName("tieout".to_owned())),
            settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Address {
        url.parse().unwrap()
    }

    fn refusal(url: &str) -> String {
        url.parse::<Address>().unwrap_err().to_string()
    }

    #[test]
    fn one_node_a_list_of_seeds_and_a_name_to_look_up_are_addresses() {
        assert_eq!(read("esdb://n1:2113?tls=false").settings().hosts().len(), 1);
        let seeds = read("kurrentdb://n1:2113,n2:2114,n3?tls=true");
        let ports: Vec<u32> = seeds.settings().hosts().iter().map(|host| host.port).collect();
        assert_eq!(ports, [2113, 2114, 2113]);
        assert!(!seeds.is_plain());
        assert!(
            read("esdb+discover://cluster.acme:2113")
                .settings()
                .is_dns_discovery_enabled()
        );
    }

    #[test]
    fn without_tls_reports_travel_in_the_clear_unless_they_stay_on_the_machine() {
        assert!(read("esdb://n1,127.0.0.1?tls=false").travels_in_the_clear());
        assert!(!read("esdb://n1,n2").travels_in_the_clear());
        assert!(!read("esdb://127.0.0.1:2113?tls=false").travels_in_the_clear());
    }

    #[test]
    fn a_log_has_a_name_of_its_own_on_a_cluster() {
        assert_eq!(read("esdb://n1").log().to_string(), "tieout");
        assert_eq!(
            read("esdb://n1?log=plant_7&tls=false").log().to_string(),
            "plant_7"
        );
        for wrong in ["", "Plant", "a-b", "a.b", "a~b", &"x".repeat(41)] {
            assert!(refusal(&format!("esdb://n1?log={wrong}")).contains("no name of a log"));
        }
    }

    #[test]
    fn names_on_the_server_tell_what_is_audited_from_what_is_not_and_one_log_from_another() {
        let log = read("esdb://n1?log=a").log().clone();
        assert_eq!(log.audited("report-1"), "a.report-1");
        assert_eq!(log.beside("lease-1"), "a~lease-1");
        let longer = read("esdb://n1?log=a_b").log().audited("x");
        assert!(!longer.starts_with(&log.prefix()) && !log.beside("x").starts_with(&log.prefix()));
    }

    #[test]
    fn a_url_with_a_secret_is_refused_and_not_repeated() {
        let said = refusal("esdb://admin:changeit@n1:2113?tls=true");
        assert!(
            said.contains("tieout credentials store") && !said.contains("changeit"),
            "{said}"
        );
        assert!(!refusal("esdb://n1,admin:geheim@n2").contains("geheim"));
    }

    #[test]
    fn what_is_mistyped_is_refused_by_name() {
        assert!(refusal("esdb://n1?tlls=true").contains("`tlls` is no setting"));
        assert!(refusal("esdb://n1?tls=ja").contains("tls"));
        assert!(refusal("esdb://?tls=true").contains("names no host"));
        assert!(refusal("http://n1").contains("none of esdb"));
        assert!(refusal("esdb://n1?nodePreference=follower").contains("must be `leader`"));
    }
}
