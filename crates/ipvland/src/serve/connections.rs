//! Connections: as many as there are files for, and none that keeps its place without using it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rlimit::Resource;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at a time, where the process may have enough files open; those beyond wait in the socket's queue.
const CONNECTIONS: usize = 512;
/// How long a connection may be silent between its requests, or slow with the head of one. A container engine that has
/// something to say does so at once, and comes back on a new connection when this one is gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same where hardly any place is left.
const IMPATIENCE: Duration = Duration::from_millis(200);
/// How long nothing is accepted after the kernel has refused, as for want of files, which others give back meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on a socket until `told_to_stop`, then lets the requests on the way finish, for so long.
pub(super) async fn serve(
    listener: UnixListener,
    routes: Router,
    told_to_stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let all = places();
    let places = Arc::new(Semaphore::new(all));
    let open = GracefulShutdown::new();
    tokio::pin!(told_to_stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut told_to_stop => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let patience = if places.available_permits() < all / 4 { IMPATIENCE } else { PATIENCE };
                answer(stream, place, patience, &routes, &open);
            }
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    if tokio::time::timeout(drain, open.shutdown()).await.is_err() {
        tracing::warn!("some calls are still on the way; what they leave is repaired at the next start");
    }
}

/// Half of the files that the process may have open are left for the work that connections call for.
fn places() -> usize {
    let files = Resource::NOFILE.get().ok().and_then(|(soft, _)| usize::try_from(soft).ok());
    files.map_or(CONNECTIONS, |files| (files / 2).clamp(1, CONNECTIONS))
}

async fn accept(listener: &UnixListener, places: &Arc<Semaphore>) -> io::Result<(UnixStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    Ok((listener.accept().await?.0, place))
}

/// The connection keeps its place until it is closed.
fn answer(
    stream: UnixStream,
    place: OwnedSemaphorePermit,
    patience: Duration,
    routes: &Router,
    open: &GracefulShutdown,
) {
    let service = TowerToHyperService::new(routes.clone());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience);
    let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended badly");
        }
        drop(place);
    });
}
