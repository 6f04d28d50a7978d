//! One report, over real HTTP from stand-in to stand-in, its whole life in the log; and the same, killed at every point.

use std::time::Duration;

use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::{Scene, text};

fn one() -> Size {
    Size::Many { reports: 1, lines: 1 }
}

#[tokio::test]
async fn a_report_becomes_one_document_and_is_marked_after_it() {
    let scene = Scene::with(one(), |_| {}).await;
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    let ledger = scene.ledger();
    assert_eq!(ledger.len(), 1, "{ledger:#?}");
    scene.stand_ins.expensify.world().read(|world| {
        assert!(
            world
                .reports
                .values()
                .all(|report| report.is_marked("tieout-larkfield"))
        );
    });
}

#[tokio::test]
async fn killed_at_any_point_of_the_cycle_it_is_still_posted_once() {
    let points = [
        "captured", "polled", "mapped", "claimed", "intent", "looked", "sent", "recorded", "marking",
        "marked",
    ];
    for point in points {
        let scene = Scene::with(one(), |_| {}).await;
        let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", point)]).await;
        assert_eq!(
            killed.status.code(),
            None,
            "the process is to die at `{point}`: {}",
            text(&killed)
        );
        let last = scene.settle(8).await;
        assert_eq!(
            last["stages"]["marked_exported"], 1,
            "killed at `{point}`: {last:#}"
        );
        assert_eq!(scene.ledger().len(), 1, "killed at `{point}`");
    }
}

/// The document was stored and its answer lost; the quarantine is over; the one look-up that would find it is answered in
/// good form with nothing, and the canary right after it is found.
#[tokio::test]
async fn a_single_look_up_that_comes_back_empty_does_not_prove_absence() {
    let scene = Scene::with(one(), |_| {}).await;
    let faults = scene.stand_ins.qad.handle().faults();
    faults.add(FaultRule::next("post:*", FaultKind::ErrorAfter { status: 502 }));
    scene.tieout(&["sync"]).await;
    tokio::time::sleep(Duration::from_millis(4_200)).await;

    faults.add(FaultRule::next("browse:invoice_lookup", FaultKind::EmptyBrowse));
    let output = scene.tieout(&["sync", "--json"]).await;
    assert!(faults.pending().is_empty(), "the fault has struck");
    let cycles: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(cycles[0]["resolved"]["absent"], 0, "{cycles:#}");
    assert_eq!(cycles[0]["resolved"]["adopted"], 1, "{cycles:#}");
    assert_eq!(scene.ledger().len(), 1);
}
