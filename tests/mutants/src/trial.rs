//! Each mutant switched on under the tests that come past it, then under the simulation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::build::{Built, REACHED, SWITCH};
use crate::list::Mutant;

/// What became of a mutant.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// A test failed.
    ByTest,
    /// The tests did not end.
    ByTime,
    /// A law was broken, or the simulation fell over.
    BySimulation,
    /// Nothing noticed.
    Survived {
        /// Whether anything came past it.
        reached: bool,
    },
}

impl Fate {
    /// Did anything notice?
    pub fn is_caught(self) -> bool {
        !matches!(self, Fate::Survived { .. })
    }

    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Fate::ByTest => "test",
            Fate::ByTime => "runs on",
            Fate::BySimulation => "simulation",
            Fate::Survived { reached: true } => "SURVIVES",
            Fate::Survived { reached: false } => "NOT REACHED",
        }
    }
}

/// Seeds that the simulation runs for each mutant that no test caught, after the kept plans.
const SEEDS: &str = "150";

/// One test, how long it takes, and the mutants it comes past.
struct Test<'a> {
    binary: &'a Path,
    name: String,
    took: Duration,
    reached: BTreeSet<usize>,
}

/// Tries every mutant that was built and is `wanted`, telling what became of it.
///
/// # Errors
/// Where a test fails, or the simulation breaks a law, with no mutant on.
pub fn all(
    built: &Built,
    mutants: &[Mutant],
    wanted: impl Fn(&Mutant) -> bool,
    tell: impl Fn(usize, &Fate) + Sync,
) -> Result<BTreeMap<usize, Fate>, String> {
    let folder = std::env::temp_dir().join(format!("tieout-mutants-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let mut tests = Vec::new();
    for binary in &built.tests {
        for name in names(binary)? {
            let seen = folder.join("reached");
            drop(std::fs::remove_file(&seen));
            let began = Instant::now();
            let status = test(binary, std::slice::from_ref(&name))
                .env(REACHED, &seen)
                .status()
                .map_err(|e| e.to_string())?;
            if !status.success() {
                return Err(format!("{name} fails with no mutant on"));
            }
            tests.push(Test {
                binary,
                name,
                took: began.elapsed(),
                reached: reached(&seen),
            });
        }
    }
    tests.sort_by_key(|t| t.took);
    let seen = folder.join("simulated");
    let status = Command::new(&built.simulation)
        .args(["hunt", SEEDS])
        .env(REACHED, &seen)
        .status()
        .map_err(|e| e.to_string())?;
    if !status.success() {
        return Err("the simulation breaks a law with no mutant on".to_owned());
    }
    let simulated = reached(&seen);
    drop(std::fs::remove_dir_all(&folder));
    println!(
        "{} tests, {} mutants within their reach; {} within the simulation's",
        tests.len(),
        tests
            .iter()
            .flat_map(|t| &t.reached)
            .collect::<BTreeSet<_>>()
            .len(),
        simulated.len()
    );
    let tried: Vec<usize> = mutants
        .iter()
        .filter(|m| wanted(m))
        .map(|m| m.number)
        .filter(|number| !built.refused.contains(number) && !built.unswitched.contains(number))
        .collect();
    let fates = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(number) = tried.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fate = under_tests(*number, &tests);
                    if fate.is_caught() || !simulated.contains(number) {
                        tell(*number, &fate);
                    }
                    fates.lock().expect("no worker fell over").insert(*number, fate);
                }
            });
        }
    });
    let mut fates = fates.into_inner().map_err(|e| e.to_string())?;
    println!(
        "{} of {} caught by tests; the simulation hunts the others",
        fates.values().filter(|fate| fate.is_caught()).count(),
        tried.len()
    );
    for (number, fate) in &mut fates {
        if !fate.is_caught() && simulated.contains(number) {
            *fate = under_simulation(*number, &built.simulation);
            tell(*number, fate);
        }
    }
    Ok(fates)
}

fn names(binary: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(binary)
        .arg("--list")
        .output()
        .map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| Some(line.strip_suffix(": test")?.to_owned()))
        .collect())
}

fn test(binary: &Path, names: &[String]) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["--exact", "--test-threads=1"])
        .args(names)
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn reached(file: &Path) -> BTreeSet<usize> {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect()
}

/// The quickest tests first, ever more in one process, so that most mutants end in a moment.
fn under_tests(number: usize, tests: &[Test<'_>]) -> Fate {
    let these: Vec<&Test<'_>> = tests.iter().filter(|t| t.reached.contains(&number)).collect();
    let mut rest = these.as_slice();
    let mut many = 4;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(many.min(rest.len()));
        let mut binaries: BTreeMap<&Path, Vec<&Test<'_>>> = BTreeMap::new();
        for test in now {
            binaries.entry(test.binary).or_default().push(test);
        }
        for (binary, those) in binaries {
            let names: Vec<String> = those.iter().map(|t| t.name.clone()).collect();
            let usual: Duration = those.iter().map(|t| t.took).sum();
            let mut command = test(binary, &names);
            let child = command.env(SWITCH, number.to_string()).spawn();
            match ended(child.expect("a test runs"), usual * 10 + Duration::from_secs(10)) {
                None => return Fate::ByTime,
                Some(true) => {}
                Some(false) => return Fate::ByTest,
            }
        }
        rest = later;
        many *= 4;
    }
    Fate::Survived {
        reached: !these.is_empty(),
    }
}

fn under_simulation(number: usize, simulation: &Path) -> Fate {
    let mut command = Command::new(simulation);
    let child = command
        .args(["hunt", SEEDS])
        .env(SWITCH, number.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match ended(child.expect("the simulation runs"), Duration::from_secs(60)) {
        None => Fate::ByTime,
        Some(true) => Fate::Survived { reached: true },
        Some(false) => Fate::BySimulation,
    }
}

/// Whether it ended well; `None` where it had to be ended.
fn ended(mut child: Child, within: Duration) -> Option<bool> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if began.elapsed() > within => {
                drop(child.kill());
                drop(child.wait());
                return None;
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return Some(false),
        }
    }
}
