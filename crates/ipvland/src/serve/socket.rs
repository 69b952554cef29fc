//! The socket that Docker finds the plugin by.

use std::fmt;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A socket that is listened on.
pub(super) enum Socket {
    /// systemd's: it was there before the daemon and stays after it, so that no call is ever refused.
    Inherited(UnixListener),
    /// The daemon's own.
    Own {
        listener: UnixListener,
        path: PathBuf,
        /// Which file it is: whoever replaced it in the meantime keeps theirs.
        file: (u64, u64),
    },
}

impl Socket {
    /// The one that systemd passes on, else one of our own at `path`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut inherited = listenfd::ListenFd::from_env();
        match inherited.take_unix_listener(0).context("systemd passed on something that is no Unix socket")? {
            Some(listener) => Ok(Socket::Inherited(listener)),
            None => bind(path).with_context(|| format!("cannot listen on {}", path.display())),
        }
    }

    /// The listener, for the runtime that is running.
    pub(super) fn listener(&self) -> Result<tokio::net::UnixListener> {
        let (Socket::Inherited(listener) | Socket::Own { listener, .. }) = self;
        let listener = listener.try_clone().context("the socket")?;
        listener.set_nonblocking(true).context("the socket")?;
        tokio::net::UnixListener::from_std(listener).context("the socket")
    }

    /// Removes the socket's file, where it is the daemon's own.
    pub(super) fn remove(self) {
        let Socket::Own { path, file, .. } = self else { return };
        if fs::symlink_metadata(&path).is_ok_and(|there| identity(&there) == file)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(%error, socket = %path.display(), "the socket is still there; the next start replaces it");
        }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Socket::Inherited(_) => f.write_str("systemd's"),
            Socket::Own { path, .. } => path.display().fmt(f),
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Binds a socket for root alone, in the place of one that a dead process left.
fn bind(path: &Path) -> Result<Socket> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(folder).context("its folder cannot be made")?;
    }
    refuse_what_is_in_use(path)?;
    // Bound under another name and moved once its rights are set, so that nobody gets in between. Docker takes what
    // ends in `.sock` for plugins, so this name does not.
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)?;
    let moved = fs::set_permissions(&fresh, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&fresh, path));
    if let Err(error) = moved {
        let _ = fs::remove_file(&fresh);
        return Err(error.into());
    }
    let file = identity(&fs::symlink_metadata(path)?);
    Ok(Socket::Own { listener, path: path.to_owned(), file })
}

/// Only a socket that nobody listens on may be replaced.
fn refuse_what_is_in_use(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(there) if !there.file_type().is_socket() => bail!("there is something that is no socket; move it away"),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => bail!("another process serves it; stop that first"),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context("it cannot be told whether another process serves it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_roots_alone_and_goes_with_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins/ipvland.sock");
        let socket = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        socket.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_dead_one_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ipvland.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a dead process leaves its socket");
        let living = bind(&path).unwrap();
        let refused = bind(&path).map(|_| ()).unwrap_err();
        assert_eq!(refused.to_string(), "another process serves it; stop that first");
        UnixStream::connect(&path).unwrap();
        drop(living);
    }

    #[test]
    fn what_is_no_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ipvland.sock");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn one_that_was_replaced_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ipvland.sock");
        let first = bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let _second = UnixListener::bind(&path).unwrap();
        first.remove();
        assert!(path.exists());
    }
}
