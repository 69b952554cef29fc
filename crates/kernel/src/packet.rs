//! Frames put on the wire as they are. The one file with `unsafe` in it.

use std::io;

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};

/// Sends an Ethernet frame out of the link with this index, of the calling thread's namespace.
pub(crate) fn send(frame: &[u8], out_of: u32) -> io::Result<()> {
    // Of no protocol, so that nothing is ever received on it (`packet(7)`).
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let sent = sendto(&socket, frame, SendFlags::empty(), &LinkAddress::new(out_of)?)?;
    if sent == frame.len() { Ok(()) } else { Err(io::Error::other("only a part of the frame was sent")) }
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
    fn new(index: u32) -> io::Result<Self> {
        let index = i32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            family: AddressFamily::PACKET.as_raw(),
            protocol: 0,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_laid_out_as_the_kernels() {
        assert_eq!(size_of::<LinkAddress>(), 20);
        assert_eq!(std::mem::offset_of!(LinkAddress, index), 4);
        assert_eq!(std::mem::offset_of!(LinkAddress, address), 12);
    }
}
