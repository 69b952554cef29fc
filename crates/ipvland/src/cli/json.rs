//! Reports for machines. Keys are stable; new ones may come.

use std::net::IpAddr;

use engine::{Entry, Finding};
use model::{EndpointState, NetworkState, Parent, Place, PortSettings, Verdict};
use serde::Serialize;

use super::names::Names;

/// `ipvland status`.
#[derive(Serialize)]
pub(super) struct Status {
    kernel: String,
    generation: u64,
    faults: Vec<String>,
    ports: Vec<Port>,
    networks: Vec<Network>,
    endpoints: Vec<Endpoint>,
}

/// `ipvland network inspect`: a network with one key more.
#[derive(Serialize)]
pub(super) struct NetworkReport {
    #[serde(flatten)]
    network: Network,
    endpoints: Vec<Endpoint>,
}

/// `ipvland network forget`.
#[derive(Serialize)]
pub(super) struct Forgotten {
    forgotten: String,
}

/// `ipvland adopt`: each of them.
#[derive(Serialize)]
pub(super) struct Adoption {
    address: IpAddr,
    /// Whether it is `new`, `known` from before, or `gone`.
    entry: &'static str,
    /// Who has it, in words.
    holder: String,
}

#[derive(Serialize)]
struct Port {
    parent: String,
    kind: &'static str,
    /// Of the parent; null when it is not there.
    index: Option<u32>,
    up: bool,
    mtu: Option<u32>,
    wanted: Settings,
    /// Null while no slave is on the port.
    observed: Option<Settings>,
    networks: Vec<String>,
    endpoints: usize,
}

#[derive(Serialize)]
pub(super) struct Settings {
    mode: &'static str,
    flag: &'static str,
}

#[derive(Serialize)]
pub(super) struct Network {
    id: String,
    /// What people call it; null where nobody tells.
    name: Option<String>,
    /// Who made it: `docker`, `cni`, `netavark` or `shell`.
    frontend: &'static str,
    parent: String,
    /// Of the parent: `link`, `vlan` or `dummy`; the last two are ipvland's own.
    kind: &'static str,
    mode: &'static str,
    flag: &'static str,
    /// Null for the parent's.
    mtu: Option<u32>,
    /// The broadcast domain, in which an address is held once.
    segment: String,
    subnets: Vec<Subnet>,
    state: &'static str,
}

#[derive(Serialize)]
struct Subnet {
    pool: String,
    gateway: Option<IpAddr>,
}

#[derive(Serialize)]
struct Endpoint {
    id: String,
    /// What people call the container; null where nobody tells.
    name: Option<String>,
    frontend: &'static str,
    network: String,
    /// Each with the length of its subnet's prefix.
    addresses: Vec<String>,
    sandbox: Option<String>,
    /// How far its creation or removal has come.
    state: &'static str,
    /// Whether it lives.
    verdict: &'static str,
    /// Where its slave was found: `host`, or the path of a namespace.
    place: Option<String>,
}

pub(super) fn networks(networks: &[model::Network], names: &Names) -> Vec<Network> {
    networks.iter().map(|network| Network::of(network, names)).collect()
}

pub(super) fn findings(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

pub(super) fn adoptions(adoptions: &[engine::Adoption]) -> Vec<Adoption> {
    let row = |it: &engine::Adoption| Adoption {
        address: it.adopted.address(),
        entry: entry(it.entry),
        holder: it.adopted.holder().to_owned(),
    };
    adoptions.iter().map(row).collect()
}

impl Status {
    pub(super) fn of(status: &engine::Status, names: &Names) -> Self {
        Self {
            kernel: status.kernel.to_string(),
            generation: status.generation.0,
            faults: status.faults.clone(),
            ports: status.ports.iter().map(Port::of).collect(),
            networks: networks(&status.networks, names),
            endpoints: status.endpoints.iter().map(|report| Endpoint::of(report, names)).collect(),
        }
    }
}

impl NetworkReport {
    pub(super) fn of(report: &engine::NetworkReport, names: &Names) -> Self {
        let endpoints = report.endpoints.iter().map(|report| Endpoint::of(report, names)).collect();
        Self { network: Network::of(&report.network, names), endpoints }
    }
}

impl Forgotten {
    pub(super) fn of(id: &model::NetworkId) -> Self {
        Self { forgotten: id.to_string() }
    }
}

impl Port {
    fn of(port: &engine::PortReport) -> Self {
        Self {
            parent: port.parent.name().to_string(),
            kind: kind(&port.parent),
            index: port.index,
            up: port.up,
            mtu: port.mtu,
            wanted: Settings::of(port.wanted),
            observed: port.observed.map(Settings::of),
            networks: port.networks.iter().map(ToString::to_string).collect(),
            endpoints: port.endpoints,
        }
    }
}

impl Settings {
    pub(super) fn of(settings: PortSettings) -> Self {
        Self { mode: settings.mode.as_str(), flag: settings.flag.as_str() }
    }
}

impl Network {
    pub(super) fn of(network: &model::Network, names: &Names) -> Self {
        let subnet = |subnet: &model::Subnet| Subnet { pool: subnet.pool().to_string(), gateway: subnet.gateway() };
        Self {
            id: network.id.to_string(),
            name: names.network(&network.id).map(str::to_owned),
            frontend: network.frontend.as_str(),
            parent: network.parent.name().to_string(),
            kind: kind(&network.parent),
            mode: network.settings.mode.as_str(),
            flag: network.settings.flag.as_str(),
            mtu: network.mtu.map(model::Mtu::get),
            segment: network.segment().to_string(),
            subnets: network.subnets.iter().map(subnet).collect(),
            state: match network.state {
                NetworkState::Creating => "creating",
                NetworkState::Ready => "ready",
                NetworkState::Deleting => "deleting",
            },
        }
    }
}

impl Endpoint {
    fn of(report: &engine::EndpointReport, names: &Names) -> Self {
        let endpoint = &report.endpoint;
        Self {
            id: endpoint.id.to_string(),
            name: names.container(&endpoint.id).map(str::to_owned),
            frontend: endpoint.frontend.as_str(),
            network: endpoint.network.to_string(),
            addresses: endpoint.addresses.iter().map(|address| address.to_string()).collect(),
            sandbox: endpoint.sandbox.as_ref().map(ToString::to_string),
            state: match endpoint.state {
                EndpointState::Created => "created",
                EndpointState::Attaching => "attaching",
                EndpointState::Attached => "attached",
                EndpointState::Detaching => "detaching",
            },
            verdict: verdict(report.verdict),
            place: report.place.as_ref().map(|place| self::place(place).to_owned()),
        }
    }
}

pub(super) fn kind(parent: &Parent) -> &'static str {
    match parent {
        Parent::Link(_) => "link",
        Parent::Vlan { .. } => "vlan",
        Parent::Dummy(_) => "dummy",
        Parent::Elsewhere(_) => "elsewhere",
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

pub(super) fn entry(entry: Entry) -> &'static str {
    match entry {
        Entry::New => "new",
        Entry::Known => "known",
        Entry::Gone => "gone",
    }
}

pub(super) fn place(place: &Place) -> &str {
    match place {
        Place::Host => "host",
        Place::Sandbox(key) => key.as_str(),
    }
}
