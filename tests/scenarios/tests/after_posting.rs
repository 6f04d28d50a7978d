//! What happens to a report after it was posted: at the source, in QAD, and by a person's hand. Everything is seen, nothing
//! posted is changed by it, and a correction posts once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use std::time::Duration;

use serde_json::Value;
use tieout_sandbox::expensify::FaultKind as SourceFault;
use tieout_sandbox::expensify::world::{Edit, Report, ReportId, ReportState};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{self, Size, credentials};
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::Document;
use tieout_scenarios::{Scene, binary, text};

const WHY: &str = "the controller says so";

/// A scene whose reports are all posted and marked, and are held against both systems in every cycle from a second after
/// the first on.
async fn posted(reports: usize) -> Scene {
    binary();
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    let last = scene.settle(6).await;
    scene.all_is_done(reports, &last, "before").await;
    scene.reconfigure(|text| text.replace("every = \"1m\"", "every = \"1m\"\nrecheck = \"1s\""));
    scene
}

/// One cycle, in which what is posted is held against both systems again.
async fn recheck(scene: &Scene) -> Value {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let output = scene.tieout(&["sync", "--json"]).await;
    let cycles: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert!(!cycles[0]["rechecked"].is_null(), "{cycles:#}");
    cycles[0].clone()
}

/// What the recheck of a cycle opened or changed, and closed; both systems were asked whole.
#[track_caller]
fn told(cycle: &Value) -> (u64, u64) {
    let done = &cycle["rechecked"];
    assert_eq!(done["complete"], true, "{cycle:#}");
    let count = |name: &str| done["held"][name].as_u64().expect("a number");
    (count("raised"), count("closed"))
}

async fn json(scene: &Scene, args: &[&str]) -> Value {
    let output = scene.tieout(&[args, &["--json"]].concat()).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {}", text(&output)))
}

async fn words(scene: &Scene, args: &[&str]) -> String {
    let output = scene.tieout(args).await;
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The open cases of a report, by name.
async fn cases(scene: &Scene, report: &str) -> Vec<String> {
    let shown = json(scene, &["show", report]).await;
    let cases = shown["cases"].as_array().expect("an array");
    cases
        .iter()
        .map(|case| case["case"].as_str().expect("a word").to_owned())
        .collect()
}

/// Both values of a field of a case.
#[track_caller]
fn values(shown: &Value, case: &str, field: &str) -> (String, String) {
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
fn reports(scene: &Scene) -> Vec<Report> {
    scene
        .stand_ins
        .expensify
        .world()
        .read(|world| world.reports.values().cloned().collect())
}

fn edit(scene: &Scene, edit: Edit) {
    let done = scene
        .stand_ins
        .expensify
        .world()
        .edit(|world| world.apply(edit, month::now()));
    done.expect("the edit fits");
}

/// An employee's expense turns out to have cost more.
fn dearer(report: &Report, more: i64) -> Edit {
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

fn state(report: &Report, state: ReportState) -> Edit {
    Edit::SetState {
        report: report.id.to_string(),
        state,
        at: report.approved,
    }
}

/// The documents of a report in QAD, oldest first.
fn documents(scene: &Scene, report: ReportId) -> Vec<Document> {
    let ours = |document: &Document| {
        let reference = document.reference.parse::<tieout_domain::ids::Reference>();
        reference.is_ok_and(|reference| reference.report.decimal() == report.0)
    };
    scene.ledger().into_iter().filter(ours).collect()
}

fn reverse_in_qad(scene: &Scene, document: &Document) {
    let handle = scene.stand_ins.qad.handle();
    assert!(handle.reverse(credentials::QAD_WORKSPACE, &document.key()));
}

fn change_in_qad(scene: &Scene, document: &Document, change: impl FnOnce(&mut Document)) {
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

async fn reverse(
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

async fn reversed(scene: &Scene, report: ReportId, then: &str) -> Value {
    let output = reverse(scene, report, then, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)))
}

/// The whole life again: everything approved stands in QAD once, is marked, and ties out.
async fn done_again(scene: &Scene, reports: usize, standing: usize, when: &str) {
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

// ── the source ───────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edit_after_the_marking_is_a_case_with_both_values_said_once_and_closed_when_it_is_taken_back() {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let (id, ledger) = (report.id.to_string(), scene.ledger());
    assert_eq!(told(&recheck(&scene).await), (0, 0), "nothing happened yet");

    edit(&scene, dearer(&report, 1_000));
    let cycle = recheck(&scene).await;
    assert_eq!(told(&cycle), (1, 0));
    assert!(
        cycle["warnings"]
            .to_string()
            .contains("opened or changed after posting"),
        "{cycle:#}"
    );
    let shown = json(&scene, &["show", &id]).await;
    assert_eq!(shown["state"], "marked_exported");
    let money = |hundredths: i64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    assert_eq!(
        values(&shown, "source_drifted", "total"),
        (money(report.total), money(report.total + 1_000))
    );
    let field = format!("expense {} edited amount", report.expenses[0].transaction_id);
    assert_eq!(
        values(&shown, "source_drifted", &field),
        ("blank".to_owned(), money(report.expenses[0].amount + 1_000))
    );
    for command in ["show", "trail"] {
        let said = words(&scene, &[command, &id]).await;
        assert!(
            said.contains("Open cases")
                && said.contains(&money(report.total + 1_000))
                && said.contains("tieout reverse"),
            "{command}: {said}"
        );
    }
    let listed = json(&scene, &["reports", "--state", "case"]).await;
    let row = listed
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["report_id"] == *id);
    assert_eq!(row.expect("its row")["cases"][0]["case"], "source_drifted");

    assert_eq!(
        told(&recheck(&scene).await),
        (0, 0),
        "the same case is not raised twice"
    );
    edit(&scene, dearer(&report, 2_000));
    assert_eq!(
        told(&recheck(&scene).await),
        (1, 0),
        "another edit takes its place"
    );
    assert_eq!(cases(&scene, &id).await, ["source_drifted"]);
    let shown = json(&scene, &["show", &id]).await;
    assert_eq!(
        values(&shown, "source_drifted", "total").1,
        money(report.total + 2_000)
    );

    scene.stand_ins.expensify.world().edit(|world| {
        world.reports.insert(
            report.id,
            reports_with_marks(world.reports.get(&report.id), &report),
        );
    });
    assert_eq!(told(&recheck(&scene).await), (0, 1), "set back, it closes");
    assert!(cases(&scene, &id).await.is_empty());
    assert_eq!(scene.ledger(), ledger, "nothing posted was touched");
    scene.must_tie_out("at the end").await;
}

/// A report as it was, with the marks it has now.
fn reports_with_marks(now: Option<&Report>, before: &Report) -> Report {
    Report {
        markings: now.map(|report| report.markings.clone()).unwrap_or_default(),
        ..before.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_deleted_or_unapproved_after_posting_is_gone_and_one_merely_closed_is_not() {
    let scene = posted(3).await;
    let [deleted, unapproved, closed] = reports(&scene).try_into().unwrap_or_else(|_| panic!("three"));
    edit(
        &scene,
        Edit::DeleteReport {
            report: deleted.id.to_string(),
        },
    );
    edit(&scene, state(&unapproved, ReportState::Open));

    assert_eq!(told(&recheck(&scene).await), (2, 0));
    for report in [&deleted, &unapproved] {
        let shown = json(&scene, &["show", &report.id.to_string()]).await;
        let (was, is) = values(&shown, "source_gone", "report");
        assert!(
            was.starts_with("Approved, 2 expense(s)") && is == "nothing",
            "{was}: {is}"
        );
    }
    assert_eq!(told(&recheck(&scene).await), (0, 0), "gone is said once");
    scene.must_tie_out("gone after posting, as the log says").await;
    edit(&scene, state(&closed, ReportState::Closed));
    assert_eq!(
        told(&recheck(&scene).await),
        (0, 0),
        "closed is not gone, and no drift"
    );
    assert!(cases(&scene, &closed.id.to_string()).await.is_empty());

    // It shows again: as it was, the case closes; otherwise, it closes and what differs is a case of its own.
    scene.stand_ins.expensify.world().edit(|world| {
        world.reports.insert(deleted.id, deleted.clone());
    });
    assert_eq!(told(&recheck(&scene).await), (0, 1));
    edit(&scene, state(&unapproved, ReportState::Approved));
    assert_eq!(told(&recheck(&scene).await), (1, 1));
    assert!(cases(&scene, &deleted.id.to_string()).await.is_empty());
    assert_eq!(
        cases(&scene, &unapproved.id.to_string()).await,
        ["source_drifted"]
    );
    assert_eq!(scene.ledger().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_payable_that_expensify_paid_is_a_case_and_once_reversed_posts_against_the_clearing_account() {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let id = report.id.to_string();
    edit(&scene, state(&report, ReportState::Reimbursed));
    assert_eq!(told(&recheck(&scene).await), (2, 0));
    assert_eq!(cases(&scene, &id).await, ["paid_at_source", "source_drifted"]);
    let shown = json(&scene, &["show", &id]).await;
    assert_eq!(
        values(&shown, "paid_at_source", "status"),
        ("Approved".to_owned(), "Reimbursed".to_owned())
    );
    let invoice = documents(&scene, report.id).remove(0);
    let (was, is) = values(
        &shown,
        "paid_at_source",
        &format!("supplier invoice {}", invoice.reference),
    );
    assert!(
        was.contains("to be paid by QAD") && is == "paid by Expensify",
        "{was}: {is}"
    );
    assert_eq!(told(&recheck(&scene).await), (0, 0));

    reverse_in_qad(&scene, &invoice);
    reversed(&scene, report.id, "--again").await;
    done_again(&scene, 2, 2, "posted as paid").await;
    let after = documents(&scene, report.id);
    assert_eq!(after.len(), 2);
    let journal = after
        .iter()
        .find(|document| document.reversal.is_none())
        .expect("the correction");
    assert!(journal.invoice_type.is_none(), "no open payable: {journal:?}");
    assert!(
        journal
            .lines
            .iter()
            .any(|line| line.account == "2155" && !line.credit.is_zero()),
        "against the reimbursement clearing account: {journal:?}"
    );
    assert!(cases(&scene, &id).await.is_empty());
}

// ── QAD ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_reversed_changed_or_taken_out_in_qad_is_a_case_with_both_values() {
    let scene = posted(3).await;
    let ids: Vec<ReportId> = reports(&scene).iter().map(|report| report.id).collect();
    let document = |at: usize| documents(&scene, ids[at]).remove(0);
    let (reversed, changed, removed) = (document(0), document(1), document(2));
    reverse_in_qad(&scene, &reversed);
    let before = changed
        .lines
        .iter()
        .find(|line| !line.cost_centre.is_empty())
        .expect("a line")
        .clone();
    change_in_qad(&scene, &changed, |document| {
        for line in &mut document.lines {
            if line.sequence == before.sequence {
                line.cost_centre = "9999".into();
            }
        }
    });
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspace_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        assert!(workspace.ledger.remove(&removed.key()).is_some());
    });

    assert_eq!(told(&recheck(&scene).await), (3, 0));
    let shown = |at: usize| {
        let id = ids[at].to_string();
        let scene = &scene;
        async move { json(scene, &["show", &id]).await }
    };
    let both = |was: &str, is: &str| (was.to_owned(), is.to_owned());
    assert_eq!(
        values(&shown(0).await, "document_drifted", "state"),
        both("posted", "reversed")
    );
    assert_eq!(
        values(&shown(2).await, "document_drifted", "state"),
        both("posted", "nothing")
    );
    let of_line = shown(1).await;
    let case = &of_line["cases"][0]["values"][0];
    assert!(
        case["field"].as_str().expect("a text").ends_with("cost centre"),
        "{case}"
    );
    assert_eq!(
        (&case["posted"], &case["shows"]),
        (&before.cost_centre.as_str().into(), &"9999".into())
    );
    let said = words(&scene, &["show", &ids[1].to_string()]).await;
    assert!(
        said.contains("9999") && said.contains(&before.cost_centre),
        "{said}"
    );
    assert_eq!(told(&recheck(&scene).await), (0, 0), "each is said once");

    // A changed drift takes the place of the older one; set back, it closes.
    change_in_qad(&scene, &changed, |document| {
        for line in &mut document.lines {
            if line.sequence == before.sequence {
                line.cost_centre = "8888".into();
            }
        }
    });
    assert_eq!(told(&recheck(&scene).await), (1, 0));
    assert_eq!(cases(&scene, &ids[1].to_string()).await, ["document_drifted"]);
    change_in_qad(&scene, &changed, |document| {
        document.lines.clone_from(&changed.lines)
    });
    assert_eq!(told(&recheck(&scene).await), (0, 1));
    assert!(cases(&scene, &ids[1].to_string()).await.is_empty());

    // The reversal is recorded: the case about the document goes with it.
    self::reversed(&scene, ids[0], "--leave-out").await;
    assert!(cases(&scene, &ids[0].to_string()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_that_fails_raises_nothing_and_is_tried_again_and_a_listing_that_shrank_is_not_believed() {
    const BROWSE: &str = "browse:urn:browse:bebrowse:com.qad.erp.financials.supplierInvoices";
    let scene = posted(3).await;
    let ids: Vec<String> = reports(&scene)
        .iter()
        .map(|report| report.id.to_string())
        .collect();
    let nothing = |cycle: &Value, when: &str| {
        assert_eq!(cycle["rechecked"]["complete"], false, "{when}: {cycle:#}");
        assert_eq!(cycle["rechecked"]["held"]["raised"], 0, "{when}: {cycle:#}");
    };
    // The first listing of a cycle is the poll's, the second the recheck's.
    let source = scene.stand_ins.expensify.faults();
    source.add(FaultRule::next("download", SourceFault::TruncatedFile { bytes: None }).after(1));
    nothing(&recheck(&scene).await, "a download that ended early");
    source.add(FaultRule::next("export", SourceFault::ServerError).after(1));
    nothing(&recheck(&scene).await, "an export that failed");
    let qad = scene.stand_ins.qad.handle().faults();
    qad.add(FaultRule::next(BROWSE, FaultKind::EmptyBrowse).times(2));
    nothing(&recheck(&scene).await, "a browse that is silent, its canary too");
    qad.add(FaultRule::next(BROWSE, FaultKind::BrowseFails));
    nothing(&recheck(&scene).await, "a browse that fails");
    // A listing that leaves some out, while a look-up of the report shows them.
    qad.add(FaultRule::next(BROWSE, FaultKind::RowsMissing { rows: 2 }));
    assert_eq!(
        told(&recheck(&scene).await),
        (0, 0),
        "looked up one by one, they are there"
    );
    // One that cannot be read back is named, and nothing is said of it.
    qad.add(FaultRule::next(
        "get:supplier_invoice",
        FaultKind::ErrorBefore { status: 500 },
    ));
    let cycle = recheck(&scene).await;
    assert_eq!(told(&cycle), (0, 0));
    assert_eq!(
        cycle["rechecked"]["held"]["unread"].as_array().map(Vec::len),
        Some(1),
        "{cycle:#}"
    );
    for id in &ids {
        assert!(cases(&scene, id).await.is_empty());
    }
    assert!(
        qad.pending().is_empty() && source.pending().is_empty(),
        "every fault has struck"
    );
}

// ── reversal ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reversal_is_taken_down_only_once_qad_shows_it_and_the_correction_posts_once_as_the_source_then_shows_it()
 {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let first = documents(&scene, report.id).remove(0);
    edit(&scene, dearer(&report, 1_000));
    assert_eq!(told(&recheck(&scene).await), (1, 0));

    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("reverse it there first"),
        "{}",
        text(&refused)
    );
    assert_eq!(
        cases(&scene, &report.id.to_string()).await,
        ["source_drifted"],
        "nothing was recorded"
    );
    scene.settle(2).await;
    assert_eq!(
        documents(&scene, report.id),
        std::slice::from_ref(&first),
        "without a reversal nothing is posted again"
    );

    reverse_in_qad(&scene, &first);
    let decided = reversed(&scene, report.id, "--again").await;
    assert_eq!(decided["reference"], first.reference.as_str());
    assert_eq!(
        decided["released"].as_array().map(Vec::len),
        Some(2),
        "{decided:#}"
    );
    assert_eq!(decided["state"], "mapped", "{decided:#}");
    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("there is nothing to reverse"),
        "{}",
        text(&refused)
    );
    let id = report.id.to_string();
    let named = [
        "reverse",
        &id,
        "--by",
        "2026/SINV/9001",
        "--again",
        "--reference",
        &first.reference,
        "--why",
        WHY,
        "--as",
        "you",
    ];
    let twice = scene.tieout(&named).await;
    assert_eq!(twice.status.code(), Some(0), "{}", text(&twice));
    assert!(text(&twice).contains("was on record already"), "{}", text(&twice));

    let plan = json(&scene, &["sync", "--dry-run"]).await;
    assert!(plan.to_string().contains(&report.id.to_string()), "{plan:#}");

    done_again(&scene, 2, 2, "corrected").await;
    let after = documents(&scene, report.id);
    let [old, new] = after.as_slice() else {
        panic!("{after:#?}")
    };
    assert!(old.reversal.is_some() && new.reversal.is_none());
    assert_eq!(
        old.reference.replace("I1", "I2"),
        new.reference,
        "the next generation"
    );
    assert_eq!(
        new.total() - old.total(),
        rust_decimal::Decimal::new(1_000, 2),
        "as the source shows it now"
    );
    let trail = words(&scene, &["trail", &report.id.to_string()]).await;
    assert!(
        trail.contains("was reversed in QAD by 2026/SINV/9001") && trail.contains(WHY),
        "{trail}"
    );
    assert_eq!(told(&recheck(&scene).await), (0, 0), "and nothing is open");
    assert_eq!(documents(&scene, report.id).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_left_out_after_a_reversal_stays_out_until_a_person_takes_it_in_again() {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let id = report.id.to_string();
    reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
    let decided = reversed(&scene, report.id, "--leave-out").await;
    assert_eq!(decided["state"], "excluded");
    scene.settle(3).await;
    assert_eq!(documents(&scene, report.id).len(), 1);
    scene.must_tie_out("left out").await;

    let replayed = scene
        .tieout(&["replay", &id, "--why", WHY, "--as", "controller"])
        .await;
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed));
    done_again(&scene, 2, 2, "taken in again").await;
    assert_eq!(documents(&scene, report.id).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_reversed_and_then_deleted_or_unapproved_is_withdrawn_and_comes_back_by_itself() {
    let scene = posted(1).await;
    let report = reports(&scene).remove(0);
    reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
    reversed(&scene, report.id, "--again").await;
    edit(&scene, state(&report, ReportState::Open));
    let last = scene.settle(3).await;
    assert_eq!(last["stages"]["withdrawn"], 1, "{last:#}");
    assert_eq!(documents(&scene, report.id).len(), 1);

    edit(&scene, state(&report, ReportState::Approved));
    done_again(&scene, 1, 1, "approved again").await;
    assert_eq!(documents(&scene, report.id).len(), 2);
}

/// Killed anywhere on the way from the reversal to the flag, the correction stands once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_any_point_after_a_reversal_the_correction_is_posted_once() {
    for point in [
        "reversed",
        "released:1",
        "polled",
        "captured",
        "mapped",
        "claimed",
        "intent",
        "looked",
        "sent",
        "recorded",
        "marking",
        "marked",
        "rechecked source",
        "rechecked ledger",
    ] {
        let scene = posted(1).await;
        let report = reports(&scene).remove(0);
        edit(&scene, dearer(&report, 500));
        reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        let in_the_command = ["reversed", "released:1"].contains(&point);
        let crash = [("TIEOUT_CRASH_AT", point)];
        let output = reverse(
            &scene,
            report.id,
            "--again",
            if in_the_command { &crash } else { &[] },
        )
        .await;
        let killed = if in_the_command {
            output
        } else {
            assert_eq!(output.status.code(), Some(0), "{}", text(&output));
            tokio::time::sleep(Duration::from_millis(1_050)).await;
            scene.run(&["sync"], &crash).await
        };
        assert_eq!(
            killed.status.code(),
            None,
            "the process is to die at `{point}`: {}",
            text(&killed)
        );
        done_again(&scene, 1, 1, point).await;
        assert_eq!(documents(&scene, report.id).len(), 2, "{point}");
    }
}

/// An expense that moved to another report after the reversal posts there, once; also where the process that recorded the
/// reversal died before it released the expense.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_expense_moved_to_another_report_after_the_reversal_posts_there_once() {
    for (then, dies_at) in [
        ("--again", None),
        ("--again", Some("reversed")),
        ("--leave-out", None),
        ("--leave-out", Some("reversed")),
        ("--leave-out", Some("released:1")),
    ] {
        let when = format!("{then}, killed at {dies_at:?}");
        let scene = posted(1).await;
        let report = reports(&scene).remove(0);
        // Another report of the same person comes up, not approved yet.
        let other = Report {
            id: ReportId(report.id.0 + 1),
            expenses: Vec::new(),
            total: 0,
            markings: Vec::new(),
            ..report.clone()
        };
        scene.stand_ins.expensify.world().edit(|world| {
            world.reports.insert(other.id, other.clone());
        });
        let moved = report.expenses[0].transaction_id.clone();
        edit(
            &scene,
            Edit::MoveExpense {
                transaction: moved,
                to: other.id.to_string(),
            },
        );
        // Before the reversal the expense goes with the report that posted it.
        let last = scene.settle(2).await;
        assert_eq!(last["stages"]["rejected"], 1, "{when}: {last:#}");
        assert!(documents(&scene, other.id).is_empty(), "{when}");

        reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        let crash: Vec<(&str, &str)> = dies_at.iter().map(|point| ("TIEOUT_CRASH_AT", *point)).collect();
        let output = reverse(&scene, report.id, then, &crash).await;
        assert_eq!(
            output.status.code().is_none(),
            dies_at.is_some(),
            "{when}: {}",
            text(&output)
        );
        let last = scene.settle(8).await;
        scene.nothing_is_wrong(&when);
        let there: Vec<Document> = documents(&scene, other.id);
        assert_eq!(there.len(), 1, "{when}: {last:#}");
        let amount = rust_decimal::Decimal::new(report.expenses[0].amount, 2);
        assert_eq!(there[0].total(), amount, "{when}");
        let standing: Vec<Document> = documents(&scene, report.id)
            .into_iter()
            .filter(|document| document.reversal.is_none())
            .collect();
        match then {
            "--again" => {
                let rest = rust_decimal::Decimal::new(report.expenses[1].amount, 2);
                assert_eq!(standing.len(), 1, "{when}: what is left of it posts again");
                assert_eq!(standing[0].total(), rest, "{when}");
                scene.must_tie_out(&when).await;
            }
            // What is left out is not read again, so that what moved out of it shows as a difference until then.
            _ => assert!(standing.is_empty(), "{when}"),
        }
    }
}

/// What is owed to the employee and what the company card paid: an invoice and a journal.
async fn posted_in_two() -> (Scene, Report) {
    binary();
    let scene = Scene::with(Size::Many { reports: 1, lines: 2 }, |world| {
        let expenses = world
            .reports
            .values_mut()
            .flat_map(|report| report.expenses.last_mut());
        for expense in expenses {
            expense.reimbursable = false;
            expense.kind = "card".into();
            expense.bank = "Summit Bank".into();
            expense.card_name = "Summit Corporate Visa 4471".into();
        }
    })
    .await;
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    assert_eq!(scene.ledger().len(), 2);
    let report = reports(&scene).remove(0);
    (scene, report)
}

/// The standing documents of a report: the invoice, then the journal.
fn standing(scene: &Scene, report: ReportId) -> (Option<Document>, Option<Document>) {
    let (invoices, journals) = documents(scene, report)
        .into_iter()
        .filter(|document| document.reversal.is_none())
        .partition::<Vec<_>, _>(|document| document.invoice_type.is_some());
    assert!(
        invoices.len() <= 1 && journals.len() <= 1,
        "{invoices:#?} {journals:#?}"
    );
    (invoices.into_iter().next(), journals.into_iter().next())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_documents_one_is_corrected_alone_only_where_the_source_still_shows_what_the_other_one_says() {
    // One is reversed, and the source shows what it did: it alone posts again.
    let (scene, report) = posted_in_two().await;
    let (invoice, journal) = standing(&scene, report.id);
    let (invoice, journal) = (invoice.expect("the invoice"), journal.expect("the journal"));
    reverse_in_qad(&scene, &journal);
    let decided = reversed(&scene, report.id, "--again").await;
    assert_eq!(
        decided["reference"],
        journal.reference.as_str(),
        "the one that QAD shows as reversed"
    );
    assert_eq!(
        decided["released"].as_array().map(Vec::len),
        Some(1),
        "{decided:#}"
    );
    done_again(&scene, 1, 2, "one alone").await;
    let (same, second) = standing(&scene, report.id);
    assert_eq!(same.as_ref(), Some(&invoice));
    assert!(second.expect("the journal").reference.ends_with("J2"));

    // The source was edited: what stands would say something else than what is posted beside it. It waits for a person.
    let before = invoice.total();
    edit(&scene, dearer(&report, 700));
    reverse_in_qad(&scene, &invoice);
    reversed(&scene, report.id, "--again").await;
    let last = scene.settle(3).await;
    assert_eq!(last["stages"]["posting"], 1, "{last:#}");
    assert_eq!(
        standing(&scene, report.id).0,
        None,
        "nothing is posted that contradicts what stands"
    );
    let said = words(&scene, &["show", &report.id.to_string()]).await;
    assert!(said.contains("reverse the document that stands too"), "{said}");

    let (_, journal) = standing(&scene, report.id);
    reverse_in_qad(&scene, &journal.expect("the journal"));
    reversed(&scene, report.id, "--again").await;
    done_again(&scene, 1, 2, "both").await;
    let (invoice, journal) = standing(&scene, report.id);
    let (invoice, journal) = (invoice.expect("the invoice"), journal.expect("the journal"));
    assert!(invoice.reference.ends_with("I2") && journal.reference.ends_with("J3"));
    assert_eq!(invoice.total() - before, rust_decimal::Decimal::new(700, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_documents_one_is_left_out_and_the_report_is_posted_with_the_other() {
    let (scene, report) = posted_in_two().await;
    let (invoice, journal) = standing(&scene, report.id);
    let (invoice, journal) = (invoice.expect("the invoice"), journal.expect("the journal"));
    reverse_in_qad(&scene, &invoice);
    reverse_in_qad(&scene, &journal);
    let unnamed = reverse(&scene, report.id, "--leave-out", &[]).await;
    assert_eq!(unnamed.status.code(), Some(2), "{}", text(&unnamed));
    assert!(text(&unnamed).contains("--reference"), "{}", text(&unnamed));
    let id = report.id.to_string();
    let named = [
        "reverse",
        &id,
        "--by",
        "2026/JE/1",
        "--leave-out",
        "--reference",
        &journal.reference,
        "--why",
        WHY,
        "--as",
        "you",
    ];
    let output = scene.tieout(&named).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains("the report is Posted"),
        "{}",
        text(&output)
    );
    let last = scene.settle(4).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    assert_eq!(documents(&scene, report.id).len(), 2, "nothing is posted again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_whose_answer_is_lost_or_that_never_arrives_posts_once() {
    for fault in [
        FaultKind::DropAfter,
        FaultKind::DropBefore,
        FaultKind::ErrorAfter { status: 502 },
    ] {
        let when = format!("{fault:?}");
        let scene = posted(1).await;
        let report = reports(&scene).remove(0);
        reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        reversed(&scene, report.id, "--again").await;
        let faults = scene.stand_ins.qad.handle().faults();
        faults.add(FaultRule::next("post:*", fault));
        done_again(&scene, 1, 1, &when).await;
        assert_eq!(documents(&scene, report.id).len(), 2, "{when}");
        assert!(faults.pending().is_empty(), "{when}: the fault has struck");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_document_under_our_reference_is_a_case_and_nothing_is_posted_beside_it() {
    let scene = posted(1).await;
    let report = reports(&scene).remove(0);
    let first = documents(&scene, report.id).remove(0);
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspace_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace.ledger.store(first.clone());
    });
    assert_eq!(told(&recheck(&scene).await), (1, 0));
    let shown = json(&scene, &["show", &report.id.to_string()]).await;
    let (was, is) = values(&shown, "document_drifted", "voucher");
    assert!(is.starts_with(&was) && is.contains(" and "), "{was}: {is}");

    // The first is reversed, the second stands: to post again would pay twice.
    reverse_in_qad(&scene, &first);
    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("would post twice"), "{}", text(&refused));
    reversed(&scene, report.id, "--leave-out").await;
    scene.settle(3).await;
    assert_eq!(documents(&scene, report.id).len(), 2, "nothing more was posted");
}

/// Two instances at once after reversals, while expenses travel between reports: each is posted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_cycles_at_once_after_reversals_post_each_expense_once() {
    for round in 0..3 {
        let when = format!("round {round}");
        let scene = posted(4).await;
        let all = reports(&scene);
        for report in &all {
            reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        }
        // Each gives one of its two expenses to the next one.
        for (from, to) in all.iter().zip(all.iter().cycle().skip(1)) {
            edit(
                &scene,
                Edit::MoveExpense {
                    transaction: from.expenses[0].transaction_id.clone(),
                    to: to.id.to_string(),
                },
            );
        }
        for report in &all {
            let crash: &[(&str, &str)] = if report.id == all[0].id {
                &[("TIEOUT_CRASH_AT", "reversed")]
            } else {
                &[]
            };
            let output = reverse(&scene, report.id, "--again", crash).await;
            assert!(
                matches!(output.status.code(), None | Some(0)),
                "{when}: {}",
                text(&output)
            );
        }
        for _ in 0..2 {
            let (one, other) = tokio::join!(scene.tieout(&["sync"]), scene.tieout(&["sync"]));
            for output in [one, other] {
                assert!(
                    matches!(output.status.code(), Some(0 | 1)),
                    "{when}: {}",
                    text(&output)
                );
            }
            scene.nothing_is_wrong(&when);
        }
        done_again(&scene, 4, 4, &when).await;
        let spent: i64 = all
            .iter()
            .flat_map(|report| &report.expenses)
            .map(|expense| expense.amount)
            .sum();
        let standing = scene
            .ledger()
            .into_iter()
            .filter(|document| document.reversal.is_none());
        let total: rust_decimal::Decimal = standing.map(|document| document.total()).sum();
        assert_eq!(total, rust_decimal::Decimal::new(spent, 2), "{when}");
    }
}
