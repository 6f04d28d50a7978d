//! Several processes at one vault.

use super::*;

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
