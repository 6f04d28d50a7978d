//! Pages.

use tieout_domain::ports::{Expected, Leaf, Log, NewEvent, Page, Position, Revision};

use super::{LogPlace, add, conflict, contents, event, events, everything, stream, whole_stream};

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
    for (rank, event) in (0..).zip(&read) {
        assert_eq!(log.leaf(event.position).await.unwrap(), Some(Leaf(rank)));
    }
    assert_eq!(log.leaf(Position(u64::MAX >> 1, 7)).await.unwrap(), None);
    assert!(read.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(log.head().await.unwrap(), read.last().map(|r| r.position));
}

/// What a stream shows of an event is what the whole shows of it: its place too.
pub async fn an_event_has_one_place(place: impl LogPlace) {
    let log = place.open().await;
    for n in 0..10 {
        add(
            &log,
            &format!("report-{}", n % 3),
            Expected::Any,
            &events(1 + n % 4),
        )
        .await;
    }
    let all = everything(&log, 4).await;
    for name in ["report-0", "report-1", "report-2"] {
        let own: Vec<_> = all
            .iter()
            .filter(|event| event.stream.0 == name)
            .cloned()
            .collect();
        assert_eq!(whole_stream(&log, name).await, own);
    }
}

/// Ranks hold over thousands of events, asked for in any order, and by another handle.
pub async fn ranks_hold_over_thousands_of_events(place: impl LogPlace) {
    let log = place.open().await;
    for n in 0..10 {
        add(&log, &format!("report-{}", n % 3), Expected::Any, &events(523)).await;
    }
    let all = everything(&log, 1_000).await;
    let again = place.open().await;
    for rank in [5_229, 0, 1_023, 1_024, 1_025, 4_096, 2_047, 17, 5_000] {
        let position = all[rank].position;
        assert_eq!(log.leaf(position).await.unwrap(), Some(Leaf(rank as u64)));
        assert_eq!(again.leaf(position).await.unwrap(), Some(Leaf(rank as u64)));
    }
    // What is kept of the ranks is no event.
    assert_eq!(everything(&log, 1_000).await.len(), all.len());
}

/// Events of 256 KiB, three in an append, come back whole; a page of them may end early, and the next goes on there.
pub async fn a_page_of_large_events_ends_early_and_goes_on(place: impl LogPlace) {
    let log = place.open().await;
    let written: Vec<NewEvent> = (0..48_u8).map(|n| event(vec![n; 256 << 10])).collect();
    for part in written.chunks(3) {
        add(&log, "report-1", Expected::Any, part).await;
    }
    assert!(contents(&everything(&log, 1_000).await) == written);
    let mut read = Vec::new();
    let mut ended = false;
    loop {
        let page = log
            .read_stream(&stream("report-1"), Revision(read.len() as u64), 1_000)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        assert!(!ended, "what the engine vouches for as the last page is the last");
        ended = log.ends_where_there_is_room() && Page::had_room(&page, 1_000);
        read.extend(page);
    }
    assert!(contents(&read) == written);
}

/// Several streams are read in the order they are asked for, each as if it were read alone; one that is not there is empty.
pub async fn first_pages_of_several_streams_are_those_of_each(place: impl LogPlace) {
    let log = place.open().await;
    for (name, count) in [("report-1", 3), ("report-2", 9), ("report-3", 1)] {
        add(&log, name, Expected::NoStream, &events(count)).await;
    }
    let asked = ["report-3", "report-0", "report-2", "report-1", "report-3"].map(stream);
    let pages = log.read_streams(&asked, 5).await.expect("they are readable");
    assert_eq!(pages.len(), asked.len());
    for (name, page) in asked.iter().zip(&pages) {
        let alone = log
            .read_stream(name, Revision(0), 5)
            .await
            .expect("it is readable");
        assert_eq!(page, &alone, "{name}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 5, 3, 1]);
    assert!(
        log.read_streams(&[], 5)
            .await
            .expect("nothing is readable")
            .is_empty()
    );
}
