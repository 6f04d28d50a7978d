//! The simulation from the command line: every walk over the small worlds, seeds without number, one plan with its trace,
//! and the deliberate breakages that it must catch.

#![allow(
    clippy::print_stdout,
    reason = "a test's own program: what it prints is its result"
)]

use std::process::ExitCode;
use std::time::Instant;

use tieout_simulation::breakages;
use tieout_simulation::exhaustive::{Breadth, Covered, WALKS, walk_all, walk_one, worlds};
use tieout_simulation::random::{self, Seeds};
use tieout_simulation::{Plan, run_traced};

const HELP: &str = "\
usage: tieout-simulation exhaustive [--whole]      every walk over the small worlds (--whole: every product, some 20 minutes)
       tieout-simulation walk WORLD WALK           one of them, named as `exhaustive` prints it
       tieout-simulation random FROM COUNT         whole runs of so many seeds; a failing one is shrunk and printed
       tieout-simulation trace PLAN                one plan (JSON), line by line
       tieout-simulation breakages                 each deliberate breakage of the workflow, and what caught it
       tieout-simulation hunt [SEEDS]              what a breakage is hunted with: exits with 1 at the first violation;
                                                   with SEEDS, the kept plans and so many seeds only
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let began = Instant::now();
    let right = match words.as_slice() {
        ["exhaustive"] => exhaustive(Breadth::Ci, began),
        ["exhaustive", "--whole"] => exhaustive(Breadth::Whole, began),
        ["random", from, count] => match (from.parse(), count.parse()) {
            (Ok(from), Ok(count)) => seeds(from, count, began),
            _ => return usage(),
        },
        ["trace", plan] => match serde_json::from_str::<Plan>(plan) {
            Ok(plan) => trace(&plan),
            Err(error) => {
                println!("that is no plan: {error}");
                return ExitCode::from(2);
            }
        },
        ["breakages"] => breakages::all(|line| println!("{line}")),
        ["hunt", seeds] => match seeds.parse() {
            Ok(seeds) => breakages::hunt_seeds(seeds)
                .inspect(|caught| println!("{caught}"))
                .is_none(),
            Err(_) => return usage(),
        },
        ["walk", world, walk] => one_walk(world, walk),
        ["hunt"] => breakages::hunt().inspect(|caught| println!("{caught}")).is_none(),
        _ => return usage(),
    };
    if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    println!("{HELP}");
    ExitCode::from(2)
}

fn exhaustive(breadth: Breadth, began: Instant) -> bool {
    let covered = walk_all(breadth, |world, walk, runs, broken| {
        println!("{world:<36} {walk:<22} {runs:>7} runs, {broken} broken");
    });
    let Covered {
        gates,
        faults,
        broken,
        ..
    } = &covered;
    for (plan, what) in broken.iter().take(10) {
        println!(
            "{}\n  {}",
            serde_json::to_string(plan).unwrap_or_default(),
            what.join("\n  ")
        );
    }
    println!(
        "{} worlds with {} gates and {} faults at their calls; {} whole runs in {:.0?}; {} broke a law",
        gates.len(),
        gates.values().sum::<u32>(),
        faults.values().sum::<usize>(),
        covered.total(),
        began.elapsed(),
        broken.len()
    );
    broken.is_empty()
}

/// One walk over one world, by their names as `exhaustive` prints them.
fn one_walk(world: &str, walk: &str) -> bool {
    let mut covered = Covered::default();
    let chosen = WALKS.into_iter().filter(|one| format!("{one:?}") == walk);
    for walk in chosen {
        for world in worlds().iter().filter(|one| one.name == world) {
            walk_one(world, walk, &mut covered);
        }
    }
    for (plan, what) in covered.broken.iter().take(3) {
        let plan = serde_json::to_string(plan).unwrap_or_default();
        println!("{plan}\n  {}", what.join("\n  "));
    }
    println!("{} runs; {} broke a law", covered.total(), covered.broken.len());
    covered.broken.is_empty() && covered.total() > 0
}

fn seeds(from: u64, count: u64, began: Instant) -> bool {
    let Seeds {
        runs,
        struck,
        stages,
        broken,
    } = random::seeds(from, count);
    for (seed, plan, what) in &broken {
        println!(
            "seed {seed} breaks a law:\n  {}\nshrunk to (keep it under tests/simulation/regressions):\n{}",
            what.join("\n  "),
            serde_json::to_string(plan).unwrap_or_default()
        );
    }
    let millis = began.elapsed().as_millis().max(1);
    let a_minute = runs as u128 * 60_000 / millis;
    println!("reports ended {stages:?}");
    println!(
        "{runs} runs from seed {from}, {struck} faults struck, in {millis} ms ({a_minute} runs a minute); {} broke a law",
        broken.len()
    );
    broken.is_empty()
}

fn trace(plan: &Plan) -> bool {
    let outcome = run_traced(plan);
    outcome.trace.iter().for_each(|line| println!("{line}"));
    println!(
        "{} violations; trace {:016x}",
        outcome.violations.len(),
        outcome.hash
    );
    outcome.violations.is_empty()
}
