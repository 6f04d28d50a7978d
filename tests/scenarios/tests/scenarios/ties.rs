//! The tie-out can fail: what is lost on the way into the log, in the template or in the ledger breaks it, and is named.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

use std::collections::BTreeSet;

use tieout_domain::ids::{Reference, ReportId};
use tieout_projections::tie_out::{TieOut, What};
use tieout_sandbox::expensify::world::Report;
use tieout_sandbox::month::{Size, credentials};
use tieout_scenarios::{Scene, binary};

const WORLD: Size = Size::Many { reports: 4, lines: 3 };

fn named(tied: &TieOut) -> Vec<&What> {
    tied.differences
        .iter()
        .map(|difference| &difference.what)
        .collect()
}

/// The reports of the scene's world, by their ids.
fn reports(scene: &Scene) -> Vec<Report> {
    scene
        .stand_ins
        .expensify
        .world()
        .read(|world| world.reports.values().cloned().collect())
}

/// A download without one report, its trailer counting the rest: a client that drops a report and notices nothing.
fn without(report: &str, text: &str) -> String {
    let needle = format!("\"reportID\":\"{report}\"");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains(&needle)).collect();
    let dropped = text.lines().count() - kept.len();
    let recounted = kept
        .into_iter()
        .map(|line| match line.strip_prefix("{\"trailer\":{\"reports\":") {
            Some(rest) if dropped > 0 => {
                let count: usize = rest.trim_end_matches('}').parse().expect("a number of reports");
                format!("{{\"trailer\":{{\"reports\":{}}}}}\n", count - dropped)
            }
            _ => format!("{line}\n"),
        });
    recounted.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_dropped_on_the_way_into_the_log_breaks_it() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let proxy = scene.through_a_proxy().await;
    let lost = reports(&scene)[1].id;
    let name = lost.to_string();
    proxy.rewrite_answers(move |text| {
        if text.contains("\"trailer\"") {
            without(&name, text)
        } else {
            text.to_owned()
        }
    });

    let last = scene.settle(6).await;
    assert_eq!(
        last["stages"]["marked_exported"], 3,
        "the others post as if nothing were: {last:#}"
    );
    let tied = scene.tie_out().await;
    let [
        What::MissingInLog {
            report_id, lines: 3, ..
        },
    ] = named(&tied)[..]
    else {
        panic!("{:#?}", tied.differences)
    };
    assert_eq!(report_id.decimal(), lost.0);
    assert!(
        tied.rows.iter().any(|row| !row.balances()),
        "the sums show it as well"
    );

    proxy.be_transparent();
    scene.settle(6).await;
    scene.must_tie_out("once the client drops nothing").await;
}

/// The template without the first expense of every report, counting and adding up only what it prints.
fn careless(form: &str) -> String {
    let mut url = reqwest::Url::parse("http://form/").expect("a URL");
    url.set_query(Some(form));
    let fields: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut changed = url.clone();
    changed
        .query_pairs_mut()
        .clear()
        .extend_pairs(fields.iter().map(|(name, value)| {
            let mut value = value.clone();
            if name == "template" {
                for (from, to) in [
                    (
                        "<#list items((r.transactionList)!\"\") as e>",
                        "<#list r.transactionList[1..] as e>",
                    ),
                    (
                        "${count((r.transactionList)!\"\")}",
                        "${(r.transactionList?size - 1)?c}",
                    ),
                    (
                        "${text((r.total)!\"\")}",
                        "${((\"\" + r.total?c)?number - (\"\" + r.transactionList[0].amount?c)?number)?c}",
                    ),
                ] {
                    assert!(
                        value.contains(from),
                        "the template has no `{from}` any more: this test must be told its new form"
                    );
                    value = value.replace(from, to);
                }
            }
            (name.as_str(), value)
        }));
    changed.query().expect("a form").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_line_lost_in_the_template_breaks_it() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    let proxy = scene.through_a_proxy().await;
    proxy.rewrite_requests(|form| {
        if form.contains("template=") {
            careless(form)
        } else {
            form.to_owned()
        }
    });

    let last = scene.settle(6).await;
    assert_eq!(
        last["stages"]["marked_exported"], 4,
        "what agrees with itself posts: {last:#}"
    );
    let tied = scene.tie_out().await;
    let found: BTreeSet<(ReportId, &str)> = named(&tied)
        .into_iter()
        .map(|what| match what {
            What::ReportDiffers { report_id, field, .. } => (*report_id, *field),
            other => panic!("{other}"),
        })
        .collect();
    let wanted = reports(&scene).into_iter().flat_map(|report| {
        let id = ReportId::from_decimal(report.id.0).expect("an id");
        [(id, "lines"), (id, "amount")]
    });
    assert_eq!(
        found,
        wanted.collect(),
        "each report, by its lines and by its amount"
    );
    assert!(
        tied.rows.iter().any(|row| !row.balances()),
        "the sums show it as well"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_gone_from_the_ledger_breaks_it() {
    binary();
    let scene = Scene::with(WORLD, |_| {}).await;
    scene.settle(6).await;
    scene.must_tie_out("before").await;
    let gone = scene.ledger().swap_remove(2);
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspaces
            .get_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace.ledger.remove(&gone.key()).expect("it was there");
    });
    let lost: Reference = gone.reference.parse().expect("a reference of ours");
    let check = |tied: &TieOut| {
        let [
            What::DocumentMissing {
                reference, report_id, ..
            },
        ] = named(tied)[..]
        else {
            panic!("{:#?}", tied.differences)
        };
        assert_eq!((*reference, *report_id), (lost, lost.report));
        assert!(
            tied.rows.iter().any(|row| !row.balances()),
            "the sums show it as well"
        );
    };
    check(&scene.tie_out().await);
    scene.settle(3).await;
    check(&scene.tie_out().await);
    assert_eq!(
        scene.ledger().len(),
        3,
        "what was posted once is not sent again by itself"
    );
}
