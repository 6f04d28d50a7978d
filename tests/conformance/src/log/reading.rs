//! Pages.

use tieout_domain::ports::{Expected, Log, NewEvent, Revision};

use super::{LogPlace, add, conflict, contents, event, events, everything, stream};

/// Pages of any size, joined, are the stream; beyond its end there is nothing.
pub async fn pages_of_a_stream_join_without_gap(place: impl LogPlace) {
    let log = place.open().await;
    let written = events(23);
    for (at, part) in written.chunks(5).enumerate() {
        let expected = if at == 0 {
            Expected::NoStream
        } else {
            Expected::At(Revision(at as u64 * 5 - 1))
        };
        add(&log, "report-1", expected, part).await;
        add(&log, "report-2", Expected::Any, &events(2)).await;
    }
    for size in [1, 2, 5, 22, 23, 24, usize::MAX] {
        let mut read = Vec::new();
        loop {
            let page = log
                .read_stream(&stream("report-1"), Revision(read.len() as u64), size)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        assert_eq!(contents(&read), written, "in pages of {size}");
    }
    assert_eq!(
        log.read_stream(&stream("report-1"), Revision(0), 0)
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        log.read_stream(&stream("report-1"), Revision(23), 10)
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        log.read_stream(&stream("report-1"), Revision(u64::MAX), 10)
            .await
            .unwrap(),
        []
    );
}

/// The same for all streams, in the order of the appends.
pub async fn pages_of_everything_join_without_gap(place: impl LogPlace) {
    let log = place.open().await;
    let mut written = Vec::new();
    for n in 0..23 {
        let next = events(1 + n % 3);
        add(&log, &format!("report-{}", n % 4), Expected::Any, &next).await;
        written.extend(next);
    }
    for size in [1, 2, 7, written.len(), 1_000] {
        assert_eq!(
            contents(&everything(&log, size).await),
            written,
            "in pages of {size}"
        );
    }
    assert_eq!(log.read_all(None, 0).await.unwrap(), []);
}

/// Leaves count from 0 without gap, whatever was refused in between; positions increase with them.
pub async fn leaves_are_dense_and_positions_increase(place: impl LogPlace) {
    let log = place.open().await;
    for n in 0..20 {
        add(&log, &format!("report-{n}"), Expected::NoStream, &events(2)).await;
        conflict(
            log.append(&stream(&format!("report-{n}")), Expected::NoStream, events(3))
                .await,
        );
    }
    let read = everything(&log, 9).await;
    assert_eq!(
        read.iter().map(|r| r.leaf.0).collect::<Vec<_>>(),
        (0..40).collect::<Vec<_>>()
    );
    assert!(read.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(log.head().await.unwrap(), read.last().map(|r| r.position));
}

/// Events of 256 KiB, four in an append, come back whole; a page of them may end early, and the next goes on there.
pub async fn a_page_of_large_events_ends_early_and_goes_on(place: impl LogPlace) {
    let log = place.open().await;
    let written: Vec<NewEvent> = (0..48_u8).map(|n| event(vec![n; 256 << 10])).collect();
    for part in written.chunks(4) {
        add(&log, "report-1", Expected::Any, part).await;
    }
    assert!(contents(&everything(&log, 1_000).await) == written);
    let mut read = Vec::new();
    loop {
        let page = log
            .read_stream(&stream("report-1"), Revision(read.len() as u64), 1_000)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert!(contents(&read) == written);
}
