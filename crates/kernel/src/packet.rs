//! Frames put on the wire and taken from it as they are. The one file with `unsafe` in it.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use etherparse::EtherType;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, bind, recvfrom, sendto, socket_with,
};

use crate::attributes::u32_at;

/// Sends an Ethernet frame out of the link with this index, of the calling thread's namespace.
pub(crate) fn send(frame: &[u8], out_of: u32) -> io::Result<()> {
    // Of no protocol, so that nothing is ever received on it (`packet(7)`).
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let sent = sendto(&socket, frame, SendFlags::empty(), &LinkAddress::new(out_of, EtherType(0))?)?;
    if sent == frame.len() { Ok(()) } else { Err(io::Error::other("only a part of the frame was sent")) }
}

/// The frames of one protocol that come in on a link.
pub(crate) struct Frames {
    socket: OwnedFd,
    link: u32,
}

impl Frames {
    /// From now on, on the link with this index, of the calling thread's namespace.
    pub(crate) fn listen(protocol: EtherType, link: u32) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Of no protocol until it is bound: else it would hear every link meanwhile.
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        bind(&socket, &LinkAddress::new(link, protocol)?)?;
        Ok(Self { socket, link })
    }

    /// Waits until there is something to read. Whether that was before `until`, at which it ends anyway.
    pub(crate) fn wait(&self, until: Instant) -> io::Result<bool> {
        let left = until.saturating_duration_since(Instant::now());
        let limit = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => Ok(Instant::now() < until),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The next frame that came in and was not read yet, empty where it is of another wire; what does not fit into
    /// `buffer` is lost. `None` where there is nothing to read.
    pub(crate) fn read<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        match recvfrom(&self.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((length, _, Some(from))) if self.came_in_here(&from) => Ok(Some(&buffer[..length])),
            Ok(_) | Err(Errno::INTR) => Ok(Some(&[])),
            Err(Errno::AGAIN) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether a frame is of the link's own wire: `__netif_receive_skb_core()` in `net/core/dev.c` shows a listener those
    /// of the VLAN links above too, and marks those of a VLAN that has no link as meant for others.
    fn came_in_here(&self, from: &SocketAddrAny) -> bool {
        const INDEX: usize = std::mem::offset_of!(LinkAddress, index);
        const PACKET_TYPE: usize = std::mem::offset_of!(LinkAddress, packet_type);
        const PACKET_OTHERHOST: u8 = 3;
        let from = bytes(from);
        u32_at(from, INDEX) == Some(self.link) && from.get(PACKET_TYPE).is_some_and(|kind| *kind != PACKET_OTHERHOST)
    }
}

/// `struct sockaddr_ll` of `include/uapi/linux/if_packet.h`.
#[repr(C)]
struct LinkAddress {
    family: u16,
    protocol: u16,
    index: i32,
    hardware_type: u16,
    packet_type: u8,
    address_length: u8,
    address: [u8; 8],
}

impl LinkAddress {
    fn new(index: u32, protocol: EtherType) -> io::Result<Self> {
        let index = i32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            family: AddressFamily::PACKET.as_raw(),
            protocol: protocol.0.to_be(),
            index,
            hardware_type: 0,
            packet_type: 0,
            address_length: 0,
            address: [0; 8],
        })
    }
}

// SAFETY: `f` gets the address and the size of a `LinkAddress`, which lives until it returns and is laid out as the
// kernel's `struct sockaddr_ll`: every byte of it is initialised and there is no padding.
#[expect(unsafe_code, reason = "rustix knows no address of a packet socket")]
unsafe impl SocketAddrArg for LinkAddress {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        let length = SocketAddrLen::try_from(size_of::<Self>()).expect("20 bytes");
        f(std::ptr::from_ref(self).cast(), length)
    }
}

/// What the kernel wrote: a `struct sockaddr_ll`, of which older kernels leave out the last two bytes.
#[expect(unsafe_code, reason = "rustix knows no address of a packet socket")]
fn bytes(address: &SocketAddrAny) -> &[u8] {
    let length = usize::try_from(address.addr_len()).expect("at most 128 bytes");
    // SAFETY: a `SocketAddrAny` holds `addr_len()` initialised bytes from `as_ptr()` on, which live and stay as they are
    // as long as it is borrowed.
    unsafe { std::slice::from_raw_parts(address.as_ptr().cast(), length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_laid_out_as_the_kernels() {
        assert_eq!(size_of::<LinkAddress>(), 20);
        assert_eq!(std::mem::offset_of!(LinkAddress, index), 4);
        assert_eq!(std::mem::offset_of!(LinkAddress, packet_type), 10);
        assert_eq!(std::mem::offset_of!(LinkAddress, address), 12);
    }

    #[test]
    fn what_the_kernel_writes_is_read_back() {
        let written = LinkAddress::new(7, EtherType::ARP).unwrap().as_any();
        assert_eq!(bytes(&written)[2..8], [&[0x08, 0x06][..], &7i32.to_ne_bytes()].concat());
    }
}
