//! The connections: hyper's own HTTP/2 loop, so that one can be dropped in the middle of an answer.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle as Runtime;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tower::ServiceExt as _;

use crate::call::Seat;
use crate::wire::event_store::client::gossip::gossip_server::GossipServer;
use crate::wire::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::wire::event_store::client::streams::streams_server::StreamsServer;

/// A node that listens.
pub(crate) struct Running {
    accepting: JoinHandle<()>,
    cut_all: watch::Sender<()>,
}

impl Running {
    pub(crate) fn start(runtime: &Runtime, listener: StdListener, seat: Seat) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let cut_all = watch::Sender::new(());
        let accepting = runtime.spawn(accept(listener, seat, cut_all.clone()));
        Ok(Self { accepting, cut_all })
    }

    /// Drops every connection; the node goes on listening.
    pub(crate) fn cut_all(&self) {
        self.cut_all.send_replace(());
    }

    /// Stops listening and drops every connection; returns when nobody listens any more.
    pub(crate) fn stop(self) {
        self.accepting.abort();
        while !self.accepting.is_finished() {
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
        self.cut_all();
    }
}

/// Drops one connection.
#[derive(Clone)]
pub(crate) struct Cut(Arc<Notify>);

impl Cut {
    pub(crate) fn now(&self) {
        self.0.notify_one();
    }
}

async fn accept(listener: TcpListener, seat: Seat, cut_all: watch::Sender<()>) {
    // Appends are bounded by the server's own rule, not by the transport's.
    let streams = StreamsServer::new(seat.clone())
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20);
    let routes = Routes::new(streams)
        .add_service(GossipServer::new(seat.clone()))
        .add_service(ServerFeaturesServer::new(seat.clone()))
        .prepare();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(
            stream,
            routes.clone(),
            seat.clone(),
            cut_all.subscribe(),
        ));
    }
}

async fn connection(stream: TcpStream, routes: Routes, seat: Seat, mut cut_all: watch::Receiver<()>) {
    // As tonic's server and Kestrel do. Zero linger: to drop is to reset, as a killed server does.
    if stream
        .set_nodelay(true)
        .and_then(|()| stream.set_zero_linger())
        .is_err()
    {
        return;
    }
    let cut = Cut(Arc::new(Notify::new()));
    let cuts = cut.clone();
    let service = routes.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(cuts.clone());
        request
    });
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    // It is dropped, and with it the connection, only after the cut is counted: whoever sees the cut sees the count.
    let served = std::pin::pin!(served);
    tokio::select! {
        _ = served => return,
        () = cut.0.notified() => {}
        _ = cut_all.changed() => {}
    }
    seat.shared.connections_cut.fetch_add(1, Ordering::SeqCst);
}
