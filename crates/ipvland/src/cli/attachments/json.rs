//! What was attached and detached, for machines. Keys are stable; new ones may come.

use std::net::IpAddr;

use model::SandboxRoute;
use serde::Serialize;

/// `ipvland attach`.
#[derive(Serialize)]
pub(super) struct Attached {
    endpoint: String,
    network: String,
    name: Option<String>,
    /// The path of the namespace.
    sandbox: String,
    /// Its name in the namespace.
    interface: Option<String>,
    mac: Option<String>,
    mtu: Option<u32>,
    /// Each with the length of its subnet's prefix.
    addresses: Vec<String>,
    /// But for those that the kernel makes with each address.
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Route {
    to: String,
    /// The router; null where the interface itself leads there.
    via: Option<IpAddr>,
    metric: Option<u32>,
}

/// `ipvland detach`: each of them.
#[derive(Serialize)]
pub(super) struct Detached {
    endpoint: String,
    network: String,
    name: Option<String>,
    sandbox: Option<String>,
    addresses: Vec<String>,
}

impl Attached {
    pub(super) fn of(attached: &super::Attached) -> Self {
        let super::Attached { endpoint, name, connected } = attached;
        let link = connected.link.as_ref();
        Self {
            endpoint: endpoint.to_string(),
            network: connected.network.id.to_string(),
            name: name.as_ref().map(ToString::to_string),
            sandbox: connected.sandbox.to_string(),
            interface: link.map(|link| link.name.to_string()),
            mac: link.and_then(|link| link.mac).map(|mac| mac.to_string()),
            mtu: link.map(|link| link.mtu),
            addresses: connected.addresses.iter().map(|address| address.to_string()).collect(),
            routes: link.iter().flat_map(|link| &link.routes).copied().map(Route::of).collect(),
        }
    }
}

impl Route {
    fn of(route: SandboxRoute) -> Self {
        Self { to: route.to.to_string(), via: route.via, metric: route.metric }
    }
}

pub(super) fn detached(detached: &[super::Detached]) -> Vec<Detached> {
    let row = |it: &super::Detached| Detached {
        endpoint: it.endpoint.id.to_string(),
        network: it.endpoint.network.to_string(),
        name: it.name.as_ref().map(ToString::to_string),
        sandbox: it.endpoint.sandbox.as_ref().map(ToString::to_string),
        addresses: it.endpoint.addresses.iter().map(|address| address.to_string()).collect(),
    };
    detached.iter().map(row).collect()
}
