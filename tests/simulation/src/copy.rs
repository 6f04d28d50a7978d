//! A copy of the workspace in which `domain` is changed behind switches, built once for every change.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Copies what the workspace is built from to `copy`, with a second name for the simulation's program, so that it stands
/// beside the sound one; `switch` goes to the end of `domain`.
pub fn lay_out(root: &Path, copy: &Path, binary: &str, switch: &str) {
    drop(std::fs::remove_dir_all(copy));
    for entry in [
        "Cargo.toml",
        "Cargo.lock",
        "domain",
        "adapters",
        "projections",
        "bin",
        "tests",
    ] {
        copy_all(&root.join(entry), &copy.join(entry));
    }
    let second = format!("\n[[bin]]\nname = \"{binary}\"\npath = \"src/main.rs\"\n");
    add(&copy.join("tests/simulation/Cargo.toml"), &second);
    add(&copy.join("domain/src/lib.rs"), switch);
}

fn add(file: &Path, more: &str) {
    let text = std::fs::read_to_string(file).expect("a file of the copy");
    std::fs::write(file, text + more).expect("a file of the copy");
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            copy_all(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::fs::copy(from, to).expect("a file");
    }
}

/// Cargo, about to do something in the copy; what it builds goes beside it.
pub fn cargo(copy: &Path) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", built(copy))
        .env("RUSTFLAGS", "-Awarnings");
    command
}

/// One place for every copy: what they are built from besides is the same.
fn built(copy: &Path) -> PathBuf {
    copy.with_file_name("copies-built")
}

/// The copy's simulation, built.
///
/// # Errors
/// Where it does not build; cargo has said why.
pub fn build_simulation(copy: &Path, binary: &str) -> Result<PathBuf, String> {
    let status = cargo(copy)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--profile",
            "simulation",
            "-p",
            "tieout-simulation",
            "--bin",
            binary,
        ])
        .status()
        .map_err(|e| e.to_string())?;
    if status.success() {
        Ok(built(copy).join("simulation").join(binary))
    } else {
        Err("the copy does not build".to_owned())
    }
}
