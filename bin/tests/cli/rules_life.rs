//! The life of a rule set as processes: proposed by one operator, tried on history, approved by another, active with the
//! next cycle; and a word that nobody signed.

use std::fs;

use serde_json::Value;
use tieout::config::Config;
use tieout::installation::{BUILD, Installation};
use tieout::ports::{SystemClock, SystemEntropy};
use tieout_domain::ids::PersonName;
use tieout_domain::journal::{Cause, Draft, Journal, Stamp, Streams};
use tieout_domain::operators::Proof;
use tieout_domain::ports::Expected;
use tieout_domain::rules::{RuleSetHash, RuleSetVersion, RulesEvent};
use tieout_domain::workflow::person;
use tieout_store::SqliteLog;

use crate::program::{Run, Sandbox};

/// The stand-ins with an installation for them, and two operators.
struct House(Sandbox);

impl House {
    fn new() -> Self {
        let house = Self(Sandbox::start());
        for operator in ["kim", "lee"] {
            house
                .tieout(operator, &["operators", "add", operator])
                .ended_with(0);
        }
        house
    }

    /// The program, with this operator at the keyboard.
    fn tieout(&self, operator: &str, args: &[&str]) -> Run {
        self.typing(operator, &format!("{operator}'s own long passphrase"), args)
    }

    /// The same, with whatever passphrase is typed.
    fn typing(&self, operator: &str, passphrase: &str, args: &[&str]) -> Run {
        let env = [
            ("TIEOUT_OPERATOR", operator),
            ("TIEOUT_OPERATOR_PASSPHRASE", passphrase),
        ];
        self.0.run(args, &env)
    }

    fn json(&self, operator: &str, args: &[&str]) -> Value {
        let args = [&["--json"], args].concat();
        self.tieout(operator, &args).ended_with(0).json()
    }

    /// The configured rule file, changed.
    fn change_the_file(&self, from: &str, to: &str) {
        let path = self.0.file("home/rules.toml");
        let rules = fs::read_to_string(&path).unwrap();
        assert!(rules.contains(from));
        fs::write(path, rules.replace(from, to)).unwrap();
    }

    fn in_force(&self) -> (u64, String) {
        let list = self.json("kim", &["rules", "list"]);
        let active = &list["active"];
        (
            active["number"].as_u64().unwrap(),
            active["hash"].as_str().unwrap().to_owned(),
        )
    }
}

#[test]
fn two_people_bring_a_set_into_force_and_each_step_is_signed() {
    let house = House::new();
    let first = house.in_force();
    house
        .tieout("kim", &["rules", "mode", "two-people", "--why", "we are two"])
        .ended_with(0);

    // A changed file alone changes nothing, and is told as what nobody proposed.
    house.change_the_file("account = \"6410\"", "account = \"6420\"");
    let synced = house.tieout("kim", &["--json", "sync"]);
    assert_eq!(synced.json()[0]["rules"]["hash"].as_str(), Some(first.1.as_str()));
    let listed = house.tieout("kim", &["rules", "list"]).ended_with(0).stdout;
    assert!(listed.contains("which nobody proposed"), "{listed}");

    let proposed = house.json("kim", &["rules", "propose", "--why", "airfare goes to lodging"]);
    let hash = proposed["hash"].as_str().unwrap().to_owned();
    assert_eq!(proposed["state"], "proposed");
    let early = ["rules", "approve", &hash, "--why", "go", "--submits-nothing"];
    let refused = house.tieout("lee", &early).ended_with(1);
    assert!(
        refused.stderr.contains("tieout rules backtest"),
        "{}",
        refused.stderr
    );

    house
        .tieout("kim", &["rules", "backtest", &hash, "--record"])
        .ended_with(0);
    let own = house.tieout("kim", &early).ended_with(1);
    assert!(own.stderr.contains("cannot approve it"), "{}", own.stderr);
    // kim's passphrase is not lee's.
    house
        .typing("lee", "kim's own long passphrase", &early)
        .ended_with(2);
    let approved = house.json(
        "lee",
        &[
            "rules",
            "approve",
            &hash,
            "--why",
            "looked at the page",
            "--submits-as",
            "lee@larkfield.example",
        ],
    );
    assert_eq!(approved["approved"]["approver"], "lee");
    assert_eq!(approved["approved"]["alone"], false);

    let ordered = house.tieout("kim", &["rules", "activate", &hash[..12], "--replay"]);
    assert_eq!(ordered.status, 0, "{}", ordered.stderr);
    assert_eq!(house.in_force(), first, "not within a cycle");
    let synced = house.tieout("kim", &["--json", "sync"]).json();
    assert_eq!(
        synced[0]["rules"]["hash"].as_str(),
        Some(hash.as_str()),
        "{synced:#}"
    );
    assert_eq!(house.in_force(), (first.0 + 1, hash));

    let history = house.json("kim", &["rules", "history"]);
    let signed: Vec<(&str, &Value)> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["actor"]["name"] == "kim" || event["actor"]["name"] == "lee")
        .map(|event| {
            (
                event["event"]["type"].as_str().unwrap(),
                &event["signature"]["holds"],
            )
        })
        .collect();
    assert_eq!(
        signed,
        [
            ("ApprovalModeChosen", &Value::Bool(true)),
            ("RuleSetProposed", &Value::Bool(true)),
            ("RuleSetApproved", &Value::Bool(true)),
            ("ActivationOrdered", &Value::Bool(true)),
        ]
    );
    let diff = house
        .tieout("kim", &["rules", "diff", &first.1, "active"])
        .ended_with(0)
        .stdout;
    assert!(
        diff.contains("- set.account = \"6410\"") && diff.contains("+ set.account = \"6420\""),
        "{diff}"
    );
}

#[test]
fn a_set_that_is_declined_or_unknown_goes_nowhere() {
    let house = House::new();
    house.change_the_file("account = \"6410\"", "account = \"6420\"");
    let hash = house.json("kim", &["rules", "propose", "--why", "a trial"])["hash"]
        .as_str()
        .unwrap()
        .to_owned();
    house
        .tieout("lee", &["rules", "decline", &hash, "--why", "not this year"])
        .ended_with(0);
    let refused = house.tieout("kim", &["rules", "activate", &hash]).ended_with(1);
    assert!(refused.stderr.contains("is declined"), "{}", refused.stderr);
    let unknown = house.tieout("kim", &["rules", "activate", "0000"]).ended_with(2);
    assert!(unknown.stderr.contains("tieout rules list"), "{}", unknown.stderr);
    let blank = house
        .tieout("kim", &["rules", "propose", "--why", " "])
        .ended_with(2);
    assert!(blank.stderr.contains("--why is blank"), "{}", blank.stderr);
}

#[tokio::test]
async fn without_a_set_in_force_reports_are_captured_and_wait_and_that_is_said() {
    let house = House::new();
    for name in ["tieout.db", "tieout.db-wal", "tieout.db-shm"] {
        let _ = fs::remove_file(house.0.file(&format!("home/{name}")));
    }
    drop(SqliteLog::open(house.0.file("home/tieout.db")).unwrap());
    let cycles = house.tieout("kim", &["--json", "sync"]).ended_with(1).json();
    let cycle = &cycles[0];
    assert!(cycle["rules"].is_null(), "{cycle:#}");
    assert!(cycle["captured"].as_u64() > Some(100), "{cycle:#}");
    assert_eq!(
        (&cycle["mapped"], &cycle["posted"], &cycle["stages"]["discovered"]),
        (&Value::from(0), &Value::from(0), &cycle["captured"])
    );
    let warnings = cycle["warnings"].to_string();
    assert!(warnings.contains("no rule set is in force"), "{warnings}");
    let dry = house.tieout("kim", &["sync", "--dry-run"]).ended_with(1);
    assert!(dry.stderr.contains("no rule set is in force"), "{}", dry.stderr);
    // A draft can be looked at before anything is approved.
    house
        .tieout(
            "kim",
            &["--json", "sync", "--dry-run", "--rules", "home/rules.toml"],
        )
        .json();
}

/// Whoever can write the log can write anything into it; the history says what nobody vouches for.
#[tokio::test]
async fn a_word_that_somebody_else_signed_or_nobody_is_told_as_such() {
    let house = House::new();
    house.change_the_file("account = \"6410\"", "account = \"6420\"");
    let hash = house.json("kim", &["rules", "propose", "--why", "a trial"])["hash"]
        .as_str()
        .unwrap()
        .to_owned();
    house.tieout("kim", &["rules", "history"]).ended_with(0);

    let config = Config::read(&house.0.file("home/tieout.toml")).unwrap();
    let installation = Installation::open_at(config, SystemClock::new()).await.unwrap();
    let connection = installation.config.connection[0].id;
    let stream = Streams(connection).rules();
    let (entries, _) = installation.reader().stream::<RulesEvent>(&stream).await.unwrap();
    let kims = entries.last().unwrap().event.clone();
    let (RulesEvent::RuleSetProposed { proof, .. }, name) = (&kims, |name| PersonName::new(name).unwrap())
    else {
        panic!("{kims:?}");
    };
    let decline = |proof: Option<Proof>| RulesEvent::RuleSetDeclined {
        hash: RuleSetHash::of_version(&RuleSetVersion {
            number: 0,
            hash: hash.clone(),
        }),
        person: name("lee"),
        why: "forged".into(),
        proof,
    };
    for (forged, told) in [
        (
            decline(proof.clone()),
            "given as the word of lee, and signed by kim",
        ),
        (decline(None), "not signed, though operators were enrolled"),
        (
            RulesEvent::RuleSetProposed {
                hash: RuleSetHash::of_version(&RuleSetVersion {
                    number: 0,
                    hash: hash.clone(),
                }),
                content: String::new(),
                author: name("kim"),
                why: "another why".into(),
                proof: proof.clone(),
            },
            "is not over this statement",
        ),
    ] {
        let clock = SystemClock::new();
        let journal = Journal::new(
            installation.log.as_ref(),
            &clock,
            &SystemEntropy,
            installation.people(),
            BUILD,
        );
        let stamp = Stamp {
            actor: person(name("lee")),
            cause: Cause::Command {
                name: "forged".into(),
            },
        };
        let draft = Draft {
            event: forged,
            effective_at: chrono::Utc::now(),
            subject: None,
        };
        journal
            .append(&stream, Expected::Any, &stamp, vec![draft])
            .await
            .unwrap();
        let history = house.tieout("kim", &["rules", "history"]).ended_with(1);
        let last = history.stdout.lines().last().unwrap().to_owned();
        assert!(last.contains("DOES NOT HOLD") && last.contains(told), "{last}");
    }
}
