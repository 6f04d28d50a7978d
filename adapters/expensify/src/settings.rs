//! What can be set about the client, and where it may send a secret.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::jobs::Job;
use crate::limiter::Limits;

/// An address the pair must not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not an address at all.
    #[error(
        "the Expensify url `{given}` is not an address ({why}): the usual one is https://integrations.expensify.com/Integration-Server/ExpensifyIntegrations"
    )]
    Unreadable {
        /// What was given.
        given: String,
        /// What the parser says.
        why: String,
    },
    /// The secret would travel in clear.
    #[error(
        "the Expensify url {given} is not https: the secret would travel readable by anyone; only a stand-in on this machine may be http"
    )]
    InClear {
        /// What was given.
        given: String,
    },
    /// The TLS library would not start.
    #[error("the HTTP client cannot start: {why}")]
    NoClient {
        /// What it says.
        why: String,
    },
}

/// Timeouts, attempts and sizes. [`Settings::new`] gives those of contract expensify; each can be changed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Pace and backoff.
    pub limits: Limits,
    /// How long an export may be silent (contract §1.6: minutes are usual).
    pub export_timeout: Duration,
    /// How long any other job, and any chunk of a download, may take to come.
    pub other_timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// Attempts of one job before 429 is given up.
    pub attempts_when_throttled: u32,
    /// Attempts of one job that was not connected, dropped, or met a gateway's 502, 503 or 504. A marking export is only
    /// tried again where no connection was made.
    pub attempts_when_dropped: u32,
    /// Looks for a file that is not there yet (contract §2.8).
    pub looks_for_a_file: u32,
    /// The longest line a download may have; all that a download ever buffers.
    pub longest_line: usize,
}

impl Settings {
    /// What contract expensify §1.5, §1.6 and §2.8 advise.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            export_timeout: Duration::from_secs(600),
            other_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(30),
            attempts_when_throttled: 8,
            attempts_when_dropped: 3,
            looks_for_a_file: 6,
            longest_line: 128 * 1024 * 1024,
        }
    }

    /// How long the job may be silent.
    pub(crate) fn timeout(&self, job: Job) -> Duration {
        match job {
            Job::Export | Job::Mark => self.export_timeout,
            Job::Download | Job::PolicyList | Job::Policy => self.other_timeout,
        }
    }
}

/// Reads the endpoint's address; says also whether it is on this machine.
pub(crate) fn endpoint(given: &str) -> Result<(Url, bool), BadAddress> {
    let url = Url::parse(given.trim()).map_err(|error| BadAddress::Unreadable {
        given: given.to_owned(),
        why: error.to_string(),
    })?;
    let local = url.host_str().is_some_and(|host| {
        let bare = host.trim_matches(['[', ']']);
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok((url, local)),
        "http" if local => Ok((url, local)),
        "http" => Err(BadAddress::InClear {
            given: url.to_string(),
        }),
        other => Err(BadAddress::Unreadable {
            given: given.to_owned(),
            why: format!("`{other}` is not https"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_over_tls_or_stays_on_this_machine() {
        assert!(
            endpoint("https://integrations.expensify.com/Integration-Server/ExpensifyIntegrations").is_ok()
        );
        for local in [
            "http://127.0.0.1:4010/x",
            "http://localhost:1/",
            "http://[::1]:9/",
        ] {
            assert!(endpoint(local).unwrap().1, "{local}");
        }
        for far in ["http://integrations.expensify.com/", "http://10.0.0.7/"] {
            assert!(matches!(endpoint(far), Err(BadAddress::InClear { .. })), "{far}");
        }
        for no in ["", "integrations.expensify.com", "ftp://x/"] {
            assert!(matches!(endpoint(no), Err(BadAddress::Unreadable { .. })), "{no}");
        }
    }
}
