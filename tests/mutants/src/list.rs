//! The mutants that `cargo mutants` would try one build at a time.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// Where something stands; lines and columns count from one.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// From where to where.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Extent {
    /// The first character.
    pub start: Place,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// A function's body is replaced by a value.
    FnValue,
    /// A binary operator by another.
    BinaryOperator,
    /// A unary operator is left out.
    UnaryOperator,
    /// A guard by `true` or `false`.
    MatchArmGuard,
    /// An arm is left out.
    MatchArm,
    /// A field is taken from the rest instead.
    StructField,
}

/// One mutant.
#[derive(Debug, Clone, Deserialize)]
pub struct Mutant {
    /// Its number in the list, from one.
    #[serde(skip)]
    pub number: usize,
    /// The file, from the workspace's root.
    pub file: String,
    /// What it is, in words, with its place.
    pub name: String,
    /// What is changed.
    pub genre: Genre,
    /// What stands there instead.
    pub replacement: String,
    /// Where.
    pub span: Extent,
}

/// Every mutant of a package, as the installed `cargo-mutants` lists them.
///
/// # Errors
/// Where `cargo-mutants` is not installed or says no list.
pub fn of(root: &Path, package: &str) -> Result<Vec<Mutant>, String> {
    let output = Command::new("cargo")
        .args(["mutants", "-p", package, "--list", "--json"])
        .current_dir(root)
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "cargo mutants: {said}(cargo install cargo-mutants --locked)"
        ));
    }
    let mut mutants: Vec<Mutant> = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    for (number, mutant) in (1..).zip(&mut mutants) {
        mutant.number = number;
    }
    Ok(mutants)
}
