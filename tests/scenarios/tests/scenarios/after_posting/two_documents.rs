//! A report with an invoice and a journal, of which one is reversed, or both.

use tieout_sandbox::expensify::world::{Report, ReportId};
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::world::Document;
use tieout_scenarios::{Scene, binary, text};

use super::office::*;

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
