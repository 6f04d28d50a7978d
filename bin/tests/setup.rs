//! The set-up commands as processes: what they make, what they refuse, what they print and what they never print.

#![cfg(test)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "hunter2-and-a-bit-more";

/// What a run of the program came to.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}
impl Run {
    #[track_caller]
    fn ended_with(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.stdout))
    }
    fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The program without anything of our own surroundings, with these variables.
fn tieout(folder: &Path, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
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
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a fresh installation, its connection called `acme`.
fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tieout(folder.path(), &["init", "--name", "acme"], &[], "").ended_with(0);
    folder
}

fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push((path.clone(), fs::read(path).unwrap()))
            }
        }
    }
    found.sort();
    found
}

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

#[test]
fn a_rule_file_is_checked_without_an_installation_and_every_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = installed();
    let good = fs::read_to_string(home.path().join("rules/acme.toml")).unwrap();
    let file = folder.path().join("draft.toml");
    fs::write(&file, &good).unwrap();
    let run = tieout(folder.path(), &["rules", "check", "draft.toml"], &[], "").ended_with(0);
    assert!(run.stdout.contains("5 rules, no fault"), "{}", run.stdout);

    let more = r#"
[[rule]]
name = "Plant"
when = { field."Trip Purpose" = "Customer", tag = "Ohio" }
set = { account = "6499" }
"#;
    fs::write(&file, good.clone() + more).unwrap();
    let found = tieout(
        folder.path(),
        &["--json", "rules", "check", "draft.toml"],
        &[],
        "",
    )
    .ended_with(1)
    .json();
    assert_eq!(found[0]["ok"], false);
    let fault = &found[0]["faults"][0];
    assert_eq!(
        (&fault["code"], &fault["dimension"]),
        (&"ambiguous".into(), &"account".into())
    );
    assert!(fault["line"].as_str().unwrap().contains("Ohio"), "{fault}");
    let line = good.lines().count() + 2;
    assert_eq!(fault["other_at"]["text"], format!("draft.toml:{line}:1"));
    assert_eq!(
        (&fault["other_at"]["line"], &fault["other_at"]["column"]),
        (&line.into(), &1.into())
    );
    let run = tieout(folder.path(), &["rules", "check", "draft.toml"], &[], "").ended_with(1);
    assert!(
        run.stdout.contains(&format!("(the other: draft.toml:{line}:1)")),
        "{}",
        run.stdout
    );

    fs::write(&file, "rule = [").unwrap();
    let found = tieout(
        folder.path(),
        &["--json", "rules", "check", "draft.toml"],
        &[],
        "",
    )
    .ended_with(1)
    .json();
    assert_eq!(found[0]["faults"][0]["code"], "syntax");
    let run = tieout(folder.path(), &["rules", "check", "absent.toml"], &[], "").ended_with(2);
    assert!(
        run.stderr.contains("absent.toml cannot be read"),
        "{}",
        run.stderr
    );
}

/// The stand-ins, with an installation for them; stopped when it goes out of scope.
struct Sandbox {
    child: Child,
    folder: TempDir,
}
impl Sandbox {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = [
            "--json",
            "sandbox",
            "--expensify-port",
            "0",
            "--qad-port",
            "0",
            "--shrink-limits",
            "100",
        ];
        let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(args)
            .args(["--write-config", "home"])
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
    fn tieout(&self, args: &[&str]) -> Run {
        let args = [&["--json", "--config", "home/tieout.toml"], args].concat();
        tieout(self.folder.path(), &args, &[("TIEOUT_LIMIT_SCALE", "100")], "")
    }
}
impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn coverage_asks_expensify_what_people_can_choose_and_names_what_no_rule_covers() {
    let sandbox = Sandbox::start();
    let found = sandbox
        .tieout(&["rules", "check", "--coverage"])
        .ended_with(1)
        .json();
    let policies = found[0]["coverage"].as_array().unwrap();
    assert_eq!(policies.len(), 3);
    assert!(
        policies
            .iter()
            .all(|policy| policy["visible"] == true && policy["categories"]["seen"].as_u64() > Some(5))
    );
    let gaps = |what: &str| -> Vec<Value> {
        policies
            .iter()
            .flat_map(|policy| policy[what]["gaps"].as_array().unwrap().clone())
            .collect()
    };
    assert!(
        !gaps("categories").is_empty(),
        "the demo leaves some out on purpose"
    );
    // A rule that names a policy covers it there: no gap is a line of no policy.
    for gap in gaps("categories").iter().chain(&gaps("tags")) {
        assert!(!gap["line"].as_str().unwrap_or("").contains("no policy"), "{gap}");
    }
    // Who could be paid back, the chart says, and no cycle has read it yet.
    for policy in policies {
        let members = &policy["members"];
        assert!(
            members["seen"].is_null() && members["not_looked_at"].is_string(),
            "{members}"
        );
    }

    // The same for a draft, since there is one connection only.
    let draft = sandbox.folder.path().join("draft.toml");
    fs::copy(sandbox.folder.path().join("home/rules.toml"), &draft).unwrap();
    let again = sandbox
        .tieout(&["rules", "check", "draft.toml", "--coverage"])
        .ended_with(1)
        .json();
    assert_eq!(again[0]["coverage"], found[0]["coverage"]);

    // A cycle reads the chart. Then members without a supplier are named, and a log for tools only counts them.
    assert!(sandbox.tieout(&["sync"]).status <= 1);
    let found = sandbox
        .tieout(&["rules", "check", "--coverage", "--chart"])
        .ended_with(1)
        .json();
    let members: Vec<&Value> = found[0]["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| &policy["members"])
        .collect();
    assert!(
        members.iter().all(|members| members["seen"].as_u64() > Some(10)),
        "{members:?}"
    );
    let without: Vec<&Value> = members
        .iter()
        .flat_map(|members| members["without_supplier"].as_array().unwrap())
        .collect();
    assert!(!without.is_empty(), "the demo leaves some out on purpose");
    for one in &without {
        assert!(one["email"].as_str().unwrap().contains('@'), "{one}");
        assert!(!one["remedy"].as_str().unwrap().is_empty(), "{one}");
    }
    let home = ["--config", "home/tieout.toml", "rules", "check", "--coverage"];
    let run = |more: &[&str]| {
        let args = [&home[..], more].concat();
        tieout(sandbox.folder.path(), &args, &[("TIEOUT_LIMIT_SCALE", "100")], "").ended_with(1)
    };
    let log = run(&["--format", "sarif"]).stdout;
    assert!(log.contains("member_without_supplier") && log.contains("category_without_rule"));
    let plain = run(&[]).stdout;
    for one in &without {
        let email = one["email"].as_str().unwrap();
        assert!(plain.contains(email) && !log.contains(email), "{email}");
    }
}

#[test]
fn coverage_with_an_expensify_that_is_gone_is_an_outside_failure() {
    let sandbox = Sandbox::start();
    let config = sandbox.folder.path().join("home/tieout.toml");
    let text = fs::read_to_string(&config).unwrap();
    let ours = text
        .lines()
        .find(|line| line.starts_with("url = \"http"))
        .unwrap()
        .to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    fs::write(
        &config,
        text.replace(&ours, &format!("url = \"http://127.0.0.1:{port}/\"")),
    )
    .unwrap();
    sandbox.tieout(&["rules", "check", "--coverage"]).ended_with(3);
}

#[test]
fn the_log_is_verified_copied_and_its_views_are_folded_again_to_the_same_rows() {
    let sandbox = Sandbox::start();
    // Nothing is certified, so a cycle captures and posts nothing; that is enough of a log.
    let run = sandbox.tieout(&["sync"]);
    assert!(run.status <= 1, "{}", run.stderr);
    let before = sandbox.tieout(&["reports"]).ended_with(0).json();
    let rebuilt = sandbox.tieout(&["log", "rebuild"]).ended_with(0).json();
    let view = &rebuilt["views"][0];
    assert_eq!(
        view["rows"].as_u64().unwrap(),
        before.as_array().unwrap().len() as u64
    );
    assert!(
        view["rows"].as_u64() > Some(100) && view["events"].as_u64() >= view["rows"].as_u64(),
        "{view}"
    );
    assert_eq!(view["position"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.tieout(&["reports"]).ended_with(0).json(), before);

    let verified = sandbox.tieout(&["log", "verify"]).ended_with(0).json();
    let copied = sandbox.tieout(&["log", "copy", "copy.db"]).ended_with(0).json();
    assert_eq!(
        (&copied["events"], &copied["streams"]),
        (&verified["events"], &verified["streams"])
    );
    let run = sandbox.tieout(&["log", "copy", "copy.db"]).ended_with(2);
    assert!(run.stderr.contains("a copy replaces nothing"), "{}", run.stderr);
    // The copy takes the log's place.
    fs::rename(
        sandbox.folder.path().join("copy.db"),
        sandbox.folder.path().join("home/tieout.db"),
    )
    .unwrap();
    for rest in ["-wal", "-shm"] {
        let _ = fs::remove_file(sandbox.folder.path().join(format!("home/tieout.db{rest}")));
    }
    assert_eq!(sandbox.tieout(&["reports"]).ended_with(0).json(), before);

    // Bytes that someone, or the disk, changed in the middle of it: found, said, and left as they are.
    let db = sandbox.folder.path().join("home/tieout.db");
    let mut bytes = fs::read(&db).unwrap();
    let page = 8_192;
    let middle = bytes.len() / page / 2 * page;
    bytes[middle..middle + page].fill(0xA5);
    fs::write(&db, &bytes).unwrap();
    let found = sandbox.tieout(&["log", "verify"]).ended_with(1).json();
    assert_eq!(found["sound"], false);
    assert!(found["fault"].as_str().unwrap().contains("tieout.db"), "{found}");
}

#[test]
fn a_log_that_was_cut_is_not_opened() {
    let folder = installed();
    let db = folder.path().join("tieout.db");
    let bytes = fs::read(&db).unwrap();
    fs::write(&db, &bytes[..bytes.len() / 2]).unwrap();
    let run = tieout(folder.path(), &["log", "verify"], &[], "").ended_with(2);
    assert!(run.stderr.contains("tieout.db"), "{}", run.stderr);
}
