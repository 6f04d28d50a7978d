//! `tieout init`: a new installation in a folder. It overwrites nothing, and makes everything or nothing.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use secrecy::SecretString;
use serde_json::json;
use tieout_domain::ids::ConnectionId;
use tieout_domain::ports::{Clock as _, Entropy as _};
use tieout_qad::profile::TEMPLATE as PROFILE;
use tieout_store::{Store, StorePlace, User};
use tieout_vault::{KeySource, People, SecretFields, SetName, Vault, create_key_file};

use super::credentials::new_passphrase;
use crate::cli::InitArgs;
use crate::installation::STORE_SET;
use crate::out::{DONE, Failure, Out};
use crate::ports::{SystemClock, SystemEntropy};

const CONFIG: &str = include_str!("../templates/tieout.toml");
const RULES: &str = include_str!("../templates/rules.toml");

/// What follows, in order: what to do, and the command for it.
const NEXT: [(&str, Option<&str>); 13] = [
    (
        "Edit tieout.toml where it says CHANGE: policies, go_live, QAD's url and workspace, timezone.",
        None,
    ),
    (
        "Fill in the QAD profile: every \"<...>\" is a record that QAD is known to show.",
        None,
    ),
    (
        "Put the credentials of both systems into the vault.",
        Some("credentials expensify"),
    ),
    ("", Some("credentials qad")),
    (
        "Enrol the people who sign what they decide, each with a passphrase of their own.",
        Some("operators add NAME"),
    ),
    (
        "Write the rules: categories to accounts, tags to cost centres. The file is a draft, and alone it changes nothing.",
        Some("rules check --coverage"),
    ),
    (
        "Propose them, and try them on history.",
        Some("rules propose --why TEXT"),
    ),
    ("", Some("rules backtest --record")),
    (
        "Somebody else approves them (whoever is alone says so first: `tieout rules mode one-person`), and they are ordered \
         into force.",
        Some("rules approve HASH --why TEXT --submits-as EMAIL"),
    ),
    ("", Some("rules activate HASH")),
    (
        "Have everything looked at; nothing is changed by it.",
        Some("doctor"),
    ),
    (
        "Certify the profile in a non-production workspace (`tieout profile certify --help`), then see what would post.",
        Some("sync --dry-run"),
    ),
    ("Run it on its schedule.", Some("serve")),
];

/// Makes the installation and says what comes next.
pub async fn run(args: InitArgs, out: Out) -> Result<u8, Failure> {
    let name = connection_name(&args.name)?;
    let store = NewStore::read(&args.store, &args.folder)?;
    let files = Files::of(&args.folder, name, args.passphrase, &store);
    files.are_free()?;
    let key = if args.passphrase {
        Some(KeySource::Passphrase(new_passphrase(
            "Passphrase of the new vault: ",
            "TIEOUT_PASSPHRASE",
        )?))
    } else {
        None
    };
    let id = ConnectionId(SystemEntropy.uuid());
    let made = files
        .make(name, id, key, &store, SystemClock::from_environment().now())
        .await?;

    let command = |rest: &str| {
        if args.folder == Path::new(".") {
            format!("tieout {rest}")
        } else {
            format!("tieout --config {} {rest}", files.config.display())
        }
    };
    let mut words = format!("Made the connection `{name}` ({id}):\n");
    for path in &made {
        words.push_str(&format!("  {}\n", path.display()));
    }
    words.push_str("\nNext:\n");
    let mut number = 0;
    for (what, then) in NEXT {
        if !what.is_empty() {
            number += 1;
            words.push_str(&format!("  {number}. {what}\n"));
        }
        if let Some(rest) = then {
            words.push_str(&format!("       {}\n", command(rest)));
        }
    }
    words.push_str(match files.key {
        Some(_) => {
            "\nKeep a copy of tieout.key apart from tieout.vault: whoever has both has the credentials.\n"
        }
        None => "\nThe passphrase stands nowhere: without it, the vault stays shut for good.\n",
    });
    words.push_str(
        "Back up tieout.people with the log: without it, what is personal in the log cannot be read.\n",
    );
    out.words(&words)?;
    let next: Vec<_> = NEXT
        .iter()
        .map(|(what, then)| json!({"what": what, "command": then.map(command)}))
        .collect();
    out.document(&json!({
        "config": files.config,
        "connection": {"id": id, "name": name},
        "made": made,
        "next": next,
    }))?;
    Ok(DONE)
}

/// A name that can also name files and the export label.
fn connection_name(text: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || !text.chars().all(plain) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(Failure::Usage(format!(
            "--name `{text}` cannot name a connection here, because files are named after it: \
             use letters, digits, `-` and `_`, e.g. `acme-us`"
        )));
    }
    Ok(text)
}

/// A go-live to begin with: the first day of the next month, since a month that was begun by hand is best ended by hand.
fn next_month(today: NaiveDate) -> NaiveDate {
    today
        .with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .unwrap_or(today)
}

/// Where the log is to be, and who signs in there.
struct NewStore {
    url: String,
    place: StorePlace,
    user: Option<User>,
}

impl NewStore {
    fn read(url: &str, folder: &Path) -> Result<Self, Failure> {
        let place = StorePlace::parse(url, folder).map_err(Failure::Usage)?;
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let user = match (variable("TIEOUT_STORE_USER"), variable("TIEOUT_STORE_PASSWORD")) {
            _ if place.file().is_some() => None,
            (None, None) => None,
            (Some(name), Some(password)) => Some(User {
                name,
                password: SecretString::from(password),
            }),
            _ => {
                return Err(Failure::Usage(
                    "set both TIEOUT_STORE_USER and TIEOUT_STORE_PASSWORD, or neither".into(),
                ));
            }
        };
        Ok(Self {
            url: url.to_owned(),
            place,
            user,
        })
    }
}

/// Every file of an installation.
struct Files {
    config: PathBuf,
    /// `None` with a passphrase.
    key: Option<PathBuf>,
    vault: PathBuf,
    people: PathBuf,
    rules: PathBuf,
    profile: PathBuf,
    /// `None` where the log is on a cluster.
    log: Option<PathBuf>,
}

impl Files {
    fn of(folder: &Path, name: &str, passphrase: bool, store: &NewStore) -> Self {
        Self {
            config: folder.join("tieout.toml"),
            key: (!passphrase).then(|| folder.join("tieout.key")),
            vault: folder.join("tieout.vault"),
            people: folder.join("tieout.people"),
            rules: folder.join("rules").join(format!("{name}.toml")),
            profile: folder.join("profiles").join(format!("{name}.toml")),
            log: store.place.file().map(Path::to_path_buf),
        }
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.config]
            .into_iter()
            .chain(&self.key)
            .chain([&self.vault, &self.people, &self.rules, &self.profile])
            .chain(&self.log)
    }

    /// Names everything that is in the way at once.
    fn are_free(&self) -> Result<(), Failure> {
        // A link that leads nowhere is in the way too.
        let taken: Vec<String> = self
            .all()
            .filter(|path| path.symlink_metadata().is_ok())
            .map(|path| format!("  {}", path.display()))
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "nothing was made, because nothing is overwritten, and these exist:\n{}\n\
             Name another folder with --folder, or move them away. To add a connection to this installation, copy the \
             [[connection]] block of its tieout.toml and give the copy an id of its own (a new UUID), a name, a label, \
             and its own policies.",
            taken.join("\n")
        )))
    }

    async fn make(
        &self,
        name: &str,
        id: ConnectionId,
        key: Option<KeySource>,
        store: &NewStore,
        now: DateTime<Utc>,
    ) -> Result<Vec<PathBuf>, Failure> {
        let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
        let mut made = Made::default();
        let source = match (&self.key, key) {
            (Some(path), _) => {
                made.parent_of(path)?;
                create_key_file(path).map_err(|e| usage(&e))?;
                made.files.push(path.clone());
                KeySource::File(path.clone())
            }
            (None, Some(source)) => source,
            (None, None) => {
                return Err(Failure::Usage(
                    "the vault needs a key file or a passphrase".into(),
                ));
            }
        };
        let key_line = match self.key {
            Some(_) => {
                "key_file = \"tieout.key\"                 # 0600; or key_env = \"VARIABLE\", or passphrase = true"
            }
            None => {
                "passphrase = true                       # asked, or from TIEOUT_PASSPHRASE; or key_file, or key_env"
            }
        };
        let config = CONFIG
            .replace("@KEY@", key_line)
            .replace("@STORE@", &store.url)
            .replace("@ID@", &id.to_string())
            .replace("@NAME@", name)
            .replace("@GO_LIVE@", &next_month(now.date_naive()).to_string());
        made.file(&self.config, &config)?;
        made.file(&self.rules, RULES)?;
        made.file(&self.profile, PROFILE)?;
        made.beside(&self.vault);
        let mut vault = Vault::create(&self.vault, &source, now).map_err(|e| usage(&e))?;
        made.files.push(self.vault.clone());
        made.beside(&self.people);
        People::create(&self.people, vault.people_keys().map_err(|e| usage(&e))?).map_err(|e| usage(&e))?;
        made.files.push(self.people.clone());
        if let Some(user) = &store.user {
            let set = SetName::new(STORE_SET).map_err(|e| usage(&e))?;
            let fields = SecretFields::new()
                .with("username", SecretString::from(user.name.clone()))
                .with("password", user.password.clone());
            vault.put(&set, &fields, now).map_err(|e| usage(&e))?;
        }
        // Last: it is the log of which an empty one would be taken for the truth.
        let views = self.config.with_file_name("tieout-views.db");
        Store::open(&store.place, &views, store.user.clone()).await?;
        made.files.push(self.log.clone().unwrap_or(views));
        Ok(made.keep())
    }
}

/// What was made so far: taken away again unless it is kept, so that a second try finds the folder as the first did.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Locks that the vault lays beside its files, and leaves there.
    locks: Vec<PathBuf>,
    kept: bool,
}

impl Made {
    fn parent_of(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(parent) = path.parent() else {
            return Ok(());
        };
        let missing: Vec<PathBuf> = parent
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        fs::create_dir_all(parent)
            .map_err(|e| Failure::Usage(format!("the folder {} cannot be made: {e}", parent.display())))?;
        self.folders.extend(missing.into_iter().rev());
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::Usage(format!("{} cannot be made: {e}", path.display()));
        self.parent_of(path)?;
        // `create_new`: whatever appeared since we looked is not overwritten either.
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(failed)?;
        self.files.push(path.to_path_buf());
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)
    }

    fn beside(&mut self, path: &Path) {
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        self.locks.push(lock.into());
    }

    fn keep(mut self) -> Vec<PathBuf> {
        self.kept = true;
        std::mem::take(&mut self.files)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Nothing more can be done about what cannot be removed; the next try names it as being in the way.
        for file in self.files.iter().chain(&self.locks) {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use tieout_domain::rules::RuleSet;
    use tieout_store::SqliteLog;

    fn now() -> DateTime<Utc> {
        "2026-12-31T23:00:00Z".parse().unwrap()
    }

    fn id() -> ConnectionId {
        ConnectionId(SystemEntropy.uuid())
    }

    fn in_a_file(folder: &Path) -> NewStore {
        NewStore::read("sqlite:tieout.db", folder).unwrap()
    }

    #[tokio::test]
    async fn what_is_made_is_read_by_the_rest_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path(), "acme-us", false, &in_a_file(folder.path()));
        let store = in_a_file(folder.path());
        let made = files.make("acme-us", id(), None, &store, now()).await.unwrap();
        assert_eq!(made.len(), 7);
        let config = Config::read(&files.config).unwrap();
        assert_eq!(
            config.connection[0].expensify.go_live,
            "2027-01-01".parse().unwrap()
        );
        assert_eq!(config.at(&config.connection[0].rules), files.rules);
        assert_eq!(config.at(&config.connection[0].qad.profile), files.profile);
        let key = crate::installation::key_source(&config).unwrap();
        assert!(Vault::open(&files.vault, &key).is_ok());
        assert!(SqliteLog::open_existing(files.log.as_ref().unwrap()).is_ok());
    }

    #[test]
    fn the_starter_rules_parse() {
        let faults = RuleSet::parse(RULES).map(|rules| rules.rules().len());
        assert_eq!(faults, Ok(5));
    }

    #[tokio::test]
    async fn a_failure_on_the_way_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("deep/er");
        let files = Files::of(&home, "main", false, &in_a_file(&home));
        // A folder where the log should be: the last step fails.
        fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
        let store = NewStore::read("sqlite:../../elsewhere", &home).unwrap();
        assert!(files.make("main", id(), None, &store, now()).await.is_err());
        assert!(!folder.path().join("deep").exists(), "what was made is gone");
        assert!(folder.path().join("elsewhere").exists(), "what was there stays");
    }

    #[test]
    fn everything_in_the_way_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for taken in ["tieout.key", "tieout.db"] {
            fs::write(folder.path().join(taken), "mine").unwrap();
        }
        let refusal = Files::of(folder.path(), "main", false, &in_a_file(folder.path()))
            .are_free()
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("tieout.key") && refusal.contains("tieout.db"),
            "{refusal}"
        );
        assert!(!refusal.contains("  tieout.toml"), "{refusal}");
    }

    #[test]
    fn a_name_that_cannot_name_a_file_is_refused() {
        assert!(connection_name("acme_us-2").is_ok());
        for bad in ["", "-x", "../x", "a b", "a/b", "ä"] {
            assert!(connection_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn going_live_begins_with_a_month() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(next_month(day("2026-01-31")), day("2026-02-01"));
        assert_eq!(next_month(day("2026-12-01")), day("2027-01-01"));
    }
}
