//! Where the log is, as `[store] url` says.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Who signs in at a cluster: from the vault.
#[derive(Debug, Clone)]
pub struct User {
    /// Login.
    pub name: String,
    /// Password.
    pub password: SecretString,
}

/// Where a log is. Its text has no secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A file.
    Sqlite(PathBuf),
    /// A cluster.
    #[cfg(feature = "eventstore")]
    EventStore(Box<tieout_eventstore::Address>),
}

impl StorePlace {
    /// Reads `sqlite:<path>` (relative to `folder`), or `esdb://…`, `kurrentdb://…`.
    ///
    /// # Errors
    /// What is wrong with the URL. A URL with a secret in it is refused, and not repeated.
    pub fn parse(url: &str, folder: &Path) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.trim().is_empty() => Ok(Self::Sqlite(folder.join(path.trim()))),
            Some((scheme, _)) if scheme.starts_with("esdb") || scheme.starts_with("kurrentdb") => {
                Self::cluster(url, folder)
            }
            _ => Err(format!(
                "[store] url `{url}` is not of the form `sqlite:tieout.db` or `esdb://n1:2113,n2:2113,n3:2113?tls=true`"
            )),
        }
    }

    #[cfg(feature = "eventstore")]
    fn cluster(url: &str, _folder: &Path) -> Result<Self, String> {
        url.parse()
            .map(|address| Self::EventStore(Box::new(address)))
            .map_err(|error: tieout_eventstore::AddressError| error.to_string())
    }

    #[cfg(not(feature = "eventstore"))]
    fn cluster(_url: &str, _folder: &Path) -> Result<Self, String> {
        Err("[store] url: this build was made without the engine for a cluster; write `sqlite:tieout.db`, or use a build with its feature `eventstore`".to_owned())
    }

    /// Do both lead to the same log, as far as their names tell? Two names of one file do; two addresses of a cluster do
    /// where they share a node and name the same log on it.
    pub fn is_same_log(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => real(one) == real(other),
            #[cfg(feature = "eventstore")]
            (Self::EventStore(one), Self::EventStore(other)) => one.is_same_log(other),
            #[cfg(feature = "eventstore")]
            _ => false,
        }
    }

    /// How what goes to the log and back is kept from others.
    pub fn way(&self) -> Way {
        match self {
            Self::Sqlite(_) => Way::None,
            #[cfg(feature = "eventstore")]
            Self::EventStore(address) if !address.is_plain() => Way::Tls,
            #[cfg(feature = "eventstore")]
            Self::EventStore(address) if !address.travels_in_the_clear() => Way::PlainHere,
            #[cfg(feature = "eventstore")]
            Self::EventStore(_) => Way::PlainBeyond,
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            #[cfg(feature = "eventstore")]
            Self::EventStore(_) => None,
        }
    }
}

/// How what goes to the log and back is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It leaves no machine: the log is a file.
    None,
    /// By TLS.
    Tls,
    /// Not at all, and it leaves no machine.
    PlainHere,
    /// Not at all: whoever listens on the way reads it, the password too.
    PlainBeyond,
}

/// The path without links; of a file that is not there yet, its folder's.
fn real(path: &Path) -> PathBuf {
    let of_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    let found = path.canonicalize().ok().or_else(of_folder);
    found.unwrap_or_else(|| path.to_owned())
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            #[cfg(feature = "eventstore")]
            Self::EventStore(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let place = |url| StorePlace::parse(url, Path::new("/tmp/./")).unwrap();
        place(one).is_same_log(&place(other))
    }

    #[test]
    fn one_log_is_known_under_two_names() {
        assert!(same("sqlite:a.db", "sqlite:/tmp/a.db"));
        assert!(same("sqlite:a.db", "sqlite:../tmp/a.db"));
        assert!(!same("sqlite:a.db", "sqlite:b.db"));
    }

    #[cfg(feature = "eventstore")]
    #[test]
    fn one_log_on_a_cluster_is_known_by_any_of_its_nodes() {
        assert!(same(
            "esdb://n1:2113,n2:2113",
            "kurrentdb://N2:2113?tls=true&log=tieout"
        ));
        assert!(!same("esdb://n1:2113", "esdb://n1:2113?log=plant_7"));
        assert!(!same("esdb://n1:2113", "esdb://n1:2114"));
        assert!(!same("esdb://n1:2113", "sqlite:n1"));
    }

    #[cfg(feature = "eventstore")]
    #[test]
    fn what_goes_plain_beyond_this_machine_is_told_apart() {
        let way = |url: &str| StorePlace::parse(url, Path::new(".")).unwrap().way();
        assert_eq!(way("sqlite:tieout.db"), Way::None);
        assert_eq!(way("esdb://n1:2113,n2:2113?tls=true"), Way::Tls);
        assert_eq!(way("esdb://n1:2113"), Way::Tls, "where the URL says nothing");
        assert_eq!(way("esdb://127.0.0.1:2113?tls=false"), Way::PlainHere);
        assert_eq!(way("esdb://localhost:1,127.0.0.1:2?tls=false"), Way::PlainHere);
        assert_eq!(way("esdb://127.0.0.1:2113,n2:2113?tls=false"), Way::PlainBeyond);
    }
}
