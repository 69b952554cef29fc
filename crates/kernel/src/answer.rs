//! Who has an address, read from a frame.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::icmpv6::{Icmpv6PayloadSlice, NdpOptionSlice};
use etherparse::{ArpOperation, ArpPacketSlice, EtherType, Ethernet2Slice, NetSlice, SlicedPacket, TransportSlice};
use model::MacAddress;

/// The one other than `own` that says in this frame that it has `address`, or that it is about to take it.
///
/// Anybody on the wire can have written it. What does not parse, is tagged or says nothing of the address is `None`.
pub(crate) fn answer(frame: &[u8], address: IpAddr, own: MacAddress) -> Option<MacAddress> {
    let ethernet = Ethernet2Slice::from_slice_without_fcs(frame).ok()?;
    let (source, packet) = (MacAddress::from(ethernet.source()), ethernet.payload_slice());
    let holder = match (address, ethernet.ether_type()) {
        (IpAddr::V4(address), EtherType::ARP) => arp(packet, address),
        (IpAddr::V6(address), EtherType::IPV6) => neighbour_discovery(packet, source, address),
        _ => None,
    };
    holder.filter(|holder| source != own && *holder != own)
}

/// RFC 5227, section 2.1.1: who sends from the address has it, and who probes for it is about to.
fn arp(packet: &[u8], address: Ipv4Addr) -> Option<MacAddress> {
    let packet = ArpPacketSlice::from_slice(packet).ok()?.to_packet().try_eth_ipv4().ok()?;
    let (sender, target) = (Ipv4Addr::from(packet.sender_ipv4), Ipv4Addr::from(packet.target_ipv4));
    let probes = packet.operation == ArpOperation::REQUEST && sender.is_unspecified() && target == address;
    (sender == address || probes).then(|| packet.sender_mac.into())
}

/// RFC 4862, section 5.4.3 and 5.4.4: who advertises the address has it, and who solicits it from nowhere is about to.
/// What makes a message valid is in RFC 4861, sections 7.1.1 and 7.1.2.
fn neighbour_discovery(packet: &[u8], source: MacAddress, address: Ipv6Addr) -> Option<MacAddress> {
    const NOT_FORWARDED: u8 = 255;
    let packet = SlicedPacket::from_ip(packet).ok()?;
    let (Some(NetSlice::Ipv6(ip)), Some(TransportSlice::Icmpv6(message))) = (packet.net, packet.transport) else {
        return None;
    };
    let ip = ip.header();
    let holder = match message.payload_slice().ok()? {
        Icmpv6PayloadSlice::NeighborAdvertisement(said) if said.target_address() == address => {
            let mut holder = source;
            for option in said.options_iterator() {
                if let NdpOptionSlice::TargetLinkLayerAddress(option) = option.ok()? {
                    holder = <[u8; 6]>::try_from(option.link_layer_address()).ok()?.into();
                }
            }
            holder
        }
        Icmpv6PayloadSlice::NeighborSolicitation(asked)
            if asked.target_address() == address && ip.source_addr().is_unspecified() =>
        {
            source
        }
        _ => return None,
    };
    let valid = ip.hop_limit() == NOT_FORWARDED && message.is_checksum_valid(ip.source(), ip.destination());
    valid.then_some(holder)
}

#[cfg(test)]
mod tests {
    use etherparse::icmpv6::NeighborAdvertisementHeader;
    use etherparse::{Icmpv6Type, PacketBuilder};

    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 7];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const THIRD: [u8; 6] = [2, 0, 0, 0, 0, 3];
    const V4: [u8; 4] = [192, 0, 2, 9];
    const NEXT_V4: [u8; 4] = [192, 0, 2, 8];
    const NOBODY: Ipv6Addr = Ipv6Addr::UNSPECIFIED;
    const REQUEST: u8 = 1;
    const REPLY: u8 = 2;

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn check(frame: &[u8], expected: Option<[u8; 6]>) {
        let address = if frame[12..14] == [0x08, 0x06] { IpAddr::from(V4) } else { v6("2001:db8::9").into() };
        assert_eq!(answer(frame, address, OWN.into()), expected.map(MacAddress::from), "{frame:?}");
    }

    /// From the Ethernet source, as its sender of the address.
    fn arp(source: [u8; 6], operation: u8, mac: [u8; 6], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
        let head = [&[0xff; 6][..], &source, &[0x08, 0x06], &[0, 1, 0x08, 0, 6, 4, 0, operation]];
        [&head.concat()[..], &mac, &sender, &[0; 6], &target, &[0; 18]].concat() // padded, as on a real wire
    }

    #[test]
    fn who_sends_from_the_address_has_it() {
        for operation in [REQUEST, REPLY] {
            check(&arp(OTHER, operation, OTHER, V4, [0; 4]), Some(OTHER));
            check(&arp(OTHER, operation, OTHER, V4, V4), Some(OTHER));
            check(&arp(OTHER, operation, OTHER, NEXT_V4, V4), None);
        }
        check(&arp(THIRD, REPLY, OTHER, V4, [0; 4]), Some(OTHER)); // somebody answers for it
    }

    #[test]
    fn who_probes_for_the_address_is_about_to_have_it() {
        check(&arp(OTHER, REQUEST, OTHER, [0; 4], V4), Some(OTHER));
        check(&arp(OTHER, REPLY, OTHER, [0; 4], V4), None);
        check(&arp(OTHER, REQUEST, OTHER, [0; 4], NEXT_V4), None);
    }

    #[test]
    fn what_is_ours_is_nobody_else() {
        check(&arp(OWN, REQUEST, OWN, [0; 4], V4), None); // our own question, which a wire may reflect
        check(&arp(OWN, REPLY, OWN, V4, [0; 4]), None); // a slave's answer
        check(&arp(OWN, REPLY, OTHER, V4, [0; 4]), None); // and what else a slave may send
        check(&arp(OTHER, REPLY, OWN, V4, [0; 4]), None);
        check(&advertisement(OWN, "2001:db8::9", &[2, 1, 2, 0, 0, 0, 0, 9]), None);
        check(&advertisement(OTHER, "2001:db8::9", &[2, 1, 2, 0, 0, 0, 0, 7]), None);
    }

    fn icmp(source: [u8; 6], from: Ipv6Addr, hops: u8, kind: Icmpv6Type, body: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(source, [0x33, 0x33, 0, 0, 0, 1])
            .ipv6(from.octets(), v6("ff02::1").octets(), hops)
            .icmpv6(kind)
            .write(&mut frame, body)
            .unwrap();
        frame
    }

    fn advertisement(source: [u8; 6], target: &str, options: &[u8]) -> Vec<u8> {
        let flags = NeighborAdvertisementHeader { router: false, solicited: false, r#override: true };
        let body = [&v6(target).octets()[..], options].concat();
        icmp(source, v6("fe80::9"), 255, Icmpv6Type::NeighborAdvertisement(flags), &body)
    }

    #[test]
    fn who_advertises_the_address_has_it_at_the_mac_it_names() {
        check(&advertisement(OTHER, "2001:db8::9", &[]), Some(OTHER));
        check(&advertisement(OTHER, "2001:db8::9", &[2, 1, 2, 0, 0, 0, 0, 3]), Some(THIRD));
        let after_a_nonce = [14, 1, 1, 2, 3, 4, 5, 6, 2, 1, 2, 0, 0, 0, 0, 3];
        check(&advertisement(OTHER, "2001:db8::9", &after_a_nonce), Some(THIRD));
        check(&advertisement(OTHER, "2001:db8::8", &[2, 1, 2, 0, 0, 0, 0, 3]), None);
    }

    #[test]
    fn who_solicits_the_address_from_nowhere_is_about_to_have_it() {
        let ask = |from: Ipv6Addr, target: &str| {
            icmp(OTHER, from, 255, Icmpv6Type::NeighborSolicitation, &v6(target).octets())
        };
        check(&ask(NOBODY, "2001:db8::9"), Some(OTHER));
        check(&ask(v6("2001:db8::5"), "2001:db8::9"), None); // who wants to talk to it
        check(&ask(NOBODY, "2001:db8::8"), None);
    }

    #[test]
    fn what_is_no_valid_answer_is_passed_over() {
        let flags = NeighborAdvertisementHeader { router: false, solicited: false, r#override: true };
        let target = v6("2001:db8::9").octets();
        check(&icmp(OTHER, v6("fe80::9"), 254, Icmpv6Type::NeighborAdvertisement(flags), &target), None); // forwarded
        check(&icmp(OTHER, v6("fe80::9"), 255, Icmpv6Type::NeighborSolicitation, &target), None);
        for broken in [&[2, 0, 2, 0, 0, 0, 0, 3][..], &[2, 2, 2, 0, 0, 0, 0, 3], &[2], &[2, 2].repeat(8)] {
            check(&advertisement(OTHER, "2001:db8::9", broken), None);
        }
        let whole = advertisement(OTHER, "2001:db8::9", &[2, 1, 2, 0, 0, 0, 0, 3]);
        for place in 14..whole.len() {
            let mut frame = whole.clone();
            frame[place] ^= 0x10;
            let of_no_account = 14..18; // traffic class and flow label
            let expected = (of_no_account.contains(&place) && frame[14] >> 4 == 6).then_some(THIRD);
            check(&frame, expected);
        }
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        for whole in [
            &arp(OTHER, REPLY, OTHER, V4, [0; 4])[..42],
            &advertisement(OTHER, "2001:db8::9", &[2, 1, 2, 0, 0, 0, 0, 3])[..],
        ] {
            let address = if whole.len() == 42 { IpAddr::from(V4) } else { v6("2001:db8::9").into() };
            assert!(answer(whole, address, OWN.into()).is_some());
            for length in 0..whole.len() {
                assert_eq!(answer(&whole[..length], address, OWN.into()), None, "{length}");
            }
        }
    }

    #[test]
    fn what_has_a_tag_is_of_another_wire() {
        let plain = arp(OTHER, REPLY, OTHER, V4, [0; 4]);
        let tagged = [&plain[..12], &[0x81, 0, 0, 10], &plain[12..]].concat();
        assert_eq!(answer(&tagged, V4.into(), OWN.into()), None);
    }
}
