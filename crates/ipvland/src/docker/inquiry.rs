//! What the container engine remembers of the networks of this driver.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use engine::{Carrier, NetworkRequest};
use ipnet::IpNet;
use model::{DriverOptions, EndpointId, Frontend, Ipam, NetworkId, Subnet};
use serde_json::Map;

use crate::engine_api::{self, Config, Network};

/// The networks of this driver that the engine behind a socket remembers.
///
/// # Errors
/// When it does not answer, or one of them cannot be read: what is not understood is not taken for gone. When it is Podman's
/// (podman-docker puts it at Docker's place): that has networks of ours of its own, and knows of none of Docker's.
pub(crate) fn networks(socket: &Path, driver: &str) -> Result<Vec<NetworkRequest>> {
    ensure!(engine_api::program(socket)?.name == "Docker", "the engine is not Docker's");
    let ours = engine_api::networks(socket)?.into_iter().filter(|network| network.driver == driver);
    ours.map(|network| {
        request(&network, driver).with_context(|| format!("network {} of the engine's list", network.id))
    })
    .collect()
}

/// The containers on a network of the engine's, as endpoint and name.
///
/// # Errors
/// When it does not answer, or what it answers cannot be read.
pub(crate) fn containers(socket: &Path, network: &NetworkId) -> Result<BTreeMap<EndpointId, String>> {
    let containers = engine_api::network(socket, network)?.and_then(|network| network.containers);
    let named = |container: engine_api::Container| Some((container.endpoint_id.parse().ok()?, container.name));
    Ok(containers.unwrap_or_default().into_values().filter_map(named).collect())
}

fn request(network: &Network, driver: &str) -> Result<NetworkRequest> {
    let none = Map::new();
    let options = network.options.as_ref().unwrap_or(&none);
    let pairs = options.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let dealt = network.ipam.driver == driver;
    let subnet = |config: &Config| -> Result<Subnet> {
        let pool = config.subnet.parse()?;
        let gateway = match engine_api::address(&config.gateway)? {
            None if dealt => Some(first_usable(pool, pool)),
            None if network.ipam.driver == "default" && config.range.is_empty() => Some(first_usable(pool, pool)),
            None if network.ipam.driver == "default" => Some(first_usable(config.range.parse()?, pool)),
            named => named,
        };
        Ok(Subnet::new(pool, gateway)?)
    };
    let configs = network.ipam.config.iter().flatten().filter(|config| !config.subnet.is_empty());
    let configs: Vec<&Config> = configs.collect();
    let auxiliary = configs.iter().filter_map(|config| config.auxiliary_addresses.as_ref());
    let auxiliary = auxiliary.flat_map(BTreeMap::values).filter_map(|text| engine_api::address(text).transpose());
    let auxiliary: BTreeSet<IpAddr> = auxiliary.collect::<Result<_>>()?;
    Ok(NetworkRequest {
        id: network.id.parse()?,
        options: DriverOptions::parse(pairs)?,
        carrier: if network.internal { Carrier::Isolated } else { Carrier::Parent },
        frontend: Frontend::Docker,
        subnets: configs.into_iter().map(subnet).collect::<Result<_>>()?,
        auxiliary: auxiliary.into_iter().collect(),
        ipam: if dealt { Ipam::Ledger } else { Ipam::Engine },
        pools: Vec::new(),
    })
}

/// The gateway that was taken where the user named none, by the ledger or by the engine's own address management (seen with
/// 26.1 and 28.5): the first address that may be dealt.
fn first_usable(range: IpNet, pool: IpNet) -> IpAddr {
    let first = range.network();
    let is_the_networks = first == pool.network() && pool.prefix_len() + 1 < pool.max_prefix_len();
    match first {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) + u32::from(is_the_networks)).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) + u128::from(is_the_networks)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use serde_json::{Value, json};

    use super::*;

    fn read(network: &Value) -> Result<NetworkRequest> {
        request(&serde_json::from_value(network.clone()).unwrap(), "ipvland")
    }

    #[test]
    fn podmans_networks_are_not_dockers() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 100];
            let length = stream.read(&mut request).unwrap();
            let answer = json!({ "Components": [{ "Name": "Podman Engine" }] });
            stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{answer}").as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let said = networks(&socket, "ipvland").unwrap_err().to_string();
        assert_eq!(said, "the engine is not Docker's");
        assert!(asked.join().unwrap().starts_with("GET /version "));
    }

    #[test]
    fn a_network_reads_as_it_was_asked_for() {
        // As Docker 26.1 tells of it, but for what is of no interest.
        let lan = read(&json!({
            "Name": "lan", "Id": "3f1e0c9a5b7d", "Scope": "local", "Driver": "ipvland", "EnableIPv6": true,
            "IPAM": { "Driver": "default", "Options": {}, "Config": [
                { "Subnet": "192.168.1.0/24", "IPRange": "192.168.1.64/26", "Gateway": "192.168.1.1" },
                { "Subnet": "2001:db8::/64", "Gateway": "2001:db8::1/64" },
            ] },
            "Internal": false, "Options": { "parent": "eth0", "ipvlan_mode": "l3" },
        }))
        .unwrap();
        assert_eq!((lan.id.as_str(), lan.carrier), ("3f1e0c9a5b7d", Carrier::Parent));
        assert_eq!(lan.options.settings.mode, model::Mode::L3);
        let subnet = |pool: &str, gateway: &str| Subnet::new(pool.parse().unwrap(), gateway.parse().ok()).unwrap();
        assert_eq!(lan.subnets, [subnet("192.168.1.0/24", "192.168.1.1"), subnet("2001:db8::/64", "2001:db8::1")]);
    }

    #[test]
    fn a_gateway_that_the_user_left_out_is_the_first_address_that_the_engine_deals() {
        let gateway = |driver: &str, config: Value| {
            let network = json!({ "Id": "n", "Driver": "ipvland", "IPAM": { "Driver": driver, "Config": [config] } });
            read(&network).unwrap().subnets[0].gateway().map(|gateway| gateway.to_string())
        };
        for (config, expected) in [
            (json!({ "Subnet": "192.168.1.0/24" }), "192.168.1.1"),
            (json!({ "Subnet": "192.168.9.0/24", "IPRange": "192.168.9.64/26" }), "192.168.9.64"),
            (json!({ "Subnet": "192.168.9.0/24", "IPRange": "192.168.9.0/26" }), "192.168.9.1"),
            (json!({ "Subnet": "192.168.9.4/31" }), "192.168.9.4"),
            (json!({ "Subnet": "2001:db8::/64" }), "2001:db8::1"),
        ] {
            assert_eq!(gateway("default", config).as_deref(), Some(expected));
        }
        let dealt_from_a_part = json!({ "Subnet": "192.168.9.0/24", "IPRange": "192.168.9.64/26" });
        assert_eq!(gateway("ipvland", dealt_from_a_part).as_deref(), Some("192.168.9.1"));
        assert_eq!(gateway("other", json!({ "Subnet": "192.168.1.0/24" })), None);
    }

    #[test]
    fn what_is_missing_is_none() {
        let bare =
            json!({ "Id": "n", "Driver": "ipvland", "IPAM": { "Config": null }, "Internal": true, "Options": null });
        let bare = read(&bare).unwrap();
        assert!(bare.carrier == Carrier::Isolated && bare.subnets.is_empty() && bare.options.parent.is_none());
        let broken = json!({ "Id": "n", "Driver": "ipvland", "IPAM": { "Config": [{ "Subnet": "x" }] } });
        assert!(read(&broken).is_err());
    }
}
