//! An HTTP listener that can also drop a connection without an answer.
//!
//! axum's own `serve` must answer every request, so the connection loop is ours: a response that bears
//! [`ConnectionDropped`] is not sent, the connection is closed instead.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Marks a response that must not be sent: the connection is closed without an answer. Over a socket the listener does
/// so; who calls a router in process finds this in the response's extensions and must do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionDropped;

impl IntoResponse for ConnectionDropped {
    fn into_response(self) -> Response<Body> {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a stand-in did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error(
        "the stand-in cannot listen on 127.0.0.1:{port} ({source}); name another port, or 0 for any free one"
    )]
    Bind {
        /// The port asked for.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A listener at work on loopback. Dropping it stops it at once; [`Listener::shutdown`] lets the calls in hand finish.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

/// How long [`Listener::shutdown`] waits for calls in hand before it cuts them off.
const GRACE: Duration = Duration::from_secs(5);

impl Listener {
    /// Binds `127.0.0.1:port` (0, any free port) and serves `router` there.
    pub async fn start(port: u16, router: Router) -> Result<Self, StartError> {
        let bind = |source| StartError::Bind { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (stop, stopped) = watch::channel(false);
        let accepting = Some(tokio::spawn(accept(listener, router, stopped)));
        Ok(Self {
            address,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets the calls in hand finish (for a few seconds), and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // An error here is a task that panicked or was cancelled: it is over either way.
            let _ = accepting.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let for_connections = stopped.clone();
    loop {
        tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), for_connections.clone()));
                }
                // Out of file descriptors, most likely: let some close instead of spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What has not finished by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(GRACE, drained).await;
}

async fn serve(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Without it, small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = answer(router, request.map(Body::new)).await;
            match response.extensions().get::<ConnectionDropped>() {
                Some(_) => Err(Hangup),
                None => Ok(response),
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A connection that ends in an error is a client that went away or one dropped on purpose: nothing to report.
    let stopping = tokio::select! {
        _ = connection.as_mut() => false,
        () = told_to_stop(&mut stopped) => true,
    };
    if stopping {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Waits for the word; returns nothing, so that no guard of the channel lives across the caller's next await.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error is a sender that is gone: stop, too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn answer(router: Router, request: Request<Body>) -> Response<Body> {
    match tower::ServiceExt::oneshot(router, request).await {
        Ok(response) => response,
        Err(impossible) => match impossible {},
    }
}

/// Makes hyper close the connection without an answer.
#[derive(Debug, Error)]
#[error("connection dropped on purpose")]
struct Hangup;
