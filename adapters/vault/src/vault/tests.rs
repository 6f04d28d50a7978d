//! The vault as its users meet it: every operation, and everything that may be wrong with a file or a key.

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

// ── the ordinary life ────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn each_source_of_a_key_locks_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    create_key_file(&key_file).unwrap();
    let value = fs::read_to_string(&key_file).unwrap();
    let sources = [
        KeySource::File(key_file),
        KeySource::Environment {
            variable: "TIEOUT_KEY".into(),
            value: value.into(),
        },
        KeySource::Passphrase("correct horse battery staple".into()),
    ];
    for (number, source) in sources.iter().enumerate() {
        let path = folder.path().join(format!("vault-{number}"));
        Vault::create(&path, source, at(1))
            .unwrap()
            .put(&name("s"), &expensify(), at(1))
            .unwrap();
        assert_eq!(
            secret_in(&Vault::open(&path, source).unwrap(), "s", "partnerUserSecret"),
            SECRET,
            "{source}"
        );
    }
}

#[test]
fn a_wrong_key_is_called_a_wrong_key_and_the_file_undamaged() {
    let (house, mut vault) = House::new();
    let refusal = Vault::open(&house.path(), &house.key("other.key")).unwrap_err();
    assert!(
        matches!(refusal, VaultError::WrongKey { key_version: 1, .. }),
        "{refusal}"
    );
    assert!(
        refusal.to_string().contains("other.key does not open"),
        "{refusal}"
    );

    vault
        .rotate_key(&KeySource::Passphrase("right".into()), at(5))
        .unwrap();
    let refusal = Vault::open(&house.path(), &KeySource::Passphrase("wrong".into())).unwrap_err();
    assert!(
        matches!(refusal, VaultError::WrongKey { key_version: 2, .. }),
        "{refusal}"
    );
    assert!(!refusal.to_string().contains("wrong does"), "{refusal}");
}

#[test]
fn another_sort_of_key_is_told_from_a_wrong_one() {
    let (house, _) = House::new();
    let refusal = Vault::open(&house.path(), &KeySource::Passphrase("x".into())).unwrap_err();
    assert!(
        matches!(refusal, VaultError::Key(KeyError::WrongSort { .. })),
        "{refusal}"
    );
}

#[test]
fn rotating_the_key_wraps_again_and_leaves_every_secret_sealed_as_it_was() {
    let (house, mut vault) = House::new();
    let before = house.json();
    vault.rotate_key(&house.key("new.key"), at(20)).unwrap();
    assert_eq!((vault.key_version(), vault.key_since()), (2, at(20)));
    assert_eq!(
        secret_in(&vault, "acme-us/expensify", "partnerUserSecret"),
        SECRET
    );
    let after = house.json();
    let entry = |document: &Value, part: &str| document["body"]["sets"]["acme-us/expensify"][part].clone();
    assert_eq!(entry(&before, "fields"), entry(&after, "fields"));
    assert_ne!(entry(&before, "wrapped"), entry(&after, "wrapped"));
    assert!(
        matches!(house.open(), Err(VaultError::WrongKey { .. })),
        "the old key opens nothing any more"
    );
    let vault = Vault::open(&house.path(), &house.key("new.key")).unwrap();
    assert_eq!(
        secret_in(&vault, "acme-us/expensify", "partnerUserSecret"),
        SECRET
    );
    assert_eq!(
        vault.sets().map(|set| set.version).collect::<Vec<_>>(),
        [1],
        "a key is not a secret's version"
    );
}

#[test]
fn a_rotation_to_a_key_that_cannot_be_had_changes_nothing() {
    let (house, mut vault) = House::new();
    let before = fs::read(house.path()).unwrap();
    assert!(
        vault
            .rotate_key(&KeySource::File(house.folder.path().join("absent")), at(5))
            .is_err()
    );
    assert!(
        vault
            .rotate_key(&KeySource::Passphrase("".into()), at(5))
            .is_err()
    );
    assert_eq!(fs::read(house.path()).unwrap(), before);
    assert!(house.open().is_ok());
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_vault_that_is_not_there_is_said_to_be_absent() {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::Passphrase("x".into());
    let refusal = Vault::open(&folder.path().join("tieout.vault"), &source).unwrap_err();
    assert!(matches!(refusal, VaultError::Absent { .. }), "{refusal}");
}

#[test]
fn creating_over_a_vault_leaves_it_as_it_is() {
    let (house, _) = House::new();
    let refusal = Vault::create(&house.path(), &house.key("other.key"), at(3)).unwrap_err();
    assert!(
        matches!(refusal, VaultError::File(FileError::AlreadyExists { .. })),
        "{refusal}"
    );
    assert!(house.open().is_ok());
}

#[test]
fn wider_permissions_are_refused_with_the_remedy() {
    let (house, _) = House::new();
    fs::set_permissions(house.path(), Permissions::from_mode(0o644)).unwrap();
    let refusal = house.open().unwrap_err();
    assert!(
        matches!(refusal, VaultError::File(FileError::TooOpen { mode: 0o644, .. })),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("chmod 600"), "{refusal}");
}

#[test]
fn a_vault_behind_a_symbolic_link_is_replaced_where_it_lies() {
    let (house, _) = House::new();
    let link = house.folder.path().join("link");
    symlink(house.path(), &link).unwrap();
    let mut vault = Vault::open(&link, &house.key("tieout.key")).unwrap();
    vault.put(&name("acme-us/qad"), &expensify(), at(3)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(house.open().unwrap().sets().count(), 2);
}

#[test]
fn a_file_cut_at_any_place_is_called_damaged() {
    let (house, _) = House::new();
    let whole = fs::read(house.path()).unwrap();
    let document_end = whole.len() - 2; // without the last brace and the line's end
    for length in (0..=document_end).step_by(7).chain([document_end]) {
        house.write(&whole[..length]);
        let refusal = house.open().unwrap_err();
        assert!(
            matches!(refusal, VaultError::Damaged { .. }),
            "cut to {length}: {refusal}"
        );
    }
}

#[test]
fn a_file_with_any_byte_garbled_is_never_opened_and_never_blamed_on_the_key() {
    let (house, _) = House::new();
    let whole = fs::read(house.path()).unwrap();
    for place in 0..whole.len() {
        let mut garbled = whole.clone();
        garbled[place] ^= 0x01;
        house.write(&garbled);
        match house.open() {
            Err(VaultError::Damaged { .. } | VaultError::OtherFormat { .. }) => {}
            // Blanks between the parts of the document carry nothing.
            Ok(_) if whole[place].is_ascii_whitespace() => {}
            other => panic!("byte {place} ({:?}): {other:?}", char::from(whole[place])),
        }
    }
}

#[test]
fn a_file_of_another_sort_or_a_later_layout_is_told_apart() {
    let (house, _) = House::new();
    let mut document = house.json();
    document["format"] = "tieout-vault/2".into();
    house.write(serde_json::to_vec(&document).unwrap());
    let refusal = house.open().unwrap_err();
    assert!(matches!(refusal, VaultError::OtherFormat { .. }), "{refusal}");
    assert!(refusal.to_string().contains("tieout-vault/2"), "{refusal}");
    house.write(b"[connection]\n");
    assert!(matches!(house.open(), Err(VaultError::Damaged { .. })));
}

#[test]
fn a_formatter_does_no_harm() {
    let (house, _) = House::new();
    house.write(serde_json::to_vec(&house.json()).unwrap());
    assert!(house.open().is_ok());
}

#[test]
fn a_forged_document_is_noticed_even_with_a_fitting_checksum() {
    let (house, mut vault) = House::new();
    vault
        .put(
            &name("acme-us/qad"),
            &SecretFields::new().with("password", "p"),
            at(3),
        )
        .unwrap();
    let genuine = house.json();
    let forgeries: [fn(&mut Value); 4] = [
        |body| {
            body["sets"].as_object_mut().unwrap().remove("acme-us/qad");
        },
        |body| body["sets"]["acme-us/qad"]["version"] = 7.into(),
        |body| body["generation"] = 99.into(),
        |body| {
            let qad = body["sets"]["acme-us/qad"].take();
            body["sets"]["acme-us/qad"] = body["sets"]["acme-us/expensify"].take();
            body["sets"]["acme-us/expensify"] = qad;
        },
    ];
    for (number, forgery) in forgeries.iter().enumerate() {
        let mut forged = genuine.clone();
        forgery(&mut forged["body"]);
        house.forge(forged);
        let refusal = house.open().unwrap_err();
        assert!(
            matches!(refusal, VaultError::Damaged { .. }),
            "forgery {number}: {refusal}"
        );
        assert!(
            refusal.to_string().contains("without its key"),
            "forgery {number}: {refusal}"
        );
    }
    house.forge(genuine);
    assert!(house.open().is_ok(), "the forger's checksum is the right one");
}

#[test]
fn swapped_entries_do_not_open_even_for_someone_who_skips_the_seal() {
    let (_house, mut vault) = House::new();
    let (expensify, qad) = (name("acme-us/expensify"), name("acme-us/qad"));
    vault
        .put(&qad, &SecretFields::new().with("password", "p"), at(2))
        .unwrap();
    let genuine = vault.body.clone();

    let swapped = [
        (expensify.clone(), genuine.sets[&qad].clone()),
        (qad.clone(), genuine.sets[&expensify].clone()),
    ];
    vault.body.sets = swapped.into();
    for set in [&expensify, &qad] {
        assert!(matches!(vault.get(set), Err(VaultError::Damaged { .. })));
    }
    vault.body = genuine.clone();
    vault.body.sets.get_mut(&expensify).unwrap().fields = genuine.sets[&qad].fields.clone();
    assert!(
        matches!(vault.get(&expensify), Err(VaultError::Damaged { .. })),
        "fields of another set"
    );
    vault.body = genuine.clone();
    vault.body.sets.get_mut(&expensify).unwrap().put_at = at(28);
    assert!(
        matches!(vault.get(&expensify), Err(VaultError::Damaged { .. })),
        "another time"
    );
    vault.body = genuine;
    std::mem::swap(&mut vault.body.people.lookup, &mut vault.body.people.wrapping);
    assert!(
        matches!(vault.people_keys(), Err(VaultError::Damaged { .. })),
        "swapped keys of the people file"
    );
}

#[test]
fn an_entry_of_another_vault_under_the_same_key_does_not_open() {
    let (house, mut vault) = House::new();
    let path = house.folder.path().join("second.vault");
    let mut second = Vault::create(&path, &house.key("tieout.key"), at(1)).unwrap();
    second
        .put(
            &name("acme-us/expensify"),
            &SecretFields::new().with("password", "p"),
            at(2),
        )
        .unwrap();
    vault.body.sets = second.body.sets.clone();
    assert!(matches!(
        vault.get(&name("acme-us/expensify")),
        Err(VaultError::Damaged { .. })
    ));
}

// ── two at once ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_second_of_two_writers_is_refused_and_loses_nothing() {
    let (house, mut first) = House::new();
    let mut second = house.open().unwrap();
    first
        .put(
            &name("acme-us/qad"),
            &SecretFields::new().with("password", "first"),
            at(3),
        )
        .unwrap();
    let refusal = second
        .put(
            &name("acme-us/qad"),
            &SecretFields::new().with("password", "second"),
            at(3),
        )
        .unwrap_err();
    assert!(
        matches!(
            refusal,
            VaultError::Changed {
                expected: 2,
                found: 3,
                ..
            }
        ),
        "{refusal}"
    );
    assert!(matches!(
        second.remove(&name("acme-us/expensify")),
        Err(VaultError::Changed { .. })
    ));
    assert!(matches!(
        second.rotate_key(&house.key("new.key"), at(4)),
        Err(VaultError::Changed { .. })
    ));
    assert_eq!(
        secret_in(&house.open().unwrap(), "acme-us/qad", "password"),
        "first"
    );

    assert!(second.reload().unwrap());
    assert!(!second.reload().unwrap());
    assert_eq!(
        second
            .put(
                &name("acme-us/qad"),
                &SecretFields::new().with("password", "second"),
                at(5)
            )
            .unwrap(),
        2
    );
}

#[test]
fn a_long_running_reader_sees_a_rotated_secret_after_a_reload() {
    let (house, reader) = House::new();
    let mut reader = reader;
    let mut writer = house.open().unwrap();
    writer
        .put(
            &name("acme-us/expensify"),
            &SecretFields::new().with("partnerUserSecret", "new"),
            at(8),
        )
        .unwrap();
    assert_eq!(
        secret_in(&reader, "acme-us/expensify", "partnerUserSecret"),
        SECRET
    );
    assert!(reader.reload().unwrap());
    assert_eq!(
        secret_in(&reader, "acme-us/expensify", "partnerUserSecret"),
        "new"
    );
}

#[test]
fn a_reload_after_another_process_rotated_the_key_is_a_wrong_key_and_keeps_what_was_read() {
    let (house, mut reader) = House::new();
    house
        .open()
        .unwrap()
        .rotate_key(&house.key("new.key"), at(8))
        .unwrap();
    assert!(matches!(
        reader.reload(),
        Err(VaultError::WrongKey { key_version: 2, .. })
    ));
    assert_eq!(
        secret_in(&reader, "acme-us/expensify", "partnerUserSecret"),
        SECRET
    );
}

#[test]
fn another_vault_put_in_its_place_is_noticed() {
    let (house, mut vault) = House::new();
    fs::remove_file(house.path()).unwrap();
    Vault::create(&house.path(), &house.key("tieout.key"), at(1)).unwrap();
    assert!(matches!(vault.reload(), Err(VaultError::Replaced { .. })));
    assert!(matches!(
        vault.put(&name("x"), &expensify(), at(3)),
        Err(VaultError::Replaced { .. })
    ));
}

#[test]
fn many_writers_at_once_each_succeed_once_they_looked_again() {
    let (house, _) = House::new();
    std::thread::scope(|threads| {
        for writer in 0..4 {
            let house = &house;
            threads.spawn(move || {
                let mut vault = house.open().unwrap();
                for round in 0..5 {
                    let set = name(&format!("writer-{writer}/round-{round}"));
                    while let Err(refusal) = vault.put(&set, &expensify(), at(3)) {
                        assert!(matches!(refusal, VaultError::Changed { .. }), "{refusal}");
                        vault.reload().unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(house.open().unwrap().sets().count(), 1 + 4 * 5);
}
