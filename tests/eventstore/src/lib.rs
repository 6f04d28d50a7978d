//! An EventStoreDB/KurrentDB server in this process, for tests and benches: the real gRPC protocol over a real socket,
//! the log in memory, and switches for what goes wrong with such servers.
//!
//! It gives itself out as a 24.10 ([`SERVER_VERSION`]). What it does was held against the server's C# source where it
//! could be; the rest is assumed.
//!
//! **Confirmed in the source** (file of the server behind each):
//! - expected versions and idempotency, `IndexWriter.CheckCommit`; one cache of ids for all streams in which the first
//!   place of an id wins, `BoundedCache.PutRecord`: `Any` knows an id only in the stream that had it first, and the
//!   cache is bounded (see [`Handle::forget_event_ids`]);
//! - the unary append, its answers and refusals, `Streams.Append.cs`, `RpcExceptions.cs`; the batch append with its
//!   errors inside the answers, their codes and details, and a refusal by a follower that ends the whole stream,
//!   `Streams.BatchAppend.cs`, `Status.cs`; the size of an append, `Event.SizeOnDisk` (older servers count the body
//!   only, by a slip of precedence; newer ones also limit single events, which is not done here);
//! - `$all` is read inclusively forwards, exclusively backwards, `AllReader.cs`; pages of 32;
//! - not-found streams, first and last positions of a stream, `Enumerator.ReadStreamForwards/Backwards.cs`;
//! - subscriptions begin after what they name; confirmation, catching up, checkpoint, caught up, live,
//!   `Enumerator.AllSubscriptionFiltered.cs`, `Enumerator.StreamSubscription.cs`; an empty `CaughtUp`, an unknown position
//!   written as the greatest number, `Streams.Read.cs`;
//! - wrong credentials are `Unauthenticated`, `AuthenticationMiddleware.cs`; no access is `PermissionDenied`;
//! - older servers give no positions in reads of one stream, `ResolvedEvent.cs`
//!   ([`Handle::stream_reads_without_positions`]).
//!
//! **Assumed**: that servers give them since 22.6; the position answered for an append is that of its last event; an
//! append of no events is a success without a position; anonymous callers are refused where users are required, but
//! gossip and features stay open; a checkpoint stands at the last event looked at (the server may name an earlier one);
//! who reads from a position that is no event's gets what follows it (the server may refuse); a follower forwards what
//! does not require the leader; gossip knows of a stopped node at once.
//!
//! **Not there**: deletion and tombstones, links, `$maxAge`, persistent subscriptions, TLS, elections, `FellBehind`, a
//! log that differs between nodes.
//!
//! Connections have `TCP_NODELAY`, as with tonic's own server and Kestrel by default.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool of tests: a surprise must end the test"
)]
#![allow(clippy::result_large_err, reason = "tonic's own Status")]

mod append;
mod batch;
mod call;
mod encode;
mod event;
mod faults;
mod filter;
mod handle;
mod read;
mod serve;
mod services;
mod shared;
mod state;
mod status;
mod subscribe;
#[allow(missing_docs, dead_code, clippy::all, clippy::pedantic, reason = "generated")]
mod wire {
    include!(concat!(env!("OUT_DIR"), "/wire.rs"));
}

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;

pub use event::{Event, Expected, Proposed};
pub use faults::{Attempt, Fault};
pub use handle::{Handle, Snapshot};
pub use services::SERVER_VERSION;
pub use status::MAX_APPEND_SIZE;

use shared::{Node, Shared};

/// A server, or a cluster of them over one log, for as long as this value lives; derefs to its [`Handle`].
pub struct StandIn {
    handle: Handle,
    runtime: Option<tokio::runtime::Runtime>,
}

impl StandIn {
    /// One node.
    #[must_use]
    pub fn start() -> Self {
        Self::cluster(1)
    }

    /// Several nodes over one log; the first leads.
    #[must_use]
    pub fn cluster(nodes: usize) -> Self {
        // Its own threads: a test may pause its clock or block.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("eventstore-stand-in")
            .enable_all()
            .build()
            .expect("a runtime");
        let listeners: Vec<_> = (0..nodes)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
            .collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::new(
            listeners
                .iter()
                .map(|one| Node {
                    port: port(one),
                    running: None,
                })
                .collect(),
        ));
        for (index, listener) in listeners.into_iter().enumerate() {
            let seat = call::Seat {
                shared: Arc::clone(&shared),
                index,
            };
            let running = serve::Running::start(runtime.handle(), listener, seat).expect("a node starts");
            shared.nodes()[index].running = Some(running);
        }
        Self {
            handle: Handle {
                shared,
                runtime: runtime.handle().clone(),
            },
            runtime: Some(runtime),
        }
    }

    /// The connection string: one node, or all of them as seeds.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<_> = (0..self.node_count())
            .map(|node| format!("127.0.0.1:{}", self.port(node)))
            .collect();
        format!("esdb://{}?tls=false", hosts.join(","))
    }

    /// A handle to keep.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Deref for StandIn {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Never blocking: a test may drop it inside async code. Its nodes' slots hold a cycle back to the log.
        self.shared.nodes().clear();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
