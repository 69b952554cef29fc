//! Network namespaces: opening them, telling them apart, and sockets in them.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fstatfs};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::netlink::Netlink;

/// The file system of namespaces (`include/uapi/linux/magic.h`).
const NSFS_MAGIC: rustix::fs::FsWord = 0x6e73_6673;

/// A network namespace. It stays alive while this is, so this is kept no longer than needed: who holds the namespace
/// of a container that ends holds its links and addresses too.
pub(crate) struct Namespace {
    file: File,
    identity: Identity,
}

/// Device and inode of a namespace, by which `namespaces(7)` says they are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity(u64, u64);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl Identity {
    /// That of the file at a path, which need not be a namespace. `None` where there is no file.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|found| Identity(found.dev(), found.ino()))
    }
}

impl Namespace {
    /// The namespace of the calling thread: the host's, as no thread but those made here ever enters another.
    pub(crate) fn host() -> io::Result<Self> {
        Self::open(Path::new("/proc/thread-self/ns/net"))
    }

    /// Opens the namespace at a path.
    ///
    /// # Errors
    /// Anything else at that path counts as not found: the file of a sandbox is there before the namespace is mounted
    /// on it and after it has been unmounted.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Not blocking, should somebody have put a pipe there.
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).expect("flags of open(2) are an int");
        let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
        if fstatfs(&file)?.f_type != NSFS_MAGIC {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no namespace is mounted there"));
        }
        let found = file.metadata()?;
        Ok(Self { file, identity: Identity(found.dev(), found.ino()) })
    }

    /// What tells it from others.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The open file, for requests that name a namespace by descriptor.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Opens a netlink socket inside. It stays where it was made (`__netlink_create()` takes the maker's namespace).
    ///
    /// # Errors
    /// As [`Namespace::run`].
    pub(crate) fn netlink(&self) -> io::Result<Netlink> {
        self.run(Netlink::open)
    }

    /// Does something inside: a thread of its own enters the namespace, does it and ends, so that no other thread ever
    /// changes its namespace.
    ///
    /// # Errors
    /// Those of `work`. A namespace of another type (`setns(2)`: EINVAL) counts as not found.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let enter = || match move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network)) {
            Ok(()) => work(),
            Err(Errno::INVAL) => Err(io::Error::new(io::ErrorKind::NotFound, "it is no network namespace")),
            Err(errno) => Err(errno.into()),
        };
        std::thread::scope(|scope| {
            let inside = std::thread::Builder::new().name("namespace".into()).spawn_scoped(scope, enter)?;
            inside.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
        })
    }
}

/// Whether an error says that the namespace is not there any more.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    // ESRCH: the process behind `/proc/PID/ns/net` has ended.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}
