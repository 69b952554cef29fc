//! Links as netlink tells them, turned into the model's.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Flag, InterfaceName, Kind, Layer, Link, Mode, PortSettings};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoIpVtap, InfoVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkFlags, LinkInfo,
    LinkLayerType, LinkMessage, VlanProtocol,
};

/// Which links of a namespace sit on links of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// The namespace is the host's: those that name no other.
    Host,
    /// The namespace is a sandbox: those that name the host, by the id it has there; none where it has none.
    Sandbox(Option<i32>),
}

/// A link; `None` where its name is none that could have been typed.
pub(crate) fn link(message: &LinkMessage, below: Below) -> Option<Link> {
    let mut name = None;
    let (mut alias, mut on, mut elsewhere, mut master, mut mtu, mut mac) = (None, None, None, None, 0, None);
    let mut kind = Kind::Other(String::new());
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = text.parse::<InterfaceName>().ok(),
            LinkAttribute::IfAlias(text) => alias = Some(text.clone()),
            LinkAttribute::Link(index) => on = Some(*index),
            LinkAttribute::LinkNetNsId(id) => elsewhere = Some(*id),
            LinkAttribute::Controller(index) => master = Some(*index),
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
            LinkAttribute::Address(bytes) => mac = <[u8; 6]>::try_from(bytes.as_slice()).ok(),
            LinkAttribute::LinkInfo(infos) => kind = self::kind(infos),
            _ => {}
        }
    }
    let on_host = match below {
        Below::Host => elsewhere.is_none(),
        Below::Sandbox(host) => elsewhere.is_some() && elsewhere == host,
    };
    let Some(name) = name else {
        tracing::debug!(index = message.header.index, "a link whose name is unreadable is passed over");
        return None;
    };
    Some(Link {
        index: message.header.index,
        name,
        alias,
        kind,
        layer: match message.header.link_layer_type {
            LinkLayerType::Ether => Layer::Ethernet,
            LinkLayerType::Loopback => Layer::Loopback,
            _ => Layer::Other,
        },
        on: on.filter(|index| on_host && *index != 0),
        master,
        up: message.header.flags.contains(LinkFlags::Up),
        mtu,
        mac,
        addresses: Vec::new(),
    })
}

fn kind(infos: &[LinkInfo]) -> Kind {
    let word = infos.iter().find_map(|info| match info {
        LinkInfo::Kind(kind) => Some(kind.to_string()),
        _ => None,
    });
    let data = infos.iter().find_map(|info| match info {
        LinkInfo::Data(data) => Some(data),
        _ => None,
    });
    let word = word.unwrap_or_default();
    let known = match (word.as_str(), data) {
        ("dummy", _) => Some(Kind::Dummy),
        ("ipvlan", Some(InfoData::IpVlan(infos))) => slave(infos),
        ("ipvtap", Some(InfoData::IpVtap(infos))) => tap(infos),
        ("vlan", Some(InfoData::Vlan(infos))) => vlan(infos),
        _ => None,
    };
    known.unwrap_or(Kind::Other(word))
}

fn slave(infos: &[InfoIpVlan]) -> Option<Kind> {
    let mode = infos.iter().find_map(|info| if let InfoIpVlan::Mode(mode) = info { Some(*mode) } else { None })?;
    let flags =
        infos.iter().find_map(|info| if let InfoIpVlan::Flags(flags) = info { Some(flags.bits()) } else { None });
    settings(mode, flags.unwrap_or_default()).map(Kind::Slave)
}

/// An ipvtap link is a slave of the same port.
fn tap(infos: &[InfoIpVtap]) -> Option<Kind> {
    let mode = infos.iter().find_map(|info| if let InfoIpVtap::Mode(mode) = info { Some(*mode) } else { None })?;
    let flags =
        infos.iter().find_map(|info| if let InfoIpVtap::Flags(flags) = info { Some(flags.bits()) } else { None });
    settings(mode, flags.unwrap_or_default()).map(Kind::Slave)
}

fn vlan(infos: &[InfoVlan]) -> Option<Kind> {
    let other = |info: &InfoVlan| matches!(info, InfoVlan::Protocol(protocol) if *protocol != VlanProtocol::Ieee8021Q);
    if infos.iter().any(other) {
        return None;
    }
    infos
        .iter()
        .find_map(|info| if let InfoVlan::Id(id) = info { model::VlanId::try_from(*id).ok() } else { None })
        .map(Kind::Vlan)
}

/// The settings of a port from `IFLA_IPVLAN_MODE` and `IFLA_IPVLAN_FLAGS` (`include/uapi/linux/if_link.h`).
fn settings(mode: IpVlanMode, flags: u16) -> Option<PortSettings> {
    let mode = match mode {
        IpVlanMode::L2 => Mode::L2,
        IpVlanMode::L3 => Mode::L3,
        IpVlanMode::L3S => Mode::L3s,
        _ => return None,
    };
    let flag = match flags & (IpVlanFlags::Private | IpVlanFlags::Vepa).bits() {
        0 => Flag::Bridge,
        private if private == IpVlanFlags::Private.bits() => Flag::Private,
        _ => Flag::Vepa,
    };
    Some(PortSettings { mode, flag })
}

/// The same the other way, for a new slave.
pub(crate) fn slave_data(settings: PortSettings) -> InfoData {
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
    InfoData::IpVlan(vec![InfoIpVlan::Mode(mode), InfoIpVlan::Flags(flags)])
}

/// An address and the index of the link it is on.
pub(crate) fn address(message: &AddressMessage) -> Option<(u32, IpNet)> {
    // IFA_LOCAL is the link's own; on a link to a peer IFA_ADDRESS is the other end's (net/ipv4/devinet.c).
    let local =
        message.attributes.iter().find_map(|a| if let AddressAttribute::Local(ip) = a { Some(*ip) } else { None });
    let plain =
        || message.attributes.iter().find_map(|a| if let AddressAttribute::Address(ip) = a { Some(*ip) } else { None });
    let ip: IpAddr = local.or_else(plain)?;
    Some((message.header.index, IpNet::new(ip, message.header.prefix_len).ok()?))
}
