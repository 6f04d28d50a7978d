//! Killing the real program from outside at random depths, and keeping count of how far it had come.
//!
//! A death is aimed at a number of calls that the stand-ins have seen (of all kinds, or of one), or of points that the
//! program has passed, and then at a moment within what follows, so that a slow machine dies as far into the cycle as a
//! quick one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Child;

use crate::{Dice, Scene};

/// When a program is to die.
#[derive(Clone, Debug)]
pub struct Aim {
    /// The operations counted, by the beginning of their names; empty for all. With `@`, a point instead.
    pub of: &'static str,
    /// How many of them there are to be.
    pub calls: usize,
    /// And then so long after.
    pub after: Duration,
    /// Or when nothing was called for so long: it waits for an answer that is late or lost, within the read time-out.
    pub stalled: Option<Duration>,
}

/// What a cycle does, and how often at most it is let do it: the aims are spread evenly over these. With `@`, a point
/// that the program says it passed; else calls that the stand-ins saw.
const STEPS: [(&str, u64); 18] = [
    ("", 1),
    ("", 40),
    ("", 160),
    ("browse:", 14),
    ("export", 2),
    ("download", 2),
    ("@captured", 8),
    ("@polled", 1),
    ("@mapped", 8),
    ("@claimed", 5),
    ("@intent", 5),
    ("@looked", 8),
    ("post:", 5),
    ("@sent", 5),
    ("@recorded", 5),
    ("@marking", 1),
    ("mark", 1),
    ("@marked", 1),
];

impl Aim {
    /// Somewhere.
    pub fn random(dice: &mut Dice) -> Self {
        let (of, most) = STEPS[usize::try_from(dice.below(STEPS.len() as u64)).expect("small")];
        // From no call on where all are counted: that is a death while the program starts.
        let calls = u64::from(!of.is_empty()) + dice.below(most);
        let start = if calls == 0 { 60_000 } else { 0 };
        Self {
            of,
            calls: usize::try_from(calls).expect("small"),
            after: Duration::from_micros(dice.below(8_000) + dice.below(1 + start)),
            stalled: (dice.below(3) == 0).then(|| Duration::from_millis(1_200 + dice.below(700))),
        }
    }
}

/// A program at work.
pub struct Running {
    child: Child,
    trace: PathBuf,
    errors: PathBuf,
    aim: Aim,
    reached: Option<Instant>,
}

/// How a program ended.
#[derive(Debug)]
pub enum End {
    /// It was killed; the last step it had reached.
    Killed(String),
    /// It came to its own end first.
    Lived(ExitStatus),
}

impl Running {
    /// Starts the program.
    pub fn start(scene: &Scene, name: &str, args: &[&str], aim: Aim) -> Self {
        Self::start_with(scene, &scene.config, name, args, aim)
    }

    /// Starts it with another configuration.
    pub fn start_with(scene: &Scene, config: &Path, name: &str, args: &[&str], aim: Aim) -> Self {
        let trace = scene.folder.path().join(format!("{name}.trace"));
        let errors = scene.folder.path().join(format!("{name}.err"));
        let _ = std::fs::remove_file(&trace);
        let child = scene
            .command_with(args, config)
            .env("TIEOUT_CRASH_TRACE", &trace)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&errors).expect("a file for what it says"))
            .spawn()
            .expect("the program starts");
        Self {
            child,
            trace,
            errors,
            aim,
            reached: None,
        }
    }

    /// What it wrote to standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// The points it has passed, a line each.
    fn points(&self) -> String {
        std::fs::read_to_string(&self.trace).unwrap_or_default()
    }

    /// Kills it if its moment has come; how it ended, if it has.
    pub async fn attend(&mut self, scene: &Scene, calls: &Watched) -> Option<End> {
        if let Some(status) = self.child.try_wait().expect("it can be waited for") {
            assert_eq!(status.signal(), None, "nobody else killed it");
            return Some(End::Lived(status));
        }
        let done = match self.aim.of.strip_prefix('@') {
            Some(point) => self.points().lines().filter(|passed| *passed == point).count(),
            None => calls.of(self.aim.of),
        };
        if self.reached.is_none() && done >= self.aim.calls {
            self.reached = Some(Instant::now() + self.aim.after);
        }
        let stalled = self
            .aim
            .stalled
            .is_some_and(|long| calls.total() > 0 && calls.quiet_for() >= long);
        if stalled || self.reached.is_some_and(|moment| Instant::now() >= moment) {
            self.kill().await;
            return Some(End::Killed(self.depth(scene)));
        }
        None
    }

    /// Waits until it has said so.
    ///
    /// # Panics
    /// Where it does not within that time.
    pub async fn says(&self, words: &str, within: Duration) -> Instant {
        let began = Instant::now();
        while !self.said().contains(words) {
            assert!(
                began.elapsed() < within,
                "it does not say `{words}` within {within:?}:\n{}",
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Instant::now()
    }

    /// Asks it to end (SIGTERM).
    pub fn ask_to_end(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = nix::unistd::Pid::from_raw(id.expect("it runs"));
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).expect("it is told");
    }

    /// Kills it, whatever its moment was to be.
    pub async fn at_last(&mut self, scene: &Scene) -> Option<End> {
        if let Some(status) = self.child.try_wait().expect("it can be waited for") {
            return Some(End::Lived(status));
        }
        self.kill().await;
        Some(End::Killed(self.depth(scene)))
    }

    /// SIGKILL.
    async fn kill(&mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// The last step it reached: by the last point it passed, and by what the stand-ins saw after that.
    fn depth(&self, scene: &Scene) -> String {
        let trace = self.points();
        let points: Vec<&str> = trace.lines().collect();
        let qad = scene.stand_ins.qad.handle().calls().all();
        let source = scene.stand_ins.expensify.calls().all();
        // Of the point before `looked` one sees whether it is the post step's look or the resolve step's.
        let depth = match points.as_slice() {
            [] if qad.is_empty() && source.is_empty() => "00 starting, nothing asked yet",
            [] if source.is_empty() => "01 reading the chart",
            [] => "02 listing the source",
            [.., "captured"] => "03 capturing",
            [.., "polled"] => "04 polled: concluding, resolving or mapping",
            [.., "intent", "looked"] => match qad.last() {
                Some(call) if call.operation.starts_with("post:") => "10 in the send, QAD has it",
                _ => "09 looked: about to send, or in the send",
            },
            [.., "looked"] => "05 resolving",
            [.., "mapped"] => "06 mapping, or claiming",
            [.., "claimed"] => "07 claimed, before the intent is on record",
            [.., "intent"] => "08 intent on record, looking before the send",
            [.., "sent"] => "11 sent: reading back, before the outcome is on record",
            [.., "recorded"] => "12 outcome on record, before the next",
            [.., "marking"] => match source.last() {
                Some(call) if call.operation == "mark" => "14 in the mark, Expensify has it",
                _ => "13 marking declared, before it is asked",
            },
            [.., "marked"] => "15 marked, before or after the cycle's end",
            [.., other] => other,
        };
        depth.to_owned()
    }
}

/// The calls that the stand-ins saw since a program began.
pub struct Watched {
    counts: BTreeMap<String, usize>,
    total: usize,
    last: Instant,
}

impl Watched {
    /// From now on.
    pub fn begin(scene: &Scene) -> Self {
        scene.stand_ins.qad.handle().calls().clear();
        scene.stand_ins.expensify.calls().clear();
        Self {
            counts: BTreeMap::new(),
            total: 0,
            last: Instant::now(),
        }
    }

    /// Looks again.
    pub fn look(&mut self, scene: &Scene) {
        self.counts = scene.stand_ins.qad.handle().calls().counts();
        self.counts.extend(scene.stand_ins.expensify.calls().counts());
        let total = self.counts.values().sum();
        if total != self.total {
            self.total = total;
            self.last = Instant::now();
        }
    }

    /// How many calls there were.
    pub fn total(&self) -> usize {
        self.total
    }

    fn of(&self, operation: &str) -> usize {
        self.counts
            .iter()
            .filter(|(name, _)| name.starts_with(operation))
            .map(|(_, count)| count)
            .sum()
    }

    fn quiet_for(&self) -> Duration {
        self.last.elapsed()
    }
}

/// How many died at which depth.
#[derive(Clone, Debug, Default)]
pub struct Histogram(pub BTreeMap<String, u32>);

impl Histogram {
    /// One more.
    pub fn count(&mut self, depth: &str) {
        *self.0.entry(depth.to_owned()).or_default() += 1;
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        for (depth, count) in &other.0 {
            *self.0.entry(depth.clone()).or_default() += count;
        }
    }

    /// How many deaths there were.
    pub fn deaths(&self) -> u32 {
        self.0.values().sum()
    }

    /// In lines with bars.
    pub fn draw(&self) -> String {
        let mut text = String::new();
        for (depth, count) in &self.0 {
            let bar = "#".repeat(usize::try_from(*count).expect("small").min(80));
            let _ = writeln!(text, "{count:>5}  {depth:<60} {bar}");
        }
        text
    }
}
