//! What a container engine has given out on the wires of this host.

use std::path::Path;

use anyhow::{Context, Result};
use model::{Adopted, NetworkId};

use crate::engine_api::{self, Network, address};

/// Drivers that put nobody on a wire of the host's, and ours, whose addresses are in the ledger. Any other may, be it the
/// engine's `ipvlan` or `macvlan` or somebody's plugin.
const PASSED_OVER: [&str; 6] = ["bridge", "host", "null", "none", "overlay", "ipvland"];

/// The addresses that the engine at a socket has given out, those of containers first.
///
/// # Errors
/// When there is one, and it does not answer or cannot be understood.
pub(super) fn told(socket: &Path) -> Result<Vec<Adopted>> {
    let told =
        socket.try_exists().map_err(Into::into).and_then(|there| if there { ask(socket) } else { Ok(Vec::new()) });
    told.with_context(|| {
        format!(
            "the engine at {} does not tell which addresses it has given out; start it, or name with --engine-socket the \
             sockets of the engines that are in use",
            socket.display()
        )
    })
}

fn ask(socket: &Path) -> Result<Vec<Adopted>> {
    let engine = engine_api::program(socket)?.name;
    let (mut containers, mut reserved) = (Vec::new(), Vec::new());
    for listed in engine_api::networks(socket)? {
        if PASSED_OVER.contains(&listed.driver.as_str()) {
            continue;
        }
        let id: NetworkId = listed.id.parse()?;
        // One that is gone meanwhile holds nothing.
        let Some(network) = engine_api::network(socket, &id)? else { continue };
        let told = of_network(engine, &network).with_context(|| format!("network {id} of the engine's"))?;
        containers.extend(told.containers);
        reserved.extend(told.reserved);
    }
    // A container may well be the gateway of its network; that it has the address says more.
    containers.append(&mut reserved);
    Ok(containers)
}

/// What one network has given out.
struct OfNetwork {
    containers: Vec<Adopted>,
    /// The gateways and what the user keeps from being dealt.
    reserved: Vec<Adopted>,
}

fn of_network(engine: &str, network: &Network) -> Result<OfNetwork> {
    let name = if network.name.is_empty() { &network.id } else { &network.name };
    let place = format!("{engine}'s network {name}");
    let adopted = |text: &str, who: String| -> Result<Option<Adopted>> {
        Ok(address(text)?.map(|address| Adopted::new(address, &format!("{who} {place}"))))
    };
    let mut told = OfNetwork { containers: Vec::new(), reserved: Vec::new() };
    for (id, container) in network.containers.iter().flatten() {
        let name = if container.name.is_empty() { id } else { &container.name };
        for text in [&container.v4, &container.v6] {
            told.containers.extend(adopted(text, format!("container {name} on"))?);
        }
    }
    for config in network.ipam.config.iter().flatten() {
        told.reserved.extend(adopted(&config.gateway, "gateway of".into())?);
        for (name, text) in config.auxiliary_addresses.iter().flatten() {
            told.reserved.extend(adopted(text, format!("auxiliary address {name} of"))?);
        }
    }
    Ok(told)
}

/// Reads what an engine answers of one network.
#[cfg(any(test, fuzzing))]
pub(crate) fn read(answer: &[u8]) -> Vec<Adopted> {
    let network = serde_json::from_slice(answer).map_err(Into::into);
    let told = network.and_then(|network| of_network("Docker", &network));
    told.map(|told| [told.containers, told.reserved].concat()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(network: &Value, expected: &[&str]) {
        let told = read(network.to_string().as_bytes());
        let told: Vec<String> = told.iter().map(|it| format!("{} {}", it.address(), it.holder())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_network_of_dockers() {
        // As Docker 26.1 tells of it, but for what is of no interest.
        let lan = json!({
            "Name": "lan", "Id": "3f1e0c9a5b7d", "Driver": "macvlan", "Internal": false,
            "IPAM": { "Driver": "default", "Options": {}, "Config": [
                { "Subnet": "192.0.2.0/24", "Gateway": "192.0.2.1", "AuxiliaryAddresses": { "nas": "192.0.2.9" } },
                { "Subnet": "2001:db8::/64", "Gateway": "2001:db8::1/64" },
            ] },
            "Containers": {
                "4e5f": { "Name": "web", "EndpointID": "1", "IPv4Address": "192.0.2.5/24", "IPv6Address": "2001:db8::5/64" },
                "5e6f": { "Name": "", "EndpointID": "2", "IPv4Address": "192.0.2.6/24", "IPv6Address": "" },
            },
            "Options": { "parent": "eth0" },
        });
        check(
            &lan,
            &[
                "192.0.2.5 container web on Docker's network lan",
                "2001:db8::5 container web on Docker's network lan",
                "192.0.2.6 container 5e6f on Docker's network lan",
                "192.0.2.1 gateway of Docker's network lan",
                "192.0.2.9 auxiliary address nas of Docker's network lan",
                "2001:db8::1 gateway of Docker's network lan",
            ],
        );
    }

    #[test]
    fn a_network_of_podmans() {
        // After `pkg/api/handlers/compat/networks.go` in podman.
        let lan = json!({
            "Name": "lan", "Id": "3f1e", "Driver": "macvlan", "Options": {}, "Peers": null,
            "IPAM": { "Driver": "default", "Options": { "driver": "host-local" }, "Config": [
                { "Subnet": "192.0.2.0/24", "Gateway": "<nil>" },
            ] },
            "Containers": { "4e5f": { "Name": "web", "EndpointID": "", "IPv4Address": "192.0.2.5/24", "IPv6Address": "" } },
        });
        check(&lan, &["192.0.2.5 container web on Docker's network lan"]);
    }

    #[test]
    fn a_network_that_cannot_be_understood_is_not_taken_for_an_empty_one() {
        let refused = |container: Value| {
            let network = json!({ "Id": "n", "Driver": "macvlan", "IPAM": {}, "Containers": { "c": container } });
            let error = of_network("Docker", &serde_json::from_value(network).unwrap()).err().unwrap();
            error.to_string()
        };
        assert_eq!(refused(json!({ "IPv4Address": "192.0.2" })), "`192.0.2` is no address");
        assert_eq!(refused(json!({ "IPv6Address": "\u{1b}[2J/64" })), "`\\u{1b}[2J` is no address");
    }
}
