//! What people do at the source while the program is at a report. Taken back when it is about to be marked: its absence
//! from the listing is not the mark's doing, and once it is approved again it bears the label. Edited between its two
//! documents: that needs a person, and the program says so.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test: a surprise must end it"
)]

use tieout_sandbox::expensify::world::ReportState;
use tieout_sandbox::month::{self, Expectation, Size};
use tieout_scenarios::{SEED, Scene, text};

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

#[tokio::test]
async fn a_report_edited_between_its_two_documents_needs_a_person_and_is_whole_once_the_edit_is_undone() {
    let month = month::month(SEED, Size::Demo);
    let two = |expectation: &Expectation| matches!(expectation, Expectation::Posted { documents } if documents.len() == 2);
    let mut parts = month
        .story
        .parts
        .iter()
        .filter(|(_, part)| two(&part.expectation));
    let (id, _) = parts.next().expect("a report of two documents");
    let report = month.expensify.reports[id].clone();
    let none = Size::Many { reports: 0, lines: 0 };
    let scene = Scene::with(none, |world| world.add_report(report.clone())).await;
    let killed = scene.run(&["sync"], &[("TIEOUT_CRASH_AT", "recorded:1")]).await;
    assert_eq!(killed.status.code(), None, "{}", text(&killed));
    assert_eq!(scene.ledger().len(), 1, "one of the two stands");

    let change = |more: i64| {
        scene.stand_ins.expensify.world().edit(|world| {
            let report = world.reports.get_mut(id).expect("it is there");
            let line = &mut report.expenses[0];
            line.amount += more;
            line.converted_amount = line.converted_amount.map(|amount| amount + more);
            report.total += more;
        });
    };
    change(100);
    for _ in 0..2 {
        let cycle = scene.tieout(&["sync"]).await;
        assert_eq!(
            cycle.status.code(),
            Some(1),
            "it needs a person: {}",
            text(&cycle)
        );
        assert!(
            text(&cycle).contains(&id.to_string()),
            "and is named: {}",
            text(&cycle)
        );
        assert_eq!(scene.ledger().len(), 1, "neither the old nor the new one is sent");
    }

    change(-100);
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    assert_eq!(scene.ledger().len(), 2);
    scene.must_tie_out("once the edit is undone").await;
}
