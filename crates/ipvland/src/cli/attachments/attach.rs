//! `ipvland attach`.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use engine::{Announced, Connected, Connection, Engine, Membership, look_into};
use model::{EndpointId, Network, Pool, SandboxLink, SandboxRoutes, Sysctls};

use super::arguments::AttachArguments;
use super::{Attached, choice, endpoint_in, own_network};

/// Puts a namespace on a network, and tells the neighbours. On it already, it stays as it is.
///
/// # Errors
/// When it cannot be on it as it is asked for. Nothing has changed then.
pub(super) fn attach(engine: &Engine, arguments: &AttachArguments) -> Result<Attached> {
    let network = own_network(engine, &arguments.network)?;
    let (key, called) = arguments.sandbox.place();
    let sandbox = look_into(&key)?;
    ensure!(!sandbox.is_hosts, "{key} is the host's own namespace, which needs no network; name a container's");
    let endpoint = endpoint_in(&network, &sandbox.identity);
    let name = arguments.name.clone().or(called);
    let before = engine.endpoint(&endpoint)?.and_then(|before| before.set_up).map(|link| link.name);
    let interface = arguments.ifname.clone().or(before).unwrap_or_else(|| choice::interface(&sandbox.interfaces));
    let connection = Connection {
        endpoint: endpoint.clone(),
        network: Membership::Existing(network.id.clone()),
        sandbox: key,
        name: name.clone(),
        addresses: Vec::new(),
        link: SandboxLink { name: interface, sysctls: Sysctls::default(), routes: SandboxRoutes::default() },
        default_routes: !arguments.no_default_route,
    };
    let connected = connect(engine, &connection, &network, &arguments.ip)?;
    let has = |address| connected.addresses.iter().any(|held| held.addr() == address);
    if let Some(missing) = arguments.ip.iter().find(|address| !has(**address)) {
        bail!(
            "it is on network {} already, with {} and not with {missing}; `ipvland detach` it first",
            network.id,
            connected.addresses
        );
    }
    announce(engine, &endpoint, &network);
    Ok(Attached { endpoint, name, connected })
}

/// With addresses of the first pools that have any to deal.
fn connect(engine: &Engine, connection: &Connection, network: &Network, asked: &[IpAddr]) -> Result<Connected> {
    let mut exhausted: Vec<Pool> = Vec::new();
    loop {
        let addresses = choice::addresses(network, asked, |pool| exhausted.contains(pool))?;
        match engine.connect(&Connection { addresses, ..connection.clone() }) {
            Ok(connected) => return Ok(connected),
            Err(error) => match error.exhausted() {
                Some(pool) if !exhausted.contains(pool) => exhausted.push(pool.clone()),
                _ => return Err(error.into()),
            },
        }
    }
}

/// Once, as somebody waits: who misses it keeps the old MAC address until its entry ages.
fn announce(engine: &Engine, endpoint: &EndpointId, network: &Network) {
    if network.announced().is_none() {
        return;
    }
    match engine.announce(endpoint) {
        Ok(Announced::Sent) => {}
        Ok(other) => tracing::warn!(?other, "the addresses are not announced"),
        Err(error) => tracing::warn!(%error, "the addresses are not announced"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;
    use engine::{Carrier, NetworkRequest, Paths};
    use model::{DriverOptions, Frontend, Ipam};

    use super::*;

    /// What is typed behind `ipvland attach`.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        attach: AttachArguments,
    }

    /// Why something cannot be attached, with a network of Docker's and one of the shell's on record.
    fn refused(line: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state_dir: folder.path().join("state"), run_dir: folder.path().join("run") };
        let engine = Engine::open(&paths).unwrap();
        let request = |frontend, id: &str| NetworkRequest {
            id: id.parse().unwrap(),
            frontend,
            options: DriverOptions { parent: Some("lo".parse().unwrap()), ..DriverOptions::default() },
            carrier: Carrier::Parent,
            subnets: Vec::new(),
            auxiliary: Vec::new(),
            ipam: Ipam::Ledger,
            pools: vec!["v1/default/198.51.100.0/24/198.51.100.0/24".parse().unwrap()],
        };
        let networks = [request(Frontend::Docker, "dockers"), request(Frontend::Shell, "lan")];
        engine.remember(&networks, &BTreeSet::new()).unwrap();
        let line = Line::parse_from(["attach"].into_iter().chain(line.split_whitespace()));
        let error = attach(&engine, &line.attach).err().expect("it is refused");
        assert!(engine.addresses().unwrap().holdings.is_empty(), "nothing is dealt");
        error.to_string()
    }

    #[test]
    fn what_cannot_be_attached_is_refused_before_anything_is_dealt() {
        for (line, sentence) in [
            ("nowhere --netns web", "there is no network nowhere"),
            (
                "dockers --netns web",
                "network dockers is Docker's, which alone puts containers on it; make one at the shell, which may be on the \
                 same parent and subnet: `ipvland network create`",
            ),
            ("lan --netns /nowhere/web", "there is no network namespace at /nowhere/web"),
            ("lan --pid 4194305", "there is no network namespace at /proc/4194305/ns/net"),
            (
                "lan --netns /proc/self/ns/net",
                "/proc/self/ns/net is the host's own namespace, which needs no network; name a container's",
            ),
        ] {
            assert_eq!(refused(line), sentence);
        }
    }
}
