//! Repair: the ledger compared with the kernel, from scratch, one port at a time.
//!
//! It needs no memory of what went wrong. Under a port's lock nobody else is at work on it, so an intent that is
//! found there is dead: an unconfirmed create is undone, an unconfirmed delete is finished.

use std::collections::BTreeSet;
use std::fmt;

use kernel::Scope;
use model::{
    Endpoint, EndpointId, EndpointState, InterfaceName, Moment, Network, NetworkId, NetworkState, Observed, Parent,
    SandboxKey, Step, Verdict, converge, desired, judge,
};
use store::PortRecords;

use crate::endpoints::place_of;
use crate::port::intrusions;
use crate::{Engine, EngineError};

/// Whether repair acts or only tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Only tell what would be done.
    DryRun,
    /// Do it.
    Apply,
}

/// One difference between the ledger and the kernel, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A network whose creation was cut off; it is undone.
    NetworkUndone(NetworkId),
    /// A network whose removal was cut off; it is finished.
    NetworkFinished(NetworkId),
    /// An endpoint whose attach was cut off; it is undone.
    AttachUndone(EndpointId),
    /// An endpoint whose removal was cut off; it is finished.
    EndpointFinished(EndpointId),
    /// An endpoint that died with its engine or with the machine; it is removed.
    EndpointDead(EndpointId),
    /// A network that goes with its last endpoint, and that nothing is on; it is removed.
    NetworkBare(NetworkId),
    /// A change that the kernel needs.
    Step(Step),
    /// Somebody else's link on the port, or what it did to the port. It is left alone.
    Foreign {
        /// The parent whose port it is.
        parent: InterfaceName,
        /// What it is.
        fault: String,
    },
    /// Something that could not be done; the records stay for the next repair.
    Failed {
        /// The parent whose port it was.
        parent: InterfaceName,
        /// Why.
        error: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NetworkUndone(id) => write!(f, "network {}: creation was cut off, undone", id.short()),
            Finding::NetworkFinished(id) => write!(f, "network {}: removal was cut off, finished", id.short()),
            Finding::AttachUndone(id) => write!(f, "endpoint {}: attach was cut off, undone", id.short()),
            Finding::EndpointFinished(id) => write!(f, "endpoint {}: removal was cut off, finished", id.short()),
            Finding::EndpointDead(id) => write!(f, "endpoint {}: dead, removed", id.short()),
            Finding::NetworkBare(id) => write!(f, "network {}: nothing is on it any more, removed", id.short()),
            Finding::Step(step) => step.fmt(f),
            Finding::Foreign { parent: _, fault } => write!(f, "{fault}, left alone"),
            Finding::Failed { parent, error } => write!(f, "port {parent}: {error}"),
        }
    }
}

impl Engine {
    /// Brings the kernel to what the ledger says, and the ledger to what is alive.
    ///
    /// A port that cannot be mended is reported and does not keep the others from it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn repair(&self, how: Repair) -> Result<Vec<Finding>, EngineError> {
        let parents: BTreeSet<Parent> = self.store.networks()?.into_iter().map(|network| network.parent).collect();
        let mut findings = Vec::new();
        for parent in parents {
            match self.repair_port(&parent, how) {
                Ok(found) => findings.extend(found),
                Err(error) => findings.push(failed(&parent, &error)),
            }
        }
        Ok(findings)
    }

    fn repair_port(&self, parent: &Parent, how: Repair) -> Result<Vec<Finding>, EngineError> {
        let port = self.lock(parent)?;
        let records = port.records()?;
        let sandboxes: Vec<SandboxKey> = records.endpoints.iter().filter_map(|e| e.sandbox.clone()).collect();
        let observed = kernel::observe(Scope::Everywhere(&sandboxes))?;
        let wanted = records.networks.first().map(|network| network.settings).unwrap_or_default();
        let foreign = intrusions(parent.name(), wanted, records.endpoints.iter(), &observed);
        let (mended, mut findings) = mend(records, &observed, &self.now()?);
        let found = |fault| Finding::Foreign { parent: parent.name().clone(), fault };
        findings.extend(foreign.into_iter().map(found));
        let steps = converge(&desired(&mended.networks, &mended.endpoints), &observed);
        if how == Repair::DryRun {
            findings.extend(steps.into_iter().map(Finding::Step));
            return Ok(findings);
        }

        for finding in &findings {
            self.record(finding)?;
        }
        let mut whole = true;
        for step in steps {
            let outcome = port.apply(std::slice::from_ref(&step), &observed);
            findings.push(Finding::Step(step));
            if let Err(error) = outcome {
                whole = false;
                findings.push(failed(parent, &error));
            }
        }
        if whole {
            self.confirm(&mended)?;
        }
        Ok(findings)
    }

    /// Writes the intent that a finding calls for.
    fn record(&self, finding: &Finding) -> Result<(), EngineError> {
        match finding {
            Finding::NetworkUndone(id) | Finding::NetworkBare(id) => self.store.doom_network(id)?,
            Finding::AttachUndone(id) => self.store.undo_attach(id)?,
            Finding::EndpointDead(id) => self.store.begin_detach(id)?,
            Finding::NetworkFinished(_)
            | Finding::EndpointFinished(_)
            | Finding::Step(_)
            | Finding::Foreign { .. }
            | Finding::Failed { .. } => {}
        }
        Ok(())
    }

    /// Drops the records of what is gone from the kernel.
    fn confirm(&self, mended: &PortRecords) -> Result<(), EngineError> {
        let now = self.now()?;
        // With all that is on them: of that, nothing is given back any more.
        for network in mended.networks.iter().filter(|n| n.state == NetworkState::Deleting) {
            self.store.remove_network(&network.id)?;
        }
        for endpoint in mended.endpoints.iter().filter(|e| e.state == EndpointState::Detaching) {
            // An engine of the present life gives back what was dealt to it; what is of a life before has nobody.
            let comes_for_it = endpoint.frontend.has_engine() && endpoint.born == now;
            if comes_for_it { self.store.release(&endpoint.id)? } else { self.store.bury(&endpoint.id)? }
        }
        Ok(())
    }
}

fn failed(parent: &Parent, error: &EngineError) -> Finding {
    Finding::Failed { parent: parent.name().clone(), error: error.to_string() }
}

/// The records as they must become, and why. Pure.
fn mend(records: PortRecords, observed: &Observed, now: &Moment) -> (PortRecords, Vec<Finding>) {
    let mut findings = Vec::new();
    let networks: Vec<Network> = records
        .networks
        .into_iter()
        .map(|network| {
            match network.state {
                NetworkState::Ready => return network,
                NetworkState::Creating => findings.push(Finding::NetworkUndone(network.id.clone())),
                NetworkState::Deleting => findings.push(Finding::NetworkFinished(network.id.clone())),
            }
            Network { state: NetworkState::Deleting, ..network }
        })
        .collect();
    let endpoints: Vec<Endpoint> = records
        .endpoints
        .into_iter()
        .map(|endpoint| {
            let network = networks.iter().find(|network| network.id == endpoint.network);
            mend_endpoint(endpoint, network, observed, now, &mut findings)
        })
        .collect();
    let networks = networks.into_iter().map(|network| mend_bare(network, &endpoints, &mut findings)).collect();
    (PortRecords { networks, endpoints }, findings)
}

/// A network that is told of with its endpoints only has nobody who would tell of its end.
fn mend_bare(network: Network, endpoints: &[Endpoint], findings: &mut Vec<Finding>) -> Network {
    let stays = |endpoint: &Endpoint| endpoint.network == network.id && endpoint.state != EndpointState::Detaching;
    let told_of = !network.frontend.implies_networks() || endpoints.iter().any(stays);
    if told_of || network.state != NetworkState::Ready {
        return network;
    }
    findings.push(Finding::NetworkBare(network.id.clone()));
    Network { state: NetworkState::Deleting, ..network }
}

fn mend_endpoint(
    mut endpoint: Endpoint,
    network: Option<&Network>,
    observed: &Observed,
    now: &Moment,
    findings: &mut Vec<Finding>,
) -> Endpoint {
    let doomed = network.is_none_or(|network| network.state == NetworkState::Deleting);
    if doomed || endpoint.state == EndpointState::Detaching {
        findings.push(Finding::EndpointFinished(endpoint.id.clone()));
        endpoint.state = EndpointState::Detaching;
        return endpoint;
    }
    if endpoint.state == EndpointState::Attaching {
        findings.push(Finding::AttachUndone(endpoint.id.clone()));
        endpoint.state = EndpointState::Created;
    }
    let place = network.and_then(|network| place_of(&endpoint, network, observed));
    if judge(&endpoint, place.as_ref(), now) == Verdict::Dead {
        findings.push(Finding::EndpointDead(endpoint.id.clone()));
        endpoint.state = EndpointState::Detaching;
    }
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Addresses, Frontend, Generation, Kind, Layer, Link, PortSettings};

    fn moment(generation: u64) -> Moment {
        Moment { generation: Generation(generation), boot: "b".parse().unwrap() }
    }

    fn network(state: NetworkState) -> Network {
        Network { state, ..Network::plain("net".parse().unwrap(), Parent::Link("eth0".parse().unwrap())) }
    }

    fn endpoint(state: EndpointState) -> Endpoint {
        Endpoint {
            id: "end".parse().unwrap(),
            network: "net".parse().unwrap(),
            frontend: Frontend::Docker,
            addresses: Addresses::default(),
            set_up: None,
            sandbox: Some("/run/netns/a".parse().unwrap()),
            born: moment(1),
            state,
        }
    }

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.parse().unwrap(),
            alias: None,
            kind: Kind::Other(String::new()),
            layer: Layer::Ethernet,
            on: None,
            master: None,
            up: true,
            mtu: 1500,
            mac: None,
            addresses: Vec::new(),
        }
    }

    /// The host with its parent, and the endpoint's slave in its sandbox if it has one.
    fn observed(slave: bool) -> Observed {
        let mut observed = Observed { host: vec![link(2, "eth0")], ..Observed::default() };
        if slave {
            let slave = Link {
                alias: Some(endpoint(EndpointState::Attached).mark().to_string()),
                kind: Kind::Slave(PortSettings::default()),
                on: Some(2),
                ..link(7, "eth0")
            };
            observed.sandboxes.insert("/run/netns/a".parse().unwrap(), vec![slave]);
        }
        observed
    }

    /// What is found, and which states are left, one letter each.
    fn check(network_state: NetworkState, endpoint_state: EndpointState, slave: bool, generation: u64) -> String {
        let records = PortRecords { networks: vec![network(network_state)], endpoints: vec![endpoint(endpoint_state)] };
        let (mended, findings) = mend(records, &observed(slave), &moment(generation));
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        format!("{} -> {:?} {:?}", findings.join(", "), mended.networks[0].state, mended.endpoints[0].state)
    }

    #[test]
    fn what_is_whole_stays() {
        use {EndpointState as E, NetworkState as N};
        assert_eq!(check(N::Ready, E::Attached, true, 1), " -> Ready Attached");
        assert_eq!(check(N::Ready, E::Attached, true, 2), " -> Ready Attached", "live-restore");
        assert_eq!(check(N::Ready, E::Attached, false, 1), " -> Ready Attached", "missing, its engine decides");
        assert_eq!(check(N::Ready, E::Created, false, 1), " -> Ready Created", "about to be joined");
    }

    #[test]
    fn an_unconfirmed_create_is_undone_and_an_unconfirmed_delete_is_finished() {
        use {EndpointState as E, NetworkState as N};
        assert_eq!(
            check(N::Ready, E::Attaching, false, 1),
            "endpoint end: attach was cut off, undone -> Ready Created"
        );
        assert_eq!(
            check(N::Ready, E::Detaching, true, 1),
            "endpoint end: removal was cut off, finished -> Ready Detaching"
        );
        assert_eq!(
            check(N::Creating, E::Created, false, 1),
            "network net: creation was cut off, undone, endpoint end: removal was cut off, finished -> Deleting Detaching"
        );
        assert_eq!(
            check(N::Deleting, E::Attached, true, 1),
            "network net: removal was cut off, finished, endpoint end: removal was cut off, finished -> Deleting Detaching"
        );
    }

    #[test]
    fn without_an_engine_what_has_lost_its_slave_goes_and_its_network_with_the_last() {
        use {
            EndpointState as E,
            Frontend::{Cni, Shell},
            NetworkState as N,
        };
        let check = |frontend, state, slave| {
            let network = Network { frontend, ..network(N::Ready) };
            let endpoint = Endpoint { frontend, ..endpoint(state) };
            // Marked as of its frontend, whatever the scene's own is.
            let mut observed = observed(slave);
            for link in observed.sandboxes.values_mut().flatten() {
                link.alias = Some(endpoint.mark().to_string());
            }
            let records = PortRecords { networks: vec![network], endpoints: vec![endpoint] };
            let (mended, findings) = mend(records, &observed, &moment(2));
            let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
            format!("{} -> {:?} {:?}", findings.join(", "), mended.networks[0].state, mended.endpoints[0].state)
        };
        assert_eq!(check(Cni, E::Attached, true), " -> Ready Attached");
        assert_eq!(
            check(Cni, E::Attached, false),
            "endpoint end: dead, removed, network net: nothing is on it any more, removed -> Deleting Detaching"
        );
        assert_eq!(
            check(Cni, E::Attaching, false),
            "endpoint end: attach was cut off, undone, endpoint end: dead, removed, \
             network net: nothing is on it any more, removed -> Deleting Detaching"
        );
        assert_eq!(check(Shell, E::Attached, false), "endpoint end: dead, removed -> Ready Detaching");
    }

    #[test]
    fn what_died_with_its_engine_is_removed() {
        use {EndpointState as E, NetworkState as N};
        for state in [E::Created, E::Attached] {
            assert_eq!(check(N::Ready, state, false, 2), "endpoint end: dead, removed -> Ready Detaching");
        }
        assert_eq!(
            check(N::Ready, E::Attaching, false, 2),
            "endpoint end: attach was cut off, undone, endpoint end: dead, removed -> Ready Detaching"
        );
    }
}
