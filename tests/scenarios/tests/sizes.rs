//! One report of 20 MB goes from end to end, its text whole in QAD, and the program's memory stays bounded.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use std::process::Stdio;
use std::time::Duration;

use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, text};
use tokio::io::AsyncReadExt;

/// Of comments alone: 20 MB, or 2 MB in a build without optimisation, where the ciphers take minutes over the former
/// (`cargo nextest run --release -p tieout-scenarios --test sizes` is the whole of it).
const SIZE: usize = if cfg!(debug_assertions) { 2 } else { 20 } * 1024 * 1024;
/// The most memory, in bytes: what the program takes anyway, and a report so many times over. A report is one aggregate:
/// it is held as a line of the download, as an event, as a document and as a body, a few of these at once.
const MOST: u64 = 64 * 1024 * 1024 + 20 * SIZE as u64;

/// Peak resident memory of a process so far, in bytes.
fn peak_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next())
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// Runs one cycle; its exit status, its JSON and the most memory it held.
async fn cycle(scene: &Scene) -> (Option<i32>, serde_json::Value, u64) {
    let mut child = scene
        .command(&["sync", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (mut out, mut err, mut most) = (Vec::new(), String::new(), 0);
    let watched = async {
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        loop {
            tokio::select! {
                status = child.wait() => return status.unwrap(),
                _ = glances.tick() => most = most.max(peak_of(id)),
            }
        }
    };
    let (status, read_out, read_err) = tokio::join!(
        watched,
        stdout.read_to_end(&mut out),
        stderr.read_to_string(&mut err)
    );
    read_out.unwrap();
    read_err.unwrap();
    let cycles: serde_json::Value = serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
    (status.code(), cycles[0].clone(), most)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_very_large_report_passes_whole_and_memory_stays_bounded() {
    let scene = Scene::uncertified(Size::OneLarge { bytes: SIZE }, |_| {}).await;
    // A document of this size takes a slow machine longer than the two seconds of a scene.
    let profile = std::fs::read_to_string(scene.file("profile.toml")).unwrap();
    let patient = profile
        .replace("read_timeout = \"2s\"", "read_timeout = \"120s\"")
        .replace("quarantine = \"4s\"", "quarantine = \"122s\"");
    assert_ne!(profile, patient);
    std::fs::write(scene.file("profile.toml"), patient).unwrap();
    scene.certify().await;

    let comments: Vec<String> = scene.stand_ins.expensify.world().read(|world| {
        let report = world.reports.values().next().unwrap();
        report
            .expenses
            .iter()
            .map(|expense| format!("{}: {}", expense.merchant, expense.comment))
            .collect()
    });
    let size: usize = comments.iter().map(String::len).sum();
    assert!(size >= SIZE, "{size}");

    let (status, last, most) = cycle(&scene).await;
    assert_eq!(
        (status, &last["posted"]),
        (Some(0), &serde_json::json!(1)),
        "{last:#}"
    );
    assert!(
        (1..MOST).contains(&most),
        "{most} bytes at the peak for a report of {size}"
    );

    let ledger = scene.ledger();
    assert_eq!(ledger.len(), 1);
    let held: Vec<&str> = ledger[0]
        .lines
        .iter()
        .map(|line| line.description.as_str())
        .collect();
    assert!(
        held == comments,
        "every text of all {} lines stands in QAD as it was written",
        comments.len()
    );

    // The next cycle reads it all back from the log, and proves the mark.
    let (status, last, most) = cycle(&scene).await;
    assert_eq!(
        (status, &last["stages"]["marked_exported"]),
        (Some(0), &serde_json::json!(1)),
        "{last:#}"
    );
    assert!(
        (1..MOST).contains(&most),
        "{most} bytes at the peak of the cycle after"
    );

    let verified = scene.tieout(&["log", "verify"]).await;
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
}
