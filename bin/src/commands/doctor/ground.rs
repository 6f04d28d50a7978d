//! What every connection stands on: the key, the log, the vault.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tieout_store::SqliteLog;

use super::Finding;
use crate::config::Config;
use crate::out::Failure;

/// Whoever may read the key may read every credential.
const OTHERS: u32 = 0o077;

/// The log: is the file whole, and every stream without a gap?
pub async fn log(config: &Config) -> Finding {
    let looked = async {
        let path = config.store_path().map_err(Failure::Usage)?;
        let log = SqliteLog::open_existing(&path)?;
        let verified = log.verify().await?;
        Ok::<_, Failure>((path, verified))
    };
    match looked.await {
        Ok((path, verified)) => Finding::good(
            "log",
            format!(
                "{}: {} events in {} streams, whole",
                path.display(),
                verified.events,
                verified.streams
            ),
        ),
        Err(failure) => Finding {
            // A disk is no outside system of the kind that answers later.
            unreachable: false,
            ..Finding::failed("log", &failure)
        },
    }
}

/// The key: does nobody else read its file?
pub fn key(config: &Config) -> Finding {
    let vault = &config.vault;
    if let Some(variable) = &vault.key_env {
        return Finding::good("key", format!("from the environment variable {variable}"));
    }
    if vault.passphrase {
        return Finding::good("key", "derived from a passphrase");
    }
    let file = vault
        .key_file
        .clone()
        .unwrap_or_else(|| PathBuf::from("tieout.key"));
    key_file(&config.at(&file))
}

fn key_file(path: &Path) -> Finding {
    let place = path.display();
    match std::fs::metadata(path) {
        Err(error) => Finding::bad(
            "key",
            format!("{place} cannot be read: {error}"),
            "bring the key file back from where it is kept safe; without it the vault cannot be opened",
        ),
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if mode & OTHERS == 0 {
                Finding::good("key", format!("{place}, {mode:04o}"))
            } else {
                Finding::bad(
                    "key",
                    format!("{place} is {mode:04o}: others than its owner may touch it"),
                    format!("chmod 0600 {place}"),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_key_that_others_may_read_is_told_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tieout.key");
        assert!(!key_file(&path).ok);
        fs::write(&path, "key").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let found = key_file(&path);
        assert!(!found.ok);
        assert!(found.fix.starts_with("chmod 0600 "), "{}", found.fix);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(key_file(&path).ok);
    }
}
