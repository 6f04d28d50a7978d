//! The servers that runs are made over, and how a thread without a runtime waits for an answer over a socket.
//!
//! Sockets do not go with simulated time: the engine's client lives on threads of its own, and the simulation's thread
//! stands still until it answered, so that no simulated time passes meanwhile.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use tieout_domain::ports::LogError;
use tieout_eventstore::{Address, EventStoreLog, Patience};
use tieout_eventstore_stand_in::{Handle, StandIn};
use tokio::runtime::Runtime;

/// After so many runs a server is replaced: reading everything takes it as long as everybody's events are many.
const RUNS_OF_A_SERVER: u32 = 40;
/// An engine that has not answered by then hangs: its own patience ends long before.
const HANGS: Duration = Duration::from_secs(60);
/// Short, so that an answer that was silently lost costs no five seconds.
const PATIENCE: Patience = Patience {
    deadline: Duration::from_millis(300),
    in_all: Duration::from_secs(20),
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_millis(200),
};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("simulated-engine")
        .enable_all()
        .build()
        .expect("a runtime")
});

/// Servers at which no run is at present: each is lent to one run at a time, so that what befalls its wire befalls the
/// run that the dice were thrown for.
static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());

/// No two logs have one name.
static NAMES: AtomicU64 = AtomicU64::new(0);

/// Waits for the engine's answer.
pub(crate) fn wait<T>(answer: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    let hangs = |_| LogError::Failed {
        place: "simulation".to_owned(),
        detail: format!("no answer within {HANGS:?}"),
    };
    // The timer is made inside, where there is a runtime.
    RUNTIME.block_on(async {
        tokio::time::timeout(HANGS, answer)
            .await
            .unwrap_or_else(|late| Err(hangs(late)))
    })
}

/// Does something a little later, while the simulation's thread waits.
pub(crate) fn soon(after: Duration, what: impl FnOnce() + Send + 'static) {
    RUNTIME.spawn(async move {
        tokio::time::sleep(after).await;
        what();
    });
}

/// A server in this process, and a client of it.
pub(crate) struct Server {
    stand_in: StandIn,
    first: EventStoreLog,
    runs: u32,
}

impl Server {
    /// Lends a server to a run.
    pub(crate) fn lent<T>(run: impl FnOnce(&Self) -> T) -> T {
        let idle = IDLE.lock().expect("nobody panics with it").pop();
        let mut server = idle.unwrap_or_else(Self::start);
        let outcome = run(&server);
        server.runs += 1;
        if server.runs < RUNS_OF_A_SERVER {
            IDLE.lock().expect("nobody panics with it").push(server);
        } else {
            let _inside = RUNTIME.enter();
            drop(server);
        }
        outcome
    }

    fn start() -> Self {
        let stand_in = StandIn::start();
        let address: Address = stand_in.url().parse().expect("the stand-in's own address");
        let first = wait(EventStoreLog::open(&address, None, PATIENCE)).expect("a fresh server begins a log");
        Self {
            stand_in,
            first,
            runs: 0,
        }
    }

    pub(crate) fn switches(&self) -> Handle {
        self.stand_in.handle()
    }

    /// An empty log, through the server's one client.
    pub(crate) fn log(&self) -> Result<EventStoreLog, LogError> {
        another(&self.first)
    }
}

/// An empty log on the server of this one.
pub(crate) fn another(log: &EventStoreLog) -> Result<EventStoreLog, LogError> {
    let name = format!("s{}", NAMES.fetch_add(1, Ordering::Relaxed));
    wait(log.another(name.parse().expect("a name")))
}
