//! Links that somebody may name as a parent.

use model::parent::suitable;
use model::{Kind, Layer, Link, Mark, Network, Observed, foreign_slaves, is_birth_name, port_settings};

use super::{Diagnosis, ParentLink, Surroundings};
use crate::EngineError;

/// Kinds of links that bridges are made for.
const ENDS: [&str; 3] = ["veth", "tun", "vxlan"];

/// The links of the host that somebody may name as a parent. Ends of containers and virtual machines, which are members of a
/// bridge, are none, and neither is what sits beside containers on a parent.
pub(super) fn parents(observed: &Observed) -> impl Iterator<Item = &Link> {
    let is_parent = |link: &&Link| {
        let end = link.master.is_some() && matches!(&link.kind, Kind::Other(word) if ENDS.contains(&word.as_str()));
        let beside = link.kind.on_the_wire().is_some() || is_birth_name(&link.name);
        link.layer == Layer::Ethernet && !end && !beside
    };
    observed.host.iter().filter(is_parent)
}

/// What there is to know of them.
pub(super) fn candidates(surroundings: &Surroundings, networks: &[Network]) -> Vec<ParentLink> {
    let Surroundings { observed, settings, .. } = surroundings;
    let candidate = |link: &Link| ParentLink {
        name: link.name.clone(),
        kind: match &link.kind {
            _ if settings.get(&link.name).is_some_and(|settings| settings.wireless) => "wifi".to_owned(),
            Kind::Dummy => "dummy".to_owned(),
            Kind::Vlan(_) => "vlan".to_owned(),
            Kind::Other(word) if !word.is_empty() => word.clone(),
            Kind::Other(_) | Kind::Slave(_) => "ethernet".to_owned(),
        },
        up: link.up,
        mtu: link.mtu,
        port: port_settings(&link.name, observed),
        networks: networks.iter().filter(|on| *on.parent.name() == link.name).map(|on| on.id.clone()).collect(),
        obstacle: suitable(link, observed).err(),
    };
    parents(observed).map(candidate).collect()
}

/// What keeps networks from them, or will surprise who makes one.
pub(super) fn judge(links: &[ParentLink], observed: &Observed) -> Vec<Diagnosis> {
    links.iter().flat_map(|link| of_link(link, observed)).collect()
}

fn of_link(link: &ParentLink, observed: &Observed) -> Vec<Diagnosis> {
    let used = !link.networks.is_empty();
    let mut findings = Vec::new();
    if let Some(fault) = &link.obstacle {
        let refusal = Diagnosis::refusal(link.name.as_str(), EngineError::from(fault.clone()));
        findings.push(if used {
            refusal
        } else {
            Diagnosis::note(link.name.as_str(), refusal.sentence, refusal.remedy)
        });
    }
    if link.kind == "wifi" {
        let sentence =
            format!("`{}` is Wi-Fi, and some access points take one address from a station and no more", link.name);
        let remedy =
            "if containers are not reached, use ipvlan_mode=l3 and a route to their subnet at the router, or a cable";
        findings.push(if used {
            Diagnosis::warning(link.name.as_str(), sentence, remedy)
        } else {
            Diagnosis::note(link.name.as_str(), sentence, remedy)
        });
    }
    // On the parent of a network that is a fault, and told of there.
    let foreign = if used { Vec::new() } else { foreign_slaves(&link.name, &own_sentinel(link), observed) };
    if let Some(holder) = foreign.first() {
        findings.push(Diagnosis::note(
            link.name.as_str(),
            format!("parent `{}` is held by {holder}, which keeps it {}", link.name, holder.settings),
            format!(
                "make networks on it with ipvlan_mode={} and ipvlan_flag={}, remove that link, or use another parent",
                holder.settings.mode, holder.settings.flag
            ),
        ));
    }
    findings
}

/// One that is left over is told of as such.
fn own_sentinel(link: &ParentLink) -> [Mark; 1] {
    [Mark::Sentinel(link.name.clone())]
}

#[cfg(test)]
mod tests {
    use kernel::LinkSettings;
    use model::PortSettings;

    use super::*;
    use crate::doctor::tests::{host_with, kind, link, network, shown, surroundings};

    /// The name, kind and suitability of each.
    fn told(surroundings: &Surroundings) -> Vec<String> {
        let candidates = candidates(surroundings, &[network("lan")]);
        let suits = |link: &ParentLink| if link.obstacle.is_none() { "suits" } else { "does not suit" };
        candidates.iter().map(|link| format!("{} {} {}", link.name, link.kind, suits(link))).collect()
    }

    #[track_caller]
    fn check(surroundings: &Surroundings, networks: &[Network], expected: &[&str]) {
        let links = candidates(surroundings, networks);
        assert_eq!(shown(judge(&links, &surroundings.observed)), expected);
    }

    #[test]
    fn what_may_be_a_parent_is_told_and_containers_ends_are_not() {
        let lo = Link { layer: Layer::Loopback, ..link(1, "lo") };
        let bond = Link { kind: kind("bond"), ..link(3, "bond0") };
        let bridge = Link { kind: kind("bridge"), ..link(4, "docker0") };
        let end = Link { kind: kind("veth"), master: Some(4), ..link(5, "veth1") };
        let member = Link { master: Some(3), ..link(6, "eth1") };
        let slave = Link { kind: Kind::Slave(PortSettings::default()), on: Some(2), ..link(7, "sl0") };
        let loose = Link { kind: kind("veth"), ..link(8, "uplink") };
        let host = host_with(vec![lo, link(2, "eth0"), bond, bridge, end, member, slave, loose]);
        assert_eq!(
            told(&host),
            [
                "eth0 ethernet suits",
                "bond0 bond suits",
                "docker0 bridge suits",
                "eth1 ethernet does not suit",
                "uplink veth suits"
            ]
        );
    }

    #[test]
    fn a_link_that_cannot_be_a_parent_is_a_fault_once_it_is_one() {
        let eth0 = || Link { master: Some(3), ..link(2, "eth0") };
        let host = host_with(vec![eth0(), Link { kind: kind("bond"), ..link(3, "bond0") }]);
        let told = "eth0: parent `eth0` is a member of the bond `bond0`; use it as the parent instead: parent=bond0";
        check(&host, &[], &[&format!("note {told}")]);
        check(&host, &[network("lan")], &[&format!("fault {told}")]);
    }

    #[test]
    fn wifi_is_worth_a_word() {
        let mut host = surroundings();
        host.settings.insert("eth0".parse().unwrap(), LinkSettings { wireless: true, ..LinkSettings::default() });
        let told = "eth0: `eth0` is Wi-Fi, and some access points take one address from a station and no more; if containers are \
                    not reached, use ipvlan_mode=l3 and a route to their subnet at the router, or a cable";
        check(&host, &[], &[&format!("note {told}")]);
        check(&host, &[network("lan")], &[&format!("warning {told}")]);
    }

    #[test]
    fn somebody_elses_port_is_named_before_a_network_is_refused() {
        let l3 = PortSettings { mode: model::Mode::L3, ..PortSettings::default() };
        let slave = Link { kind: Kind::Slave(l3), on: Some(2), ..link(7, "sl0") };
        check(
            &host_with(vec![link(2, "eth0"), slave]),
            &[],
            &[
                "note eth0: parent `eth0` is held by link `sl0` of the host, which keeps it l3/bridge; make networks on it with \
               ipvlan_mode=l3 and ipvlan_flag=bridge, remove that link, or use another parent",
            ],
        );
    }
}
