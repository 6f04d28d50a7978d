//! A month under installations of QAD that call everything differently, each drawn from a seed: other paths, browse ids,
//! columns, field names, nesting and words.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use tieout_sandbox::expensify::world::{Expense, World};
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::world::{DocumentKind, InvoiceType};
use tieout_scenarios::{Scene, binary, shapes};

const REPORTS: usize = 10;

/// Among the plain reports one on a company card, one of both kinds, and one with more given back than spent.
fn cards_and_refunds(world: &mut World) {
    let on_card = |line: &mut Expense| {
        line.reimbursable = false;
        line.bank = "Summit National Bank CDF".into();
        line.card_name = "Summit Corporate Visa - 1004".into();
    };
    let mut reports = world.reports.values_mut();
    let mut next = || reports.next().expect("ten reports");
    next().expenses.iter_mut().for_each(on_card);
    on_card(&mut next().expenses[1]);
    let refunds = next();
    for line in refunds.expenses.iter_mut().skip(1) {
        line.amount = -(line.amount + 100_000);
        line.converted_amount = line.converted_amount.map(|amount| -(amount + 100_000));
    }
    refunds.total = refunds.line_sum();
}

async fn posts_reads_back_and_ties_out(seed: u64) {
    binary();
    let scene = Scene::shaped(
        shapes::shape(seed),
        Size::Many {
            reports: REPORTS,
            lines: 3,
        },
        cards_and_refunds,
    )
    .await;
    let last = scene.settle(8).await;
    let when = format!("seed {seed}");
    assert_eq!(last["stages"]["marked_exported"], REPORTS, "{when}: {last:#}");
    assert_eq!(scene.marked().len(), REPORTS, "{when}");
    scene.nothing_is_wrong(&when);
    scene.must_tie_out(&when).await;

    let ledger = scene.ledger();
    let count = |kind, invoice_type| {
        ledger
            .iter()
            .filter(|d| d.kind == kind && d.invoice_type == invoice_type)
            .count()
    };
    assert_eq!(
        count(DocumentKind::SupplierInvoice, Some(InvoiceType::CreditNote)),
        1,
        "{when}"
    );
    assert_eq!(
        count(DocumentKind::SupplierInvoice, Some(InvoiceType::Invoice)),
        8,
        "{when}"
    );
    assert_eq!(
        count(DocumentKind::JournalEntry, None),
        2,
        "{when}: of the two reports with card lines"
    );
    assert_eq!(ledger.len(), 11, "{when}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_installation_drawn_from_seed_1() {
    posts_reads_back_and_ties_out(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_installation_drawn_from_seed_2() {
    posts_reads_back_and_ties_out(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_installation_drawn_from_seed_3() {
    posts_reads_back_and_ties_out(3).await;
}

#[test]
fn the_three_differ_from_each_other_in_every_name() {
    let names = |seed| {
        let shape = shapes::shape(seed);
        let documents = [shape.supplier_invoice, shape.journal_entry];
        documents
            .into_iter()
            .flat_map(|d| {
                d.header
                    .into_values()
                    .chain(d.line.into_values())
                    .chain([d.path, d.lines])
            })
            .collect::<Vec<_>>()
    };
    for (one, other) in [(1, 2), (2, 3), (1, 3)] {
        let (one, other) = (names(one), names(other));
        assert!(
            one.iter().all(|name| !other.contains(name)),
            "{one:?} and {other:?}"
        );
    }
}
