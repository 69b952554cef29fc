//! `setup` and `teardown`: a container comes to a network, and goes.

use engine::{Connected, Connection, Engine, Membership};
use model::{EndpointId, Family, MacAddress, SandboxKey, SandboxLink, Sysctls};

use super::network::Network;
use super::refusal::Refusal;
use super::wire::{self, Status};

/// Puts a container on a network.
pub(super) fn setup(engine: &Engine, sandbox: &str, input: &[u8]) -> Result<Status, Refusal> {
    let request: wire::Setup = wire::read(input)?;
    request.refuse_options()?;
    let network = Network::read(&request.network)?.on_a_parent(engine)?;
    let endpoint = request.endpoint()?;
    let (mac, dns_servers) = (request.mac()?, request.network.dns_servers()?);
    let routes = network.default_routes().into_iter().chain(request.network.routes()?);
    let connection = Connection {
        endpoint: endpoint.clone(),
        network: Membership::MadeFor(network.request()),
        sandbox: read_sandbox(sandbox)?,
        name: request.name(),
        addresses: network.wanted(&request.addresses()?)?,
        link: SandboxLink { name: request.interface()?, sysctls: sysctls(&network), routes: routes.collect() },
        default_routes: network.options.default_routes && network.options.metric.is_none(),
    };
    let connected = engine.connect(&connection)?;
    if let Err(refusal) = require_mac(mac, &connected) {
        engine.disconnect(&endpoint)?;
        return Err(refusal);
    }
    announce(engine, &endpoint, &connected);
    if request.publishes() {
        super::say("published ports have no effect: the container has an address of its own on the network");
    }
    Ok(Status::of(&connected, dns_servers))
}

/// Takes a container off a network. One that is not on it is success, and so is one whose namespace is gone.
pub(super) fn teardown(engine: &Engine, input: &[u8]) -> Result<(), Refusal> {
    let request: wire::Teardown = wire::read(input)?;
    Ok(engine.disconnect(&request.endpoint()?)?)
}

/// An address that a container gives itself, because a router on the wire proposes it, would be in no ledger. netavark does the
/// same for its own drivers.
fn sysctls(network: &Network) -> Sysctls {
    let settings = if network.has(Family::V6) { "net.ipv6.conf.IFNAME.autoconf=0" } else { "" };
    settings.parse().expect("a setting of an interface, or none")
}

fn read_sandbox(path: &str) -> Result<SandboxKey, Refusal> {
    path.parse().map_err(|error| Refusal(format!("the network namespace: {error}")))
}

/// `podman network reload` and `podman container restore` ask for the MAC address that the container had, and that is its
/// parent's.
fn require_mac(asked: Option<MacAddress>, connected: &Connected) -> Result<(), Refusal> {
    let theirs = connected.link.as_ref().and_then(|link| link.mac);
    match asked {
        Some(mac) if theirs != Some(mac) => Err(Refusal(format!(
            "MAC address {mac} was asked for, and an ipvlan container has the one of its parent; leave --mac-address out"
        ))),
        _ => Ok(()),
    }
}

/// Once, since Podman waits: whoever misses it keeps the old MAC address until its entry ages.
fn announce(engine: &Engine, endpoint: &EndpointId, connected: &Connected) {
    if connected.network.announced().is_none() {
        return;
    }
    if let Err(error) = engine.announce(endpoint) {
        tracing::warn!(%error, "the addresses could not be announced");
    }
}
