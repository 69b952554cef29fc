//! Waiting for something to change: links of the host, and the namespaces that container engines keep.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use model::Link;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::KernelError;
use crate::below;
use crate::link::{self, RTM_NEWLINK};
use crate::reach::FOLDERS;
use crate::reply::{Content, replies};

/// `RTM_DELLINK` and `RTNLGRP_LINK` of `include/uapi/linux/rtnetlink.h`.
const RTM_DELLINK: u16 = 17;
const LINKS: u32 = 1;

/// Something that has changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// A link of the host has come, or is no longer as it was. Its addresses are not told.
    Link(Link),
    /// A link of the host is gone, or has gone to another namespace.
    LinkGone(Link),
    /// A namespace has gone.
    NamespaceGone,
    /// More than could be kept: anything may have changed.
    Lost,
}

/// Hears of changes from when it is made, in the namespace of the thread that makes it.
pub struct Watch {
    links: Socket,
    folders: OwnedFd,
}

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the kernel has no more sockets or watches to give.
    pub fn begin() -> Result<Self, KernelError> {
        let begin = || {
            let mut links = Socket::new(NETLINK_ROUTE)?;
            links.bind(&SocketAddr::new(0, 0))?;
            links.add_membership(LINKS)?;
            links.set_non_blocking(true)?;
            Ok(Self { links, folders: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)? })
        };
        begin().map_err(|source| KernelError::Io { doing: "listen for changes of links".into(), source })
    }

    /// Waits until something has changed, and tells all that has.
    ///
    /// # Errors
    /// When the sockets cannot be read.
    pub fn wait(&self) -> Result<Vec<Change>, KernelError> {
        let wait = || -> io::Result<Vec<Change>> {
            let folders = self.watch_folders();
            let mut ready = [PollFd::new(&self.links, PollFlags::IN), PollFd::new(&self.folders, PollFlags::IN)];
            poll(&mut ready, None)?;
            let mut changes = self.read_links()?;
            changes.extend(self.read_folders(&folders)?);
            Ok(changes)
        };
        loop {
            match wait() {
                Ok(changes) if !changes.is_empty() => return Ok(changes),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(KernelError::Io { doing: "hear of changes of links".into(), source }),
            }
        }
    }

    /// A folder that is not there yet is waited for in the nearest one that is. To watch a folder again changes nothing.
    ///
    /// The numbers of those that are there.
    fn watch_folders(&self) -> Vec<i32> {
        let mut watched = Vec::new();
        for folder in FOLDERS.map(Path::new) {
            let Some(there) = folder.ancestors().find(|folder| folder.is_dir()) else { continue };
            let events = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::DELETE_SELF;
            match inotify::add_watch(&self.folders, there, events) {
                Ok(number) if there == folder => watched.push(number),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(folder = %folder.display(), %error, "not watched: left to the next repair");
                }
            }
        }
        watched
    }

    fn read_links(&self) -> io::Result<Vec<Change>> {
        let mut changes = Vec::new();
        loop {
            let (datagram, sender) = match self.links.recv_from_full() {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changes),
                // ENOBUFS: they came faster than they were read.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    changes.push(Change::Lost);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if sender.port_number() != 0 {
                continue; // from a process, not from the kernel
            }
            changes.extend(replies(&datagram)?.iter().filter_map(|reply| change(&reply.content)));
        }
    }

    /// Of the folders only what goes is news; what comes there is the engine's to tell.
    fn read_folders(&self, folders: &[i32]) -> io::Result<Option<Change>> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(self.folders.as_fd(), &mut buffer);
        let mut gone = None;
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::DELETE) && folders.contains(&event.wd()) => {
                    gone = Some(Change::NamespaceGone);
                }
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => gone = Some(Change::Lost),
                Ok(_) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(gone),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn change(content: &Content<'_>) -> Option<Change> {
    let Content::Object(kind, body) = content else { return None };
    let link = below::on_host(link::link(body)?);
    match *kind {
        RTM_NEWLINK => Some(Change::Link(link)),
        RTM_DELLINK => Some(Change::LinkGone(link)),
        _ => None,
    }
}
