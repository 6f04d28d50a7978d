//! Mutation testing of `domain`: every mutant that `cargo-mutants` lists, all in one build, each behind a switch. A build
//! for each of them would take most of a day on two cores; so it takes about an hour.
//!
//! A mutant is *caught* where a test of `domain` fails with it, or else where the simulation breaks a law. For each
//! mutant only those tests run that come past it. Words on the command line choose the mutants whose names hold one.

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

use crate::list::Mutant;

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
        "{} of them in one build, after {:.0?}; the compiler refuses {}; no switch could be made for {}",
        mutants.len() - built.refused.len() - built.unswitched.len(),
        began.elapsed(),
        built.refused.len(),
        built.unswitched.len()
    );
    let names: BTreeMap<usize, &str> = mutants.iter().map(|m| (m.number, m.name.as_str())).collect();
    let name = |number: &usize| names.get(number).copied().unwrap_or_default();
    built
        .unswitched
        .iter()
        .for_each(|n| println!("no switch    {}", name(n)));
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |mutant: &Mutant| words.is_empty() || words.iter().any(|word| mutant.name.contains(word));
    let fates = trial::all(&built, &mutants, wanted, |number, fate| {
        println!("{:<12} {}", fate.words(), name(&number));
    })?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for fate in fates.values() {
        *counts.entry(fate.words()).or_default() += 1;
    }
    println!("{counts:?}");
    let caught = fates.values().filter(|fate| fate.is_caught()).count();
    println!(
        "{caught} of {} tried were caught ({} ‰), in {:.0?}",
        fates.len(),
        caught * 1_000 / fates.len().max(1),
        began.elapsed()
    );
    Ok(caught * 10 >= fates.len() * 9)
}
