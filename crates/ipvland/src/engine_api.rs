//! A container engine, asked at its API: Docker's, or Podman's that answers alike.
//!
//! Never from a handler: the engine waits for that with its locks held, and at its start its API does not answer yet.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use model::NetworkId;
use serde::Deserialize;
use serde_json::{Map, Value};

/// From the question to the answer, at each step.
const LIMIT: Duration = Duration::from_secs(2);
/// More than any answer, in bytes: thousands of networks.
const ANSWER_LIMIT: u64 = 16 << 20;

/// A network, as much of it as is of interest (`api/types/network/network.go` in moby).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) driver: String,
    #[serde(default)]
    pub(crate) internal: bool,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Ipam,
    #[serde(default)]
    pub(crate) options: Option<Map<String, Value>>,
    /// Those that run, by id. Only where one network is asked for.
    #[serde(default)]
    pub(crate) containers: Option<BTreeMap<String, Container>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ipam {
    #[serde(default)]
    pub(crate) driver: String,
    #[serde(default)]
    pub(crate) config: Option<Vec<Config>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) subnet: String,
    /// Of the subnet, where the engine deals from a part of it only.
    #[serde(rename = "IPRange", default)]
    pub(crate) range: String,
    /// Where the user named one.
    #[serde(default)]
    pub(crate) gateway: String,
    /// What the user keeps from being dealt, by the user's names for it.
    #[serde(default)]
    pub(crate) auxiliary_addresses: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(rename = "EndpointID", default)]
    pub(crate) endpoint_id: String,
    /// With the length of the prefix; empty where there is none.
    #[serde(rename = "IPv4Address", default)]
    pub(crate) v4: String,
    #[serde(rename = "IPv6Address", default)]
    pub(crate) v6: String,
}

/// `GET /version`: what the engine is made of (`api/types/system` in moby).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(default)]
    version: String,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: String,
}

/// An engine that answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// `Docker` or `Podman`.
    pub(crate) name: &'static str,
    /// As it says itself. Distributions hang something of their own on it (`26.1.5+dfsg1`).
    pub(crate) version: String,
}

/// Which engine answers at a socket: either may listen on the other's.
///
/// # Errors
/// When it does not answer, or what it answers cannot be read.
pub(crate) fn program(socket: &Path) -> Result<Program> {
    let body = get(socket, "/version")?.context("the engine does not tell its version")?;
    let Version { version, components } = serde_json::from_slice(&body).context("the engine's version")?;
    let podman = components.iter().any(|component| component.name.starts_with("Podman"));
    Ok(Program { name: if podman { "Podman" } else { "Docker" }, version })
}

/// All networks, without their containers.
///
/// # Errors
/// As [`program`].
pub(crate) fn networks(socket: &Path) -> Result<Vec<Network>> {
    let body = get(socket, "/networks")?.context("the engine does not tell its networks")?;
    serde_json::from_slice(&body).context("the engine's list of networks")
}

/// One network with its containers; `None` when it is gone.
///
/// # Errors
/// As [`program`].
pub(crate) fn network(socket: &Path, id: &NetworkId) -> Result<Option<Network>> {
    let body = get(socket, &format!("/networks/{id}"))?;
    body.map(|body| serde_json::from_slice(&body).with_context(|| format!("network {id} of the engine's"))).transpose()
}

/// Reads an address, with or without the length of its prefix. Where there is none, Docker writes nothing and Podman what
/// Go makes of that.
pub(crate) fn address(text: &str) -> Result<Option<IpAddr>> {
    match text.split('/').next().unwrap_or_default() {
        "" | "<nil>" => Ok(None),
        address => {
            let shown: String = address.chars().take(80).collect();
            Ok(Some(address.parse().with_context(|| format!("`{}` is no address", shown.escape_debug()))?))
        }
    }
}

/// What stands at a path of the API; `None` where there is nothing, or nothing any more.
fn get(socket: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    let mut stream = UnixStream::connect(socket).context("the engine's socket")?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    // HTTP/1.0, so that the answer ends where the connection does.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer).context("the engine's answer")?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("the engine's answer is no HTTP")?;
    match answer.split(|byte| *byte == b' ').nth(1) {
        Some(b"200") => Ok(Some(answer.split_off(end + 4))),
        Some(b"404") => Ok(None),
        _ => bail!("the engine answered {}", answer[..end.min(80)].escape_ascii()),
    }
}
