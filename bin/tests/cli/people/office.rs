//! A finance office: a small month at the stand-ins, and the program run as its people run it.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tieout::commands::certify::{Certificate, certify_in};
use tieout::commands::demo::stage::{StageOptions, StandIns, Waits, install};
use tieout::commands::rules::put_in_force;
use tieout::config::Config;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::ids::PersonName;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Size, canary, credentials};
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::{Document, DocumentKey};

use crate::program::Run;

pub(super) const SHRINK: u32 = 200;
pub(super) const WHY: &str = "seen with the supplier's statement";
/// Both stand-ins, and an installation that is certified and was run once.
pub(super) struct Office {
    pub(super) stand_ins: StandIns,
    pub(super) config: PathBuf,
    pub(super) offset_millis: i64,
    pub(super) _folder: tempfile::TempDir,
}

impl Office {
    /// Seven reports: one cannot be mapped; of the invoices, one is stored without an answer, one never arrives, one is
    /// stored without its cost centres.
    pub(super) async fn open() -> Self {
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
        office.put_rules_in_force().await;
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

    pub(super) async fn installation(&self) -> Installation {
        let config = Config::read(&self.config).unwrap();
        Installation::open_at(config, SystemClock::set_to(month::now()))
            .await
            .unwrap()
    }

    /// The rule file comes into force, as if one person had walked it through.
    async fn put_rules_in_force(&self) {
        let installation = self.installation().await;
        let who = PersonName::new("tester").unwrap();
        for connection in &installation.config.connection {
            let (_, text) = installation.rules(connection).unwrap();
            put_in_force(&installation, connection, &text, &who)
                .await
                .unwrap();
        }
    }

    pub(super) fn quarantine_is(&self, was: &str, now: &str) {
        let profile = self.config.with_file_name("profile.toml");
        let text = std::fs::read_to_string(&profile).unwrap();
        let line = |span: &str| format!("quarantine = \"{span}\"");
        assert!(text.contains(&line(was)), "{text}");
        std::fs::write(&profile, text.replace(&line(was), &line(now))).unwrap();
    }

    pub(super) async fn certify(&self) {
        let installation = self.installation().await;
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

    pub(super) async fn tieout(&self, args: &[&str]) -> Run {
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
        Run::of(output)
    }

    /// A command that gives JSON, and its JSON.
    pub(super) async fn json(&self, args: &[&str]) -> Value {
        let args = [&["--json"], args].concat();
        self.tieout(&args).await.ended_with(0).json()
    }

    /// A decision of Anna's.
    pub(super) async fn decide(&self, args: &[&str]) -> Run {
        let args = [&["--json"], args, &["--why", WHY, "--as", "anna"]].concat();
        self.tieout(&args).await
    }

    pub(super) async fn listed(&self, states: &str) -> Vec<Value> {
        self.json(&["reports", "--state", states])
            .await
            .as_array()
            .unwrap()
            .clone()
    }

    /// Writes addresses into the configuration at which there is nobody; gives it as it was.
    pub(super) fn move_outside_away(&self) -> String {
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

    pub(super) fn document(&self, reference: &Value) -> Option<Document> {
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

    pub(super) fn edit(&self, key: &DocumentKey, change: impl FnOnce(&mut Document)) {
        self.stand_ins.qad.handle().edit(|world| {
            let workspace = world.workspace_mut(credentials::QAD_WORKSPACE).unwrap();
            workspace.ledger.edit(key, change).unwrap();
        });
    }
}

pub(super) fn written(key: &DocumentKey) -> String {
    format!("{}/{}/{}", key.year, key.daybook, key.voucher)
}

pub(super) fn id(report: &Value) -> String {
    report["report_id"].as_str().unwrap().to_owned()
}

pub(super) fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
