//! Networks and their parents: what keeps containers from being reached.

use model::{Family, Link, Mark, Mtu, Network, NetworkState, Parent, Verdict, foreign_slaves};

use super::ledger::Records;
use super::{Diagnosis, Surroundings, routed};
use crate::networks::check_mtu;
use crate::{EndpointReport, EngineError, PortReport};

pub(super) fn judge(records: &Records, surroundings: &Surroundings) -> Vec<Diagnosis> {
    let marks: Vec<Mark> = records.marks().collect();
    let ports = records.ports.iter().flat_map(|port| of_port(port, &records.networks, &marks, surroundings));
    let networks = records.networks.iter().flat_map(|network| of_network(network, surroundings));
    ports.chain(networks).chain(records.endpoints.iter().filter_map(of_endpoint)).collect()
}

fn of_port(port: &PortReport, networks: &[Network], marks: &[Mark], surroundings: &Surroundings) -> Vec<Diagnosis> {
    let observed = &surroundings.observed;
    let ready = |network: &&Network| network.parent == port.parent && network.state == NetworkState::Ready;
    let Some(network) = networks.iter().find(ready) else { return Vec::new() };
    let name = port.parent.name();
    let mut findings = Vec::new();
    // What is ours is made again by the next repair, which tells of it.
    let outer = match &port.parent {
        Parent::Link(name) | Parent::Vlan { on: name, .. } => Some(name),
        Parent::Dummy(_) | Parent::Elsewhere(_) => None,
    };
    match outer.filter(|outer| observed.host_link(outer).is_none()) {
        Some(outer) => findings.push(Diagnosis::refusal(
            outer.as_str(),
            EngineError::ParentGone { parent: outer.clone(), network: network.id.clone() },
        )),
        None if port.index.is_some() && !port.up => findings.push(Diagnosis::fault(
            name.as_str(),
            format!("parent `{name}` is down, and no container on it reaches anything"),
            format!("`ip link set {name} up`"),
        )),
        None => {}
    }
    if let Some(found) = port.observed.filter(|found| *found != port.wanted) {
        let (parent, wanted, network) = (name.clone(), port.wanted, network.id.clone());
        findings.push(Diagnosis::refusal(name.as_str(), EngineError::PortFlipped { parent, found, wanted, network }));
    }
    for holder in foreign_slaves(name, marks, observed) {
        findings.push(Diagnosis::fault(
            name.as_str(),
            format!("the port on `{name}` is shared with {holder}, which is not ours"),
            "remove that link: whoever makes another like it may flip the mode of all containers there",
        ));
    }
    findings
}

fn of_network(network: &Network, surroundings: &Surroundings) -> Vec<Diagnosis> {
    let Surroundings { host, observed, .. } = surroundings;
    let Some(link) = observed.host_link(network.parent.name()) else { return Vec::new() };
    let has = |family| network.subnets.iter().any(|subnet| Family::of(subnet.pool().addr()) == family);

    let mut findings = mtu(network, link, has(Family::V6));
    if has(Family::V6) && !host.ipv6 {
        findings.push(Diagnosis::fault(
            network.id.short(),
            format!("network {} has an IPv6 subnet, and this host has no IPv6", network.id.short()),
            "boot it without `ipv6.disable=1`, or make the network without that subnet",
        ));
    }
    findings.extend(routed::judge(network, link, surroundings));
    findings
}

fn mtu(network: &Network, link: &Link, v6: bool) -> Vec<Diagnosis> {
    let (id, name) = (network.id.short(), &link.name);
    let too_large = check_mtu(network, link).err().map(|error| {
        let remedy = format!("raise the MTU of `{name}`, or make the network again with at most {}", link.mtu);
        Diagnosis::fault(id, error.to_string(), remedy)
    });
    let too_small = (v6 && link.mtu < Mtu::IPV6_MIN).then(|| {
        let min = Mtu::IPV6_MIN;
        let sentence = format!("parent `{name}` has an MTU of {}, and the IPv6 of network {id} needs {min}", link.mtu);
        Diagnosis::fault(id, sentence, format!("`ip link set {name} mtu {min}`, or more"))
    });
    too_large.into_iter().chain(too_small).collect()
}

fn of_endpoint(report: &EndpointReport) -> Option<Diagnosis> {
    let id = report.endpoint.id.short();
    match report.verdict {
        Verdict::Lives | Verdict::Pending => None,
        Verdict::Missing => {
            Some(Diagnosis::fault(id, format!("endpoint {id} has lost its link"), "start its container again"))
        }
        Verdict::Dead => Some(Diagnosis::fault(id, format!("endpoint {id} is dead"), "run `ipvland repair`")),
    }
}

#[cfg(test)]
mod tests {
    use model::{Kind, Mode, Observed, PortSettings, SandboxKey, Subnet};

    use super::*;
    use crate::doctor::tests::{endpoint, host_with, link, network, records, shown, surroundings};

    fn port(observed: &Observed) -> PortReport {
        let link = observed.host.iter().find(|link| link.name.as_str() == "eth0");
        PortReport {
            parent: network("lan").parent,
            index: link.map(|link| link.index),
            up: link.is_some_and(|link| link.up),
            mtu: link.map(|link| link.mtu),
            wanted: PortSettings::default(),
            observed: model::port_settings(&"eth0".parse().unwrap(), observed),
            networks: vec![network("lan").id],
            endpoints: 0,
        }
    }

    #[track_caller]
    fn check(network: Network, surroundings: &Surroundings, expected: &[&str]) {
        let ports = vec![port(&surroundings.observed)];
        let records = Records { ports, ..records(vec![network], vec![endpoint("one", "lan")]) };
        assert_eq!(shown(judge(&records, surroundings)), expected);
    }

    fn l3() -> PortSettings {
        PortSettings { mode: Mode::L3, ..PortSettings::default() }
    }

    fn with(settings: PortSettings, subnets: &[&str]) -> Network {
        let subnet = |pool: &&str| Subnet::new(pool.parse().unwrap(), None).unwrap();
        Network { settings, subnets: subnets.iter().map(subnet).collect(), ..network("lan") }
    }

    #[test]
    fn a_network_on_a_parent_that_is_there_and_up_is_well() {
        check(network("lan"), &surroundings(), &[]);
        check(with(PortSettings::default(), &["192.0.2.0/24", "2001:db8::/64"]), &surroundings(), &[]);
    }

    #[test]
    fn a_parent_that_is_gone_or_down() {
        check(
            network("lan"),
            &host_with(Vec::new()),
            &["fault eth0: parent `eth0` of network lan is not there; bring `eth0` back, or remove the network"],
        );
        check(
            network("lan"),
            &host_with(vec![Link { up: false, ..link(2, "eth0") }]),
            &["fault eth0: parent `eth0` is down, and no container on it reaches anything; `ip link set eth0 up`"],
        );
    }

    #[test]
    fn what_somebody_else_did_to_a_port() {
        let mut host = surroundings();
        let sandbox: SandboxKey = "/run/netns/a".parse().unwrap();
        let ours = endpoint("one", "lan").endpoint.mark().to_string();
        let slave = |name: &str, alias| Link { kind: Kind::Slave(l3()), on: Some(2), alias, ..link(7, name) };
        host.observed.sandboxes.insert(sandbox, vec![slave("eth0", Some(ours)), slave("sl0", None)]);
        check(
            network("lan"),
            &host,
            &[
                "fault eth0: the port on `eth0` was switched to l3/bridge by somebody else; network lan needs l2/bridge; stop \
                 whoever made the other slaves, then all containers on this parent, and start them again",
                "fault eth0: the port on `eth0` is shared with link `sl0` in namespace /run/netns/a, which is not ours; remove \
                 that link: whoever makes another like it may flip the mode of all containers there",
            ],
        );
    }

    #[test]
    fn an_mtu_that_the_parent_has_not() {
        let jumbo = Network { mtu: Some("1500".parse().unwrap()), ..with(PortSettings::default(), &["2001:db8::/64"]) };
        check(jumbo.clone(), &surroundings(), &[]);
        check(
            jumbo,
            &host_with(vec![Link { mtu: 1200, ..link(2, "eth0") }]),
            &[
                "fault lan: an MTU of 1500 is more than the 1200 of parent `eth0`; raise the MTU of `eth0`, or make the network \
                 again with at most 1200",
                "fault lan: parent `eth0` has an MTU of 1200, and the IPv6 of network lan needs 1280; `ip link set eth0 mtu \
                 1280`, or more",
            ],
        );
    }

    #[test]
    fn ipv6_that_the_host_has_not() {
        let mut host = surroundings();
        host.host.ipv6 = false;
        check(with(PortSettings::default(), &["192.0.2.0/24"]), &host, &[]);
        check(
            with(PortSettings::default(), &["2001:db8::/64"]),
            &host,
            &[
                "fault lan: network lan has an IPv6 subnet, and this host has no IPv6; boot it without `ipv6.disable=1`, or make \
               the network without that subnet",
            ],
        );
    }

    #[test]
    fn an_endpoint_without_its_link() {
        let check = |verdict, expected: &[&str]| {
            assert_eq!(shown(of_endpoint(&EndpointReport { verdict, ..endpoint("one", "lan") })), expected);
        };
        check(Verdict::Pending, &[]);
        check(Verdict::Missing, &["fault one: endpoint one has lost its link; start its container again"]);
        check(Verdict::Dead, &["fault one: endpoint one is dead; run `ipvland repair`"]);
    }
}
