//! What the container engine remembers of its networks, asked of its API.
//!
//! Never from a handler: the engine waits for that with its locks held, and at its start its API does not answer yet.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use engine::NetworkRequest;
use ipnet::IpNet;
use model::{DriverOptions, Ipam, Subnet};
use serde::Deserialize;
use serde_json::{Map, Value};

/// From the question to the answer, at each step.
const LIMIT: Duration = Duration::from_secs(2);
/// More than any answer, in bytes: thousands of networks.
const ANSWER_LIMIT: u64 = 16 << 20;

/// `GET /networks`, as much of one as a driver was told when it was made (`api/types/network/network.go` in moby).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    id: String,
    driver: String,
    #[serde(default)]
    internal: bool,
    #[serde(rename = "IPAM")]
    ipam: IpamOf,
    #[serde(default)]
    options: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpamOf {
    #[serde(default)]
    driver: String,
    #[serde(default)]
    config: Option<Vec<Config>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    subnet: String,
    /// Of the subnet, where the engine deals from a part of it only.
    #[serde(rename = "IPRange", default)]
    range: String,
    /// Where the user named one.
    #[serde(default)]
    gateway: String,
    #[serde(default)]
    auxiliary_addresses: Option<BTreeMap<String, IpAddr>>,
}

/// The networks of this driver that the engine behind a socket remembers.
///
/// # Errors
/// When it does not answer, or one of them cannot be read: what is not understood is not taken for gone.
pub(crate) fn networks(socket: &Path, driver: &str) -> Result<Vec<NetworkRequest>> {
    let body = get(socket, "/networks")?;
    let networks: Vec<Network> = serde_json::from_slice(&body).context("the engine's list of networks")?;
    let ours = networks.into_iter().filter(|network| network.driver == driver);
    ours.map(|network| {
        request(&network, driver).with_context(|| format!("network {} of the engine's list", network.id))
    })
    .collect()
}

fn request(network: &Network, driver: &str) -> Result<NetworkRequest> {
    let none = Map::new();
    let options = network.options.as_ref().unwrap_or(&none);
    let pairs = options.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let dealt = network.ipam.driver == driver;
    let subnet = |config: &Config| -> Result<Subnet> {
        let pool = config.subnet.parse()?;
        let gateway = match config.gateway.split('/').next().unwrap_or_default() {
            "" if dealt => Some(first_usable(pool, pool)),
            "" if network.ipam.driver == "default" && config.range.is_empty() => Some(first_usable(pool, pool)),
            "" if network.ipam.driver == "default" => Some(first_usable(config.range.parse()?, pool)),
            "" => None,
            named => Some(named.parse()?),
        };
        Ok(Subnet::new(pool, gateway)?)
    };
    let configs = network.ipam.config.iter().flatten().filter(|config| !config.subnet.is_empty());
    let configs: Vec<&Config> = configs.collect();
    let auxiliary = configs.iter().filter_map(|config| config.auxiliary_addresses.as_ref());
    let auxiliary: BTreeSet<IpAddr> = auxiliary.flat_map(BTreeMap::values).copied().collect();
    Ok(NetworkRequest {
        id: network.id.parse()?,
        options: DriverOptions::parse(pairs)?,
        internal: network.internal,
        subnets: configs.into_iter().map(subnet).collect::<Result<_>>()?,
        auxiliary: auxiliary.into_iter().collect(),
        ipam: if dealt { Ipam::Ledger } else { Ipam::Engine },
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

/// HTTP/1.0, so that the answer ends where the connection does.
fn get(socket: &Path, path: &str) -> Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).context("the engine's socket")?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer).context("the engine's answer")?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("the engine's answer is no HTTP")?;
    let status = answer.split(|byte| *byte == b' ').nth(1);
    ensure!(status == Some(b"200"), "the engine answered {}", String::from_utf8_lossy(&answer[..end.min(80)]));
    Ok(answer.split_off(end + 4))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(network: &Value) -> Result<NetworkRequest> {
        request(&serde_json::from_value(network.clone()).unwrap(), "ipvland")
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
        assert_eq!((lan.id.as_str(), lan.internal), ("3f1e0c9a5b7d", false));
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
        assert_eq!(gateway("other", json!({ "Subnet": "192.168.1.0/24" })), None);
    }

    #[test]
    fn what_is_missing_is_none() {
        let bare =
            json!({ "Id": "n", "Driver": "ipvland", "IPAM": { "Config": null }, "Internal": true, "Options": null });
        let bare = read(&bare).unwrap();
        assert!(bare.internal && bare.subnets.is_empty() && bare.options.parent.is_none());
        let broken = json!({ "Id": "n", "Driver": "ipvland", "IPAM": { "Config": [{ "Subnet": "x" }] } });
        assert!(read(&broken).is_err());
    }
}
