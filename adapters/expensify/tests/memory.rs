//! A download streams: the memory it takes does not grow with it. Alone in its binary, because what is measured is the process.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here should fail where it stands"
)]

mod common;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use common::{Book, Hand, client, settings, since};
use futures::{StreamExt, stream};
use tieout_domain::ports::{Listed, Source};
use tieout_sandbox::server::Listener;

const REPORTS: u64 = 8_000;

fn line(id: u64) -> String {
    let comment = "a comment of some length ".repeat(40);
    let lines: Vec<String> = (0..8)
        .map(|n| format!("{{\"transactionID\":\"{id}{n}\",\"amount\":\"100\",\"comment\":\"{comment}\"}}"))
        .collect();
    format!(
        "{{\"reportID\":\"{id}\",\"policyID\":\"P\",\"n\":\"8\",\"lines\":[{}]}}\n",
        lines.join(",")
    )
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    resident.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn memory_stays_flat_however_large_the_download() {
    let router = Router::new().fallback(|body: Bytes| async move {
        if body.starts_with(b"requestJobDescription=%7B%22type%22%3A%22download") {
            let lines = (1..=REPORTS)
                .map(line)
                .chain([format!("{{\"trailer\":{{\"reports\":{REPORTS}}}}}\n")]);
            Body::from_stream(stream::iter(
                lines.map(|line| Ok::<_, std::io::Error>(Bytes::from(line))),
            ))
            .into_response()
        } else {
            "tieout1.txt".into_response()
        }
    });
    let listener = Listener::start(0, router).await.unwrap();
    let clock = Hand::at("2026-11-23T08:00:00Z");
    let client = client(
        &format!("http://{}/", listener.address()),
        settings(),
        &clock,
        &Arc::new(Book::default()),
    );

    let mut lines = client.list(&since("2026-11-02")).await.unwrap();
    let (mut count, mut early, mut peak) = (0, 0, 0);
    while let Some(listed) = lines.next().await {
        assert!(matches!(listed, Ok(Listed::Report(_))), "{listed:?}");
        count += 1;
        if count % 50 == 0 {
            peak = resident_kilobytes().max(peak);
        }
        if count == REPORTS / 20 {
            early = peak;
        }
    }
    assert_eq!(count, REPORTS);
    let (grown, size) = (peak.saturating_sub(early), REPORTS * line(1).len() as u64 / 1024);
    assert!(
        grown < 8 * 1024,
        "the peak grew by {grown} kB over a download of {size} kB"
    );
}
