//! `tieout serve`: each connection on its schedule, health and readiness, a clean end on SIGTERM.
//!
//! One task a connection: its cycles follow one another, so that two never run at once. Told to stop, a connection that
//! waits ends at once; one at work finishes the step in hand for a grace time, and what it leaves is resolvable from
//! the log: an intent without an outcome is what the next cycle resolves first.
//!
//! Where several instances share a cluster's log, one works a connection and the others stand by (`tenure`).
//!
//! Between two cycles it wakes for look-ups of documents in doubt that are due, so that doubt ends soon and not only with
//! the next cycle. Expensify is not asked for that.

mod looks;
mod post;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tieout_domain::journal::Streams;
use tieout_domain::workflow::Roster;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outcome::Summary;
use super::sync::cycle;
use crate::config::ConnectionConfig;
use crate::installation::{Installation, World};
use crate::out::{DONE, Failure, Out};
use crate::tenure::Candidate;
use post::{Post, Taken};

/// How long a cycle at work may go on after the signal.
const GRACE: Duration = Duration::from_secs(30);

/// What readiness looks at.
struct Health {
    stopping: AtomicBool,
    /// Has each connection had a cycle that reached both systems?
    ready: Vec<AtomicBool>,
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(installation: Installation, out: Out) -> Result<u8, Failure> {
    let installation = Arc::new(installation);
    let configs: Vec<ConnectionConfig> = installation.config.chosen(None)?.into_iter().cloned().collect();
    // Whatever is wrong with the configuration is said now, not at the first cycle.
    for config in &configs {
        installation.connection(config)?;
        installation.world(config)?;
    }
    let health = Arc::new(Health {
        stopping: AtomicBool::new(false),
        ready: configs.iter().map(|_| AtomicBool::new(false)).collect(),
    });
    let listen = installation.config.serve.listen;
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| {
        Failure::Usage(format!(
            "[serve] listen {listen} cannot be bound: {e}; is another `tieout serve` running?"
        ))
    })?;
    let address = listener.local_addr()?;
    out.aside(&format!(
        "tieout serves {} connection(s); health on http://{address}/healthz and /readyz",
        configs.len()
    ))?;

    let (stop, stopped) = watch::channel(false);
    let mut web_stop = stop.subscribe();
    let web = tokio::spawn(
        axum::serve(listener, routes(Arc::clone(&health)))
            .with_graceful_shutdown(async move {
                let _ = web_stop.wait_for(|stop| *stop).await;
            })
            .into_future(),
    );
    let mut tasks = JoinSet::new();
    for (index, config) in configs.into_iter().enumerate() {
        tasks.spawn(connection(
            Arc::clone(&installation),
            config,
            index,
            Arc::clone(&health),
            stopped.clone(),
            out,
        ));
    }

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    out.aside("tieout stops: the step in hand is finished or left resolvable")?;
    health.stopping.store(true, Ordering::SeqCst);
    installation.stop();
    let _ = stop.send(true);
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        out.aside(
            "a cycle was still at work after 30 s and is cut: the next one finds its place from the log",
        )?;
    }
    let _ = tokio::time::timeout(Duration::from_secs(2), web).await;
    Ok(DONE)
}

async fn connection(
    installation: Arc<Installation>,
    config: ConnectionConfig,
    index: usize,
    health: Arc<Health>,
    mut stopped: watch::Receiver<bool>,
    out: Out,
) {
    let mut post = Post::new(
        Candidate::of(&installation, &config),
        config.name.to_string(),
        out,
    );
    // One world for the life of the task: it holds QAD's session, and remembers a refused login.
    let mut world = match installation.world(&config) {
        Ok(world) => world.while_held(post.hold()),
        Err(failure) => {
            let _ = out.aside(&format!("{}: {failure}", config.name));
            return;
        }
    };
    // Kept from cycle to cycle: only what the log has beyond it is read.
    let delays = installation.profile(&config).map_or_else(
        |_| Vec::new(),
        |profile| profile.waits.resolve_delays.iter().map(|delay| delay.0).collect(),
    );
    let mut roster = Roster::new(Streams(config.id)).looking_again_after(delays);
    let mut versions = installation.credential_versions(&config);
    let ready = |now: bool| {
        if let Some(ready) = health.ready.get(index) {
            ready.store(now, Ordering::SeqCst);
        }
    };
    while !*stopped.borrow() {
        let taken = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            taken = post.until_ours(&ready) => taken,
        };
        // It may have stood by for months.
        if taken == Taken::Anew
            && let Some(fresh) = with_new_credentials(&installation, &config, &mut versions, out)
        {
            world = fresh.while_held(post.hold());
        }
        match cycle(&installation, &config, &world, &mut roster, false).await {
            Ok(outcome) => {
                let summary = Summary::of(config.name.as_str(), &outcome);
                ready(!outcome.polled.unreachable && !outcome.ledger_unreachable);
                let _ = out.aside(&summary.words());
            }
            Err(failure) => {
                ready(false);
                let _ = out.aside(&format!("{}: {failure}", config.name));
            }
        }
        // Credentials may have been rotated while the cycle ran: the next one uses them.
        if let Some(fresh) = with_new_credentials(&installation, &config, &mut versions, out) {
            world = fresh.while_held(post.hold());
        }
        let next = tokio::time::Instant::now() + config.every;
        loop {
            let look = looks::due(&installation, &config, &world, &roster)
                .map(|wait| tokio::time::Instant::now() + wait)
                .filter(|due| *due < next);
            let wake = look.unwrap_or(next);
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep_until(wake) => {}
                () = post.lost() => break,
            }
            if look.is_none() {
                break;
            }
            looks::look(&installation, &config, &world, &mut roster, out).await;
        }
    }
    post.give_back().await;
}

/// The connection's world anew, where its credentials were rotated since `versions`.
fn with_new_credentials(
    installation: &Installation,
    config: &ConnectionConfig,
    versions: &mut Vec<u64>,
    out: Out,
) -> Option<World> {
    let fresh = match installation.credentials_changed(config, versions) {
        Ok(false) => return None,
        Ok(true) => installation.world(config),
        Err(failure) => Err(failure),
    };
    fresh
        .map_err(|failure| out.aside(&format!("{}: {failure}", config.name)))
        .ok()
}

fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { (StatusCode::OK, "alive\n") }))
        .route(
            "/readyz",
            get(|State(health): State<Arc<Health>>| async move {
                if health.stopping.load(Ordering::SeqCst) {
                    (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
                } else if health.ready.iter().all(|ready| ready.load(Ordering::SeqCst)) {
                    (StatusCode::OK, "ready\n")
                } else {
                    (
                        StatusCode::SERVICE_UNAVAILABLE,
                        "not every connection has reached both systems in its last cycle\n",
                    )
                }
            }),
        )
        .with_state(health)
}
