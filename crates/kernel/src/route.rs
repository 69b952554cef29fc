//! Routes, as the kernel tells of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::Family;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::KernelError;
use crate::attributes::{attributes, ip_address, u16_at, u32_at};
use crate::netlink::Netlink;

/// Numbers of `include/uapi/linux/rtnetlink.h`: a message, types of attributes, a type of routes, a table, who made a route.
const RTM_NEWROUTE: u16 = 24;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTN_UNICAST: u8 = 1;
const RT_TABLE_MAIN: u32 = 254;
const RTPROT_KERNEL: u8 = 2;

/// A unicast route of the main table, for packets of any source and service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) to: IpNet,
    /// The lower, the better; 0 where none is told.
    pub(crate) metric: u32,
    /// Whether the kernel made it by itself, with an address.
    pub(crate) by_kernel: bool,
    pub(crate) hops: Vec<Hop>,
}

/// A link by its index, and the router behind it, where there is one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) link: u32,
    pub(crate) router: Option<IpAddr>,
}

/// The routes of one family in the namespace that the socket is of.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn routes(netlink: &mut Netlink, family: Family) -> Result<Vec<Route>, KernelError> {
    let doing = || format!("list the {family} routes");
    let mut every_route = RouteMessage::default();
    every_route.header.address_family = match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    let dump = netlink.dump(&RouteNetlinkMessage::GetRoute(every_route), RTM_NEWROUTE);
    let dump = dump.map_err(|failure| failure.while_trying_to(doing()))?;
    if !dump.whole {
        let source = io::Error::other("they change faster than they can be read");
        return Err(KernelError::Io { doing: doing(), source });
    }
    Ok(dump.objects.iter().filter_map(|body| route(body)).collect())
}

/// Reads the body of an `RTM_NEWROUTE`: `struct rtmsg` and attributes, as `fib_dump_info()` in `net/ipv4/fib_semantics.c`
/// and `rt6_fill_node()` in `net/ipv6/route.c` write them. `None` for all but unicast routes of the main table for
/// everybody, and where it is cut off.
pub(crate) fn route(body: &[u8]) -> Option<Route> {
    const HEADER: usize = 12;
    const AF_INET: u8 = 2;
    let [family, length, source_length, service, table, protocol, _scope, kind] = *body.first_chunk()?;
    let told = |wanted| attributes(body.get(HEADER..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let number = |wanted| u32_at(told(wanted)?, 0);
    let for_everybody = source_length == 0 && service == 0;
    // The field has room for eight bits of a table's number, the attribute for all.
    let in_main = number(RTA_TABLE).unwrap_or(table.into()) == RT_TABLE_MAIN;
    if !for_everybody || !in_main || kind != RTN_UNICAST {
        return None;
    }
    let everywhere: IpAddr =
        if family == AF_INET { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // A default route has no destination.
    let to = match told(RTA_DST) {
        None if length > 0 => return None,
        None => everywhere,
        Some(bytes) => ip_address(bytes)?,
    };
    let single = number(RTA_OIF).map(|link| Hop { link, router: told(RTA_GATEWAY).and_then(ip_address) });
    let several = told(RTA_MULTIPATH).unwrap_or_default();
    Some(Route {
        to: IpNet::new(to, length).ok()?,
        metric: number(RTA_PRIORITY).unwrap_or_default(),
        by_kernel: protocol == RTPROT_KERNEL,
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
    const PROTOCOL: usize = 5;
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

    /// Whom the route leads to behind each of its links.
    fn told(body: &[u8]) -> String {
        let hop = |hop: &Hop| match hop.router {
            Some(router) => format!(" via {router} on {}", hop.link),
            None => format!(" on {}", hop.link),
        };
        route(body).map_or_else(
            || "nothing".to_owned(),
            |route| format!("{} metric {}{}", route.to, route.metric, route.hops.iter().map(hop).collect::<String>()),
        )
    }

    #[test]
    fn a_route_is_read() {
        let gateway = attribute(RTA_GATEWAY, &[192, 0, 2, 1]);
        let default = body(&[], &[number(RTA_OIF, 7), gateway.clone(), number(RTA_PRIORITY, 100)]);
        assert_eq!(told(&default), "0.0.0.0/0 metric 100 via 192.0.2.1 on 7");

        let to = attribute(RTA_DST, &[10, 0, 0, 0]);
        let other = body(&[(DESTINATION_LENGTH, 8)], &[to.clone(), number(RTA_OIF, 7), gateway]);
        assert_eq!(told(&other), "10.0.0.0/8 metric 0 via 192.0.2.1 on 7");
        let connected = body(&[(DESTINATION_LENGTH, 8), (PROTOCOL, RTPROT_KERNEL)], &[to, number(RTA_OIF, 7)]);
        assert_eq!(told(&connected), "10.0.0.0/8 metric 0 on 7");
        assert_eq!((route(&connected).unwrap().by_kernel, route(&other).unwrap().by_kernel), (true, false));

        let gateway = attribute(RTA_GATEWAY, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let main = number(RTA_TABLE, RT_TABLE_MAIN);
        let default = body(&[(0, 10)], &[main, gateway, number(RTA_OIF, 7)]);
        assert_eq!(told(&default), "::/0 metric 0 via fe80::1 on 7");
    }

    #[test]
    fn all_hops_are_read() {
        let gateway = |last| attribute(RTA_GATEWAY, &[192, 0, 2, last]);
        let hops = [hop(7, &[]), hop(8, &[gateway(1)]), hop(7, &[number(22, 1), gateway(2)])];
        let several = body(&[], &[attribute(RTA_MULTIPATH, &hops.concat())]);
        assert_eq!(told(&several), "0.0.0.0/0 metric 0 on 7 via 192.0.2.1 on 8 via 192.0.2.2 on 7");
    }

    #[test]
    fn other_routes_are_passed_over() {
        let attributes = [number(RTA_OIF, 7), attribute(RTA_GATEWAY, &[192, 0, 2, 1])];
        assert!(route(&body(&[], &attributes)).is_some());
        for other in [(DESTINATION_LENGTH, 8), (SOURCE_LENGTH, 8), (SERVICE, 4), (TABLE, 100), (KIND, 6)] {
            assert_eq!(route(&body(&[other], &attributes)), None, "{other:?}");
        }
        let elsewhere = [&attributes[..], &[number(RTA_TABLE, 1000)]].concat();
        assert_eq!(route(&body(&[], &elsewhere)), None);
    }

    #[test]
    fn what_is_cut_off_is_no_hop_and_no_panic() {
        let hops = [hop(7, &[attribute(RTA_GATEWAY, &[192, 0, 2, 1])]), hop(7, &[])].concat();
        for length in 0..hops.len() {
            assert_eq!(super::hops(&hops[..length]).count(), usize::from(length >= 16), "{length}");
        }
        assert_eq!(super::hops(&[0; 64]).count(), 0);
        assert_eq!(route(&[2, 0, 0, 0, 254, 3, 0]), None);
        let broken = [number(RTA_OIF, 7), attribute(RTA_GATEWAY, &[192, 0, 2])];
        assert_eq!(told(&body(&[], &broken)), "0.0.0.0/0 metric 0 on 7");
        let short = [number(RTA_OIF, 7), attribute(RTA_DST, &[10, 0, 0])];
        assert_eq!(route(&body(&[(DESTINATION_LENGTH, 8)], &short)), None);
    }
}
