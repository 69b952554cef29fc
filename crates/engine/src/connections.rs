//! Containers put on a network in one go, for frontends whose engine leaves all of it to us.

use std::collections::BTreeSet;

use ipnet::IpNet;
use kernel::Scope;
use model::{
    Addresses, Endpoint, EndpointId, EndpointState, Frontend, Link, LinkIntent, Network, NetworkState, Observed,
    Parent, Place, Pool, Presence, SandboxKey,
};
use store::StoreError;

use crate::adopt::is_link_local;
use crate::connection::{Connected, ConnectedLink, Connection, Membership, Wanted};
use crate::endpoints::refuse_host_address;
use crate::port::Port;
use crate::{Engine, EngineError, Finding, Repair};

/// How often it is begun anew when others have been quicker: a claim ends with the life of a container engine.
const ATTEMPTS: u32 = 5;

/// An endpoint on record whose slave is still to be made, and what was seen once its port was locked.
struct Entered<'e> {
    port: Port<'e>,
    network: Network,
    endpoint: Endpoint,
    observed: Observed,
}

impl Engine {
    /// Puts a container on a network: makes the network where that is asked for, deals the addresses, makes the slave and sets
    /// it up. All or nothing; done already, it answers the same again.
    ///
    /// Cut off, a claim ends by itself, and what of the endpoint is there is removed by repair: no engine knows of it. Nor is
    /// there a daemon that would repair: what a boot has left is removed first, and what is dead where no address is left or the port is held in another mode.
    ///
    /// # Errors
    /// When the network cannot be made, an address not be had, or the slave not be made. Nothing has changed then.
    pub fn connect(&self, connection: &Connection) -> Result<Connected, EngineError> {
        if self.store.outlives_a_boot(&self.boot)? {
            self.repair(Repair::Apply)?;
        }
        if let Some(there) = self.connected_before(connection)? {
            return Ok(there);
        }
        for attempt in 1.. {
            match self.try_connect(connection) {
                Err(error) if attempt < ATTEMPTS && connection.can_begin_anew_after(&error) => {}
                Err(error) if attempt < ATTEMPTS && may_be_of_the_dead(&error) && self.bury_the_dead()? => {}
                outcome => return outcome,
            }
        }
        unreachable!("the attempts are counted")
    }

    /// Repairs, and tells whether anything was found dead.
    fn bury_the_dead(&self) -> Result<bool, EngineError> {
        let found = self.repair(Repair::Apply)?;
        let was_dead = |finding: &Finding| {
            matches!(finding, Finding::EndpointDead(_) | Finding::EndpointFinished(_) | Finding::NetworkBare(_))
        };
        Ok(found.iter().any(was_dead))
    }

    /// Takes a container off its network; its addresses are free at once. The network goes too where nobody would tell of its
    /// end and nothing else is on it. Gone already is success.
    ///
    /// # Errors
    /// When ledger or kernel fail. The intent stays, and repair finishes it.
    pub fn disconnect(&self, id: &EndpointId) -> Result<(), EngineError> {
        let Some((port, network, endpoint)) = self.lock_endpoint(id)? else { return Ok(()) };
        self.remove_endpoint(&port, &network, &endpoint)?;
        self.remove_if_bare(&port, &network)
    }

    /// The endpoints of a frontend.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn endpoints_of(&self, frontend: Frontend) -> Result<Vec<Endpoint>, EngineError> {
        let mut endpoints = self.store.endpoints()?;
        endpoints.retain(|endpoint| endpoint.frontend == frontend);
        Ok(endpoints)
    }

    /// How a container is connected, as the kernel shows it; `None` where the endpoint is not on record.
    ///
    /// # Errors
    /// [`EngineError::Vanished`], when its interface is gone; when ledger or kernel cannot be read.
    pub fn connected(&self, id: &EndpointId) -> Result<Option<Connected>, EngineError> {
        let Some(endpoint) = self.store.endpoint(id)? else { return Ok(None) };
        let Some(network) = self.store.network(&endpoint.network)? else { return Ok(None) };
        let vanished = || EngineError::Vanished(endpoint.mark().to_string());
        let sandbox = endpoint.sandbox.clone().ok_or_else(vanished)?;
        if let Parent::Elsewhere(_) = network.parent {
            let (addresses, link, elsewhere) = (endpoint.addresses, None, Vec::new());
            return Ok(Some(Connected { network, sandbox, addresses, link, elsewhere }));
        }
        let observed = kernel::observe_on(network.parent.name(), &sandbox)?;
        let slave = LinkIntent::slave_of(&endpoint, &network, Presence::Present);
        let found = slave.find(&observed).into_iter().find(|(place, _)| *place == Place::Sandbox(sandbox.clone()));
        let link = found.map(|(_, link)| link.clone()).ok_or_else(vanished)?;
        let (out_of_it, elsewhere): (Vec<_>, Vec<_>) =
            kernel::routes_in(&sandbox)?.into_iter().partition(|(index, _)| *index == link.index);
        let elsewhere = elsewhere.into_iter().map(|(_, route)| route.to).collect();
        let routes = out_of_it.into_iter().map(|(_, route)| route).collect();
        let Link { name, mac, mtu, up, addresses: shown, .. } = link;
        // In the order of the record: the kernel has its own.
        let known = endpoint.addresses.iter().filter(|address| shown.contains(address));
        let other = |address: &&IpNet| !endpoint.addresses.iter().any(|known| known == **address);
        let others = shown.iter().filter(other).filter(|address| !is_link_local(address.addr()));
        let addresses = known.chain(others.copied()).collect();
        let link = Some(ConnectedLink { name, mac, mtu, up, routes });
        Ok(Some(Connected { network, sandbox, addresses, link, elsewhere }))
    }

    /// The same as long as it is what is asked for. What was cut off, is dead, or has lost its slave, makes room.
    fn connected_before(&self, connection: &Connection) -> Result<Option<Connected>, EngineError> {
        let Some((port, network, endpoint)) = self.lock_endpoint(&connection.endpoint)? else { return Ok(None) };
        if endpoint.state != EndpointState::Attached {
            self.remove_endpoint(&port, &network, &endpoint)?;
            return Ok(None);
        }
        if self.bury_if_dead_on(&port, &network, &endpoint, true)? {
            return Ok(None);
        }
        drop(port);
        let asked = connection.link.name.clone();
        let same = connection.network.id() == &endpoint.network
            && endpoint.sandbox.as_ref() == Some(&connection.sandbox)
            && endpoint.set_up.as_ref().is_none_or(|link| link.name == asked);
        if same { self.connected(&endpoint.id) } else { Err(EngineError::EndpointDiffers(endpoint.id)) }
    }

    fn try_connect(&self, connection: &Connection) -> Result<Connected, EngineError> {
        let dealt = self.deal_all(connection)?;
        let addresses = dealt.iter().map(|(_, address)| *address).collect();
        let entered = self.enter(connection, &addresses);
        let Entered { port, network, endpoint, observed } = entered.inspect_err(|_| self.take_all_back(&dealt))?;
        let made = self.realise(&port, &network, &endpoint, &connection.sandbox, &observed);
        made.inspect_err(|_| {
            self.withdraw_endpoint(&port, &network, &endpoint);
            self.tidy(&port, &network);
        })
    }

    /// Deals what is to be dealt, all or nothing. Of each pool one address goes by the container's name.
    fn deal_all(&self, connection: &Connection) -> Result<Vec<(Option<Pool>, IpNet)>, EngineError> {
        let routers = connection.network.routers();
        let (mut dealt, mut named) = (Vec::new(), BTreeSet::new());
        for wanted in &connection.addresses {
            let address = match wanted {
                Wanted::Given(address) => Ok((None, *address)),
                Wanted::Dealt { pool, asked } => {
                    let name = connection.name.as_ref().filter(|_| named.insert(pool));
                    let address = self.deal_around(pool, *asked, name, &routers);
                    address.map(|address| (Some(pool.clone()), address))
                }
            };
            match address {
                Ok(address) => dealt.push(address),
                Err(error) => {
                    self.take_all_back(&dealt);
                    return Err(error);
                }
            }
        }
        Ok(dealt)
    }

    fn take_all_back(&self, dealt: &[(Option<Pool>, IpNet)]) {
        for (pool, address) in dealt {
            let Some(pool) = pool else { continue };
            if let Err(error) = self.store.take_back(pool, address.addr()) {
                tracing::warn!(%address, %error, "was dealt and could not be taken back; it is free in a minute");
            }
        }
    }

    /// Enters the endpoint, and from a dead holder what it is to have. The port stays locked from before there is a network until
    /// the slave is made: seen by repair in between, either would be nobody's.
    fn enter(&self, connection: &Connection, addresses: &Addresses) -> Result<Entered<'_>, EngineError> {
        loop {
            let (port, network) = self.join(&connection.network)?;
            let claim = || {
                let observed = kernel::observe(Scope::Sandboxes(std::slice::from_ref(&connection.sandbox)))?;
                refuse_host_address(&network, addresses, &observed)?;
                let endpoint = connection.on(&network, addresses, self.now()?);
                self.store.claim(&endpoint)?;
                Ok((endpoint, observed))
            };
            let refusal = match claim() {
                Ok((endpoint, observed)) => return Ok(Entered { port, network, endpoint, observed }),
                Err(refusal) => refusal,
            };
            self.tidy(&port, &network);
            drop(port); // the holder may be on the same one
            let holder = match &refusal {
                EngineError::Store(StoreError::AddressHeld { holder, .. }) => holder,
                _ => return Err(refusal),
            };
            if !self.bury_if_dead(holder, false)? {
                return Err(refusal);
            }
        }
    }

    /// The network, made where it is to be, and its port, locked.
    fn join(&self, membership: &Membership) -> Result<(Port<'_>, Network), EngineError> {
        loop {
            let on_record = self.store.network(membership.id())?;
            let network = match (on_record.filter(|it| it.state == NetworkState::Ready && it.complete), membership) {
                (Some(network), _) => network,
                (None, Membership::Existing(id)) => self.ready_network(id)?,
                (None, Membership::MadeFor(request)) => return self.open_network(request),
            };
            let port = self.lock(&network.parent)?;
            // While we waited it may have gone, with its last endpoint.
            if self.store.network(&network.id)?.as_ref() == Some(&network) {
                return Ok((port, network));
            }
        }
    }

    /// Makes the slave of an endpoint and sets it up.
    fn realise(
        &self,
        port: &Port<'_>,
        network: &Network,
        endpoint: &Endpoint,
        sandbox: &SandboxKey,
        observed: &Observed,
    ) -> Result<Connected, EngineError> {
        if !observed.sandboxes.contains_key(sandbox) {
            return Err(EngineError::SandboxGone(sandbox.clone()));
        }
        if let Parent::Elsewhere(_) = network.parent {
            self.store.begin_attach(&endpoint.id, sandbox)?;
            self.store.confirm_attach(&endpoint.id)?;
        } else {
            self.attach_on(port, network, endpoint, sandbox, observed)?;
        }
        self.connected(&endpoint.id)?.ok_or_else(|| EngineError::NoEndpoint(endpoint.id.clone()))
    }

    /// Undoes a connection that failed. What cannot be undone now is left to repair, which sees the same intent.
    fn withdraw_endpoint(&self, port: &Port<'_>, network: &Network, endpoint: &Endpoint) {
        let on_record = self.store.endpoint(&endpoint.id).map_err(EngineError::from);
        let undone = on_record.and_then(|it| it.map_or(Ok(()), |it| self.remove_endpoint(port, network, &it)));
        if let Err(error) = undone {
            tracing::warn!(endpoint = endpoint.id.short(), %error, "a failed attach is not all undone; repair goes on");
        }
    }

    /// Removes the network of a connection that failed where nothing is on it.
    fn tidy(&self, port: &Port<'_>, network: &Network) {
        if let Err(error) = self.remove_if_bare(port, network) {
            tracing::warn!(network = network.id.short(), %error, "nothing is on it and it is still there; repair removes it");
        }
    }

    /// Removes a network that goes with its last endpoint, once that is gone.
    fn remove_if_bare(&self, port: &Port<'_>, network: &Network) -> Result<(), EngineError> {
        let used = || Ok::<_, EngineError>(port.records()?.endpoints.iter().any(|it| it.network == network.id));
        if !network.frontend.implies_networks() || used()? {
            return Ok(());
        }
        self.store.doom_network(&network.id)?;
        self.finish_network(port, network)
    }
}

/// Whether what is in the way may be held by what is dead: the addresses of a pool, or the port in another mode.
fn may_be_of_the_dead(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(StoreError::PoolExhausted(_) | StoreError::PortHeld { .. }))
}
