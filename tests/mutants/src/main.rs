//! Mutation testing of `domain`: every mutant that `cargo-mutants` lists, all in one build, each behind a switch. A build
//! for each of them would take most of a day on two cores; so it takes about an hour.
//!
//! A mutant is *caught* where a test of `domain` fails with it, or else where the simulation breaks a law. For each
//! mutant only those tests run that come past it.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a test's own program: what it prints is its result, and a surprise must end it"
)]

mod build;
mod list;
mod switch;
mod trial;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use crate::trial::Fate;

const PACKAGE: &str = "tieout-domain";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let began = Instant::now();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mutants = list::of(&root, PACKAGE)?;
    println!("{} mutants of {PACKAGE}", mutants.len());
    let built = build::all(&root, PACKAGE, &mutants)?;
    println!(
        "{} of them in one build, after {:.0?}; {} cannot be switched",
        mutants.len() - built.left_out.len(),
        began.elapsed(),
        built.left_out.len()
    );
    let fates = trial::all(&built, &mutants)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for mutant in &mutants {
        let fate = fates.get(&mutant.number);
        let word = match fate {
            None => "not switched",
            Some(Fate::ByTest(_)) => "caught by a test",
            Some(Fate::ByTime) => "caught by running on",
            Some(Fate::BySimulation(_)) => "caught by the simulation",
            Some(Fate::Survived { reached: true }) => "SURVIVED",
            Some(Fate::Survived { reached: false }) => "NEVER REACHED",
        };
        *counts.entry(word).or_default() += 1;
        let by = match fate {
            Some(Fate::ByTest(by) | Fate::BySimulation(by)) => by.as_str(),
            _ => "",
        };
        println!("{word:<24} {:>4} {} {by}", mutant.number, mutant.name);
    }
    println!("{counts:#?}");
    let caught = fates
        .values()
        .filter(|f| !matches!(f, Fate::Survived { .. }))
        .count();
    println!(
        "{caught} of {} tried were caught ({} ‰), in {:.0?}",
        fates.len(),
        caught * 1_000 / fates.len().max(1),
        began.elapsed()
    );
    Ok(caught * 10 >= fates.len() * 9)
}
