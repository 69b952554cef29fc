//! What people call networks and containers. An engine does not tell its plugins what a network is called, and not always what
//! a container is: it is asked now, as far as it answers. What is not known is left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use model::{EndpointId, EndpointName, Frontend, Hold, Holding, Network, NetworkId};

use crate::docker;
use crate::engine_api;

/// Whom to ask for names.
#[derive(Args)]
pub(crate) struct EngineSockets {
    /// Where container engines answer, to be asked for the names of networks and containers; once for each
    #[arg(long, default_values = ["/run/docker.sock", "/run/podman/podman.sock"], value_name = "SOCKET")]
    engine_socket: Vec<PathBuf>,
}

/// The names that are known.
#[derive(Default)]
pub(super) struct Names {
    networks: BTreeMap<NetworkId, String>,
    containers: BTreeMap<EndpointId, String>,
}

impl EngineSockets {
    /// The names of networks, of the containers that hold addresses, and of those that Docker knows. An engine that does not
    /// answer is asked once.
    pub(super) fn names(&self, networks: &[Network], holdings: &[Holding]) -> Names {
        let mut names = Names::of(networks, holdings);
        let has_engine = |network: &&Network| matches!(network.frontend, Frontend::Docker | Frontend::Netavark);
        let asked: Vec<&Network> = networks.iter().filter(has_engine).collect();
        for socket in self.engine_socket.iter().filter(|_| !asked.is_empty()) {
            let Ok(theirs) = engine_api::networks(socket) else { continue };
            for network in theirs {
                let Ok(id) = network.id.parse::<NetworkId>() else { continue };
                if !asked.iter().any(|asked| asked.id == id) {
                    continue;
                }
                names.containers.extend(docker::containers(socket, &id).unwrap_or_default());
                if !network.name.is_empty() {
                    names.networks.insert(id, printable(&network.name));
                }
            }
        }
        names
    }
}

impl Names {
    /// Those that the ledger knows.
    pub(super) fn of(networks: &[Network], holdings: &[Holding]) -> Self {
        let chosen = |network: &Network| Some((network.id.clone(), chosen(network)?));
        let named = |holding: &Holding| match (&holding.hold, &holding.name) {
            (Hold::Endpoint { endpoint, .. }, Some(name)) => Some((endpoint.clone(), name.to_string())),
            _ => None,
        };
        Self {
            networks: networks.iter().filter_map(chosen).collect(),
            containers: holdings.iter().filter_map(named).collect(),
        }
    }

    /// What a network is called.
    pub(super) fn network(&self, id: &NetworkId) -> Option<&str> {
        self.networks.get(id).map(String::as_str)
    }

    /// What a network is called, or its id, as people are shown it.
    pub(super) fn network_or_id<'a>(&'a self, id: &'a NetworkId) -> &'a str {
        self.network(id).unwrap_or(id.short())
    }

    /// What the container of an endpoint is called.
    pub(super) fn container(&self, id: &EndpointId) -> Option<&str> {
        self.containers.get(id).map(String::as_str)
    }

    /// Names for tests.
    #[cfg(test)]
    pub(super) fn made_up(networks: &[(NetworkId, &str)], containers: &[(EndpointId, &str)]) -> Self {
        Self {
            networks: networks.iter().map(|(id, name)| (id.clone(), (*name).to_owned())).collect(),
            containers: containers.iter().map(|(id, name)| (id.clone(), (*name).to_owned())).collect(),
        }
    }
}

/// The name that a network's id says: at a shell it is the name, and CNI's has it in the middle, cut off where it is long.
fn chosen(network: &Network) -> Option<String> {
    let id = network.id.as_str();
    match network.frontend {
        Frontend::Shell => Some(id.to_owned()),
        Frontend::Cni => Some(id.strip_prefix("cni-")?.rsplit_once('-')?.0.to_owned()),
        Frontend::Docker | Frontend::Netavark => None,
    }
}

/// What a terminal may be shown of a name that somebody else has given.
fn printable(name: &str) -> String {
    let name = name.parse::<EndpointName>().map(|name| name.to_string());
    name.unwrap_or_else(|_| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use model::Parent;

    use super::*;

    #[test]
    fn a_network_that_somebody_named_is_known_by_its_id() {
        let network = |frontend, id: &str| {
            let parent = Parent::Link("eth0".parse().unwrap());
            Network { frontend, ..Network::plain(id.parse().unwrap(), parent) }
        };
        let networks = [
            network(Frontend::Shell, "lan"),
            network(Frontend::Cni, "cni-back-bone-0123abcd"),
            network(Frontend::Docker, "docker"),
        ];
        let names = Names::of(&networks, &[]);
        let known = networks.each_ref().map(|network| names.network(&network.id));
        assert_eq!(known, [Some("lan"), Some("back-bone"), None]);
        assert_eq!(names.network_or_id(&networks[2].id), "docker");
    }

    #[test]
    fn a_name_is_shown_as_far_as_a_terminal_can_take_it() {
        assert_eq!([printable("lan"), printable("\u{1b}[2J"), printable("")], ["lan", "?", "?"]);
    }
}
