//! Deliberate breakages of the workflow. A test that cannot fail proves nothing: each breakage is a small patch of
//! `domain`, switched on one at a time, and the simulation must catch every one.
//!
//! All of them are put into one copy of the workspace, each behind a switch, so that the copy is built once.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::exhaustive::{Breadth, first_violation, judged, recovered};
use crate::{copy, kept, random};

const LIST: &str = include_str!("../breakages.json");

/// The environment variable that switches one on in the copy.
const SWITCH: &str = "TIEOUT_BREAKAGE";

/// One deliberate breakage.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Breakage {
    /// What is broken, in words.
    name: String,
    /// The law it breaks.
    law: String,
    /// The patch.
    edits: Vec<Replacement>,
}

/// A piece of a file and what stands there instead; `BROKEN` in it is whether the breakage is switched on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    file: String,
    find: String,
    put: String,
}

/// Hunts: what failed once, then some seeds, which find most in a moment, then every walk but the products, then more seeds. The first
/// violation, if there is one.
pub fn hunt() -> Option<String> {
    kept::first_violation()
        .or_else(|| random::first_violation(0, 500))
        .or_else(|| first_violation(Breadth::Hunt))
        .or_else(|| random::first_violation(500, 2_000))
}

/// Hunts with what finds most in a moment alone: what failed once, so many seeds, as many in which
/// the log is put back, each way in which an answer is judged, and people who are interrupted.
pub fn hunt_seeds(count: usize) -> Option<String> {
    kept::first_violation()
        .or_else(|| random::first_violation(0, count as u64))
        .or_else(|| random::first_violation_restored(0, count))
        .or_else(|| {
            let (at, what) = random::first_among(&judged())?;
            Some(format!("judged {at}: {what}"))
        })
        .or_else(|| {
            let (at, what) = random::first_among(&recovered())?;
            Some(format!("recovered {at}: {what}"))
        })
}

/// Builds the copy and hunts every breakage; prints a line each. True where each was caught, and the copy with none
/// switched on was not.
pub fn all(mut print: impl FnMut(String)) -> bool {
    let list: Vec<Breakage> = serde_json::from_str(LIST).expect("the list of breakages");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = root.join("target/breakages");
    copy::lay_out(&root, &copy, "tieout-broken", &switch());
    for breakage in &list {
        apply(&copy, breakage);
    }
    let binary = copy::build_simulation(&copy, "tieout-broken").expect("the broken copy builds");
    let clean = hunted(&binary, "");
    print(match &clean {
        None => "nothing broken: nothing caught".to_owned(),
        Some(caught) => format!("nothing broken, and yet caught: {caught}"),
    });
    let mut right = clean.is_none();
    for breakage in &list {
        let caught = hunted(&binary, &breakage.name);
        right &= caught.is_some();
        let by = caught.unwrap_or_else(|| "NOT CAUGHT".to_owned());
        print(format!(
            "law {:<4} {}\n         {by}",
            breakage.law, breakage.name
        ));
    }
    print(format!(
        "{} breakages, {}",
        list.len(),
        if right {
            "all caught"
        } else {
            "not all as they should be"
        }
    ));
    right
}

/// Asks whether a breakage is on; at the end of the copy's `domain`.
fn switch() -> String {
    format!(
        "\npub(crate) fn broken(name: &str) -> bool {{\n    static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();\n    \
         ON.get_or_init(|| std::env::var(\"{SWITCH}\").ok()).as_deref() == Some(name)\n}}\n"
    )
}

/// Applies a patch. What it looks for must stand there once: a breakage that no longer fits is to be mended, not skipped.
fn apply(copy: &Path, breakage: &Breakage) {
    for edit in &breakage.edits {
        let path = copy.join(&edit.file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", edit.file));
        let found = text.matches(&edit.find).count();
        assert_eq!(
            found, 1,
            "breakage `{}`: {} has {found} of\n{}",
            breakage.name, edit.file, edit.find
        );
        let put = edit
            .put
            .replace("BROKEN", &format!("crate::broken({:?})", breakage.name));
        std::fs::write(&path, text.replace(&edit.find, &put)).expect("the copy");
    }
}

/// What caught it, in words; `None` where nothing did.
fn hunted(binary: &Path, breakage: &str) -> Option<String> {
    let output = Command::new(binary)
        .arg("hunt")
        .env(SWITCH, breakage)
        .output()
        .expect("the copy runs");
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    // A panic is a catch too: the workflow fell over.
    let line = said.lines().next().map_or_else(
        || {
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        },
        ToOwned::to_owned,
    );
    Some(line)
}
