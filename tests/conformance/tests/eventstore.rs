//! The log's suite over an EventStoreDB server: the stand-in, which speaks its protocol; or a real one, if
//! `TIEOUT_TEST_ESDB` names it (`esdb://127.0.0.1:2113?tls=false`; each test begins a log of its own there, and leaves it).
#![allow(clippy::unwrap_used, reason = "a helper of tests outside a test function")]

use tieout_conformance::log::LogPlace;
use tieout_conformance::{log_contract, pace_contract};
use tieout_eventstore::{Address, EventStoreLog, Patience};
use tieout_eventstore_stand_in::StandIn;

/// A server with a log of its own on it.
struct ClusterPlace {
    address: Address,
    /// Dropped last.
    _server: Option<StandIn>,
}

impl ClusterPlace {
    fn new() -> Self {
        let (server, url) = match std::env::var("TIEOUT_TEST_ESDB") {
            Ok(url) => (None, url),
            Err(_) => {
                let server = StandIn::start();
                let url = server.url();
                (Some(server), url)
            }
        };
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        Self {
            address: url.parse::<Address>().unwrap().with_log(name.parse().unwrap()),
            _server: server,
        }
    }
}

impl LogPlace for ClusterPlace {
    type Log = EventStoreLog;
    async fn open(&self) -> EventStoreLog {
        EventStoreLog::open(&self.address, None, Patience::default())
            .await
            .unwrap()
    }
}

log_contract!(eventstore, ClusterPlace::new());
pace_contract!(eventstore_pace, ClusterPlace::new());
