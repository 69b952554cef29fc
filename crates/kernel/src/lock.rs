//! One operation at a time on a port.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
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

/// A port that nobody else works on until this is dropped.
///
/// The lock belongs to an open file (`flock(2)`), of which every operation has its own, closed on exec: so it keeps
/// threads of one process apart as well as processes, and dies with its holder, however that ends.
#[derive(Debug)]
pub struct PortLock {
    _file: File,
}

impl PortLock {
    /// Waits for the port, at most `limit`; `parent` is what an error calls it.
    ///
    /// The folder is made where it is missing, for root only. The file stays behind on purpose: were it removed, a
    /// third process could lock a new one of the same name while a second still holds the old one.
    ///
    /// # Errors
    /// [`KernelError::LockTimeout`] names the port; [`KernelError::Io`] when the folder cannot be written.
    pub fn acquire(
        run_dir: &Path,
        key: &LockKey,
        parent: &InterfaceName,
        limit: Duration,
    ) -> Result<Self, KernelError> {
        let name = match key {
            LockKey::Index(index) => format!("port-{index}.lock"),
            LockKey::Name(name) => format!("port-{name}.lock"),
        };
        let path = run_dir.join(name);
        let failed = |source| KernelError::Io { doing: format!("lock {}", path.display()), source };
        DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(failed)?;
        let waiting = queue(&path).map_err(failed)?;
        match waiting.recv_timeout(limit) {
            Ok(Ok(file)) => Ok(Self { _file: file }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(KernelError::LockTimeout { parent: parent.clone(), limit }),
        }
    }
}

/// Who waits for a lock. Given up, what was put in here is dropped with it, and so the lock is free again.
type Waiting = SyncSender<io::Result<File>>;

/// Those of this process that wait for a lock that others hold, by its file, in the order in which they came.
static QUEUES: Mutex<BTreeMap<PathBuf, VecDeque<Waiting>>> = Mutex::new(BTreeMap::new());

/// Takes a lock that is free, or a place in its queue.
///
/// `flock` knows no time limit, so a thread waits, in the kernel's own queue: looking again and again instead, one would
/// lose against many. It is one thread for all of this process that wait for the same lock, since some may give up long
/// before whoever holds it lets go.
fn queue(path: &Path) -> io::Result<Receiver<io::Result<File>>> {
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let (give, receive) = sync_channel(1);
    if let Some(queue) = queues.get_mut(path) {
        queue.push_back(give);
        return Ok(receive);
    }
    let file = open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => drop(give.send(Ok(file))),
        Err(Errno::WOULDBLOCK) => {
            let contended = path.to_owned();
            thread::Builder::new().name("lock".into()).spawn(move || hand_out(&contended))?;
            queues.insert(path.to_owned(), [give].into());
        }
        Err(errno) => return Err(errno.into()),
    }
    Ok(receive)
}

/// Gives a lock to those who wait for it, one after the other, until nobody does.
fn hand_out(path: &Path) {
    while is_wanted(path) {
        let taken = open(path).and_then(|file| {
            retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))?;
            Ok(file)
        });
        if let Some(first) = next(path) {
            // Where that one has given up, the lock is dropped, and taken again for the next.
            let _ = first.send(taken);
        }
    }
}

/// Whether somebody waits for a lock; if not, the queue is closed, and the next to come opens another.
fn is_wanted(path: &Path) -> bool {
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = queues.get(path).is_some_and(|queue| !queue.is_empty());
    if !wanted {
        queues.remove(path);
    }
    wanted
}

fn next(path: &Path) -> Option<Waiting> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner).get_mut(path)?.pop_front()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;
    const IN_TIME: Duration = Duration::from_secs(30);

    fn lock(folder: &Path, index: u32, limit: Duration) -> Result<PortLock, KernelError> {
        PortLock::acquire(folder, &LockKey::Index(index), &"eth0".parse().unwrap(), limit)
    }

    #[test]
    fn a_port_is_held_once_and_free_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path(), 2, AT_ONCE).unwrap();
        let refused = lock(folder.path(), 2, AT_ONCE).unwrap_err();
        assert_eq!(refused.to_string(), "other operations have held the port on `eth0` for 0ns");
        lock(folder.path(), 3, AT_ONCE).expect("another port is free");
        drop(held);
        lock(folder.path(), 2, IN_TIME).expect("free again");
    }

    #[test]
    fn whoever_has_given_up_does_not_keep_it_nor_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let held = lock(folder.path(), 2, AT_ONCE).unwrap();
        for _ in 0..100 {
            lock(folder.path(), 2, AT_ONCE).expect_err("it is held");
        }
        let path = folder.path().join("port-2.lock");
        let open = files().filter(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == path)).count();
        assert!(open <= 2, "the holder and one that waits, and there are {open}");
        drop(held);
        lock(folder.path(), 2, IN_TIME).expect("free in time");
    }

    #[test]
    fn all_who_wait_get_it_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path(), 2, AT_ONCE).unwrap();
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    let _held = lock(folder.path(), 2, IN_TIME).expect("free in time");
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                });
            }
            drop(held);
        });
    }
}
