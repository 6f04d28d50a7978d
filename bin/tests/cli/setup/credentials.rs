//! `tieout credentials`, and the key of the vault.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::SECRET;
use crate::program::{files_of, installed, tieout};

#[test]
fn credentials_are_put_rotated_and_listed_and_never_printed() {
    let folder = installed();
    let list = || tieout(folder.path(), &["--json", "credentials"], &[], "").ended_with(0);
    assert_eq!(
        list().json()["sets"][0]["version"],
        Value::Null,
        "nothing was put yet"
    );

    let env = [("TIEOUT_SECRET", SECRET)];
    let put = ["--json", "credentials", "expensify", "--user", "aa_svc_example"];
    let first = tieout(folder.path(), &put, &env, "").ended_with(0);
    assert_eq!(
        (&first.json()["system"], &first.json()["version"]),
        (&"expensify".into(), &1.into())
    );
    // Rotated from standard input, the user kept.
    let rotate = [
        "--json",
        "--log",
        "trace",
        "credentials",
        "expensify",
        "--secret-stdin",
    ];
    let second = tieout(folder.path(), &rotate, &[], &format!("{SECRET}\n")).ended_with(0);
    assert_eq!(second.json()["version"], 2);
    assert_eq!(second.json()["kept"][0], "partnerUserID");
    let qad = [
        "credentials",
        "qad",
        "--client-id",
        "tieout",
        "--user",
        "svc",
        "--secret-stdin",
    ];
    let third = tieout(folder.path(), &qad, &[], SECRET).ended_with(0);
    let listed = list();
    let listed_json = listed.json();
    let sets = listed_json["sets"].as_array().unwrap();
    let versions: Vec<Option<u64>> = sets.iter().map(|set| set["version"].as_u64()).collect();
    assert_eq!(versions, [Some(2), Some(1)]);
    for run in [first, second, third, listed] {
        assert!(!run.all().contains("hunter2"), "{}", run.all());
    }
    for (path, bytes) in files_of(folder.path()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            !text.contains("hunter2"),
            "{} holds the secret in clear",
            path.display()
        );
    }
}

#[test]
fn credentials_that_cannot_be_are_refused() {
    let folder = installed();
    let env = [("TIEOUT_SECRET", SECRET)];
    let run = tieout(folder.path(), &["credentials", "expensify"], &env, "").ended_with(2);
    assert!(run.stderr.contains("--user"), "{}", run.stderr);
    let run = tieout(folder.path(), &["credentials", "qad", "--user", "svc"], &env, "").ended_with(2);
    assert!(run.stderr.contains("--client-id"), "{}", run.stderr);
    let run = tieout(
        folder.path(),
        &["credentials", "expensify", "--user", "u", "--secret-stdin"],
        &[],
        " \n",
    )
    .ended_with(2);
    assert!(run.stderr.contains("blank"), "{}", run.stderr);
    let run = tieout(
        folder.path(),
        &["credentials", "expensify", "-c", "nobody"],
        &env,
        "",
    )
    .ended_with(2);
    assert!(
        run.stderr.contains("no connection `nobody`") && run.stderr.contains("acme"),
        "{}",
        run.stderr
    );
    let run = tieout(folder.path(), &["credentials", "ledger"], &env, "").ended_with(2);
    assert!(run.stderr.contains("expensify"), "{}", run.stderr);
    let listed = tieout(folder.path(), &["--json", "credentials"], &[], "")
        .ended_with(0)
        .json();
    assert!(
        listed["sets"]
            .as_array()
            .unwrap()
            .iter()
            .all(|set| set["version"].is_null()),
        "nothing was put"
    );
}

#[test]
fn the_key_of_the_vault_is_rotated_and_the_old_one_opens_it_no_more() {
    let folder = installed();
    let put = ["credentials", "expensify", "--user", "u"];
    tieout(folder.path(), &put, &[("TIEOUT_SECRET", SECRET)], "").ended_with(0);
    let run = tieout(
        folder.path(),
        &["credentials", "key", "--new-key-file", "tieout.key"],
        &[],
        "",
    )
    .ended_with(2);
    assert!(run.stderr.contains("the key in use"), "{}", run.stderr);

    let rotate = ["--json", "credentials", "key", "--new-key-file", "new.key"];
    let said = tieout(folder.path(), &rotate, &[], "").ended_with(0).json();
    assert_eq!(
        (&said["key_version"], &said["setting"]),
        (&2.into(), &"key_file = \"new.key\"".into())
    );
    assert_eq!(
        fs::metadata(folder.path().join("new.key"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    tieout(folder.path(), &["credentials"], &[], "").ended_with(2);

    let config = folder.path().join("tieout.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("key_file = \"tieout.key\"", "key_file = \"new.key\""),
    )
    .unwrap();
    let listed = tieout(folder.path(), &["--json", "credentials"], &[], "")
        .ended_with(0)
        .json();
    assert_eq!(listed["sets"][0]["version"], 1, "the secret stayed as it was");

    // And on to a passphrase.
    let run = tieout(
        folder.path(),
        &["credentials", "key", "--secret-stdin"],
        &[],
        SECRET,
    )
    .ended_with(0);
    assert!(
        run.stdout.contains("passphrase = true") && !run.all().contains("hunter2"),
        "{}",
        run.all()
    );
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("key_file = \"new.key\"", "passphrase = true"),
    )
    .unwrap();
    tieout(
        folder.path(),
        &["credentials"],
        &[("TIEOUT_PASSPHRASE", SECRET)],
        "",
    )
    .ended_with(0);
}
