//! Order, and what is expected of a stream.

use std::sync::Arc;

use futures::future::join_all;
use tieout_domain::ports::{Expected, Log, LogError, MOST_APPEND_BYTES, Revision};

use super::{LogPlace, add, conflict, contents, event, events, everything, stream, whole_stream};

/// An empty log is readable, and empty.
pub async fn an_empty_log_has_nothing(place: impl LogPlace) {
    let log = place.open().await;
    assert_eq!(log.head().await.unwrap(), None);
    assert_eq!(log.read_all(None, 10).await.unwrap(), []);
    assert_eq!(
        log.read_stream(&stream("report-1"), Revision(0), 10)
            .await
            .unwrap(),
        []
    );
}

/// What is read is what was appended: ids, kinds, bytes, order, revisions.
pub async fn events_come_back_in_order_as_they_were_appended(place: impl LogPlace) {
    let log = place.open().await;
    let (first, second) = (events(3), events(2));
    add(&log, "report-1", Expected::NoStream, &first).await;
    let appended = add(&log, "report-1", Expected::At(Revision(2)), &second).await;
    assert_eq!(appended.revision, Revision(4));
    let read = whole_stream(&log, "report-1").await;
    assert_eq!(contents(&read), [first, second].concat());
    assert_eq!(
        read.iter().map(|r| r.revision.0).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
    assert!(read.iter().all(|r| r.stream == stream("report-1")));
    assert_eq!(log.head().await.unwrap(), Some(read.last().unwrap().position));
}

/// A refused append leaves nothing behind, neither in the stream nor in the whole.
pub async fn an_append_is_all_or_none(place: impl LogPlace) {
    let log = place.open().await;
    let first = events(1);
    add(&log, "report-1", Expected::NoStream, &first).await;
    let twin = event("new");
    let mixed = vec![twin.clone(), event("newer"), twin];
    assert!(
        log.append(&stream("report-2"), Expected::NoStream, mixed)
            .await
            .is_err()
    );
    assert_eq!(whole_stream(&log, "report-2").await, []);
    assert_eq!(contents(&everything(&log, 10).await), first);
    add(&log, "report-2", Expected::NoStream, &events(1)).await;
}

/// There is no revision to answer.
pub async fn an_append_of_nothing_is_refused(place: impl LogPlace) {
    let log = place.open().await;
    let answer = log.append(&stream("report-1"), Expected::Any, Vec::new()).await;
    assert!(matches!(answer, Err(LogError::Refused { .. })), "{answer:?}");
}

/// One append takes [`MOST_APPEND_BYTES`] and not a byte more; what is refused leaves nothing.
pub async fn an_append_that_is_too_large_is_refused(place: impl LogPlace) {
    let log = place.open().await;
    let sized = |bytes: usize| {
        let mut all: Vec<_> = (0..3).map(|_| event("")).collect();
        let so_far: usize = all.iter().map(|event| event.weight()).sum();
        all[1].data = vec![b'7'; bytes - so_far];
        all
    };
    let most = sized(MOST_APPEND_BYTES);
    add(&log, "report-1", Expected::NoStream, &most).await;
    let answer = log
        .append(
            &stream("report-2"),
            Expected::NoStream,
            sized(MOST_APPEND_BYTES + 1),
        )
        .await;
    assert!(matches!(answer, Err(LogError::Refused { .. })), "{answer:?}");
    assert_eq!(whole_stream(&log, "report-2").await, []);
    assert!(contents(&everything(&log, 10).await) == most);
}

/// Thousands of small events go into one append.
pub async fn a_large_batch_is_one_append(place: impl LogPlace) {
    let log = place.open().await;
    let batch = events(5_000);
    let appended = add(&log, "report-1", Expected::NoStream, &batch).await;
    assert_eq!(appended.revision, Revision(4_999));
    assert!(contents(&everything(&log, 900).await) == batch);
}

/// `NoStream` is refused once there is an event.
pub async fn no_stream_is_only_for_the_first(place: impl LogPlace) {
    let log = place.open().await;
    assert_eq!(
        add(&log, "report-1", Expected::NoStream, &events(1))
            .await
            .revision,
        Revision(0)
    );
    conflict(
        log.append(&stream("report-1"), Expected::NoStream, events(1))
            .await,
    );
    assert_eq!(whole_stream(&log, "report-1").await.len(), 1);
}

/// `At` is refused for a revision before the head, after it, and for a stream that is not there.
pub async fn at_is_only_for_the_head(place: impl LogPlace) {
    let log = place.open().await;
    conflict(
        log.append(&stream("report-1"), Expected::At(Revision(0)), events(1))
            .await,
    );
    add(&log, "report-1", Expected::NoStream, &events(3)).await;
    for wrong in [0, 1, 3, 4, u64::MAX] {
        conflict(
            log.append(&stream("report-1"), Expected::At(Revision(wrong)), events(1))
                .await,
        );
    }
    assert_eq!(
        add(&log, "report-1", Expected::At(Revision(2)), &events(2))
            .await
            .revision,
        Revision(4)
    );
}

/// `Any` begins a stream and goes on with it.
pub async fn any_appends_at_the_end(place: impl LogPlace) {
    let log = place.open().await;
    assert_eq!(
        add(&log, "poll-1", Expected::Any, &events(2)).await.revision,
        Revision(1)
    );
    assert_eq!(
        add(&log, "poll-1", Expected::Any, &events(2)).await.revision,
        Revision(3)
    );
}

/// A conflict carries the stream, what was expected, and the revision that was found.
pub async fn a_conflict_says_where_the_stream_is(place: impl LogPlace) {
    let log = place.open().await;
    add(&log, "report-1", Expected::NoStream, &events(3)).await;
    let answer = log
        .append(&stream("report-1"), Expected::At(Revision(0)), events(1))
        .await;
    let Err(LogError::Conflict {
        stream: named,
        expected,
        actual,
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (named, expected, actual),
        (stream("report-1"), Expected::At(Revision(0)), Some(Revision(2)))
    );
    assert_eq!(
        conflict(
            log.append(&stream("report-1"), Expected::NoStream, events(1))
                .await
        ),
        Some(Revision(2))
    );
    assert_eq!(
        conflict(
            log.append(&stream("report-2"), Expected::At(Revision(7)), events(1))
                .await
        ),
        None
    );
}

/// Of 64 writers with one expectation exactly one gets through, and each of the others learns that it did not.
pub async fn of_64_writers_one_wins(place: impl LogPlace) {
    let log = Arc::new(place.open().await);
    for round in 0..4_u64 {
        let expected = round
            .checked_sub(1)
            .map_or(Expected::NoStream, |before| Expected::At(Revision(before)));
        let writers = (0..64).map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                log.append(&stream("report-1"), expected, vec![event(format!("{writer}"))])
                    .await
            })
        });
        let answers: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(
            answers.iter().filter(|a| a.is_ok()).count(),
            1,
            "one wins in round {round}"
        );
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_eq!(conflict(answer), Some(Revision(round)));
        }
    }
    assert_eq!(whole_stream(&*log, "report-1").await.len(), 4);
}

/// Conflicts of some do not fail the others that are on the way at the same time.
pub async fn writers_of_different_streams_do_not_disturb_each_other(place: impl LogPlace) {
    let log = Arc::new(place.open().await);
    let writers = (0..64_usize).map(|writer| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            let own = stream(&format!("report-{writer}"));
            let mut revision = log
                .append(&own, Expected::NoStream, events(1))
                .await
                .unwrap()
                .revision;
            for _ in 0..5 {
                conflict(log.append(&own, Expected::NoStream, events(1)).await);
                revision = log
                    .append(&own, Expected::At(revision), events(2))
                    .await
                    .unwrap()
                    .revision;
            }
            assert_eq!(revision, Revision(10));
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(everything(&*log, 100).await.len(), 64 * 11);
}
