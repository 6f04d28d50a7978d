//! Law 10 after a reversal: an expense that moved to another report posts there, once.

use tieout_sandbox::expensify::world::{Edit, Report, ReportId};
use tieout_sandbox::qad::world::Document;
use tieout_scenarios::text;

use super::office::*;

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
