//! The program on a cluster that asks who it is: user and password come from the vault, and stand in nothing that it says,
//! even where it says everything.
#![allow(
    clippy::expect_used,
    reason = "helpers of tests: a surprise must end the test"
)]

use base64::Engine as _;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, binary, text};

const USER: &str = "tieout-of-larkfield";
const PASSWORD: &str = "a password: 50% off + 1/3 #@?&";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_clusters_password_is_in_the_vault_and_nowhere_else() {
    binary();
    let world = Size::Many { reports: 2, lines: 2 };
    let mut scene = Scene::uncertified(world, |_| {}).await;
    if !scene.is_on_a_cluster() {
        scene.move_to_a_cluster().await;
    }
    scene.certify().await;
    scene.cluster().expect("a cluster").require_user(USER, PASSWORD);

    let refused = scene.tieout(&["sync", "--log", "trace"]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(
        text(&refused).contains("tieout credentials store"),
        "{}",
        text(&refused)
    );

    let wrong = [("TIEOUT_SECRET", "not the password")];
    let stored = scene.run(&["credentials", "store", "--user", USER], &wrong).await;
    assert_eq!(stored.status.code(), Some(0), "{}", text(&stored));
    let refused = scene.tieout(&["doctor", "--log", "trace"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(!text(&refused).contains("not the password"));

    let right = [("TIEOUT_SECRET", PASSWORD)];
    let mut said = Vec::new();
    for args in [
        &["credentials", "store", "--log", "trace"][..],
        &["credentials"],
        &["sync", "--log", "trace"],
        &["log", "verify", "--log", "trace"],
        &["reports", "--json", "--log", "trace"],
        &["doctor", "--json", "--log", "trace"],
    ] {
        let output = scene.run(args, &right).await;
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{args:?}: {}",
            text(&output)
        );
        said.push(text(&output));
    }
    assert_eq!(scene.ledger().len(), 2, "it posted");
    let said = said.join("\n");
    assert!(
        said.contains("(the log)"),
        "the list of what the vault holds names the log's"
    );
    let header = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for secret in [PASSWORD, &header, "50%25%20off"] {
        assert!(!said.contains(secret), "`{secret}` was said");
    }
    let stored = scene.cluster().expect("a cluster").events("");
    assert!(stored.len() > 10, "the log is on the cluster");
    let held = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(PASSWORD);
    assert!(
        !stored
            .iter()
            .any(|event| held(&event.data) || held(&event.metadata))
    );
}
