//! The JSON of the calls on addresses.
//!
//! Read in moby, `daemon/libnetwork/ipams/remote/api/api.go`.

use std::net::IpAddr;

use engine::PoolRequest;
use ipnet::IpNet;
use model::{EndpointName, Family, IpamOptions, Pool};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{nullable, parse, parse_net};
use crate::docker::refusal::Refusal;

/// What the engine calls the addresses that the ledger deals, once it was told.
pub(crate) const ADDRESS_SPACE: &str = "ipvland";

/// What an address is for: a router, where it says so.
const TYPE: &str = "RequestAddressType";
const GATEWAY: &str = "com.docker.network.gateway";
/// What the container is called, from Docker 29 on.
const NAME: &str = "com.docker.network.endpoint.name";

/// `IpamDriver.RequestPool`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RequestPool {
    /// The subnet; empty where the user named none.
    #[serde(deserialize_with = "nullable")]
    pool: String,
    /// The part of it that is dealt from.
    #[serde(default, deserialize_with = "nullable")]
    sub_pool: String,
    /// What the user gave with `--ipam-opt`.
    #[serde(default, deserialize_with = "nullable")]
    options: Map<String, Value>,
    #[serde(rename = "V6", default)]
    v6: bool,
}

impl RequestPool {
    pub(crate) fn pool(&self) -> Result<PoolRequest, Refusal> {
        let net = |field, text: &str| match text {
            "" => Ok(None),
            text => parse_net::<IpNet>(field, text).map(Some),
        };
        let pairs = self.options.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()));
        let options = IpamOptions::parse(pairs).map_err(|error| Refusal::bad(format!("{error}; {}", error.hint())))?;
        let subnet = net("Pool", &self.pool)?;
        let family = subnet.map(|net| Family::of(net.addr()));
        Ok(PoolRequest {
            family: family.unwrap_or(if self.v6 { Family::V6 } else { Family::V4 }),
            subnet,
            range: net("SubPool", &self.sub_pool)?,
            options,
        })
    }
}

/// `IpamDriver.ReleasePool`.
#[derive(Debug, Deserialize)]
pub(crate) struct OfPool {
    #[serde(rename = "PoolID")]
    pool_id: String,
}

impl OfPool {
    pub(crate) fn pool(&self) -> Result<Pool, Refusal> {
        parse("PoolID", &self.pool_id)
    }
}

/// `IpamDriver.RequestAddress`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RequestAddress {
    #[serde(flatten)]
    of: OfPool,
    /// Empty where any will do.
    #[serde(default, deserialize_with = "nullable")]
    address: String,
    #[serde(default, deserialize_with = "nullable")]
    options: Map<String, Value>,
}

/// Who asks for an address.
pub(crate) enum Asked {
    /// A network, for its router.
    Gateway,
    /// An endpoint, under its name where the engine tells that; a network asks for auxiliary addresses in the same words.
    Endpoint(Option<EndpointName>),
}

impl RequestAddress {
    pub(crate) fn pool(&self) -> Result<Pool, Refusal> {
        self.of.pool()
    }

    pub(crate) fn address(&self) -> Result<Option<IpAddr>, Refusal> {
        let text = Some(self.address.as_str()).filter(|text| !text.is_empty());
        text.map(parse_address).transpose()
    }

    pub(crate) fn asked(&self) -> Asked {
        let option = |key: &str| self.options.get(key).and_then(Value::as_str);
        match option(TYPE) {
            Some(GATEWAY) => Asked::Gateway,
            // A name that is none makes its bearer nameless, and is no reason to keep a container from starting.
            _ => Asked::Endpoint(option(NAME).and_then(|name| name.parse().ok())),
        }
    }
}

/// `IpamDriver.ReleaseAddress`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReleaseAddress {
    #[serde(flatten)]
    of: OfPool,
    address: String,
}

impl ReleaseAddress {
    pub(crate) fn pool(&self) -> Result<Pool, Refusal> {
        self.of.pool()
    }

    pub(crate) fn address(&self) -> Result<IpAddr, Refusal> {
        parse_address(&self.address)
    }
}

fn parse_address(text: &str) -> Result<IpAddr, Refusal> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(80).collect();
        Refusal::bad(format!("field Address of the request: `{text}` was given and an address was expected"))
    })
}
