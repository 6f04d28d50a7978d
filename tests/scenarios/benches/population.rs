//! Time and memory of one cycle that discovers and maps a large population: 5,000, 10,000 and 20,000 reports of 8 lines,
//! in one download each. Both are to grow linearly, and memory is to stay under 150 MB.
//!
//! `cargo bench -p tieout-scenarios --bench population`. The stand-ins run in a process of their own (this program
//! again), so that what is measured is the program alone. Posting is shut: the profile is not certified.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_arithmetic,
    missing_docs,
    reason = "a bench: a surprise must end it, its result is what it prints, and seconds are no money"
)]

use std::io::{BufRead, BufReader, Read};
use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tieout::commands::demo::stage::{StageOptions, StandIns, Waits, install};
use tieout::commands::rules::put_in_force;
use tieout::config::Config;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::ids::PersonName;
use tieout_sandbox::month::{self, Size};

const LINES: usize = 8;
const SHRINK: u32 = 200;
const MOST_MEGABYTES: f64 = 150.0;
/// How much more than linearly time may grow before the bench fails: machines are noisy.
const SLACK: f64 = 1.5;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().position(|arg| arg == "--stand-ins") {
        Some(at) => stand_ins(args[at + 1].parse().unwrap()),
        None => measure(),
    }
}

fn stand_ins(reports: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = SystemClock::set_to(month::now());
        let options = StageOptions {
            seed: 7,
            size: Size::Many {
                reports,
                lines: LINES,
            },
            expensify_port: 0,
            qad_port: 0,
            shrink: NonZeroU32::new(SHRINK).unwrap(),
            clock: clock.clone(),
        };
        let running = StandIns::start(&options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let waits = Waits {
            quarantine: "15m",
            connect_timeout: "10s",
            read_timeout: "60s",
        };
        let config = install(
            &folder.path().join("installation"),
            &running.expensify.url(),
            &running.qad.url(),
            &waits,
            month::now(),
        )
        .unwrap();
        let installation = Installation::open_at(Config::read(&config).unwrap(), clock.clone())
            .await
            .unwrap();
        let connection = &installation.config.connection[0];
        let (_, rules) = installation.rules(connection).unwrap();
        let who = PersonName::new("bench").unwrap();
        put_in_force(&installation, connection, &rules, &who)
            .await
            .unwrap();
        println!("{} {}", clock.offset_millis(), config.display());
        // Runs until whoever started it closes our standard input.
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    });
}

/// The most memory the process ever held, in megabytes, as the kernel counts it.
fn peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn measure() {
    let program = tieout_scenarios::binary();
    let mut rows = Vec::new();
    println!(
        "{:>8}  {:>9}  {:>12}  {:>11}",
        "reports", "seconds", "reports/s", "peak MB"
    );
    for reports in [5_000usize, 10_000, 20_000] {
        let mut source = Command::new(std::env::current_exe().unwrap())
            .args(["--stand-ins", &reports.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(source.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (offset, config) = line.trim().split_once(' ').unwrap();
        let began = Instant::now();
        let mut sync = Command::new(program)
            .args(["sync", "--json", "--config", config])
            .env("TIEOUT_LIMIT_SCALE", SHRINK.to_string())
            .env("TIEOUT_CLOCK_OFFSET_MS", offset)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut most: f64 = 0.0;
        while sync.try_wait().unwrap().is_none() {
            most = peak(&sync).unwrap_or(0.0).max(most);
            std::thread::sleep(Duration::from_millis(5));
        }
        let seconds = began.elapsed().as_secs_f64();
        let mut out = String::new();
        sync.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let cycles: serde_json::Value = serde_json::from_str(&out).expect("JSON of sync");
        assert_eq!(cycles[0]["seen"], reports, "every report is discovered");
        assert_eq!(cycles[0]["stages"]["mapped"], reports, "and mapped");
        drop(source.stdin.take());
        let _ = source.wait();
        println!(
            "{reports:>8}  {seconds:>9.1}  {:>12.0}  {most:>11.1}",
            reports as f64 / seconds
        );
        rows.push((reports as f64, seconds, most));
    }
    let (first, last) = (rows[0], rows[2]);
    let growth = last.0 / first.0;
    let (time, memory) = (last.1 / first.1 / growth, last.2 / first.2 / growth);
    println!(
        "from 5,000 to 20,000 reports (x{growth:.0}): time x{:.2}, memory x{:.2}",
        last.1 / first.1,
        last.2 / first.2
    );
    println!("against linear: time {time:.2}, memory {memory:.2} (1.00 is linear, less is better)");
    assert!(
        last.2 < MOST_MEGABYTES,
        "peak memory is {:.1} MB, not under {MOST_MEGABYTES}",
        last.2
    );
    assert!(
        time < SLACK,
        "time grows {time:.2} times as fast as the population"
    );
    assert!(
        memory < SLACK,
        "memory grows {memory:.2} times as fast as the population"
    );
}
