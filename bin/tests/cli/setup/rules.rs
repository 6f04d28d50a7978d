//! `tieout rules check`: a file alone, and a set against what Expensify's people can choose.

use std::fs;

use serde_json::Value;

use crate::program::{Sandbox, installed, tieout};

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
