//! The JSON of the plugin protocol. Nothing of it is seen beyond `driver`.
//!
//! Read in moby, `daemon/libnetwork/drivers/remote/api/api.go`. Engines add fields from version to version, so unknown
//! ones are left alone; what must be there and is not is an error and never a default, because a request that is
//! repeated after a death midway can arrive without its body.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::{Addresses, EndpointId, Ipam, NetworkId, Route, Routes, SandboxKey, Subnet};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;

mod ipam;
#[cfg(test)]
mod tests;

pub(crate) use ipam::{ADDRESS_SPACE, Asked, OfPool, ReleaseAddress, RequestAddress, RequestPool};

/// Options of a call, of any type.
pub(crate) type Options = Map<String, Value>;

/// Reads a request.
///
/// # Errors
/// A sentence that names the call and the place in the body.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    const REMEDY: &str = "nothing was changed; this is between the engine and ipvland: try again, then report it";
    if body.is_empty() {
        return Err(Refusal::bad(format!("the request has an empty body; {REMEDY}")));
    }
    // Objects only: serde would also fill a struct from an array, field by field.
    let request: Options = serde_json::from_slice(body)
        .map_err(|e| Refusal::bad(format!("the request is no JSON object: {e}; {REMEDY}")))?;
    serde_json::from_value(Value::Object(request))
        .map_err(|e| Refusal::bad(format!("the request is not what this call takes: {e}; {REMEDY}")))
}

/// Reads an id, a path or the like, whose errors name the value.
fn parse<T>(field: &str, text: &str) -> Result<T, Refusal>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| Refusal::bad(format!("field {field} of the request: {error}")))
}

/// Reads an address or a range, whose errors name neither the value nor what it should be.
fn parse_net<T: FromStr>(field: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(80).collect();
        Refusal::bad(format!("field {field} of the request: `{text}` was given and ADDRESS/LENGTH was expected"))
    })
}

/// A field that must be there and may be null, as Go writes an empty map.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// `NetworkDriver.GwAllocCheck`, from Docker 28 on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GwAllocCheck {
    /// As of the network that is about to be created.
    #[serde(deserialize_with = "nullable")]
    pub(crate) options: Options,
}

/// `NetworkDriver.CreateNetwork`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateNetwork {
    #[serde(rename = "NetworkID")]
    network_id: String,
    /// Under `com.docker.network.generic` what the user gave with `-o`.
    #[serde(deserialize_with = "nullable")]
    pub(crate) options: Options,
    #[serde(rename = "IPv4Data", default, deserialize_with = "nullable")]
    ipv4: Vec<IpamData>,
    #[serde(rename = "IPv6Data", default, deserialize_with = "nullable")]
    ipv6: Vec<IpamData>,
}

/// A subnet as the engine's address management has it. Go leaves out a pool and a gateway that are not there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpamData {
    /// Ours where the ledger deals the addresses.
    #[serde(default, deserialize_with = "nullable")]
    address_space: String,
    /// By names of the user's, each with the length of the pool's prefix behind it.
    #[serde(default, deserialize_with = "nullable")]
    aux_addresses: BTreeMap<String, String>,
    #[serde(default)]
    pool: Option<String>,
    /// With the length of the pool's prefix behind it.
    #[serde(default)]
    gateway: Option<String>,
}

impl CreateNetwork {
    pub(crate) fn network(&self) -> Result<NetworkId, Refusal> {
        parse("NetworkID", &self.network_id)
    }

    /// Whether the engine names a pool of each family. The null IPAM driver's `0.0.0.0/0` counts: it says openly that
    /// there are to be no addresses.
    pub(crate) fn families(&self) -> Families {
        Families { v4: !self.ipv4.is_empty(), v6: !self.ipv6.is_empty() }
    }

    /// The subnets of both families.
    pub(crate) fn subnets(&self) -> Result<Vec<Subnet>, Refusal> {
        let v4 = self.ipv4.iter().map(|data| data.subnet("IPv4Data", IpAddr::is_ipv4));
        let v6 = self.ipv6.iter().map(|data| data.subnet("IPv6Data", IpAddr::is_ipv6));
        v4.chain(v6).filter_map(Result::transpose).collect()
    }

    /// The addresses that its containers do not get.
    pub(crate) fn auxiliary(&self) -> Result<Vec<IpAddr>, Refusal> {
        let texts = self.ipv4.iter().chain(&self.ipv6).flat_map(|data| data.aux_addresses.values());
        let addresses = texts.map(|text| Ok(parse_net::<IpNet>("AuxAddresses", text)?.addr()));
        let addresses: BTreeSet<IpAddr> = addresses.collect::<Result<_, Refusal>>()?;
        Ok(addresses.into_iter().collect())
    }

    /// Who deals its addresses.
    pub(crate) fn ipam(&self) -> Ipam {
        let ours = self.ipv4.iter().chain(&self.ipv6).any(|data| data.address_space == ADDRESS_SPACE);
        if ours { Ipam::Ledger } else { Ipam::Engine }
    }
}

/// Which of the two families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Families {
    pub(crate) v4: bool,
    pub(crate) v6: bool,
}

impl IpamData {
    fn subnet(&self, field: &str, of_family: fn(&IpAddr) -> bool) -> Result<Option<Subnet>, Refusal> {
        let Some(pool) = self.pool.as_deref() else { return Ok(None) };
        let net: IpNet = parse_net(field, pool)?;
        if !of_family(&net.addr()) {
            return Err(Refusal::bad(format!("field {field} of the request: `{pool}` is of the other family")));
        }
        if net.prefix_len() == 0 && net.addr().is_unspecified() {
            return Ok(None);
        }
        let gateway = match self.gateway.as_deref().filter(|text| !text.is_empty()) {
            // Always with a prefix in Docker's own words, without one in those of other address managements.
            Some(text) if text.contains('/') => Some(parse_net::<IpNet>(field, text)?.addr()),
            Some(text) => Some(parse_net(field, text)?),
            None => None,
        };
        let subnet = Subnet::new(net, gateway);
        subnet.map(Some).map_err(|error| Refusal::bad(format!("field {field} of the request: {error}")))
    }
}

/// `NetworkDriver.DeleteNetwork`, `AllocateNetwork` and `FreeNetwork`.
#[derive(Debug, Deserialize)]
pub(crate) struct OfNetwork {
    #[serde(rename = "NetworkID")]
    network_id: String,
}

impl OfNetwork {
    pub(crate) fn network(&self) -> Result<NetworkId, Refusal> {
        parse("NetworkID", &self.network_id)
    }
}

/// `NetworkDriver.Leave`, `DeleteEndpoint`, `EndpointOperInfo`, `ProgramExternalConnectivity` and its counterpart.
#[derive(Debug, Deserialize)]
pub(crate) struct OfEndpoint {
    #[serde(rename = "NetworkID")]
    network_id: String,
    #[serde(rename = "EndpointID")]
    endpoint_id: String,
}

impl OfEndpoint {
    pub(crate) fn network(&self) -> Result<NetworkId, Refusal> {
        parse("NetworkID", &self.network_id)
    }

    pub(crate) fn endpoint(&self) -> Result<EndpointId, Refusal> {
        parse("EndpointID", &self.endpoint_id)
    }
}

/// `NetworkDriver.CreateEndpoint`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateEndpoint {
    #[serde(flatten)]
    pub(crate) ids: OfEndpoint,
    interface: Interface,
    /// The user's `--driver-opt` beside the engine's own.
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) options: Options,
}

/// What the engine has decided about the interface; empty where it has not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Interface {
    #[serde(default, deserialize_with = "nullable")]
    address: String,
    #[serde(rename = "AddressIPv6", default, deserialize_with = "nullable")]
    address_ipv6: String,
    #[serde(default, deserialize_with = "nullable")]
    mac_address: String,
}

impl CreateEndpoint {
    pub(crate) fn addresses(&self) -> Result<Addresses, Refusal> {
        let Interface { address, address_ipv6, .. } = &self.interface;
        let v4 = Some(address).filter(|text| !text.is_empty()).map(|text| parse_net::<Ipv4Net>("Address", text));
        let v6 =
            Some(address_ipv6).filter(|text| !text.is_empty()).map(|text| parse_net::<Ipv6Net>("AddressIPv6", text));
        Ok(v4.transpose()?.map(IpNet::V4).into_iter().chain(v6.transpose()?.map(IpNet::V6)).collect())
    }

    /// The hardware address that is asked for.
    pub(crate) fn mac(&self) -> Option<&str> {
        Some(self.interface.mac_address.as_str()).filter(|text| !text.is_empty())
    }
}

/// `NetworkDriver.Join`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Join {
    #[serde(flatten)]
    pub(crate) ids: OfEndpoint,
    sandbox_key: String,
}

impl Join {
    pub(crate) fn sandbox(&self) -> Result<SandboxKey, Refusal> {
        parse("SandboxKey", &self.sandbox_key)
    }
}

/// `NetworkDriver.DiscoverNew` and `DiscoverDelete`.
#[derive(Debug, Deserialize)]
pub(crate) struct Discovery {
    #[serde(rename = "DiscoveryType")]
    _kind: i64,
}

/// The answer to `NetworkDriver.Join`.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Joined {
    /// Null for a link that is in the sandbox already.
    interface_name: Option<InterfaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(rename = "GatewayIPv6", skip_serializing_if = "Option::is_none")]
    gateway_ipv6: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    static_routes: Vec<StaticRoute>,
    /// Without it the engine adds an interface on its own bridge to whatever has no gateway.
    disable_gateway_service: bool,
}

/// The engine moves the link `SrcName` and calls it `DstPrefix` and a number; `DstName` it ignores before 29.8.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
struct InterfaceName {
    src_name: String,
    dst_name: &'static str,
    dst_prefix: &'static str,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
struct StaticRoute {
    destination: &'static str,
    route_type: u8,
}

/// The destination is reached from the interface itself, without a next hop.
const CONNECTED: u8 = 1;

impl Joined {
    pub(crate) fn new(link: Option<&model::InterfaceName>, routes: &Routes) -> Self {
        let interface_name =
            link.map(|link| InterfaceName { src_name: link.to_string(), dst_name: "", dst_prefix: "eth" });
        let mut joined = Self { interface_name, disable_gateway_service: true, ..Self::default() };
        match routes.v4 {
            Route::None => {}
            Route::Gateway(router) => joined.gateway = Some(router.to_string()),
            Route::Interface => joined.connect("0.0.0.0/0"),
        }
        match routes.v6 {
            Route::None => {}
            Route::Gateway(router) => joined.gateway_ipv6 = Some(router.to_string()),
            Route::Interface => joined.connect("::/0"),
        }
        joined
    }

    fn connect(&mut self, destination: &'static str) {
        self.static_routes.push(StaticRoute { destination, route_type: CONNECTED });
    }
}
