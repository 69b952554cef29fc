//! `ipvland serve`: the daemon.

mod announcements;
mod changes;
mod connections;
mod repairs;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use engine::Paths;
use sd_notify::NotifyState;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::docker;
use crate::standby::{Background, Standby};

use self::repairs::Asked;
use self::socket::Socket;

/// What calls on the way get to finish after the daemon was told to stop: a little more than they may take.
const DRAIN_LIMIT: Duration = Duration::from_secs(11);

/// Listens, says that it is ready, answers until it is told to stop, and lets calls on the way finish.
pub(crate) fn run(paths: Paths, path: &Path, engine_socket: PathBuf) -> Result<()> {
    let socket = Socket::open(path)?;
    let (standby, Background { repairs, attached }) = Standby::new(paths);
    // The engine knows a driver by the name of its socket.
    let driver = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    repairs::begin(Arc::clone(&standby), repairs, Asked { socket: engine_socket, driver })
        .context("starting the thread that repairs")?;
    changes::begin(Arc::clone(&standby)).context("starting the thread that hears of changes")?;
    announcements::begin(Arc::clone(&standby), attached).context("starting the thread that announces")?;

    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(serve(&socket, standby));
    // A call that outlived the drain is left behind: what it has begun is an intent, and repair finds it.
    runtime.shutdown_background();
    socket.remove();
    served
}

async fn serve(socket: &Socket, standby: Arc<Standby>) -> Result<()> {
    let listener = socket.listener()?;
    let told_to_stop = told_to_stop()?;
    tell_systemd(NotifyState::Ready);
    tracing::info!(socket = %socket, "serving");
    let told_to_stop = async {
        told_to_stop.await;
        tell_systemd(NotifyState::Stopping);
    };
    connections::serve(listener, docker::routes(standby), told_to_stop, DRAIN_LIMIT).await;
    tracing::info!("stopped");
    Ok(())
}

fn told_to_stop() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Without systemd there is nobody to tell, and that is success.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd was not told how the daemon is");
    }
}
