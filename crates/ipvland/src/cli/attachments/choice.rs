//! Which pools a namespace gets its addresses from, and what its interface is called.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use engine::Wanted;
use model::{Family, InterfaceName, Network, Pool};

/// One address of each family that the network has: those that are asked for, else one from the first pool that has any left.
pub(super) fn addresses(
    network: &Network,
    asked: &[IpAddr],
    is_exhausted: impl Fn(&Pool) -> bool,
) -> Result<Vec<Wanted>> {
    let id = &network.id;
    ensure!(
        !network.pools.is_empty(),
        "network {id} was found again after the loss of the ledger, which knew its pools; make it again as it was, with \
         `ipvland network create {id} ...`: what is on it stays"
    );
    let mut wanted = Vec::new();
    for (at, address) in asked.iter().enumerate() {
        ensure!(!asked[..at].contains(address), "--ip {address} is given twice; leave one out");
        let Some(pool) = network.pools.iter().find(|pool| pool.subnet().contains(address)) else {
            let subnets: Vec<String> = network.pools.iter().map(|pool| pool.subnet().to_string()).collect();
            bail!("address {address} is in no subnet of network {id}; choose one in {}", subnets.join(" or "));
        };
        wanted.push(Wanted::Dealt { pool: pool.clone(), asked: Some(*address) });
    }
    for family in [Family::V4, Family::V6] {
        if asked.iter().any(|address| Family::of(*address) == family) {
            continue;
        }
        let of_family = || network.pools.iter().filter(|pool| Family::of(pool.subnet().addr()) == family);
        // Where all are exhausted, the first one says so.
        let pool = of_family().find(|pool| !is_exhausted(pool)).or(of_family().next());
        wanted.extend(pool.map(|pool| Wanted::Dealt { pool: pool.clone(), asked: None }));
    }
    Ok(wanted)
}

/// The first name of `eth0`, `eth1` and so on that no interface has.
pub(super) fn interface(taken: &[InterfaceName]) -> InterfaceName {
    let names = (0..).map(|number: u32| format!("eth{number}").parse().expect("it is short and plain"));
    names.into_iter().find(|name| !taken.contains(name)).expect("there are more numbers than interfaces")
}

#[cfg(test)]
mod tests {
    use model::Parent;

    use super::*;

    fn network(subnets: &[&str]) -> Network {
        let pool = |subnet: &&str| format!("v1/default/{subnet}/{subnet}").parse().unwrap();
        let parent = Parent::Link("eth0".parse().unwrap());
        Network { pools: subnets.iter().map(pool).collect(), ..Network::plain("lan".parse().unwrap(), parent) }
    }

    /// The subnet of each address and the address that is asked for, when these subnets are exhausted.
    fn chosen(subnets: &[&str], asked: &[&str], exhausted: &[&str]) -> Result<Vec<String>, String> {
        let asked: Vec<IpAddr> = asked.iter().map(|text| text.parse().unwrap()).collect();
        let is_exhausted = |pool: &Pool| exhausted.contains(&pool.subnet().to_string().as_str());
        let wanted = addresses(&network(subnets), &asked, is_exhausted).map_err(|error| error.to_string())?;
        let shown = |wanted: Wanted| match wanted {
            Wanted::Dealt { pool, asked: Some(asked) } => format!("{asked} of {}", pool.subnet()),
            Wanted::Dealt { pool, asked: None } => format!("any of {}", pool.subnet()),
            Wanted::Given(address) => format!("{address}"),
        };
        Ok(wanted.into_iter().map(shown).collect())
    }

    const BOTH: [&str; 3] = ["192.168.1.0/24", "192.168.2.0/24", "2001:db8::/64"];

    #[test]
    fn one_address_of_each_family_is_dealt() {
        assert_eq!(chosen(&BOTH, &[], &[]).unwrap(), ["any of 192.168.1.0/24", "any of 2001:db8::/64"]);
        assert_eq!(chosen(&BOTH[2..], &[], &[]).unwrap(), ["any of 2001:db8::/64"]);
    }

    #[test]
    fn a_pool_that_is_exhausted_makes_way_for_the_next() {
        assert_eq!(chosen(&BOTH, &[], &BOTH[..1]).unwrap()[0], "any of 192.168.2.0/24");
        assert_eq!(chosen(&BOTH, &[], &BOTH).unwrap()[0], "any of 192.168.1.0/24", "which will say so");
    }

    #[test]
    fn what_is_asked_for_is_asked_of_its_subnet() {
        assert_eq!(
            chosen(&BOTH, &["192.168.2.7", "192.168.1.7"], &[]).unwrap(),
            ["192.168.2.7 of 192.168.2.0/24", "192.168.1.7 of 192.168.1.0/24", "any of 2001:db8::/64"]
        );
        assert_eq!(
            chosen(&BOTH, &["10.0.0.7"], &[]).unwrap_err(),
            "address 10.0.0.7 is in no subnet of network lan; choose one in 192.168.1.0/24 or 192.168.2.0/24 or 2001:db8::/64"
        );
        assert_eq!(
            chosen(&BOTH, &["192.168.2.7", "192.168.2.7"], &[]).unwrap_err(),
            "--ip 192.168.2.7 is given twice; leave one out"
        );
    }

    #[test]
    fn a_network_whose_pools_were_lost_says_how_they_come_back() {
        assert!(
            chosen(&[], &[], &[])
                .unwrap_err()
                .contains("make it again as it was, with `ipvland network create lan ...`")
        );
    }

    #[test]
    fn an_interface_is_called_by_the_first_name_that_is_free() {
        let check = |taken: &[&str]| {
            let taken: Vec<InterfaceName> = taken.iter().map(|name| name.parse().unwrap()).collect();
            interface(&taken).to_string()
        };
        assert_eq!([check(&["lo"]), check(&["lo", "eth0", "eth2"])], ["eth0", "eth1"]);
    }
}
