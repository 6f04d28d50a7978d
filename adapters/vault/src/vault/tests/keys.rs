//! What opens a vault, and its rotation.

use super::*;

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
