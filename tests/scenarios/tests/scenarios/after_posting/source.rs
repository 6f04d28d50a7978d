//! What changes at the source is a case with both values, said once, and closed when it is gone.

use tieout_sandbox::expensify::world::{Edit, Report, ReportState};

use super::office::*;

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
