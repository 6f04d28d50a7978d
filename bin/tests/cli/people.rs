//! The commands by which people read and decide, as processes: a small month is captured and posted against the
//! stand-ins, three posts of it go wrong, and a controller settles what only a person can.

mod office;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tieout::commands::demo::stage::CONNECTION;
use tieout_domain::ids::{EventId, ReportId};
use tieout_domain::journal::Streams;
use tieout_domain::ports::{Expected, Log as _, Revision};
use tieout_sandbox::month::credentials;

use self::office::*;

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
    office
        .decide(&["replay", &stored])
        .await
        .refused_with(1, "in doubt");
    office
        .decide(&["exclude", &stored])
        .await
        .refused_with(1, "in doubt");
    // What QAD shows is not absent, and what bears another reference is not ours.
    office
        .decide(&["resolve", &stored, "--absent"])
        .await
        .refused_with(1, &here);
    office
        .decide(&["resolve", &stored, "--adopt", &elsewhere])
        .await
        .refused_with(1, "nothing was recorded");
    office
        .decide(&["resolve", &lost, "--adopt", &here])
        .await
        .refused_with(1, "nothing was recorded");
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
        .refused_with(1, "no document in doubt");
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
        .refused_with(1, "reversed");
    office.edit(&key, |document| document.reversal = None);
    office
        .decide(&["resolve", &differing, "--absent"])
        .await
        .refused_with(1, &elsewhere);
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
        .refused_with(1, "QAD may still carry out the request");
    office.quarantine_is("15m", "4s");
    let mut absent = office.decide(&["resolve", &lost, "--absent"]).await;
    for _ in 0..40 {
        if absent.status == 0 {
            break;
        }
        absent.refused_with(1, "the quarantine of 4 s");
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
        .refused_with(1, "no step 99");

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
    office
        .decide(&["replay", &posted])
        .await
        .refused_with(1, "posted");
    office
        .decide(&["exclude", &posted])
        .await
        .refused_with(1, "posted");
    office
        .decide(&["resolve", &posted, "--absent"])
        .await
        .refused_with(1, "nothing to settle");

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
        office
            .tieout(&[command, "17"])
            .await
            .refused_with(1, "decimal 17");
        office.tieout(&[command, "R17"]).await.ended_with(2);
    }
    office
        .decide(&["exclude", "17"])
        .await
        .refused_with(1, "no report");

    // A second connection, with the same report on record.
    let text = std::fs::read_to_string(&office.config).unwrap();
    let (head, connection) = text.split_at(text.find("[[connection]]").unwrap());
    let ours = office.installation().await.config.connection[0].id;
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
        .refused_with(1, "elsewhere");

    let installation = office.installation().await;
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
