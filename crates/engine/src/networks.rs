//! Networks: made, removed, forgotten.

use std::net::IpAddr;

use kernel::Scope;
use model::parent::suitable;
use model::{
    AddressRange, DriverOptions, EndpointId, Frontend, InterfaceName, Ipam, Link, Mark, Mtu, Network, NetworkId,
    NetworkState, Observed, Parent, Pool, SandboxKey, Segment, Subnet, Verdict,
};

use crate::addresses::own_addresses;
use crate::port::{Port, ensure_present, sentinel_of};
use crate::{Engine, EngineError};

/// A network to be made.
#[derive(Debug, Clone)]
pub struct NetworkRequest {
    /// Its identity.
    pub id: NetworkId,
    /// Who asks.
    pub frontend: Frontend,
    /// What the user asked for.
    pub options: DriverOptions,
    /// What is to carry it.
    pub carrier: Carrier,
    /// Its subnets, as the address management has them.
    pub subnets: Vec<Subnet>,
    /// Addresses that its containers do not get, as the user said.
    pub auxiliary: Vec<IpAddr>,
    /// Who deals its addresses.
    pub ipam: Ipam,
    /// The pools that they are dealt from, where nobody else remembers them.
    pub pools: Vec<Pool>,
}

/// What carries a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The parent that the options name; where they name none, it reaches nothing but itself.
    Parent,
    /// Nothing: it reaches nothing but itself, whatever the options name.
    Isolated,
    /// Links that another plugin makes. Only its addresses are of interest.
    Elsewhere,
}

impl Engine {
    /// Makes a network: its parent where that is ours to make, and a record. The port is tried with a slave that is
    /// removed again, so that a parent the kernel will not take is refused now and not at the first container.
    ///
    /// A network that exists with the same content is success.
    ///
    /// # Errors
    /// Everything that makes the network impossible on this host. Nothing has changed then.
    pub fn create_network(&self, request: &NetworkRequest) -> Result<(), EngineError> {
        let (port, _) = self.open_network(request)?;
        // The trial slave goes, unless endpoints of other networks need the port watched. Should this fail, repair
        // sees a sentinel that nothing calls for.
        if let Err(error) = port.settle(&kernel::observe(Scope::Host)?, |_| false) {
            tracing::warn!(%error, "the trial slave is still there; repair removes it");
        }
        Ok(())
    }

    /// Makes a network where it is not there, and hands over its port, locked; the slave that tried it may still be on it. What
    /// is on record and not complete, as it was found again by its slaves, is completed.
    pub(crate) fn open_network(&self, request: &NetworkRequest) -> Result<(Port<'_>, Network), EngineError> {
        kernel::release()?.supports(request.options.settings)?;
        check_mtu_for_family(request)?;
        self.check_segment(request)?;
        self.finish_what_died(&request.id)?;

        let parent = self.resolve_parent(request, &kernel::observe(Scope::Host)?)?;
        let port = self.lock(&parent)?;
        let observed = kernel::observe(Scope::Host)?;
        // Again, under the lock: another network may just have made or removed the link.
        let network = request.on(self.resolve_parent(request, &observed)?);
        match self.store.network(&network.id)? {
            Some(existing) if !existing.complete => {
                self.store.restore_network(&request.completing(&existing))?;
                return Ok((port, self.ready_network(&network.id)?));
            }
            Some(existing) if existing.same_as(&network) => return Ok((port, existing)),
            Some(existing) => return Err(EngineError::NetworkDiffers(existing.id)),
            None => {}
        }
        if let Some(link) = observed.host_link(network.parent.name()) {
            suitable(link, &observed)?;
            check_mtu(&network, link)?;
        }
        // The ledger's own word first: it knows the other network by name.
        self.store.add_network(&network)?;
        let tried = match network.parent {
            Parent::Elsewhere(_) => Ok(()),
            _ => port.check_settings(&network, &observed).and_then(|()| try_port(&port, &network, &observed)),
        };
        tried.inspect_err(|_| self.withdraw(&port, &network))?;
        self.store.confirm_network(&network.id)?;
        let network = self.ready_network(&network.id)?;
        Ok((port, network))
    }

    /// Removes a network with everything on it. One that is gone already is success.
    ///
    /// # Errors
    /// When the kernel or the ledger fails. The intent stays, and repair finishes it.
    pub fn delete_network(&self, id: &NetworkId) -> Result<(), EngineError> {
        let Some(network) = self.store.network(id)? else { return Ok(()) };
        let port = self.lock(&network.parent)?;
        self.store.doom_network(id)?;
        self.finish_network(&port, &network)
    }

    /// Whether a container could be put on such a network now, with an address from each pool. Nothing is written.
    ///
    /// # Errors
    /// Everything that would be in its way.
    pub fn ready_for(&self, request: &NetworkRequest, pools: &[Pool]) -> Result<(), EngineError> {
        kernel::release()?.supports(request.options.settings)?;
        check_mtu_for_family(request)?;
        let parent = self.resolve_parent(request, &kernel::observe(Scope::Host)?)?;
        let port = self.lock(&parent)?;
        let observed = kernel::observe(Scope::Host)?;
        let network = request.on(parent);
        if let Some(link) = observed.host_link(network.parent.name()) {
            suitable(link, &observed)?;
            check_mtu(&network, link)?;
        }
        self.store.ensure_port_agrees(&network)?;
        port.check_settings(&network, &observed)?;
        for pool in pools {
            let barred: Vec<AddressRange> =
                own_addresses(pool, &observed).into_iter().chain(request.routers()).collect();
            self.store.ensure_dealable(pool, &barred)?;
        }
        Ok(())
    }

    /// The link that the host's own default route leads out of, as the parent of those who name none.
    ///
    /// # Errors
    /// [`EngineError::NoWayOut`], when there is none.
    pub fn default_parent(&self) -> Result<InterfaceName, EngineError> {
        let index = kernel::way_out()?.ok_or(EngineError::NoWayOut)?;
        let observed = kernel::observe(Scope::Host)?;
        let link = observed.host.into_iter().find(|link| link.index == index);
        link.map(|link| link.name).ok_or(EngineError::NoWayOut)
    }

    /// Forgets a network that its engine no longer knows, named by its id or the beginning of it.
    ///
    /// # Errors
    /// [`EngineError::NetworkInUse`] while endpoints on it live.
    pub fn forget(&self, id: &str) -> Result<NetworkId, EngineError> {
        let report = self.network(id)?;
        let live: Vec<&EndpointId> =
            report.endpoints.iter().filter(|e| e.verdict == Verdict::Lives).map(|e| &e.endpoint.id).collect();
        if let Some(example) = live.first() {
            return Err(EngineError::NetworkInUse {
                network: report.network.id,
                count: live.len(),
                example: (*example).clone(),
            });
        }
        self.delete_network(&report.network.id)?;
        Ok(report.network.id)
    }

    /// An isolated network is a segment by itself, unless its addresses are dealt from a pool. That is of one segment, and
    /// says so before there is a network: the two must agree, or the network's addresses would be held in neither.
    fn check_segment(&self, request: &NetworkRequest) -> Result<(), EngineError> {
        let isolated = match request.carrier {
            Carrier::Parent => request.options.parent.is_none(),
            Carrier::Isolated => true,
            Carrier::Elsewhere => false,
        };
        let named = request.options.segment.as_ref();
        match (request.ipam, named) {
            (Ipam::Engine, Some(segment)) if isolated => return Err(EngineError::SegmentOfIsolated(segment.clone())),
            (Ipam::Engine, _) => return Ok(()),
            (Ipam::Ledger, _) => {}
        }
        let segment = Segment::Shared(named.cloned().unwrap_or_default());
        for subnet in &request.subnets {
            let dealt_in = self.store.segments_with(subnet.pool())?;
            // After the loss of a ledger there is no pool, and the network's word is taken.
            if let Some(other) = dealt_in.first().filter(|_| !dealt_in.contains(&segment)) {
                return Err(EngineError::SegmentDiffers { network: segment, pool: other.clone() });
            }
        }
        Ok(())
    }

    /// A record that is not ready although its port is not locked is left from a process that died.
    fn finish_what_died(&self, id: &NetworkId) -> Result<(), EngineError> {
        let unfinished = |network: &Network| network.state != NetworkState::Ready;
        let Some(network) = self.store.network(id)?.filter(unfinished) else { return Ok(()) };
        let port = self.lock(&network.parent)?;
        if self.store.network(id)?.is_some_and(|network| unfinished(&network)) {
            self.store.doom_network(id)?;
            self.finish_network(&port, &network)?;
        }
        Ok(())
    }

    fn resolve_parent(&self, request: &NetworkRequest, observed: &Observed) -> Result<Parent, EngineError> {
        match (request.carrier, &request.options.parent) {
            (Carrier::Parent, Some(asked)) => Ok(Parent::resolve(asked, self.made_parent(asked)?.as_ref(), observed)?),
            (Carrier::Isolated, Some(asked)) => {
                tracing::info!(parent = %asked, "an internal network is isolated: its parent is left alone");
                Ok(Parent::dummy_for(&request.id))
            }
            (Carrier::Parent | Carrier::Isolated, None) => Ok(Parent::dummy_for(&request.id)),
            (Carrier::Elsewhere, _) => Ok(Parent::elsewhere_for(&request.id)),
        }
    }

    /// The parent of that name that we made, as the networks on it have it.
    fn made_parent(&self, name: &InterfaceName) -> Result<Option<Parent>, EngineError> {
        let networks = self.store.on_parent(name)?.networks;
        Ok(networks.into_iter().map(|network| network.parent).find(|parent| !matches!(parent, Parent::Link(_))))
    }

    /// Undoes a creation that failed. What cannot be undone now is left to repair, which sees the same intent.
    fn withdraw(&self, port: &Port<'_>, network: &Network) {
        let undone = self.store.doom_network(&network.id).map_err(EngineError::from);
        if let Err(error) = undone.and_then(|()| self.finish_network(port, network)) {
            tracing::warn!(network = network.id.short(), %error, "a failed network is not all gone; repair goes on");
        }
    }

    pub(crate) fn finish_network(&self, port: &Port<'_>, network: &Network) -> Result<(), EngineError> {
        let endpoints = port.records()?.endpoints;
        let sandboxes: Vec<SandboxKey> =
            endpoints.iter().filter(|e| e.network == network.id).filter_map(|e| e.sandbox.clone()).collect();
        let scope = if sandboxes.is_empty() { Scope::Host } else { Scope::Everywhere(&sandboxes) };
        let of_network = |mark: &Mark| matches!(mark, Mark::Endpoint { network: of, .. } if *of == network.id);
        port.settle(&kernel::observe(scope)?, of_network)?;
        Ok(self.store.remove_network(&network.id)?)
    }
}

impl NetworkRequest {
    /// The routers that its subnets name.
    pub(crate) fn routers(&self) -> impl Iterator<Item = AddressRange> {
        self.subnets.iter().filter_map(Subnet::gateway).map(AddressRange::from)
    }

    /// The record of a network that is known in part: what the kernel has told of it stays.
    pub(crate) fn completing(&self, record: &Network) -> Network {
        Network { settings: record.settings, state: NetworkState::Ready, ..self.on(record.parent.clone()) }
    }

    /// The record of the network that is asked for.
    pub(crate) fn on(&self, parent: Parent) -> Network {
        Network {
            id: self.id.clone(),
            frontend: self.frontend,
            parent,
            settings: self.options.settings,
            mtu: self.options.mtu,
            announcements: self.options.announcements,
            subnets: self.subnets.clone(),
            auxiliary: self.auxiliary.clone(),
            ipam: self.ipam,
            pools: self.pools.clone(),
            segment_name: self.options.segment.clone().unwrap_or_default(),
            complete: true,
            state: NetworkState::Creating,
        }
    }
}

fn try_port(port: &Port<'_>, network: &Network, observed: &Observed) -> Result<(), EngineError> {
    port.settle(observed, |_| false)?;
    let after = kernel::observe(Scope::Host)?;
    ensure_present(&sentinel_of(network), &after)?;
    port.check_settings(network, &after)?;
    after.host_link(network.parent.name()).map_or(Ok(()), |link| check_mtu(network, link))
}

/// At most the parent's MTU: the kernel takes a larger one for a slave and loses its packets.
pub(crate) fn check_mtu(network: &Network, parent: &Link) -> Result<(), EngineError> {
    match network.mtu {
        Some(wanted) if wanted.get() > parent.mtu => {
            Err(EngineError::MtuTooLarge { wanted, available: parent.mtu, parent: parent.name.clone() })
        }
        _ => Ok(()),
    }
}

fn check_mtu_for_family(request: &NetworkRequest) -> Result<(), EngineError> {
    let v6 = request.subnets.iter().any(|subnet| subnet.pool().addr().is_ipv6());
    match request.options.mtu {
        Some(mtu) if v6 && mtu.get() < Mtu::IPV6_MIN => Err(EngineError::MtuTooSmall(mtu)),
        _ => Ok(()),
    }
}
