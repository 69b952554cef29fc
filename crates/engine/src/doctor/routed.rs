//! Networks in l3 and l3s: their packets take this host's routes.

use kernel::LinkSettings;
use model::{Family, InterfaceName, Link, Mode, Network};

use super::{Diagnosis, Surroundings};

/// What keeps the packets of a network on that parent from where they are to go.
pub(super) fn judge(network: &Network, parent: &Link, surroundings: &Surroundings) -> Vec<Diagnosis> {
    let Surroundings { host, settings, routers, .. } = surroundings;
    if network.settings.mode == Mode::L2 || network.isolated() {
        return Vec::new();
    }
    let has = |family| network.subnets.iter().any(|subnet| Family::of(subnet.pool().addr()) == family);
    let mut findings = Vec::new();
    for family in [Family::V4, Family::V6].into_iter().filter(|family| has(*family)) {
        if !routers.contains(&(parent.name.clone(), family)) {
            findings.push(no_router(network, parent, family));
        }
    }
    if has(Family::V6) {
        let settings = settings.get(&parent.name).copied().unwrap_or_default();
        findings.extend(of_ipv6(network, &parent.name, settings));
    }
    if has(Family::V4) && host.forwards_v4 || has(Family::V6) && host.forwards_v6 {
        findings.push(goes_round(network));
    }
    findings
}

/// In l3 and l3s a packet takes those of the host's routes that lead out of the parent, and is for a neighbour if there is none
/// (`ipvlan_process_v4_outbound()` in `drivers/net/ipvlan/ipvlan_core.c` names the parent as the way out).
fn no_router(network: &Network, link: &Link, family: Family) -> Diagnosis {
    let (id, name) = (network.id.short(), &link.name);
    let ip = if family == Family::V6 { "ip -6" } else { "ip" };
    Diagnosis::warning(
        id,
        format!(
            "network {id} goes by this host's {family} routes out of `{name}`, and no default route leads to a router there"
        ),
        format!(
            "`{ip} route add default via ROUTER dev {name} metric 5000`, if its containers are to reach more than the LAN"
        ),
    )
}

fn of_ipv6(network: &Network, parent: &InterfaceName, settings: LinkSettings) -> Option<Diagnosis> {
    let id = network.id.short();
    if settings.ipv6_disabled {
        return Some(Diagnosis::fault(
            id,
            format!("IPv6 is switched off on `{parent}`, by whose routes network {id} goes"),
            format!("`sysctl -w net/ipv6/conf/{parent}/disable_ipv6=0`"),
        ));
    }
    (settings.forwards_v6 && settings.accept_ra == 1).then(|| {
        Diagnosis::warning(
            id,
            format!(
                "this host forwards IPv6 and so takes no router from advertisements on `{parent}`, by whose routes network \
                 {id} goes"
            ),
            format!("`sysctl -w net/ipv6/conf/{parent}/accept_ra=2`, if the router advertises itself"),
        )
    })
}

/// A packet for an address that no slave has goes up to the host's stack (`ipvlan_handle_mode_l3()`), which sends it back to
/// where it came from.
fn goes_round(network: &Network) -> Diagnosis {
    let id = network.id.short();
    let subnets: Vec<String> =
        network.subnets.iter().map(|subnet| format!("`ip route add unreachable {}`", subnet.pool())).collect();
    Diagnosis::note(
        id,
        format!(
            "this host forwards: what comes for an address of network {id} that no container has goes back to the router, \
             and round until its time is over"
        ),
        subnets.join(" and "),
    )
}

#[cfg(test)]
mod tests {
    use model::{PortSettings, Subnet};

    use super::*;
    use crate::doctor::tests::{network, shown, surroundings};

    #[track_caller]
    fn check(network: &Network, surroundings: &Surroundings, expected: &[&str]) {
        let parent = &surroundings.observed.host[0];
        assert_eq!(shown(judge(network, parent, surroundings)), expected);
    }

    fn with(mode: Mode, subnets: &[&str]) -> Network {
        let subnet = |pool: &&str| Subnet::new(pool.parse().unwrap(), None).unwrap();
        let settings = PortSettings { mode, ..PortSettings::default() };
        Network { settings, subnets: subnets.iter().map(subnet).collect(), ..network("lan") }
    }

    /// A host whose default routes of both families lead out of `eth0`.
    fn routed(settings: LinkSettings) -> Surroundings {
        let mut host = surroundings();
        let eth0: InterfaceName = "eth0".parse().unwrap();
        host.settings.insert(eth0.clone(), settings);
        host.routers.extend([(eth0.clone(), Family::V4), (eth0, Family::V6)]);
        host
    }

    #[test]
    fn in_l3_the_hosts_routes_count() {
        let both = || with(Mode::L3, &["10.9.0.0/24", "2001:db8:9::/64"]);
        let flat = Network { settings: PortSettings::default(), ..both() };
        check(&both(), &routed(LinkSettings::default()), &[]);
        check(&flat, &surroundings(), &[]);
        check(
            &both(),
            &surroundings(),
            &[
                "warning lan: network lan goes by this host's IPv4 routes out of `eth0`, and no default route leads to a router \
                 there; `ip route add default via ROUTER dev eth0 metric 5000`, if its containers are to reach more than the LAN",
                "warning lan: network lan goes by this host's IPv6 routes out of `eth0`, and no default route leads to a router \
                 there; `ip -6 route add default via ROUTER dev eth0 metric 5000`, if its containers are to reach more than the \
                 LAN",
            ],
        );
        let disabled = LinkSettings { ipv6_disabled: true, ..LinkSettings::default() };
        check(&flat, &routed(disabled), &[]);
        check(
            &both(),
            &routed(disabled),
            &["fault lan: IPv6 is switched off on `eth0`, by whose routes network lan goes; `sysctl -w \
               net/ipv6/conf/eth0/disable_ipv6=0`"],
        );
    }

    #[test]
    fn forwarding_has_effects_on_l3() {
        let both = || with(Mode::L3, &["10.9.0.0/24", "2001:db8:9::/64"]);
        let forwards = |accept_ra| routed(LinkSettings { forwards_v6: true, accept_ra, ..LinkSettings::default() });
        check(&both(), &forwards(2), &[]);
        check(
            &both(),
            &forwards(1),
            &[
                "warning lan: this host forwards IPv6 and so takes no router from advertisements on `eth0`, by whose routes \
               network lan goes; `sysctl -w net/ipv6/conf/eth0/accept_ra=2`, if the router advertises itself",
            ],
        );
        let mut host = routed(LinkSettings::default());
        host.host.forwards_v4 = true;
        check(&with(Mode::L3, &["2001:db8:9::/64"]), &host, &[]);
        check(
            &both(),
            &host,
            &[
                "note lan: this host forwards: what comes for an address of network lan that no container has goes back to the \
               router, and round until its time is over; `ip route add unreachable 10.9.0.0/24` and `ip route add unreachable \
               2001:db8:9::/64`",
            ],
        );
    }
}
