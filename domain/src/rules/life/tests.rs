//! Given this life so far, when this is asked, then these events or this refusal.

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::*;
use crate::ids::{ConnectionId, PersonName, SubjectId};
use crate::operators::{OsUser, Proof, PublicKey, Signature};
use crate::ports::Leaf;
use crate::rules::{RuleSetHash, RuleSetVersion};

fn person(name: &str) -> PersonName {
    PersonName::new(name).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The n-th content there is.
fn hash(n: u8) -> RuleSetHash {
    RuleSetHash::of_version(&version(0, n))
}

fn version(number: u64, n: u8) -> RuleSetVersion {
    RuleSetVersion {
        number,
        hash: format!("{n:02x}").repeat(32),
    }
}

fn proof(operator: &str) -> Proof {
    Proof {
        operator: person(operator),
        os_user: OsUser {
            uid: 1_000,
            name: Some(operator.to_owned()),
            host: None,
        },
        enrolled_by: None,
        public_key: PublicKey::from_bytes([1; 32]),
        signature: Signature::from_bytes([2; 64]),
    }
}

fn backtest(against: Option<RuleSetVersion>, result: &str) -> Backtest {
    Backtest {
        span: Span {
            from: NaiveDate::from_ymd_opt(2026, 10, 1),
            to: NaiveDate::from_ymd_opt(2026, 10, 31),
        },
        chart: ChartOf::Then,
        against,
        read_to: Some(Leaf(4_711)),
        counts: Counts {
            reports: 405,
            newly_mapped: 12,
            documents_changed: 3,
            ..Counts::default()
        },
        result: StatementHash(result.to_owned()),
    }
}

fn proposed(n: u8, author: &str) -> RulesEvent {
    RulesEvent::RuleSetProposed {
        hash: hash(n),
        content: format!("# {n}\n"),
        author: person(author),
        why: "lodging of the new plant".into(),
        proof: Some(proof(author)),
    }
}

fn backtested(n: u8, backtest: Backtest) -> RulesEvent {
    RulesEvent::RuleSetBacktested {
        hash: hash(n),
        backtest,
    }
}

fn approved(n: u8, by: &str, backtest: &Backtest, alone: bool) -> RulesEvent {
    RulesEvent::RuleSetApproved {
        hash: hash(n),
        statement: statement_of(&hash(n), backtest),
        approver: Approver {
            name: person(by),
            subject: Some(SubjectId(uuid::Uuid::from_u128(7))),
        },
        why: "as asked".into(),
        alone,
        proof: Some(proof(by)),
    }
}

fn ordered(n: u8, from: &str) -> RulesEvent {
    RulesEvent::ActivationOrdered {
        hash: hash(n),
        from: at(from),
        replay: false,
        person: person("lee"),
        proof: Some(proof("lee")),
    }
}

fn activated(number: u64, n: u8) -> RulesEvent {
    RulesEvent::RuleSetActivated {
        version: version(number, n),
        content: format!("# {n}\n"),
        replay: false,
    }
}

fn retired(number: u64, n: u8) -> RulesEvent {
    RulesEvent::RuleSetRetired {
        version: version(number, n),
        superseded_by: number + 1,
    }
}

fn one_person() -> RulesEvent {
    RulesEvent::ApprovalModeChosen {
        mode: ApprovalMode::OnePerson,
        person: person("kim"),
        why: "there is nobody else".into(),
        proof: Some(proof("kim")),
    }
}

/// One event of each kind, for the golden files.
pub(crate) fn samples() -> Vec<(&'static str, RulesEvent)> {
    let tried = backtest(Some(version(2, 1)), "ef");
    vec![
        ("RuleSetProposed", proposed(3, "kim")),
        ("RuleSetBacktested", backtested(3, tried.clone())),
        ("RuleSetApproved", approved(3, "lee", &tried, false)),
        (
            "RuleSetDeclined",
            RulesEvent::RuleSetDeclined {
                hash: hash(3),
                person: person("lee"),
                why: "meals of guests are missing".into(),
                proof: Some(proof("lee")),
            },
        ),
        ("ActivationOrdered", ordered(3, "2026-12-01T00:00:00Z")),
        (
            "ActivationRefused",
            RulesEvent::ActivationRefused {
                hash: hash(3),
                why: "history has grown".into(),
            },
        ),
        ("RuleSetRetired", retired(2, 1)),
        ("ApprovalModeChosen", one_person()),
    ]
}

fn given(events: &[RulesEvent]) -> RuleSets {
    RuleSets::fold(events)
}

fn propose(n: u8, author: &str) -> RulesCommand {
    match proposed(n, author) {
        RulesEvent::RuleSetProposed {
            hash,
            content,
            author,
            why,
            proof,
        } => RulesCommand::Propose {
            hash,
            content,
            author,
            why,
            proof,
        },
        other => panic!("{other:?}"),
    }
}

fn approve(n: u8, by: &str, backtest: &Backtest) -> RulesCommand {
    match approved(n, by, backtest, false) {
        RulesEvent::RuleSetApproved {
            hash,
            statement,
            approver,
            why,
            proof,
            ..
        } => RulesCommand::Approve {
            hash,
            statement,
            approver,
            why,
            proof,
        },
        other => panic!("{other:?}"),
    }
}

fn order(n: u8, from: &str) -> RulesCommand {
    RulesCommand::OrderActivation {
        hash: hash(n),
        from: at(from),
        replay: false,
        person: person("lee"),
        proof: Some(proof("lee")),
    }
}

fn refusal(given: &RuleSets, command: RulesCommand) -> String {
    decide_rules(given, command).expect_err("allowed").to_string()
}

const NOON: &str = "2026-12-01T12:00:00Z";

#[test]
fn the_walk_of_a_rule_set_from_its_proposal_to_its_successor() {
    let first = backtest(None, "aa");
    let mut life: Vec<RulesEvent> = Vec::new();
    let mut then = |command: RulesCommand, expected: &[RulesEvent]| {
        let events = decide_rules(&RuleSets::fold(&life), command).expect("allowed");
        assert_eq!(events, expected);
        life.extend(events);
        RuleSets::fold(&life)
    };
    then(propose(1, "kim"), &[proposed(1, "kim")]);
    let record = RulesCommand::RecordBacktest {
        hash: hash(1),
        backtest: first.clone(),
    };
    then(record, &[backtested(1, first.clone())]);
    then(approve(1, "lee", &first), &[approved(1, "lee", &first, false)]);
    then(order(1, NOON), &[ordered(1, NOON)]);
    let activate = RulesCommand::Activate {
        hash: hash(1),
        now: first.clone(),
    };
    let sets = then(activate, &[activated(1, 1)]);
    assert_eq!(sets.active().unwrap().version, version(1, 1));
    assert!(sets.ordered().is_none(), "an order is carried out once");

    let second = backtest(Some(version(1, 1)), "bb");
    then(propose(2, "lee"), &[proposed(2, "lee")]);
    then(
        RulesCommand::RecordBacktest {
            hash: hash(2),
            backtest: second.clone(),
        },
        &[backtested(2, second.clone())],
    );
    then(approve(2, "kim", &second), &[approved(2, "kim", &second, false)]);
    then(order(2, NOON), &[ordered(2, NOON)]);
    let sets = then(
        RulesCommand::Activate {
            hash: hash(2),
            now: second,
        },
        &[activated(2, 2), retired(1, 1)],
    );
    assert_eq!(
        sets.get(&hash(1)).unwrap().stage,
        RuleSetStage::Retired(version(1, 1))
    );
    assert_eq!(
        sets.active().unwrap().approver.as_ref().unwrap().name,
        person("kim")
    );
}

#[test]
fn nobody_approves_what_they_proposed_not_even_when_somebody_else_proposed_it_again() {
    let tried = backtest(None, "aa");
    let decline = RulesEvent::RuleSetDeclined {
        hash: hash(1),
        person: person("max"),
        why: "not yet".into(),
        proof: None,
    };
    let sets = given(&[
        proposed(1, "kim"),
        decline,
        proposed(1, "lee"),
        backtested(1, tried.clone()),
    ]);
    for author in ["kim", "lee"] {
        let said = refusal(&sets, approve(1, author, &tried));
        assert!(said.starts_with(&format!("{author} proposed rule set")), "{said}");
        assert!(said.contains("tieout rules mode one-person"), "{said}");
    }
    assert!(decide_rules(&sets, approve(1, "max", &tried)).is_ok());
}

#[test]
fn one_person_alone_may_approve_once_that_is_chosen_by_name_and_the_approval_says_so() {
    let tried = backtest(None, "aa");
    let sets = given(&[one_person(), proposed(1, "kim"), backtested(1, tried.clone())]);
    let events = decide_rules(&sets, approve(1, "kim", &tried)).unwrap();
    assert_eq!(events, [approved(1, "kim", &tried, true)]);
    let other = decide_rules(&sets, approve(1, "lee", &tried)).unwrap();
    assert_eq!(
        other,
        [approved(1, "lee", &tried, false)],
        "two people are two people"
    );
}

#[test]
fn what_was_not_tried_on_history_is_not_approved_and_what_was_tried_again_is_looked_at_again() {
    let (first, second) = (backtest(None, "aa"), backtest(None, "bb"));
    let untried = given(&[proposed(1, "kim")]);
    assert!(refusal(&untried, approve(1, "lee", &first)).contains("tieout rules backtest"));
    let again = given(&[
        proposed(1, "kim"),
        backtested(1, first.clone()),
        backtested(1, second.clone()),
    ]);
    assert!(refusal(&again, approve(1, "lee", &first)).contains("was backtested again since"));
    assert!(decide_rules(&again, approve(1, "lee", &second)).is_ok());
}

#[test]
fn an_approval_stands_while_a_backtest_says_the_same_and_falls_when_it_does_not() {
    let tried = backtest(None, "aa");
    let sets = given(&[
        proposed(1, "kim"),
        backtested(1, tried.clone()),
        approved(1, "lee", &tried, false),
    ]);
    let later = |result: &str| RulesCommand::RecordBacktest {
        hash: hash(1),
        backtest: Backtest {
            read_to: Some(Leaf(9_999)),
            ..backtest(None, result)
        },
    };
    assert_eq!(decide_rules(&sets, later("aa")), Ok(Vec::new()));
    let events = decide_rules(&sets, later("bb")).unwrap();
    let sets = events.iter().fold(sets, RuleSets::evolve);
    assert_eq!(sets.get(&hash(1)).unwrap().stage.name(), "backtested");
}

#[test]
fn what_would_do_something_else_by_now_does_not_come_into_force() {
    let tried = backtest(Some(version(1, 9)), "aa");
    let sets = given(&[
        activated(1, 9),
        proposed(1, "kim"),
        backtested(1, tried.clone()),
        approved(1, "lee", &tried, false),
        ordered(1, NOON),
    ]);
    for (now, why) in [
        (
            backtest(Some(version(1, 9)), "bb"),
            "history has grown in the span",
        ),
        (backtest(Some(version(2, 8)), "aa"), "and rules 2 ("),
        (backtest(None, "aa"), "no set is in force"),
    ] {
        let command = RulesCommand::Activate { hash: hash(1), now };
        let events = decide_rules(&sets, command).unwrap();
        let [RulesEvent::ActivationRefused { why: said, .. }] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert!(said.contains(why), "{said}");
        let after = events.iter().fold(sets.clone(), RuleSets::evolve);
        assert_eq!(
            after.active().unwrap().version,
            version(1, 9),
            "the one before stays"
        );
        assert!(after.ordered().is_none());
        assert!(
            refusal(&after, order(1, NOON)).contains("is proposed"),
            "approved anew first"
        );
    }
}

#[test]
fn what_is_not_where_it_should_be_is_refused_with_what_to_do() {
    let tried = backtest(None, "aa");
    let nothing = given(&[]);
    assert!(refusal(&nothing, order(1, NOON)).contains("tieout rules propose"));
    let proposed_only = given(&[proposed(1, "kim")]);
    assert!(refusal(&proposed_only, order(1, NOON)).contains("tieout rules approve"));
    assert!(refusal(&proposed_only, propose(1, "lee")).contains("is proposed already"));
    let in_force = given(&[activated(1, 1)]);
    assert!(refusal(&in_force, propose(1, "kim")).contains("is active already"));
    let decline = RulesCommand::Decline {
        hash: hash(1),
        person: person("lee"),
        why: "no".into(),
        proof: None,
    };
    assert!(refusal(&in_force, decline).contains("bring another one into force"));
    let activate = RulesCommand::Activate {
        hash: hash(1),
        now: tried,
    };
    assert!(refusal(&proposed_only, activate).contains("nobody ordered"));
}

#[test]
fn what_is_declined_is_not_carried_out_and_may_be_proposed_again() {
    let tried = backtest(None, "aa");
    let sets = given(&[
        proposed(1, "kim"),
        backtested(1, tried.clone()),
        approved(1, "lee", &tried, false),
        ordered(1, NOON),
    ]);
    let decline = RulesCommand::Decline {
        hash: hash(1),
        person: person("kim"),
        why: "a code is wrong".into(),
        proof: None,
    };
    let events = decide_rules(&sets, decline.clone()).unwrap();
    let sets = events.iter().fold(sets, RuleSets::evolve);
    assert!(sets.ordered().is_none());
    assert_eq!(decide_rules(&sets, decline), Ok(Vec::new()), "once is enough");
    assert!(decide_rules(&sets, propose(1, "kim")).is_ok());
}

#[test]
fn a_log_from_before_rule_sets_had_a_life_is_read_as_it_was_meant() {
    let old = r#"{"type":"RuleSetActivated","version":{"number":3,"hash":"aa"},"content":"x"}"#;
    let event: RulesEvent = serde_json::from_str(old).unwrap();
    let sets = given(&[activated(2, 1), event]);
    let active = sets.active().unwrap();
    assert!(active.replay, "a changed file mapped what was rejected again");
    assert!(active.approver.is_none());
    assert_eq!(
        sets.get(&hash(1)).unwrap().stage,
        RuleSetStage::Retired(version(2, 1))
    );
}

#[test]
fn nobody_gives_another_persons_word_however_well_they_sign_it() {
    let tried = backtest(None, "aa");
    let sets = given(&[proposed(1, "kim"), backtested(1, tried.clone())]);
    let forged = approve(1, "lee", &tried).signed(proof("kim"));
    let said = refusal(&sets, forged);
    assert!(
        said.starts_with("it is given as the word of lee, and signed by kim"),
        "{said}"
    );
    assert!(decide_rules(&sets, approve(1, "lee", &tried).signed(proof("lee"))).is_ok());
}

#[test]
fn what_is_signed_says_all_that_is_decided() {
    let of = ConnectionId(uuid::Uuid::from_u128(1));
    let tried = backtest(None, "aa");
    let text = |event: &RulesEvent| event.statement(of).expect("a person's").to_string();
    let one = text(&approved(1, "lee", &tried, false));
    for other in [
        approved(2, "lee", &tried, false),
        approved(1, "max", &tried, false),
        approved(1, "lee", &backtest(None, "bb"), false),
        approved(1, "lee", &tried, true),
    ] {
        assert_ne!(one, text(&other));
    }
    let elsewhere = approved(1, "lee", &tried, false).statement(ConnectionId(uuid::Uuid::from_u128(2)));
    assert_ne!(Some(one), elsewhere.map(|statement| statement.to_string()));
    assert_ne!(text(&ordered(1, NOON)), text(&ordered(1, "2026-12-01T12:00:01Z")));
    for (name, event) in samples() {
        let of_a_person = event.speaker().is_some();
        assert_eq!(event.statement(of).is_some(), of_a_person, "{name}");
        assert_eq!(event.proof().is_some(), of_a_person, "{name}");
    }
}

#[test]
fn what_an_approval_signs_names_everything_that_was_looked_at() {
    let base = backtest(None, "aa");
    let signed = |hash: RuleSetHash, change: fn(&mut Backtest)| {
        let mut backtest = base.clone();
        change(&mut backtest);
        statement_of(&hash, &backtest)
    };
    let same = signed(hash(1), |_| {});
    assert_eq!(same, signed(hash(1), |_| {}));
    for other in [
        signed(hash(2), |_| {}),
        signed(hash(1), |b| b.span.from = None),
        signed(hash(1), |b| b.span.to = None),
        signed(hash(1), |b| b.chart = ChartOf::Now),
        signed(hash(1), |b| b.against = Some(version(1, 9))),
        signed(hash(1), |b| b.read_to = Some(Leaf(4_712))),
        signed(hash(1), |b| b.result = StatementHash("bb".into())),
    ] {
        assert_ne!(same, other);
    }
}

/// Any command, of a few contents and a few people.
fn command() -> impl Strategy<Value = RulesCommand> {
    let people = || proptest::sample::select(vec!["kim", "lee"]);
    let result = || proptest::sample::select(vec!["aa", "bb"]);
    prop_oneof![
        (1u8..3, people()).prop_map(|(n, who)| propose(n, who)),
        (1u8..3, result()).prop_map(|(n, result)| RulesCommand::RecordBacktest {
            hash: hash(n),
            backtest: backtest(None, result)
        }),
        (1u8..3, people(), result()).prop_map(|(n, who, result)| approve(n, who, &backtest(None, result))),
        (1u8..3, people()).prop_map(|(n, who)| RulesCommand::Decline {
            hash: hash(n),
            person: person(who),
            why: "no".into(),
            proof: None
        }),
        (1u8..3).prop_map(|n| order(n, NOON)),
        (1u8..3, result()).prop_map(|(n, result)| RulesCommand::Activate {
            hash: hash(n),
            now: backtest(None, result)
        }),
        proptest::bool::ANY.prop_map(|two| RulesCommand::ChooseMode {
            mode: if two {
                ApprovalMode::TwoPeople
            } else {
                ApprovalMode::OnePerson
            },
            person: person("kim"),
            why: "so".into(),
            proof: None
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is asked in whatever order: a set in force was approved before, by somebody who had not proposed it, or
    /// alone in an installation of one person, and its number counts the activations.
    #[test]
    fn nothing_comes_into_force_unapproved(commands in proptest::collection::vec(command(), 1..40)) {
        let mut sets = RuleSets::default();
        let mut life: Vec<RulesEvent> = Vec::new();
        for command in commands {
            // One that cannot be backtested against what is in force is refused: the oracle needs no set before.
            if let Ok(events) = decide_rules(&sets, command) {
                for event in &events {
                    if let RulesEvent::RuleSetActivated { version, .. } = event {
                        let hash = RuleSetHash::of_version(version);
                        let approval = life.iter().rev().find_map(|event| match event {
                            RulesEvent::RuleSetApproved { hash: of, approver, alone, .. } if *of == hash => Some((approver, alone)),
                            _ => None,
                        });
                        let (approver, alone) = approval.expect("approved before");
                        let authors: Vec<_> = life.iter().filter_map(|event| match event {
                            RulesEvent::RuleSetProposed { hash: of, author, .. } if *of == hash => Some(author),
                            _ => None,
                        }).collect();
                        prop_assert!(*alone || !authors.contains(&&approver.name));
                        let before = life.iter().filter(|event| matches!(event, RulesEvent::RuleSetActivated { .. })).count();
                        prop_assert_eq!(version.number, before as u64 + 1);
                    }
                }
                sets = events.iter().fold(sets, RuleSets::evolve);
                life.extend(events);
                prop_assert_eq!(&RuleSets::fold(&life), &sets);
            }
        }
    }
}
