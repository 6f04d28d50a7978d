//! The doctor's checks and the hash that a certification vouches for.

use tieout_domain::ports::{Ledger, LedgerError};
use tieout_qad::Check;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::world::{DocumentKind, MetadataDrift};
use tieout_sandbox::qad::{FaultKind, QadShape};

use crate::documents::Still;
use crate::stand_in::{StandIn, WORKSPACE, profile_of, set};

async fn bad(stand_in: &StandIn) -> Vec<Check> {
    let bad: Vec<Check> = stand_in
        .client
        .check()
        .await
        .into_iter()
        .filter(|check| !check.ok)
        .collect();
    assert!(
        bad.iter()
            .all(|check| !check.fix.is_empty() && !check.detail.is_empty()),
        "{bad:#?}"
    );
    bad
}

fn names(checks: &[Check]) -> Vec<&str> {
    checks.iter().map(|check| check.name.as_str()).collect()
}

#[tokio::test]
async fn a_sound_installation_passes_every_check_without_a_write() {
    let stand_in = StandIn::start().await;
    let checks = stand_in.client.check().await;
    assert!(
        checks.iter().all(|check| check.ok && check.fix.is_empty()),
        "{checks:#?}"
    );
    assert!(checks.len() > 20);
    let calls = stand_in.handle.calls().counts();
    assert!(
        calls.keys().all(|operation| !operation.starts_with("post:")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn drift_is_seen_by_the_checks_and_by_the_hash() {
    let stand_in = StandIn::start().await;
    let sound = stand_in.client.contract_hash().await.unwrap();
    assert_eq!(sound, stand_in.client.contract_hash().await.unwrap());
    for (drift, check) in [
        (
            MetadataDrift::Missing("reference".into()),
            "documents.supplier_invoice fields",
        ),
        (
            MetadataDrift::NewlyRequired {
                kind: DocumentKind::JournalEntry,
                path: "approver".into(),
            },
            "documents.journal required fields",
        ),
        (
            MetadataDrift::Shortened {
                path: "originReference".into(),
                length: 12,
            },
            "documents.journal lengths",
        ),
    ] {
        stand_in
            .handle
            .edit(|world| world.metadata_drift = vec![drift.clone()]);
        assert_ne!(stand_in.client.contract_hash().await.unwrap(), sound, "{drift:?}");
        assert_eq!(names(&bad(&stand_in).await), [check]);
    }
    stand_in.handle.edit(|world| world.metadata_drift.clear());
    assert_eq!(stand_in.client.contract_hash().await.unwrap(), sound);
}

#[tokio::test]
async fn another_profile_is_another_contract() {
    let one = StandIn::start().await.client.contract_hash().await.unwrap();
    let changed = StandIn::with(QadShape::default(), |profile| {
        set(profile, "waits.quarantine", "20m")
    })
    .await;
    assert_ne!(changed.client.contract_hash().await.unwrap(), one);
}

#[tokio::test]
async fn each_kind_of_trouble_has_its_fix() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        set(profile, "masters.projects.canary", "P999");
        set(profile, "documents.journal.look_up.canary", "NONE");
        set(profile, "documents.journal.path", "/api/erp/journals");
    })
    .await;
    stand_in.handle.edit(|world| {
        let workspace = world.workspace_mut(WORKSPACE).unwrap();
        for period in &mut workspace.periods {
            period.gl_allowed = false;
        }
    });
    assert_eq!(
        names(&bad(&stand_in).await),
        [
            "masters.projects",
            "period of today",
            "documents.journal look-up",
            "documents.journal path"
        ]
    );
}

#[tokio::test]
async fn metadata_that_may_not_be_read_is_said_so() {
    let stand_in = StandIn::start().await;
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("metadata", FaultKind::Forbidden).times(2));
    assert_eq!(
        names(&bad(&stand_in).await),
        [
            "documents.supplier_invoice metadata",
            "documents.journal metadata"
        ]
    );
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("metadata", FaultKind::Forbidden));
    assert!(matches!(
        stand_in.client.contract_hash().await,
        Err(LedgerError::Denied { .. })
    ));
}

#[tokio::test]
async fn a_wrong_password_stops_the_checks_after_one_attempt() {
    let stand_in = StandIn::start().await;
    let url = stand_in.server.url();
    let profile = toml::to_string(&profile_of(&QadShape::default())).unwrap();
    let client = crate::canned::client(&url, &profile, "wrong", Still::default());
    let checks = client.check().await;
    assert_eq!(
        checks.last().map(|check| (check.name.as_str(), check.ok)),
        Some(("token", false))
    );
    client.check().await;
    assert_eq!(stand_in.handle.calls().count("token"), 1);
}

#[tokio::test]
async fn an_unknown_workspace_is_named() {
    let stand_in = StandIn::start().await;
    stand_in.handle.edit(|world| {
        let workspace = world.workspaces.remove(WORKSPACE).unwrap();
        world.workspaces.insert("OTHER_OTHER".into(), workspace);
    });
    let bad = bad(&stand_in).await;
    assert_eq!(names(&bad), ["workspace"]);
    assert!(bad[0].detail.contains("correct `workspace`"), "{:?}", bad[0]);
}
