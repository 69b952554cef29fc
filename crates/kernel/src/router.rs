//! The router that a link leads to.

use std::io;
use std::net::IpAddr;

use model::{Family, Link};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::KernelError;
use crate::attributes::{attributes, ip_address, u16_at, u32_at};
use crate::netlink::Netlink;

/// Numbers of `include/uapi/linux/rtnetlink.h`: a message, types of attributes, a type of routes, a table.
const RTM_NEWROUTE: u16 = 24;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTN_UNICAST: u8 = 1;
const RT_TABLE_MAIN: u32 = 254;

/// The next hop of the default route through `link` in the host's main table, of the one with the lowest metric.
///
/// Of a route with several hops those on the link count. A route without a next hop does not count, nor does one whose
/// next hop is of the other family. An IPv6 router is mostly told by its link-local address.
///
/// # Errors
/// When the routes cannot be read.
pub fn router(link: &Link, family: Family) -> Result<Option<IpAddr>, KernelError> {
    let doing = || format!("list the {family} routes");
    let io = |source| KernelError::Io { doing: doing(), source };
    let mut every_route = RouteMessage::default();
    every_route.header.address_family = match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    let mut netlink = Netlink::open().map_err(io)?;
    let dump = netlink.dump(&RouteNetlinkMessage::GetRoute(every_route), RTM_NEWROUTE);
    let dump = dump.map_err(|failure| failure.while_trying_to(doing()))?;
    if !dump.whole {
        return Err(io(io::Error::other("they change faster than they can be read")));
    }
    let routes = dump.objects.iter().filter_map(|body| default_route(body));
    let through_the_link = routes.filter_map(|route| Some((route.metric, route.next_hop(link.index)?)));
    Ok(through_the_link.min_by_key(|(metric, _)| *metric).map(|(_, router)| router))
}

/// A default route of the main table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DefaultRoute {
    /// The lower, the better; 0 where none is told.
    metric: u32,
    hops: Vec<Hop>,
}

/// A link by its index, and the router behind it, where there is one.
#[derive(Debug, PartialEq, Eq)]
struct Hop {
    link: u32,
    router: Option<IpAddr>,
}

impl DefaultRoute {
    fn next_hop(&self, link: u32) -> Option<IpAddr> {
        self.hops.iter().filter(|hop| hop.link == link).find_map(|hop| hop.router)
    }
}

/// Reads the body of an `RTM_NEWROUTE`: `struct rtmsg` and attributes, as `fib_dump_info()` in `net/ipv4/fib_semantics.c`
/// and `rt6_fill_node()` in `net/ipv6/route.c` write them. `None` for all but default routes for everybody, and where it
/// is cut off.
pub(crate) fn default_route(body: &[u8]) -> Option<DefaultRoute> {
    const HEADER: usize = 12;
    let [_family, destination_length, source_length, service, table, _protocol, _scope, kind] = *body.first_chunk()?;
    let told = |wanted| attributes(body.get(HEADER..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let number = |wanted| u32_at(told(wanted)?, 0);
    let for_everybody = destination_length == 0 && source_length == 0 && service == 0;
    // The field has room for eight bits of a table's number, the attribute for all.
    let in_main = number(RTA_TABLE).unwrap_or(table.into()) == RT_TABLE_MAIN;
    if !for_everybody || !in_main || kind != RTN_UNICAST {
        return None;
    }
    let single = number(RTA_OIF).map(|link| Hop { link, router: told(RTA_GATEWAY).and_then(ip_address) });
    let several = told(RTA_MULTIPATH).unwrap_or_default();
    Some(DefaultRoute {
        metric: number(RTA_PRIORITY).unwrap_or_default(),
        hops: single.into_iter().chain(hops(several)).collect(),
    })
}

/// Reads `RTA_MULTIPATH`: `struct rtnexthop`, each with attributes of its own. Ends at the first that is cut off.
fn hops(mut bytes: &[u8]) -> impl Iterator<Item = Hop> {
    const HEADER: usize = 8;
    std::iter::from_fn(move || {
        let (length, link) = (usize::from(u16_at(bytes, 0)?), u32_at(bytes, 4)?);
        let mut told = attributes(bytes.get(HEADER..length)?);
        let router = told.find(|(kind, _)| *kind == RTA_GATEWAY).and_then(|(_, value)| ip_address(value));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Hop { link, router })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::tests::attribute;

    const DESTINATION_LENGTH: usize = 1;
    const SOURCE_LENGTH: usize = 2;
    const SERVICE: usize = 3;
    const TABLE: usize = 4;
    const KIND: usize = 7;

    /// `struct rtmsg` of a default route in the main table, some of its bytes replaced, and attributes.
    fn body(replaced: &[(usize, u8)], attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut header = [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        for (place, byte) in replaced {
            header[*place] = *byte;
        }
        [&header[..], &attributes.concat()].concat()
    }

    fn number(kind: u16, number: u32) -> Vec<u8> {
        attribute(kind, &number.to_ne_bytes())
    }

    fn hop(link: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let attributes = attributes.concat();
        let length = u16::try_from(8 + attributes.len()).unwrap();
        [&length.to_ne_bytes()[..], &[0, 0], &link.to_ne_bytes(), &attributes].concat()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_default_route_is_read() {
        let gateway = attribute(RTA_GATEWAY, &[192, 0, 2, 1]);
        let route = default_route(&body(&[], &[number(RTA_OIF, 7), gateway, number(RTA_PRIORITY, 100)])).unwrap();
        assert_eq!((route.metric, route.next_hop(7), route.next_hop(8)), (100, Some(ip("192.0.2.1")), None));

        let gateway = attribute(RTA_GATEWAY, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let main = number(RTA_TABLE, RT_TABLE_MAIN);
        let route = default_route(&body(&[(0, 10)], &[main, gateway, number(RTA_OIF, 7)])).unwrap();
        assert_eq!((route.metric, route.next_hop(7)), (0, Some(ip("fe80::1"))));
    }

    #[test]
    fn of_several_hops_those_on_the_link_count() {
        let gateway = |last| attribute(RTA_GATEWAY, &[192, 0, 2, last]);
        let hops = [hop(7, &[]), hop(8, &[gateway(1)]), hop(7, &[number(22, 1), gateway(2)]), hop(7, &[gateway(3)])];
        let route = default_route(&body(&[], &[attribute(RTA_MULTIPATH, &hops.concat())])).unwrap();
        assert_eq!(route.next_hop(7), Some(ip("192.0.2.2")));
        assert_eq!(route.next_hop(8), Some(ip("192.0.2.1")));
    }

    #[test]
    fn other_routes_are_passed_over() {
        let attributes = [number(RTA_OIF, 7), attribute(RTA_GATEWAY, &[192, 0, 2, 1])];
        assert!(default_route(&body(&[], &attributes)).is_some());
        for other in [(DESTINATION_LENGTH, 8), (SOURCE_LENGTH, 8), (SERVICE, 4), (TABLE, 100), (KIND, 6)] {
            assert_eq!(default_route(&body(&[other], &attributes)), None, "{other:?}");
        }
        let elsewhere = [&attributes[..], &[number(RTA_TABLE, 1000)]].concat();
        assert_eq!(default_route(&body(&[], &elsewhere)), None);
    }

    #[test]
    fn what_is_cut_off_is_no_hop_and_no_panic() {
        let hops = [hop(7, &[attribute(RTA_GATEWAY, &[192, 0, 2, 1])]), hop(7, &[])].concat();
        for length in 0..hops.len() {
            assert_eq!(super::hops(&hops[..length]).count(), usize::from(length >= 16), "{length}");
        }
        assert_eq!(super::hops(&[0; 64]).count(), 0);
        assert_eq!(default_route(&[2, 0, 0, 0, 254, 3, 0]), None);
        let broken = [number(RTA_OIF, 7), attribute(RTA_GATEWAY, &[192, 0, 2])];
        assert_eq!(default_route(&body(&[], &broken)).unwrap().next_hop(7), None);
    }
}
