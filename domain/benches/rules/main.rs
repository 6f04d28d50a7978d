//! What matching and checking of rules cost: `cargo bench -p tieout-domain --bench rules`.
//!
//! One run prints, for sets of 10 to 5,000 rules: the time to check the set, the time a line takes by the index, the time
//! it takes to try the condition of every rule in turn (on fewer lines, and without even choosing among those that
//! match), and how both grow; and what it takes to hold each set against a chart. A given number of lines may be asked for: `-- 1000000`.

#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic
)]

mod charted;
mod made;

use std::hint::black_box;
use std::time::{Duration, Instant};

use tieout_domain::rules::{RuleSet, Witness};

use self::made::{Random, hostile as hostile_files, line, rules};

/// So many different lines, asked about again and again: more would measure the memory that holds them.
const DIFFERENT: usize = 20_000;
/// Comparisons of one rule with one line that a scan is measured over.
const SCANNED: usize = 10_000_000;
/// Shorter times are too coarse where the system counts them.
const TICKS: Duration = Duration::from_millis(100);

fn main() {
    let lines = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(1_000_000);
    println!(
        "{lines} lines by the index, of which {DIFFERENT} are different; time on one core{}\n\
         {:>6} {:>10} {:>12} {:>12} {:>14} {:>12} {:>8} {:>8}",
        if on_core().is_some() { "" } else { " (by the wall)" },
        "rules",
        "check ms",
        "index ns/l",
        "index s",
        "scan ns/l",
        "scan lines",
        "ratio",
        "set"
    );
    let mut indexed = Vec::new();
    for number in [10, 100, 1_000, 5_000] {
        let text = rules(number);
        let (checked, set) = timed(|| {
            RuleSet::parse(&text).unwrap_or_else(|faults| panic!("{number} rules are refused: {}", faults[0]))
        });
        assert_eq!(set.rules().len(), number);
        let mut random = Random::new(7);
        let asked: Vec<Witness> = (0..DIFFERENT).map(|_| line(&mut random, number)).collect();
        let by_index = by_index(&set, &asked, lines);
        let few = (SCANNED / number).min(lines);
        let (scan, found) = by_scan(&set, &asked, few);
        let per_line = nanos(by_index) / lines as f64;
        let scanned = nanos(scan) / few as f64;
        println!(
            "{number:>6} {:>10.1} {per_line:>12.0} {:>12.2} {scanned:>14.0} {few:>12} {:>8.1} {:>8.2}",
            nanos(checked) / 1e6,
            by_index.as_secs_f64(),
            scanned / per_line,
            found as f64 / few as f64,
        );
        indexed.push(per_line);
    }
    charted::print();
    hostile();
    if let (Some(first), Some(last)) = (indexed.first(), indexed.last()) {
        println!(
            "a line among 5,000 rules takes {:.2} times as long as among 10; `set` is the rules that match a line",
            last / first
        );
    }
}

/// How long the check takes of files that are made to be slow, and what becomes of them.
fn hostile() {
    for (what, text) in hostile_files(5_000) {
        let (took, outcome) = timed(|| RuleSet::parse(&text));
        let (asked, said) = match outcome {
            Err(faults) => (
                Duration::ZERO,
                format!(
                    "refused, {} faults, the last: {:.60}…",
                    faults.len(),
                    faults[faults.len() - 1].to_string()
                ),
            ),
            Ok(set) => {
                let (asked, remarks) = timed(|| set.remarks());
                (asked, format!("accepted, {} remarks", remarks.len()))
            }
        };
        println!(
            "hostile: {what} ({:.1} MB): check {:.0} ms, remarks {:.0} ms: {said}",
            text.len() as f64 / 1e6,
            nanos(took) / 1e6,
            nanos(asked) / 1e6,
        );
    }
}

fn by_index(set: &RuleSet, lines: &[Witness], number: usize) -> Duration {
    let (took, ()) = timed(|| {
        for line in lines.iter().cycle().take(number) {
            black_box(set.resolve(&black_box(line).view()));
        }
    });
    took
}

/// How long, and how many rules matched.
fn by_scan(set: &RuleSet, lines: &[Witness], number: usize) -> (Duration, usize) {
    timed(|| {
        let mut found = 0;
        for line in lines.iter().cycle().take(number) {
            let view = black_box(line).view();
            found += set.rules().iter().filter(|rule| rule.when.matches(&view)).count();
        }
        black_box(found)
    })
}

/// What it takes of one core, where the system tells it; else, and where that is too short for its ticks, by the clock on the
/// wall, which also counts what others do.
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let (begun, ran) = (Instant::now(), on_core());
    let done = work();
    let by_wall = begun.elapsed();
    let by_core = ran
        .zip(on_core())
        .map(|(before, after)| after.saturating_sub(before));
    (by_core.filter(|time| *time > TICKS).unwrap_or(by_wall), done)
}

/// How long this thread has run (Linux).
fn on_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
