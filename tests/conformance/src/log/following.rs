//! Following the log as it grows.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use tieout_domain::ports::{Expected, Log, Recorded};

use super::{LogPlace, add, events, everything, soon, stream};

/// A reader that follows the log while 16 writers write sees each event once, in the order everybody else sees.
pub async fn catch_up_never_skips(place: impl LogPlace) {
    const WRITERS: usize = 16;
    const EACH: usize = 25;
    let log = Arc::new(place.open().await);
    let follower = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let mut seen: Vec<Recorded> = Vec::new();
            while seen.len() < WRITERS * EACH * 2 {
                let after = seen.last().map(|r| r.position);
                log.wait_beyond(after).await.unwrap();
                let page = log.read_all(after, 50).await.unwrap();
                assert!(!page.is_empty(), "the wait ended, so there is an event");
                seen.extend(page);
            }
            seen
        }
    });
    let writers = (0..WRITERS).map(|writer| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for _ in 0..EACH {
                log.append(&stream(&format!("report-{writer}")), Expected::Any, events(2))
                    .await
                    .unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let seen = soon("the follower", follower).await.unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(seen, everything(&*log, 1_000).await);
    let ids: BTreeSet<_> = seen.iter().map(|r| r.event.id).collect();
    assert_eq!(ids.len(), seen.len());
}

/// Whoever waits wakes when somebody appends, from an empty log and from a full one, many at a time.
pub async fn waiting_ends_with_an_append(place: impl LogPlace) {
    let log = Arc::new(place.open().await);
    for _ in 0..3 {
        let head = log.head().await.unwrap();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.wait_beyond(head).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(
            waiting.iter().all(|waiter| !waiter.is_finished()),
            "nothing was appended yet"
        );
        add(&*log, "report-1", Expected::Any, &events(1)).await;
        for waiter in waiting {
            soon("a waiter", waiter).await.unwrap().unwrap();
        }
    }
}

/// Nobody waits for what is there.
pub async fn waiting_for_what_is_there_ends_at_once(place: impl LogPlace) {
    let log = place.open().await;
    add(&log, "report-1", Expected::NoStream, &events(1)).await;
    let first = log.head().await.unwrap();
    add(&log, "report-1", Expected::Any, &events(1)).await;
    soon("waiting from the start", log.wait_beyond(None))
        .await
        .unwrap();
    soon("waiting from the first", log.wait_beyond(first))
        .await
        .unwrap();
}
