//! `tieout rules check` as a process: on a file alone and on an installation, in each of its formats, with the status it
//! ends with.

mod house;
mod shape;

use std::fs;

use serde_json::Value;

use self::house::{House, tieout};
use self::shape::is_a_sarif_log;

const RULES: &str = include_str!("check/rules.toml");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/check/golden.sarif");

#[test]
fn a_file_alone_is_checked_where_nothing_is_installed_and_says_what_was_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("draft.toml"), RULES).unwrap();
    let run = tieout(folder.path(), &["rules", "check", "draft.toml"]).ended_with(0);
    for words in [
        "7 rules, no fault",
        "note: draft.toml:41:1: rule 5 \"Never wins\" can never win",
        "QAD's chart was not looked at (--chart)",
        "Expensify's policies were not looked at (--coverage)",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let found = tieout(folder.path(), &["--json", "rules", "check", "draft.toml"])
        .ended_with(0)
        .json();
    assert_eq!(found[0]["ok"], true);
    assert_eq!(found[0]["remarks"][0]["severity"], "remark");
    assert_eq!(
        (&found[0]["charts"], &found[0]["coverage"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(found[0]["not_looked_at"].as_array().unwrap().len(), 2);
}

#[test]
fn json_is_one_of_the_formats_and_is_not_asked_for_beside_another() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("draft.toml"), RULES).unwrap();
    let check = |args: &[&str]| tieout(folder.path(), &[&["rules", "check", "draft.toml"], args].concat());
    let json = check(&["--format", "json"]).ended_with(0);
    assert_eq!(json.stdout, check(&["--json"]).ended_with(0).stdout);
    assert_eq!(
        json.stdout,
        check(&["--json", "--format", "json"]).ended_with(0).stdout
    );
    assert_eq!(
        check(&["--format", "plain"]).ended_with(0).stdout,
        check(&[]).ended_with(0).stdout
    );
    check(&["--json", "--format", "sarif"]).ended_with(2);
    check(&["--format", "xml"]).ended_with(2);
}

#[test]
fn the_chart_takes_an_installation_and_a_connection_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("draft.toml"), RULES).unwrap();
    tieout(folder.path(), &["rules", "check", "draft.toml", "--chart"]).ended_with(2);
    let house = House::new();
    let run = house
        .tieout(&["rules", "check", "--connection", "other"])
        .ended_with(2);
    assert!(run.stderr.contains("other"), "{}", run.stderr);
}

#[test]
fn a_chart_that_no_cycle_has_read_is_said_to_be_missing_and_finds_nothing() {
    let house = House::new();
    house.draft(RULES);
    let args = ["--json", "rules", "check", "rules/my rules.toml", "--chart"];
    let found = house.tieout(&args).ended_with(0).json();
    assert_eq!(found[0]["charts"][0]["version"], Value::Null);
    assert_eq!(found[0]["charts"][0]["findings"], Value::Array(Vec::new()));
    let said = found[0]["not_looked_at"][0].as_str().unwrap();
    assert!(said.contains("the log of acme has none yet"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_of_the_log_is_held_against_a_file_and_asks_no_system() {
    let house = House::with_chart().await;
    house.draft(RULES);
    let args = ["rules", "check", "rules/my rules.toml", "--chart"];
    let found = house
        .tieout(&[&["--json"], &args[..]].concat())
        .ended_with(1)
        .json();
    assert_eq!(
        (&found[0]["ok"], &found[0]["charts"][0]["version"]),
        (&false.into(), &1.into())
    );
    let findings = found[0]["charts"][0]["findings"].as_array().unwrap();
    let list: Vec<String> = findings
        .iter()
        .map(|one| {
            let word = |key: &str| one[key].as_str().unwrap_or("").to_owned();
            format!("{} {} {}", one["at"]["line"], word("severity"), word("code"))
        })
        .collect();
    assert_eq!(
        list,
        [
            "11 error wrong_daybook",
            "14 error account_not_postable",
            "19 error unknown_supplier",
            "21 error unknown_account",
            "26 warning cost_centre_required",
            "31 warning cost_centre_forbidden",
            "46 error unknown_project",
        ]
    );
    let forbidden = &findings[5];
    assert_eq!(forbidden["other_at"]["text"], "rules/my rules.toml:36:1");
    assert!(
        forbidden["line"].as_str().unwrap().contains("tag \"Ohio\""),
        "{forbidden}"
    );
    assert!(!forbidden["remedy"].as_str().unwrap().is_empty());

    let plain = house.tieout(&args).ended_with(1).stdout;
    for words in [
        "chart 1 of acme: 5 errors, 2 warnings",
        "- rules/my rules.toml:21:1: rule 1 \"A code that nobody has\": QAD has no account 9999. Correct the code",
        "- warning: rules/my rules.toml:31:1: rule 3",
        "(the other: rules/my rules.toml:36:1)",
    ] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_and_remarks_alone_end_with_0() {
    let house = House::with_chart().await;
    let at = RULES.find("[[rule]]\nname = \"An account that requires").unwrap();
    let settings = RULES.split("[daybooks]").next().unwrap();
    let table = "[suppliers]\nmatch = \"table\"\n";
    let rules = RULES[at..].replace(", project = \"P1\"", "");
    house.draft(&format!("{settings}{table}{rules}"));
    let args = ["--json", "rules", "check", "rules/my rules.toml", "--chart"];
    let found = house.tieout(&args).ended_with(0).json();
    let findings = found[0]["charts"][0]["findings"].as_array().unwrap();
    assert!(
        findings.len() == 2 && findings.iter().all(|one| one["severity"] == "warning"),
        "{findings:#?}"
    );
    assert_eq!(found[0]["ok"], true);
}

/// `UPDATE_GOLDEN=1 cargo test -p tieout --test cli check` writes it anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_sarif_log_is_as_it_was() {
    let house = House::with_chart().await;
    house.draft(RULES);
    let args = [
        "rules",
        "check",
        "rules/my rules.toml",
        "--chart",
        "--format",
        "sarif",
    ];
    let log = house.tieout(&args).ended_with(1).stdout;
    is_a_sarif_log(&serde_json::from_str(&log).unwrap());
    let log = log.replace(
        &format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")),
        "\"version\": \"VERSION\"",
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &log).unwrap();
    }
    assert_eq!(log, fs::read_to_string(GOLDEN).unwrap());
    assert!(
        !log.contains("kim@example.com"),
        "no address leaves the file in a log for tools"
    );
}

#[test]
fn a_refused_set_is_a_sarif_log_with_both_rules_of_a_pair() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[[rule]]\nwhen = { tag = \"Texas\" }\nset = { account = \"1\" }\n";
    fs::write(folder.path().join("draft.toml"), format!("{RULES}{more}")).unwrap();
    let log = tieout(
        folder.path(),
        &["rules", "check", "draft.toml", "--format", "sarif"],
    )
    .ended_with(1)
    .json();
    is_a_sarif_log(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let first = &results[0];
    assert_eq!(
        (&first["ruleId"], &first["level"]),
        (&"ambiguous".into(), &"error".into())
    );
    let line = |of: &Value| of["physicalLocation"]["region"]["startLine"].as_u64();
    assert_eq!(line(&first["locations"][0]), Some(21));
    assert_eq!(line(&first["relatedLocations"][0]), Some(55));

    fs::write(folder.path().join("draft.toml"), "rule = [").unwrap();
    let log = tieout(
        folder.path(),
        &["rules", "check", "draft.toml", "--format", "sarif"],
    )
    .ended_with(1)
    .json();
    is_a_sarif_log(&log);
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "syntax");
    fs::write(
        folder.path().join("draft.toml"),
        RULES.split("[[rule]]").next().unwrap(),
    )
    .unwrap();
    let log = tieout(
        folder.path(),
        &["rules", "check", "draft.toml", "--format", "sarif"],
    )
    .ended_with(0)
    .json();
    is_a_sarif_log(&log);
    assert_eq!(
        log["runs"][0]["results"],
        Value::Array(Vec::new()),
        "a clean set is a log too"
    );
}
