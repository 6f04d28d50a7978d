use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{TimeZone, Utc};
use tieout_domain::ids::{EventId, PersonName};
use tieout_domain::journal::Cause;
use tieout_domain::ports::{Appended, Leaf};
use tieout_domain::workflow::person;
use tieout_memory::MemoryLog;
use uuid::Uuid;

use super::*;
use crate::ports::{SystemClock, SystemEntropy};

fn event(id: u128, kind: &str, size: usize) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(id)),
        kind: kind.to_owned(),
        data: vec![u8::try_from(id % 251).unwrap(); size],
        metadata: format!(r#"{{"number":{id}}}"#).into_bytes(),
    }
}

/// Appends events to a stream, wherever it ends.
async fn write(log: &impl Log, stream: &str, events: Vec<NewEvent>) {
    let stream = StreamName(stream.to_owned());
    log.append(&stream, Expected::Any, events).await.unwrap();
}

/// Streams that take turns, runs within one stream, empty data, and eleven events of a size in a row.
async fn sample_with(size: usize) -> MemoryLog {
    let log = MemoryLog::new();
    for id in 1..=40_u128 {
        write(&log, &format!("report-{}", id % 3), vec![event(id, "Noted", 0)]).await;
    }
    write(
        &log,
        "poll-1",
        (100..130).map(|id| event(id, "Polled", 7)).collect(),
    )
    .await;
    for id in 200..211 {
        write(&log, "report-0", vec![event(id, "PayloadPart", size)]).await;
    }
    write(&log, "chart-1", vec![event(300, "ChartChanged", 11)]).await;
    write(&log, "poll-1", vec![event(301, "Polled", 3)]).await;
    log
}

async fn sample() -> MemoryLog {
    sample_with(70).await
}

async fn all(log: &impl Log) -> Vec<(StreamName, Revision, NewEvent)> {
    let mut walk = Walk::over(log);
    let mut found = Vec::new();
    while let Some(Recorded {
        stream,
        revision,
        event,
        ..
    }) = walk.next().await.unwrap()
    {
        found.push((stream, revision, event));
    }
    found
}

async fn moved(source: &impl Log, target: &impl Log) -> Result<Equal, TransferError> {
    let equal = transfer(source, target, &mut |_| {}).await?;
    if !equal.recorded {
        let (clock, entropy) = (SystemClock::new(), SystemEntropy);
        let journal = Journal::new(target, &clock, &entropy, &Nobody, "test");
        let stamp = Stamp {
            actor: person(PersonName::new("anna").unwrap()),
            cause: Cause::Command {
                name: "log copy".into(),
            },
        };
        let draft = Draft {
            event: LogEvent::LogMoved {
                from: "here".into(),
                to: "there".into(),
                events: equal.events,
                streams: equal.streams,
                sha256: equal.sha256.clone(),
            },
            effective_at: Utc.with_ymd_and_hms(2026, 11, 2, 6, 0, 0).unwrap(),
            subject: None,
        };
        record(source, &journal, &equal, &stamp, draft).await?;
    }
    Ok(equal)
}

/// What the target holds is what the source holds, and the record behind it.
async fn assert_moved(source: &impl Log, target: &impl Log) {
    let (ours, mut theirs) = (all(source).await, all(target).await);
    let (stream, _, record) = theirs.pop().unwrap();
    assert_eq!((stream, record.kind.as_str()), (LogEvent::stream(), "LogMoved"));
    assert_eq!(ours, theirs);
}

/// A log that fails one append, before or after it was done; that notes each append; or that somebody else writes to
/// after so many readings.
struct Around {
    inner: MemoryLog,
    appends: AtomicU64,
    reads: AtomicU64,
    fails: Option<(u64, bool)>,
    grows_after: Option<u64>,
    weights: Mutex<Vec<(usize, usize)>>,
}

impl Around {
    fn log(inner: &MemoryLog) -> Self {
        Self {
            inner: inner.clone(),
            appends: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            fails: None,
            grows_after: None,
            weights: Mutex::default(),
        }
    }
}

impl Log for Around {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let number = self.appends.fetch_add(1, Ordering::SeqCst);
        let weight = events.iter().map(NewEvent::weight).sum();
        self.weights.lock().unwrap().push((events.len(), weight));
        let fails = self.fails.filter(|(at, _)| *at == number);
        if fails != Some((number, false)) {
            let appended = self.inner.append(stream, expected, events).await;
            if fails.is_none() {
                return appended;
            }
        }
        Err(LogError::Failed {
            place: "memory".into(),
            detail: "cut off".into(),
        })
    }
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        self.inner.read_stream(stream, from, limit).await
    }
    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        let page = self.inner.read_all(after, limit).await;
        if self.grows_after == Some(self.reads.fetch_add(1, Ordering::SeqCst)) {
            write(&self.inner, "poll-1", vec![event(900, "Polled", 1)]).await;
        }
        page
    }
    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        self.inner.leaf(position).await
    }
    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.inner.head().await
    }
    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        self.inner.wait_beyond(position).await
    }
}

#[tokio::test]
async fn a_log_arrives_whole_in_order_and_in_few_appends() {
    let (source, target) = (sample_with(256 * 1024).await, MemoryLog::new());
    let there = Around::log(&target);
    let mut told = Vec::new();
    let equal = transfer(&source, &there, &mut |progress| told.push(progress))
        .await
        .unwrap();
    assert_eq!((equal.events, equal.streams, equal.recorded), (83, 5, false));
    assert_eq!(all(&source).await, all(&target).await);
    assert_eq!(told.last(), Some(&Progress::Verified { done: 83, of: 83 }));
    assert!(told.contains(&Progress::Copied(83)));

    let weights = there.weights.lock().unwrap().clone();
    assert!(weights.iter().all(|(_, weight)| *weight <= MOST_APPEND_BYTES));
    // Forty that take turns; thirty of one poll in one append; eleven large ones by three (four are a little too much).
    assert_eq!(weights.len(), 40 + 1 + 4 + 1 + 1, "{weights:?}");
    assert_eq!(weights.iter().map(|(events, _)| events).sum::<usize>(), 83);
}

#[tokio::test]
async fn the_sum_is_over_these_bytes_and_no_others() {
    let log = MemoryLog::new();
    write(&log, "poll-1", vec![event(1, "Polled", 2)]).await;
    let mut bytes: Vec<u8> = Vec::new();
    for field in [
        b"poll-1".as_slice(),
        &[0; 8],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        b"Polled",
        &[1, 1],
        br#"{"number":1}"#,
    ] {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend(field);
    }
    let equal = transfer(&log, &MemoryLog::new(), &mut |_| {}).await.unwrap();
    let wanted: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(equal.sha256, wanted);
}

#[tokio::test]
async fn an_empty_log_moves_too() {
    let (source, target) = (MemoryLog::new(), MemoryLog::new());
    let equal = moved(&source, &target).await.unwrap();
    assert_eq!((equal.events, equal.streams), (0, 0));
    assert_moved(&source, &target).await;
}

#[tokio::test]
async fn cut_off_at_any_append_it_goes_on_from_there() {
    let source = sample().await;
    let whole = transfer(&source, &MemoryLog::new(), &mut |_| {}).await.unwrap();
    // Forty that take turns, one each of four runs, and the record.
    for cut in 0..45 {
        for done in [false, true] {
            let target = MemoryLog::new();
            let mut there = Around::log(&target);
            there.fails = Some((cut, done));
            assert!(matches!(
                moved(&source, &there).await,
                Err(TransferError::Log(LogError::Failed { .. }) | TransferError::Journal(_))
            ));
            let again = moved(&source, &target).await.unwrap();
            assert_eq!((&again.sha256, again.events), (&whole.sha256, 83), "cut at {cut}");
            assert_eq!(again.recorded, cut == 44 && done);
            assert_moved(&source, &target).await;
        }
    }
}

#[tokio::test]
async fn run_again_it_verifies_again_and_appends_nothing() {
    let (source, target) = (sample().await, MemoryLog::new());
    let first = moved(&source, &target).await.unwrap();
    let there = Around::log(&target);
    let again = moved(&source, &there).await.unwrap();
    assert!(!first.recorded && again.recorded);
    assert_eq!((first.events, first.sha256), (again.events, again.sha256));
    assert_eq!(there.appends.load(Ordering::SeqCst), 0);
    assert_moved(&source, &target).await;
}

#[tokio::test]
async fn a_log_that_was_moved_moves_on_and_back_with_its_records() {
    let (first, second, third) = (sample().await, MemoryLog::new(), MemoryLog::new());
    moved(&first, &second).await.unwrap();
    write(&second, "poll-1", vec![event(700, "Polled", 1)]).await;
    let on = moved(&second, &third).await.unwrap();
    assert_eq!((on.events, on.streams), (85, 6));
    assert_moved(&second, &third).await;
    let records = third
        .read_stream(&LogEvent::stream(), Revision(0), 9)
        .await
        .unwrap();
    assert_eq!(records.len(), 2);
    // Back to where it began: that holds a prefix.
    moved(&third, &first).await.unwrap();
    assert_moved(&third, &first).await;
}

#[tokio::test]
async fn a_target_that_differs_is_refused_with_the_rank_and_the_field() {
    type Change = fn(&mut StreamName, &mut NewEvent);
    let changes: [(&str, Change); 5] = [
        ("stream", |stream, _| stream.0.push('x')),
        ("id", |_, event| event.id = EventId(Uuid::from_u128(999))),
        ("kind", |_, event| event.kind.push('x')),
        ("data", |_, event| event.data = vec![1]),
        ("metadata", |_, event| event.metadata.push(b' ')),
    ];
    let source = sample().await;
    for (field, change) in changes {
        let target = MemoryLog::new();
        for (rank, (mut stream, _, mut event)) in all(&source).await.into_iter().take(41).enumerate() {
            if rank == 40 {
                change(&mut stream, &mut event);
            }
            write(&target, &stream.0, vec![event]).await;
        }
        let before = all(&target).await;
        let refusal = moved(&source, &target).await.unwrap_err();
        let TransferError::Differs { rank, difference } = &refusal else {
            panic!("{refusal}")
        };
        assert_eq!((*rank, difference.field), (40, field));
        assert!(refusal.to_string().contains("event 40 "), "{refusal}");
        assert_eq!(all(&target).await, before, "nothing was appended");
    }
}

#[test]
fn a_revision_that_differs_is_told() {
    let recorded = |revision| Recorded {
        stream: StreamName("poll-1".into()),
        revision: Revision(revision),
        position: Position(revision, 7),
        event: event(1, "Polled", 1),
    };
    let difference = Difference::between(&recorded(0), &recorded(1)).unwrap();
    assert_eq!(
        difference.to_string(),
        "its revision is 0 in the source and 1 in the target"
    );
    let elsewhere = Recorded {
        position: Position(99, 99),
        ..recorded(0)
    };
    assert_eq!(Difference::between(&recorded(0), &elsewhere), None);
}

#[tokio::test]
async fn a_target_with_events_of_its_own_is_refused() {
    let (source, target) = (sample().await, MemoryLog::new());
    moved(&source, &target).await.unwrap();
    write(&target, "poll-1", vec![event(800, "Polled", 1)]).await;
    assert!(matches!(
        moved(&source, &target).await,
        Err(TransferError::TargetWentOn { rank: 84, .. })
    ));
    let other = sample().await;
    write(&other, "poll-1", vec![event(800, "Polled", 1)]).await;
    assert!(matches!(
        moved(&source, &other).await,
        Err(TransferError::TargetWentOn { rank: 83, .. })
    ));
}

#[tokio::test]
async fn a_source_that_was_written_to_after_the_move_is_refused() {
    let (source, target) = (sample().await, MemoryLog::new());
    moved(&source, &target).await.unwrap();
    write(&source, "poll-1", vec![event(800, "Polled", 1)]).await;
    assert!(matches!(
        moved(&source, &target).await,
        Err(TransferError::SourceWentOn { rank: 83 })
    ));
}

#[tokio::test]
async fn a_source_that_grows_at_any_moment_is_copied_with_that_or_refused() {
    let (mut whole, mut grew, mut went_on, mut over) = (0, 0, 0, 0);
    for at in 0..40 {
        let (log, target) = (sample().await, MemoryLog::new());
        let mut source = Around::log(&log);
        source.grows_after = Some(at);
        match moved(&source, &target).await {
            Ok(equal) if equal.events == 84 => whole += 1,
            Ok(_) => {
                assert!(source.reads.load(Ordering::SeqCst) <= at + 1);
                over += 1;
                continue;
            }
            Err(refusal @ TransferError::SourceGrew { copied: 83 }) => {
                assert!(refusal.to_string().contains("Stop every writer"));
                grew += 1;
                // What was copied stays, and it goes on.
                assert_eq!(all(&target).await, all(&log).await[..83]);
                moved(&log, &target).await.unwrap();
            }
            Err(TransferError::SourceWentOn { rank: 83 }) => {
                went_on += 1;
                continue;
            }
            Err(other) => panic!("{other}"),
        }
        assert_moved(&log, &target).await;
    }
    assert!(
        whole > 0 && grew > 0 && over > 0,
        "{whole} {grew} {went_on} {over}"
    );
}

#[tokio::test]
async fn one_log_under_two_names_is_noticed() {
    let log = sample().await;
    assert!(matches!(
        moved(&log, &log.clone()).await,
        Err(TransferError::OneLog(_))
    ));
}

#[tokio::test]
async fn somebody_else_at_the_target_is_noticed() {
    let (source, target) = (sample().await, MemoryLog::new());
    let mut there = Around::log(&target);
    // After the target was read to its end, and before the copy comes to this stream.
    there.grows_after = Some(0);
    let refusal = moved(&source, &there).await.unwrap_err();
    assert!(
        matches!(refusal, TransferError::TargetContended(LogError::Conflict { .. })),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_record_that_says_something_else_is_told() {
    let (source, target) = (sample().await, MemoryLog::new());
    moved(&source, &target).await.unwrap();
    let (other, forged) = (sample().await, MemoryLog::new());
    let mut events = all(&target).await;
    let (_, _, mut record) = events.pop().unwrap();
    record.data = String::from_utf8(record.data)
        .unwrap()
        .replace(r#""events":83"#, r#""events":82"#)
        .into_bytes();
    for (stream, _, event) in events {
        write(&forged, &stream.0, vec![event]).await;
    }
    write(&forged, &LogEvent::stream().0, vec![record]).await;
    assert!(matches!(
        moved(&other, &forged).await,
        Err(TransferError::RecordDisagrees {
            events: 82,
            found: 83,
            ..
        })
    ));
}
