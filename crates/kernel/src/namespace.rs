//! Network namespaces: finding them and opening sockets in them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use model::SandboxKey;
use rustix::fs::{FsWord, fstat, fstatfs};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::netlink::Netlink;

/// Folders in which engines and `ip netns` keep namespaces; and every process has one.
const FOLDERS: [&str; 2] = ["/run/docker/netns", "/run/netns"];

/// The file system of namespaces (`NSFS_MAGIC` in `include/uapi/linux/magic.h`).
const NSFS_MAGIC: FsWord = 0x6e73_6673;

/// A network namespace, kept alive while this is.
pub(crate) struct Namespace {
    file: File,
    identity: (u64, u64),
}

impl Namespace {
    /// The namespace of this process: the host's.
    pub(crate) fn host() -> io::Result<Self> {
        Self::open(Path::new("/proc/self/ns/net"))
    }

    /// Opens the namespace at a path. Any other file is refused: a sandbox's path is there before the namespace is
    /// mounted on it, and after it has been unmounted.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if fstatfs(&file)?.f_type != NSFS_MAGIC {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no namespace is mounted there"));
        }
        let stat = fstat(&file)?;
        Ok(Self { file, identity: (stat.st_dev, stat.st_ino) })
    }

    /// The open file, for requests that name a namespace by descriptor.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Opens a netlink socket inside.
    ///
    /// A thread of its own enters the namespace and ends; the socket stays there. No other thread ever changes its
    /// namespace.
    pub(crate) fn netlink(&self) -> io::Result<Netlink> {
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| {
                move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))?;
                Netlink::open()
            });
            opened.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
        })
    }
}

/// The namespaces at `keys`, and with `everywhere` all others in reach, each once and never the host's own.
///
/// What is gone, or vanishes meanwhile, is left out.
pub(crate) fn reachable(host: &Namespace, keys: &[SandboxKey], everywhere: bool) -> Vec<(SandboxKey, Namespace)> {
    let mut seen = HashSet::from([host.identity]);
    let mut found = Vec::new();
    let mut look = |path: &Path| {
        let Some(key) = path.to_str().and_then(|path| path.parse::<SandboxKey>().ok()) else { return };
        if let Ok(namespace) = Namespace::open(path)
            && seen.insert(namespace.identity)
        {
            found.push((key, namespace));
        }
    };
    keys.iter().for_each(|key| look(Path::new(key.as_str())));
    if everywhere {
        FOLDERS.iter().flat_map(|folder| entries(Path::new(folder))).for_each(|path| look(&path));
        let is_process =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes()[0].is_ascii_digit());
        entries(Path::new("/proc")).filter(is_process).for_each(|path| look(&path.join("ns/net")));
    }
    found
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
