//! The copy with every mutant in it, built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tieout_simulation::copy;

use crate::list::Mutant;
use crate::switch::switched;

/// The environment variable that switches a mutant on, by its number.
pub const SWITCH: &str = "TIEOUT_MUTANT";
/// The environment variable that names a file, to which is written which mutants a run came past.
pub const REACHED: &str = "TIEOUT_MUTANTS_REACHED";

const ASKED: &str = r#"
#[doc(hidden)]
pub fn mutant_is_on(number: usize) -> bool {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    static ON: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::env::var("TIEOUT_MUTANT").ok().and_then(|n| n.parse().ok()).unwrap_or(0));
    static FILE: std::sync::LazyLock<Option<std::fs::File>> = std::sync::LazyLock::new(|| {
        let path = std::env::var_os("TIEOUT_MUTANTS_REACHED")?;
        std::fs::File::options().create(true).append(true).open(path).ok()
    });
    static SEEN: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];
    if let Some(file) = &*FILE {
        if SEEN.get(number).is_some_and(|seen| !seen.swap(true, Ordering::Relaxed)) {
            let mut file: &std::fs::File = file;
            drop(file.write_all(format!("{number}\n").as_bytes()));
        }
    }
    *ON == number
}
"#;

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// The package's tests.
    pub tests: Vec<PathBuf>,
    /// The simulation.
    pub simulation: PathBuf,
    /// Mutants that the compiler refuses, as it would in a build of their own.
    pub refused: BTreeSet<usize>,
    /// Mutants that no switch could be made for.
    pub unswitched: BTreeSet<usize>,
}

/// Lays out the copy and builds it, leaving out what the compiler refuses.
///
/// # Errors
/// Where it does not build for another reason.
pub fn all(root: &Path, package: &str, mutants: &[Mutant]) -> Result<Built, String> {
    let copied = root.join("target/mutants");
    copy::lay_out(root, &copied, "tieout-mutated", ASKED);
    let mut refused = BTreeSet::new();
    loop {
        let placed = place(root, &copied, mutants, &refused)?;
        let (tests, complaints) = build_tests(&copied, package)?;
        if complaints.is_empty() {
            let simulation = copy::build_simulation(&copied, "tieout-mutated")?;
            let all = mutants.iter().map(|m| m.number);
            let unswitched = all.filter(|n| !placed.contains(n) && !refused.contains(n));
            return Ok(Built {
                tests,
                simulation,
                unswitched: unswitched.collect(),
                refused,
            });
        }
        let before = refused.len();
        for Complaint {
            file,
            line,
            column,
            message,
        } in &complaints
        {
            let text = std::fs::read_to_string(copied.join(file)).map_err(|e| format!("{file}: {e}"))?;
            let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            let before: String = text.chars().take(column.saturating_sub(1)).collect();
            // The nearest one before it; in front of all of them, it may be any.
            let on = numbers(&before)
                .pop()
                .map_or_else(|| numbers(text), |one| vec![one]);
            if on.is_empty() {
                println!("no mutant stands at {file}:{line}: {message}");
            }
            refused.extend(on);
        }
        println!("the compiler refuses {} mutants", refused.len());
        if refused.len() == before {
            return Err("the copy does not build".to_owned());
        }
    }
}

/// Writes the mutants into the copy, but for the refused ones; those that stand there now.
fn place(
    root: &Path,
    copied: &Path,
    mutants: &[Mutant],
    refused: &BTreeSet<usize>,
) -> Result<BTreeSet<usize>, String> {
    let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        let these = files.entry(&mutant.file).or_default();
        these.extend((!refused.contains(&mutant.number)).then_some(mutant));
    }
    let mut placed = BTreeSet::new();
    for (file, these) in files {
        let text = std::fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"))?;
        let (text, numbers) = switched(&text, &these).map_err(|e| format!("{file}: {e}"))?;
        placed.extend(numbers);
        let end = if file.ends_with("src/lib.rs") { ASKED } else { "" };
        std::fs::write(copied.join(file), text + end).map_err(|e| format!("{file}: {e}"))?;
    }
    Ok(placed)
}

fn numbers(line: &str) -> Vec<usize> {
    line.split("mutant_is_on(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next()?.parse().ok())
        .collect()
}

#[derive(Deserialize)]
struct Said {
    reason: String,
    message: Option<Message>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    spans: Vec<Spot>,
}

#[derive(Deserialize)]
struct Spot {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

/// What the compiler refuses, and where; lines and columns count from one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

type Complaints = BTreeSet<Complaint>;

fn build_tests(copied: &Path, package: &str) -> Result<(Vec<PathBuf>, Complaints), String> {
    let output = copy::cargo(copied)
        .args([
            "test",
            "--locked",
            "--no-run",
            "--tests",
            "-p",
            package,
            "--message-format",
            "json",
        ])
        .stderr(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    let (mut tests, mut complaints) = (Vec::new(), Complaints::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(said) = serde_json::from_str::<Said>(line) else {
            continue;
        };
        if said.reason == "compiler-artifact" {
            tests.extend(said.executable);
        }
        let Some(said) = said.message.filter(|m| m.level == "error") else {
            continue;
        };
        for spot in said.spans.into_iter().filter(|s| s.is_primary) {
            complaints.insert(Complaint {
                file: spot.file_name,
                line: spot.line_start,
                column: spot.column_start,
                message: said.message.clone(),
            });
        }
    }
    if complaints.is_empty() && !output.status.success() {
        return Err("the copy does not build, and the compiler says no place".to_owned());
    }
    Ok((tests, complaints))
}
