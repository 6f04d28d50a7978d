//! The vault as its users meet it: every operation, and everything that may be wrong with a file or a key.

mod files;
mod keys;
mod together;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use secrecy::ExposeSecret as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::key_source::{KeyError, create_key_file};

const SECRET: &str = "s3cr3t-hunter2-\u{1F511}";

fn at(day: u32) -> DateTime<Utc> {
    format!("2026-11-{day:02}T08:30:00.123456789Z").parse().unwrap()
}

fn name(name: &str) -> SetName {
    SetName::new(name).unwrap()
}

fn expensify() -> SecretFields {
    SecretFields::new()
        .with("partnerUserID", "aa_ops_acme_com")
        .with("partnerUserSecret", SECRET)
}

/// A folder with a key file and a vault that holds one set.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> (Self, Vault) {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let mut vault = Vault::create(&house.path(), &house.key("tieout.key"), at(1)).unwrap();
        vault
            .put(&name("acme-us/expensify"), &expensify(), at(2))
            .unwrap();
        (house, vault)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tieout.vault")
    }

    fn key(&self, file: &str) -> KeySource {
        let path = self.folder.path().join(file);
        if !path.exists() {
            create_key_file(&path).unwrap();
        }
        KeySource::File(path)
    }

    fn open(&self) -> Result<Vault, VaultError> {
        Vault::open(&self.path(), &self.key("tieout.key"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path()).unwrap()).unwrap()
    }

    fn write(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(), bytes).unwrap();
    }

    /// Writes a changed document as a forger would: with a checksum that fits.
    fn forge(&self, mut document: Value) {
        let body: Body = serde_json::from_value(document["body"].clone()).unwrap();
        let digest = Sha256::digest(serde_json::to_vec(&body).unwrap());
        document["sha256"] =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest).into();
        self.write(serde_json::to_vec(&document).unwrap());
    }
}

fn secret_in(vault: &Vault, set: &str, field: &str) -> String {
    vault
        .get(&name(set))
        .unwrap()
        .require(field)
        .unwrap()
        .expose_secret()
        .to_owned()
}

#[test]
fn what_is_put_is_there_after_opening_again() {
    let (house, _) = House::new();
    let vault = house.open().unwrap();
    assert_eq!(
        secret_in(&vault, "acme-us/expensify", "partnerUserSecret"),
        SECRET
    );
    assert_eq!(
        secret_in(&vault, "acme-us/expensify", "partnerUserID"),
        "aa_ops_acme_com"
    );
}

#[test]
fn putting_again_rotates_the_secret_and_counts_the_version() {
    let (house, mut vault) = House::new();
    let set = name("acme-us/expensify");
    let version = vault
        .put(&set, &SecretFields::new().with("partnerUserSecret", "new"), at(9))
        .unwrap();
    assert_eq!(version, 2);
    let vault = house.open().unwrap();
    assert_eq!(secret_in(&vault, "acme-us/expensify", "partnerUserSecret"), "new");
    assert!(
        vault.get(&set).unwrap().get("partnerUserID").is_none(),
        "the old fields are gone"
    );
    assert_eq!(
        vault.sets().collect::<Vec<_>>(),
        [SetInfo {
            name: set,
            version: 2,
            put_at: at(9)
        }]
    );
}

#[test]
fn a_list_tells_names_versions_and_times_in_order() {
    let (_house, mut vault) = House::new();
    vault
        .put(
            &name("acme-ca/qad"),
            &SecretFields::new().with("password", "x"),
            at(3),
        )
        .unwrap();
    let list: Vec<_> = vault
        .sets()
        .map(|set| (set.name.to_string(), set.version, set.put_at))
        .collect();
    assert_eq!(
        list,
        [
            ("acme-ca/qad".to_owned(), 1, at(3)),
            ("acme-us/expensify".to_owned(), 1, at(2))
        ]
    );
}

#[test]
fn a_removed_set_is_gone_and_removing_it_again_says_so() {
    let (house, mut vault) = House::new();
    let set = name("acme-us/expensify");
    vault.remove(&set).unwrap();
    assert!(matches!(
        house.open().unwrap().get(&set),
        Err(VaultError::NoSuchSet { .. })
    ));
    assert!(matches!(vault.remove(&set), Err(VaultError::NoSuchSet { .. })));
}

#[test]
fn a_set_that_is_not_there_is_named_with_those_that_are() {
    let (_house, vault) = House::new();
    let refusal = vault.get(&name("acme-us/qad")).unwrap_err().to_string();
    assert!(
        refusal.contains("no set acme-us/qad") && refusal.contains("acme-us/expensify"),
        "{refusal}"
    );
}

#[test]
fn a_required_field_that_is_missing_is_named_with_its_set() {
    let (_house, vault) = House::new();
    let set = name("acme-us/expensify");
    assert!(
        vault
            .require(&set, &["partnerUserID", "partnerUserSecret"])
            .is_ok()
    );
    let refusal = vault
        .require(&set, &["partnerUserID", "password"])
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("acme-us/expensify") && refusal.contains("password"),
        "{refusal}"
    );
}

#[test]
fn a_set_without_fields_is_refused() {
    let (_house, mut vault) = House::new();
    let refusal = vault
        .put(&name("acme-us/qad"), &SecretFields::new(), at(3))
        .unwrap_err();
    assert!(matches!(refusal, VaultError::EmptySet { .. }));
}

#[test]
fn the_file_is_private_and_holds_no_secret_and_no_field_name() {
    let (house, _) = House::new();
    assert_eq!(
        fs::metadata(house.path()).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let text = fs::read_to_string(house.path()).unwrap();
    for hidden in [SECRET, "aa_ops", "partnerUser"] {
        assert!(!text.contains(hidden), "{hidden} is in the file");
    }
}

#[test]
fn nothing_shown_by_debug_or_by_an_error_has_a_secret_in_it() {
    let (house, mut vault) = House::new();
    let set = name("acme-us/expensify");
    let passphrase = KeySource::Passphrase(SECRET.into());
    let key = fs::read_to_string(house.folder.path().join("tieout.key")).unwrap();
    let raw = format!(
        "{:?}",
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key.trim()).unwrap()
    );
    let shown = [
        format!("{vault:?} {vault:#?}"),
        format!("{:?}", vault.get(&set)),
        format!("{:?}", vault.people_keys()),
        format!("{:?}", vault.sets().collect::<Vec<_>>()),
        format!("{passphrase:?} {passphrase}"),
        format!("{:?}", Vault::open(&house.path(), &passphrase)),
        format!("{:?}", vault.require(&set, &["absent"])),
        format!("{:?}", vault.put(&name("x"), &SecretFields::new(), at(3))),
        format!("{:?} {vault:?}", vault.rotate_key(&passphrase, at(4))),
        format!(
            "{:?}",
            Vault::open(&house.path(), &KeySource::Passphrase(format!("{SECRET}!").into()))
        ),
    ];
    for text in shown {
        for hidden in ["hunter2", "aa_ops", key.trim(), raw.trim_matches(['[', ']'])] {
            assert!(!text.contains(hidden), "{hidden} is in {text}");
        }
    }
}
