//! What the scenarios of after posting do and look at: edits at the source, reversals and changes in QAD, the command, and
//! what the program then says.

use std::time::Duration;

use serde_json::Value;
use tieout_sandbox::expensify::world::{Edit, Report, ReportId, ReportState};
use tieout_sandbox::month::{self, Size, credentials};
use tieout_sandbox::qad::world::Document;
use tieout_scenarios::{Scene, binary, text};

pub(crate) const WHY: &str = "the controller says so";

/// A scene whose reports are all posted and marked, and are held against both systems in every cycle from a second after
/// the first on.
pub(crate) async fn posted(reports: usize) -> Scene {
    binary();
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    let last = scene.settle(6).await;
    scene.all_is_done(reports, &last, "before").await;
    scene.reconfigure(|text| text.replace("every = \"1m\"", "every = \"1m\"\nrecheck = \"1s\""));
    scene
}

/// One cycle, in which what is posted is held against both systems again.
pub(crate) async fn recheck(scene: &Scene) -> Value {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let output = scene.tieout(&["sync", "--json"]).await;
    let cycles: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert!(!cycles[0]["rechecked"].is_null(), "{cycles:#}");
    cycles[0].clone()
}

/// What the recheck of a cycle opened or changed, and closed; both systems were asked whole.
#[track_caller]
pub(crate) fn told(cycle: &Value) -> (u64, u64) {
    let done = &cycle["rechecked"];
    assert_eq!(done["complete"], true, "{cycle:#}");
    let count = |name: &str| done["held"][name].as_u64().expect("a number");
    (count("raised"), count("closed"))
}

pub(crate) async fn json(scene: &Scene, args: &[&str]) -> Value {
    let output = scene.tieout(&[args, &["--json"]].concat()).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {}", text(&output)))
}

pub(crate) async fn words(scene: &Scene, args: &[&str]) -> String {
    let output = scene.tieout(args).await;
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The open cases of a report, by name.
pub(crate) async fn cases(scene: &Scene, report: &str) -> Vec<String> {
    let shown = json(scene, &["show", report]).await;
    let cases = shown["cases"].as_array().expect("an array");
    cases
        .iter()
        .map(|case| case["case"].as_str().expect("a word").to_owned())
        .collect()
}

/// Both values of a field of a case.
#[track_caller]
pub(crate) fn values(shown: &Value, case: &str, field: &str) -> (String, String) {
    let cases = shown["cases"].as_array().expect("an array");
    let case = cases.iter().find(|one| one["case"] == case);
    let case = case.unwrap_or_else(|| panic!("no {field}: {shown:#}"));
    assert!(!case["remedy"].as_str().expect("a text").is_empty());
    let values = case["values"].as_array().expect("an array");
    let value = values.iter().find(|value| value["field"] == field);
    let value = value.unwrap_or_else(|| panic!("no field {field}: {case:#}"));
    let of = |name: &str| value[name].as_str().expect("a text").to_owned();
    (of("posted"), of("shows"))
}

/// The reports of Expensify's world, in order.
pub(crate) fn reports(scene: &Scene) -> Vec<Report> {
    scene
        .stand_ins
        .expensify
        .world()
        .read(|world| world.reports.values().cloned().collect())
}

pub(crate) fn edit(scene: &Scene, edit: Edit) {
    let done = scene
        .stand_ins
        .expensify
        .world()
        .edit(|world| world.apply(edit, month::now()));
    done.expect("the edit fits");
}

/// An employee's expense turns out to have cost more.
pub(crate) fn dearer(report: &Report, more: i64) -> Edit {
    let expense = &report.expenses[0];
    Edit::EditExpense {
        transaction: expense.transaction_id.clone(),
        amount: Some(expense.amount + more),
        converted: None,
        category: None,
        tag: None,
        merchant: None,
        comment: None,
        date: None,
    }
}

pub(crate) fn state(report: &Report, state: ReportState) -> Edit {
    Edit::SetState {
        report: report.id.to_string(),
        state,
        at: report.approved,
    }
}

/// The documents of a report in QAD, oldest first.
pub(crate) fn documents(scene: &Scene, report: ReportId) -> Vec<Document> {
    let ours = |document: &Document| {
        let reference = document.reference.parse::<tieout_domain::ids::Reference>();
        reference.is_ok_and(|reference| reference.report.decimal() == report.0)
    };
    scene.ledger().into_iter().filter(ours).collect()
}

pub(crate) fn reverse_in_qad(scene: &Scene, document: &Document) {
    let handle = scene.stand_ins.qad.handle();
    assert!(handle.reverse(credentials::QAD_WORKSPACE, &document.key()));
}

pub(crate) fn change_in_qad(scene: &Scene, document: &Document, change: impl FnOnce(&mut Document)) {
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspace_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace
            .ledger
            .edit(&document.key(), change)
            .expect("the document");
    });
}

pub(crate) async fn reverse(
    scene: &Scene,
    report: ReportId,
    then: &str,
    environment: &[(&str, &str)],
) -> std::process::Output {
    let report = report.to_string();
    let args = [
        "reverse",
        &report,
        "--by",
        "2026/SINV/9001",
        then,
        "--why",
        WHY,
        "--as",
        "controller",
        "--json",
    ];
    scene.run(&args, environment).await
}

pub(crate) async fn reversed(scene: &Scene, report: ReportId, then: &str) -> Value {
    let output = reverse(scene, report, then, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)))
}

/// The whole life again: everything approved stands in QAD once, is marked, and ties out.
pub(crate) async fn done_again(scene: &Scene, reports: usize, standing: usize, when: &str) {
    let last = scene.settle(8).await;
    scene.nothing_is_wrong(when);
    assert_eq!(last["stages"]["marked_exported"], reports, "{when}: {last:#}");
    assert_eq!(last["in_doubt"], 0, "{when}: {last:#}");
    let stand = scene
        .ledger()
        .iter()
        .filter(|document| document.reversal.is_none())
        .count();
    assert_eq!(stand, standing, "{when}");
    scene.must_tie_out(when).await;
}
