//! One report, over real HTTP from stand-in to stand-in, its whole life in the log; and the same, killed at every point.

use tieout_sandbox::month::Size;
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
