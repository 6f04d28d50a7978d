//! What every connection stands on: the key, the log, the vault.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tieout_store::{Store, StorePlace, User, Way};
use tieout_vault::Vault;

use super::Finding;
use crate::commands::log::sound;
use crate::config::Config;
use crate::installation::{key_source, store_user};
use crate::out::Failure;

/// Whoever may read the key may read every credential.
const OTHERS: u32 = 0o077;

/// The log: is the file whole, and every stream without a gap?
pub async fn log(config: &Config) -> Finding {
    let looked = async {
        let place = config.store_place().map_err(Failure::Usage)?;
        let log = opened(config, &place).await?;
        let verified = sound::verify(&log).await?;
        Ok::<_, Failure>((place, verified))
    };
    match looked.await {
        Ok((place, verified)) => Finding::good(
            "log",
            format!(
                "{place}: {} events in {} streams, whole",
                verified.events, verified.streams
            ),
        ),
        Err(failure) if on_a_cluster(config) => Finding::failed(
            "log",
            &failure,
            "see that the cluster is up and [store] url names it and the log on it, and that `tieout credentials store` has its user; never begin an empty log in the place of a lost one",
        ),
        Err(failure) => Finding {
            // A disk is no outside system of the kind that answers later.
            unreachable: false,
            ..Finding::failed(
                "log",
                &failure,
                "correct [store] url, or restore a copy; never begin an empty log in the place of a lost one",
            )
        },
    }
}

fn on_a_cluster(config: &Config) -> bool {
    config.store_place().is_ok_and(|place| place.file().is_none())
}

/// The way to a log on a cluster: who signs in there, and does anybody hear it on the way? `None` for a file.
pub fn way(config: &Config) -> Option<Finding> {
    let place = config.store_place().ok().filter(|place| place.file().is_none())?;
    let user = signing_in(config, &place);
    Some(match user {
        Ok(user) => way_of(place.way(), user.map(|user| user.name).as_deref()),
        Err(failure) => Finding::failed(
            WAY,
            &failure,
            "bring back the vault and the key that belong together (`tieout guide secrets-and-keys`)",
        ),
    })
}

const WAY: &str = "way to the log";

fn way_of(way: Way, user: Option<&str>) -> Finding {
    let who = user.map_or_else(
        || "nobody signs in: the vault has no user for it".to_owned(),
        |name| format!("{name} signs in, from the vault"),
    );
    match way {
        Way::None => Finding::good(WAY, "a file of this machine"),
        Way::Tls => Finding::good(WAY, format!("by TLS; {who}")),
        Way::PlainHere => Finding::good(WAY, format!("without TLS, and it leaves no machine; {who}")),
        Way::PlainBeyond => Finding::bad(
            WAY,
            format!("without TLS: whoever listens on the way reads every report and the password; {who}"),
            "set tls=true in [store] url, and tlsCaFile=FILE where the cluster's authority is your own",
        ),
    }
}

/// Who signs in at the cluster; nobody at a file.
fn signing_in(config: &Config, place: &StorePlace) -> Result<Option<User>, Failure> {
    if place.file().is_some() {
        return Ok(None);
    }
    let vault = Vault::open(&config.at(&config.vault.path), &key_source(config)?)
        .map_err(|e| Failure::Usage(e.to_string()))?;
    store_user(&vault)
}

/// The log; where it is on a cluster, with the user that the vault holds.
async fn opened(config: &Config, place: &StorePlace) -> Result<Store, Failure> {
    let user = signing_in(config, place)?;
    Ok(Store::open_existing(place, &config.at(&config.store.views), user).await?)
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

/// Settings of the environment that are for trials against stand-ins only.
const TRIAL: [(&str, &str); 4] = [
    ("TIEOUT_LIMIT_SCALE", "the rate limits are not Expensify's"),
    ("TIEOUT_CLOCK_OFFSET_MS", "every date is off by it"),
    ("TIEOUT_CRASH_AT", "the program kills itself on purpose"),
    (
        "TIEOUT_TRIAL_LEASE",
        "instances on one cluster work side by side, as if there were no lease",
    ),
];

/// Is a setting for trials in force for connections beyond this machine? `None` where nothing of the kind is set.
pub fn trial(config: &Config) -> Option<Finding> {
    let set: Vec<_> = TRIAL
        .into_iter()
        .filter(|(variable, _)| std::env::var_os(variable).is_some())
        .collect();
    let addresses = config
        .connection
        .iter()
        .flat_map(|connection| [connection.expensify.url.as_str(), connection.qad.url.as_str()]);
    trial_of(&set, addresses)
}

fn trial_of<'a>(set: &[(&str, &str)], mut addresses: impl Iterator<Item = &'a str>) -> Option<Finding> {
    const NAME: &str = "environment";
    if set.is_empty() {
        return None;
    }
    let told: Vec<String> = set
        .iter()
        .map(|(variable, means)| format!("{variable} is set: {means}"))
        .collect();
    let detail = told.join("\n");
    Some(if addresses.all(is_here) {
        Finding::good(
            NAME,
            format!("{detail}\nevery address is of this machine, so this is a trial"),
        )
    } else {
        let names: Vec<&str> = set.iter().map(|(variable, _)| *variable).collect();
        Finding::bad(
            NAME,
            detail,
            format!("unset {}: it is for stand-ins on this machine", names.join(" ")),
        )
    })
}

fn is_here(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_setting_for_trials_is_a_fault_beyond_this_machine() {
        let set = &TRIAL[..2];
        assert_eq!(trial_of(&[], ["https://qad.example"].into_iter()), None);
        let here = ["http://127.0.0.1:8801/x", "http://[::1]:1/", "http://localhost/"];
        assert!(trial_of(set, here.into_iter()).unwrap().ok);
        for beyond in [
            "https://qad.example/clouderp",
            "https://127.0.0.1.example/",
            "no address",
        ] {
            let found = trial_of(set, here.into_iter().chain([beyond])).unwrap();
            assert!(!found.ok, "{beyond}");
            assert_eq!(
                found.fix,
                "unset TIEOUT_LIMIT_SCALE TIEOUT_CLOCK_OFFSET_MS: it is for stand-ins on this machine"
            );
        }
    }

    #[test]
    fn a_way_to_the_log_that_others_can_hear_is_told_beyond_this_machine() {
        assert!(way_of(Way::Tls, Some("tieout")).ok);
        let here = way_of(Way::PlainHere, None);
        assert!(
            here.ok && here.detail.contains("nobody signs in"),
            "{}",
            here.detail
        );
        let beyond = way_of(Way::PlainBeyond, Some("tieout"));
        assert!(!beyond.ok && beyond.fix.contains("tls=true"), "{}", beyond.fix);
    }

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
