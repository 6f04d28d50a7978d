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
use tieout_simulation::wire::{Struck, WIRE_FAULTS};
use tieout_simulation::{Engine, Plan};

const HELP: &str = "\
usage: tieout-simulation exhaustive [--whole]      every walk over the small worlds (--whole: every product, some 20 minutes)
       tieout-simulation walk WORLD WALK           one of them, named as `exhaustive` prints it
       tieout-simulation random FROM COUNT         whole runs of so many seeds; a failing one is shrunk and printed
       tieout-simulation trace PLAN                one plan (JSON), line by line
       tieout-simulation breakages                 each deliberate breakage of the workflow, and what caught it
       tieout-simulation hunt [SEEDS]              what a breakage is hunted with: exits with 1 at the first violation;
                                                   with SEEDS, the kept plans and so many seeds only

exhaustive, walk, random and trace also take:
       --engine eventstore   the log under the workflow is the EventStoreDB engine, over sockets to the server's stand-in,
                             with memory as its model; some hundred times slower
       --every N             exhaustive and walk: of N plans of each walk one, drawn by lot, always the same
";

/// What stands behind `--engine` and `--every`.
#[derive(Default)]
struct Options {
    engine: Engine,
    every: u64,
}

impl Options {
    /// Takes them out of the words; `None` where they are not understood.
    fn taken_from(words: &mut Vec<String>) -> Option<Self> {
        let mut options = Self::default();
        while let Some(at) = words
            .iter()
            .position(|word| word == "--engine" || word == "--every")
        {
            let value = words.get(at + 1)?.clone();
            if words.remove(at) == "--engine" {
                options.engine = value.parse().ok()?;
            } else {
                options.every = value.parse().ok()?;
            }
            words.remove(at);
        }
        Some(options)
    }

    fn covered(&self) -> Covered {
        Covered {
            engine: self.engine,
            every: self.every,
            ..Covered::default()
        }
    }
}

/// What struck on the wire, where there is one.
fn on_the_wire(engine: Engine, wire: &Struck) -> String {
    if engine == Engine::Memory {
        return String::new();
    }
    let each: Vec<String> = WIRE_FAULTS
        .iter()
        .map(|fault| format!("{fault:?} {}", wire.get(fault).copied().unwrap_or(0)))
        .collect();
    let sum: u64 = wire.values().sum();
    format!(", {sum} faults struck on the wire ({})", each.join(", "))
}

fn a_minute(runs: usize, began: Instant) -> u128 {
    runs as u128 * 60_000 / began.elapsed().as_millis().max(1)
}

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = Options::taken_from(&mut words) else {
        return usage();
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let began = Instant::now();
    let right = match words.as_slice() {
        ["exhaustive"] => exhaustive(Breadth::Ci, &options, began),
        ["exhaustive", "--whole"] => exhaustive(Breadth::Whole, &options, began),
        ["random", from, count] => match (from.parse(), count.parse()) {
            (Ok(from), Ok(count)) => seeds(options.engine, from, count, began),
            _ => return usage(),
        },
        ["trace", plan] => match serde_json::from_str::<Plan>(plan) {
            Ok(plan) => trace(options.engine, &plan),
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
        ["walk", world, walk] => one_walk(world, walk, &options),
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

fn exhaustive(breadth: Breadth, options: &Options, began: Instant) -> bool {
    let covered = walk_all(breadth, options.covered(), |world, walk, runs, broken| {
        println!("{world:<36} {walk:<22} {runs:>7} runs, {broken} broken");
    });
    let Covered {
        gates,
        faults,
        broken,
        wire,
        engine,
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
        "{} worlds with {} gates and {} faults at their calls; {} whole runs over {engine}{} in {:.0?} ({} runs a minute); {} broke a law",
        gates.len(),
        gates.values().sum::<u32>(),
        faults.values().sum::<usize>(),
        covered.total(),
        on_the_wire(*engine, wire),
        began.elapsed(),
        a_minute(covered.total(), began),
        broken.len()
    );
    broken.is_empty()
}

/// One walk over one world, by their names as `exhaustive` prints them.
fn one_walk(world: &str, walk: &str, options: &Options) -> bool {
    let mut covered = options.covered();
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
    println!(
        "{} runs over {}{}; {} broke a law",
        covered.total(),
        covered.engine,
        on_the_wire(covered.engine, &covered.wire),
        covered.broken.len()
    );
    covered.broken.is_empty() && covered.total() > 0
}

fn seeds(engine: Engine, from: u64, count: u64, began: Instant) -> bool {
    let Seeds {
        runs,
        struck,
        wire,
        stages,
        broken,
    } = random::seeds_over(engine, from, count);
    for (seed, plan, what) in &broken {
        println!(
            "seed {seed} breaks a law:\n  {}\nshrunk to (keep it under tests/simulation/regressions):\n{}",
            what.join("\n  "),
            serde_json::to_string(plan).unwrap_or_default()
        );
    }
    let (millis, a_minute) = (began.elapsed().as_millis(), a_minute(runs, began));
    let wire = on_the_wire(engine, &wire);
    println!("reports ended {stages:?}");
    println!(
        "{runs} runs over {engine} from seed {from}, {struck} faults struck{wire}, in {millis} ms ({a_minute} runs a minute); {} broke a law",
        broken.len()
    );
    broken.is_empty()
}

fn trace(engine: Engine, plan: &Plan) -> bool {
    let outcome = engine.run_traced(plan);
    outcome.trace.iter().for_each(|line| println!("{line}"));
    println!(
        "{} violations; trace {:016x}",
        outcome.violations.len(),
        outcome.hash
    );
    outcome.violations.is_empty()
}
