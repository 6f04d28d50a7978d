//! `tieout doctor` and `tieout profile` as processes, against the stand-ins: what they find, what they refuse, the status
//! they end with; and that the guide is in the program.

use std::fs::{self, Permissions};
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tieout::commands::demo::stage::{CONNECTION, StageOptions, StandIns, Waits, install};
use tieout::commands::rules::put_in_force;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::ids::PersonName;
use tieout_sandbox::expensify::FaultKind as ExpensifyFault;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Size, canary, credentials};
use tieout_sandbox::qad::FaultKind as QadFault;

use crate::program::Run;

const SHRINK: u32 = 200;
const REPORTS: usize = 5;

/// A finished run, which told no secret.
#[track_caller]
fn run_of(output: std::process::Output) -> Run {
    let run = Run::of(output);
    run.tells_none_of(&[credentials::EXPENSIFY_SECRET, credentials::QAD_PASSWORD]);
    run
}

/// Both stand-ins, and an installation for them that was never certified.
struct Site {
    stand_ins: StandIns,
    config: PathBuf,
    offset_millis: i64,
    folder: tempfile::TempDir,
}

impl Site {
    async fn open() -> Self {
        let clock = SystemClock::set_to(month::now());
        let options = StageOptions {
            seed: 7,
            size: Size::Many {
                reports: REPORTS,
                lines: 2,
            },
            expensify_port: 0,
            qad_port: 0,
            shrink: NonZeroU32::new(SHRINK).unwrap(),
            clock: clock.clone(),
        };
        let stand_ins = StandIns::start(&options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let waits = Waits {
            quarantine: "15m",
            connect_timeout: "1s",
            read_timeout: "2s",
        };
        let (expensify, qad) = (stand_ins.expensify.url(), stand_ins.qad.url());
        let config = install(folder.path(), &expensify, &qad, &waits, month::now()).unwrap();
        Self {
            stand_ins,
            config,
            offset_millis: clock.offset_millis(),
            folder,
        }
    }

    async fn tieout(&self, args: &[&str]) -> Run {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(args)
            .arg("--config")
            .arg(&self.config)
            .env("TIEOUT_LIMIT_SCALE", SHRINK.to_string())
            .env("TIEOUT_CLOCK_OFFSET_MS", self.offset_millis.to_string())
            .env("TIEOUT_LOG", "error")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        run_of(output)
    }

    async fn certify_in(&self, workspace: &str) -> Run {
        let args = [
            "--json",
            "profile",
            "certify",
            "--workspace",
            workspace,
            "--supplier",
            canary::SUPPLIER,
            "--account",
            canary::ACCOUNT,
            "--clearing",
            "2155",
            "--cost-centre",
            canary::COST_CENTRE,
            "--currency",
            "USD",
            "--as",
            "tester",
        ];
        self.tieout(&args).await
    }

    /// The connection's part of what the doctor says, and the status.
    async fn doctor(&self) -> (i32, Value) {
        let run = self.tieout(&["--json", "doctor"]).await;
        let all = run.json();
        assert!(
            all["checks"]
                .as_array()
                .unwrap()
                .iter()
                .all(|check| check["ok"] == true),
            "{all}"
        );
        (run.status, all["connections"][0].clone())
    }
}

#[track_caller]
fn check<'a>(of: &'a Value, name: &str) -> &'a Value {
    let checks = of["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("{name} is not in {of:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_is_shut_and_certification_opens_it() {
    let site = Site::open().await;
    let (status, found) = site.doctor().await;
    assert_eq!(status, 1);
    assert_eq!(found["connection"], CONNECTION);
    let gate = check(&found, "certification");
    assert_eq!(gate["ok"], false);
    assert!(gate["fix"].as_str().unwrap().contains("tieout profile certify"));
    for each in found["checks"].as_array().unwrap() {
        let name = each["name"].as_str().unwrap();
        if !["certification", "coverage", "rules in force"].contains(&name) {
            assert_eq!(each["ok"], true, "{each:#}");
        }
    }

    // What the first cycle would take, by currency; and looking at it captured nothing.
    let taken = &found["going_live"];
    assert_eq!(taken["reports"], REPORTS);
    let counted: u64 = taken["totals"]
        .as_object()
        .unwrap()
        .values()
        .map(|total| total["reports"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, REPORTS as u64);
    for total in taken["totals"].as_object().unwrap().values() {
        let amount = total["amount"].as_str().expect("amounts are decimal strings");
        assert!(amount.parse::<rust_decimal::Decimal>().unwrap() > rust_decimal::Decimal::ZERO);
    }
    let again = site.tieout(&["--json", "doctor"]).await.ended_with(1).json();
    let log = check(&again, "log")["detail"].as_str().unwrap();
    assert!(log.contains("0 events in 0 streams"), "{log}");

    let profile = site
        .tieout(&["--json", "profile", "check"])
        .await
        .ended_with(0)
        .json();
    assert_eq!(profile[0]["connection"], CONNECTION);

    let certified = site
        .certify_in(credentials::QAD_TEST_WORKSPACE)
        .await
        .ended_with(0)
        .json();
    let kinds: Vec<&Value> = certified["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| &document["kind"])
        .collect();
    assert_eq!(
        kinds,
        [
            &json!("supplier_invoice"),
            &json!("credit_note"),
            &json!("journal")
        ]
    );
    let (_, found) = site.doctor().await;
    assert_eq!(check(&found, "certification")["ok"], true);

    // A profile that was changed since is not the one that was certified.
    let path = site.folder.path().join("profile.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("max_pages = 5000", "max_pages = 4000")).unwrap();
    let (_, found) = site.doctor().await;
    let gate = check(&found, "certification");
    assert!(
        gate["ok"] == false && gate["detail"].as_str().unwrap().contains("changed"),
        "{gate}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_read_back_as_sent_certifies_nothing() {
    let site = Site::open().await;
    let posts = || {
        site.stand_ins.qad.handle().read(|world| {
            world
                .workspaces
                .get(credentials::QAD_WORKSPACE)
                .unwrap()
                .ledger
                .len()
        })
    };
    let before = posts();
    let refused = site.certify_in(credentials::QAD_WORKSPACE).await.ended_with(2);
    assert!(refused.stderr.contains("non-production"), "{}", refused.stderr);
    assert_eq!(posts(), before, "nothing may be posted where posting is real");

    let faults = site.stand_ins.qad.handle().faults();
    let lost = QadFault::FieldNotStored {
        field: "cost_centre".into(),
    };
    faults.add(FaultRule::next("post:journal_entry", lost));
    let differs = site
        .certify_in(credentials::QAD_TEST_WORKSPACE)
        .await
        .ended_with(1);
    assert!(
        differs.stderr.contains("cost centre: sent 1100"),
        "{}",
        differs.stderr
    );
    assert_eq!(differs.stdout, "", "what failed has no result");
    let (status, found) = site.doctor().await;
    assert_eq!(
        (status, &check(&found, "certification")["ok"]),
        (1, &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_out_of_reach_is_told_from_one_that_refuses() {
    let site = Site::open().await;
    let refused = FaultRule::next("policy_list", ExpensifyFault::AuthenticationFailure);
    site.stand_ins.expensify.faults().add(refused);
    let (status, found) = site.doctor().await;
    let expensify = check(&found, "expensify credentials");
    assert_eq!(status, 1);
    assert_eq!(expensify["unreachable"], false);
    assert!(
        expensify["fix"]
            .as_str()
            .unwrap()
            .contains("tieout credentials expensify")
    );
    assert_eq!(
        check(&found, "qad token")["ok"],
        true,
        "the other system is looked at all the same"
    );

    site.stand_ins
        .qad
        .handle()
        .faults()
        .add(FaultRule::next("token", QadFault::DropBefore).times(20));
    let (status, found) = site.doctor().await;
    assert_eq!(status, 3);
    let token = check(&found, "qad token");
    assert_eq!(
        (&token["ok"], &token["unreachable"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(check(&found, "expensify credentials")["ok"], true);
    assert_eq!(check(&found, "certification")["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_may_read_is_found_before_anything_is_opened() {
    let site = Site::open().await;
    let key = site.folder.path().join("tieout.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let run = site.tieout(&["doctor"]).await.ended_with(1);
    assert!(run.stdout.contains("fix: chmod 0600 "), "{}", run.stdout);
    assert!(
        run.stdout.contains("The connections were not looked at"),
        "{}",
        run.stdout
    );

    site.tieout(&["doctor", "--connection", "nobody"])
        .await
        .ended_with(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_set_with_faults_is_told_with_each_of_them() {
    let site = Site::open().await;
    let rules = site.folder.path().join("rules.toml");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(
        &rules,
        format!("{text}\n[[rule]]\nname = \"Blank\"\nset = {{ colour = \"red\" }}\n"),
    )
    .unwrap();
    let (status, found) = site.doctor().await;
    assert_eq!(status, 1);
    let set = check(&found, "rule set");
    assert!(
        set["ok"] == false && set["detail"].as_str().unwrap().contains("colour"),
        "{set}"
    );
    assert_eq!(
        found["going_live"]["reports"], REPORTS,
        "what going live would take needs no rules"
    );
}

#[test]
fn a_fresh_installation_is_told_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        run_of(output)
    };
    here(&["init", "--name", "acme"]).ended_with(0);
    let found = here(&["--json", "doctor"]).ended_with(1).json();
    let connection = &found["connections"][0];
    assert_eq!(connection["connection"], "acme");
    let fix = |name: &str| check(connection, name)["fix"].as_str().unwrap().to_owned();
    assert!(fix("profile").contains("tieout guide profile"));
    assert!(fix("expensify credentials").contains("tieout credentials expensify --connection acme"));
    assert!(fix("qad").contains("tieout guide profile"));
    assert_eq!(connection["going_live"], Value::Null);
    assert_eq!(check(connection, "certification")["ok"], false);
}

/// The program without any installation.
fn alone(args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(args)
        .current_dir(folder.path())
        .output()
        .unwrap();
    run_of(output)
}

#[test]
fn the_guide_and_the_template_need_no_installation() {
    let pages = alone(&["--json", "guide"]).ended_with(0).json();
    let pages: Vec<&str> = pages
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["page"].as_str().unwrap())
        .collect();
    assert!(pages.contains(&"reasons") && pages.len() == 18, "{pages:?}");
    for name in pages {
        let page = alone(&["--json", "guide", name]).ended_with(0).json();
        assert_eq!(page["page"], name);
        assert!(page["text"].as_str().unwrap().starts_with("# "));
    }
    let words = alone(&["guide", "exit-codes"]).ended_with(0).stdout;
    assert!(words.starts_with("Exit codes\n==========\n"), "{words}");
    let unknown = alone(&["guide", "nothing"]).ended_with(2);
    assert!(unknown.stderr.contains("first-steps"), "{}", unknown.stderr);

    let template = alone(&["profile", "template"]).ended_with(0);
    assert_eq!(template.stdout, tieout_qad::profile::TEMPLATE);
    alone(&["doctor"]).ended_with(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_which_rules_are_in_force_and_whether_the_file_differs() {
    let site = Site::open().await;
    let (_, found) = site.doctor().await;
    let rules = check(&found, "rules in force");
    assert!(
        rules["ok"] == false
            && rules["detail"]
                .as_str()
                .unwrap()
                .contains("rules.toml was never proposed"),
        "{rules}"
    );
    let chart = check(&found, "rules and chart")["detail"].as_str().unwrap();
    assert!(chart.contains("has no chart of QAD yet"), "{chart}");

    let path = site.folder.path().join("rules.toml");
    let text = fs::read_to_string(&path).unwrap();
    {
        let installation = Installation::open(&site.config).await.unwrap();
        let connection = &installation.config.connection[0];
        let who = PersonName::new("tester").unwrap();
        put_in_force(&installation, connection, &text, &who)
            .await
            .unwrap();
    }
    let (_, found) = site.doctor().await;
    let rules = check(&found, "rules in force");
    assert!(
        rules["ok"] == true
            && rules["detail"]
                .as_str()
                .unwrap()
                .ends_with("rules.toml says the same"),
        "{rules}"
    );

    // What the chart has against the set in force counts, whatever the file says by now.
    let run = site.tieout(&["sync"]).await;
    assert!(run.status <= 1, "{}", run.stderr);
    let changed = text.replace("hold", "next_open");
    assert_ne!(changed, text);
    fs::write(&path, changed).unwrap();
    let (_, found) = site.doctor().await;
    let rules = check(&found, "rules in force");
    let detail = rules["detail"].as_str().unwrap();
    assert!(
        rules["ok"] == true && detail.contains("rules.toml differs from it and was never proposed"),
        "{rules}"
    );
    let chart = check(&found, "rules and chart")["detail"].as_str().unwrap();
    assert!(chart.starts_with("the set in force: "), "{chart}");
}
