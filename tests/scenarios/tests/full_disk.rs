//! A disk without room, met at random moments of the cycle: the program says so and ends with status 3, nothing is lost,
//! nothing is posted twice, and with room again the work is finished.
//!
//! Two ways to have no room without being the machine's administrator: a limit on the size of files (`ulimit -f`), and a
//! small file system of the process's own (`unshare`), where the machine lets anyone make one.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it, and it prints what it met"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use chrono::{DateTime, Utc};
use tieout_sandbox::month::Size;
use tieout_scenarios::book::Book;
use tieout_scenarios::supply::Supply;
use tieout_scenarios::witness::Witness;
use tieout_scenarios::{Dice, SHRINK, Scene, binary, on_a_cluster, text};

/// A disk without room is the log's own matter only where the log is a file.
fn the_log_is_elsewhere() -> bool {
    let elsewhere = on_a_cluster();
    if elsewhere {
        eprintln!("the log is on a cluster, not on this disk: nothing is tried here");
    }
    elsewhere
}

/// A scene whose reports come in portions, with its audit.
struct Trial {
    scene: Scene,
    book: Book,
    supply: Supply,
    witness: Witness,
    starts: Vec<DateTime<Utc>>,
    /// What the program said, and how often.
    said: BTreeMap<String, u32>,
    /// The last point it had passed, and how often.
    passed: BTreeMap<String, u32>,
}

impl Trial {
    async fn new(seed: u64) -> Self {
        binary();
        let none = Size::Many { reports: 0, lines: 0 };
        let scene = Scene::at_pace(SHRINK, none, |_| {}).await;
        scene.certify().await;
        Self {
            book: Book::open(&scene),
            scene,
            supply: Supply::new(seed),
            witness: Witness::default(),
            starts: Vec::new(),
            said: BTreeMap::new(),
            passed: BTreeMap::new(),
        }
    }

    fn begins(&mut self) {
        let _ = std::fs::remove_file(trace(&self.scene));
        let now = self.scene.now();
        self.starts.push(now);
        self.book.started(now);
    }

    /// Holds one run without room against the law; whether it met the end of the disk.
    async fn met_the_end(&mut self, output: &Output, when: &str) -> bool {
        let verdict = self.book.look(&self.scene);
        assert!(verdict.wrong.is_empty(), "{when}: {:#?}", verdict.wrong);
        let seen = self
            .witness
            .look(&self.scene, &self.book, &self.starts, &verdict)
            .await;
        assert!(seen.wrong.is_empty(), "{when}: {:#?}", seen.wrong);
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said
            .lines()
            .rfind(|line| line.starts_with("tieout: "))
            .unwrap_or_default();
        let met = match output.status.code() {
            Some(0 | 1) => false,
            Some(3) => true,
            other => panic!("{when}: {other:?}: {}", text(output)),
        };
        assert!(!said.contains("panicked"), "{when}: {said}");
        if met {
            // Whoever reads it learns what is wrong and what to do.
            let clear = ["room", "disk"].iter().any(|word| last.contains(word)) && last.contains("run again");
            assert!(clear, "{when}: {}", text(output));
            let folder = self
                .scene
                .config
                .parent()
                .expect("a folder")
                .display()
                .to_string();
            *self.said.entry(last.replace(&folder, "…")).or_default() += 1;
            let trace = std::fs::read_to_string(trace(&self.scene)).unwrap_or_default();
            let point = trace.lines().next_back().unwrap_or("nothing").to_owned();
            *self.passed.entry(point).or_default() += 1;
        }
        met
    }

    /// With room again, all of it is done.
    async fn finishes(&mut self, when: &str) {
        self.begins();
        let last = self.scene.settle(12).await;
        assert_eq!(last["in_doubt"], 0, "{when}: {last:#}");
        assert_eq!(last["resolved"]["incidents"], 0, "{when}: {last:#}");
        self.scene.must_tie_out(when).await;
        let documents = self
            .book
            .must_be_done(&self.scene)
            .unwrap_or_else(|wrong| panic!("{when}: {wrong:#?}"));
        eprintln!(
            "{when}: {documents} documents stand; without room it said {:#?}, after passing {:?}",
            self.said, self.passed
        );
        assert!(
            self.passed.len() >= 4,
            "it met the end in too few places: {:?}",
            self.passed
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_that_may_not_grow_end_the_cycle_anywhere_and_lose_nothing() {
    if the_log_is_elsewhere() {
        return;
    }
    let mut trial = Trial::new(41).await;
    let mut dice = Dice::new(41);
    let mut met = 0;
    for round in 0..20 {
        trial.supply.arrive(&trial.scene, &mut trial.book, 6);
        // In blocks of 512 bytes: from too little to open the log to nearly enough for the cycle.
        let blocks = 40 + dice.below(6_000);
        trial.begins();
        let output = limited(&trial.scene, blocks)
            .output()
            .await
            .expect("the program runs");
        met += u32::from(
            trial
                .met_the_end(&output, &format!("round {round}, {blocks} blocks"))
                .await,
        );
    }
    assert!(met >= 6, "it met the end of its room only {met} times");
    trial
        .finishes(&format!("{met} runs of 20 met a file that may not grow"))
        .await;
}

/// Where the program says what it passes; not on the disk that has no room.
fn trace(scene: &Scene) -> PathBuf {
    scene.folder.path().join("trace")
}

/// The program with a limit on every file it writes, and without the signal that would end it there.
fn limited(scene: &Scene, blocks: u64) -> tokio::process::Command {
    let inner = scene.command(&["sync"]);
    let inner = inner.as_std();
    let mut command = tokio::process::Command::new("sh");
    command
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""))
        .arg("sh")
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TIEOUT_CRASH_TRACE", trace(scene))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Whether anyone may mount a file system of their own here.
fn may_mount() -> bool {
    let tried = std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "mount",
            "-t",
            "tmpfs",
            "none",
            "/mnt",
        ])
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_ends_the_cycle_anywhere_and_loses_nothing() {
    if the_log_is_elsewhere() {
        return;
    }
    if !may_mount() {
        eprintln!("not run: this machine lets nobody mount a file system of their own");
        return;
    }
    let mut trial = Trial::new(43).await;
    let mut dice = Dice::new(43);
    let mut met = 0;
    for round in 0..20 {
        trial.supply.arrive(&trial.scene, &mut trial.book, 6);
        let kilobytes = 8 + dice.below(1_800);
        trial.begins();
        let output = on_a_small_disk(&trial.scene, kilobytes).await;
        met += u32::from(
            trial
                .met_the_end(&output, &format!("round {round}, {kilobytes} KiB"))
                .await,
        );
    }
    assert!(met >= 8, "it met the end of its disk only {met} times");
    trial.finishes(&format!("{met} runs of 20 met a full disk")).await;
}

/// The program on a disk that holds the installation and so much more. The disk is gone when the process is; what stood
/// on it is put in the place of the installation.
async fn on_a_small_disk(scene: &Scene, kilobytes: u64) -> Output {
    const SCRIPT: &str = r#"
        here=$1; aside=$2; spare=$3; shift 3
        used=$(du -sk "$here" | cut -f1)
        mkdir "$aside" && cp -a "$here/." "$aside/" || exit 90
        mount -t tmpfs -o "size=$((used + spare))k" none "$here" || exit 91
        cp -a "$aside/." "$here/" || exit 92
        "$@"; status=$?
        rm -rf "$aside" && mkdir "$aside" && cp -a "$here/." "$aside/" || exit 93
        exit $status"#;
    let here = scene.config.parent().expect("a folder");
    let aside = scene.folder.path().join("aside");
    let inner = scene.command(&["sync"]);
    let inner = inner.as_std();
    let output = tokio::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"])
        .args([here, &aside])
        .arg(kilobytes.to_string())
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TIEOUT_CRASH_TRACE", trace(scene))
        .stdin(Stdio::null())
        .output()
        .await
        .expect("it runs");
    take_the_place(&aside, here);
    output
}

/// Puts the files of one folder in the place of another's.
fn take_the_place(of: &Path, here: &Path) {
    std::fs::remove_dir_all(here).expect("the installation as it was");
    std::fs::rename(of, here).expect("the installation as it is");
}
