//! `tieout init`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::SECRET;
use crate::program::{files_of, installed, tieout};

#[test]
fn init_makes_an_installation_that_the_other_commands_open() {
    let folder = tempfile::tempdir().unwrap();
    let run = tieout(
        folder.path(),
        &["--json", "init", "--name", "acme", "--folder", "in/here"],
        &[],
        "",
    )
    .ended_with(0);
    let said = run.json();
    assert_eq!(said["connection"]["name"], "acme");
    assert_eq!(said["config"], "in/here/tieout.toml");
    let made: Vec<&str> = said["made"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap())
        .collect();
    assert_eq!(made.len(), 7, "{made:?}");
    for path in &made {
        assert!(folder.path().join(path).is_file(), "{path}");
    }
    for private in ["tieout.key", "tieout.vault", "tieout.people"] {
        let mode = fs::metadata(folder.path().join("in/here").join(private))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
    let id = said["connection"]["id"].as_str().unwrap();
    assert!(
        fs::read_to_string(folder.path().join("in/here/tieout.toml"))
            .unwrap()
            .contains(id)
    );

    let config = ["--json", "--config", "in/here/tieout.toml"];
    let with = |rest: &[&'static str]| [&config[..], rest].concat();
    let verified = tieout(folder.path(), &with(&["log", "verify"]), &[], "")
        .ended_with(0)
        .json();
    assert_eq!(
        (&verified["sound"], &verified["events"]),
        (&Value::from(true), &Value::from(0))
    );
    let checked = tieout(folder.path(), &with(&["rules", "check"]), &[], "")
        .ended_with(0)
        .json();
    assert_eq!(checked[0]["ok"], true);
    assert_eq!(checked[0]["connections"][0], "acme");
}

#[test]
fn init_says_what_comes_next_in_the_words_of_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let run = tieout(folder.path(), &["init", "--folder", "there"], &[], "").ended_with(0);
    for command in [
        "rules check",
        "credentials expensify",
        "credentials qad",
        "operators add",
        "rules propose",
        "rules backtest --record",
        "rules approve",
        "rules activate",
        "doctor",
        "sync --dry-run",
    ] {
        assert!(
            run.stdout
                .contains(&format!("tieout --config there/tieout.toml {command}")),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn init_overwrites_nothing_and_says_what_exists() {
    let folder = installed();
    let before = files_of(folder.path());
    let run = tieout(folder.path(), &["init", "--name", "acme"], &[], "").ended_with(2);
    assert_eq!(run.stdout, "");
    for file in [
        "tieout.toml",
        "tieout.key",
        "tieout.vault",
        "tieout.people",
        "rules/acme.toml",
        "tieout.db",
    ] {
        assert!(run.stderr.contains(file), "{file}: {}", run.stderr);
    }
    // Another name in the same folder is in the way of the same log.
    tieout(folder.path(), &["init", "--name", "other"], &[], "").ended_with(2);
    assert_eq!(files_of(folder.path()), before);
}

#[test]
fn a_vault_locked_with_a_passphrase_has_no_key_file_and_opens_with_it_only() {
    let folder = tempfile::tempdir().unwrap();
    let right = [("TIEOUT_PASSPHRASE", SECRET)];
    let run = tieout(folder.path(), &["init", "--passphrase"], &right, "").ended_with(0);
    assert!(!run.all().contains(SECRET));
    assert!(!folder.path().join("tieout.key").exists());
    tieout(folder.path(), &["credentials"], &right, "").ended_with(0);
    let run = tieout(
        folder.path(),
        &["credentials"],
        &[("TIEOUT_PASSPHRASE", "another")],
        "",
    )
    .ended_with(2);
    assert!(
        run.stderr.contains("does not open the vault") && !run.stderr.contains("another one\""),
        "{}",
        run.stderr
    );
}
