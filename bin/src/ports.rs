//! The ports that are the machine's own: clocks, chance, crash points.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::time::{ClockId, clock_gettime};
use tieout_domain::ports::{Clock, Entropy};
use tieout_domain::time::Steady;

/// The machine's clocks. The wall clock may be set apart from the machine's: the demo lives in a month of its own.
#[derive(Debug, Clone)]
pub struct SystemClock {
    epoch: Arc<str>,
    offset: chrono::Duration,
}
impl SystemClock {
    /// The machine's time.
    pub fn new() -> Self {
        // Where the kernel does not name its boot, each run of the program is one: waiting then begins anew with it.
        let epoch = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(
            |_| format!("process-{}-{}", std::process::id(), Utc::now().timestamp_micros()),
            |id| id.trim().to_owned(),
        );
        Self {
            epoch: epoch.into(),
            offset: chrono::Duration::zero(),
        }
    }
    /// The machine's time, or as far from it as `TIEOUT_CLOCK_OFFSET_MS` says: for trials against stand-ins that live in
    /// another month. Said loudly, because every date is derived from it.
    pub fn from_environment() -> Self {
        match std::env::var("TIEOUT_CLOCK_OFFSET_MS")
            .ok()
            .and_then(|text| text.parse().ok())
        {
            Some(millis) => {
                tracing::warn!(millis, "TIEOUT_CLOCK_OFFSET_MS is set: every date is off by it");
                Self {
                    offset: chrono::Duration::milliseconds(millis),
                    ..Self::new()
                }
            }
            None => Self::new(),
        }
    }
    /// How far this clock is from the machine's.
    pub fn offset_millis(&self) -> i64 {
        self.offset.num_milliseconds()
    }
    /// A wall clock that shows `now` at this moment and goes on from there.
    pub fn set_to(now: DateTime<Utc>) -> Self {
        Self {
            offset: now - Utc::now(),
            ..Self::new()
        }
    }
}
impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.offset
    }
    fn steady(&self) -> Steady {
        // CLOCK_BOOTTIME counts suspended time too, and no one can set it.
        let millis = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
            let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
            seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000)
        });
        Steady {
            epoch: self.epoch.to_string(),
            millis,
        }
    }
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;
impl Entropy for SystemEntropy {
    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::now_v7()
    }
    fn salt(&self) -> [u8; 16] {
        uuid::Uuid::new_v4().into_bytes()
    }
}

/// Ends the process with SIGKILL at the n-th passing of a named point: `TIEOUT_CRASH_AT=intent:3`. With
/// `TIEOUT_CRASH_TRACE=FILE` each point passed is appended to the file, a line each, so that whoever kills from outside
/// sees how far the process came. For tests of what survives; without the variables it does nothing.
#[derive(Debug, Default)]
pub struct CrashPoint {
    at: Option<(String, u64)>,
    passed: AtomicU64,
    trace: Option<File>,
}
impl CrashPoint {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let at = std::env::var("TIEOUT_CRASH_AT").ok().and_then(|text| {
            let (name, count) = text
                .split_once(':')
                .map_or((text.as_str(), 1), |(name, n)| (name, n.parse().unwrap_or(1)));
            (!name.is_empty()).then(|| (name.to_owned(), count))
        });
        let trace = std::env::var_os("TIEOUT_CRASH_TRACE")
            .and_then(|path| File::options().append(true).create(true).open(path).ok());
        Self {
            at,
            passed: AtomicU64::new(0),
            trace,
        }
    }
    /// A point is passed.
    pub fn passing(&self, point: &str) {
        if let Some(mut trace) = self.trace.as_ref() {
            // One write a line; what the kernel has been given outlives the process.
            let _ = trace.write_all(format!("{point}\n").as_bytes());
        }
        let Some((name, count)) = &self.at else { return };
        if name == point && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == *count {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }
}
