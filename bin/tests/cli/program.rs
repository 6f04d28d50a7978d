//! The program as a process, for the tests of this folder; and the stand-ins with an installation for them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a run of the program came to.
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}
impl Run {
    /// Of a finished process.
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
    #[track_caller]
    pub fn ended_with(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.stdout))
    }
    #[track_caller]
    pub fn refused_with(self, status: i32, words: &str) {
        let run = self.ended_with(status);
        assert!(run.stderr.contains(words), "`{words}` is not in: {}", run.stderr);
        assert_eq!(run.stdout, "", "a refusal has no result");
    }
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
    /// What stands in neither output.
    #[track_caller]
    pub fn tells_none_of(&self, secrets: &[&str]) {
        for secret in secrets {
            assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret));
        }
    }
}

/// The program without anything of our own surroundings, with these variables and this on its standard input.
pub fn tieout(folder: &Path, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Run::of(child.wait_with_output().unwrap())
}

/// A folder with a fresh installation, its connection called `acme`.
pub fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tieout(folder.path(), &["init", "--name", "acme"], &[], "").ended_with(0);
    folder
}

/// Every file below a folder, with what it holds.
pub fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()))
            }
        }
    }
    found.sort();
    found
}

/// The stand-ins, with an installation for them whose rule set is in force; stopped when it goes out of scope.
pub struct Sandbox {
    child: Child,
    pub folder: TempDir,
}
impl Sandbox {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(["--json", "sandbox", "--expensify-port", "0", "--qad-port", "0"])
            .args(["--shrink-limits", "100", "--write-config", "home"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its document is the sign that it is ready; the end of it is a line of its own.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<String> = lines.map(Result::unwrap).take_while(|line| line != "}").collect();
        assert!(said.iter().any(|line| line.contains("expensify")), "{said:?}");
        Self { child, folder }
    }

    /// The program on the installation, in words, with these variables.
    pub fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Run {
        let args = [&["--config", "home/tieout.toml"], args].concat();
        let env = [&[("TIEOUT_LIMIT_SCALE", "100")], env].concat();
        tieout(self.folder.path(), &args, &env, "")
    }

    /// The same with `--json`.
    pub fn tieout(&self, args: &[&str]) -> Run {
        self.run(&[&["--json"], args].concat(), &[])
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
