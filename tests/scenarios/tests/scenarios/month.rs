//! The demo's month through the real program until it settles: each report comes to what the story means it to, the
//! ends tie out, and exactly what is posted is marked.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tieout_domain::ids::DocumentKind;
use tieout_domain::report::{Exclusion, StageName};
use tieout_projections::work_list::{Bucket, Row};
use tieout_sandbox::expensify::world::ReportId;
use tieout_sandbox::month::{self, Expectation, Planned, PlannedKind, Size};
use tieout_sandbox::qad::world::{Document, DocumentKind as Stored, InvoiceType};
use tieout_scenarios::{SEED, Scene, binary};

/// What a document is in the ledger, in the story's words.
fn planned(document: &Document) -> Planned {
    let kind = match (document.kind, document.invoice_type) {
        (Stored::JournalEntry, _) => PlannedKind::Journal,
        (Stored::SupplierInvoice, Some(InvoiceType::CreditNote)) => PlannedKind::CreditNote,
        (Stored::SupplierInvoice, _) => PlannedKind::Invoice,
    };
    let hundredths = (document.total() * Decimal::ONE_HUNDRED).normalize();
    Planned {
        kind,
        hundredths: i64::try_from(hundredths).expect("whole hundredths"),
    }
}

/// The documents of each report as the ledger has them.
fn in_ledger(scene: &Scene) -> BTreeMap<ReportId, BTreeSet<Planned>> {
    let mut found: BTreeMap<ReportId, BTreeSet<Planned>> = BTreeMap::new();
    for document in scene.ledger() {
        let reference: tieout_domain::ids::Reference =
            document.reference.parse().expect("a reference of ours");
        let stored = planned(&document);
        let named = match reference.kind {
            DocumentKind::SupplierInvoice => PlannedKind::Invoice,
            DocumentKind::CreditNote => PlannedKind::CreditNote,
            DocumentKind::Journal => PlannedKind::Journal,
        };
        assert_eq!(stored.kind, named, "{reference} says what it is");
        let report = ReportId(reference.report.decimal());
        assert!(
            found.entry(report).or_default().insert(stored),
            "{reference} is there twice"
        );
    }
    found
}

fn codes(row: &Row) -> BTreeSet<&'static str> {
    row.reasons().iter().map(|reason| reason.code.as_str()).collect()
}

/// What a report came to that is not what was meant; `None` where it is.
fn wrong(
    id: ReportId,
    expectation: &Expectation,
    row: Option<&Row>,
    documents: &BTreeSet<Planned>,
) -> Option<String> {
    let told = |what: String| Some(format!("report {id}: expected {expectation:?}, and {what}"));
    let Some(row) = row else {
        return if *expectation == Expectation::NotListed {
            None
        } else {
            told("the log does not know it".into())
        };
    };
    let shown = || {
        format!(
            "it is {} with {:?}, for {:?}",
            row.stage(),
            documents,
            row.reasons()
        )
    };
    let as_meant = match expectation {
        Expectation::Posted { documents: meant } => {
            row.stage() == StageName::MarkedExported && *documents == meant.iter().copied().collect()
        }
        // Which one of the two posts is looked at where both are known.
        Expectation::PostedOrClaimed { documents: meant, .. } => match row.stage() {
            StageName::MarkedExported => *documents == meant.iter().copied().collect(),
            _ => {
                row.stage() == StageName::Rejected
                    && documents.is_empty()
                    && codes(row) == ["expense_claimed"].into()
            }
        },
        Expectation::Rejected { codes: meant } => {
            row.stage() == StageName::Rejected && documents.is_empty() && codes(row) == *meant
        }
        Expectation::Held { code } => {
            row.stage() == StageName::Held && documents.is_empty() && codes(row) == [*code].into()
        }
        Expectation::BeforeGoLive => {
            documents.is_empty() && matches!(row.now.excluded, Some(Exclusion::BeforeGoLive { .. }))
        }
        Expectation::NothingToPost => {
            documents.is_empty() && row.now.excluded == Some(Exclusion::NothingToPost)
        }
        Expectation::NotListed => false,
    };
    if as_meant { None } else { told(shown()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_month_comes_to_what_its_story_means() {
    binary();
    let story = month::month(SEED, Size::Demo).story;
    let scene = Scene::month().await;
    let last = scene.settle(6).await;
    assert_eq!(last["in_doubt"], 0, "{last:#}");

    let rows: BTreeMap<ReportId, Row> = scene
        .rows()
        .await
        .into_iter()
        .map(|row| (ReportId(row.report_id.decimal()), row))
        .collect();
    let ledger = in_ledger(&scene);
    let none = BTreeSet::new();
    let differences: Vec<String> = story
        .parts
        .iter()
        .filter_map(|(id, part)| {
            wrong(
                *id,
                &part.expectation,
                rows.get(id),
                ledger.get(id).unwrap_or(&none),
            )
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        story.parts.len(),
        differences.join("\n")
    );
    let strangers: Vec<_> = rows
        .keys()
        .chain(ledger.keys())
        .filter(|id| !story.parts.contains_key(id))
        .collect();
    assert!(strangers.is_empty(), "nobody told of {strangers:?}");

    let contested: Vec<_> = story
        .parts
        .iter()
        .filter_map(|(id, part)| match part.expectation {
            Expectation::PostedOrClaimed { with, .. } => Some((*id, with)),
            _ => None,
        })
        .collect();
    assert!(
        !contested.is_empty(),
        "the month has an expense that travels in two reports"
    );
    for (one, other) in contested {
        assert!(
            ledger.contains_key(&one) != ledger.contains_key(&other),
            "exactly one of {one} and {other} posts"
        );
    }

    let posted: BTreeSet<ReportId> = ledger.keys().copied().collect();
    assert_eq!(
        scene.marked(),
        posted,
        "what is posted is marked, and nothing else is"
    );
    scene.nothing_is_wrong("at the end of the month");
    let tied = scene.tie_out().await;
    assert!(tied.ties(), "{:#?}", tied.differences);
    let currencies: BTreeSet<&str> = tied.rows.iter().map(|row| row.group.currency.as_str()).collect();
    assert!(
        currencies.is_superset(&["EUR", "JPY", "USD"].into()),
        "{currencies:?}"
    );
    let counted: u64 = tied.rows.iter().map(|row| row.of(Bucket::Posted).count).sum();
    assert_eq!(
        counted,
        posted.len() as u64,
        "the tie-out counts what the ledger has"
    );
}
