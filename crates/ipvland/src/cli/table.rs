//! Reports for people.

use comfy_table::{Table, presets};
use engine::{Adoption, EndpointReport, Finding, NetworkReport, PortReport, Status};
use model::{Frontend, Network, PortSettings};

use super::json::{entry, kind, place, verdict};
use super::names::Names;

pub(super) fn status(status: &Status, names: &Names) -> String {
    let mut text = format!("kernel {}, generation {}\n", status.kernel, status.generation.0);
    text += &section("Ports", &ports(&status.ports));
    text += &section("Networks", &networks(&status.networks, names));
    text += &section("Endpoints", &endpoints(&status.endpoints, names));
    let faults = if status.faults.is_empty() { "nothing\n".to_owned() } else { lines(&status.faults) };
    text + &section("Wrong", &faults)
}

pub(super) fn networks(networks: &[Network], names: &Names) -> String {
    let mut table =
        table(["NETWORK", "NAME", "FRONTEND", "PARENT", "KIND", "MODE", "FLAG", "MTU", "SEGMENT", "SUBNETS"]);
    for network in networks {
        let subnets: Vec<String> = network.subnets.iter().map(|subnet| subnet.pool().to_string()).collect();
        table.add_row([
            network.id.short().to_owned(),
            or_dash(names.network(&network.id)),
            network.frontend.to_string(),
            network.parent.name().to_string(),
            kind(&network.parent).to_owned(),
            network.settings.mode.to_string(),
            network.settings.flag.to_string(),
            or_dash(network.mtu),
            or_dash((!network.isolated()).then_some(&network.segment_name)),
            subnets.join(" "),
        ]);
    }
    shown(&table)
}

pub(super) fn network(report: &NetworkReport, names: &Names) -> String {
    described(&report.network, names) + &section("Endpoints", &endpoints(&report.endpoints, names))
}

/// One network, with what a list leaves out.
pub(super) fn described(network: &Network, names: &Names) -> String {
    let mut text = networks(std::slice::from_ref(network), names);
    for subnet in &network.subnets {
        if let Some(gateway) = subnet.gateway() {
            text += &format!("gateway of {}: {gateway}\n", subnet.pool());
        }
    }
    for pool in network.pools.iter().filter(|pool| pool.range() != pool.subnet()) {
        text += &format!("dealt of {}: {}\n", pool.subnet(), pool.range());
    }
    text
}

pub(super) fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() { "nothing to repair\n".to_owned() } else { lines(findings) }
}

pub(super) fn adoptions(adoptions: &[Adoption]) -> String {
    if adoptions.is_empty() {
        return "nothing to adopt\n".to_owned();
    }
    let mut table = table(["ADDRESS", "ENTRY", "HOLDER"]);
    for Adoption { adopted, entry } in adoptions {
        table.add_row([adopted.address().to_string(), self::entry(*entry).to_owned(), adopted.holder().to_owned()]);
    }
    shown(&table)
}

/// Why ipvland cannot be removed, and what to do; `None` when it can.
pub(super) fn in_use(networks: &[Network]) -> Option<String> {
    let of = |frontend| {
        let of = networks.iter().filter(move |network| network.frontend == frontend);
        of.map(|network| network.id.short()).collect::<Vec<_>>().join(" ")
    };
    let (docker, shell) = (of(Frontend::Docker), of(Frontend::Shell));
    let docker = (!docker.is_empty()).then(|| {
        format!("`docker network rm {docker}`, or `ipvland network forget ID` where Docker no longer knows one")
    });
    let shell = (!shell.is_empty()).then(|| format!("`ipvland network rm {shell}`"));
    let remedy = ["remove the containers".to_owned()].into_iter().chain(docker).chain(shell);
    let named = |network: &Network| format!("{} on {}", network.id.short(), network.parent.name());
    let named = networks.iter().map(named).collect::<Vec<_>>().join(", ");
    let noun = if networks.len() == 1 { "a network is" } else { "networks are" };
    let remedy = remedy.collect::<Vec<_>>().join(", then ");
    (!networks.is_empty()).then(|| format!("{noun} on record: {named}; {remedy}"))
}

fn ports(ports: &[PortReport]) -> String {
    let mut table = table(["PARENT", "KIND", "LINK", "MTU", "WANTED", "SHOWN", "NETWORKS", "ENDPOINTS"]);
    for port in ports {
        let link = match (port.index, port.up) {
            (None, _) => "missing",
            (Some(_), true) => "up",
            (Some(_), false) => "down",
        };
        table.add_row([
            port.parent.name().to_string(),
            kind(&port.parent).to_owned(),
            link.to_owned(),
            or_dash(port.mtu),
            port.wanted.to_string(),
            or_dash::<PortSettings>(port.observed),
            port.networks.len().to_string(),
            port.endpoints.to_string(),
        ]);
    }
    shown(&table)
}

fn endpoints(endpoints: &[EndpointReport], names: &Names) -> String {
    let mut table = table(["ENDPOINT", "NAME", "FRONTEND", "NETWORK", "ADDRESSES", "STATE", "WHERE"]);
    for report in endpoints {
        let addresses: Vec<String> = report.endpoint.addresses.iter().map(|address| address.to_string()).collect();
        table.add_row([
            report.endpoint.id.short().to_owned(),
            or_dash(names.container(&report.endpoint.id)),
            report.endpoint.frontend.to_string(),
            names.network_or_id(&report.endpoint.network).to_owned(),
            addresses.join(" "),
            verdict(report.verdict).to_owned(),
            or_dash(report.place.as_ref().map(place)),
        ]);
    }
    shown(&table)
}

pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

pub(super) fn shown(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

pub(super) fn section(title: &str, body: &str) -> String {
    format!("\n{title}\n{body}")
}

fn lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(|item| format!("{}\n", item.to_string())).collect()
}

pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
