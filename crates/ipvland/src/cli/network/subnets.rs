//! Which range, router and address belongs to which subnet, as `docker network create` has it: by where they lie.

use std::net::IpAddr;

use anyhow::{Result, bail};
use engine::{EngineError, PoolPlan, PoolRequest};
use ipnet::IpNet;
use model::{Family, IpamOptions};

/// The pools that are asked for. Without a subnet they are on the parent's.
pub(super) fn pools(
    subnets: &[IpNet],
    ranges: &[IpNet],
    ipv6: bool,
    options: &IpamOptions,
) -> Result<Vec<PoolRequest>> {
    if subnets.is_empty() && !ranges.is_empty() {
        return Err(EngineError::RangeWithoutSubnet.into());
    }
    let overlap = |(at, one): (usize, &IpNet)| {
        let other = subnets[..at].iter().find(|other| other.contains(one) || one.contains(*other))?;
        Some((*other, *one))
    };
    if let Some((one, other)) = subnets.iter().enumerate().find_map(overlap) {
        bail!("subnets {one} and {other} overlap; pass subnets that do not, or make a network of each");
    }
    let ranges = by_subnet(subnets, ranges, "range", IpNet::addr)?;
    let request = |family, subnet, range| PoolRequest { family, subnet, range, options: options.clone() };
    let mut pools: Vec<PoolRequest> =
        subnets.iter().zip(ranges).map(|(net, range)| request(Family::of(net.addr()), Some(*net), range)).collect();
    if subnets.is_empty() {
        pools.push(request(Family::V4, None, None));
    }
    if ipv6 && !subnets.iter().any(|net| net.addr().is_ipv6()) {
        pools.push(request(Family::V6, None, None));
    }
    Ok(pools)
}

/// The plans, each with the router that was named for it; else with the one it has.
pub(super) fn with_gateways(plans: Vec<PoolPlan>, gateways: &[IpAddr]) -> Result<Vec<PoolPlan>> {
    let subnets: Vec<IpNet> = plans.iter().map(|plan| plan.pool.subnet()).collect();
    let named = by_subnet(&subnets, gateways, "gateway", |gateway| *gateway)?;
    let with = |(plan, named): (PoolPlan, Option<IpAddr>)| PoolPlan { gateway: named.or(plan.gateway), ..plan };
    Ok(plans.into_iter().zip(named).map(with).collect())
}

/// Makes sure that each address is in one of the subnets.
pub(super) fn ensure_inside(plans: &[PoolPlan], addresses: &[IpAddr]) -> Result<()> {
    let outside = addresses.iter().find(|address| !plans.iter().any(|plan| plan.pool.subnet().contains(*address)));
    match outside {
        Some(address) => Err(nowhere("auxiliary address", address, plans.iter().map(|plan| plan.pool.subnet()))),
        None => Ok(()),
    }
}

/// For each subnet the one thing that lies in it.
fn by_subnet<T: Copy + ToString>(
    subnets: &[IpNet],
    things: &[T],
    what: &str,
    place: impl Fn(&T) -> IpAddr,
) -> Result<Vec<Option<T>>> {
    let mut found = vec![None; subnets.len()];
    for thing in things {
        let Some(at) = subnets.iter().position(|subnet| subnet.contains(&place(thing))) else {
            return Err(nowhere(what, thing, subnets.iter().copied()));
        };
        if let Some(other) = found[at].replace(*thing) {
            let (other, this, subnet) = (other.to_string(), thing.to_string(), subnets[at]);
            bail!("{what} {other} and {what} {this} are both in subnet {subnet}; pass one for each subnet");
        }
    }
    Ok(found)
}

fn nowhere(what: &str, thing: &impl ToString, subnets: impl Iterator<Item = IpNet>) -> anyhow::Error {
    let subnets: Vec<String> = subnets.map(|subnet| subnet.to_string()).collect();
    anyhow::anyhow!(
        "{what} {} is in none of the subnets {}; pass one that is, or --subnet for it",
        thing.to_string(),
        subnets.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use model::{Pool, SegmentName};

    use super::*;

    fn list<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &str) -> Vec<T> {
        texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
    }

    /// Subnet and range of each pool, `-` for the parent's.
    fn asked(subnets: &str, ranges: &str, ipv6: bool) -> Result<Vec<String>, String> {
        let pools = pools(&list(subnets), &list(ranges), ipv6, &IpamOptions::default());
        let shown = |net: Option<IpNet>| net.map_or("-".to_owned(), |net| net.to_string());
        let line = |pool: PoolRequest| format!("{} {} {}", pool.family, shown(pool.subnet), shown(pool.range));
        pools.map(|pools| pools.into_iter().map(line).collect()).map_err(|error| error.to_string())
    }

    fn plans() -> Vec<PoolPlan> {
        let plan = |subnet: &str, gateway: Option<&str>| PoolPlan {
            pool: Pool::new(SegmentName::default(), subnet.parse().unwrap(), None).unwrap(),
            gateway: gateway.map(|text| text.parse().unwrap()),
        };
        vec![plan("192.168.1.0/24", Some("192.168.1.1")), plan("2001:db8::/64", None)]
    }

    fn gateways(named: &str) -> Result<Vec<Option<String>>, String> {
        let plans = with_gateways(plans(), &list(named)).map_err(|error| error.to_string())?;
        Ok(plans.into_iter().map(|plan| plan.gateway.map(|gateway| gateway.to_string())).collect())
    }

    #[test]
    fn a_range_belongs_to_the_subnet_it_is_in() {
        assert_eq!(asked("", "", false).unwrap(), ["IPv4 - -"]);
        assert_eq!(asked("", "", true).unwrap(), ["IPv4 - -", "IPv6 - -"]);
        assert_eq!(
            asked("192.168.1.0/24 2001:db8::/64 192.168.2.0/24", "2001:db8::100/120 192.168.2.64/26", false).unwrap(),
            ["IPv4 192.168.1.0/24 -", "IPv6 2001:db8::/64 2001:db8::100/120", "IPv4 192.168.2.0/24 192.168.2.64/26"]
        );
        assert_eq!(asked("2001:db8::/64", "", true).unwrap(), ["IPv6 2001:db8::/64 -"]);
        assert_eq!(asked("192.168.1.0/24", "", true).unwrap(), ["IPv4 192.168.1.0/24 -", "IPv6 - -"]);
    }

    #[test]
    fn what_lies_nowhere_or_twice_is_refused() {
        assert_eq!(asked("", "192.168.1.64/26", false).unwrap_err(), "a range is named and no subnet");
        assert_eq!(
            asked("192.168.1.0/24", "192.168.2.64/26", false).unwrap_err(),
            "range 192.168.2.64/26 is in none of the subnets 192.168.1.0/24; pass one that is, or --subnet for it"
        );
        assert_eq!(
            asked("192.168.1.0/24", "192.168.1.64/26 192.168.1.128/26", false).unwrap_err(),
            "range 192.168.1.64/26 and range 192.168.1.128/26 are both in subnet 192.168.1.0/24; pass one for each subnet"
        );
        for overlapping in ["10.0.0.0/8 10.1.0.0/16", "10.1.0.0/16 10.0.0.0/8"] {
            assert!(asked(overlapping, "", false).unwrap_err().contains(" overlap; pass subnets that do not"));
        }
    }

    #[test]
    fn a_gateway_that_is_named_comes_before_the_parents() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(gateways("").unwrap(), [some("192.168.1.1"), None]);
        assert_eq!(gateways("2001:db8::1 192.168.1.254").unwrap(), [some("192.168.1.254"), some("2001:db8::1")]);
        assert_eq!(
            gateways("10.0.0.1").unwrap_err(),
            "gateway 10.0.0.1 is in none of the subnets 192.168.1.0/24, 2001:db8::/64; pass one that is, or --subnet for it"
        );
        assert_eq!(
            gateways("192.168.1.2 192.168.1.3").unwrap_err(),
            "gateway 192.168.1.2 and gateway 192.168.1.3 are both in subnet 192.168.1.0/24; pass one for each subnet"
        );
    }

    #[test]
    fn an_auxiliary_address_is_in_a_subnet() {
        let check = |addresses: &str| ensure_inside(&plans(), &list(addresses)).map_err(|error| error.to_string());
        assert_eq!(check("192.168.1.9 2001:db8::9 192.168.1.10"), Ok(()));
        assert!(check("10.0.0.9").unwrap_err().starts_with("auxiliary address 10.0.0.9 is in none of the subnets"));
    }
}
