//! The JSON of netavark's plugin interface, version 1.0.0. Nothing of it is seen beyond this frontend.
//!
//! Read in netavark, `plugin-API.md` and `src/network/types.rs`, and in Podman's `libnetwork/types/network.go`: Podman writes
//! what `create` reads, netavark what the others do. Both add fields from version to version, so unknown ones are left
//! alone; Go leaves out what is empty, Rust writes null.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use model::{EndpointId, EndpointName, Frontend, InterfaceName, MacAddress, NetworkId, SandboxRoute};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::ranges::{Ends, Range};
use super::refusal::Refusal;

mod answer;
#[cfg(test)]
mod tests;

pub(super) use answer::{Failure, Info, Status};

/// Reads what came on stdin.
///
/// # Errors
/// A sentence that names the place in it.
pub(super) fn read<T: DeserializeOwned>(input: &[u8]) -> Result<T, Refusal> {
    from_object(read_object(input)?)
}

/// The same, as it is.
pub(super) fn read_object(input: &[u8]) -> Result<Map<String, Value>, Refusal> {
    // Objects only: serde would also fill a struct from an array, field by field.
    serde_json::from_slice(input).map_err(|error| no_request(&format!("no JSON object: {error}")))
}

pub(super) fn from_object<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(object))
        .map_err(|error| no_request(&format!("not what this verb takes: {error}")))
}

fn no_request(what: &str) -> Refusal {
    Refusal(format!("what came on stdin is {what}; nothing was changed; this is between Podman and ipvland: report it"))
}

/// Reads an id, a name or the like, whose errors name the value.
fn parse<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error| Refusal(format!("{field}: {error}")))
}

/// Reads an address or a range, whose errors name neither the value nor what it should be.
fn parse_net<T: FromStr>(field: &str, text: &str, expected: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(80).collect();
        Refusal(format!("{field}: `{text}` was given and {expected} was expected"))
    })
}

fn parse_address(field: &str, text: &str) -> Result<IpAddr, Refusal> {
    parse_net(field, text, "an address")
}

/// A field that may be left out, or be null.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A network as Podman has it on record.
#[derive(Debug, Deserialize)]
pub(super) struct Network {
    id: String,
    /// The user's `--interface-name`.
    #[serde(default, deserialize_with = "nullable")]
    network_interface: String,
    pub(super) internal: bool,
    pub(super) ipv6_enabled: bool,
    /// What the user gave with `--opt`.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) options: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    ipam_options: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    subnets: Vec<Subnet>,
    #[serde(default, deserialize_with = "nullable")]
    routes: Vec<Route>,
    /// The user's `--dns`.
    #[serde(default, deserialize_with = "nullable")]
    network_dns_servers: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Subnet {
    subnet: String,
    #[serde(default, deserialize_with = "nullable")]
    gateway: String,
    /// The user's `--ip-range`.
    #[serde(default)]
    lease_range: Option<LeaseRange>,
}

#[derive(Debug, Deserialize)]
struct LeaseRange {
    #[serde(default, deserialize_with = "nullable")]
    start_ip: String,
    #[serde(default, deserialize_with = "nullable")]
    end_ip: String,
}

/// The user's `--route`.
#[derive(Debug, Deserialize)]
struct Route {
    destination: String,
    gateway: String,
    #[serde(default)]
    metric: Option<u32>,
}

impl Network {
    pub(super) fn id(&self) -> Result<NetworkId, Refusal> {
        parse("field id of the network", &self.id)
    }

    pub(super) fn interface(&self) -> Result<Option<InterfaceName>, Refusal> {
        given(&self.network_interface).map(|name| parse("--interface-name", name)).transpose()
    }

    /// Who deals its addresses, by name; empty where nobody has said so.
    pub(super) fn ipam_driver(&self) -> &str {
        self.ipam_options.get("driver").map_or("", String::as_str)
    }

    pub(super) fn subnets(&self) -> Result<Vec<Range>, Refusal> {
        self.subnets.iter().map(Subnet::range).collect()
    }

    pub(super) fn routes(&self) -> Result<Vec<SandboxRoute>, Refusal> {
        self.routes.iter().map(Route::of_the_sandbox).collect()
    }

    pub(super) fn dns_servers(&self) -> Result<Vec<IpAddr>, Refusal> {
        self.network_dns_servers.iter().map(|server| parse_address("--dns", server)).collect()
    }
}

impl Subnet {
    fn range(&self) -> Result<Range, Refusal> {
        let net: IpNet = parse_net("--subnet", &self.subnet, "ADDRESS/LENGTH")?;
        let gateway = given(&self.gateway).map(|text| parse_address("--gateway", text)).transpose()?;
        let subnet = model::Subnet::new(net, gateway).map_err(|error| Refusal(format!("--gateway: {error}")))?;
        let ends = self.lease_range.as_ref().map(LeaseRange::ends).transpose()?;
        Range::new(subnet, ends.unwrap_or_default())
    }
}

impl LeaseRange {
    fn ends(&self) -> Result<Ends, Refusal> {
        let end = |text| given(text).map(|text| parse_address("--ip-range", text)).transpose();
        Ok(Ends { first: end(&self.start_ip)?, last: end(&self.end_ip)? })
    }
}

impl Route {
    fn of_the_sandbox(&self) -> Result<SandboxRoute, Refusal> {
        let to: IpNet = parse_net("--route", &self.destination, "ADDRESS/LENGTH")?;
        let via = parse_address("--route", &self.gateway)?;
        if via.is_ipv4() != to.addr().is_ipv4() {
            return Err(Refusal(format!("--route: {to} and its gateway {via} are of different families")));
        }
        Ok(SandboxRoute { to: to.trunc(), via: Some(via), metric: self.metric })
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What `setup` reads.
#[derive(Debug, Deserialize)]
pub(super) struct Setup {
    container_id: String,
    #[serde(default, deserialize_with = "nullable")]
    container_name: String,
    /// The user's `--publish`.
    #[serde(default, deserialize_with = "nullable")]
    port_mappings: Vec<IgnoredAny>,
    pub(super) network: Network,
    network_options: PerNetworkOptions,
}

/// What a container wants of one of its networks. Aliases are for a name server that networks of plugins do not have.
#[derive(Debug, Deserialize)]
struct PerNetworkOptions {
    interface_name: String,
    /// Those that Podman has dealt, or the user's `--ip` and `--ip6`.
    #[serde(default, deserialize_with = "nullable")]
    static_ips: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    static_mac: String,
    #[serde(default, deserialize_with = "nullable")]
    options: BTreeMap<String, String>,
}

impl Setup {
    pub(super) fn endpoint(&self) -> Result<EndpointId, Refusal> {
        endpoint(&self.network.id()?, &self.container_id, &self.interface()?)
    }

    pub(super) fn interface(&self) -> Result<InterfaceName, Refusal> {
        parse("field interface_name", &self.network_options.interface_name)
    }

    /// A name that is none makes its bearer nameless, and is no reason to keep a container from starting.
    pub(super) fn name(&self) -> Option<EndpointName> {
        self.container_name.parse().ok()
    }

    pub(super) fn addresses(&self) -> Result<Vec<IpAddr>, Refusal> {
        self.network_options.static_ips.iter().map(|text| parse_address("--ip", text)).collect()
    }

    pub(super) fn mac(&self) -> Result<Option<MacAddress>, Refusal> {
        given(&self.network_options.static_mac).map(|text| parse("--mac-address", text)).transpose()
    }

    /// Refuses wishes that would otherwise be dropped without a word.
    pub(super) fn refuse_options(&self) -> Result<(), Refusal> {
        let Some(key) = self.network_options.options.keys().next() else { return Ok(()) };
        let key: String = key.chars().take(80).collect();
        Err(Refusal(format!("a container's connection to an ipvland network has no option `{key}`; leave it out")))
    }

    pub(super) fn publishes(&self) -> bool {
        !self.port_mappings.is_empty()
    }
}

/// What `teardown` needs of what `setup` reads.
#[derive(Debug, Deserialize)]
pub(super) struct Teardown {
    container_id: String,
    network: OfNetwork,
    network_options: OfInterface,
}

#[derive(Debug, Deserialize)]
struct OfNetwork {
    id: String,
}

#[derive(Debug, Deserialize)]
struct OfInterface {
    interface_name: String,
}

impl Teardown {
    pub(super) fn endpoint(&self) -> Result<EndpointId, Refusal> {
        let network = parse("field id of the network", &self.network.id)?;
        let interface = parse("field interface_name", &self.network_options.interface_name)?;
        endpoint(&network, &self.container_id, &interface)
    }
}

/// A container is connected to a network once under each name.
fn endpoint(network: &NetworkId, container: &str, interface: &InterfaceName) -> Result<EndpointId, Refusal> {
    if container.is_empty() {
        return Err(no_request("without a container_id"));
    }
    Ok(EndpointId::of(Frontend::Netavark, &[network.as_str(), container, interface.as_str()]))
}
