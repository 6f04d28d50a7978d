//! The file: where it lies, and that nothing in it is believed which was not sealed there.

use super::*;

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
