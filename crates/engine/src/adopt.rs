//! Addresses that others on this host have given out, and that must not be given out again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kernel::Scope;
use model::{
    Adopted, Endpoint, Hold, Link, LinkIntent, Network, NetworkId, Observed, Place, Presence, SandboxKey, Segment,
};

use crate::{Engine, EngineError};

/// Whether to enter what was found, or only tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// Enter it.
    Apply,
    /// Only tell.
    DryRun,
}

/// An address that somebody else has, or had, and what that is to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The address and its holder.
    pub adopted: Adopted,
    /// What it is to the ledger.
    pub entry: Entry,
}

/// What an adopted address is to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It was not on record.
    New,
    /// It is on record already.
    Known,
    /// It was on record, and nobody has it any more: it is free.
    Gone,
}

impl Engine {
    /// Enters in a segment what others on this host have given out, in place of what was entered before: what frontends were
    /// `told`, and what live ipvlan and macvlan links have in the namespaces in reach. An address that several know of is
    /// entered once, with the first one's word, and what ipvland has dealt there itself not at all. By address.
    ///
    /// # Errors
    /// When ledger or kernel fail. Nothing has changed then.
    pub fn adopt(&self, segment: &Segment, told: Vec<Adopted>, how: Adopt) -> Result<Vec<Adoption>, EngineError> {
        let found = self.adoptable(segment, told)?;
        let on_record = self.store.holdings()?.into_iter().filter(|holding| holding.segment == *segment);
        let mut gone: BTreeMap<IpAddr, String> = on_record
            .filter_map(|holding| if let Hold::Adopted(by) = holding.hold { Some((holding.address, by)) } else { None })
            .collect();
        if how == Adopt::Apply {
            self.store.adopt(segment, &found)?;
        }
        let mut adoptions = Vec::new();
        for adopted in found {
            let known = gone.remove(&adopted.address()).is_some();
            adoptions.push(Adoption { adopted, entry: if known { Entry::Known } else { Entry::New } });
        }
        let gone = gone.into_iter().map(|(address, holder)| Adopted::new(address, &holder));
        adoptions.extend(gone.map(|adopted| Adoption { adopted, entry: Entry::Gone }));
        adoptions.sort_by_key(|adoption| adoption.adopted.address());
        Ok(adoptions)
    }

    fn adoptable(&self, segment: &Segment, told: Vec<Adopted>) -> Result<Vec<Adopted>, EngineError> {
        // The ledger before the look and after it: what came or went meanwhile is known to one of them.
        let before = self.records()?;
        let sandboxes: Vec<SandboxKey> = before.iter().filter_map(|(_, endpoint)| endpoint.sandbox.clone()).collect();
        let observed = kernel::observe(Scope::Everywhere(&sandboxes))?;
        let records: Vec<(Network, Endpoint)> = before.into_iter().chain(self.records()?).collect();

        let holdings = self.store.holdings()?.into_iter().filter(|holding| holding.segment == *segment);
        let dealt = holdings.filter(|holding| matches!(holding.hold, Hold::Endpoint { .. } | Hold::Claim));
        let in_segment = records.iter().filter(|(network, _)| network.segment() == *segment);
        let held = in_segment.flat_map(|(_, endpoint)| endpoint.addresses.iter().map(|address| address.addr()));
        let held: BTreeSet<IpAddr> = dealt.map(|holding| holding.address).chain(held).collect();
        let slave = |(network, endpoint): &(Network, Endpoint)| LinkIntent::slave_of(endpoint, network, Presence::Kept);
        let slaves: Vec<LinkIntent> = records.iter().map(slave).collect();
        let mut adoptable = BTreeMap::new();
        for adopted in told.into_iter().chain(foreign(&observed, &slaves)) {
            if !held.contains(&adopted.address()) {
                adoptable.entry(adopted.address()).or_insert(adopted);
            }
        }
        Ok(adoptable.into_values().collect())
    }

    fn records(&self) -> Result<Vec<(Network, Endpoint)>, EngineError> {
        let endpoints = self.store.endpoints()?;
        let networks: BTreeMap<NetworkId, Network> =
            self.store.networks()?.into_iter().map(|network| (network.id.clone(), network)).collect();
        let with_network = |endpoint: Endpoint| Some((networks.get(&endpoint.network)?.clone(), endpoint));
        Ok(endpoints.into_iter().filter_map(with_network).collect())
    }
}

/// The addresses of the links that put somebody on the wire and are none of these slaves of ours.
fn foreign(observed: &Observed, slaves: &[LinkIntent]) -> Vec<Adopted> {
    let ours: Vec<(Place, &Link)> = slaves.iter().flat_map(|slave| slave.find(observed)).collect();
    let mut found = Vec::new();
    for (place, link) in observed.all() {
        let Some(kind) = link.kind.on_the_wire() else { continue };
        if ours.contains(&(place.clone(), link)) {
            continue;
        }
        let holder = match place {
            Place::Host => format!("{kind} link {} of this host", link.name),
            Place::Sandbox(key) => format!("{kind} link {} in {key}", link.name),
        };
        let addresses = link.addresses.iter().map(|address| address.addr());
        found
            .extend(addresses.filter(|address| !is_link_local(*address)).map(|address| Adopted::new(address, &holder)));
    }
    found
}

/// Nobody has given it out, and every wire has its own.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use model::{
        EndpointState, Frontend, Generation, Kind, Layer, Moment, NetworkState, Parent, PortSettings, SegmentName,
    };
    use tempfile::TempDir;

    use super::*;
    use crate::Paths;

    fn link(name: &str, kind: Kind, alias: Option<&str>, addresses: &[&str]) -> Link {
        Link {
            index: 7,
            name: name.parse().unwrap(),
            alias: alias.map(str::to_owned),
            kind,
            layer: Layer::Ethernet,
            on: Some(2),
            master: None,
            up: true,
            mtu: 1500,
            mac: None,
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    fn record(segment: &str, endpoint: &str, address: &str) -> (Network, Endpoint) {
        let network = Network {
            segment_name: segment.parse().unwrap(),
            state: NetworkState::Ready,
            ..Network::plain(format!("net-{segment}").parse().unwrap(), Parent::Link("eth0".parse().unwrap()))
        };
        let endpoint = Endpoint {
            id: endpoint.parse().unwrap(),
            network: network.id.clone(),
            frontend: Frontend::Docker,
            addresses: address.parse().unwrap(),
            set_up: None,
            sandbox: Some("/run/netns/a".parse().unwrap()),
            born: Moment { generation: Generation(0), boot: "b".parse().unwrap() },
            state: EndpointState::Attached,
        };
        (network, endpoint)
    }

    #[test]
    fn links_on_the_wire_are_told_with_their_addresses_and_ours_are_not() {
        let (slave, macvlan) = (Kind::Slave(PortSettings::default()), |word: &str| Kind::Other(word.into()));
        let in_a = vec![
            link("eth0", slave.clone(), Some("ipvland:docker:net-one:ours"), &["192.0.2.1/24"]),
            link(
                "eth1",
                slave,
                Some("ipvland:docker:net-one:forged"),
                &["192.0.2.2/24", "fe80::2/64", "2001:db8::2/64"],
            ),
            link("eth2", macvlan("macvlan"), None, &["192.0.2.3/24", "169.254.3.3/16"]),
            link("eth3", macvlan("veth"), None, &["192.0.2.4/24"]),
        ];
        let host = vec![
            link("shim", macvlan("macvtap"), None, &["192.0.2.5/32"]),
            link("new", macvlan("ipvlan"), None, &["192.0.2.6/32"]),
        ];
        let observed = Observed { host, sandboxes: [("/run/netns/a".parse().unwrap(), in_a)].into() };
        let (network, endpoint) = record("one", "ours", "192.0.2.1/24");
        let found = foreign(&observed, &[LinkIntent::slave_of(&endpoint, &network, Presence::Kept)]);
        let found: Vec<String> = found.iter().map(|it| format!("{} {}", it.address(), it.holder())).collect();
        assert_eq!(
            found,
            [
                "192.0.2.5 macvlan link shim of this host",
                "192.0.2.6 ipvlan link new of this host",
                "192.0.2.2 ipvlan link eth1 in /run/netns/a",
                "2001:db8::2 ipvlan link eth1 in /run/netns/a",
                "192.0.2.3 macvlan link eth2 in /run/netns/a",
            ]
        );
    }

    fn engine(folder: &TempDir) -> Engine {
        Engine::open(&Paths { state_dir: folder.path().join("state"), run_dir: folder.path().join("run") }).unwrap()
    }

    #[test]
    fn a_router_that_others_have_named_is_a_gateway_all_the_same() {
        let folder = TempDir::new().unwrap();
        let engine = engine(&folder);
        let router: IpAddr = [192, 0, 2, 1].into();
        let told = vec![Adopted::new(router, "gateway of Docker's network lan")];
        engine.adopt(&Segment::default(), told, Adopt::Apply).unwrap();
        let pool = "v1/default/192.0.2.0/24/192.0.2.0/24".parse().unwrap();
        assert_eq!(engine.store.gateway(&pool, Some(router), &[]).unwrap(), router);
        let refusal = engine.store.deal_this(&pool, None, router).unwrap_err();
        assert!(matches!(refusal, store::StoreError::AddressTaken { .. }), "{refusal}");
        assert_eq!(engine.store.deal(&pool, None, &[]).unwrap().to_string(), "192.0.2.2");
    }

    #[test]
    fn what_was_entered_before_is_replaced() {
        let folder = TempDir::new().unwrap();
        let engine = engine(&folder);
        let (default, cellar) = (Segment::default(), Segment::Shared("cellar".parse().unwrap()));
        let adopt = |segment: &Segment, told: &[(u8, &str)], how| -> Vec<String> {
            let of_ours = |address: IpAddr| address.to_string().starts_with("192.0.2.");
            let told = told.iter().map(|(last, holder)| Adopted::new([192, 0, 2, *last].into(), holder)).collect();
            let adoptions = engine.adopt(segment, told, how).unwrap().into_iter();
            // Not what this host itself may have on its wires.
            let adoptions = adoptions.filter(|it| of_ours(it.adopted.address()));
            adoptions.map(|it| format!("{} {} {:?}", it.adopted.address(), it.adopted.holder(), it.entry)).collect()
        };
        let first: &[(u8, &str)] = &[(1, "one"), (2, "two")];
        for _ in 0..2 {
            assert_eq!(adopt(&default, first, Adopt::DryRun), ["192.0.2.1 one New", "192.0.2.2 two New"]);
        }
        assert_eq!(adopt(&default, first, Adopt::Apply), ["192.0.2.1 one New", "192.0.2.2 two New"]);
        assert_eq!(adopt(&default, first, Adopt::Apply), ["192.0.2.1 one Known", "192.0.2.2 two Known"]);
        assert_eq!(adopt(&cellar, first, Adopt::DryRun), ["192.0.2.1 one New", "192.0.2.2 two New"]);
        let later: &[(u8, &str)] = &[(3, "three"), (2, "two moved")];
        let changes = ["192.0.2.1 one Gone", "192.0.2.2 two moved Known", "192.0.2.3 three New"];
        assert_eq!(adopt(&default, later, Adopt::DryRun), changes);
        assert_eq!(adopt(&default, later, Adopt::Apply), changes);
        assert_eq!(adopt(&default, later, Adopt::Apply), ["192.0.2.2 two moved Known", "192.0.2.3 three Known"]);
    }

    #[test]
    fn an_address_is_entered_once_and_not_where_an_endpoint_of_ours_holds_it() {
        let folder = TempDir::new().unwrap();
        let engine = engine(&folder);
        for (network, endpoint) in
            [record("default", "ours", "192.0.2.1/24"), record("cellar", "theirs", "192.0.2.2/24")]
        {
            engine.store.add_network(&network).unwrap();
            engine.store.confirm_network(&network.id).unwrap();
            engine.store.claim(&endpoint).unwrap();
        }
        let told = [(3, "first"), (1, "ours"), (2, "in the cellar"), (3, "second")];
        let told: Vec<Adopted> = told.map(|(last, holder)| Adopted::new([192, 0, 2, last].into(), holder)).into();
        let check = |segment: &str, expected: [(u8, &str); 2]| {
            let segment = Segment::Shared(segment.parse::<SegmentName>().unwrap());
            let mut found = engine.adoptable(&segment, told.clone()).unwrap();
            // What this host itself may have on its wires.
            found.retain(|it| told.contains(it));
            assert_eq!(found, expected.map(|(last, holder)| Adopted::new([192, 0, 2, last].into(), holder)));
        };
        check("default", [(2, "in the cellar"), (3, "first")]);
        check("cellar", [(1, "ours"), (3, "first")]);
    }
}
