//! Two who change the operators at once: one is recorded, and the vault holds what is in force.

use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::cli::InitArgs;

const PASSPHRASES: [&str; 2] = ["the first passphrase", "the second passphrase"];

fn kim() -> PersonName {
    PersonName::new("kim").unwrap()
}

async fn installed() -> (TempDir, Installation) {
    let folder = tempfile::tempdir().unwrap();
    let args = InitArgs {
        name: "acme".into(),
        folder: folder.path().to_owned(),
        passphrase: false,
        store: "sqlite:tieout.db".into(),
    };
    super::super::init::run(args, Out { json: true }).await.unwrap();
    let installation = Installation::open(&folder.path().join("tieout.toml"))
        .await
        .unwrap();
    (folder, installation)
}

/// Enrols, or gives another key, by what was read of the operators before.
async fn change(installation: &Installation, book: Book, passphrase: &str) -> Result<(), Failure> {
    let here = os_user();
    let name = kim();
    let (fields, key) = OperatorKey::create(&name, &passphrase.into()).unwrap();
    let event = match book.operators.get(&name) {
        None => book.operators.enrol(name.clone(), here.clone(), key),
        Some(_) => book
            .operators
            .replace_key(name.clone(), here.clone(), key, "lost"),
    };
    let change = Change {
        name: &name,
        command: "operators test",
        here: &here,
    };
    change
        .put_and_record(installation, book, event.unwrap(), &fields)
        .await
}

/// The key in the vault is the one in force, and this passphrase opens it.
async fn in_force_under(installation: &Installation, passphrase: &str) {
    let fields = installation.operator_key(&kim()).unwrap().unwrap();
    let signer = OperatorKey::unlock(&kim(), &fields, &passphrase.into()).unwrap();
    let book = Book::read(installation).await.unwrap();
    let in_force = book.operators.get(&kim()).unwrap().last_key().public_key;
    assert_eq!(signer.public_key(), in_force);
}

#[tokio::test]
async fn whoever_comes_second_changes_nothing_and_the_vault_is_as_it_was() {
    let (_folder, installation) = installed().await;
    let [first, second] = PASSPHRASES;
    // An enrolment, then a replacement: each by two who read the same.
    for _ in 0..2 {
        let one = Book::read(&installation).await.unwrap();
        let other = Book::read(&installation).await.unwrap();
        change(&installation, one, first).await.unwrap();
        let refused = change(&installation, other, second).await.unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("changed the operators at the same moment"),
            "{refused}"
        );
        in_force_under(&installation, first).await;
    }
}

#[tokio::test]
async fn a_first_key_that_was_not_recorded_is_taken_out_of_the_vault_again() {
    let (_folder, installation) = installed().await;
    let stale = Book::read(&installation).await.unwrap();
    let here = os_user();
    let lee = PersonName::new("lee").unwrap();
    let (fields, key) = OperatorKey::create(&lee, &PASSPHRASES[0].into()).unwrap();
    let event = stale.operators.enrol(lee.clone(), here.clone(), key).unwrap();
    let now = Book::read(&installation).await.unwrap();
    let enrol_lee = Change {
        name: &lee,
        command: "operators test",
        here: &here,
    };
    enrol_lee
        .put_and_record(&installation, now, event, &fields)
        .await
        .unwrap();
    change(&installation, stale, PASSPHRASES[1]).await.unwrap_err();
    assert!(installation.operator_key(&kim()).unwrap().is_none());
    let lees = installation.operator_key(&lee).unwrap().unwrap();
    let text = |fields: &SecretFields| fields.require("key").unwrap().expose_secret().to_owned();
    assert_eq!(text(&lees), text(&fields));
}
