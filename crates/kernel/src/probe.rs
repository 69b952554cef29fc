//! Asking the wire whether somebody has an address.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, Icmpv6Type, PacketBuilder};
use model::{Link, MacAddress};
use rustix::net::sockopt::set_ipv6_add_membership;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::KernelError;
use crate::answer::answer;
use crate::netlink::Failure;
use crate::packet::{Frames, send};

/// How often is asked: as often as RFC 5227 has it (`PROBE_NUM`, section 1.1).
const QUESTIONS: u32 = 3;

/// The largest frame that is looked at. Answers have some 90 bytes.
const LARGEST: usize = 2048;

/// At most so many frames are read before the clock is looked at again. More than the kernel keeps for a socket: 212,992
/// bytes (`net.core.rmem_default`), and each frame takes up 768 at the least.
const AT_ONCE: usize = 512;

/// Who has `address` on the wire of `parent`, or probes for it at the same time. Waits for an answer until `limit` is over,
/// and then it is nobody.
///
/// That is asked in the name of nobody, as a host does before it takes an address: no neighbour learns anything from the
/// question. The parent's own MAC is never the answer, as all of its slaves have it too.
///
/// Neighbours advertise an IPv6 address to all nodes. A parent with `disable_ipv6` is no member of that group, and if its
/// hardware filters multicast, such an answer does not come in: then only those that probe themselves are found.
///
/// # Errors
/// When the parent has no MAC or is down, or when its frames cannot be sent and received.
pub fn probe(address: IpAddr, parent: &Link, limit: Duration) -> Result<Option<MacAddress>, KernelError> {
    let Some(mac) = parent.mac else { return Err(KernelError::NotSuitable { parent: parent.name.clone() }) };
    ask(address, parent.index, mac, limit)
        .map_err(|error| Failure::Io(error).while_trying_to(format!("probe for {address} on {}", parent.name)))
}

fn ask(address: IpAddr, parent: u32, own: MacAddress, limit: Duration) -> io::Result<Option<MacAddress>> {
    let frames = match address {
        IpAddr::V4(_) => Frames::listen(EtherType::ARP, parent),
        IpAddr::V6(_) => Frames::listen(EtherType::IPV6, parent),
    }?;
    let _member = match address {
        IpAddr::V4(_) => None, // ARP is broadcast
        IpAddr::V6(address) => join(group(address), parent),
    };
    let question = question(address, own)?;
    let mut buffer = [0; LARGEST];
    let begin = Instant::now();
    for turn in 1..=QUESTIONS {
        send(&question, parent)?;
        let until = begin + limit / QUESTIONS * turn;
        let mut in_time = true;
        while in_time {
            // What has come in by the end is read even if the machine was too busy to do so before.
            in_time = frames.wait(until)?;
            for _ in 0..AT_ONCE {
                let Some(frame) = frames.read(&mut buffer)? else { break };
                if let Some(holder) = answer(frame, address, own) {
                    return Ok(Some(holder));
                }
            }
        }
    }
    Ok(None)
}

/// Has the link take in what is sent to a multicast group, as long as the socket lives.
fn join(group: Ipv6Addr, link: u32) -> Option<OwnedFd> {
    let join = || {
        let socket = socket_with(AddressFamily::INET6, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        set_ipv6_add_membership(&socket, &group, link)?;
        Ok(socket)
    };
    let joined: rustix::io::Result<OwnedFd> = join();
    // Without IPv6 in the kernel or on the link. It is needed to hear of others that probe, not of those that have it.
    joined.inspect_err(|error| tracing::debug!(%group, link, %error, "a multicast group is not joined")).ok()
}

/// The solicited-node multicast address (RFC 4291, section 2.7.1), which whoever has the address listens to.
fn group(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c].into()
}

/// An Ethernet frame that asks who has an address.
fn question(address: IpAddr, own: MacAddress) -> io::Result<Vec<u8>> {
    const NOBODY: [u8; 6] = [0; 6];
    let own = own.octets();
    let mut frame = Vec::new();
    let written = match address {
        // An ARP probe: from no address (RFC 5227, section 2.1.1).
        IpAddr::V4(address) => {
            let (ethernet, ip) = (ArpHardwareId::ETHERNET, EtherType::IPV4);
            let request = ArpOperation::REQUEST;
            let arp = ArpPacket::new(ethernet, ip, request, &own, &[0; 4], &NOBODY, &address.octets());
            PacketBuilder::ethernet2(own, [0xff; 6]).arp(arp.map_err(io::Error::other)?).write(&mut frame)
        }
        // A neighbour solicitation, from no address and so without the sender's link-layer address (RFC 4862, section
        // 5.4.2). The group's MAC: RFC 2464, section 7.
        IpAddr::V6(address) => {
            const HOPS: u8 = 255;
            let group = group(address).octets();
            let [.., a, b, c, d] = group;
            PacketBuilder::ethernet2(own, [0x33, 0x33, a, b, c, d])
                .ipv6([0; 16], group, HOPS)
                .icmpv6(Icmpv6Type::NeighborSolicitation)
                .write(&mut frame, &address.octets())
        }
    };
    written.map_err(io::Error::other)?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 7];

    #[test]
    fn an_arp_probe_comes_from_no_address() {
        let expected: Vec<u8> = [
            &[0xff; 6][..],
            &OWN,
            &[0x08, 0x06],
            &[0, 1, 0x08, 0, 6, 4, 0, 1],
            &OWN,
            &[0; 4],
            &[0; 6],
            &[192, 0, 2, 9],
        ]
        .concat();
        assert_eq!(question("192.0.2.9".parse().unwrap(), OWN.into()).unwrap(), expected);
    }

    #[test]
    fn a_solicitation_goes_to_those_that_may_have_the_address() {
        let address: Ipv6Addr = "2001:db8::ab:cdef".parse().unwrap();
        let frame = question(address.into(), OWN.into()).unwrap();
        let (ethernet, ip) = frame.split_at(14);
        assert_eq!(ethernet, [&[0x33, 0x33, 0xff, 0xab, 0xcd, 0xef][..], &OWN, &[0x86, 0xdd]].concat());
        let (header, icmp) = ip.split_at(40);
        assert_eq!((header[6], header[7]), (58, 255), "ICMPv6 that no router forwards");
        assert_eq!(header[8..24], [0; 16], "from no address");
        assert_eq!(header[24..], "ff02::1:ffab:cdef".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!((icmp[0], icmp[1], &icmp[4..8]), (135, 0, &[0; 4][..]));
        assert_eq!(icmp[8..], address.octets(), "and no option");
    }
}
