//! How fast the bare client is against the stand-in: `cargo test --release -p tieout-eventstore-stand-in -- --ignored --nocapture`.
#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement is to be read"
)]

use std::time::Instant;

use eventstore::{ReadAllOptions, StreamPosition, StreamState};
use tieout_eventstore_stand_in::StandIn;

use crate::support::{append, batch, client, event};

fn report(what: &str, count: usize, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    println!(
        "{what}: {count} in {seconds:.3} s, {:.0} a second",
        count as f64 / seconds
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, of no use in a debug build: cargo test --release -p tieout-eventstore-stand-in --test server -- --ignored --nocapture"]
async fn how_fast_it_is() {
    let server = StandIn::start();
    let client = client(&server);
    append(&client, "warm", StreamState::Any, &["up"]).await.unwrap();

    let begin = Instant::now();
    for nth in 0..60 {
        append(&client, "single", StreamState::Any, &[&format!("{nth}")])
            .await
            .unwrap();
    }
    report("unary appends", 60, begin);

    let batch = batch(&client).await;
    let begin = Instant::now();
    for nth in 0..30_000_u64 {
        let state = nth
            .checked_sub(1)
            .map_or(StreamState::NoStream, StreamState::StreamRevision);
        batch
            .append_to_stream("batched", state, vec![event(&format!("b{nth}"))])
            .await
            .unwrap();
    }
    report("sequential batch appends", 30_000, begin);

    let begin = Instant::now();
    server.preload(&["one", "two", "three"], 1_000_000, 200);
    report("preloaded events", 1_000_000, begin);

    let begin = Instant::now();
    let options = ReadAllOptions::default()
        .position(StreamPosition::Start)
        .forwards()
        .max_count(usize::MAX);
    let mut read = client.read_all(&options).await.unwrap();
    let mut count = 0;
    while read.next().await.unwrap().is_some() {
        count += 1;
    }
    report("events of $all read", count, begin);
}
