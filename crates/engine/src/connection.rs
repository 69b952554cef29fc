//! A container that is to be put on a network, or is on one.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    AddressRange, Addresses, Endpoint, EndpointId, EndpointName, EndpointState, InterfaceName, MacAddress, Moment,
    Network, NetworkId, Pool, Route, SandboxKey, SandboxLink, SandboxRoute,
};
use store::StoreError;

use crate::{EngineError, NetworkRequest};

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

impl Membership {
    /// The routers of a network that is still to be made, which are not reserved yet.
    pub(crate) fn routers(&self) -> Vec<AddressRange> {
        match self {
            Membership::MadeFor(request) => request.routers().collect(),
            Membership::Existing(_) => Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> &NetworkId {
        match self {
            Membership::MadeFor(request) => &request.id,
            Membership::Existing(id) => id,
        }
    }
}

impl Connection {
    /// The endpoint's record.
    pub(crate) fn on(&self, network: &Network, addresses: &Addresses, born: Moment) -> Endpoint {
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
    pub(crate) fn can_begin_anew_after(&self, error: &EngineError) -> bool {
        let whichever = |wanted: &Wanted| matches!(wanted, Wanted::Dealt { asked: None, .. });
        let lost =
            matches!(error, EngineError::Store(StoreError::AddressHeld { .. } | StoreError::AddressTaken { .. }));
        lost && self.addresses.iter().all(whichever)
    }
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
