//! The plugin protocol's JSON, turned into the model's types at once.
//!
//! Fields that an engine always sends are required: a body that lacks one is an error, never a default. The names are
//! those of `libnetwork/drivers/remote/api` in moby.

use std::collections::HashMap;
use std::net::IpAddr;

use engine::{Attachment, EndpointRequest, NetworkRequest};
use ipnet::IpNet;
use model::{Addresses, DriverOptions, EndpointId, Mode, NetworkId, Route, SandboxKey, Subnet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Options of the user's, under the key of the engine's.
const GENERIC: &str = "com.docker.network.generic";
const INTERNAL: &str = "com.docker.network.internal";
const ENABLE_V4: &str = "com.docker.network.enable_ipv4";
const ENABLE_V6: &str = "com.docker.network.enable_ipv6";
const PORT_MAP: &str = "com.docker.network.portmap";

type Options = Option<Map<String, Value>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GwAllocCheck {
    options: Options,
}

#[derive(Serialize)]
pub(super) struct SkipGateways {
    #[serde(rename = "SkipIPv4")]
    v4: bool,
    #[serde(rename = "SkipIPv6")]
    v6: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateNetwork {
    #[serde(rename = "NetworkID")]
    network: String,
    options: Options,
    #[serde(rename = "IPv4Data")]
    v4: Option<Vec<IpamData>>,
    #[serde(rename = "IPv6Data")]
    v6: Option<Vec<IpamData>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpamData {
    pool: String,
    gateway: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Network {
    #[serde(rename = "NetworkID")]
    network: String,
}

#[derive(Deserialize)]
pub(super) struct Endpoint {
    #[serde(rename = "NetworkID")]
    network: String,
    #[serde(rename = "EndpointID")]
    endpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateEndpoint {
    #[serde(rename = "NetworkID")]
    network: String,
    #[serde(rename = "EndpointID")]
    endpoint: String,
    interface: Option<Interface>,
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Interface {
    address: String,
    #[serde(rename = "AddressIPv6")]
    address_v6: String,
    mac_address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Join {
    #[serde(rename = "NetworkID")]
    network: String,
    #[serde(rename = "EndpointID")]
    endpoint: String,
    sandbox_key: String,
}

/// The answer to Join. `DstName` is for engines that honour it; the others name the link DstPrefix and a number.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Joined {
    interface_name: InterfaceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(rename = "GatewayIPv6", skip_serializing_if = "Option::is_none")]
    gateway_v6: Option<IpAddr>,
    static_routes: Vec<StaticRoute>,
    disable_gateway_service: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InterfaceName {
    src_name: String,
    dst_name: &'static str,
    dst_prefix: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StaticRoute {
    destination: &'static str,
    /// 1: connected, that is out of the interface.
    route_type: u8,
    next_hop: &'static str,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn flag(options: &Map<String, Value>, key: &str) -> Result<Option<bool>, String> {
    match options.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::String(value)) if value == "true" => Ok(Some(true)),
        Some(Value::String(value)) if value == "false" || value.is_empty() => Ok(Some(false)),
        Some(other) => Err(format!("option `{key}`: `{other}` was given and true or false was expected")),
    }
}

fn driver_options(options: &Map<String, Value>) -> Result<DriverOptions, String> {
    let none = Map::new();
    let generic = match options.get(GENERIC) {
        None | Some(Value::Null) => &none,
        Some(Value::Object(generic)) => generic,
        Some(_) => return Err(format!("`{GENERIC}` is no object of options")),
    };
    let mut pairs: HashMap<&str, &str> = HashMap::new();
    for (key, value) in generic {
        let value =
            value.as_str().ok_or_else(|| format!("option `{key}`: `{value}` was given and a text was expected"))?;
        pairs.insert(key, value);
    }
    let mut pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    DriverOptions::parse(pairs).map_err(|error| format!("{error}; {}", error.hint()))
}

impl GwAllocCheck {
    /// A gateway is used in l2 on a parent only; elsewhere its address would be wasted.
    pub(super) fn parse(self) -> Result<SkipGateways, String> {
        let options = self.options.unwrap_or_default();
        let driver = driver_options(&options)?;
        let internal = flag(&options, INTERNAL)?.unwrap_or(false);
        let skip = internal || driver.parent.is_none() || driver.settings.mode != Mode::L2;
        Ok(SkipGateways { v4: skip, v6: skip })
    }
}

impl CreateNetwork {
    pub(super) fn parse(self) -> Result<NetworkRequest, String> {
        let id: NetworkId = self.network.parse().map_err(text)?;
        let options = self.options.unwrap_or_default();
        let mut subnets = parse_pools(self.v4.unwrap_or_default(), true)?;
        let v6 = parse_pools(self.v6.unwrap_or_default(), false)?;
        for (key, there) in [(ENABLE_V4, !subnets.is_empty()), (ENABLE_V6, !v6.is_empty())] {
            // The engine's null IPAM enables IPv4 and gives it the pool 0.0.0.0/0, which is none.
            if key == ENABLE_V6 && flag(&options, key)? == Some(true) && !there {
                return Err("IPv6 is enabled and there is no IPv6 subnet; pass one with --subnet".into());
            }
            flag(&options, key)?;
        }
        subnets.extend(v6);
        Ok(NetworkRequest {
            id,
            options: driver_options(&options)?,
            internal: flag(&options, INTERNAL)?.unwrap_or(false),
            subnets,
        })
    }
}

fn parse_pools(data: Vec<IpamData>, v4: bool) -> Result<Vec<Subnet>, String> {
    let mut subnets = Vec::new();
    for IpamData { pool, gateway } in data {
        let pool: IpNet = pool.parse().map_err(|_| format!("`{pool}` is no subnet; ADDRESS/LENGTH was expected"))?;
        if pool.addr().is_ipv4() != v4 {
            return Err(format!("subnet {pool} is of the other family"));
        }
        if pool.prefix_len() == 0 {
            continue;
        }
        let gateway =
            gateway.filter(|gateway| !gateway.is_empty()).map(|gateway| parse_gateway(&gateway)).transpose()?;
        subnets.push(Subnet::new(pool, gateway).map_err(text)?);
    }
    Ok(subnets)
}

/// Engines write gateways with the length of the prefix.
fn parse_gateway(gateway: &str) -> Result<IpAddr, String> {
    let net = gateway.parse::<IpNet>().map(|net| net.addr());
    net.or_else(|_| gateway.parse()).map_err(|_| format!("`{gateway}` is no gateway; an address was expected"))
}

impl Network {
    pub(super) fn parse(self) -> Result<NetworkId, String> {
        self.network.parse().map_err(text)
    }
}

impl Endpoint {
    pub(super) fn parse(self) -> Result<EndpointId, String> {
        self.network.parse::<NetworkId>().map_err(text)?;
        self.endpoint.parse().map_err(text)
    }
}

impl CreateEndpoint {
    /// Whether ports were published, which means nothing here.
    pub(super) fn publishes(&self) -> bool {
        let map = self.options.as_ref().and_then(|options| options.get(PORT_MAP));
        map.and_then(Value::as_array).is_some_and(|ports| !ports.is_empty())
    }

    pub(super) fn parse(self) -> Result<EndpointRequest, String> {
        let interface = self.interface.unwrap_or_default();
        if !interface.mac_address.is_empty() {
            return Err(format!(
                "MAC address {} was asked for, and an ipvlan container has the MAC address of its parent; leave it out",
                interface.mac_address
            ));
        }
        Ok(EndpointRequest {
            id: self.endpoint.parse().map_err(text)?,
            network: self.network.parse().map_err(text)?,
            addresses: Addresses { v4: address(&interface.address)?, v6: address(&interface.address_v6)? },
        })
    }
}

fn address<T: std::str::FromStr>(given: &str) -> Result<Option<T>, String> {
    if given.is_empty() {
        return Ok(None);
    }
    given.parse().map(Some).map_err(|_| format!("`{given}` is no address of that family; ADDRESS/LENGTH was expected"))
}

impl Join {
    pub(super) fn parse(self) -> Result<(EndpointId, SandboxKey), String> {
        self.network.parse::<NetworkId>().map_err(text)?;
        Ok((self.endpoint.parse().map_err(text)?, self.sandbox_key.parse().map_err(text)?))
    }
}

impl From<Attachment> for Joined {
    fn from(attachment: Attachment) -> Self {
        let connected = |destination| StaticRoute { destination, route_type: 1, next_hop: "" };
        let mut joined = Self {
            interface_name: InterfaceName { src_name: attachment.link.to_string(), dst_name: "", dst_prefix: "eth" },
            gateway: None,
            gateway_v6: None,
            static_routes: Vec::new(),
            // Else the engine adds an interface of its own for the way out.
            disable_gateway_service: true,
        };
        match attachment.routes.v4 {
            Route::None => {}
            Route::Gateway(gateway) => joined.gateway = Some(gateway.into()),
            Route::Interface => joined.static_routes.push(connected("0.0.0.0/0")),
        }
        match attachment.routes.v6 {
            Route::None => {}
            Route::Gateway(gateway) => joined.gateway_v6 = Some(gateway.into()),
            Route::Interface => joined.static_routes.push(connected("::/0")),
        }
        joined
    }
}
