//! A network of Podman's, as the engine takes it.

use std::net::IpAddr;

use engine::{Carrier, Engine, EngineError, NetworkRequest, PoolPlan, PoolRequest, Wanted};
use ipnet::IpNet;
use model::{Family, Frontend, InterfaceName, IpamOptions, Mode, NetworkId, ParentFault, Pool, SandboxRoute, Subnet};

use super::addressing::{self, Dealer};
use super::options::NetworkOptions;
use super::ranges::{Ends, Pools, Range, refuse_overlaps};
use super::refusal::Refusal;
use super::wire;

/// A network with all that is said of it.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) id: NetworkId,
    pub(super) options: NetworkOptions,
    internal: bool,
    pub(super) dealer: Dealer,
    pub(super) ranges: Vec<Range>,
}

impl Network {
    /// Reads a network.
    pub(super) fn read(given: &wire::Network) -> Result<Self, Refusal> {
        let mut options = NetworkOptions::read(&given.options)?;
        let parent = match (options.driver.parent.take(), given.interface()?) {
            (Some(option), Some(interface)) if option != interface => {
                return Err(Refusal(format!(
                    "--interface-name names {interface} as the parent, and option `parent` names {option}; leave one of them out"
                )));
            }
            (option, interface) => option.or(interface),
        };
        options.driver.parent = parent;
        let (dealer, ranges) = (Dealer::named(given.ipam_driver())?, given.subnets()?);
        refuse_overlaps(&ranges)?;
        Ok(Self { id: given.id()?, options, internal: given.internal, dealer, ranges })
    }

    /// The same, on the link of the host's default route where no parent is named and it is not internal.
    pub(super) fn on_a_parent(mut self, engine: &Engine) -> Result<Self, Refusal> {
        let parent = &mut self.options.driver.parent;
        if parent.is_none() && !self.internal {
            *parent = Some(engine.default_parent()?);
        }
        Ok(self)
    }

    pub(super) fn parent(&self) -> Option<&InterfaceName> {
        self.options.driver.parent.as_ref()
    }

    /// What the engine makes it from.
    pub(super) fn request(&self) -> NetworkRequest {
        NetworkRequest {
            frontend: Frontend::Netavark,
            id: self.id.clone(),
            options: self.options.driver.clone(),
            carrier: if self.internal { Carrier::Isolated } else { Carrier::Parent },
            subnets: self.ranges.iter().map(|range| self.as_routed(range.subnet)).collect(),
            auxiliary: Vec::new(),
            ipam: self.dealer.ipam(),
            pools: Vec::new(),
        }
    }

    /// What addresses are dealt from, where the ledger does.
    pub(super) fn pools(&self) -> Result<Vec<Pool>, Refusal> {
        match self.dealer {
            Dealer::Ledger => self.ranges.iter().map(|range| self.source().of(range, None)).collect(),
            Dealer::Podman | Dealer::Nobody => Ok(Vec::new()),
        }
    }

    /// What a container gets that asks for these addresses.
    pub(super) fn wanted(&self, asked: &[IpAddr]) -> Result<Vec<Wanted>, Refusal> {
        addressing::wanted(self.dealer, &self.ranges, &self.source(), asked)
    }

    /// Its default routes, with the metric that the user wants; without one, the engine knows them.
    pub(super) fn default_routes(&self) -> Vec<SandboxRoute> {
        let Some(metric) = self.options.metric.filter(|_| self.options.default_routes && !self.internal) else {
            return Vec::new();
        };
        let mut routes = Vec::new();
        for (family, to) in [(Family::V4, "0.0.0.0/0"), (Family::V6, "::/0")] {
            let mut routers = self.ranges.iter().filter_map(|range| self.as_routed(range.subnet).gateway());
            let via = routers.find(|router| Family::of(*router) == family);
            // Without a router on the wire, the interface itself is where everything goes.
            if via.is_some() || (!self.routed() && self.has(family)) {
                routes.push(SandboxRoute { to: to.parse().expect("a destination"), via, metric: Some(metric) });
            }
        }
        routes
    }

    /// Whether its containers have a router on the wire.
    fn routed(&self) -> bool {
        !self.internal && self.options.driver.settings.mode == Mode::L2
    }

    /// A subnet without the gateway that Podman has for each, where containers have no use for it: nobody need be kept from
    /// its address.
    fn as_routed(&self, subnet: Subnet) -> Subnet {
        subnet_of_one_family(subnet.pool(), subnet.gateway().filter(|_| self.routed()))
    }

    fn source(&self) -> Pools<'_> {
        Pools { segment: self.options.driver.segment.clone().unwrap_or_default(), dealing: &self.options.dealing }
    }

    /// Takes from the parent what the user has not said, where containers are to share its wire: the subnets that it has
    /// addresses in, and the router that it goes by.
    ///
    /// Podman takes the first address of a subnet for the router where nobody names one.
    pub(super) fn complete(&mut self, ipv6: bool) -> Result<(), Refusal> {
        let Some(parent) = self.parent().cloned().filter(|_| self.routed()) else {
            return self.require_subnets(ipv6);
        };
        if self.dealer == Dealer::Ledger {
            let none = self.ranges.is_empty();
            let missing = [(Family::V4, none), (Family::V6, ipv6 && !self.has(Family::V6))];
            for (family, _) in missing.into_iter().filter(|(_, missing)| *missing) {
                self.ranges.push(range_of(&parent, family)?);
            }
        }
        self.require_subnets(ipv6)?;
        for range in self.ranges.iter_mut().filter(|range| range.subnet.gateway().is_none()) {
            range.subnet = with_router(&parent, range.subnet)?;
        }
        Ok(())
    }

    /// Whether it has a subnet of that family.
    pub(super) fn has(&self, family: Family) -> bool {
        self.ranges.iter().any(|range| Family::of(range.subnet.pool().addr()) == family)
    }

    fn require_subnets(&self, ipv6: bool) -> Result<(), Refusal> {
        let missing = match self.dealer {
            Dealer::Nobody => return Ok(()),
            _ if self.ranges.is_empty() => "the network has no subnet",
            _ if ipv6 && !self.has(Family::V6) => "IPv6 is enabled and there is no IPv6 subnet",
            _ => return Ok(()),
        };
        Err(Refusal(format!("{missing}; pass one with --subnet")))
    }
}

/// The subnet that a parent has an address in, with the router that it goes by.
fn range_of(parent: &InterfaceName, family: Family) -> Result<Range, Refusal> {
    match seen_by(parent, family, None) {
        Ok(PoolPlan { pool, gateway }) => Range::new(subnet_of_one_family(pool.subnet(), gateway), Ends::default()),
        Err(EngineError::Parent(ParentFault::Missing(_))) => Err(Refusal(format!(
            "the network has no {family} subnet, and its parent `{parent}` is not there to take one from; pass one with --subnet"
        ))),
        Err(error) => Err(error.into()),
    }
}

fn with_router(parent: &InterfaceName, subnet: Subnet) -> Result<Subnet, Refusal> {
    match seen_by(parent, Family::of(subnet.pool().addr()), Some(subnet.pool())) {
        Ok(PoolPlan { gateway, .. }) => Ok(subnet_of_one_family(subnet.pool(), gateway)),
        // A VLAN link that is still to be made goes by no router; whether it can be made is found out later.
        Err(EngineError::Parent(ParentFault::Missing(_))) => Ok(subnet),
        Err(error) => Err(error.into()),
    }
}

/// The subnet that is given, or the one that the parent has an address in; and the router that the parent goes by.
fn seen_by(parent: &InterfaceName, family: Family, subnet: Option<IpNet>) -> Result<PoolPlan, EngineError> {
    let options = IpamOptions { parent: Some(parent.clone()), ..IpamOptions::default() };
    PoolRequest { family, subnet, range: None, options }.plan()
}

fn subnet_of_one_family(net: IpNet, gateway: Option<IpAddr>) -> Subnet {
    Subnet::new(net, gateway).expect("a router is of the family that it was looked for in")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A network of both families on eth0, with these options.
    fn read(change: &Value) -> Result<Network, String> {
        let mut given = json!({
            "id": "n", "internal": false, "ipv6_enabled": false, "network_interface": "eth0",
            "subnets": [
                { "subnet": "10.1.0.0/16", "gateway": "10.1.0.1" }, { "subnet": "fd00::/64", "gateway": "fd00::1" },
                { "subnet": "10.2.0.0/16", "gateway": "10.2.0.1" },
            ],
        });
        given.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        wire::read(given.to_string().as_bytes()).and_then(|given| Network::read(&given)).map_err(|refusal| refusal.0)
    }

    fn routes(change: &Value) -> Vec<String> {
        read(change).unwrap().default_routes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_parent_has_two_names_which_must_agree() {
        let parent = |interface: &str, option: Option<&str>| {
            let options = option.map_or(json!({}), |option| json!({ "parent": option }));
            let network = read(&json!({ "network_interface": interface, "options": options }))?;
            Ok::<_, String>(network.parent().map(ToString::to_string))
        };
        let eth0 = || Ok(Some("eth0".to_owned()));
        assert_eq!(parent("eth0", None), eth0());
        assert_eq!(parent("", Some("eth0")), eth0());
        assert_eq!(parent("eth0", Some("eth0")), eth0());
        assert_eq!(parent("", None), Ok(None));
        assert!(parent("eth0", Some("eth1")).unwrap_err().contains("leave one of them out"));
    }

    #[test]
    fn default_routes_are_the_engines_unless_they_have_a_metric() {
        assert_eq!(routes(&json!({})), [""; 0]);
        assert_eq!(
            routes(&json!({ "options": { "metric": "50" } })),
            ["0.0.0.0/0 via 10.1.0.1 metric 50", "::/0 via fd00::1 metric 50"]
        );
        assert_eq!(
            routes(&json!({ "options": { "metric": "50", "mode": "l3" } })),
            ["0.0.0.0/0 metric 50", "::/0 metric 50"]
        );
        let without_router = json!([{ "subnet": "10.1.0.0/16" }, { "subnet": "10.2.0.0/16", "gateway": "10.2.0.1" }]);
        assert_eq!(
            routes(&json!({ "options": { "metric": "50" }, "subnets": without_router })),
            ["0.0.0.0/0 via 10.2.0.1 metric 50"]
        );
        assert_eq!(routes(&json!({ "options": { "metric": "50" }, "internal": true })), [""; 0]);
        assert_eq!(routes(&json!({ "options": { "metric": "50", "no_default_route": "1" } })), [""; 0]);
    }

    #[test]
    fn nobody_is_kept_from_the_address_of_a_gateway_that_is_none() {
        let gateways = |change: &Value| {
            let request = read(change).unwrap().request();
            request.subnets.iter().filter_map(Subnet::gateway).count()
        };
        assert_eq!(gateways(&json!({})), 3);
        assert_eq!(gateways(&json!({ "options": { "mode": "l3s" } })), 0);
        assert_eq!(gateways(&json!({ "internal": true })), 0);
    }

    #[test]
    fn pools_are_the_ledgers_where_it_deals() {
        let pools = |driver: &str| {
            let network =
                read(&json!({ "ipam_options": { "driver": driver }, "options": { "segment": "cellar" } })).unwrap();
            network.pools().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            pools("ipvland"),
            ["v1/cellar/10.1.0.0/16/10.1.0.0/16", "v1/cellar/fd00::/64/fd00::/64", "v1/cellar/10.2.0.0/16/10.2.0.0/16"]
        );
        assert_eq!(pools("host-local"), [""; 0]);
    }
}
