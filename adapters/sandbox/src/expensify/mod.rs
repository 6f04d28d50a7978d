//! The stand-in Expensify server (contract expensify).
//!
//! One endpoint, `POST /Integration-Server/ExpensifyIntegrations`, that reads the form it is sent, filters the
//! [`world`], and renders the FreeMarker it is given. The quirks of the contract's simulator checklist are all in; where
//! its sources disagree, [`Quirks`] has a switch. Faults strike by [`FaultKind`].
//!
//! Deliberately absent: reconciliation, card lists and the employee updaters (contract §5, §7.3, §8.2, §8.3), which
//! answer 403 as to an account without the right.

pub mod audit;
mod endpoint;
mod fault;
mod files;
pub mod freemarker;
mod jobs;
mod limiter;
mod model;
mod reply;
mod request;
pub mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::post;
use uuid::Uuid;

use crate::calls::Calls;
use crate::clock::Clock;
use crate::control;
use crate::fault::Faults;
use crate::server::{Listener, StartError};

pub use fault::FaultKind;
pub use limiter::Limits;
use world::{World, WorldHandle};

/// The path of the one endpoint.
pub const PATH: &str = "/Integration-Server/ExpensifyIntegrations";

/// How the stand-in behaves where the contract's sources leave room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// `approvedAfter` keeps reports approved on the day (documentation since 2025-09); otherwise strictly after.
    pub approved_after_is_inclusive: bool,
    /// Text arrives with its five HTML entities.
    pub html_escaped_text: bool,
    /// Refused calls answer HTTP 200 with code 429 in the body; otherwise HTTP 429.
    pub throttles_in_body: bool,
    /// A closed report's status is `Archived`; otherwise `Closed`.
    pub closed_is_archived: bool,
    /// Unset edits (`modifiedAmount`, ...) are missing; otherwise, as observed, an empty string.
    pub blanks_are_missing: bool,
    /// A partly successful `reportStatus` answers 207, as documented; otherwise, as observed, 200.
    pub partial_status_is_207: bool,
    /// The template is evaluated anew for every so many reports, with `addHeader` true on the first pass only.
    pub reports_per_pass: Option<usize>,
    /// How templates are rendered.
    pub rendering: freemarker::Rendering,
}

impl Quirks {
    /// As observed, or else as documented last.
    pub fn observed() -> Self {
        Self {
            approved_after_is_inclusive: true,
            html_escaped_text: false,
            throttles_in_body: false,
            closed_is_archived: false,
            blanks_are_missing: false,
            partial_status_is_207: false,
            reports_per_pass: None,
            rendering: freemarker::Rendering::default(),
        }
    }
}

/// What a stand-in starts with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The port on 127.0.0.1; 0, any free one.
    pub port: u16,
    /// Its time.
    pub clock: Clock,
    /// What it knows.
    pub world: World,
    /// Its rate limit; none lets everything pass.
    pub limits: Option<Limits>,
    /// Its behaviour where there is a choice.
    pub quirks: Quirks,
    /// The seed of file names, so that a simulation can repeat itself.
    pub seed: u64,
}

impl Config {
    /// Any free port, the machine's time, the documented limits, the observed quirks.
    pub fn new(world: World) -> Self {
        Self {
            port: 0,
            clock: Clock::real(),
            world,
            limits: Some(Limits::production()),
            quirks: Quirks::observed(),
            seed: 0,
        }
    }
}

/// What the parts of the stand-in share.
#[derive(Debug)]
struct State {
    clock: Clock,
    world: WorldHandle,
    limiter: limiter::Limiter,
    quirks: Quirks,
    files: files::Files,
    faults: Faults<FaultKind>,
    calls: Calls,
    seed: u64,
    names: AtomicU64,
}

impl State {
    /// The next random-looking id: version 4 in form, drawn from the seed.
    fn next_uuid(&self) -> Uuid {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/{number}", self.seed).as_bytes());
        uuid::Builder::from_random_bytes(hash.into_bytes()).into_uuid()
    }
}

/// A stand-in without a socket: its router is called in process.
#[derive(Clone, Debug)]
pub struct Expensify {
    state: Arc<State>,
}

impl Expensify {
    /// A stand-in over `config` (whose port does not matter here).
    pub fn new(config: Config) -> Self {
        let state = State {
            clock: config.clock,
            world: WorldHandle::new(config.world),
            limiter: limiter::Limiter::new(config.limits),
            quirks: config.quirks,
            files: files::Files::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            seed: config.seed,
            names: AtomicU64::new(0),
        };
        Self {
            state: Arc::new(state),
        }
    }

    /// The router: the endpoint and the control endpoints. A response that bears
    /// [`ConnectionDropped`](crate::server::ConnectionDropped) stands for a connection closed without an answer.
    pub fn router(&self) -> Router {
        Router::new()
            .route(PATH, post(endpoint::handle).get(endpoint::handle))
            .with_state(Arc::clone(&self.state))
            .merge(audit::router(Arc::clone(&self.state)))
            .merge(control::router(
                self.state.calls.clone(),
                self.state.faults.clone(),
            ))
    }

    /// What it knows, to look at and to change.
    pub fn world(&self) -> &WorldHandle {
        &self.state.world
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults<FaultKind> {
        &self.state.faults
    }

    /// The calls it got.
    pub fn calls(&self) -> &Calls {
        &self.state.calls
    }
}

/// A stand-in that listens on loopback. Dropping it stops it.
#[derive(Debug)]
pub struct ExpensifyStandIn {
    expensify: Expensify,
    listener: Listener,
}

impl ExpensifyStandIn {
    /// Starts a stand-in.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let port = config.port;
        let expensify = Expensify::new(config);
        let listener = Listener::start(port, expensify.router()).await?;
        Ok(Self { expensify, listener })
    }

    /// The address of the endpoint, for a client's configuration.
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.base_url())
    }

    /// The address of the server; the control endpoints are below `/_sandbox/` there.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// What it knows, to look at and to change.
    pub fn world(&self) -> &WorldHandle {
        self.expensify.world()
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults<FaultKind> {
        self.expensify.faults()
    }

    /// The calls it got.
    pub fn calls(&self) -> &Calls {
        self.expensify.calls()
    }

    /// Its router, to be called in process as well.
    pub fn router(&self) -> Router {
        self.expensify.router()
    }

    /// Stops it; calls in hand are answered first.
    pub async fn shutdown(self) {
        self.listener.shutdown().await;
    }
}
