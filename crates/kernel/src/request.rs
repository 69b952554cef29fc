//! The netlink requests that the steps are made of.

use std::os::fd::RawFd;

use ipnet::IpNet;
use model::{Flag, InterfaceName, Mode, Mtu, PortSettings, SandboxRoute, VlanId};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, InfoVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
    VlanProtocol,
};
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

/// A new dummy.
pub(crate) fn dummy(name: &InterfaceName) -> RouteNetlinkMessage {
    new(name, [], vec![LinkInfo::Kind(InfoKind::Dummy)])
}

/// A new 802.1Q link on the link with this index.
pub(crate) fn vlan(name: &InterfaceName, on: u32, id: VlanId) -> RouteNetlinkMessage {
    let data = InfoData::Vlan(vec![InfoVlan::Id(id.get()), InfoVlan::Protocol(VlanProtocol::Ieee8021Q)]);
    new(name, [LinkAttribute::Link(on)], vec![LinkInfo::Kind(InfoKind::Vlan), LinkInfo::Data(data)])
}

/// A new slave on the link with this index.
///
/// Mode and flags are always named: `ipvlan_link_new()` in `drivers/net/ipvlan/ipvlan_main.c` takes l3 where no mode
/// is, and either of them is set for the whole port.
pub(crate) fn slave(name: &InterfaceName, on: u32, settings: PortSettings, mtu: Option<Mtu>) -> RouteNetlinkMessage {
    let mode = match settings.mode {
        Mode::L2 => IpVlanMode::L2,
        Mode::L3 => IpVlanMode::L3,
        Mode::L3s => IpVlanMode::L3S,
    };
    let flags = match settings.flag {
        Flag::Bridge => IpVlanFlags::empty(),
        Flag::Private => IpVlanFlags::Private,
        Flag::Vepa => IpVlanFlags::Vepa,
    };
    let data = InfoData::IpVlan(vec![InfoIpVlan::Mode(mode), InfoIpVlan::Flags(flags)]);
    let mtu = mtu.map(|mtu| LinkAttribute::Mtu(mtu.get()));
    let attributes = std::iter::once(LinkAttribute::Link(on)).chain(mtu);
    new(name, attributes, vec![LinkInfo::Kind(InfoKind::IpVlan), LinkInfo::Data(data)])
}

fn new(
    name: &InterfaceName,
    attributes: impl IntoIterator<Item = LinkAttribute>,
    info: Vec<LinkInfo>,
) -> RouteNetlinkMessage {
    let mut link = LinkMessage::default();
    link.attributes = vec![LinkAttribute::IfName(name.to_string()), LinkAttribute::LinkInfo(info)];
    link.attributes.extend(attributes);
    RouteNetlinkMessage::NewLink(link)
}

/// One attribute of the link with this index.
pub(crate) fn set(index: u32, attribute: LinkAttribute) -> RouteNetlinkMessage {
    let mut link = at(index);
    link.attributes = vec![attribute];
    RouteNetlinkMessage::SetLink(link)
}

/// The link with this index, up.
pub(crate) fn up(index: u32) -> RouteNetlinkMessage {
    let mut link = at(index);
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    RouteNetlinkMessage::SetLink(link)
}

/// The link with this index, in the namespace behind a descriptor and called so there.
pub(crate) fn into_namespace(index: u32, namespace: RawFd, called: &InterfaceName) -> RouteNetlinkMessage {
    let mut link = at(index);
    link.attributes = vec![LinkAttribute::NetNsFd(namespace), LinkAttribute::IfName(called.to_string())];
    RouteNetlinkMessage::SetLink(link)
}

/// An address for the link with this index.
///
/// As the engine gives them: with a broadcast address where the subnet has one, and without duplicate address detection,
/// which would keep the address from working for a second. `IFA_LOCAL` and `IFA_ADDRESS` are the same, because ipvlan
/// delivers by the latter (`ipvlan_addr4_event()` in `drivers/net/ipvlan/ipvlan_main.c`).
pub(crate) fn address(index: u32, address: IpNet) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = if address.addr().is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Local(address.addr()), AddressAttribute::Address(address.addr())];
    message.attributes.push(match address {
        IpNet::V4(net) if net.prefix_len() < 31 => AddressAttribute::Broadcast(net.broadcast()),
        _ => AddressAttribute::Flags(AddressFlags::Nodad),
    });
    RouteNetlinkMessage::NewAddress(message)
}

/// A route out of the link with this index, which must be up. Without a router the kernel finds the destination on the link
/// itself.
pub(crate) fn route(index: u32, route: SandboxRoute) -> RouteNetlinkMessage {
    let to = route.to.trunc();
    let mut message = RouteMessage::default();
    message.header.address_family = if to.addr().is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.destination_prefix_length = to.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = if route.via.is_some() { RouteScope::Universe } else { RouteScope::Link };
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![RouteAttribute::Oif(index)];
    if !route.is_default() {
        message.attributes.push(RouteAttribute::Destination(to.addr().into()));
    }
    message.attributes.extend(route.via.map(|router| RouteAttribute::Gateway(router.into())));
    message.attributes.extend(route.metric.map(RouteAttribute::Priority));
    RouteNetlinkMessage::NewRoute(message)
}

/// The link with this index, gone.
pub(crate) fn delete(index: u32) -> RouteNetlinkMessage {
    RouteNetlinkMessage::DelLink(at(index))
}

/// The link with this index, to be told.
pub(crate) fn by_index(index: u32) -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetLink(at(index))
}

/// The link with this name, to be told.
pub(crate) fn by_name(name: &InterfaceName) -> RouteNetlinkMessage {
    let mut link = LinkMessage::default();
    link.attributes = vec![LinkAttribute::IfName(name.to_string())];
    RouteNetlinkMessage::GetLink(link)
}

fn at(index: u32) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link
}

#[cfg(test)]
mod tests {
    use model::Kind;
    use netlink_packet_core::NetlinkSerializable;

    use super::*;
    use crate::link::link;

    fn check(request: &RouteNetlinkMessage, kind: &Kind, below: Option<u32>, mtu: u32) {
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        let seen = link(&bytes).unwrap();
        assert_eq!((&seen.link.kind, seen.below, seen.link.mtu, seen.link.up), (kind, below, mtu, false));
        assert_eq!(seen.link.name.as_str(), "x0");
    }

    #[test]
    fn an_address_reads_as_what_was_meant() {
        for text in ["192.0.2.7/24", "192.0.2.7/31", "192.0.2.7/32", "2001:db8::7/64"] {
            let address = text.parse().unwrap();
            let request = super::address(5, address);
            let mut bytes = vec![0; request.buffer_len()];
            request.serialize(&mut bytes);
            assert_eq!(crate::link::address(&bytes), Some((5, address)));
        }
    }

    #[test]
    fn a_route_reads_as_what_was_meant() {
        for text in ["0.0.0.0/0 via 192.0.2.1", "10.0.0.0/8 metric 100", "::/0 via fe80::1", "2001:db8:1::/48 metric 7"]
        {
            let wanted: SandboxRoute = text.parse().unwrap();
            let request = super::route(5, wanted);
            let mut bytes = vec![0; request.buffer_len()];
            request.serialize(&mut bytes);
            let read = crate::route::route(&bytes).unwrap();
            let hop = &read.hops[0];
            assert_eq!((read.to, read.metric, read.by_kernel), (wanted.to, wanted.metric.unwrap_or_default(), false));
            assert_eq!((hop.link, hop.router), (5, wanted.via));
        }
    }

    #[test]
    fn what_is_asked_for_reads_as_what_was_meant() {
        let name = "x0".parse().unwrap();
        check(&dummy(&name), &Kind::Dummy, None, 0);
        let id = VlanId::try_from(10).unwrap();
        check(&vlan(&name, 3, id), &Kind::Vlan(id), Some(3), 0);
        for mode in [Mode::L2, Mode::L3, Mode::L3s] {
            for flag in [Flag::Bridge, Flag::Private, Flag::Vepa] {
                let settings = PortSettings { mode, flag };
                check(&slave(&name, 3, settings, None), &Kind::Slave(settings), Some(3), 0);
                let mtu = Mtu::try_from(1400).unwrap();
                check(&slave(&name, 3, settings, Some(mtu)), &Kind::Slave(settings), Some(3), 1400);
            }
        }
    }
}
