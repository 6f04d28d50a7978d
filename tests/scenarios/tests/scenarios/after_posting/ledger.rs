//! What changes in QAD is a case with both values; a read that fails says nothing.

use serde_json::Value;
use tieout_sandbox::expensify::FaultKind as SourceFault;
use tieout_sandbox::expensify::world::ReportId;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::credentials;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::text;

use super::office::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_reversed_changed_or_taken_out_in_qad_is_a_case_with_both_values() {
    let scene = posted(3).await;
    let ids: Vec<ReportId> = reports(&scene).iter().map(|report| report.id).collect();
    let document = |at: usize| documents(&scene, ids[at]).remove(0);
    let (reversed, changed, removed) = (document(0), document(1), document(2));
    reverse_in_qad(&scene, &reversed);
    let before = changed
        .lines
        .iter()
        .find(|line| !line.cost_centre.is_empty())
        .expect("a line")
        .clone();
    change_in_qad(&scene, &changed, |document| {
        for line in &mut document.lines {
            if line.sequence == before.sequence {
                line.cost_centre = "9999".into();
            }
        }
    });
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspace_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        assert!(workspace.ledger.remove(&removed.key()).is_some());
    });

    assert_eq!(told(&recheck(&scene).await), (3, 0));
    let shown = |at: usize| {
        let id = ids[at].to_string();
        let scene = &scene;
        async move { json(scene, &["show", &id]).await }
    };
    let both = |was: &str, is: &str| (was.to_owned(), is.to_owned());
    assert_eq!(
        values(&shown(0).await, "document_drifted", "state"),
        both("posted", "reversed")
    );
    assert_eq!(
        values(&shown(2).await, "document_drifted", "state"),
        both("posted", "nothing")
    );
    let of_line = shown(1).await;
    let case = &of_line["cases"][0]["values"][0];
    assert!(
        case["field"].as_str().expect("a text").ends_with("cost centre"),
        "{case}"
    );
    assert_eq!(
        (&case["posted"], &case["shows"]),
        (&before.cost_centre.as_str().into(), &"9999".into())
    );
    let said = words(&scene, &["show", &ids[1].to_string()]).await;
    assert!(
        said.contains("9999") && said.contains(&before.cost_centre),
        "{said}"
    );
    assert_eq!(told(&recheck(&scene).await), (0, 0), "each is said once");

    // A changed drift takes the place of the older one; set back, it closes.
    change_in_qad(&scene, &changed, |document| {
        for line in &mut document.lines {
            if line.sequence == before.sequence {
                line.cost_centre = "8888".into();
            }
        }
    });
    assert_eq!(told(&recheck(&scene).await), (1, 0));
    assert_eq!(cases(&scene, &ids[1].to_string()).await, ["document_drifted"]);
    change_in_qad(&scene, &changed, |document| {
        document.lines.clone_from(&changed.lines)
    });
    assert_eq!(told(&recheck(&scene).await), (0, 1));
    assert!(cases(&scene, &ids[1].to_string()).await.is_empty());

    // The reversal is recorded: the case about the document goes with it.
    self::reversed(&scene, ids[0], "--leave-out").await;
    assert!(cases(&scene, &ids[0].to_string()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_that_fails_raises_nothing_and_is_tried_again_and_a_listing_that_shrank_is_not_believed() {
    const BROWSE: &str = "browse:urn:browse:bebrowse:com.qad.erp.financials.supplierInvoices";
    let scene = posted(3).await;
    let ids: Vec<String> = reports(&scene)
        .iter()
        .map(|report| report.id.to_string())
        .collect();
    let nothing = |cycle: &Value, when: &str| {
        assert_eq!(cycle["rechecked"]["complete"], false, "{when}: {cycle:#}");
        assert_eq!(cycle["rechecked"]["held"]["raised"], 0, "{when}: {cycle:#}");
    };
    // The first listing of a cycle is the poll's, the second the recheck's.
    let source = scene.stand_ins.expensify.faults();
    source.add(FaultRule::next("download", SourceFault::TruncatedFile { bytes: None }).after(1));
    nothing(&recheck(&scene).await, "a download that ended early");
    source.add(FaultRule::next("export", SourceFault::ServerError).after(1));
    nothing(&recheck(&scene).await, "an export that failed");
    let qad = scene.stand_ins.qad.handle().faults();
    // The first two of a cycle are the listing before it posts, and its canary.
    qad.add(FaultRule::next(BROWSE, FaultKind::EmptyBrowse).after(2).times(2));
    nothing(&recheck(&scene).await, "a browse that is silent, its canary too");
    qad.add(FaultRule::next(BROWSE, FaultKind::BrowseFails).after(2));
    nothing(&recheck(&scene).await, "a browse that fails");
    // A listing that leaves some out, while a look-up of the report shows them.
    qad.add(FaultRule::next(BROWSE, FaultKind::RowsMissing { rows: 2 }).after(2));
    assert_eq!(
        told(&recheck(&scene).await),
        (0, 0),
        "looked up one by one, they are there"
    );
    // One that cannot be read back is named, and nothing is said of it.
    qad.add(FaultRule::next(
        "get:supplier_invoice",
        FaultKind::ErrorBefore { status: 500 },
    ));
    let cycle = recheck(&scene).await;
    assert_eq!(told(&cycle), (0, 0));
    assert_eq!(
        cycle["rechecked"]["held"]["unread"].as_array().map(Vec::len),
        Some(1),
        "{cycle:#}"
    );
    for id in &ids {
        assert!(cases(&scene, id).await.is_empty());
    }
    assert!(
        qad.pending().is_empty() && source.pending().is_empty(),
        "every fault has struck"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_document_under_our_reference_is_a_case_and_nothing_is_posted_beside_it() {
    let scene = posted(1).await;
    let report = reports(&scene).remove(0);
    let first = documents(&scene, report.id).remove(0);
    scene.stand_ins.qad.handle().edit(|world| {
        let workspace = world
            .workspace_mut(credentials::QAD_WORKSPACE)
            .expect("the workspace");
        workspace.ledger.store(first.clone());
    });
    assert_eq!(told(&recheck(&scene).await), (1, 0));
    let shown = json(&scene, &["show", &report.id.to_string()]).await;
    let (was, is) = values(&shown, "document_drifted", "voucher");
    assert!(is.starts_with(&was) && is.contains(" and "), "{was}: {is}");

    // The first is reversed, the second stands: to post again would pay twice.
    reverse_in_qad(&scene, &first);
    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("would post twice"), "{}", text(&refused));
    reversed(&scene, report.id, "--leave-out").await;
    scene.settle(3).await;
    assert_eq!(documents(&scene, report.id).len(), 2, "nothing more was posted");
}
