//! A report that is taken back at the source while the program is about to mark it: its absence from the listing is not
//! the mark's doing, and once it is approved again it bears the label.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test: a surprise must end it"
)]

use tieout_sandbox::expensify::world::ReportState;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, text};

#[tokio::test]
async fn a_report_taken_back_before_its_mark_arrived_bears_the_label_once_it_is_approved_again() {
    let scene = Scene::with(Size::Many { reports: 1, lines: 2 }, |_| {}).await;
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", "marking:1")]).await;
    assert_eq!(killed.status.code(), None, "{}", text(&killed));

    let set = |state: ReportState| {
        scene.stand_ins.expensify.world().edit(|world| {
            world.reports.values_mut().for_each(|report| report.state = state);
        });
    };
    set(ReportState::Processing);
    scene.settle(4).await;
    assert!(scene.marked().is_empty(), "what is not approved was not marked");

    set(ReportState::Approved);
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    assert_eq!(scene.marked().len(), 1, "the log says it is marked, and it is");
    assert_eq!(scene.ledger().len(), 1);
    scene.must_tie_out("approved again").await;
}
