//! Containers put on a network in one go, for frontends whose engine leaves all of it to us.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::Scope;
use model::{
    AddressRange, Addresses, Endpoint, EndpointId, EndpointName, EndpointState, Frontend, InterfaceName, Link,
    LinkIntent, MacAddress, Moment, Network, NetworkId, NetworkState, Parent, Place, Pool, Presence, Route, SandboxKey,
    SandboxLink, SandboxRoute,
};
use store::StoreError;

use crate::adopt::is_link_local;
use crate::endpoints::refuse_host_address;
use crate::port::Port;
use crate::{Engine, EngineError, Finding, NetworkRequest, Repair};

/// How often it is begun anew when others have been quicker: a claim ends with the life of a container engine.
const ATTEMPTS: u32 = 5;

/// A container to be put on a network.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The endpoint it gets.
    pub endpoint: EndpointId,
    /// The network it is to be on.
    pub network: Membership,
    /// Its network namespace.
    pub sandbox: SandboxKey,
    /// What people call the container: under it the same address is dealt again.
    pub name: Option<EndpointName>,
    /// The addresses it is to have.
    pub addresses: Vec<Wanted>,
    /// Its interface, with the routes that it is to have beside the default ones.
    pub link: SandboxLink,
    /// Whether it is to have the network's default routes.
    pub default_routes: bool,
}

/// The network that a container is to be on.
#[derive(Debug, Clone)]
pub enum Membership {
    /// One that is made where it is not there.
    MadeFor(NetworkRequest),
    /// One that is there.
    Existing(NetworkId),
}

/// An address that a container is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One from a pool of the ledger.
    Dealt {
        /// The pool.
        pool: Pool,
        /// The one that is asked for, or whichever.
        asked: Option<IpAddr>,
    },
    /// One that somebody else has dealt.
    Given(IpNet),
}

/// A container that is on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The network.
    pub network: Network,
    /// Its namespace.
    pub sandbox: SandboxKey,
    /// Its addresses.
    pub addresses: Addresses,
    /// Its interface; `None` where another plugin makes that.
    pub link: Option<ConnectedLink>,
    /// Where its other interfaces lead: the first who makes a route has it.
    pub elsewhere: Vec<IpNet>,
}

/// The interface of a container, as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedLink {
    /// Its name.
    pub name: InterfaceName,
    /// Its hardware address, which is the parent's.
    pub mac: Option<MacAddress>,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether it is up.
    pub up: bool,
    /// The routes out of it, but for those that the kernel makes with each address.
    pub routes: Vec<SandboxRoute>,
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
        drop(port);
        if self.bury_if_dead(&endpoint.id, true)? {
            return Ok(None);
        }
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
        let (port, network, endpoint) = entered.inspect_err(|_| self.take_all_back(&dealt))?;
        let made = self.realise(&port, &network, &endpoint, &connection.sandbox);
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
    fn enter(
        &self,
        connection: &Connection,
        addresses: &Addresses,
    ) -> Result<(Port<'_>, Network, Endpoint), EngineError> {
        loop {
            let (port, network) = self.join(&connection.network)?;
            let endpoint = connection.on(&network, addresses, self.now()?);
            let claimed = refuse_host_address(&network, addresses).and_then(|()| Ok(self.store.claim(&endpoint)?));
            let Err(refusal) = claimed else { return Ok((port, network, endpoint)) };
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
    ) -> Result<Connected, EngineError> {
        let observed = kernel::observe(Scope::Sandboxes(std::slice::from_ref(sandbox)))?;
        if !observed.sandboxes.contains_key(sandbox) {
            return Err(EngineError::SandboxGone(sandbox.clone()));
        }
        if let Parent::Elsewhere(_) = network.parent {
            self.store.begin_attach(&endpoint.id, sandbox)?;
            self.store.confirm_attach(&endpoint.id)?;
        } else {
            self.attach_on(port, network, endpoint, sandbox, &observed)?;
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

    /// Removes an endpoint that no engine comes for.
    fn remove_endpoint(&self, port: &Port<'_>, network: &Network, endpoint: &Endpoint) -> Result<(), EngineError> {
        self.detach(port, network, endpoint)?;
        Ok(self.store.bury(&endpoint.id)?)
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

impl Membership {
    /// The routers of a network that is still to be made, which are not reserved yet.
    fn routers(&self) -> Vec<AddressRange> {
        match self {
            Membership::MadeFor(request) => request.routers().collect(),
            Membership::Existing(_) => Vec::new(),
        }
    }

    fn id(&self) -> &NetworkId {
        match self {
            Membership::MadeFor(request) => &request.id,
            Membership::Existing(id) => id,
        }
    }
}

impl Connection {
    /// The endpoint's record.
    fn on(&self, network: &Network, addresses: &Addresses, born: Moment) -> Endpoint {
        let routes = if self.default_routes { default_routes(network, addresses) } else { Vec::new() };
        let routes = routes.into_iter().chain(self.link.routes.iter()).collect();
        Endpoint {
            id: self.endpoint.clone(),
            network: network.id.clone(),
            frontend: network.frontend,
            addresses: addresses.clone(),
            set_up: Some(SandboxLink { routes, ..self.link.clone() }),
            sandbox: None,
            born,
            state: EndpointState::Created,
        }
    }

    /// Whether another address will do in place of one that somebody else was quicker to get.
    fn can_begin_anew_after(&self, error: &EngineError) -> bool {
        let whichever = |wanted: &Wanted| matches!(wanted, Wanted::Dealt { asked: None, .. });
        let lost =
            matches!(error, EngineError::Store(StoreError::AddressHeld { .. } | StoreError::AddressTaken { .. }));
        lost && self.addresses.iter().all(whichever)
    }
}

/// Whether what is in the way may be held by what is dead: the addresses of a pool, or the port in another mode.
fn may_be_of_the_dead(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(StoreError::PoolExhausted(_) | StoreError::PortHeld { .. }))
}

fn default_routes(network: &Network, addresses: &Addresses) -> Vec<SandboxRoute> {
    let route = |to: &str, via| SandboxRoute { to: to.parse().expect("a destination"), via, metric: None };
    let routes = network.routes(addresses);
    let v4 = match routes.v4 {
        Route::None => None,
        Route::Gateway(router) => Some(route("0.0.0.0/0", Some(router.into()))),
        Route::Interface => Some(route("0.0.0.0/0", None)),
    };
    let v6 = match routes.v6 {
        Route::None => None,
        Route::Gateway(router) => Some(route("::/0", Some(router.into()))),
        Route::Interface => Some(route("::/0", None)),
    };
    v4.into_iter().chain(v6).collect()
}
