//! A key, and everything that may be done to it without its passphrase.

use super::*;
use crate::signing::verify;

const RIGHT: &str = "correct horse battery staple";

fn kim() -> PersonName {
    PersonName::new("kim").unwrap()
}

fn made() -> (SecretFields, PublicKey) {
    OperatorKey::create(&kim(), &RIGHT.into()).unwrap()
}

fn unlock(name: &str, fields: &SecretFields, passphrase: &str) -> Result<Signer, OperatorKeyError> {
    OperatorKey::unlock(&PersonName::new(name).unwrap(), fields, &passphrase.into())
}

fn text_of(fields: &SecretFields) -> String {
    fields.require(FIELD).unwrap().expose_secret().to_owned()
}

/// The key stored again after `change`, its checksum mended: what somebody who opens the vault can do.
fn altered(fields: &SecretFields, change: impl FnOnce(&mut Body)) -> SecretFields {
    let mut stored: Stored = serde_json::from_str(&text_of(fields)).unwrap();
    change(&mut stored.body);
    let text = serde_json::to_string(&Stored::of(stored.body).unwrap()).unwrap();
    SecretFields::new().with(FIELD, text)
}

#[test]
fn the_right_passphrase_signs_with_the_key_that_was_made() {
    let (fields, public_key) = made();
    let signer = unlock("kim", &fields, RIGHT).unwrap();
    assert_eq!(signer.public_key(), public_key);
    assert_eq!(OperatorKey::public_key(&kim(), &fields).unwrap(), public_key);
    assert!(verify(&public_key, b"fine", &signer.sign(b"fine")));
    assert_eq!(OperatorKey::set_name(&kim()).unwrap().as_str(), "operator/kim");
}

#[test]
fn every_key_is_another_one() {
    assert_ne!(made().1, made().1);
}

#[test]
fn a_wrong_passphrase_is_said_to_be_one() {
    let (fields, _) = made();
    for wrong in ["correct horse battery stable", "x"] {
        let refusal = unlock("kim", &fields, wrong).unwrap_err();
        assert!(
            matches!(refusal, OperatorKeyError::WrongPassphrase { .. }),
            "{refusal}"
        );
        assert!(!refusal.to_string().contains(wrong) || wrong == "x", "{refusal}");
    }
    assert!(matches!(
        unlock("kim", &fields, ""),
        Err(OperatorKeyError::Passphrase(KeyError::EmptyPassphrase))
    ));
}

#[test]
fn a_short_passphrase_makes_no_key() {
    let refusal = OperatorKey::create(&kim(), &"elevenchars".into()).unwrap_err();
    assert!(matches!(refusal, OperatorKeyError::ShortPassphrase), "{refusal}");
    // Characters, not bytes.
    assert!(OperatorKey::create(&kim(), &"漢字".into()).is_err());
}

#[test]
fn a_key_under_another_name_is_refused_even_when_it_is_made_to_say_so() {
    let (fields, _) = made();
    let refusal = unlock("lee", &fields, RIGHT).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "what the vault holds as the key of operator lee is that of kim: it was moved there; restore the vault from a backup, or replace the key"
    );
    assert!(OperatorKey::public_key(&PersonName::new("lee").unwrap(), &fields).is_err());
    let renamed = altered(&fields, |body| body.name = PersonName::new("lee").unwrap());
    assert!(matches!(
        unlock("lee", &renamed, RIGHT),
        Err(OperatorKeyError::WrongPassphrase { .. })
    ));
}

#[test]
fn a_changed_byte_anywhere_is_refused_and_is_no_wrong_passphrase() {
    let (fields, _) = made();
    let text = text_of(&fields).into_bytes();
    for place in 0..text.len() {
        let mut changed = text.clone();
        changed[place] ^= 1;
        let Ok(changed) = String::from_utf8(changed) else {
            continue;
        };
        let refusal = unlock("kim", &SecretFields::new().with(FIELD, changed), RIGHT).unwrap_err();
        assert!(
            matches!(
                refusal,
                OperatorKeyError::Damaged { .. } | OperatorKeyError::OtherFormat { .. }
            ),
            "byte {place}: {refusal}"
        );
    }
    for cut in 0..text.len() {
        let cut = String::from_utf8(text[..cut].to_vec()).unwrap();
        assert!(unlock("kim", &SecretFields::new().with(FIELD, cut), RIGHT).is_err());
    }
    // Blanks change no meaning, and still are not what was written.
    let spaced = SecretFields::new().with(FIELD, format!("{} ", text_of(&fields)));
    assert!(unlock("kim", &spaced, RIGHT).is_err());
}

#[test]
fn what_is_altered_with_its_checksum_mended_does_not_open() {
    let (fields, _) = made();
    let (other, other_key) = made();
    let mut parts: Stored = serde_json::from_str(&text_of(&other)).unwrap();
    let seed_of_other = std::mem::replace(
        &mut parts.body.seed,
        SealedBox {
            nonce: [0; 24],
            text: Vec::new(),
        },
    );
    let swapped = altered(&fields, |body| body.seed = seed_of_other);
    assert!(matches!(
        unlock("kim", &swapped, RIGHT),
        Err(OperatorKeyError::Damaged { .. })
    ));
    for altered in [
        altered(&fields, |body| body.public_key = other_key),
        altered(&fields, |body| body.passphrase = parts.body.passphrase),
        altered(&fields, |body| body.check.text[0] ^= 1),
        altered(&fields, |body| body.check.nonce[0] ^= 1),
    ] {
        assert!(unlock("kim", &altered, RIGHT).is_err());
    }
}

#[test]
fn a_later_layout_and_a_set_of_something_else_are_told() {
    let (fields, _) = made();
    let later = altered(&fields, |body| body.format = "tieout-operator/2".into());
    let refusal = unlock("kim", &later, RIGHT).unwrap_err();
    assert!(
        refusal.to_string().contains("use the build that wrote it"),
        "{refusal}"
    );
    let other = SecretFields::new().with("password", "hunter2");
    assert!(matches!(
        unlock("kim", &other, RIGHT),
        Err(OperatorKeyError::MissingField(_))
    ));
}

#[test]
fn nothing_that_is_shown_holds_the_seed_or_the_passphrase() {
    let (fields, _) = made();
    let signer = unlock("kim", &fields, RIGHT).unwrap();
    let errors = [
        unlock("kim", &fields, "hunter2").unwrap_err(),
        unlock("lee", &fields, "hunter2").unwrap_err(),
        OperatorKey::create(&kim(), &"hunter2".into()).unwrap_err(),
    ];
    let shown = format!("{fields:?} {signer:?} {errors:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("horse"), "{shown}");
    assert!(!shown.contains("\"seed\"") && !shown.contains("nonce"), "{shown}");
    // The private half stands nowhere in the clear, in the text that is sealed neither.
    let body = Stored::read(&kim(), &fields).unwrap();
    let key = body.passphrase.derive(&RIGHT.into()).unwrap();
    let context = context(b"seed", &kim(), &body.public_key, &body.passphrase);
    let seed = key.unwrap_key(&context, &body.seed).unwrap();
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(seed.bytes());
    let hex = PublicKey::from_bytes(*seed.bytes()).to_string();
    for form in [base64, hex] {
        assert!(!shown.contains(&form) && !text_of(&fields).contains(&form));
    }
}
