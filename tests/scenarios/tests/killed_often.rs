//! Exactly once, for real: the program is killed with SIGKILL at random depths, hundreds of times, while both stand-ins
//! fail in every way a program can get over, reports keep coming, and people edit, take back and pay them. After each
//! death the ledger is held against a book that knows nothing of the product, and law 6 against the log as it was left.
//! At the end everything posts, is marked and ties out, and what stands is what the source's world says, to the cent.
//!
//! The long run, as it was made for the record:
//!
//! ```text
//! TIEOUT_KILLS=500 TIEOUT_KILLS_FULL=30 TIEOUT_SEED=2026 \
//!     nice -n 10 cargo test -p tieout-scenarios --test killed_often -- --nocapture --test-threads=1
//! ```
//!
//! Without these it is 50 kills with shrunk rate limits and 3 with the real ones, from the same seed. A trial that fails
//! prints its own seed and what happened in it; with that one as `TIEOUT_SEED` it is the first of the trials. (The moments
//! of a death are the machine's as well: a seed brings back the choices, not the very run.)

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test: a surprise must end it, and it prints what it did"
)]

use std::time::Instant;

use tieout_scenarios::deaths::Histogram;
use tieout_scenarios::trial::{Tally, Trial};
use tieout_scenarios::trouble::Weather;
use tieout_scenarios::{SHRINK, binary};
use tokio::task::JoinSet;

/// Scenes with shrunk limits, at once: most of the time is waiting.
const SCENES: u64 = 4;
fn from_environment(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is `{text}`, not a number"))
    })
}

fn seed() -> u64 {
    from_environment("TIEOUT_SEED", 2_026)
}

async fn trial(seed: u64, shrink: u32, weather: Weather, kills: u32) -> Tally {
    let mut trial = Trial::new(seed, shrink, weather).await;
    trial.dies(kills).await;
    trial.comes_to_rest().await
}

/// Deals the kills out to the scenes, runs them at once, and prints what came of it.
async fn trials(name: &str, kills: u64, scenes: u64, shrink: u32, weather: Weather) -> Histogram {
    binary();
    let started = Instant::now();
    let mut running = JoinSet::new();
    for scene in 0..scenes {
        let share = kills / scenes + u64::from(scene < kills % scenes);
        let share = u32::try_from(share).expect("small");
        running.spawn(async move {
            let seed = seed() + scene;
            (seed, trial(seed, shrink, weather, share).await)
        });
    }
    let mut deaths = Histogram::default();
    while let Some(ended) = running.join_next().await {
        let (seed, tally) = ended.expect("the scene ends well");
        eprintln!(
            "{name}, seed {seed}: {} deaths, {} runs that lived, {} faults struck, {} edits; {} documents of {} reports stand, \
             at most {} in doubt, {} late edits undone",
            tally.deaths.deaths(),
            tally.lived,
            tally.faults,
            tally.edits,
            tally.documents,
            tally.reports,
            tally.most_in_doubt,
            tally.undone
        );
        deaths.add(&tally.deaths);
    }
    eprintln!(
        "{name}: {} SIGKILLs, no duplicate, none lost, law 6 after each; {} s; how far they had come:\n{}",
        deaths.deaths(),
        started.elapsed().as_secs(),
        deaths.draw()
    );
    deaths
}

/// Is a depth among those that deaths reached?
fn reached(deaths: &Histogram, depth: &str) -> bool {
    deaths.0.keys().any(|key| key.starts_with(depth))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_hundreds_of_times_under_faults_nothing_is_posted_twice_and_nothing_is_lost() {
    let kills = from_environment("TIEOUT_KILLS", 50);
    let deaths = trials("shrunk windows", kills, SCENES.min(kills), SHRINK, Weather::Foul).await;
    if kills >= 200 {
        // From before the first call to within the mark: the long run has died everywhere.
        for depth in ["00", "01", "02", "03", "08", "09", "10", "11", "12", "14"] {
            assert!(reached(&deaths, depth), "no death at {depth}:\n{}", deaths.draw());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_under_the_real_rate_limits_nothing_is_posted_twice_and_nothing_is_lost() {
    let kills = from_environment("TIEOUT_KILLS_FULL", 3);
    trials("full windows", kills, 3.min(kills), 1, Weather::Mixed).await;
}
