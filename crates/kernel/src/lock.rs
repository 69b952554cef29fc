//! One operation at a time on a port.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use model::InterfaceName;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::KernelError;

/// What a port is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockKey {
    /// The index of its parent, which survives a rename.
    Index(u32),
    /// The name of a parent that is still to be made.
    Name(InterfaceName),
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockKey::Index(index) => write!(f, "the link with index {index}"),
            LockKey::Name(name) => write!(f, "`{name}`"),
        }
    }
}

/// A port that nobody else works on until this is dropped.
///
/// The lock belongs to an open file (`flock(2)`), of which every operation has its own, closed on exec: so it keeps
/// threads of one process apart as well as processes, and dies with its holder, however that ends.
#[derive(Debug)]
pub struct PortLock {
    _file: File,
}

impl PortLock {
    /// Waits for the port, at most `limit`.
    ///
    /// The folder is made where it is missing, for root only. The file stays behind on purpose: were it removed, a
    /// third process could lock a new one of the same name while a second still holds the old one.
    ///
    /// # Errors
    /// [`KernelError::LockTimeout`] names the port; [`KernelError::Io`] when the folder cannot be written.
    pub fn acquire(run_dir: &Path, key: &LockKey, limit: Duration) -> Result<Self, KernelError> {
        let name = match key {
            LockKey::Index(index) => format!("port-{index}.lock"),
            LockKey::Name(name) => format!("port-{name}.lock"),
        };
        let path = run_dir.join(name);
        let failed = |source| KernelError::Io { doing: format!("lock {}", path.display()), source };
        DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(failed)?;
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
        let queued = queue(file).map_err(failed)?;
        match queued.recv_timeout(limit) {
            Ok(Ok(file)) => Ok(Self { _file: file }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(KernelError::LockTimeout { what: key.to_string(), limit }),
        }
    }
}

/// Waits for a lock in the kernel's queue, where whoever comes first is served first, whichever process it is of (looking
/// again and again, one would lose against many). `flock` knows no time limit, so that a thread waits: when nobody takes
/// the lock of it any more, it is given back as soon as it comes.
fn queue(file: File) -> io::Result<Receiver<io::Result<File>>> {
    let (taken, queued) = sync_channel(0);
    let wait = move || {
        let outcome = retry_on_intr(|| flock(&file, FlockOperation::LockExclusive));
        let _ = taken.send(outcome.map(|()| file).map_err(io::Error::from));
    };
    thread::Builder::new().name("lock".into()).spawn(wait)?;
    Ok(queued)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn a_port_is_held_once_and_free_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let lock = |key| PortLock::acquire(folder.path(), &key, AT_ONCE);
        let held = lock(LockKey::Index(2)).unwrap();
        let refused = lock(LockKey::Index(2)).unwrap_err();
        assert_eq!(refused.to_string(), "other operations have held the port on the link with index 2 for 0ns");
        lock(LockKey::Index(3)).expect("another port is free");
        drop(held);
        lock(LockKey::Index(2)).expect("free again");
    }

    #[test]
    fn whoever_has_given_up_does_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = |limit| PortLock::acquire(folder.path(), &LockKey::Index(2), limit);
        let held = lock(AT_ONCE).unwrap();
        lock(AT_ONCE).expect_err("it is held");
        drop(held);
        lock(Duration::from_secs(30)).expect("free in time");
    }

    #[test]
    fn whoever_waits_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = LockKey::Name("ivd-1".parse().unwrap());
        let held = PortLock::acquire(folder.path(), &key, AT_ONCE).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| PortLock::acquire(folder.path(), &key, Duration::from_secs(30)));
            drop(held);
            waiting.join().unwrap().expect("free in time");
        });
    }
}
