//! `ipvland serve`: the daemon.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use engine::Paths;
use tokio::signal::unix::{SignalKind, signal};

use crate::docker::{self, Driver};
use crate::logs;

/// Listens, says that it is ready, answers until it is told to stop.
pub(crate) fn run(paths: &Paths, socket: &Path) -> Result<ExitCode> {
    logs::start();
    let inherited = listenfd::ListenFd::from_env().take_unix_listener(0).context("the socket from systemd")?;
    let own = inherited.is_none();
    let listener = match inherited {
        Some(listener) => listener,
        None => bind(socket)?,
    };
    listener.set_nonblocking(true).context("setting up the socket")?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let driver = Driver::new(paths.clone());
        driver.queue_repair();
        if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
            tracing::warn!(%error, "systemd was not told that the daemon is ready");
        }
        tracing::info!(socket = %socket.display(), "serving");
        axum::serve(listener, docker::routes(driver)).with_graceful_shutdown(told_to_stop()?).await?;
        anyhow::Ok(())
    })?;
    if own {
        std::fs::remove_file(socket).context("removing the socket")?;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Binds the socket, root's alone. One that a dead process left is replaced; a living one is not.
fn bind(path: &Path) -> Result<UnixListener> {
    let context = || format!("listening on {}", path.display());
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(folder).with_context(context)?;
    }
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            bail!("another process serves {}; stop it first", path.display());
        }
        std::fs::remove_file(path).with_context(context)?;
    }
    // Bound under another name and moved once its rights are set, so that nobody connects in between.
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh).with_context(context)?;
    std::fs::set_permissions(&fresh, Permissions::from_mode(0o600)).with_context(context)?;
    std::fs::rename(&fresh, path).with_context(context)?;
    Ok(listener)
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
