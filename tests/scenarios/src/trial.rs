//! A trial: one scene whose program is killed again and again, audited after each death, and brought to rest at the end.

#![allow(clippy::print_stderr, reason = "what a failing trial did is printed")]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tieout_sandbox::month::Size;

use crate::book::Book;
use crate::deaths::{Aim, End, Histogram, Running, Watched};
use crate::supply::Supply;
use crate::trouble::{self, Weather};
use crate::witness::{Testimony, Witness};
use crate::{Dice, Scene};

/// Reports that are there when the program first runs, and how many come before each further run, at most.
const FIRST: usize = 36;
const MORE: u64 = 6;

/// How the program is run until it dies.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Sync,
    Serve,
    /// Two instances, each with a death of its own.
    Both,
}

/// What a trial came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many died, and how far they had come.
    pub deaths: Histogram,
    /// Runs that came to their own end first.
    pub lived: u32,
    /// Documents that stand at the end.
    pub documents: usize,
    /// Reports that there are at the end.
    pub reports: usize,
    /// The most reports in doubt after a death.
    pub most_in_doubt: usize,
    /// What people did at the source.
    pub edits: u32,
    /// Edits that came too late, and were undone at the end.
    pub undone: usize,
    /// Faults that struck.
    pub faults: u32,
}

/// One scene with everybody who works on it.
pub struct Trial {
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
    /// A scene with the first reports in it, and nothing run yet.
    pub async fn new(seed: u64, shrink: u32, weather: Weather) -> Self {
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

    /// Killed so many times, and audited after each death.
    pub async fn dies(&mut self, times: u32) {
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

    /// Everybody lets go, the faults end, and the program comes to rest: everything is posted, marked and tied out, and
    /// what stands is what the source's world says.
    pub async fn comes_to_rest(mut self) -> Tally {
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
        std::mem::take(&mut self.tally)
    }
}
