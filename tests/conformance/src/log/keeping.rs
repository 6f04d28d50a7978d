//! What outlives the handle, and in what shape.

use tieout_domain::ports::{Expected, Log, NewEvent, Revision};

use super::{LogPlace, add, contents, event, events, everything, whole_stream};

/// After a restart everything is as it was, and appends go on from there.
pub async fn reopening_keeps_everything(place: impl LogPlace) {
    let mut before = Vec::new();
    for round in 0..3_u64 {
        let log = place.open().await;
        assert_eq!(everything(&log, 10).await, before);
        let expected = if round == 0 {
            Expected::NoStream
        } else {
            Expected::At(Revision(round * 3 - 1))
        };
        let batch = events(3);
        let first = add(&log, "report-1", expected, &batch).await;
        drop(log);
        let log = place.open().await;
        assert_eq!(
            add(&log, "report-1", expected, &batch).await,
            first,
            "a retry is recognised after a restart"
        );
        before = everything(&log, 10).await;
        assert_eq!(
            log.head().await.unwrap(),
            before.last().map(|event| event.position)
        );
    }
    assert_eq!(before.len(), 9);
}

/// Data and metadata are bytes: empty, zero, not UTF-8.
pub async fn any_bytes_survive(place: impl LogPlace) {
    let log = place.open().await;
    let every: Vec<u8> = (0..=255).collect();
    let written: Vec<NewEvent> = [
        &every[..],
        b"",
        b"\0",
        b"\0\0text\0",
        b"\xff\xfe",
        "żółć 🧾".as_bytes(),
    ]
    .iter()
    .flat_map(|data| {
        let full = event(data);
        let bare = NewEvent {
            metadata: Vec::new(),
            ..event(data)
        };
        let odd = NewEvent {
            metadata: data.to_vec(),
            kind: "Żółć 🧾 ' \" ; --".to_owned(),
            ..event(data)
        };
        [full, bare, odd]
    })
    .collect();
    add(&log, "report-1", Expected::NoStream, &written).await;
    assert_eq!(contents(&whole_stream(&log, "report-1").await), written);
    assert_eq!(contents(&everything(&log, 5).await), written);
}

/// A name is told apart by every character of it, case and trailing blanks included.
pub async fn strange_names_are_names(place: impl LogPlace) {
    let log = place.open().await;
    let names = [
        "report-a",
        "report-A",
        "report-a ",
        "report-",
        "report-%",
        "report-_",
        "report-'; DROP TABLE events; --",
        "żółć-🧾",
        "$report",
        "$$report-a",
        "a/b?c=d&e#f",
        "report.report~report",
    ];
    for name in names {
        add(&log, name, Expected::NoStream, &events(1)).await;
    }
    for name in names {
        let read = whole_stream(&log, name).await;
        assert_eq!(
            read.iter().map(|r| r.stream.0.as_str()).collect::<Vec<_>>(),
            [name]
        );
    }
}
