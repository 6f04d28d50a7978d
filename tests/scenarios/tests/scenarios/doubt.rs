//! Doubt that ends between two cycles, and a warning of a duplicate reference: an incident with every voucher that is
//! known, never silently posted.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{Size, credentials};
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::{Document, DuplicateReference};
use tieout_scenarios::{Scene, binary, text};

const ONE: Size = Size::Many { reports: 1, lines: 1 };

async fn the_report(scene: &Scene) -> Value {
    let output = scene.tieout(&["reports", "--json"]).await;
    let rows: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    rows[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn serve_looks_for_what_is_in_doubt_between_its_cycles() {
    binary();
    let scene = Scene::with(ONE, |_| {}).await;
    scene.reconfigure(|text| {
        text.replace("every = \"1m\"", "every = \"1h\"")
            .replace("[vault]", "[serve]\nlisten = \"127.0.0.1:0\"\n\n[vault]")
    });
    let profile = scene.file("profile.toml");
    let names = std::fs::read_to_string(&profile).expect("the profile");
    assert!(names.contains("resolve_delays = [\"30s\""));
    // Nothing is looked at before the quarantine has ended, but for the first time.
    let slow = names.replace("resolve_delays = [\"30s\"", "resolve_delays = [\"20s\"");
    std::fs::write(&profile, slow).expect("the profile");
    scene.certify().await;
    // Lost on the way in: only a look-up after the quarantine ends this doubt.
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("post:*", FaultKind::DropBefore));
    let mut serve = scene
        .command(&["serve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut seen = Vec::new();
    for _ in 0..120 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let state = the_report(&scene).await["documents"][0]["state"].clone();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        if seen.contains(&"in_doubt".into()) && seen.last() == Some(&"planned".into()) {
            break;
        }
    }
    assert_eq!(
        seen.last(),
        Some(&Value::from("planned")),
        "the next cycle is an hour away: {seen:?}"
    );
    let exports = |scene: &Scene| {
        let calls = scene.stand_ins.expensify.calls().all();
        calls.iter().filter(|call| call.operation == "export").count()
    };
    assert_eq!(exports(&scene), 1, "Expensify was asked by the one cycle alone");
    serve.kill().await.expect("it ends");
    let last = scene.settle(6).await;
    scene.all_is_done(1, &last, "after it").await;
}

/// A document that somebody entered by hand under the reference that ours will bear, and that the look-ups do not show.
fn hidden(scene: &Scene, reference: &str, like: &Document) {
    let mut document = like.clone();
    document.reference = reference.to_owned();
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspaces
            .get_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace.ledger.store(document);
    });
}

/// QAD holds a document with the reference, which its browse leaves out each time it is asked; then ours is stored beside
/// it with a warning. What is in the log of it after that cycle.
async fn warned(duplicates: DuplicateReference) -> (Scene, Value) {
    // A first scene tells what the document looks like.
    let model = Scene::with(ONE, |_| {}).await;
    model.settle(6).await;
    let like = model.ledger().remove(0);
    let scene = Scene::with(ONE, |_| {}).await;
    hidden(&scene, &like.reference, &like);
    let handle = scene.stand_ins.qad.handle();
    handle.edit(|world| world.duplicates = duplicates);
    // The listing, the look-up before the send, and the one after it; between them the canaries.
    for after in [0, 2, 4] {
        handle
            .faults()
            .add(FaultRule::next("browse:invoice_lookup", FaultKind::RowsMissing { rows: 1 }).after(after));
    }
    scene.tieout(&["sync"]).await;
    let row = the_report(&scene).await;
    (scene, row)
}

/// It stays as it is over cycles that show one document or both, until a person decides.
async fn a_person_settles_it(scene: &Scene, vouchers: usize) {
    let ledger = scene.ledger();
    assert_eq!(ledger.len(), 2, "{ledger:#?}");
    let last = scene.settle(3).await;
    assert_eq!(last["resolved"]["incidents"], 1, "{last:#}");
    assert_eq!(last["stages"]["posting"], 1, "{last:#}");
    assert_eq!(scene.ledger(), ledger, "nothing is sent again");
    let row = the_report(scene).await;
    let id = row["report_id"].as_str().expect("an id").to_owned();
    let shown = text(&scene.tieout(&["show", &id]).await);
    for document in &ledger[..vouchers] {
        let key = format!("{}/{}/{}", document.year, document.daybook, document.voucher);
        assert!(shown.contains(&key), "{key}: {shown}");
    }

    let (first, ours) = (&ledger[0], &ledger[1]);
    let handle = scene.stand_ins.qad.handle();
    assert!(handle.reverse(credentials::QAD_WORKSPACE, &first.key()));
    let last = scene.settle(2).await;
    assert_eq!(
        last["resolved"]["incidents"], 1,
        "not even then by itself: {last:#}"
    );
    let key = format!("{}/{}/{}", ours.year, ours.daybook, ours.voucher);
    let word = ["--why", "the other one was a mistake", "--as", "anna"];
    let adopt = scene
        .tieout(&[&["resolve", &id, "--adopt", &key][..], &word[..]].concat())
        .await;
    assert_eq!(adopt.status.code(), Some(0), "{}", text(&adopt));
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    assert_eq!(
        last["in_recovery"], false,
        "the reversed half is explained: {last:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_warning_with_the_number_of_ours_surfaces_both_vouchers() {
    binary();
    let (scene, row) = warned(DuplicateReference::StoredWithMessage).await;
    let doubt = row["documents"][0]["doubt"].as_str().expect("a doubt").to_owned();
    assert!(
        doubt.contains("more than one document bears our reference"),
        "{row:#}"
    );
    a_person_settles_it(&scene, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_warning_without_a_number_is_an_incident_though_one_document_shows() {
    binary();
    let (scene, row) = warned(DuplicateReference::StoredAsFailure).await;
    let doubt = row["documents"][0]["doubt"].as_str().expect("a doubt").to_owned();
    assert!(
        doubt.contains("QAD warned that the reference exists already")
            && doubt.contains("already exists on another invoice"),
        "{row:#}"
    );
    // The next look-up shows both: it becomes the incident of two documents.
    a_person_settles_it(&scene, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_warned_of_is_not_posted_by_itself_though_one_document_shows_and_agrees() {
    binary();
    let (scene, row) = warned(DuplicateReference::StoredAsFailure).await;
    let id = row["report_id"].as_str().expect("an id").to_owned();
    // The other one vanishes, and ours agrees in every line: still nobody knows what it was.
    let other = scene.ledger().remove(0);
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspaces
            .get_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace.ledger.remove(&other.key()).expect("it was there");
    });
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    let last = scene.settle(3).await;
    assert_eq!(last["resolved"]["incidents"], 1, "{last:#}");
    assert_eq!(
        (&last["adopted"], &last["posted"]),
        (&0.into(), &0.into()),
        "{last:#}"
    );
    let row = the_report(&scene).await;
    assert!(
        row["documents"][0]["doubt"].to_string().contains("QAD warned"),
        "{row:#}"
    );
    let ours = scene.ledger().remove(0);
    let key = format!("{}/{}/{}", ours.year, ours.daybook, ours.voucher);
    let word = ["--why", "looked at in QAD", "--as", "anna"];
    let adopt = scene
        .tieout(&[&["resolve", &id, "--adopt", &key][..], &word[..]].concat())
        .await;
    assert_eq!(adopt.status.code(), Some(0), "{}", text(&adopt));
    let last = scene.settle(6).await;
    scene.all_is_done(1, &last, "by a person's word").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_warning_is_recorded_and_posts() {
    binary();
    let scene = Scene::with(ONE, |_| {}).await;
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("post:*", FaultKind::WarnedAsFailure));
    let last = scene.settle(6).await;
    scene
        .all_is_done(1, &last, "a warning that says nothing of a duplicate")
        .await;
}
