//! Where links lead to.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use model::{Family, Link, SandboxKey, SandboxRoute};

use crate::KernelError;
use crate::namespace::Namespace;
use crate::netlink::Netlink;
use crate::route::{Route, routes};

/// The next hop of the default route through `link` in the host's main table, of the one with the lowest metric.
///
/// Of a route with several hops those on the link count. A route without a next hop does not count, nor does one whose
/// next hop is of the other family. An IPv6 router is mostly told by its link-local address.
///
/// # Errors
/// When the routes cannot be read.
pub fn router(link: &Link, family: Family) -> Result<Option<IpAddr>, KernelError> {
    Ok(next_hop(&default_routes(&mut host()?, family)?, link.index))
}

/// The index of the link that the host's own default route leads out of: of IPv4, or else of IPv6.
///
/// # Errors
/// When the routes cannot be read.
pub fn way_out() -> Result<Option<u32>, KernelError> {
    let mut netlink = host()?;
    for family in [Family::V4, Family::V6] {
        let defaults = default_routes(&mut netlink, family)?;
        let best = defaults.iter().min_by_key(|route| route.metric).and_then(|route| route.hops.first());
        if let Some(hop) = best {
            return Ok(Some(hop.link));
        }
    }
    Ok(None)
}

/// The routes in a sandbox, each with the index of the link that it leads out of; but for those that the kernel makes with
/// each address.
///
/// # Errors
/// When the namespace is not there, or its routes cannot be read.
pub fn routes_in(sandbox: &SandboxKey) -> Result<Vec<(u32, SandboxRoute)>, KernelError> {
    let mut netlink = Namespace::open(Path::new(sandbox.as_str()))
        .and_then(|namespace| namespace.netlink())
        .map_err(|source| KernelError::Io { doing: format!("look into {sandbox}"), source })?;
    let mut found = Vec::new();
    for family in [Family::V4, Family::V6] {
        for route in routes(&mut netlink, family)?.iter().filter(|route| !route.by_kernel) {
            let metric = Some(route.metric).filter(|metric| *metric > 0);
            let hops = route.hops.iter();
            found.extend(hops.map(|hop| (hop.link, SandboxRoute { to: route.to, via: hop.router, metric })));
        }
    }
    Ok(found)
}

fn host() -> Result<Netlink, KernelError> {
    let failed = |source: io::Error| KernelError::Io { doing: "open a netlink socket".into(), source };
    Netlink::open().map_err(failed)
}

fn default_routes(netlink: &mut Netlink, family: Family) -> Result<Vec<Route>, KernelError> {
    let mut found = routes(netlink, family)?;
    found.retain(|route| route.to.prefix_len() == 0);
    Ok(found)
}

fn next_hop(defaults: &[Route], link: u32) -> Option<IpAddr> {
    let on_link = |route: &Route| route.hops.iter().filter(|hop| hop.link == link).find_map(|hop| hop.router);
    let found = defaults.iter().filter_map(|route| Some((route.metric, on_link(route)?)));
    found.min_by_key(|(metric, _)| *metric).map(|(_, router)| router)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Hop;

    #[test]
    fn of_several_hops_those_on_the_link_count_and_of_several_routes_the_lowest_metric() {
        let ip = |text: &str| text.parse().unwrap();
        let hop = |link, router: Option<&str>| Hop { link, router: router.map(ip) };
        let route = |metric, hops| Route { to: "0.0.0.0/0".parse().unwrap(), metric, by_kernel: false, hops };
        let defaults = [
            route(200, vec![hop(7, Some("192.0.2.9"))]),
            route(
                100,
                vec![hop(7, None), hop(8, Some("192.0.2.1")), hop(7, Some("192.0.2.2")), hop(7, Some("192.0.2.3"))],
            ),
        ];
        assert_eq!(next_hop(&defaults, 7), Some(ip("192.0.2.2")));
        assert_eq!(next_hop(&defaults, 8), Some(ip("192.0.2.1")));
        assert_eq!(next_hop(&defaults, 9), None);
    }
}
