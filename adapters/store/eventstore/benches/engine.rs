//! The engine beside the bare client, in one run on loopback, against the stand-in of a server: sequential appends, 64
//! writers at once, and reading a million events. Ends with status 1 where one of the three ratios is missed.
//!
//! `cargo bench -p tieout-eventstore --bench engine`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use eventstore::{AppendToStreamOptions, Client, EventData, ReadAllOptions};
use futures::future::join_all;
use tieout_domain::ids::EventId;
use tieout_domain::ports::{Expected, Log, NewEvent, StreamName};
use tieout_eventstore::{EventStoreLog, Patience};
use tieout_eventstore_stand_in::StandIn;
use uuid::Uuid;

const UNARY: u32 = 60;
const SEQUENTIAL: u32 = 20_000;
const WRITERS: u32 = 64;
const EACH: u32 = 600;
const READ: usize = 1_000_000;

fn event() -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: br#"{"facts":{"amount":"12.34","currency":"USD"}}"#.to_vec(),
        metadata: br#"{"schema":1}"#.to_vec(),
    }
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

/// The client's own single append, as it comes: before this process's sockets were given the option it lacks.
async fn unary(server: &StandIn) -> f64 {
    let client = Client::new(server.url().parse().expect("a URL")).expect("a client");
    let append = async |number: u32| {
        let event = event();
        let data = EventData::binary("Noted", event.data.into()).id(event.id.0);
        let stream = format!("bare-{number}");
        client
            .append_to_stream(stream, &AppendToStreamOptions::default(), data)
            .await
            .expect("an append");
    };
    append(0).await;
    let began = Instant::now();
    for number in 1..=UNARY {
        append(number).await;
    }
    rate(UNARY, began.elapsed())
}

async fn sequential(log: &EventStoreLog) -> f64 {
    let stream = StreamName("report-1".to_owned());
    let mut expected = Expected::NoStream;
    let began = Instant::now();
    for _ in 0..SEQUENTIAL {
        let appended = log
            .append(&stream, expected, vec![event()])
            .await
            .expect("an append");
        expected = Expected::At(appended.revision);
    }
    rate(SEQUENTIAL, began.elapsed())
}

async fn at_once(log: &EventStoreLog) -> f64 {
    let writers = (0..WRITERS).map(|writer| {
        let log = log.clone();
        tokio::spawn(async move {
            let stream = StreamName(format!("expense-{writer}"));
            let mut expected = Expected::NoStream;
            for _ in 0..EACH {
                let appended = log
                    .append(&stream, expected, vec![event()])
                    .await
                    .expect("an append");
                expected = Expected::At(appended.revision);
            }
        })
    });
    let began = Instant::now();
    for writer in join_all(writers).await {
        writer.expect("a writer");
    }
    rate(WRITERS * EACH, began.elapsed())
}

async fn bare_reading(server: &StandIn) -> f64 {
    let client = Client::new(server.url().parse().expect("a URL")).expect("a client");
    let began = Instant::now();
    let mut stream = client.read_all(&ReadAllOptions::default()).await.expect("a read");
    let mut count = 0;
    while let Some(event) = stream.next().await.expect("an event") {
        count += u32::from(event.get_original_event().stream_id().starts_with("tieout."));
    }
    assert!(count as usize >= READ);
    rate(count, began.elapsed())
}

async fn reading(log: &EventStoreLog) -> f64 {
    let began = Instant::now();
    let mut after = None;
    let mut count = 0;
    loop {
        let page = log.read_all(after, 4_096).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        count += u32::try_from(page.len()).expect("small");
    }
    assert!(count as usize >= READ);
    rate(count, began.elapsed())
}

/// The most this process ever held, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}

#[tokio::main]
async fn main() -> ExitCode {
    let server = StandIn::start();
    let unary = unary(&server).await;
    println!("the client's single append           {unary:>10.0} /s");
    let log = EventStoreLog::open(&server.url().parse().expect("a URL"), None, Patience::default())
        .await
        .expect("a log");
    let sequential = sequential(&log).await;
    let ratio = sequential / unary;
    println!(
        "sequential appends, the engine       {sequential:>10.0} /s   {ratio:.0} times (200 are wanted)"
    );
    let at_once = at_once(&log).await;
    let gain = at_once / sequential;
    println!(
        "64 writers, the engine               {at_once:>10.0} /s   {gain:.2} times sequential (1 is wanted)"
    );
    let streams: Vec<String> = (0..1_000)
        .map(|number| format!("tieout.report-x-{number}"))
        .collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    server.preload(&names, READ, 200);
    let before = peak();
    let bare = bare_reading(&server).await;
    println!("reading 1,000,000 events, the client {bare:>10.0} /s");
    let ours = reading(&log).await;
    let share = ours / bare;
    println!(
        "reading 1,000,000 events, the engine {ours:>10.0} /s   {share:.2} of the client (0.5 is wanted)"
    );
    println!(
        "peak memory grew by {} MB while both read (the server is in this process too)",
        peak() - before
    );
    if ratio >= 200.0 && gain >= 1.0 && share >= 0.5 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
