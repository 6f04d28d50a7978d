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
//! Without these it is 50 kills with shrunk rate limits and 3 with the real ones, from the same seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it, and it prints what it did"
)]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tieout_sandbox::month::Size;
use tieout_scenarios::book::Book;
use tieout_scenarios::deaths::{Aim, End, Histogram, Running, Watched};
use tieout_scenarios::supply::Supply;
use tieout_scenarios::trouble::{self, Weather};
use tieout_scenarios::witness::{Testimony, Witness};
use tieout_scenarios::{Dice, SHRINK, Scene, binary};
use tokio::task::JoinSet;

/// Scenes with shrunk limits, at once: most of the time is waiting.
const SCENES: u64 = 4;
/// Reports that are there when the program first runs, and how many come before each further run, at most.
const FIRST: usize = 36;
const MORE: u64 = 6;

fn from_environment(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is `{text}`, not a number"))
    })
}

fn seed() -> u64 {
    from_environment("TIEOUT_SEED", 2_026)
}

/// How the program is run until it dies.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Sync,
    Serve,
    /// Two instances, each with a death of its own.
    Both,
}

/// What a run of a scene came to.
#[derive(Default)]
struct Tally {
    deaths: Histogram,
    lived: u32,
    documents: usize,
    reports: usize,
    most_in_doubt: usize,
    edits: u32,
    undone: usize,
    faults: u32,
}

/// One scene with everybody who works on it.
struct Trial {
    seed: u64,
    scene: Scene,
    book: Book,
    supply: Supply,
    witness: Witness,
    dice: Dice,
    weather: Weather,
    starts: Vec<DateTime<Utc>>,
    history: Vec<String>,
    tally: Tally,
}

impl Drop for Trial {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "TIEOUT_SEED: this scene's is {}; its history:\n  {}",
                self.seed,
                self.history.join("\n  ")
            );
            // Kept for whoever looks into it.
            self.scene.folder.disable_cleanup(true);
            eprintln!(
                "the installation is kept in {}",
                self.scene.folder.path().display()
            );
        }
    }
}

impl Trial {
    async fn new(seed: u64, shrink: u32, weather: Weather) -> Self {
        let scene = Scene::at_pace(shrink, Size::Many { reports: 0, lines: 0 }, |_| {}).await;
        scene.certify().await;
        scene.reconfigure(|text| {
            text.replace("every = \"1m\"", "every = \"1s\"")
                .replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]")
        });
        let mut trial = Self {
            seed,
            book: Book::open(&scene),
            scene,
            supply: Supply::new(seed),
            witness: Witness::default(),
            dice: Dice::new(seed),
            weather,
            starts: Vec::new(),
            history: Vec::new(),
            tally: Tally::default(),
        };
        trial.supply.arrive(&trial.scene, &mut trial.book, FIRST);
        trial
    }

    /// Runs the program until it dies or comes to its own end; how many died.
    async fn until_death(&mut self) -> u32 {
        let mode = match self.dice.below(5) {
            0 => Mode::Serve,
            1 => Mode::Both,
            _ => Mode::Sync,
        };
        let began = self.scene.now();
        self.starts.push(began);
        self.book.started(began);
        let mut calls = Watched::begin(&self.scene);
        let aim = Aim::random(&mut self.dice);
        let mut words = format!("run {}, {mode:?}, {aim:?}", self.starts.len());
        let mut running = match mode {
            Mode::Sync => vec![Running::start(&self.scene, "one", &["sync"], aim)],
            Mode::Serve => vec![Running::start(&self.scene, "one", &["serve"], aim)],
            Mode::Both => {
                let other = Aim::random(&mut self.dice);
                words.push_str(&format!(" and {other:?}"));
                vec![
                    Running::start(&self.scene, "one", &["sync"], aim),
                    Running::start(&self.scene, "other", &["serve"], other),
                ]
            }
        };
        // In the middle of some runs, somebody edits a report.
        let mut edit_at = (self.dice.below(2) == 0).then(|| self.dice.below(80));
        let patience = Instant::now();
        let mut killed = 0;
        while !running.is_empty() {
            calls.look(&self.scene);
            if edit_at.is_some_and(|at| calls.total() as u64 >= at) {
                edit_at = None;
                self.meddle();
            }
            let mut still = Vec::new();
            for mut one in running {
                // A service does not end by itself: where its moment never comes, it is killed all the same.
                let overdue = self.is_overdue(patience.elapsed(), calls.total());
                let end = if overdue {
                    one.at_last(&self.scene).await
                } else {
                    one.attend(&self.scene, &calls).await
                };
                match end {
                    None => still.push(one),
                    Some(End::Killed(depth)) => {
                        words.push_str(&format!("; killed: {depth}"));
                        self.tally.deaths.count(&depth);
                        killed += 1;
                    }
                    Some(End::Lived(status)) => {
                        words.push_str(&format!("; lived, {status}"));
                        self.tally.lived += 1;
                        assert!(
                            matches!(status.code(), Some(0 | 1 | 3)),
                            "{words}: {}",
                            one.said()
                        );
                    }
                }
            }
            running = still;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.tally.faults += self.faults();
        words.push_str(&format!(" after {} calls", calls.total()));
        self.history.push(words);
        killed
    }

    /// Has a run lasted longer than it takes to get anywhere? A slow machine is given time to.
    fn is_overdue(&self, lasted: Duration, calls: usize) -> bool {
        let (quick, slow) = if self.weather == Weather::Foul {
            (8, 40)
        } else {
            (30, 90)
        };
        let limit = if calls > 60 { quick } else { slow };
        lasted > Duration::from_secs(limit)
    }

    fn faults(&self) -> u32 {
        let late = "delay";
        let ledger = self.scene.stand_ins.qad.handle().calls().all();
        let ledger = ledger
            .iter()
            .filter(|call| call.fault.as_deref().is_some_and(|fault| fault != late));
        let source = self.scene.stand_ins.expensify.calls().all();
        let source = source.iter().filter(|call| call.fault.is_some());
        u32::try_from(ledger.count() + source.count()).expect("small")
    }

    fn meddle(&mut self) {
        if let Some(what) = self.supply.meddle(&self.scene, &mut self.book) {
            self.tally.edits += 1;
            self.history.push(what);
        }
    }

    /// The audit: the ledger against the book, and law 6 against the log as it was left.
    async fn audit(&mut self, when: &str) -> Testimony {
        let verdict = self.book.look(&self.scene);
        assert!(
            verdict.wrong.is_empty(),
            "seed {}, {when}: {:#?}",
            self.seed,
            verdict.wrong
        );
        let seen = self
            .witness
            .look(&self.scene, &self.book, &self.starts, &verdict)
            .await;
        self.history.push(format!(
            "  {} reports posted, {} marked; tied {}, not yet {}, {} in doubt",
            verdict.posted.len(),
            verdict.marked.len(),
            seen.tied,
            seen.unsaid,
            seen.in_doubt
        ));
        assert!(
            seen.wrong.is_empty(),
            "seed {}, {when}: {:#?}",
            self.seed,
            seen.wrong
        );
        assert_eq!(
            seen.incidents, 0,
            "seed {}, {when}: no fault here needs a person",
            self.seed
        );
        self.tally.most_in_doubt = self.tally.most_in_doubt.max(seen.in_doubt);
        seen
    }

    async fn dies(&mut self, times: u32) {
        let mut killed = 0;
        while killed < times {
            assert!(
                self.tally.lived < 4 * times + 20,
                "it is not killed often enough: the aims come too late"
            );
            trouble::brew(&self.scene, &mut self.dice, self.weather);
            let died = self.until_death().await;
            killed += died;
            let when = format!("after {killed} of {times} deaths");
            self.audit(&when).await;
            let more = usize::try_from(self.dice.below(MORE)).expect("small");
            self.supply.arrive(&self.scene, &mut self.book, more);
            if self.dice.below(2) == 0 {
                self.meddle();
            }
        }
    }

    /// Everybody lets go, the faults end, and the program comes to rest.
    async fn comes_to_rest(&mut self) {
        trouble::heal(&self.scene);
        self.supply.approve_all(&self.scene, &mut self.book);
        let mut last = serde_json::Value::Null;
        for attempt in 0..5 {
            let began = self.scene.now();
            self.starts.push(began);
            self.book.started(began);
            last = self.scene.settle(12).await;
            self.audit("while it comes to rest").await;
            let undone = self
                .supply
                .undo_what_came_too_late(&self.scene, &mut self.book, attempt);
            self.tally.undone += undone;
            if undone == 0 {
                break;
            }
        }
        let seed = self.seed;
        assert_eq!(last["in_doubt"], 0, "seed {seed}: {last:#}");
        assert_eq!(last["resolved"]["incidents"], 0, "seed {seed}: {last:#}");
        for waiting in ["discovered", "mapped", "posting", "partly_posted", "posted"] {
            let left = last["stages"]
                .get(waiting)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0);
            assert_eq!(left, 0, "seed {seed}: {waiting}: {last:#}");
        }
        let began = self.scene.now();
        self.starts.push(began);
        let seen = self.audit("at rest").await;
        assert_eq!(seen.in_doubt, 0, "seed {seed}");
        self.scene.must_tie_out(&format!("seed {seed}, at rest")).await;
        match self.book.must_be_done(&self.scene) {
            Ok(documents) => self.tally.documents = documents,
            Err(wrong) => panic!("seed {seed}, at rest: {wrong:#?}"),
        }
        self.tally.reports = self
            .scene
            .stand_ins
            .expensify
            .world()
            .read(|world| world.reports.len());
    }
}

async fn trial(seed: u64, shrink: u32, weather: Weather, kills: u32) -> Tally {
    let mut trial = Trial::new(seed, shrink, weather).await;
    trial.dies(kills).await;
    trial.comes_to_rest().await;
    std::mem::take(&mut trial.tally)
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
