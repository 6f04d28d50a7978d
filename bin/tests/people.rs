//! The commands by which people read and decide, as processes: a small month is captured and posted against the
//! stand-ins, three posts of it go wrong, and a controller settles what only a person can.

#![cfg(test)]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tieout::commands::certify::{Certificate, certify_in};
use tieout::commands::demo::stage::{CONNECTION, StageOptions, StandIns, Waits, install};
use tieout::config::Config;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::ids::{EventId, ReportId};
use tieout_domain::journal::Streams;
use tieout_domain::ports::{Expected, Log as _, Revision};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Size, canary, credentials};
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::{Document, DocumentKey};

const SHRINK: u32 = 200;
const WHY: &str = "seen with the supplier's statement";

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
    fn refused_with(self, words: &str) {
        let Self { stderr, stdout, .. } = self.ended_with(1);
        assert!(stderr.contains(words), "`{words}` is not in: {stderr}");
        assert_eq!(stdout, "", "a refusal has no result");
    }
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.stdout))
    }
}

/// Both stand-ins, and an installation that is certified and was run once.
struct Office {
    stand_ins: StandIns,
    config: PathBuf,
    offset_millis: i64,
    _folder: tempfile::TempDir,
}

impl Office {
    /// Seven reports: one cannot be mapped; of the invoices, one is stored without an answer, one never arrives, one is
    /// stored without its cost centres.
    async fn open() -> Self {
        let clock = SystemClock::set_to(month::now());
        let options = StageOptions {
            seed: 7,
            size: Size::Many { reports: 7, lines: 2 },
            expensify_port: 0,
            qad_port: 0,
            shrink: NonZeroU32::new(SHRINK).unwrap(),
            clock: clock.clone(),
        };
        let stand_ins = StandIns::start(&options).await.unwrap();
        stand_ins.expensify.world().edit(|world| {
            let report = world.reports.values_mut().next().unwrap();
            for expense in &mut report.expenses {
                expense.category = "Nowhere\u{1b}[31m".into();
                expense.category_gl_code = Some(String::new());
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let waits = Waits {
            quarantine: "15m",
            connect_timeout: "1s",
            read_timeout: "2s",
        };
        let (expensify, qad) = (stand_ins.expensify.url(), stand_ins.qad.url());
        let config = install(
            &folder.path().join("here"),
            &expensify,
            &qad,
            &waits,
            month::now(),
        )
        .unwrap();
        let office = Self {
            stand_ins,
            config,
            offset_millis: clock.offset_millis(),
            _folder: folder,
        };
        office.certify().await;
        let faults = office.stand_ins.qad.handle().faults();
        for kind in [
            FaultKind::DropAfter,
            FaultKind::DropBefore,
            FaultKind::FieldNotStored {
                field: "cost_centre".into(),
            },
        ] {
            faults.add(FaultRule::next("post:supplier_invoice", kind));
        }
        office.tieout(&["sync"]).await.ended_with(1);
        office
    }

    fn installation(&self) -> Installation {
        let config = Config::read(&self.config).unwrap();
        Installation::open_at(config, SystemClock::set_to(month::now())).unwrap()
    }

    fn quarantine_is(&self, was: &str, now: &str) {
        let profile = self.config.with_file_name("profile.toml");
        let text = std::fs::read_to_string(&profile).unwrap();
        let line = |span: &str| format!("quarantine = \"{span}\"");
        assert!(text.contains(&line(was)), "{text}");
        std::fs::write(&profile, text.replace(&line(was), &line(now))).unwrap();
    }

    async fn certify(&self) {
        let installation = self.installation();
        let certificate = Certificate {
            workspace: credentials::QAD_TEST_WORKSPACE.into(),
            supplier: canary::SUPPLIER.into(),
            account: canary::ACCOUNT.into(),
            clearing: "2155".into(),
            cost_centre: canary::COST_CENTRE.into(),
            currency: "USD".into(),
            date: None,
            person: "tester".into(),
        };
        let connection = &installation.config.connection[0];
        certify_in(&installation, connection, &certificate, &mut |_| Ok(()))
            .await
            .unwrap();
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
        Run {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that gives JSON, and its JSON.
    async fn json(&self, args: &[&str]) -> Value {
        let args = [&["--json"], args].concat();
        self.tieout(&args).await.ended_with(0).json()
    }

    /// A decision of Anna's.
    async fn decide(&self, args: &[&str]) -> Run {
        let args = [&["--json"], args, &["--why", WHY, "--as", "anna"]].concat();
        self.tieout(&args).await
    }

    async fn listed(&self, states: &str) -> Vec<Value> {
        self.json(&["reports", "--state", states])
            .await
            .as_array()
            .unwrap()
            .clone()
    }

    /// Writes addresses into the configuration at which there is nobody; gives it as it was.
    fn move_outside_away(&self) -> String {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let nowhere = |line: &str| {
            if line.starts_with("url = \"http") {
                "url = \"http://127.0.0.1:9/\"\n".to_owned()
            } else {
                format!("{line}\n")
            }
        };
        let moved: String = text.lines().map(nowhere).collect();
        std::fs::write(&self.config, moved).unwrap();
        text
    }

    fn document(&self, reference: &Value) -> Option<Document> {
        let reference = reference.as_str().unwrap();
        self.stand_ins.qad.handle().read(|world| {
            let workspace = world.workspaces.get(credentials::QAD_WORKSPACE).unwrap();
            workspace
                .ledger
                .iter()
                .find(|d| d.reference == reference)
                .cloned()
        })
    }

    fn edit(&self, key: &DocumentKey, change: impl FnOnce(&mut Document)) {
        self.stand_ins.qad.handle().edit(|world| {
            let workspace = world.workspace_mut(credentials::QAD_WORKSPACE).unwrap();
            workspace.ledger.edit(key, change).unwrap();
        });
    }
}

fn written(key: &DocumentKey) -> String {
    format!("{}/{}/{}", key.year, key.daybook, key.voucher)
}

fn id(report: &Value) -> String {
    report["report_id"].as_str().unwrap().to_owned()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_list_has_the_shape_of_the_design_and_a_rebuild_gives_the_same() {
    let office = Office::open().await;
    let listed = office.json(&["reports"]).await;
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 7);
    for row in rows {
        let all = keys(row);
        for key in [
            "connection",
            "report_id",
            "state",
            "submitter",
            "currency",
            "total",
            "documents",
            "reasons",
        ] {
            assert!(all.contains(key), "{key} is not in {row}");
        }
        assert_eq!(row["connection"], CONNECTION);
        assert!(row["total"].is_string() && row["submitter"].as_str().unwrap().contains('@'));
        for document in row["documents"].as_array().unwrap() {
            let all = keys(document);
            for key in [
                "kind",
                "reference",
                "voucher",
                "posting_date",
                "amount",
                "currency",
            ] {
                assert!(all.contains(key), "{key} is not in {document}");
            }
            assert!(document["amount"].is_string());
        }
    }
    let rejected = office.listed("rejected").await;
    assert_eq!(rejected.len(), 1);
    for reason in rejected[0]["reasons"].as_array().unwrap() {
        assert_eq!(
            keys(reason),
            BTreeSet::from(["code", "line", "message", "remedy"])
        );
    }
    let in_doubt = office.listed("in-doubt").await;
    assert_eq!(in_doubt.len(), 3, "{in_doubt:?}");
    assert_eq!(office.listed("rejected,in_doubt").await.len(), 4);

    let verified = office.json(&["log", "rebuild"]).await;
    assert_eq!(verified["views"][0]["rows"], 7);
    assert_eq!(office.json(&["reports"]).await, listed);

    let words = office.tieout(&["reports"]).await.ended_with(0).stdout;
    assert!(
        words.contains("WHAT TO DO") && words.contains("7 reports: "),
        "{words}"
    );
    assert!(
        words.contains(rejected[0]["reasons"][0]["remedy"].as_str().unwrap()),
        "{words}"
    );
    assert!(
        words.contains("tieout resolve ") && words.lines().next().unwrap().contains("STATE"),
        "{words}"
    );
    assert!(
        !words.contains('\u{1b}'),
        "what came from outside plays with the terminal"
    );
    let none = office
        .tieout(&["reports", "--state", "withdrawn"])
        .await
        .ended_with(0);
    assert!(none.stdout.contains("No report is in these states"));
    assert_eq!(
        office.json(&["reports", "--state", "withdrawn"]).await,
        Value::Array(vec![])
    );

    let wrong = office
        .tieout(&["reports", "--state", "rejcted"])
        .await
        .ended_with(2);
    assert!(wrong.stderr.contains("rejcted") && wrong.stderr.contains("partly_posted"));
    office
        .tieout(&["reports", "--connection", "nobody"])
        .await
        .ended_with(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_in_doubt_is_settled_by_a_person_and_only_as_qad_shows_it() {
    let office = Office::open().await;
    let in_doubt = office.listed("in_doubt").await;
    let doubtful = |report: &Value| -> Value {
        let documents = report["documents"].as_array().unwrap();
        documents
            .iter()
            .find(|d| d["state"] == "in_doubt")
            .unwrap()
            .clone()
    };
    let mut stored = None;
    let mut lost = None;
    let mut differing = None;
    for report in &in_doubt {
        let shown = office.json(&["show", &id(report)]).await;
        let document = doubtful(&shown);
        assert!(
            document["doubt"].is_string()
                && document["attempt"] == 1
                && document["in_doubt_since"].is_string()
        );
        assert!(shown["replay"]["refused"].as_str().unwrap().contains("in doubt"));
        let there = office.document(&document["reference"]);
        match (document["needs_a_person"] == true, there) {
            (true, Some(there)) => differing = Some((id(report), there)),
            (false, Some(there)) => stored = Some((id(report), there)),
            (false, None) => lost = Some(id(report)),
            (true, None) => panic!("{shown}"),
        }
    }
    let (stored, there) = stored.unwrap();
    let (differing, other) = differing.unwrap();
    let lost = lost.unwrap();
    let (here, elsewhere) = (written(&there.key()), written(&other.key()));

    // Nothing in doubt is taken back or left out.
    office.decide(&["replay", &stored]).await.refused_with("in doubt");
    office
        .decide(&["exclude", &stored])
        .await
        .refused_with("in doubt");
    // What QAD shows is not absent, and what bears another reference is not ours.
    office
        .decide(&["resolve", &stored, "--absent"])
        .await
        .refused_with(&here);
    office
        .decide(&["resolve", &stored, "--adopt", &elsewhere])
        .await
        .refused_with("nothing was recorded");
    office
        .decide(&["resolve", &lost, "--adopt", &here])
        .await
        .refused_with("nothing was recorded");
    office
        .decide(&["resolve", &stored, "--adopt", "4711"])
        .await
        .ended_with(2);
    office
        .decide(&["resolve", &stored, "--absent", "--reference", "INV-1"])
        .await
        .ended_with(2);
    office.decide(&["resolve", &stored]).await.ended_with(2);

    // Where QAD does not answer, nobody's word is taken.
    let before = office.json(&["trail", &stored]).await;
    let text = office.move_outside_away();
    for way in [&["--absent"][..], &["--adopt", &here]] {
        let args = [&["resolve", &stored], way].concat();
        office.decide(&args).await.ended_with(3);
    }
    std::fs::write(&office.config, text).unwrap();
    assert_eq!(office.json(&["trail", &stored]).await, before);
    let words = office.tieout(&["show", &stored]).await.ended_with(0).stdout;
    assert!(
        words.contains("In doubt: ") && words.contains("cannot be replayed"),
        "{words}"
    );

    let adopted = office
        .decide(&["resolve", &stored, "--adopt", &here])
        .await
        .ended_with(0)
        .json();
    assert_eq!(adopted["decided"], "adopt");
    assert_eq!(
        (&adopted["key"], &adopted["differences"]),
        (&Value::from(here.clone()), &Value::Array(vec![]))
    );
    office
        .decide(&["resolve", &stored, "--adopt", &here])
        .await
        .refused_with("no document in doubt");
    let shown = office.json(&["show", &stored]).await;
    let documents = shown["documents"].as_array().unwrap();
    let document = documents.iter().find(|d| d["key"] == here.as_str()).unwrap();
    assert_eq!(
        (&document["state"], &document["proof"]),
        (&"posted".into(), &"decided".into())
    );

    // The trail has who, why and by which command.
    let trail = office.json(&["trail", &stored]).await;
    let steps = trail["steps"].as_array().unwrap();
    let step = steps
        .iter()
        .rev()
        .find(|s| s["event"] == "DocumentPosted")
        .unwrap();
    assert_eq!(step["actor"]["name"], "anna");
    assert_eq!(step["cause"]["name"], "resolve");
    assert!(step["says"].as_str().unwrap().contains(WHY));
    let words = office.tieout(&["trail", &stored]).await.ended_with(0).stdout;
    assert!(
        words.contains("by          anna") && words.contains(WHY),
        "{words}"
    );

    // What was reversed does not stand; what differs is taken on the person's word, and shown.
    let key = other.key();
    office
        .stand_ins
        .qad
        .handle()
        .reverse(credentials::QAD_WORKSPACE, &key);
    office
        .decide(&["resolve", &differing, "--adopt", &elsewhere])
        .await
        .refused_with("reversed");
    office.edit(&key, |document| document.reversal = None);
    office
        .decide(&["resolve", &differing, "--absent"])
        .await
        .refused_with(&elsewhere);
    let taken = office
        .decide(&["resolve", &differing, "--adopt", &elsewhere])
        .await
        .ended_with(0)
        .json();
    let fields: Vec<&str> = taken["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["field"].as_str().unwrap())
        .collect();
    assert!(
        fields.iter().any(|field| field.contains("cost centre")),
        "{taken}"
    );

    // What QAD does not show may be sent again, and that posts it once.
    // Not while the request that was given up may still be carried out.
    office
        .decide(&["resolve", &lost, "--absent"])
        .await
        .refused_with("QAD may still carry out the request");
    office.quarantine_is("15m", "4s");
    let mut absent = office.decide(&["resolve", &lost, "--absent"]).await;
    for _ in 0..40 {
        if absent.status == 0 {
            break;
        }
        absent.refused_with("the quarantine of 4 s");
        tokio::time::sleep(Duration::from_millis(250)).await;
        absent = office.decide(&["resolve", &lost, "--absent"]).await;
    }
    assert_eq!(absent.ended_with(0).json()["decided"], "absent");
    office.quarantine_is("4s", "15m");
    office.tieout(&["sync"]).await.ended_with(1);
    assert_eq!(office.listed("in_doubt").await, Vec::<Value>::new());
    assert_eq!(office.listed("posted").await.len(), 6);
    let references: Vec<String> = office.stand_ins.qad.handle().read(|world| {
        let workspace = world.workspaces.get(credentials::QAD_WORKSPACE).unwrap();
        workspace.ledger.iter().map(|d| d.reference.clone()).collect()
    });
    let unique: BTreeSet<&String> = references.iter().collect();
    assert_eq!(unique.len(), references.len(), "{references:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_report_is_replayed_left_out_and_taken_in_again() {
    let office = Office::open().await;
    let report = id(&office.listed("rejected").await[0]);
    let decimal = report.parse::<ReportId>().unwrap().decimal().to_string();

    let shown = office.json(&["show", &report]).await;
    assert_eq!(shown["decimal_id"], decimal.as_str());
    assert_eq!(shown["replay"]["refused"], Value::Null);
    let steps = shown["replay"]["steps"].as_array().unwrap();
    assert_eq!(
        (&steps[0]["step"], &steps[0]["state"], &steps[0]["default"]),
        (&0.into(), &"discovered".into(), &true.into())
    );
    assert!(shown["reasons"][0]["fixer"].is_string());
    assert_eq!(
        office.json(&["show", &decimal]).await,
        shown,
        "both forms of an id are one"
    );
    let words = office.tieout(&["show", &report]).await.ended_with(0).stdout;
    assert!(
        words.contains("Why it does not post") && words.contains("tieout replay"),
        "{words}"
    );
    assert!(
        !words.contains('\u{1b}') && words.contains("Nowhere\\u{1b}"),
        "{words}"
    );

    // Neither decision reaches Expensify or QAD (law 8): there is nobody at these addresses.
    let text = office.move_outside_away();
    let replayed = office.decide(&["replay", &decimal]).await.ended_with(0).json();
    assert_eq!(
        (&replayed["state"], &replayed["events"]),
        (&"discovered".into(), &1.into())
    );
    office
        .decide(&["replay", &report, "--to", "99"])
        .await
        .refused_with("no step 99");

    let exclude = ["exclude", &report, "--ledger-reference", "JE-4711"];
    let excluded = office.decide(&exclude).await.ended_with(0).json();
    assert_eq!(
        (&excluded["state"], &excluded["events"]),
        (&"excluded".into(), &1.into())
    );
    office
        .decide(&["exclude", &report, "--ledger-reference", " "])
        .await
        .ended_with(2);
    let again = office.decide(&exclude).await.ended_with(0).json();
    assert_eq!(again["events"], 0, "the same decision again is no news");
    let listed = office.listed("excluded").await;
    assert_eq!(listed[0]["excluded"]["ledger_reference"], "JE-4711");
    assert_eq!(listed[0]["excluded"]["reason"], WHY);
    office.decide(&["replay", &report]).await.ended_with(0);
    assert_eq!(office.listed("excluded").await.len(), 0);

    std::fs::write(&office.config, text).unwrap();

    // What stands in QAD is neither.
    let posted = id(&office.listed("posted").await[0]);
    office.decide(&["replay", &posted]).await.refused_with("posted");
    office.decide(&["exclude", &posted]).await.refused_with("posted");
    office
        .decide(&["resolve", &posted, "--absent"])
        .await
        .refused_with("nothing to settle");

    // Who and why are not blank.
    for (why, person) in [(" ", "anna"), ("because", " ")] {
        let args = ["exclude", &report, "--why", why, "--as", person];
        office.tieout(&args).await.ended_with(2);
    }
    office
        .tieout(&["exclude", &report, "--as", "anna"])
        .await
        .ended_with(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_nobody_or_more_than_one_connection_has_is_said_so() {
    let office = Office::open().await;
    let report = id(&office.listed("rejected").await[0]);
    for command in ["show", "trail"] {
        office.tieout(&[command, "17"]).await.refused_with("decimal 17");
        office.tieout(&[command, "R17"]).await.ended_with(2);
    }
    office.decide(&["exclude", "17"]).await.refused_with("no report");

    // A second connection, with the same report on record.
    let text = std::fs::read_to_string(&office.config).unwrap();
    let (head, connection) = text.split_at(text.find("[[connection]]").unwrap());
    let ours = office.installation().config.connection[0].id;
    let second = uuid::Uuid::now_v7();
    let copied = connection
        .replace(&ours.to_string(), &second.to_string())
        .replace(CONNECTION, "elsewhere");
    let copied: String = copied
        .lines()
        .map(|line| {
            if line.starts_with("policies") {
                "policies = [\"FEDCBA9876543210\"]\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    std::fs::write(&office.config, format!("{head}{connection}\n{copied}")).unwrap();
    office.tieout(&["show", &report]).await.ended_with(0);
    office
        .tieout(&["show", &report, "--connection", "elsewhere"])
        .await
        .refused_with("elsewhere");

    let installation = office.installation();
    let number: ReportId = report.parse().unwrap();
    let stream = Streams(ours).report(number);
    let first = installation
        .log
        .read_stream(&stream, Revision(0), 1)
        .await
        .unwrap();
    let mut event = first[0].event.clone();
    event.id = EventId(uuid::Uuid::now_v7());
    let other = Streams(installation.config.connection[1].id).report(number);
    installation
        .log
        .append(&other, Expected::NoStream, vec![event])
        .await
        .unwrap();
    let both = office.tieout(&["show", &report]).await.ended_with(2);
    assert!(
        both.stderr.contains("--connection")
            && both.stderr.contains(CONNECTION)
            && both.stderr.contains("elsewhere"),
        "{}",
        both.stderr
    );
    office
        .tieout(&["show", &report, "--connection", CONNECTION])
        .await
        .ended_with(0);
}
