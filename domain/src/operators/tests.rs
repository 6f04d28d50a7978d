//! The life of operators, as a specification.

use chrono::{DateTime, TimeZone as _, Utc};
use uuid::Uuid;

use super::*;
use crate::ids::{EventId, PersonName};
use crate::journal::{Actor, Cause, Entry, Envelope};
use crate::ports::{Position, Revision};

pub(crate) fn name(text: &str) -> PersonName {
    PersonName::new(text).unwrap()
}

pub(crate) fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

pub(crate) fn user(text: &str, uid: u32) -> OsUser {
    OsUser {
        uid,
        name: Some(text.into()),
        host: Some("ledger-1".into()),
    }
}

fn minute(at: u64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 2, 6, u32::try_from(at).unwrap(), 0)
        .unwrap()
}

/// The event at a position, recorded in the minute of that number.
fn entry(at: u64, event: OperatorEvent) -> Entry<OperatorEvent> {
    Entry {
        event,
        id: EventId(Uuid::from_u128(at.into())),
        envelope: Envelope {
            schema: 1,
            recorded_at: minute(at),
            effective_at: minute(at),
            actor: Actor::Person { name: name("root") },
            cause: Cause::Command {
                name: "operators add".into(),
            },
            build: "test".into(),
            parts: 0,
        },
        stream: OperatorEvent::stream(),
        revision: Revision(at),
        position: Position(at, at),
    }
}

/// Decides, and takes the decision in at a position.
fn decided(
    operators: &mut Operators,
    at: u64,
    decide: impl FnOnce(&Operators) -> Result<OperatorEvent, OperatorRefusal>,
) {
    let event = decide(operators).unwrap();
    operators.apply(&entry(at, event));
    assert_eq!(operators.irregular(), [], "what is decided is regular");
}

/// Kim enrolled at 10, key 1; replaced at 20, key 2; Lee enrolled at 25, key 3; Kim retired at 30.
fn history() -> Operators {
    let mut all = Operators::default();
    let kim = || user("kim", 1000);
    decided(&mut all, 10, |all| all.enrol(name("kim"), kim(), key(1)));
    decided(&mut all, 20, |all| {
        all.replace_key(name("kim"), user("root", 0), key(2), " lost passphrase ")
    });
    decided(&mut all, 25, |all| all.enrol(name("Lee"), kim(), key(3)));
    decided(&mut all, 30, |all| all.retire(name("kim"), kim(), "left"));
    all
}

fn in_force(at: At) -> Option<PublicKey> {
    let all = history();
    all.get(&name("kim"))
        .unwrap()
        .key_in_force(at)
        .map(|key| key.public_key)
}

#[test]
fn a_key_counts_after_the_event_that_brought_it_and_until_the_next() {
    let at = |position| in_force(At::Position(Position(position, position)));
    assert_eq!([9, 10].map(at), [None; 2]);
    assert_eq!([11, 20].map(at), [Some(key(1)); 2]);
    assert_eq!([21, 30].map(at), [Some(key(2)); 2]);
    assert_eq!(at(31), None, "retired");
    assert_eq!(in_force(At::Now), None);
    let at = |minutes| in_force(At::Instant(minute(minutes)));
    assert_eq!(
        [9, 10, 19, 20, 29, 30].map(at),
        [None, Some(key(1)), Some(key(1)), Some(key(2)), Some(key(2)), None]
    );
}

#[test]
fn a_replaced_key_stays_visible_with_why_and_by_whom() {
    let all = history();
    let kim = all.get(&name("kim")).unwrap();
    let told: Vec<_> = kim
        .keys()
        .map(|key| (key.public_key, key.os_user.to_string(), key.why.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (key(1), "kim (uid 1000) on ledger-1".to_owned(), None),
            (
                key(2),
                "root (uid 0) on ledger-1".to_owned(),
                Some("lost passphrase")
            ),
        ]
    );
    assert_eq!(kim.os_user, user("kim", 1000), "who enrolled stays who enrolled");
    assert_eq!(kim.retired.as_ref().unwrap().why, "left");
}

#[test]
fn a_name_is_given_once_and_no_other_may_read_like_it() {
    let all = history();
    let refusal = |text: &str| all.enrol(name(text), user("eve", 7), key(9)).unwrap_err();
    assert_eq!(refusal("Lee"), OperatorRefusal::Enrolled(name("Lee")));
    assert_eq!(refusal("kim"), OperatorRefusal::GivenBefore(name("kim")));
    for alike in ["lee", "LEE", "Le-e", "L.e e"] {
        let like = name("Lee");
        assert_eq!(
            refusal(alike),
            OperatorRefusal::Alike {
                name: name(alike),
                like
            }
        );
    }
    for bad in ["Le\u{200b}e", "Zoe\u{202e}", "a  b", "a/b", "a;b"] {
        assert_eq!(refusal(bad), OperatorRefusal::BadName(name(bad)), "{bad}");
    }
    for good in ["Zoë", "李雷", "O'Hara", "kim@acme.example", "Lee 2"] {
        assert!(all.enrol(name(good), user("eve", 7), key(9)).is_ok(), "{good}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let all = history();
    let root = || user("root", 0);
    assert_eq!(
        all.replace_key(name("kim"), root(), key(9), "why"),
        Err(OperatorRefusal::Retired(name("kim")))
    );
    assert_eq!(
        all.retire(name("kim"), root(), "why"),
        Err(OperatorRefusal::Retired(name("kim")))
    );
    assert_eq!(
        all.retire(name("eve"), root(), "why"),
        Err(OperatorRefusal::Unknown(name("eve")))
    );
    assert_eq!(
        all.replace_key(name("Lee"), root(), key(9), " \n"),
        Err(OperatorRefusal::Blank)
    );
    // Neither a key of one's own from before, nor somebody else's.
    for known in [1, 2, 3] {
        assert_eq!(
            all.replace_key(name("Lee"), root(), key(known), "why"),
            Err(OperatorRefusal::KeyKnown)
        );
        assert_eq!(
            all.enrol(name("Zoë"), root(), key(known)),
            Err(OperatorRefusal::KeyKnown)
        );
    }
}

#[test]
fn an_event_that_nothing_of_ours_decides_changes_nothing_and_is_shown() {
    let enrolled = |text: &str, byte| OperatorEvent::OperatorEnrolled {
        name: name(text),
        os_user: user("eve", 7),
        public_key: key(byte),
        fingerprint: key(byte).fingerprint(),
    };
    let replaced = |text: &str, before: u8, byte| OperatorEvent::OperatorKeyReplaced {
        name: name(text),
        os_user: user("eve", 7),
        public_key: key(byte),
        fingerprint: key(byte).fingerprint(),
        replaced: key(before).fingerprint(),
        why: "because".into(),
        proof: None,
    };
    let mut false_fingerprint = enrolled("Zoë", 9);
    if let OperatorEvent::OperatorEnrolled { fingerprint, .. } = &mut false_fingerprint {
        *fingerprint = key(1).fingerprint();
    }
    let retired = OperatorEvent::OperatorRetired {
        name: name("eve"),
        os_user: user("eve", 7),
        why: "because".into(),
        proof: None,
    };
    for forged in [
        enrolled("Lee", 9),
        enrolled("kim", 9),
        enrolled("Zoë", 3),
        false_fingerprint,
        replaced("kim", 2, 9),
        replaced("Lee", 1, 9),
        replaced("Lee", 3, 1),
        replaced("eve", 3, 9),
        retired,
    ] {
        let before = history();
        let mut all = before.clone();
        all.apply(&entry(40, forged.clone()));
        assert!(all.iter().eq(before.iter()), "{forged:?}");
        assert_eq!(all.irregular().len(), 1, "{forged:?}");
    }
}

#[test]
fn a_user_of_the_operating_system_finds_the_operators_it_enrolled() {
    let all = history();
    let names = |os_user: OsUser| -> Vec<String> {
        let found: Vec<_> = all.enrolled_by(&os_user).collect();
        found.iter().map(|one| one.name.to_string()).collect()
    };
    assert_eq!(names(user("kim", 1000)), ["Lee"], "kim retired");
    let mut elsewhere = user("kim", 1000);
    elsewhere.host = Some("ledger-2".into());
    assert_eq!(names(elsewhere), ["Lee"], "the machine does not count");
    assert_eq!(names(user("kim", 1001)), [] as [&str; 0]);
    assert_eq!(names(user("kim2", 1000)), [] as [&str; 0]);
}

#[test]
fn keys_have_one_text_only() {
    let text = key(0xAB).to_string();
    assert_eq!((text.parse(), text.len()), (Ok(key(0xAB)), 64));
    for bad in [
        &text.to_uppercase(),
        &text[1..],
        &format!("{text}00"),
        " ",
        &"zz".repeat(32),
    ] {
        assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
    }
    // SHA-256 of 32 zero bytes begins so.
    assert_eq!(
        key(0).fingerprint().to_string(),
        "66687aadf862bd776c8fc18b8e9f8e20"
    );
}

#[test]
fn what_is_signed_tells_who_signed_it_and_from_where() {
    let statement = Statement::new("approve a rule set").fact("rule set", "12");
    let sign = |_: &[u8]| Signature::from_bytes([7; 64]);
    let proof = |from, enrolled_by| Proof::over(&statement, name("kim"), from, enrolled_by, key(1), sign);
    let own = proof(user("kim", 1000), None);
    assert_eq!(
        own.text(&statement),
        format!(
            "statement: approve a rule set\nrule set: 12\noperator: kim\nuid: 1000\nos user: kim\nhost: ledger-1\npublic key: {}\n",
            "01".repeat(32)
        )
    );
    let other = proof(user("root", 0), Some(user("kim", 1000)));
    assert!(
        other
            .text(&statement)
            .contains("uid: 0\nos user: root\nhost: ledger-1\nenrolled by uid: 1000\n")
    );
    assert_eq!(
        other.to_string(),
        "kim, from OS user root (uid 0) on ledger-1 (NOT the one who enrolled, kim (uid 1000) on ledger-1), key 72cd6e8422c407fb6d098690f1130b7d"
    );
}
