//! The network that a configuration speaks of, as the engine makes it.

use engine::{Carrier, Engine, NetworkRequest, PoolPlan, PoolRequest};
use model::{DriverOptions, Family, Frontend, InterfaceName, Ipam, IpamOptions, Mode, Subnet};

use super::failure::{Code, Failure};
use super::identity;
use super::wire::{Configuration, Dealer, LedgerIpam, LinkSettings, NetworkName, Range, Report};

/// A network, and the sets of ranges that its containers get one address from each.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: NetworkRequest,
    pub(super) sets: Vec<Vec<Range>>,
}

impl Plan {
    /// A network whose links are made here.
    ///
    /// # Errors
    /// When nothing says which parent they are to be on, or which addresses there are.
    pub(super) fn of_links(
        configuration: &Configuration<'_>,
        link: &LinkSettings,
        ipam: Option<LedgerIpam>,
        before: Option<&Report>,
        engine: &Engine,
    ) -> Result<Self, Failure> {
        let parent = parent(link, before, engine)?;
        let (sets, segment) = match ipam {
            Some(ipam) => {
                let segment = ipam.options.segment.clone();
                (sets(ipam, parent.as_ref().filter(|_| !link.internal))?, segment)
            }
            None => (Vec::new(), link.options.segment.clone()),
        };
        let options = DriverOptions { parent, segment, ..link.options.clone() };
        let carrier = if link.internal { Carrier::Isolated } else { Carrier::Parent };
        let ipam = if configuration.dealer == Dealer::Ledger { Ipam::Ledger } else { Ipam::Engine };
        let subnets = subnets(&sets, has_router(link));
        Ok(Self { request: network(&configuration.name, carrier, options, ipam, subnets), sets })
    }

    /// A network whose links another plugin makes.
    ///
    /// # Errors
    /// When nothing says which addresses there are.
    pub(super) fn of_addresses(configuration: &Configuration<'_>, ipam: LedgerIpam) -> Result<Self, Failure> {
        let options = DriverOptions { segment: ipam.options.segment.clone(), ..DriverOptions::default() };
        let sets = sets(ipam, None)?;
        let subnets = subnets(&sets, true);
        Ok(Self { request: network(&configuration.name, Carrier::Elsewhere, options, Ipam::Ledger, subnets), sets })
    }
}

/// Whether containers have a router on the wire. In l3 and l3s the host is the router, and an isolated network has none.
pub(super) fn has_router(link: &LinkSettings) -> bool {
    link.options.settings.mode == Mode::L2 && !link.internal
}

/// The parent: the one that is named; or, in a chain, the one interface on the host that was made before; or the one that the
/// host's default route leads out of.
fn parent(link: &LinkSettings, before: Option<&Report>, engine: &Engine) -> Result<Option<InterfaceName>, Failure> {
    let on_host = before.map(|before| before.on_host().collect::<Vec<_>>());
    match (&link.options.parent, on_host.as_deref()) {
        (Some(named), _) => Ok(Some(named.clone())),
        (None, _) if link.internal => Ok(None),
        (None, None) => Ok(Some(engine.default_parent()?)),
        (None, Some([one])) => match one.parse() {
            Ok(parent) => Ok(Some(parent)),
            Err(error) => Err(Failure::new(Code::CONFIGURATION, format!("key `prevResult.interfaces`: {error}"))),
        },
        (None, Some(several)) => Err(Failure::new(
            Code::CONFIGURATION,
            format!(
                "key `master` is missing, and `prevResult` has {} interfaces on the host, of which one would be it",
                several.len()
            ),
        )),
    }
}

/// The ranges, or all of the subnet that the parent has an address in where there are none.
fn sets(ipam: LedgerIpam, parent: Option<&InterfaceName>) -> Result<Vec<Vec<Range>>, Failure> {
    if !ipam.sets.is_empty() {
        return Ok(ipam.sets);
    }
    let Some(parent) = parent else {
        return Err(Failure::new(
            Code::CONFIGURATION,
            "key `ipam`: neither `subnet` nor `ranges` was given, and there is no parent to take a subnet from",
        ));
    };
    let options = IpamOptions { parent: Some(parent.clone()), ..ipam.options };
    let PoolPlan { pool, gateway } = PoolRequest { family: Family::V4, subnet: None, range: None, options }.plan()?;
    Ok(vec![vec![Range::all_of(pool, gateway)]])
}

/// The subnets of all ranges, each once.
fn subnets(sets: &[Vec<Range>], has_router: bool) -> Vec<Subnet> {
    let mut subnets: Vec<Subnet> = Vec::new();
    for range in sets.iter().flatten() {
        let subnet = Subnet::new(range.pool.subnet(), range.gateway(has_router)).expect("a router is in its subnet");
        if !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    subnets
}

fn network(
    name: &NetworkName,
    carrier: Carrier,
    options: DriverOptions,
    ipam: Ipam,
    subnets: Vec<Subnet>,
) -> NetworkRequest {
    let DriverOptions { parent, settings, mtu, announcements, segment } = &options;
    let shown = |value: Option<String>| value.unwrap_or_default();
    let mut made_with = format!(
        "{carrier:?} {ipam:?} parent={} {settings} mtu={} announcements={} segment={}",
        shown(parent.as_ref().map(ToString::to_string)),
        shown(mtu.map(|mtu| mtu.to_string())),
        announcements.count(),
        shown(segment.as_ref().map(ToString::to_string)),
    );
    for subnet in &subnets {
        made_with += &format!(" {}", subnet.pool());
        made_with += &subnet.gateway().map(|gateway| format!(" via {gateway}")).unwrap_or_default();
    }
    NetworkRequest {
        id: identity::network(name, &made_with),
        frontend: Frontend::Cni,
        options,
        carrier,
        subnets,
        auxiliary: Vec::new(),
        ipam,
        pools: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use engine::Paths;
    use serde_json::{Value, json};

    use super::*;

    /// The plan of a network with these keys in its configuration.
    fn plan(keys: &Value) -> Result<Plan, String> {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state_dir: folder.path().join("state"), run_dir: folder.path().join("run") };
        let engine = Engine::open(&paths).unwrap();
        let mut object = json!({ "cniVersion": "1.1.0", "name": "lan", "type": "ipvland" });
        object.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        let text = object.to_string();
        let read = || {
            let configuration = Configuration::read(text.as_bytes())?;
            let link = configuration.link()?;
            let before = configuration.previous()?;
            let ipam = match configuration.dealer {
                Dealer::Ledger => Some(configuration.ledger(link.options.segment.as_ref())?),
                Dealer::Nobody | Dealer::Plugin(_) => None,
            };
            Plan::of_links(&configuration, &link, ipam, before.as_ref(), &engine)
        };
        read().map_err(|failure: Failure| failure.sentence)
    }

    fn on_eth0(keys: &Value) -> Plan {
        let mut all = json!({ "master": "eth0", "ipam": { "type": "ipvland", "subnet": "10.1.2.0/24" } });
        all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        plan(&all).unwrap()
    }

    fn subnets(plan: &Plan) -> Vec<String> {
        let gateway = |subnet: &Subnet| subnet.gateway().map(|it| format!(" via {it}")).unwrap_or_default();
        plan.request.subnets.iter().map(|subnet| format!("{}{}", subnet.pool(), gateway(subnet))).collect()
    }

    #[test]
    fn a_network_is_another_when_its_configuration_is() {
        let id = |keys: &Value| on_eth0(keys).request.id;
        let plain = id(&json!({}));
        assert_eq!(plain, id(&json!({ "dns": { "nameservers": ["10.1.2.1"] }, "somethingElse": 7 })));
        for keys in [
            json!({ "master": "eth1" }),
            json!({ "mode": "l3" }),
            json!({ "flag": "vepa" }),
            json!({ "mtu": 1400 }),
            json!({ "segment": "cellar" }),
            json!({ "internal": true }),
            json!({ "announcements": false }),
            json!({ "ipam": { "type": "ipvland", "subnet": "10.1.2.0/24", "gateway": "10.1.2.254" } }),
            json!({ "ipam": { "type": "host-local" } }),
        ] {
            assert_ne!(id(&keys), plain, "{keys}");
        }
    }

    #[test]
    fn routers_are_on_the_wire_in_l2_only() {
        assert_eq!(subnets(&on_eth0(&json!({}))), ["10.1.2.0/24 via 10.1.2.1"]);
        for keys in [json!({ "mode": "l3" }), json!({ "mode": "l3s" }), json!({ "internal": true })] {
            assert_eq!(subnets(&on_eth0(&keys)), ["10.1.2.0/24"], "{keys}");
        }
        let twice = json!([[{ "subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.9" }, { "subnet": "10.1.2.0/24" }]]);
        let plan = on_eth0(&json!({ "ipam": { "type": "ipvland", "ranges": twice } }));
        assert_eq!(subnets(&plan), ["10.1.2.0/24 via 10.1.2.1"]);
    }

    #[test]
    fn who_deals_and_what_carries_it_is_said() {
        let said = |keys: &Value| (on_eth0(keys).request.ipam, on_eth0(keys).request.carrier);
        assert_eq!(said(&json!({})), (Ipam::Ledger, Carrier::Parent));
        assert_eq!(said(&json!({ "internal": true, "ipam": {} })), (Ipam::Engine, Carrier::Isolated));
        assert_eq!(said(&json!({ "ipam": { "type": "static" } })), (Ipam::Engine, Carrier::Parent));
    }

    #[test]
    fn a_chain_tells_the_parent_where_it_has_one_to_tell() {
        let parent = |interfaces: Value| {
            let plan = plan(&json!({ "prevResult": { "interfaces": interfaces } }))?;
            Ok::<_, String>(plan.request.options.parent.map(|parent| parent.to_string()))
        };
        let (eth1, inside) = (json!({ "name": "eth1" }), json!({ "name": "net0", "sandbox": "/run/netns/a" }));
        assert_eq!(parent(json!([inside, eth1])), Ok(Some("eth1".into())));
        for (interfaces, count) in [(json!([]), 0), (json!([inside]), 0), (json!([eth1, { "name": "eth2" }]), 2)] {
            let sentence = format!(
                "key `master` is missing, and `prevResult` has {count} interfaces on the host, of which one would be it"
            );
            assert_eq!(parent(interfaces), Err(sentence));
        }
        let named = json!({ "master": "eth0", "prevResult": { "interfaces": [eth1] } });
        assert_eq!(plan(&named).unwrap().request.options.parent.unwrap().as_str(), "eth0");
    }

    #[test]
    fn without_a_parent_there_is_no_subnet_but_the_one_that_is_named() {
        let ipam = json!({ "type": "ipvland" });
        let sentence =
            "key `ipam`: neither `subnet` nor `ranges` was given, and there is no parent to take a subnet from";
        assert_eq!(plan(&json!({ "internal": true, "ipam": ipam })).unwrap_err(), sentence);
        // The loopback has one on every host.
        let plan = plan(&json!({ "master": "lo", "ipam": ipam })).unwrap();
        assert_eq!(plan.sets[0][0].pool.subnet().to_string(), "127.0.0.0/8");
    }
}
