//! The same events appended again, after an answer that was lost.

use std::sync::Arc;

use futures::future::join_all;
use tieout_domain::ports::{Expected, Log, LogError, Revision};

use super::{LogPlace, add, conflict, contents, event, events, everything, stream, whole_stream};

/// The same events with the same expectation change nothing and get the same answer.
pub async fn a_retry_is_answered_as_the_first_time(place: impl LogPlace) {
    let log = place.open().await;
    let batch = events(3);
    let first = add(&log, "report-1", Expected::NoStream, &batch).await;
    add(&log, "report-2", Expected::NoStream, &events(2)).await;
    for _ in 0..3 {
        assert_eq!(add(&log, "report-1", Expected::NoStream, &batch).await, first);
    }
    assert_eq!(contents(&whole_stream(&log, "report-1").await), batch);
    assert_eq!(everything(&log, 10).await.len(), 5);
}

/// So do retries with `At` and `Any`, and 16 at once.
pub async fn a_retry_is_recognised_whatever_was_expected(place: impl LogPlace) {
    let log = Arc::new(place.open().await);
    add(&*log, "report-1", Expected::NoStream, &events(2)).await;
    let at = events(2);
    let first = add(&*log, "report-1", Expected::At(Revision(1)), &at).await;
    assert_eq!(
        add(&*log, "report-1", Expected::At(Revision(1)), &at).await,
        first
    );
    let any = events(2);
    let first = add(&*log, "report-1", Expected::Any, &any).await;
    assert_eq!(add(&*log, "report-1", Expected::Any, &any).await, first);
    let at_once = events(1);
    let answers =
        join_all((0..16).map(|_| add(&*log, "report-1", Expected::At(Revision(5)), &at_once))).await;
    assert!(
        answers.iter().all(|answer| answer.revision == Revision(6)),
        "{answers:?}"
    );
    assert_eq!(whole_stream(&*log, "report-1").await.len(), 7);
}

/// Events that stand elsewhere than where the expectation would put them are no retry.
pub async fn a_retry_of_a_part_is_a_conflict(place: impl LogPlace) {
    let log = place.open().await;
    let batch = events(3);
    add(&log, "report-1", Expected::NoStream, &batch).await;
    conflict(
        log.append(&stream("report-1"), Expected::NoStream, batch[1..].to_vec())
            .await,
    );
    conflict(
        log.append(
            &stream("report-1"),
            Expected::At(Revision(1)),
            batch[..1].to_vec(),
        )
        .await,
    );
    let longer = [batch.clone(), events(1)].concat();
    conflict(log.append(&stream("report-1"), Expected::NoStream, longer).await);
    assert_eq!(contents(&whole_stream(&log, "report-1").await), batch);
}

/// An id twice in one append is a mistake of the writer and not a conflict.
pub async fn an_id_is_used_once_in_an_append(place: impl LogPlace) {
    let log = place.open().await;
    let twin = event("twin");
    let twice = log
        .append(&stream("report-2"), Expected::NoStream, vec![twin.clone(), twin])
        .await;
    assert!(matches!(twice, Err(LogError::Refused { .. })), "{twice:?}");
    assert_eq!(everything(&log, 10).await, []);
}

/// For the engines that keep an index of ids: one that stands in another stream is a mistake of the writer too.
/// EventStoreDB takes it; the program never gives an id twice.
pub async fn an_id_is_never_used_twice(place: impl LogPlace) {
    let log = place.open().await;
    let once = events(1);
    add(&log, "report-1", Expected::NoStream, &once).await;
    let elsewhere = log
        .append(&stream("report-2"), Expected::NoStream, once.clone())
        .await;
    assert!(
        matches!(elsewhere, Err(LogError::Refused { .. })),
        "{elsewhere:?}"
    );
    assert_eq!(contents(&everything(&log, 10).await), once);
}
