//! A ledger that was lost, found again: from the marks that slaves carry, and from what the container engine remembers.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Scope;
use model::{
    Addresses, Endpoint, EndpointState, Frontend, Kind, Link, Mark, Moment, Mtu, Network, NetworkId, NetworkState,
    Observed, Parent, PortSettings, SandboxKey, Subnet,
};

use crate::adopt::is_link_local;
use crate::{Carrier, Engine, EngineError, NetworkRequest};

/// What the container engine remembers of networks, compared with the ledger.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Networks that were not on record and are now.
    pub restored: Vec<NetworkId>,
    /// Networks that nobody remembers: they are gone from the record.
    pub forgotten: Vec<NetworkId>,
}

impl Engine {
    /// Enters what lives and is not on record, as the slaves in sight say by their marks: networks as far as their slaves
    /// show them, endpoints, and the addresses these hold.
    ///
    /// A container can forge a mark; but only on a slave of the port that it is on, and with an address that it holds
    /// there, so it takes nothing that was not its own.
    ///
    /// # Errors
    /// When kernel or ledger fail.
    pub(crate) fn find_again(&self) -> Result<Vec<Endpoint>, EngineError> {
        let observed = kernel::observe(Scope::Everywhere(&[]))?;
        let found = living(&observed, &self.now()?);
        let mut endpoints = Vec::new();
        for (network, on_it) in found {
            let _port = self.lock(&network.parent)?;
            if self.store.network(&network.id)?.is_none() {
                self.store.restore_network(&network)?;
            }
            for endpoint in on_it {
                let Some(sandbox) = endpoint.sandbox.clone() else { continue };
                if self.store.endpoint(&endpoint.id)?.is_some() {
                    continue;
                }
                // In one go: half entered, repair would take the slave for one to be removed.
                match self.store.restore_endpoint(&endpoint, &sandbox) {
                    Ok(()) => endpoints.push(endpoint),
                    Err(error) => tracing::warn!(endpoint = endpoint.id.short(), %error, "found, and not entered"),
                }
            }
        }
        Ok(endpoints)
    }

    /// Compares the record with the networks that the container engine remembers. One that is not on record is entered,
    /// one that was found again by its slaves is completed; otherwise the record knows better, since an engine tells
    /// of a gateway only where the user named it. One that was on record before the question, as `candidates` say, and that
    /// nobody remembers, is removed, unless endpoints on it live.
    ///
    /// # Errors
    /// When kernel or ledger fail. What was done stays done.
    pub fn remember(
        &self,
        remembered: &[NetworkRequest],
        candidates: &BTreeSet<NetworkId>,
    ) -> Result<Remembered, EngineError> {
        let mut outcome = Remembered::default();
        let on_record = self.store.networks()?;
        for request in remembered {
            let record = on_record.iter().find(|network| network.id == request.id);
            if record.is_none_or(|network| !network.complete) {
                self.restore(request, record)?;
                outcome.restored.push(request.id.clone());
            }
        }
        let known = |id: &NetworkId| remembered.iter().any(|request| request.id == *id);
        let its_own = on_record.iter().filter(|network| network.frontend == Frontend::Docker);
        for network in its_own.filter(|network| candidates.contains(&network.id) && !known(&network.id)) {
            match self.forget(network.id.as_str()) {
                Ok(id) => outcome.forgotten.push(id),
                Err(EngineError::NetworkInUse { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(outcome)
    }

    fn restore(&self, request: &NetworkRequest, record: Option<&Network>) -> Result<(), EngineError> {
        let parent = match record {
            Some(network) => network.parent.clone(),
            None => parent_of(request, &kernel::observe(Scope::Host)?),
        };
        let _port = self.lock(&parent)?;
        let whole = match record {
            Some(record) => request.completing(record),
            None => Network { state: NetworkState::Ready, ..request.on(parent) },
        };
        Ok(self.store.restore_network(&whole)?)
    }
}

/// The parent that a network was made on, as far as can be seen now. Whether a VLAN link is ours, its mark tells; of one that is
/// not there its name does, whether or not the link below is there: at a boot that may be the later one of the two.
fn parent_of(request: &NetworkRequest, observed: &Observed) -> Parent {
    let name = match (request.carrier, &request.options.parent) {
        (Carrier::Elsewhere, _) => return Parent::elsewhere_for(&request.id),
        (Carrier::Isolated, _) | (Carrier::Parent, None) => return Parent::dummy_for(&request.id),
        (Carrier::Parent, Some(name)) => name,
    };
    match (observed.host_link(name), name.as_vlan()) {
        (Some(link), _) => parent_at(link, observed),
        (None, Some((on, id))) => Parent::Vlan { name: name.clone(), on, id },
        (None, None) => Parent::Link(name.clone()),
    }
}

/// A link of the host's as a parent: ours where its mark says so.
fn parent_at(link: &Link, observed: &Observed) -> Parent {
    let name = link.name.clone();
    let ours = link.alias.as_deref().and_then(|alias| alias.parse().ok()) == Some(Mark::Parent(name.clone()));
    let below = observed.host.iter().find(|below| Some(below.index) == link.on);
    match (&link.kind, below) {
        (Kind::Vlan(id), Some(below)) if ours => Parent::Vlan { name, on: below.name.clone(), id: *id },
        (Kind::Dummy, _) if ours => Parent::Dummy(name),
        _ => Parent::Link(name),
    }
}

/// The networks and endpoints that live, as the marks of the slaves in sandboxes say.
fn living(observed: &Observed, now: &Moment) -> Vec<(Network, Vec<Endpoint>)> {
    let mut found: BTreeMap<NetworkId, (Network, Vec<Endpoint>)> = BTreeMap::new();
    for (key, link) in observed.sandboxes.iter().flat_map(|(key, links)| links.iter().map(move |link| (key, link))) {
        let Kind::Slave(settings) = link.kind else { continue };
        let Some(parent) = observed.host.iter().find(|parent| Some(parent.index) == link.on) else { continue };
        let mark = link.alias.as_deref().and_then(|alias| alias.parse().ok());
        let Some(Mark::Endpoint { frontend, network: id, endpoint }) = mark else { continue };
        let network = || {
            let found = network(&id, settings, link, parent, observed);
            (Network { frontend, ..found }, Vec::new())
        };
        let (network, endpoints) = found.entry(id.clone()).or_insert_with(network);
        let addresses = addresses(link);
        for pool in addresses.iter().map(|address| address.trunc()) {
            if let (Ok(subnet), false) = (Subnet::new(pool, None), network.subnets.iter().any(|it| it.pool() == pool)) {
                network.subnets.push(subnet);
            }
        }
        endpoints.push(Endpoint {
            id: endpoint,
            network: id,
            frontend,
            addresses,
            set_up: None,
            sandbox: Some(SandboxKey::clone(key)),
            born: now.clone(),
            state: EndpointState::Attached,
        });
    }
    let mut found: Vec<_> = found.into_values().collect();
    keep_apart(&mut found);
    found
}

/// No slave tells of its segment. Of two networks that hold the same address the second is taken to be a segment by itself,
/// until its engine tells: refused, what lives on it would be nobody's.
fn keep_apart(found: &mut [(Network, Vec<Endpoint>)]) {
    let mut held = BTreeSet::new();
    for (network, endpoints) in found.iter_mut().filter(|(network, _)| !network.isolated()) {
        let addresses = || endpoints.iter().flat_map(|endpoint| endpoint.addresses.iter().map(|it| it.addr()));
        if addresses().any(|address| held.contains(&address)) {
            network.segment_name = network.id.as_str().parse().expect("an id is such a name");
        } else {
            held.extend(addresses());
        }
    }
}

fn network(id: &NetworkId, settings: PortSettings, slave: &Link, parent: &Link, observed: &Observed) -> Network {
    Network {
        settings,
        mtu: Some(slave.mtu).filter(|mtu| *mtu != parent.mtu).and_then(|mtu| Mtu::try_from(mtu).ok()),
        complete: false,
        state: NetworkState::Ready,
        ..Network::plain(id.clone(), parent_at(parent, observed))
    }
}

/// The addresses of a slave that its engine gave it; every IPv6 link has one of its own besides.
fn addresses(link: &Link) -> Addresses {
    link.addresses.iter().filter(|address| !is_link_local(address.addr())).copied().collect()
}

#[cfg(test)]
mod tests {
    use model::{DriverOptions, Generation, Ipam, Layer};

    use super::*;

    fn link(index: u32, name: &str, kind: Kind, on: Option<u32>, alias: Option<&str>) -> Link {
        Link {
            index,
            name: name.parse().unwrap(),
            alias: alias.map(str::to_owned),
            kind,
            layer: Layer::Ethernet,
            on,
            master: None,
            up: true,
            mtu: 1500,
            mac: None,
            addresses: Vec::new(),
        }
    }

    #[test]
    fn what_lives_is_found_by_its_marks() {
        let settings = PortSettings { mode: model::Mode::L3, ..PortSettings::default() };
        let vlan = Kind::Vlan("10".parse().unwrap());
        let host = vec![
            link(2, "eth0", Kind::Other(String::new()), None, None),
            link(3, "eth0.10", vlan, Some(2), Some("ipvland:parent:eth0.10")),
        ];
        let held = ["fe80::1/64", "192.168.10.5/24", "2001:db8::5/64"].map(|address| address.parse().unwrap());
        let slave = Link {
            addresses: held.to_vec(),
            mtu: 1400,
            ..link(7, "eth0", Kind::Slave(settings), Some(3), Some("ipvland:docker:net:one"))
        };
        let forged = [
            link(8, "eth1", Kind::Dummy, None, Some("ipvland:docker:net:two")),
            link(9, "eth2", Kind::Slave(settings), None, Some("ipvland:docker:net:three")),
            link(10, "eth3", Kind::Slave(settings), Some(3), Some("ipvland:docker:net")),
        ];
        let key: SandboxKey = "/run/netns/a".parse().unwrap();
        let sandboxes = [(key.clone(), [slave].into_iter().chain(forged).collect())].into();
        let now = Moment { generation: Generation(1), boot: "b".parse().unwrap() };
        let found = living(&Observed { host, sandboxes }, &now);
        let [(network, endpoints)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(network.parent.name().as_str(), "eth0.10");
        assert!(matches!(network.parent, Parent::Vlan { .. }), "{network:?}");
        assert_eq!((network.settings, network.mtu.map(Mtu::get)), (settings, Some(1400)));
        let pools: Vec<String> = network.subnets.iter().map(|subnet| subnet.pool().to_string()).collect();
        assert_eq!(pools, ["192.168.10.0/24", "2001:db8::/64"]);
        let [endpoint] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!((endpoint.id.as_str(), &endpoint.sandbox), ("one", &Some(key)));
        assert_eq!(
            endpoint.addresses.iter().map(|it| it.to_string()).collect::<Vec<_>>(),
            ["192.168.10.5/24", "2001:db8::5/64"]
        );
    }

    #[test]
    fn two_that_hold_the_same_address_are_not_in_the_same_segment() {
        let on = |id: &str, parent: &str, address: &str| {
            let network = Network::plain(id.parse().unwrap(), Parent::Link(parent.parse().unwrap()));
            let endpoint = Endpoint {
                id: format!("on-{id}").parse().unwrap(),
                network: network.id.clone(),
                frontend: Frontend::Docker,
                addresses: address.parse().unwrap(),
                set_up: None,
                sandbox: None,
                born: Moment { generation: Generation(1), boot: "b".parse().unwrap() },
                state: EndpointState::Attached,
            };
            (network, vec![endpoint])
        };
        let mut found = vec![
            on("one", "eth0.10", "10.0.0.5/24"),
            on("two", "eth0.20", "10.0.0.5/24"),
            on("three", "eth0.30", "10.0.0.6/24"),
        ];
        keep_apart(&mut found);
        let segments: Vec<String> = found.iter().map(|(network, _)| network.segment().to_string()).collect();
        assert_eq!(segments, ["default", "two", "default"]);
    }

    /// The parent that a network is entered with that was made on `name`, where eth0, VLAN links 10 and 20 on it, and a
    /// dummy are there; 10 is ours.
    fn entered(name: &str) -> Parent {
        let vlan = |id: &str| Kind::Vlan(id.parse().unwrap());
        let host = vec![
            link(2, "eth0", Kind::Other(String::new()), None, None),
            link(3, "eth0.10", vlan("10"), Some(2), Some("ipvland:parent:eth0.10")),
            link(4, "eth0.20", vlan("20"), Some(2), None),
            link(5, "dum7", Kind::Dummy, None, None),
        ];
        let options = DriverOptions::parse([("parent", name)]).unwrap();
        let request = NetworkRequest {
            id: "net".parse().unwrap(),
            options,
            carrier: Carrier::Parent,
            frontend: Frontend::Docker,
            subnets: Vec::new(),
            auxiliary: Vec::new(),
            ipam: Ipam::Engine,
            pools: Vec::new(),
        };
        parent_of(&request, &Observed { host, ..Observed::default() })
    }

    #[test]
    fn a_parent_is_known_by_its_mark_and_where_it_is_not_there_by_its_name() {
        let link = |name: &str| Parent::Link(name.parse().unwrap());
        let vlan = |name: &str, on: &str, id: &str| Parent::Vlan {
            name: name.parse().unwrap(),
            on: on.parse().unwrap(),
            id: id.parse().unwrap(),
        };
        for (name, parent) in [
            ("eth0.10", vlan("eth0.10", "eth0", "10")),
            ("eth0.20", link("eth0.20")),
            ("dum7", link("dum7")),
            ("eth0.30", vlan("eth0.30", "eth0", "30")),
            ("bond0", link("bond0")),
            // As at a boot, before the link below is there.
            ("bond0.40", vlan("bond0.40", "bond0", "40")),
            ("odd.name.30", link("odd.name.30")),
        ] {
            assert_eq!(entered(name), parent, "{name}");
        }
    }
}
