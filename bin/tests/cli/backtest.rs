//! `tieout rules backtest` as a process, over a month of the stand-ins that one cycle captured and judged.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::program::{Run, Sandbox};

const PASSPHRASE: &str = "kim's own long passphrase";

/// The stand-ins with an installation for them, one cycle after its beginning.
struct House(Sandbox);

impl House {
    fn after_a_cycle() -> Self {
        let house = Self(Sandbox::start());
        let synced = house.tieout(&["--json", "sync"]);
        assert!(synced.status <= 1, "{}", synced.stderr);
        house
    }

    fn tieout(&self, args: &[&str]) -> Run {
        self.0.run(args, &[("TIEOUT_OPERATOR_PASSPHRASE", PASSPHRASE)])
    }

    fn backtest(&self, args: &[&str]) -> Value {
        let args = [&["--json", "rules", "backtest"], args].concat();
        self.tieout(&args).ended_with(0).json()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// The rule set in force with one account in place of another.
    fn draft(&self, account: &str, other: &str) {
        let rules = fs::read_to_string(self.file("home/rules.toml")).unwrap();
        let (was, is) = (
            format!("account = \"{account}\""),
            format!("account = \"{other}\""),
        );
        assert!(rules.contains(&was));
        fs::write(self.file("draft.toml"), rules.replace(&was, &is)).unwrap();
    }
}

fn amount(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// The net of an account in all documents of a dry run, by currency: debit less credit.
fn nets(dry_run: &Value, account: &str) -> BTreeMap<String, Decimal> {
    let mut nets: BTreeMap<String, Decimal> = BTreeMap::new();
    for report in dry_run[0]["reports"].as_array().unwrap() {
        for document in report["documents"].as_array().into_iter().flatten() {
            for line in document["lines"].as_array().unwrap() {
                if line["account"] == account {
                    let currency = document["currency"].as_str().unwrap().to_owned();
                    let sign = if line["side"] == "debit" {
                        Decimal::ONE
                    } else {
                        -Decimal::ONE
                    };
                    *nets.entry(currency).or_default() += sign * amount(&line["amount"]);
                }
            }
        }
    }
    nets
}

/// What a backtest moves, by currency and account.
fn moved(told: &Value, account: &str) -> BTreeMap<String, Decimal> {
    let mut nets: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in told["movements"].as_array().unwrap() {
        if row["account"] == account {
            *nets
                .entry(row["currency"].as_str().unwrap().to_owned())
                .or_default() += amount(&row["net"]);
        }
    }
    nets
}

#[test]
fn a_draft_that_changes_one_account_moves_exactly_that_and_every_file_says_the_same() {
    let house = House::after_a_cycle();
    let nothing = house.backtest(&["active"]);
    assert_eq!(nothing["changes"], Value::Array(vec![]));
    assert_eq!(nothing["movements"], Value::Array(vec![]));
    assert!(nothing["counts"]["reports"].as_u64() > Some(100), "{nothing}");
    assert_eq!(nothing["counts"]["documents_changed"], 0);
    assert_eq!(
        house.backtest(&[])["result"],
        nothing["result"],
        "the file is the set in force"
    );

    house.draft("6410", "6430");
    let files = [
        "--csv",
        "moves.csv",
        "--csv-reports",
        "reports.csv",
        "--html",
        "page.html",
    ];
    let told = house.backtest(&[&["draft.toml"], files.as_slice()].concat());

    // A dry run of the same reports knows nothing of backtests.
    let dry_run = house.tieout(&["--json", "sync", "--dry-run"]).json();
    let was = nets(&dry_run, "6410");
    assert!(!was.is_empty());
    let taken: BTreeMap<String, Decimal> = was.iter().map(|(code, net)| (code.clone(), -net)).collect();
    assert_eq!((moved(&told, "6410"), moved(&told, "6430")), (taken, was));
    for row in told["movements"].as_array().unwrap() {
        assert!(row["account"] == "6410" || row["account"] == "6430", "{row}");
    }
    for total in told["totals"].as_array().unwrap() {
        for side in ["before", "after"] {
            assert_eq!(total[side]["debit"], total[side]["credit"], "{total}");
        }
        assert_eq!(total["before"], total["after"], "{total}");
    }
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(told["counts"]["documents_changed"], changes.len());
    assert!(
        changes
            .iter()
            .all(|change| change["change"] == "documents_changed")
    );
    assert_ne!(told["result"], nothing["result"]);

    // The files hold what the JSON says.
    let rows = |name: &str| {
        csv::Reader::from_path(house.file(name))
            .unwrap()
            .into_records()
            .count()
    };
    assert_eq!(rows("moves.csv"), told["movements"].as_array().unwrap().len());
    assert_eq!(rows("reports.csv"), changes.len());
    let mut sheet = csv::Reader::from_path(house.file("moves.csv")).unwrap();
    for (row, movement) in sheet.records().zip(told["movements"].as_array().unwrap()) {
        let row = row.unwrap();
        assert_eq!(
            (&row[0], &row[3]),
            (
                movement["currency"].as_str().unwrap(),
                movement["account"].as_str().unwrap()
            )
        );
        assert_eq!(
            (&row[8], &row[12]),
            (
                movement["before"]["debit"].as_str().unwrap(),
                movement["net"].as_str().unwrap()
            )
        );
    }
    let page = fs::read_to_string(house.file("page.html")).unwrap();
    for hash in ["result", "statement"] {
        assert!(page.contains(told[hash].as_str().unwrap()), "{hash}");
    }
    assert!(
        changes
            .iter()
            .all(|change| page.contains(change["report_id"].as_str().unwrap()))
    );
    assert!(page.contains("default-src 'none'") && !page.contains("<script") && !page.contains("http://"));

    // A part of history, and fewer reports named.
    let some = house.backtest(&[
        "draft.toml",
        "--limit",
        "1",
        "--from",
        "2026-10-20",
        "--to",
        "2026-10-25",
    ]);
    assert_eq!(some["span"]["from"], "2026-10-20");
    assert!(some["counts"]["reports"].as_u64() < told["counts"]["reports"].as_u64());
    assert_eq!(some["changes"].as_array().unwrap().len(), 1);
    assert_eq!(
        some["changes_not_named"].as_u64().unwrap() + 1,
        some["counts"]["documents_changed"].as_u64().unwrap()
    );

    // For people.
    let words = house
        .tieout(&["rules", "backtest", "draft.toml", "--limit", "2"])
        .ended_with(0)
        .stdout;
    for part in [
        "DR BEFORE",
        "together",
        "6410",
        "6430",
        "more: --limit",
        "rules propose",
    ] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    assert!(words.contains(told["result"].as_str().unwrap()));
    assert!(
        !words.contains("by hand") && house.backtest(&["draft.toml"])["read_to"] == told["read_to"],
        "nothing was recorded"
    );
}

#[test]
fn a_backtest_is_recorded_for_a_set_that_was_proposed_and_an_approval_signs_it() {
    let house = House::after_a_cycle();
    house.draft("6410", "6430");
    let run = house
        .tieout(&["rules", "backtest", "draft.toml", "--record"])
        .ended_with(1);
    assert!(run.stderr.contains("tieout rules propose"), "{}", run.stderr);
    assert_eq!(run.stdout, "");

    house.tieout(&["operators", "add", "kim"]).ended_with(0);
    let why = ["--why", "flights go elsewhere", "--operator", "kim"];
    house
        .tieout(&[&["rules", "propose", "draft.toml"], why.as_slice()].concat())
        .ended_with(0);
    let looked_at = house.backtest(&["draft.toml"]);
    let hash = looked_at["rules"]["hash"].as_str().unwrap();
    let recorded = house.backtest(&[&hash[..8], "--record"]);
    assert_eq!(
        (&looked_at["recorded"], &recorded["recorded"]),
        (&false.into(), &true.into())
    );
    assert_eq!(recorded["result"], looked_at["result"]);
    assert_eq!(
        recorded["statement"], looked_at["statement"],
        "proposed before, recorded after"
    );

    let listed = house.tieout(&["--json", "rules", "list"]).ended_with(0).json();
    let sets = listed["rule_sets"].as_array().unwrap();
    let set = sets.iter().find(|set| set["hash"] == hash).unwrap();
    assert_eq!(set["state"], "backtested");
    assert_eq!(set["statement"], recorded["statement"]);
    assert_eq!(set["backtest"]["result"], recorded["result"]);

    // Kim proposed it, and this sandbox is one person's.
    let statement = recorded["statement"].as_str().unwrap();
    let approve = [
        "rules",
        "approve",
        hash,
        "--statement",
        statement,
        "--submits-nothing",
    ];
    house
        .tieout(&[approve.as_slice(), &["--why", "seen", "--operator", "kim"]].concat())
        .ended_with(0);
}

#[test]
fn wrong_usage_is_refused_before_anything_is_read() {
    let house = House::after_a_cycle();
    let refused = |args: &[&str], words: &str| {
        let run = house
            .tieout(&[&["rules", "backtest"], args].concat())
            .ended_with(2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    };
    refused(
        &["--from", "2026-11-02", "--to", "2026-11-01"],
        "no day lies between",
    );
    refused(&["nothing-of-that-name"], "no rule set of this connection");
    refused(&["--csv", "a.csv", "--html", "a.csv"], "named for two results");
    refused(&["--csv", "no/such/folder/a.csv"], "cannot be written");
    refused(&["--html", "home"], "is a folder");
    refused(&["--chart", "tomorrow"], "then, now");
    refused(&["--connection", "elsewhere"], "no connection `elsewhere`");
    let left: Vec<_> = fs::read_dir(house.0.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["home"], "no half-written file is left");
}
