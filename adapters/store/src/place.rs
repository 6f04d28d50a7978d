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

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            #[cfg(feature = "eventstore")]
            Self::EventStore(_) => None,
        }
    }
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
