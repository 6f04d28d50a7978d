//! Rule sets in the walk of a cycle: when one comes into force, when it does not, and what follows for the reports.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::*;
use crate::journal::tests::world::{kim, now};
use crate::journal::{Draft, Streams};
use crate::posting::tests::world::{Case, RULES, owed, report};
use crate::report::ReportEvent;
use crate::report::tests::samples::*;
use crate::report::{MapOutcome, Stage, StageName};
use crate::rules::{ApprovalMode, Approver, ChartOf, Span, statement_of};
use crate::workflow::testing::{Plant, rules_in_force};
use crate::workflow::{Heads, InForce, person};

const BEFORE: &str = "2026-11-07T05:00:00Z";
const AFTER: &str = "2026-11-07T07:00:00Z";

fn name(text: &str) -> PersonName {
    PersonName::new(text).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    instant(text)
}

/// Other rules: travel goes to another account.
fn other() -> String {
    RULES.replace(
        "account = \"6410\" }\n\n[[rule]]\nname = \"Bank",
        "account = \"6900\" }\n\n[[rule]]\nname = \"Bank",
    )
}

/// Takes a content through its life up to the order, in an installation of one.
fn ordered(plant: &Plant, content: &str, from: &str, replay: bool) {
    let desk = plant.desk();
    let rules = RuleSet::parse(content).unwrap();
    let hash = rules.hash().clone();
    let (sets, _) = now(desk.rule_sets()).unwrap();
    let trial = Trial {
        rules: &rules,
        against: sets.active().map(|active| &active.version),
        span: Span::default(),
        chart: ChartOf::Then,
    };
    let roster = plant.roster();
    let reports = roster.iter().map(|(id, _)| id).collect();
    let backtest = now(desk.what_if().backtest(trial, reports, |_| Ok(())))
        .unwrap()
        .backtest;
    let commands = [
        RulesCommand::ChooseMode {
            mode: ApprovalMode::OnePerson,
            person: name("kim"),
            why: "alone".into(),
            proof: None,
        },
        RulesCommand::Propose {
            hash: hash.clone(),
            content: content.to_owned(),
            author: name("kim"),
            why: "travel".into(),
            proof: None,
        },
        RulesCommand::Approve {
            hash: hash.clone(),
            statement: statement_of(&hash, &backtest),
            approver: Approver {
                name: name("kim"),
                subject: Some(kim()),
            },
            why: "alone".into(),
            proof: None,
        },
        RulesCommand::OrderActivation {
            hash: hash.clone(),
            from: at(from),
            replay,
            person: name("kim"),
            proof: None,
        },
    ];
    let record = RulesCommand::RecordBacktest { hash, backtest };
    let [mode, propose, approve, order] = commands;
    for command in [mode, propose, record, approve, order] {
        now(desk.ask_rules(person(name("kim")), |_| Some(command.clone()))).unwrap();
    }
}

fn cycle_begins(plant: &Plant) -> Vec<RulesEvent> {
    now(plant.desk().bring_due_rules_into_force(&plant.roster())).unwrap()
}

fn number_in_force(plant: &Plant) -> Option<u64> {
    let (rules, _) = now(plant.desk().rules_in_force()).unwrap();
    rules.map(|rules| rules.version.number)
}

#[test]
fn before_the_first_set_nothing_is_in_force_and_that_is_said() {
    let plant = Plant::of(&[]);
    assert_eq!(number_in_force(&plant), None);
    let refused = now(plant.desk().some_rules_in_force()).unwrap_err();
    assert!(
        refused.to_string().starts_with("no rule set is in force"),
        "{refused}"
    );
}

#[test]
fn a_set_comes_into_force_with_the_first_cycle_from_its_instant_on() {
    let plant = Plant::of(&[]);
    ordered(&plant, RULES, AFTER, false);
    assert!(cycle_begins(&plant).is_empty(), "its time has not come");
    assert_eq!(number_in_force(&plant), None);
    ordered_again(&plant, BEFORE);
    assert!(matches!(
        cycle_begins(&plant).as_slice(),
        [RulesEvent::RuleSetActivated { .. }]
    ));
    assert_eq!(number_in_force(&plant), Some(1));
    assert!(cycle_begins(&plant).is_empty(), "once");

    ordered(&plant, &other(), BEFORE, false);
    assert!(matches!(
        cycle_begins(&plant).as_slice(),
        [
            RulesEvent::RuleSetActivated { .. },
            RulesEvent::RuleSetRetired { .. }
        ]
    ));
    assert_eq!(number_in_force(&plant), Some(2));
}

fn ordered_again(plant: &Plant, from: &str) {
    let hash = RuleSet::parse(RULES).unwrap().hash().clone();
    let order = RulesCommand::OrderActivation {
        hash,
        from: at(from),
        replay: false,
        person: name("kim"),
        proof: None,
    };
    now(plant
        .desk()
        .ask_rules(person(name("kim")), |_| Some(order.clone())))
    .unwrap();
}

/// A report captured, and mapped under the rules of a plant's first set.
fn mapped_report() -> (Case, [ReportEvent; 2]) {
    let case = report(vec![owed(5_000)]);
    let mapping = case.mapped();
    let events = [
        discovered_as(Box::new(case.payload.clone())),
        ReportEvent::Mapped(Arc::new(mapping)),
    ];
    (case, events)
}

/// The plant's log knows the chart of a case.
fn charted(plant: &Plant, case: &Case) {
    let events = crate::chart::compare(&crate::chart::Chart::default(), &case.masters.reading());
    let drafts = events
        .into_iter()
        .map(|event| Draft {
            event,
            effective_at: at(BEFORE),
            subject: None,
        })
        .collect();
    let stream = Streams(plant.connection.id).chart();
    now(plant.world.journal().append(
        &stream,
        Expected::Any,
        &crate::journal::tests::world::poller(),
        drafts,
    ))
    .unwrap();
}

#[test]
fn a_set_that_would_do_something_else_to_history_by_now_does_not_come_into_force() {
    let (case, events) = mapped_report();
    let plant = Plant::of(&[]);
    charted(&plant, &case);
    ordered(&plant, RULES, BEFORE, false);
    cycle_begins(&plant);
    // Approved when there was no history; meanwhile a report was mapped that it would map otherwise.
    ordered(&plant, &other(), BEFORE, false);
    plant.keep(&events);
    let said = cycle_begins(&plant);
    let [RulesEvent::ActivationRefused { why, .. }] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert!(why.starts_with("history has grown in the span"), "{why}");
    assert_eq!(number_in_force(&plant), Some(1), "the one before stays");
    assert!(cycle_begins(&plant).is_empty(), "the order is gone");
}

#[test]
fn a_set_whose_backtest_still_says_the_same_comes_into_force_however_far_the_log_has_grown() {
    let (case, events) = mapped_report();
    let plant = Plant::of(&events);
    charted(&plant, &case);
    ordered(&plant, RULES, BEFORE, false);
    // What is recorded elsewhere in the log changes nothing.
    charted(&plant, &case);
    assert_eq!(cycle_begins(&plant).len(), 1);
    assert_eq!(number_in_force(&plant), Some(1));
}

#[test]
fn what_people_propose_while_a_cycle_is_at_work_stops_nobody_and_an_activation_does() {
    let plant = Plant::of(&[]);
    ordered(&plant, RULES, BEFORE, false);
    cycle_begins(&plant);
    let desk = plant.desk();
    let (_, head) = now(desk.rules_in_force()).unwrap();
    let heads = Heads {
        rules: head,
        chart: None,
    };
    assert!(now(desk.still_in_force(heads)).unwrap());
    ordered(&plant, &other(), BEFORE, false);
    assert!(
        now(desk.still_in_force(heads)).unwrap(),
        "it is only proposed, approved, ordered"
    );
    cycle_begins(&plant);
    assert!(!now(desk.still_in_force(heads)).unwrap());
}

fn map_under(plant: &Plant, case: &Case, rules: &RulesInForce) -> usize {
    let chart = case.chart();
    let in_force = InForce {
        rules,
        chart: &chart,
        heads: Heads::default(),
    };
    now(plant.desk().map(&plant.roster(), in_force)).unwrap()
}

#[test]
fn a_report_of_whoever_approved_the_rules_bears_that_on_record_and_nobody_elses_does() {
    for (approver, flagged) in [
        (Some((name("kim"), kim())), Some(name("kim"))),
        (Some((name("lee"), SubjectId(uuid::Uuid::from_u128(1)))), None),
        (None, None),
    ] {
        let case = report(vec![owed(5_000)]);
        let plant = Plant::of(&[discovered_as(Box::new(case.payload.clone()))]);
        let rules = RulesInForce {
            approver,
            ..rules_in_force(RULES)
        };
        assert_eq!(map_under(&plant, &case, &rules), 1);
        let report = now(plant.desk().load(report_id())).unwrap().report;
        let Stage::Mapped(dossier) = report.stage() else {
            panic!("{:?}", report.stage());
        };
        assert_eq!(dossier.mapping.approved_by_submitter, flagged);
    }
}

#[test]
fn what_was_rejected_stays_so_under_a_new_set_unless_that_came_with_a_replay() {
    let case = report(vec![owed(5_000)]).ruled("\"Airfare\", \"Hotel\"", "\"Hotel\"");
    let MapOutcome::Rejected { .. } = case.outcome() else {
        panic!("it should be rejected");
    };
    let discovered = discovered_as(Box::new(case.payload.clone()));
    for (replay, then) in [(false, StageName::Rejected), (true, StageName::Mapped)] {
        let plant = Plant::of(std::slice::from_ref(&discovered));
        let before = RulesInForce::supposed(RuleSet::parse(&case.rules).unwrap(), 1);
        assert_eq!(map_under(&plant, &case, &before), 1);
        let after = RulesInForce {
            replay,
            ..RulesInForce::supposed(RuleSet::parse(RULES).unwrap(), 2)
        };
        map_under(&plant, &case, &after);
        let report = now(plant.desk().load(report_id())).unwrap().report;
        assert_eq!(report.stage().name(), then, "replay {replay}");
        let rewound = plant.count("Rewound");
        assert_eq!(rewound, usize::from(replay), "and the set is named as the cause");
    }
}
