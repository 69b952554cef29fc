//! What there is, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Scope;
use model::{
    Endpoint, EndpointId, Generation, KernelVersion, Link, Network, NetworkId, NetworkState, Observed, Parent, Place,
    PortSettings, SandboxKey, Verdict, judge, port_settings,
};

use crate::endpoints::place_of;
use crate::port::intrusions;
use crate::{Engine, EngineError};

/// Everything the engine knows, at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// The kernel of this host.
    pub kernel: KernelVersion,
    /// The present life of the container engine.
    pub generation: Generation,
    /// Ports that networks are on.
    pub ports: Vec<PortReport>,
    /// Networks.
    pub networks: Vec<Network>,
    /// Endpoints.
    pub endpoints: Vec<EndpointReport>,
    /// What is wrong, a sentence each.
    pub faults: Vec<String>,
}

/// A port that networks are on.
#[derive(Debug, Clone)]
pub struct PortReport {
    /// Its parent.
    pub parent: Parent,
    /// The parent's index; `None` when it is not there.
    pub index: Option<u32>,
    /// Whether the parent is up.
    pub up: bool,
    /// The parent's MTU in bytes.
    pub mtu: Option<u32>,
    /// What its networks need.
    pub wanted: PortSettings,
    /// What the kernel shows; `None` while no slave is on it.
    pub observed: Option<PortSettings>,
    /// Its networks.
    pub networks: Vec<NetworkId>,
    /// How many endpoints are on it.
    pub endpoints: usize,
}

/// An endpoint, and how it is.
#[derive(Debug, Clone)]
pub struct EndpointReport {
    /// Its record.
    pub endpoint: Endpoint,
    /// Whether it lives.
    pub verdict: Verdict,
    /// Where its slave is.
    pub place: Option<Place>,
}

/// A network with its endpoints.
#[derive(Debug, Clone)]
pub struct NetworkReport {
    /// Its record.
    pub network: Network,
    /// What is on it.
    pub endpoints: Vec<EndpointReport>,
}

impl Engine {
    /// The records of all networks.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn networks(&self) -> Result<Vec<Network>, EngineError> {
        Ok(self.store.networks()?)
    }

    /// One network with its endpoints, named by its id or the beginning of it.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn network(&self, id: &str) -> Result<NetworkReport, EngineError> {
        let mut fitting: Vec<Network> =
            self.store.networks()?.into_iter().filter(|network| network.id.as_str().starts_with(id)).collect();
        if let Some(exact) = fitting.iter().position(|network| network.id.as_str() == id) {
            fitting = vec![fitting.swap_remove(exact)];
        }
        let network = match fitting.len() {
            1 if !id.is_empty() => fitting.remove(0),
            0 | 1 => return Err(EngineError::NoNetwork(id.to_owned())),
            _ => return Err(EngineError::Ambiguous(id.to_owned())),
        };
        let mut endpoints = self.look()?.endpoints;
        endpoints.retain(|report| report.endpoint.network == network.id);
        Ok(NetworkReport { network, endpoints })
    }

    /// Everything: ports, networks, endpoints, and what is wrong.
    ///
    /// # Errors
    /// When ledger or kernel cannot be read.
    pub fn status(&self) -> Result<Status, EngineError> {
        let Look { networks, settled, endpoints, before, observed } = self.look()?;
        let mut by_parent: BTreeMap<&Parent, Vec<&Network>> = BTreeMap::new();
        let is_on_a_port = |network: &&Network| !matches!(network.parent, Parent::Elsewhere(_));
        for network in networks.iter().filter(is_on_a_port) {
            by_parent.entry(&network.parent).or_default().push(network);
        }
        let ports: Vec<PortReport> =
            by_parent.into_iter().map(|(parent, on)| port_report(parent, &on, &endpoints, &observed)).collect();
        let known: Vec<&Endpoint> = endpoints.iter().map(|report| &report.endpoint).chain(&before).collect();
        let is_settled = |port: &&PortReport| port.networks.iter().any(|network| settled.contains(network));
        let faults = ports
            .iter()
            .filter(is_settled)
            .flat_map(|port| port_faults(port, &known, &observed))
            .chain(endpoints.iter().filter_map(endpoint_fault))
            .collect();
        Ok(Status {
            kernel: kernel::release()?,
            generation: self.store.generation()?,
            ports,
            networks,
            endpoints,
            faults,
        })
    }

    /// Looks at ledger and kernel, and again where a slave is missing: one that its engine moves out of its sandbox
    /// meanwhile is seen neither here nor there.
    fn look(&self) -> Result<Look, EngineError> {
        let first = self.look_once()?;
        let missed = first.endpoints.iter().filter(|report| report.verdict == Verdict::Missing);
        let missed: BTreeSet<EndpointId> = missed.map(|report| report.endpoint.id.clone()).collect();
        if missed.is_empty() {
            return Ok(first);
        }
        let mut second = self.look_once()?;
        let only_now = second.endpoints.iter_mut().filter(|report| !missed.contains(&report.endpoint.id));
        only_now
            .filter(|report| report.verdict == Verdict::Missing)
            .for_each(|report| report.verdict = Verdict::Pending);
        Ok(second)
    }

    /// Looks at the kernel, and at the ledger before and after.
    fn look_once(&self) -> Result<Look, EngineError> {
        let (networks_before, before) = (self.store.networks()?, self.store.endpoints()?);
        let sandboxes: Vec<SandboxKey> = before.iter().filter_map(|e| e.sandbox.clone()).collect();
        let observed = kernel::observe(Scope::Everywhere(&sandboxes))?;
        let (networks, after, now) = (self.store.networks()?, self.store.endpoints()?, self.now()?);
        let is_settled = |network: &&Network| network.state == NetworkState::Ready && networks_before.contains(network);
        let settled = networks.iter().filter(is_settled).map(|network| network.id.clone()).collect();
        let endpoints = after
            .into_iter()
            .map(|endpoint| {
                let network = networks.iter().find(|network| network.id == endpoint.network);
                let place = network.and_then(|network| place_of(&endpoint, network, &observed));
                let settled = before.contains(&endpoint);
                let verdict = if settled { judge(&endpoint, place.as_ref(), &now) } else { Verdict::Pending };
                EndpointReport { verdict, endpoint, place }
            })
            .collect();
        Ok(Look { networks, settled, endpoints, before, observed })
    }
}

/// Ledger and kernel, looked at while others may be at work: what the ledger tells otherwise after the look than before is
/// being worked on, and nothing is wrong with it.
struct Look {
    /// As they are after it.
    networks: Vec<Network>,
    /// Those of them that nobody works on.
    settled: BTreeSet<NetworkId>,
    /// As they are after it.
    endpoints: Vec<EndpointReport>,
    /// As they were before it: what is gone since may have been seen.
    before: Vec<Endpoint>,
    observed: Observed,
}

fn port_report(
    parent: &Parent,
    networks: &[&Network],
    endpoints: &[EndpointReport],
    observed: &Observed,
) -> PortReport {
    let link: Option<&Link> = observed.host_link(parent.name());
    let on_port = |report: &&EndpointReport| networks.iter().any(|network| network.id == report.endpoint.network);
    PortReport {
        parent: parent.clone(),
        index: link.map(|link| link.index),
        up: link.is_some_and(|link| link.up),
        mtu: link.map(|link| link.mtu),
        wanted: networks.first().map(|network| network.settings).unwrap_or_default(),
        observed: port_settings(parent.name(), observed),
        networks: networks.iter().map(|network| network.id.clone()).collect(),
        endpoints: endpoints.iter().filter(on_port).count(),
    }
}

fn port_faults(port: &PortReport, known: &[&Endpoint], observed: &Observed) -> Vec<String> {
    let name = port.parent.name();
    let mut faults = Vec::new();
    if port.index.is_none() {
        faults.push(format!("parent `{name}` is not there; no container on it reaches anything"));
    } else if !port.up {
        faults.push(format!("parent `{name}` is down; `ip link set {name} up` brings it back"));
    }
    faults.extend(intrusions(name, port.wanted, known.iter().copied(), observed));
    faults
}

fn endpoint_fault(report: &EndpointReport) -> Option<String> {
    let id = report.endpoint.id.short();
    match report.verdict {
        Verdict::Lives | Verdict::Pending => None,
        Verdict::Missing => Some(format!("endpoint {id} has lost its link; its container must be started again")),
        Verdict::Dead => Some(format!("endpoint {id} is dead; `ipvland repair` removes it")),
    }
}
