//! Operators, as processes: enrolled, signed in, replaced, retired; and what forging comes to.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::Utc;
use serde_json::Value;
use tempfile::TempDir;
use tieout::installation::{BUILD, Installation};
use tieout::operator::{Book, ProofFault, verify_proof};
use tieout::ports::SystemEntropy;
use tieout_domain::ids::PersonName;
use tieout_domain::journal::{Cause, Draft, Journal, Stamp};
use tieout_domain::operators::{At, OperatorEvent, OsUser, PublicKey};
use tieout_domain::ports::Expected;
use tieout_domain::workflow::person;
use tieout_vault::{KeySource, OperatorKey, Vault};

use crate::program::Run;

const KIM: &str = "kim's own long passphrase";
const LEE: &str = "lee's own long passphrase";

/// The program without anything of our own surroundings, with these variables.
fn tieout(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let run = Run::of(output);
    run.tells_none_of(&[KIM, LEE]);
    run
}

struct House(TempDir);
impl House {
    /// A fresh installation.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        tieout(folder.path(), &["init", "--name", "acme"], &[]).ended_with(0);
        Self(folder)
    }
    /// With these enrolled, each under their own passphrase.
    fn with(operators: &[(&str, &str)]) -> Self {
        let house = Self::new();
        for (name, passphrase) in operators {
            house.operators(&["add", name], passphrase).ended_with(0);
        }
        house
    }
    /// `tieout --json operators …`, with this as the operator's passphrase.
    fn operators(&self, args: &[&str], passphrase: &str) -> Run {
        let args = [&["--json", "operators"], args].concat();
        tieout(
            self.0.path(),
            &args,
            &[("TIEOUT_OPERATOR_PASSPHRASE", passphrase)],
        )
    }
    fn list(&self, status: i32) -> Value {
        tieout(self.0.path(), &["--json", "operators"], &[])
            .ended_with(status)
            .json()
    }
    fn words(&self, status: i32) -> String {
        tieout(self.0.path(), &["operators"], &[])
            .ended_with(status)
            .stdout
    }
    fn vault(&self) -> Vault {
        let key = KeySource::File(self.0.path().join("tieout.key"));
        Vault::open(&self.0.path().join("tieout.vault"), &key).unwrap()
    }
    async fn installation(&self) -> Installation {
        Installation::open(&self.0.path().join("tieout.toml"))
            .await
            .unwrap()
    }
    /// Appends an event as somebody who may write the log, past every command.
    async fn append(&self, event: OperatorEvent) {
        let installation = self.installation().await;
        let people = installation.people();
        let stamp = Stamp {
            actor: person(name("kim")),
            cause: Cause::Command {
                name: "operators add".into(),
            },
        };
        let draft = Draft {
            event,
            effective_at: Utc::now(),
            subject: None,
        };
        Journal::new(
            installation.log.as_ref(),
            &installation.clock,
            &SystemEntropy,
            people,
            BUILD,
        )
        .append(&OperatorEvent::stream(), Expected::Any, &stamp, vec![draft])
        .await
        .unwrap();
    }
}

fn name(text: &str) -> PersonName {
    PersonName::new(text).unwrap()
}

fn my_uid() -> u64 {
    u64::from(nix::unistd::getuid().as_raw())
}

#[test]
fn an_operator_is_enrolled_listed_and_signs_in() {
    let house = House::new();
    assert_eq!(house.list(0)["operators"], Value::Array(Vec::new()));
    let enrolled = house.operators(&["add", "kim"], KIM).ended_with(0).json();
    assert_eq!(
        (&enrolled["decided"], &enrolled["os_user"]["uid"]),
        (&"enrolled".into(), &my_uid().into())
    );
    let listed = house.list(0);
    let kim = &listed["operators"][0];
    assert_eq!(kim["fingerprint"], enrolled["fingerprint"]);
    assert_eq!(
        [&kim["operator"], &kim["state"], &kim["key_in_vault"]],
        ["kim", "active", "in_force"]
    );
    assert!(house.words(0).contains("yes"));

    // The one that this user of the operating system enrolled is meant where none is named.
    for args in [&["check"][..], &["check", "--operator", "kim"]] {
        let checked = house.operators(args, KIM).ended_with(0).json();
        assert_eq!(checked["fingerprint"], enrolled["fingerprint"]);
        assert_eq!(checked["enrolled_by"], Value::Null);
    }
    // What no variable of the environment changes.
    let env = [
        ("TIEOUT_OPERATOR_PASSPHRASE", KIM),
        ("USER", "mallory"),
        ("LOGNAME", "mallory"),
        ("SUDO_UID", "4242"),
    ];
    let checked = tieout(house.0.path(), &["--json", "operators", "check"], &env).ended_with(0);
    assert_eq!(checked.json()["os_user"], enrolled["os_user"]);

    // The passphrase is nowhere, and the vault's list says whose set that is.
    let sets = tieout(house.0.path(), &["credentials"], &[]).ended_with(0).stdout;
    assert!(
        sets.contains("(an operator)") && sets.contains("operator/kim"),
        "{sets}"
    );
    for file in ["tieout.vault", "tieout.db", "tieout.toml"] {
        let bytes = fs::read(house.0.path().join(file)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(KIM), "{file}");
    }
}

#[test]
fn a_passphrase_comes_from_standard_input_too_and_is_never_asked_of_nobody() {
    let house = House::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(["operators", "add", "kim", "--passphrase-stdin"])
        .current_dir(house.0.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{KIM}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    house.operators(&["check"], KIM).ended_with(0);
}

#[test]
fn a_wrong_passphrase_signs_nobody_in() {
    let house = House::with(&[("kim", KIM)]);
    house
        .operators(&["check"], LEE)
        .refused_with(2, "this is not the passphrase of operator kim");
    house
        .operators(&["retire", "kim", "--why", "x", "--signed-by", "kim"], LEE)
        .refused_with(2, "not the passphrase");
    assert_eq!(house.list(0)["operators"][0]["state"], "active");
}

#[test]
fn who_signs_must_be_known() {
    let house = House::new();
    house
        .operators(&["check"], KIM)
        .refused_with(2, "enrolled no operator");
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .refused_with(2, "no operator is called `kim`");
    house.operators(&["add", "kim"], KIM).ended_with(0);
    house.operators(&["add", "lee"], LEE).ended_with(0);
    house.operators(&["check"], KIM).refused_with(2, "kim, lee");
    // The right name with the passphrase of another operator of the same vault.
    house
        .operators(&["check", "--operator", "lee"], KIM)
        .refused_with(2, "not the passphrase of operator lee");
    house
        .operators(&["check", "--operator", "lee"], LEE)
        .ended_with(0);
}

#[test]
fn a_name_is_given_once_and_nothing_that_reads_like_it() {
    let house = House::with(&[("kim", KIM)]);
    let add = |name: &str| {
        let run = house.operators(&["add", name], LEE);
        assert_eq!(run.stdout, "");
        (run.status, run.stderr)
    };
    for (name, status, words) in [
        ("kim", 1, "enrolled already"),
        ("KIM", 1, "reads like kim"),
        ("k\u{200b}im", 2, "cannot be an operator's name"),
        ("", 2, "blank"),
    ] {
        let (ended, said) = add(name);
        assert!(ended == status && said.contains(words), "{name}: {ended} {said}");
    }
    house.operators(&["add", "lee"], "too short").ended_with(2);
    assert_eq!(house.list(0)["operators"].as_array().unwrap().len(), 1);
    house.operators(&["check"], KIM).ended_with(0);
}

#[test]
fn a_replaced_key_is_seen_for_ever_with_why_and_whether_anybody_vouched() {
    let house = House::with(&[("kim", KIM), ("lee", LEE)]);
    let before = house.list(0)["operators"][0]["fingerprint"].clone();
    house
        .operators(&["replace-key", "kim", "--why", " "], KIM)
        .refused_with(2, "the reason is blank");

    // The passphrase is lost: nobody vouches.
    let env = [("TIEOUT_OPERATOR_NEW_PASSPHRASE", "kim's second passphrase")];
    let args = ["--json", "operators", "replace-key", "kim", "--why", "lost it"];
    let second = tieout(house.0.path(), &args, &env).ended_with(0).json();
    assert_eq!(second["signed_by"], Value::Null);
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .refused_with(2, "not the passphrase");
    // Another operator vouches for the next one.
    let env = [
        ("TIEOUT_OPERATOR_PASSPHRASE", LEE),
        ("TIEOUT_OPERATOR_NEW_PASSPHRASE", KIM),
    ];
    let args = [
        "--json",
        "operators",
        "replace-key",
        "kim",
        "--why",
        "lent it",
        "--signed-by",
        "lee",
    ];
    let third = tieout(house.0.path(), &args, &env).ended_with(0).json();
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .ended_with(0);

    let listed = house.list(0);
    let kim = &listed["operators"][0];
    let of_keys = |field: &str| -> Vec<Value> {
        let keys = kim["keys"].as_array().unwrap();
        keys.iter().map(|key| key[field].clone()).collect()
    };
    assert_eq!(
        of_keys("fingerprint"),
        [
            before,
            second["fingerprint"].clone(),
            third["fingerprint"].clone()
        ]
    );
    assert_eq!(of_keys("why"), [Value::Null, "lost it".into(), "lent it".into()]);
    let signed = of_keys("signed");
    assert_eq!(signed[..2], [Value::Null, Value::Null]);
    assert_eq!(
        (&signed[2]["by"], &signed[2]["holds"]),
        (&"lee".into(), &true.into())
    );
    let text = signed[2]["text"].as_str().unwrap();
    assert!(
        text.starts_with("tieout operator statement 1\nstatement: replace an operator's key\n")
            && text.contains("\nwhy: lent it\noperator: lee\nuid: "),
        "{text}"
    );
    assert_eq!(kim["key_in_vault"], "in_force");
    let words = house.words(0);
    for told in [
        "key replaced 2 times",
        "NO operator vouches for it. Why: lost it",
        "signed by lee, from OS user",
        "Why: lent it",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
}

#[test]
fn an_operator_who_retired_signs_no_more_and_the_name_is_never_given_again() {
    let house = House::with(&[("kim", KIM)]);
    let retire = ["retire", "kim", "--why", "left", "--signed-by", "kim"];
    let kept = house
        .vault()
        .get(&OperatorKey::set_name(&name("kim")).unwrap())
        .unwrap();
    let retired = house.operators(&retire, KIM).ended_with(0).json();
    assert_eq!(retired["signed_by"], "kim");
    // Who kept a copy of the key gains nothing by it.
    house
        .vault()
        .put(&OperatorKey::set_name(&name("kim")).unwrap(), &kept, Utc::now())
        .unwrap();
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .refused_with(1, "retired on");
    house
        .operators(&["check"], KIM)
        .refused_with(2, "enrolled no operator");
    house.operators(&["add", "kim"], KIM).ended_with(1);
    house.operators(&retire[..4], KIM).refused_with(1, "has retired");
    let listed = house.list(0);
    let kim = &listed["operators"][0];
    assert_eq!(
        [
            &kim["state"],
            &kim["retired"]["why"],
            &kim["retired"]["signed"]["by"]
        ],
        ["retired", "left", "kim"]
    );
}

#[test]
fn a_key_that_somebody_put_into_the_vault_is_not_the_operators() {
    let house = House::with(&[("kim", KIM), ("lee", LEE)]);
    let set = |who: &str| OperatorKey::set_name(&name(who)).unwrap();
    // Whoever opens the vault can make a key in kim's name, under a passphrase of their own …
    let (forged, _) = OperatorKey::create(&name("kim"), &"mallory's own passphrase".into()).unwrap();
    house.vault().put(&set("kim"), &forged, Utc::now()).unwrap();
    house
        .operators(&["check", "--operator", "kim"], "mallory's own passphrase")
        .refused_with(1, "somebody swapped it");
    let listed = house.list(1);
    assert_eq!(listed["operators"][0]["key_in_vault"], "another");
    assert_eq!(listed["faults"].as_array().unwrap().len(), 1);
    assert!(house.words(1).contains("THIS DOES NOT HOLD"));
    // … or move lee's there …
    let moved = house.vault().get(&set("lee")).unwrap();
    house.vault().put(&set("kim"), &moved, Utc::now()).unwrap();
    house
        .operators(&["check", "--operator", "kim"], LEE)
        .refused_with(1, "is that of lee");
    // … or take it away.
    house.vault().remove(&set("kim")).unwrap();
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .refused_with(2, "holds no key of operator kim");
    assert_eq!(house.list(0)["operators"][0]["key_in_vault"], "absent");
    // Another key mends each of them, and everybody sees it.
    let env = [("TIEOUT_OPERATOR_NEW_PASSPHRASE", KIM)];
    let args = [
        "operators",
        "replace-key",
        "kim",
        "--why",
        "the vault was tampered with",
    ];
    tieout(house.0.path(), &args, &env).ended_with(0);
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .ended_with(0);
    assert!(house.words(0).contains("key replaced once"));
}

#[tokio::test]
async fn whoever_writes_the_log_past_every_command_changes_no_key_and_is_seen() {
    let house = House::with(&[("kim", KIM)]);
    let key = PublicKey::from_bytes([9; 32]);
    let os_user = OsUser {
        uid: 0,
        name: Some("root".into()),
        host: None,
    };
    house
        .append(OperatorEvent::OperatorEnrolled {
            name: name("kim"),
            os_user,
            public_key: key,
            fingerprint: key.fingerprint(),
        })
        .await;
    let listed = house.list(1);
    assert!(
        listed["faults"][0].as_str().unwrap().contains("enrolled before"),
        "{listed}"
    );
    house.operators(&["check"], KIM).ended_with(0);
}

#[tokio::test]
async fn a_signature_that_does_not_hold_is_seen() {
    let house = House::with(&[("kim", KIM), ("lee", LEE)]);
    house
        .operators(&["retire", "kim", "--why", "left", "--signed-by", "lee"], LEE)
        .ended_with(0);
    let book = Book::read(&house.installation().await).await.unwrap();
    let retired = book.operators.get(&name("kim")).unwrap().retired.clone().unwrap();
    let proof = retired.proof.unwrap();
    // Lee's signature under kim's end, shown as one under lee's own.
    let forged = OperatorEvent::OperatorRetired {
        name: name("lee"),
        os_user: retired.os_user,
        why: "left".into(),
        proof: Some(proof.clone()),
    };
    let statement = forged.statement().unwrap();
    assert_eq!(
        verify_proof(&book.operators, &statement, &proof, At::Now),
        Err(ProofFault::NotSigned(name("lee")))
    );
    house.append(forged).await;
    let words = house.words(1);
    assert!(
        words.contains("with a signature of lee that DOES NOT HOLD"),
        "{words}"
    );
}

#[tokio::test]
async fn another_user_of_the_operating_system_is_refused_unless_that_is_recorded() {
    let house = House::new();
    // Enrolled by a user that this process is not; the key is in the vault all the same.
    let (fields, public_key) = OperatorKey::create(&name("kim"), &KIM.into()).unwrap();
    let set = OperatorKey::set_name(&name("kim")).unwrap();
    house.vault().put(&set, &fields, Utc::now()).unwrap();
    house
        .append(OperatorEvent::OperatorEnrolled {
            name: name("kim"),
            os_user: OsUser {
                uid: 4_242,
                name: Some("kim".into()),
                host: Some("ledger-1".into()),
            },
            public_key,
            fingerprint: public_key.fingerprint(),
        })
        .await;
    house
        .operators(&["check", "--operator", "kim"], KIM)
        .refused_with(
            2,
            "was enrolled by OS user kim (uid 4242) on ledger-1, and this is",
        );
    let run = house
        .operators(&["check", "--operator", "kim", "--other-os-user"], KIM)
        .ended_with(0);
    assert!(
        run.stderr
            .contains("NOT the one who enrolled: kim (uid 4242) on ledger-1"),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["enrolled_by"]["uid"], 4_242);

    let retire = ["retire", "kim", "--why", "left", "--signed-by", "kim"];
    house
        .operators(&[&retire[..], &["--other-os-user"]].concat(), KIM)
        .ended_with(0);
    let words = house.words(0);
    assert!(
        words.contains("(NOT the one who enrolled, kim (uid 4242) on ledger-1)"),
        "{words}"
    );
}

#[test]
fn an_enrolment_that_was_cut_short_is_done_again() {
    let house = House::new();
    // The vault was written, and the log was not.
    let (fields, _) = OperatorKey::create(&name("kim"), &LEE.into()).unwrap();
    let set = OperatorKey::set_name(&name("kim")).unwrap();
    house.vault().put(&set, &fields, Utc::now()).unwrap();
    house
        .operators(&["check", "--operator", "kim"], LEE)
        .refused_with(2, "no operator is called");
    house.operators(&["add", "kim"], KIM).ended_with(0);
    house.operators(&["check"], KIM).ended_with(0);
}
