//! Which links sit on links of the host.
//!
//! `IFLA_LINK` is an index, and an index means something in one namespace only. `IFLA_LINK_NETNSID` names that
//! namespace by a number that each namespace gives to the others it knows.

use model::{Kind, Link};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};

use crate::attributes::{attributes, i32_at};
use crate::link::Seen;
use crate::namespace::Namespace;
use crate::netlink::{Failure, Netlink};

/// The number by which the namespace of `netlink` knows another; `None` where it does not know it
/// (`rtnl_net_getid()` in `net/core/net_namespace.c` answers -1).
pub(crate) fn id_of(other: &Namespace, netlink: &mut Netlink) -> Result<Option<i32>, Failure> {
    const NETNSA_NSID: u16 = 1;
    const HEADER: usize = 4; // struct rtgenmsg, padded
    let mut message = NsidMessage::default();
    let descriptor = u32::try_from(other.descriptor()).expect("an open descriptor is no negative number");
    message.attributes = vec![NsidAttribute::Fd(descriptor)];
    let answer = netlink.get(RouteNetlinkMessage::GetNsId(message))?.unwrap_or_default();
    let id = attributes(answer.get(HEADER..).unwrap_or_default()).find(|(kind, _)| *kind == NETNSA_NSID);
    Ok(id.and_then(|(_, value)| i32_at(value, 0)).filter(|id| *id >= 0))
}

/// A link of the host: it sits on the host's unless it says otherwise.
pub(crate) fn on_host(seen: Seen) -> Link {
    let on = seen.below.filter(|_| seen.below_in.is_none());
    Link { on, ..seen.link }
}

/// Links of a sandbox in which the host has the number `host_id`: they sit on the host's if they say so.
pub(crate) fn in_sandbox(links: Vec<Seen>, host_id: Option<i32>, host: &[Link]) -> Vec<Link> {
    let on: Vec<Option<u32>> = links.iter().map(|seen| on_the_hosts(seen, host_id, &links, host)).collect();
    links.into_iter().zip(on).map(|(seen, on)| Link { on, ..seen.link }).collect()
}

fn on_the_hosts(seen: &Seen, host_id: Option<i32>, sandbox: &[Seen], host: &[Link]) -> Option<u32> {
    match (seen.below_in, seen.below) {
        // Before 5.4 the kernel left out an index that is the link's own ("rtnetlink: always put IFLA_LINK for links
        // with a link-netnsid").
        (Some(id), below) if Some(id) == host_id => below.or(Some(seen.link.index)),
        (Some(_), _) | (None, None) => None,
        // Before 5.10 a slave never says where its parent is ("ipvlan: advertise link netns via netlink"). It has the
        // parent's MAC, though.
        (None, Some(below)) => {
            let is_parent = |link: &Link| link.index == below && link.mac.is_some() && link.mac == seen.link.mac;
            let here = sandbox.iter().any(|other| is_parent(&other.link));
            let slave = matches!(seen.link.kind, Kind::Slave(_));
            (slave && !here && host.iter().any(is_parent)).then_some(below)
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Layer, PortSettings};

    use super::*;

    fn seen(index: u32, mac: u8, kind: Kind, below: Option<u32>, below_in: Option<i32>) -> Seen {
        let link = Link {
            index,
            name: format!("l{index}").parse().unwrap(),
            alias: None,
            kind,
            layer: Layer::Ethernet,
            on: None,
            master: None,
            up: true,
            mtu: 1500,
            mac: Some([2, 0, 0, 0, 0, mac].into()),
            addresses: Vec::new(),
        };
        Seen { link, below, below_in }
    }

    fn slave(index: u32, mac: u8, below: Option<u32>, below_in: Option<i32>) -> Seen {
        seen(index, mac, Kind::Slave(PortSettings::default()), below, below_in)
    }

    fn plain(index: u32, mac: u8) -> Seen {
        seen(index, mac, Kind::Other(String::new()), None, None)
    }

    /// What the first link sits on. The host has links 2 (with MAC 2) and 7 (with MAC 7).
    fn on(links: Vec<Seen>, host_id: Option<i32>) -> Option<u32> {
        in_sandbox(links, host_id, &[plain(2, 2).link, plain(7, 7).link])[0].on
    }

    #[test]
    fn on_the_host_an_index_counts_unless_it_is_one_elsewhere() {
        assert_eq!(on_host(slave(5, 2, Some(2), None)).on, Some(2));
        assert_eq!(on_host(slave(5, 2, Some(2), Some(0))).on, None);
    }

    #[test]
    fn in_a_sandbox_it_counts_if_it_is_one_of_the_hosts() {
        assert_eq!(on(vec![slave(5, 2, Some(2), Some(0))], Some(0)), Some(2));
        assert_eq!(on(vec![slave(5, 2, Some(2), Some(1))], Some(0)), None);
        assert_eq!(on(vec![slave(5, 2, Some(2), Some(1))], None), None);
        assert_eq!(on(vec![slave(5, 9, Some(3), None), plain(3, 9)], Some(0)), None, "a parent inside");
    }

    #[test]
    fn old_kernels_leave_something_to_guess() {
        assert_eq!(on(vec![slave(7, 7, None, Some(0))], Some(0)), Some(7), "the same index in both");
        assert_eq!(on(vec![slave(5, 2, Some(2), None)], None), Some(2), "a slave on the host's link of its MAC");
        assert_eq!(on(vec![slave(5, 2, Some(2), None), plain(2, 2)], None), None, "a parent inside comes first");
        assert_eq!(on(vec![slave(5, 3, Some(2), None)], None), None, "another MAC");
        let veth = seen(5, 2, Kind::Other("veth".into()), Some(2), None);
        assert_eq!(on(vec![veth], None), None, "only slaves share a MAC");
    }
}
