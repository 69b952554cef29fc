//! A link or an address as netlink tells it, turned into the model's.

use ipnet::IpNet;
use model::{Flag, Kind, Layer, Link, MacAddress, Mode, PortSettings, VlanId};

use crate::attributes::{attributes, i32_at, ip_address, u16_at, u32_at, until_zero};

/// Types of the messages that carry objects (`include/uapi/linux/rtnetlink.h`).
pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_NEWADDR: u16 = 20;

/// A link, and what it says of the link below it, which means something only together with its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The link, `on` left empty.
    pub(crate) link: Link,
    /// `IFLA_LINK`: an index.
    pub(crate) below: Option<u32>,
    /// `IFLA_LINK_NETNSID`: the namespace in which that is an index, where it is another; by its number in this one.
    pub(crate) below_in: Option<i32>,
}

/// Reads the body of an `RTM_NEWLINK`: `struct ifinfomsg` and attributes, as `rtnl_fill_ifinfo()` in
/// `net/core/rtnetlink.c` writes them. `None` where it is cut off or has a name that nobody could type.
pub(crate) fn link(body: &[u8]) -> Option<Seen> {
    const IFF_UP: u32 = 1;
    let (carried, index, flags) = (u16_at(body, 2)?, u32_at(body, 4)?, u32_at(body, 8)?);
    let layer = match carried {
        1 => Layer::Ethernet,
        772 => Layer::Loopback,
        _ => Layer::Other,
    };
    let mut name: &[u8] = &[];
    let (mut alias, mut mac, mut master, mut mtu) = (None, None, None, 0);
    let (mut below, mut below_in) = (None, None);
    let mut kind = Kind::Other(String::new());
    for (attribute, value) in attributes(body.get(16..)?) {
        match attribute {
            1 => mac = <[u8; 6]>::try_from(value).ok().map(MacAddress::from).filter(|_| layer == Layer::Ethernet),
            3 => name = until_zero(value),
            4 => mtu = u32_at(value, 0)?,
            5 => below = u32_at(value, 0).filter(|index| *index != 0),
            10 => master = u32_at(value, 0).filter(|index| *index != 0),
            18 => kind = self::kind(value),
            20 => alias = Some(String::from_utf8_lossy(until_zero(value)).into_owned()),
            37 => below_in = i32_at(value, 0),
            _ => {}
        }
    }
    let Ok(name) = String::from_utf8_lossy(name).parse() else {
        tracing::debug!(index, name = %name.escape_ascii(), "a link is passed over for its name");
        return None;
    };
    let on = None;
    let up = flags & IFF_UP != 0;
    let link = Link { index, name, alias, kind, layer, on, master, up, mtu, mac, addresses: Vec::new() };
    Some(Seen { link, below, below_in })
}

/// Reads `IFLA_LINKINFO`.
fn kind(info: &[u8]) -> Kind {
    let value = |wanted| attributes(info).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let word = String::from_utf8_lossy(until_zero(value(1).unwrap_or_default())).into_owned();
    let data = value(2).unwrap_or_default();
    let known = match word.as_str() {
        "ipvlan" | "ipvtap" => settings(data).map(Kind::Slave), // a tap is a slave of the same port
        "dummy" => Some(Kind::Dummy),
        "vlan" => vlan_id(data).map(Kind::Vlan),
        _ => None,
    };
    known.unwrap_or(Kind::Other(word))
}

/// Reads `IFLA_IPVLAN_MODE` and `IFLA_IPVLAN_FLAGS`, which older kernels lack (`ipvlan_nl_fillinfo()`).
fn settings(data: &[u8]) -> Option<PortSettings> {
    let value = |wanted| attributes(data).find(|(kind, _)| *kind == wanted).and_then(|(_, value)| u16_at(value, 0));
    let mode = match value(1)? {
        0 => Mode::L2,
        1 => Mode::L3,
        2 => Mode::L3s,
        _ => return None,
    };
    let flag = match value(2).unwrap_or_default() & 3 {
        0 => Flag::Bridge,
        1 => Flag::Private,
        2 => Flag::Vepa,
        _ => return None,
    };
    Some(PortSettings { mode, flag })
}

/// Reads `IFLA_VLAN_ID`, unless `IFLA_VLAN_PROTOCOL` says that it is no 802.1Q tag.
fn vlan_id(data: &[u8]) -> Option<VlanId> {
    const ETH_P_8021Q: [u8; 2] = [0x81, 0x00];
    let value = |wanted| attributes(data).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    if value(5).is_some_and(|protocol| protocol != ETH_P_8021Q) {
        return None;
    }
    VlanId::try_from(u16_at(value(1)?, 0)?).ok()
}

/// Reads the body of an `RTM_NEWADDR`: the index of a link and an address on it.
///
/// `IFA_LOCAL` is the link's own address; with a peer, `IFA_ADDRESS` is the other's (`inet_fill_ifaddr()` in
/// `net/ipv4/devinet.c`, `inet6_fill_ifaddr()` in `net/ipv6/addrconf.c`).
pub(crate) fn address(body: &[u8]) -> Option<(u32, IpNet)> {
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    let (prefix, index) = (*body.get(1)?, u32_at(body, 4)?);
    let value = |wanted| attributes(body.get(8..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let ip = ip_address(value(IFA_LOCAL).or_else(|| value(IFA_ADDRESS))?)?;
    Some((index, IpNet::new(ip, prefix).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::attributes::tests::attribute;

    /// `struct ifinfomsg` and attributes.
    fn body(carried: u16, index: u32, flags: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let header = [&[0, 0][..], &carried.to_ne_bytes(), &index.to_ne_bytes(), &flags.to_ne_bytes(), &[0; 4]];
        [header.concat(), attributes.concat()].concat()
    }

    fn info(word: &[u8], data: &[Vec<u8>]) -> Vec<u8> {
        attribute(18, &[attribute(1, word), attribute(2, &data.concat())].concat())
    }

    fn ipvlan(mode: u16, flags: Option<u16>) -> Vec<u8> {
        let flags = flags.map(|flags| attribute(2, &flags.to_ne_bytes()));
        info(b"ipvlan\0", &[vec![attribute(1, &mode.to_ne_bytes())], flags.into_iter().collect()].concat())
    }

    fn kind_of(info: Vec<u8>) -> Kind {
        link(&body(1, 2, 0, &[attribute(3, b"x\0"), info])).unwrap().link.kind
    }

    #[test]
    fn a_slave_in_a_sandbox_is_read_whole() {
        let seen = link(&body(
            1,
            12,
            0x1043,
            &[
                attribute(3, b"eth0\0"),
                attribute(4, &1450u32.to_ne_bytes()),
                attribute(5, &2u32.to_ne_bytes()),
                attribute(37, &0i32.to_ne_bytes()),
                attribute(1, &[2, 0, 0, 0, 0, 7]),
                attribute(20, b"ipvland:docker:n:e\0"),
                ipvlan(2, Some(1)),
            ],
        ))
        .unwrap();
        let settings = PortSettings { mode: Mode::L3s, flag: Flag::Private };
        let expected = Link {
            index: 12,
            name: "eth0".parse().unwrap(),
            alias: Some("ipvland:docker:n:e".into()),
            kind: Kind::Slave(settings),
            layer: Layer::Ethernet,
            on: None,
            master: None,
            up: true,
            mtu: 1450,
            mac: Some([2, 0, 0, 0, 0, 7].into()),
            addresses: Vec::new(),
        };
        assert_eq!(seen, Seen { link: expected, below: Some(2), below_in: Some(0) });
    }

    /// As kernel 6.12 told of a slave in l3s with the private flag, whose parent has index 5 on the host.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_slave_of_a_real_kernel_is_read() {
        let datagram = include_bytes!("../fixtures/slave-in-a-sandbox.bin");
        let replies = crate::reply::replies(datagram).unwrap();
        let crate::reply::Content::Object(RTM_NEWLINK, body) = replies[0].content else { panic!("{replies:?}") };
        let Seen { link, below, below_in } = link(body).unwrap();
        assert_eq!((link.index, link.name.as_str(), below, below_in), (6, "eth0", Some(5), Some(0)));
        assert_eq!(link.kind, Kind::Slave(PortSettings { mode: Mode::L3s, flag: Flag::Private }));
        assert_eq!((link.mtu, link.up, link.mac), (1400, false, Some([2, 0, 0, 0, 0, 7].into())));
        assert_eq!(link.alias.as_deref(), Some("ipvland:docker:n:e"));
    }

    #[test]
    fn kinds_are_told_apart() {
        let slave = |mode, flag| Kind::Slave(PortSettings { mode, flag });
        assert_eq!(kind_of(ipvlan(0, Some(0))), slave(Mode::L2, Flag::Bridge));
        assert_eq!(kind_of(ipvlan(1, Some(2))), slave(Mode::L3, Flag::Vepa));
        assert_eq!(kind_of(ipvlan(0, None)), slave(Mode::L2, Flag::Bridge), "before 4.15 there were no flags");
        assert_eq!(kind_of(ipvlan(9, Some(0))), Kind::Other("ipvlan".into()), "a mode still to be invented");
        assert_eq!(kind_of(info(b"dummy\0", &[])), Kind::Dummy);
        assert_eq!(kind_of(info(b"macvlan\0", &[])), Kind::Other("macvlan".into()));
        let vlan = |protocol: u16| {
            info(b"vlan\0", &[attribute(1, &10u16.to_ne_bytes()), attribute(5, &protocol.to_be_bytes())])
        };
        assert_eq!(kind_of(vlan(0x8100)), Kind::Vlan(10.try_into().unwrap()));
        assert_eq!(kind_of(vlan(0x88a8)), Kind::Other("vlan".into()));
    }

    #[test]
    fn what_a_container_writes_into_its_link_hides_no_link() {
        let seen = link(&body(1, 2, 0, &[attribute(3, b"eth0\0"), attribute(20, b"\xff\xfe"), ipvlan(0, Some(0))]));
        assert_eq!(seen.unwrap().link.alias.as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(link(&body(1, 2, 0, &[attribute(3, b"\xff\xff\xff\xff\xff\xff\xff\xff\0")])), None);
        assert_eq!(link(&[0; 15]), None);
    }

    #[test]
    fn only_ethernet_has_a_mac() {
        let gre = link(&body(778, 2, 0, &[attribute(3, b"gre0\0"), attribute(1, &[1, 2, 3, 4, 5, 6])])).unwrap().link;
        assert_eq!((gre.layer, gre.mac, gre.kind), (Layer::Other, None, Kind::Other(String::new())));
    }

    #[test]
    fn the_links_own_address_counts_and_not_its_peers() {
        let body = |prefix: u8, attributes: &[Vec<u8>]| {
            [vec![2, prefix, 0, 0], 7u32.to_ne_bytes().to_vec(), attributes.concat()].concat()
        };
        let check = |prefix, attributes: &[Vec<u8>], expected: &str| {
            assert_eq!(address(&body(prefix, attributes)), Some((7, expected.parse().unwrap())));
        };
        check(24, &[attribute(1, &[192, 0, 2, 9]), attribute(2, &[192, 0, 2, 1])], "192.0.2.1/24");
        check(24, &[attribute(1, &[192, 0, 2, 9])], "192.0.2.9/24");
        check(64, &[attribute(1, &Ipv6Addr::LOCALHOST.octets())], "::1/64");
        assert_eq!(address(&body(24, &[attribute(1, &[1, 2, 3])])), None);
        assert_eq!(address(&body(33, &[attribute(1, &[192, 0, 2, 9])])), None);
    }
}
