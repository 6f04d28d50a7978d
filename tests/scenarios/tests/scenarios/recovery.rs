//! Recovery beyond a plain restored backup: what only a person can settle, an expense that moved, a second installation, a
//! list that QAD does not give.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use serde_json::Value;
use tieout_domain::ids::Reference;
use tieout_sandbox::expensify::world::{Edit, Report, ReportId, ReportState};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Size, credentials};
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::{Document, DocumentKey};
use tieout_scenarios::{Scene, binary, text};

const WORLD: Size = Size::Many { reports: 4, lines: 2 };
const WHY: &[&str] = &["--why", "seen with the controller", "--as", "anna"];

/// A scene whose month is posted and marked, and whose log then is as it was before the month.
async fn forgotten() -> Scene {
    let scene = Scene::with(WORLD, |_| {}).await;
    let backup = scene.back_up();
    let last = scene.settle(8).await;
    scene.all_is_done(4, &last, "the month").await;
    scene.put_back(&backup);
    scene
}

fn reports(scene: &Scene) -> Vec<Report> {
    let world = scene.stand_ins.expensify.world();
    world.read(|world| world.reports.values().cloned().collect())
}

fn edit(scene: &Scene, edit: Edit) {
    let world = scene.stand_ins.expensify.world();
    world.edit(|world| world.apply(edit, month::now()).expect("an edit"));
}

/// The one document of a report.
fn document_of(scene: &Scene, report: &Report) -> Document {
    let of = |document: &Document| {
        let reference: Reference = document.reference.parse().expect("a reference of ours");
        reference.report.decimal() == report.id.0
    };
    scene.ledger().into_iter().find(of).expect("its document")
}

fn written(key: &DocumentKey) -> String {
    format!("{}/{}/{}", key.year, key.daybook, key.voucher)
}

fn in_ledger(scene: &Scene, change: impl FnOnce(&mut tieout_sandbox::qad::world::Ledger)) {
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspaces
            .get_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        change(&mut workspace.ledger);
    });
}

/// A new report, approved, with one expense of its own.
fn another(scene: &Scene, like: &Report) -> Report {
    let mut report = like.clone();
    report.id = ReportId(like.id.0 + 1_000_003);
    report.markings.clear();
    report.expenses.truncate(1);
    for expense in &mut report.expenses {
        expense.transaction_id = format!("77{}", expense.transaction_id);
    }
    report.total = report.line_sum();
    scene
        .stand_ins
        .expensify
        .world()
        .edit(|world| world.add_report(report.clone()));
    report
}

async fn sync(scene: &Scene) -> Value {
    let output = scene.tieout(&["sync", "--json"]).await;
    let cycles: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    cycles[0].clone()
}

/// What is told of a report's document by `reconcile`.
fn told<'a>(reconciled: &'a Value, report: &Report) -> &'a Value {
    let left = reconciled["unexplained"].as_array().expect("a list");
    left.iter()
        .find(|one| one["report_id"] == report.id.to_string())
        .unwrap_or_else(|| panic!("nothing of {}: {reconciled:#}", report.id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_only_a_person_can_settle_is_told_and_settled_by_a_person() {
    binary();
    let scene = forgotten().await;
    let [reposted, gone, changed, plain] = &reports(&scene)[..] else {
        panic!("four reports")
    };
    // Reversed and posted again since the backup.
    let first = document_of(&scene, reposted);
    let second = {
        let mut again = first.clone();
        again.reference = format!("{}2", first.reference.trim_end_matches('1'));
        let handle = scene.stand_ins.qad.handle();
        assert!(handle.reverse(credentials::QAD_WORKSPACE, &first.key()));
        let mut key = None;
        in_ledger(&scene, |ledger| key = Some(ledger.store(again)));
        key.expect("a key")
    };
    // Deleted in Expensify since.
    let orphan = document_of(&scene, gone);
    edit(
        &scene,
        Edit::DeleteReport {
            report: gone.id.to_string(),
        },
    );
    // Changed in QAD since.
    let altered = document_of(&scene, changed);
    in_ledger(&scene, |ledger| {
        ledger
            .edit(&altered.key(), |document| {
                document.lines[0].cost_centre = "1300".to_owned();
            })
            .expect("it is there");
    });
    let ledger = scene.ledger();

    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(1), "{reconciled:#}");
    assert_eq!(reconciled["in_recovery"], true, "{reconciled:#}");
    let adopted = reconciled["adopted"].as_array().expect("a list");
    assert_eq!(adopted.len(), 1, "{reconciled:#}");
    assert_eq!(adopted[0]["report_id"], plain.id.to_string());
    let codes: Vec<&Value> = reconciled["unexplained"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["report_id"] == reposted.id.to_string())
        .map(|one| &one["code"])
        .collect();
    assert!(
        codes.contains(&&Value::from("reversed")) && codes.contains(&&Value::from("other_generation")),
        "{reconciled:#}"
    );
    assert_eq!(told(&reconciled, gone)["code"], "not_at_source");
    let incident = told(&reconciled, changed);
    assert_eq!(incident["code"], "incident", "{incident:#}");
    assert!(
        incident["why"].to_string().contains("cost centre"),
        "{incident:#}"
    );
    assert_eq!(incident["key"], written(&altered.key()));
    assert!(
        incident["remedy"].to_string().contains("tieout resolve"),
        "{incident:#}"
    );

    // A word that QAD does not bear out, and one that belongs to `resolve`, are refused.
    for (reference, key, words) in [
        (
            &orphan.reference,
            "2026/EXPINV/999999".to_owned(),
            "QAD shows no document",
        ),
        (&altered.reference, written(&altered.key()), "tieout resolve"),
    ] {
        let word = format!("{reference}={key}");
        let (status, refused) = scene.reconcile(&[&["--accept", &word], WHY].concat()).await;
        assert_eq!(status, Some(1), "{refused:#}");
        assert!(refused["failed"].to_string().contains(words), "{refused:#}");
    }

    // The changed one is adopted as it stands; the others are explained.
    let key = written(&altered.key());
    let id = changed.id.to_string();
    let adopt = scene
        .tieout(&[&["resolve", &id, "--adopt", &key], WHY].concat())
        .await;
    assert_eq!(adopt.status.code(), Some(0), "{}", text(&adopt));
    let again = &first.reference;
    let words = [
        format!("{again}={}", written(&first.key())),
        format!("{}2={}", again.trim_end_matches('1'), written(&second)),
        format!("{}={}", orphan.reference, written(&orphan.key())),
    ];
    let accept: Vec<&str> = words
        .iter()
        .flat_map(|word| ["--accept", word.as_str()])
        .collect();
    let (status, reconciled) = scene.reconcile(&[&accept, WHY].concat()).await;
    assert_eq!(status, Some(0), "{reconciled:#}");
    assert_eq!(reconciled["closed"], true, "{reconciled:#}");
    assert_eq!(
        reconciled["accepted"].as_array().map(Vec::len),
        Some(3),
        "{reconciled:#}"
    );

    let word = |at: usize| {
        let word = &reconciled["accepted"][at];
        (word["report_left_out"].clone(), word["expenses_held"].clone())
    };
    assert_eq!(
        word(0),
        (false.into(), 0.into()),
        "what was reversed holds nothing"
    );
    assert_eq!(word(1), (true.into(), 2.into()), "what stands holds its expenses");
    assert_eq!(
        word(2),
        (false.into(), Value::Null),
        "nothing is known of its report"
    );

    let last = scene.settle(6).await;
    assert_eq!(last["in_recovery"], false, "{last:#}");
    assert_eq!(scene.ledger(), ledger, "nothing was posted a second time");
    assert_eq!(last["stages"]["marked_exported"], 2, "{last:#}");
    assert_eq!(
        last["stages"]["excluded"], 1,
        "the reposted one, with its voucher on record: {last:#}"
    );
    let shown = scene.tieout(&["show", &reposted.id.to_string()]).await;
    let shown = text(&shown);
    assert!(
        shown.contains("seen with the controller") && shown.contains(&written(&second)),
        "{shown}"
    );
    let trail = text(&scene.tieout(&["trail", &reposted.id.to_string()]).await);
    assert!(
        trail.contains("Explained by a person") && trail.contains("anna"),
        "{trail}"
    );
}

/// The document in QAD carries both expenses of a report. One of them moves to a report that was never posted, and the log
/// that held its claim is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_expense_that_moved_after_its_claim_was_lost_does_not_post_twice() {
    binary();
    let scene = forgotten().await;
    let from = &reports(&scene)[0];
    let to = another(&scene, from);
    let moved = from.expenses[1].transaction_id.clone();
    edit(
        &scene,
        Edit::MoveExpense {
            transaction: moved,
            to: to.id.to_string(),
        },
    );
    let ledger = scene.ledger();

    let cycle = sync(&scene).await;
    assert_eq!(cycle["stages"]["mapped"], 1, "it would post: {cycle:#}");
    assert_eq!(cycle["in_recovery"], true, "{cycle:#}");
    assert_eq!(scene.ledger(), ledger);

    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(1), "{reconciled:#}");
    let incident = told(&reconciled, from);
    assert_eq!(incident["code"], "incident", "{incident:#}");
    assert!(
        incident["remedy"]
            .to_string()
            .contains("may travel in another report"),
        "{incident:#}"
    );
    sync(&scene).await;
    assert_eq!(scene.ledger(), ledger, "until a person has looked, nothing posts");

    // The person finds the report it travels in, leaves that out, and adopts the document as it stands.
    let id = to.id.to_string();
    let left_out = scene.tieout(&[&["exclude", &id], WHY].concat()).await;
    assert_eq!(left_out.status.code(), Some(0), "{}", text(&left_out));
    let (id, key) = (
        from.id.to_string(),
        incident["key"].as_str().expect("a key").to_owned(),
    );
    let adopt = scene
        .tieout(&[&["resolve", &id, "--adopt", &key], WHY].concat())
        .await;
    assert_eq!(adopt.status.code(), Some(0), "{}", text(&adopt));
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{reconciled:#}");
    let last = scene.settle(6).await;
    assert_eq!(last["in_recovery"], false, "{last:#}");
    assert_eq!(scene.ledger(), ledger, "each expense stands once");
}

/// The same, but nothing is left of the report that carried them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn expenses_that_left_a_report_which_is_gone_wait_for_a_person_too() {
    binary();
    let scene = forgotten().await;
    let from = &reports(&scene)[0];
    let to = another(&scene, from);
    for expense in &from.expenses {
        let transaction = expense.transaction_id.clone();
        let to = to.id.to_string();
        edit(&scene, Edit::MoveExpense { transaction, to });
    }
    let report = from.id.to_string();
    edit(&scene, Edit::DeleteReport { report });
    let ledger = scene.ledger();

    let cycle = sync(&scene).await;
    assert_eq!(
        (&cycle["stages"]["mapped"], &cycle["in_recovery"]),
        (&1.into(), &true.into()),
        "{cycle:#}"
    );
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(1), "{reconciled:#}");
    let left = told(&reconciled, from);
    assert_eq!(left["code"], "not_at_source", "{left:#}");
    assert!(left["remedy"].to_string().contains("tieout exclude"), "{left:#}");
    sync(&scene).await;
    assert_eq!(scene.ledger(), ledger);

    let id = to.id.to_string();
    let left_out = scene.tieout(&[&["exclude", &id], WHY].concat()).await;
    assert_eq!(left_out.status.code(), Some(0), "{}", text(&left_out));
    let word = format!(
        "{}={}",
        left["reference"].as_str().expect("a reference"),
        left["key"].as_str().expect("a key")
    );
    let (status, reconciled) = scene.reconcile(&[&["--accept", &word], WHY].concat()).await;
    assert_eq!(
        (status, &reconciled["closed"]),
        (Some(0), &true.into()),
        "{reconciled:#}"
    );
    let last = scene.settle(6).await;
    assert_eq!(last["in_recovery"], false, "{last:#}");
    assert_eq!(scene.ledger(), ledger, "each expense stands once");
}

/// The same, but the report that carried the expense to QAD still has it too: its claim is restored.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_are_restored_with_the_documents() {
    binary();
    let scene = forgotten().await;
    let first = &reports(&scene)[0];
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{reconciled:#}");
    let other = another(&scene, first);
    let moved = first.expenses[0].transaction_id.clone();
    edit(
        &scene,
        Edit::MoveExpense {
            transaction: moved,
            to: other.id.to_string(),
        },
    );
    let ledger = scene.ledger();
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["rejected"], 1, "{last:#}");
    assert_eq!(scene.ledger(), ledger);
    let shown = text(&scene.tieout(&["show", &other.id.to_string()]).await);
    assert!(shown.contains("expense_claimed"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_installation_with_an_empty_log_opens_in_recovery() {
    binary();
    let mut scene = Scene::with(WORLD, |_| {}).await;
    let last = scene.settle(8).await;
    scene.all_is_done(4, &last, "the first installation").await;
    scene.second_installation().await;
    scene.certify().await;
    another(&scene, &reports(&scene)[0]);
    let ledger = scene.ledger();

    let cycle = sync(&scene).await;
    assert_eq!(cycle["in_recovery"], true, "{cycle:#}");
    assert_eq!(scene.ledger(), ledger, "not even what the first one never saw");
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(0), "{reconciled:#}");
    let last = scene.settle(8).await;
    scene.all_is_done(5, &last, "the second installation").await;
    assert_eq!(scene.ledger()[..4], ledger[..], "and only then the new one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_qad_does_not_list_our_documents_nothing_posts() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("browse:invoice_lookup", FaultKind::BrowseFails));
    let cycle = sync(&scene).await;
    assert_eq!(cycle["in_recovery"], false, "it proves nothing: {cycle:#}");
    assert_eq!(cycle["stages"]["mapped"], 4, "{cycle:#}");
    assert!(
        cycle["warnings"]
            .to_string()
            .contains("QAD did not list the documents"),
        "{cycle:#}"
    );
    assert!(scene.ledger().is_empty());

    // A list whose emptiness the canary does not vouch for is none either.
    faults.add(FaultRule::next("browse:invoice_lookup", FaultKind::BrokenCanary).times(2));
    sync(&scene).await;
    assert!(scene.ledger().is_empty());
    let last = scene.settle(8).await;
    scene.all_is_done(4, &last, "once it lists them").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_that_was_taken_back_at_the_source_waits_for_a_person_or_its_return() {
    binary();
    let scene = forgotten().await;
    let back = &reports(&scene)[2];
    let state = |state| Edit::SetState {
        report: back.id.to_string(),
        state,
        at: back.approved,
    };
    edit(&scene, state(ReportState::Open));
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(status, Some(1), "{reconciled:#}");
    assert_eq!(told(&reconciled, back)["code"], "not_at_source");
    assert_eq!(
        reconciled["adopted"].as_array().map(Vec::len),
        Some(3),
        "{reconciled:#}"
    );
    edit(&scene, state(ReportState::Approved));
    let (status, reconciled) = scene.reconcile(&[]).await;
    assert_eq!(
        (status, &reconciled["closed"]),
        (Some(0), &true.into()),
        "{reconciled:#}"
    );
}
