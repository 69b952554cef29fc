//! Reports for machines. Keys are stable; new ones may come.

use engine::{EndpointReport, Finding, NetworkReport, PortReport, Status};
use model::{EndpointState, Network, NetworkState, Parent, Place, PortSettings, Verdict};
use serde_json::{Value, json};

pub(super) fn status(status: &Status) -> Value {
    json!({
        "kernel": status.kernel.to_string(),
        "generation": status.generation.0,
        "ports": status.ports.iter().map(port).collect::<Vec<_>>(),
        "networks": networks(&status.networks),
        "endpoints": status.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "faults": status.faults,
    })
}

pub(super) fn networks(networks: &[Network]) -> Value {
    networks.iter().map(network).collect()
}

pub(super) fn network_report(report: &NetworkReport) -> Value {
    let mut value = network(&report.network);
    value["endpoints"] = report.endpoints.iter().map(endpoint).collect();
    value
}

pub(super) fn findings(findings: &[Finding]) -> Value {
    findings.iter().map(ToString::to_string).collect()
}

fn settings(settings: PortSettings) -> Value {
    json!({ "mode": settings.mode.as_str(), "flag": settings.flag.as_str() })
}

fn port(port: &PortReport) -> Value {
    json!({
        "parent": port.parent.name().as_str(),
        "kind": kind(&port.parent),
        "index": port.index,
        "up": port.up,
        "mtu": port.mtu,
        "wanted": settings(port.wanted),
        "observed": port.observed.map(settings),
        "networks": port.networks.iter().map(model::NetworkId::as_str).collect::<Vec<_>>(),
        "endpoints": port.endpoints,
    })
}

fn network(network: &Network) -> Value {
    let subnet = |subnet: &model::Subnet| json!({ "pool": subnet.pool().to_string(), "gateway": subnet.gateway() });
    json!({
        "id": network.id.as_str(),
        "parent": network.parent.name().as_str(),
        "kind": kind(&network.parent),
        "mode": network.settings.mode.as_str(),
        "flag": network.settings.flag.as_str(),
        "mtu": network.mtu.map(model::Mtu::get),
        "subnets": network.subnets.iter().map(subnet).collect::<Vec<_>>(),
        "state": match network.state {
            NetworkState::Creating => "creating",
            NetworkState::Ready => "ready",
            NetworkState::Deleting => "deleting",
        },
    })
}

fn endpoint(report: &EndpointReport) -> Value {
    let endpoint = &report.endpoint;
    json!({
        "id": endpoint.id.as_str(),
        "network": endpoint.network.as_str(),
        "addresses": endpoint.addresses.iter().map(|address| address.to_string()).collect::<Vec<_>>(),
        "sandbox": endpoint.sandbox.as_ref().map(model::SandboxKey::as_str),
        "state": match endpoint.state {
            EndpointState::Created => "created",
            EndpointState::Attaching => "attaching",
            EndpointState::Attached => "attached",
            EndpointState::Detaching => "detaching",
        },
        "verdict": verdict(report.verdict),
        "place": report.place.as_ref().map(place),
    })
}

pub(super) fn kind(parent: &Parent) -> &'static str {
    match parent {
        Parent::Link(_) => "link",
        Parent::Vlan { .. } => "vlan",
        Parent::Dummy(_) => "dummy",
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Lives => "lives",
        Verdict::Pending => "pending",
        Verdict::Missing => "missing",
        Verdict::Dead => "dead",
    }
}

pub(super) fn place(place: &Place) -> &str {
    match place {
        Place::Host => "host",
        Place::Sandbox(key) => key.as_str(),
    }
}
