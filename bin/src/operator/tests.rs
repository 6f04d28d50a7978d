//! Whether a proof on record holds.

use chrono::{TimeZone as _, Utc};
use tieout_domain::ids::EventId;
use tieout_domain::journal::{Actor, Cause, Entry, Envelope};
use tieout_domain::operators::OperatorRefusal;
use tieout_domain::ports::Position;
use uuid::Uuid;

use super::*;

fn kim() -> PersonName {
    PersonName::new("kim").unwrap()
}

fn user(name: &str, uid: u32) -> OsUser {
    OsUser {
        uid,
        name: Some(name.into()),
        host: Some("ledger-1".into()),
    }
}

/// A key of kim's, unlocked.
fn signer() -> Signer {
    let passphrase = SecretString::from("correct horse battery staple");
    let (fields, _) = OperatorKey::create(&kim(), &passphrase).unwrap();
    OperatorKey::unlock(&kim(), &fields, &passphrase).unwrap()
}

fn happened(operators: &mut Operators, at: u64, event: Result<OperatorEvent, OperatorRefusal>) {
    let now = Utc.with_ymd_and_hms(2026, 11, 2, 6, 0, 0).unwrap();
    operators.apply(&Entry {
        event: event.unwrap(),
        id: EventId(Uuid::from_u128(at.into())),
        envelope: Envelope {
            schema: 1,
            recorded_at: now,
            effective_at: now,
            actor: Actor::Person { name: kim() },
            cause: Cause::Command {
                name: "operators add".into(),
            },
            build: "test".into(),
            parts: 0,
        },
        stream: OperatorEvent::stream(),
        revision: Revision(at),
        position: Position(at, at),
    });
}

fn signed(signer: Signer, os_user: OsUser, enrolled_by: Option<OsUser>) -> Proof {
    SignedIn {
        name: kim(),
        os_user,
        enrolled_by,
        signer,
    }
    .sign(&statement("12"))
}

fn statement(rules: &str) -> Statement {
    Statement::new("approve a rule set").fact("rule set", rules)
}

fn at(position: u64) -> At {
    At::Position(Position(position, position))
}

#[test]
fn a_proof_holds_for_its_statement_while_its_key_is_in_force() {
    let (first, second) = (signer(), signer());
    let (first_key, second_key) = (first.public_key(), second.public_key());
    let mut all = Operators::default();
    let enrolled = all.enrol(kim(), user("kim", 1000), first_key);
    happened(&mut all, 10, enrolled);
    let replaced = all.replace_key(kim(), user("root", 0), second_key, "lost");
    happened(&mut all, 20, replaced);
    let retired = all.retire(kim(), user("kim", 1000), "left");
    happened(&mut all, 30, retired);

    let old = signed(first, user("kim", 1000), None);
    let new = signed(second, user("kim", 1000), None);
    let verified = |proof: &Proof, position| verify_proof(&all, &statement("12"), proof, at(position));
    assert_eq!(verified(&old, 15), Ok(()));
    assert_eq!(verified(&new, 25), Ok(()));
    assert_eq!(verified(&old, 5), Err(ProofFault::NoKeyThen(kim())));
    assert_eq!(verified(&new, 35), Err(ProofFault::NoKeyThen(kim())));
    // Whoever still has the old key signs nothing with it that is recorded later, and nothing is dated back.
    assert_eq!(
        verified(&old, 25),
        Err(ProofFault::OtherKey {
            operator: kim(),
            used: first_key.fingerprint(),
            in_force: second_key.fingerprint(),
        })
    );
    assert!(verified(&new, 15).is_err());
    assert_eq!(
        verify_proof(&all, &statement("13"), &new, at(25)),
        Err(ProofFault::NotSigned(kim()))
    );
    assert_eq!(
        verify_proof(&Operators::default(), &statement("12"), &new, at(25)),
        Err(ProofFault::Unknown(kim()))
    );
}

#[test]
fn what_is_told_of_the_signer_is_signed_too_and_the_mark_cannot_be_left_out() {
    let signer = signer();
    let key = signer.public_key();
    let mut all = Operators::default();
    let enrolled = all.enrol(kim(), user("kim", 1000), key);
    happened(&mut all, 10, enrolled);
    let verified = |proof: &Proof| verify_proof(&all, &statement("12"), proof, at(15));
    let marked = signed(signer, user("root", 0), Some(user("kim", 1000)));
    assert_eq!(verified(&marked), Ok(()));

    let unmarked = Proof {
        enrolled_by: None,
        ..marked.clone()
    };
    assert_eq!(
        verified(&unmarked),
        Err(ProofFault::WrongMark {
            operator: kim(),
            os_user: user("root", 0)
        })
    );
    let moved = Proof {
        enrolled_by: None,
        os_user: user("kim", 1000),
        ..marked.clone()
    };
    assert_eq!(verified(&moved), Err(ProofFault::NotSigned(kim())));
    let mut elsewhere = marked;
    elsewhere.os_user.host = Some("ledger-2".into());
    assert_eq!(verified(&elsewhere), Err(ProofFault::NotSigned(kim())));
}

#[test]
fn a_proof_is_verified_from_its_json_too() {
    let signer = signer();
    let key = signer.public_key();
    let mut all = Operators::default();
    let enrolled = all.enrol(kim(), user("kim", 1000), key);
    happened(&mut all, 10, enrolled);
    let json = serde_json::to_string(&signed(signer, user("kim", 1000), None)).unwrap();
    let proof = serde_json::from_str(&json).unwrap();
    assert_eq!(verify_proof(&all, &statement("12"), &proof, At::Now), Ok(()));
}

#[test]
fn the_user_is_the_kernels() {
    let user = os_user();
    assert_eq!(user.uid, nix::unistd::getuid().as_raw());
    assert!(user.host.is_some());
}
