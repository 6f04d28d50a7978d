//! What every run of the tests walks: small worlds without the products (those are walked by `.ci/run`), some seeds, every
//! plan that failed once, and that a plan always gives the same run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: a surprise must end it"
)]

use tieout_simulation::exhaustive::{Covered, SmallWorld, Walk, walk_one, worlds};
use tieout_simulation::plan::{Call, Fault, What, carded, owed, report};
use tieout_simulation::{Plan, random, run, run_traced};

fn world(name: &str) -> SmallWorld {
    worlds()
        .into_iter()
        .find(|world| world.name == name)
        .expect("there is such a world")
}

fn walked(name: &str, walks: &[Walk]) {
    let mut covered = Covered::default();
    let world = world(name);
    for walk in walks {
        walk_one(&world, *walk, &mut covered);
    }
    assert!(covered.total() > 400, "{} runs are no walk", covered.total());
    let broken: Vec<_> = covered.broken.iter().take(3).collect();
    assert!(
        broken.is_empty(),
        "{} of {}: {broken:#?}",
        covered.broken.len(),
        covered.total()
    );
}

#[test]
fn an_invoice_survives_a_death_at_every_gate_and_every_fault_at_every_call() {
    walked(
        "one invoice",
        &[Walk::Deaths, Walk::Faults, Walk::Second, Walk::Suspended],
    );
}

#[test]
fn two_documents_survive_a_death_at_every_gate_and_every_fault_at_every_call() {
    walked(
        "an invoice and a journal",
        &[Walk::Deaths, Walk::Faults, Walk::Second],
    );
}

#[test]
fn reports_that_share_an_expense_survive_a_death_and_a_second_instance_at_every_gate() {
    walked("two that share an expense in time", &[Walk::Deaths, Walk::Second]);
}

#[test]
fn a_plan_run_twice_gives_the_same_trace() {
    for seed in 0..60 {
        let plan = random::plan(seed);
        let (one, other) = (run(&plan), run_traced(&plan));
        assert_eq!(one.hash, other.hash, "seed {seed}");
        assert_eq!(one.stages, other.stages, "seed {seed}");
    }
    let hashes: std::collections::BTreeSet<u64> = (0..60).map(|seed| run(&random::plan(seed)).hash).collect();
    assert_eq!(hashes.len(), 60, "different seeds are different runs");
}

#[test]
fn a_plan_is_written_and_read_back_as_it_was() {
    for seed in 0..200 {
        let plan = random::plan(seed);
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

#[test]
fn some_seeds_break_no_law() {
    let seeds = random::seeds(1_000_000, 150);
    assert_eq!(seeds.runs, 150);
    assert!(seeds.struck > 150, "the faults strike: {}", seeds.struck);
    assert!(seeds.broken.is_empty(), "{:#?}", seeds.broken);
}

/// Every plan that failed once, shrunk, with the mistake it showed in its name.
#[test]
fn what_failed_once_fails_no_more() {
    let plans = tieout_simulation::kept::kept();
    for (name, plan) in &plans {
        let outcome = run(plan);
        assert!(outcome.violations.is_empty(), "{name}: {:#?}", outcome.violations);
    }
    assert!(!plans.is_empty(), "there are regressions to run");
}

/// The worlds mean what they say: nothing goes wrong, and everything is posted and marked.
#[test]
fn in_a_quiet_run_every_report_is_marked() {
    let plan = Plan::quiet([report([owed(21_250), carded(4_000)]), report([owed(-900)])]);
    let outcome = run(&plan);
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert_eq!(
        outcome.stages.get("MarkedExported"),
        Some(&2),
        "{:?}",
        outcome.stages
    );
    assert_eq!(outcome.struck, 0);
    assert_eq!(outcome.calls.get(&Call::Post), Some(&3));
}

/// A fault that is planned strikes, and a death ends the process: or the walks would walk nothing.
#[test]
fn what_is_planned_happens() {
    let quiet = Plan::quiet([report([owed(100)])]);
    let struck = run_traced(&quiet.struck(Call::Post, 0, Fault::LostAnswer));
    assert_eq!(struck.struck, 1);
    assert!(
        struck.trace.iter().any(|line| line.contains("PostingInDoubt")),
        "{:#?}",
        struck.trace
    );
    let died = run_traced(&quiet.with(40, What::Crash));
    assert!(died.trace.iter().any(|line| line.contains("AT 40")));
    assert_ne!(died.hash, run(&quiet).hash);
}
