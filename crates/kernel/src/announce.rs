//! Telling neighbours where an address is.

use std::io;
use std::net::IpAddr;

use etherparse::icmpv6::NeighborAdvertisementHeader;
use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, Icmpv6Type, PacketBuilder};
use model::Link;

use crate::KernelError;
use crate::netlink::Failure;
use crate::packet::send;

/// Sends one unsolicited announcement on the wire of `parent`: that `address` is at the parent's MAC, which all of its
/// slaves have.
///
/// Neighbours that know the address at another MAC correct that at once, others take no notice: `arp_process()` in
/// `net/ipv4/arp.c` and `ndisc_recv_na()` in `net/ipv6/ndisc.c`. The frame leaves the parent, so it reaches the wire
/// and neither the host nor the slaves beside, which have the same MAC anyway.
///
/// # Errors
/// When the parent has no MAC or the frame cannot be sent.
pub fn announce(address: IpAddr, parent: &Link) -> Result<(), KernelError> {
    let Some(mac) = parent.mac else { return Err(KernelError::NotSuitable { parent: parent.name.clone() }) };
    let sent = frame(address, mac.octets()).and_then(|frame| send(&frame, parent.index));
    sent.map_err(|error| Failure::Io(error).while_trying_to(format!("announce {address} on {}", parent.name)))
}

/// An Ethernet frame that says where an address is.
fn frame(address: IpAddr, mac: [u8; 6]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    let written = match address {
        // An ARP announcement: a request for one's own address (RFC 5227, section 2.3).
        IpAddr::V4(address) => {
            let (address, nobody) = (address.octets(), [0; 6]);
            let arp = ArpPacket::new(
                ArpHardwareId::ETHERNET,
                EtherType::IPV4,
                ArpOperation::REQUEST,
                &mac,
                &address,
                &nobody,
                &address,
            );
            let arp = arp.map_err(io::Error::other)?;
            PacketBuilder::ethernet2(mac, [0xff; 6]).arp(arp).write(&mut frame)
        }
        // An unsolicited neighbour advertisement to all nodes (RFC 4861, sections 4.4 and 7.2.6): the target, and the
        // option that holds its link-layer address.
        IpAddr::V6(address) => {
            const ALL_NODES: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
            const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
            const HOPS: u8 = 255;
            let flags = NeighborAdvertisementHeader { router: false, solicited: false, r#override: true };
            let body = [&address.octets()[..], &[TARGET_LINK_LAYER_ADDRESS, 1], &mac].concat();
            PacketBuilder::ethernet2(mac, ALL_NODES_MAC)
                .ipv6(address.octets(), ALL_NODES, HOPS)
                .icmpv6(Icmpv6Type::NeighborAdvertisement(flags))
                .write(&mut frame, &body)
        }
    };
    written.map_err(io::Error::other)?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

    #[test]
    fn an_arp_announcement_asks_everybody_for_its_own_address() {
        let expected: Vec<u8> = [
            &[0xff; 6][..],
            &MAC,
            &[0x08, 0x06],
            &[0, 1, 0x08, 0, 6, 4, 0, 1],
            &MAC,
            &[192, 0, 2, 9],
            &[0; 6],
            &[192, 0, 2, 9],
        ]
        .concat();
        assert_eq!(frame("192.0.2.9".parse().unwrap(), MAC).unwrap(), expected);
    }

    #[test]
    fn a_neighbour_advertisement_overrides_what_is_known() {
        let frame = frame("2001:db8::9".parse().unwrap(), MAC).unwrap();
        let (ethernet, ip) = frame.split_at(14);
        assert_eq!(ethernet, [&[0x33, 0x33, 0, 0, 0, 1][..], &MAC, &[0x86, 0xdd]].concat());
        let (header, icmp) = ip.split_at(40);
        assert_eq!((header[6], header[7]), (58, 255), "ICMPv6 that no router forwards");
        let target: std::net::Ipv6Addr = "2001:db8::9".parse().unwrap();
        assert_eq!(header[8..24], target.octets());
        assert_eq!((icmp[0], icmp[1], icmp[4]), (136, 0, 0x20), "override, neither solicited nor a router");
        assert_eq!(icmp[8..], [&target.octets()[..], &[2, 1], &MAC].concat());
        assert_eq!(checksum(header, icmp), 0xffff);
    }

    /// RFC 4443, section 2.3: over addresses, length, next header and message, the message's own field included.
    fn checksum(header: &[u8], icmp: &[u8]) -> u32 {
        let length = u32::try_from(icmp.len()).unwrap();
        let words = [&header[8..40], icmp].concat();
        let mut sum: u32 = words.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        sum += length + 58;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum
    }
}
