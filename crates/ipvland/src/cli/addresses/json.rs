//! Reports on addresses for machines. Keys are stable; new ones may come.

use std::net::IpAddr;

use model::{Fill, Hold, Holding};
use serde::Serialize;

use super::table::time;
use crate::cli::names::Names;

/// `ipvland addresses`.
#[derive(Serialize)]
pub(super) struct Addresses {
    addresses: Vec<Held>,
    pools: Vec<Pool>,
}

/// `ipvland who-has`.
#[derive(Serialize)]
pub(super) struct WhoHas {
    address: IpAddr,
    /// What the ledger says.
    held: Vec<Held>,
    /// The host's own link that has it.
    host: Option<String>,
    /// The MAC of who has answered on the wire; null where nobody did, or was not asked.
    wire: Option<String>,
}

#[derive(Serialize)]
struct Held {
    address: IpAddr,
    segment: String,
    /// `endpoint`, `claim`, `gateway`, `auxiliary`, `reserved`, `adopted` or `foreign`.
    kind: &'static str,
    endpoint: Option<String>,
    network: Option<String>,
    /// What the container is called, or whom it is reserved for.
    name: Option<String>,
    /// Of an endpoint: who made it.
    frontend: Option<&'static str>,
    /// Somebody else on this host, in words.
    holder: Option<String>,
    /// Somebody on the wire.
    mac: Option<String>,
    /// UTC, RFC 3339.
    since: Option<String>,
    until: Option<String>,
}

#[derive(Serialize)]
struct Pool {
    id: String,
    segment: String,
    subnet: String,
    range: String,
    /// Numbers of an IPv6 range are more than JSON's readers keep, so these are texts.
    addresses: String,
    free: String,
    taken: u64,
    resting: u64,
}

impl Addresses {
    pub(super) fn of(addresses: &engine::Addresses, names: &Names) -> Self {
        Self {
            addresses: addresses.holdings.iter().map(|holding| Held::of(holding, names)).collect(),
            pools: addresses.pools.iter().map(Pool::of).collect(),
        }
    }
}

impl WhoHas {
    pub(super) fn of(address: IpAddr, who: &engine::WhoHas, names: &Names) -> Self {
        Self {
            address,
            held: who.holdings.iter().map(|holding| Held::of(holding, names)).collect(),
            host: who.host.as_ref().map(ToString::to_string),
            wire: who.wire.map(|mac| mac.to_string()),
        }
    }
}

impl Held {
    fn of(holding: &Holding, names: &Names) -> Self {
        let held = Self {
            address: holding.address,
            segment: holding.segment.to_string(),
            kind: "",
            endpoint: None,
            network: None,
            name: holding.name.as_ref().map(ToString::to_string),
            frontend: None,
            holder: None,
            mac: None,
            since: holding.since.map(time),
            until: None,
        };
        match &holding.hold {
            Hold::Endpoint { endpoint, network, frontend } => Self {
                kind: "endpoint",
                endpoint: Some(endpoint.to_string()),
                network: Some(network.to_string()),
                name: names.container(endpoint).map(str::to_owned).or(held.name),
                frontend: Some(frontend.as_str()),
                ..held
            },
            Hold::Claim => Self { kind: "claim", ..held },
            Hold::Gateway(network) => {
                Self { kind: "gateway", network: network.as_ref().map(ToString::to_string), ..held }
            }
            Hold::Auxiliary(network) => Self { kind: "auxiliary", network: Some(network.to_string()), ..held },
            Hold::Pinned(name) => Self { kind: "reserved", name: Some(name.to_string()), ..held },
            Hold::Adopted(holder) => Self { kind: "adopted", holder: Some(holder.clone()), ..held },
            Hold::Foreign { mac, until } => {
                Self { kind: "foreign", mac: Some(mac.to_string()), until: Some(time(*until)), ..held }
            }
        }
    }
}

impl Pool {
    fn of(fill: &Fill) -> Self {
        let Fill { pool, taken, resting } = fill;
        Self {
            id: pool.to_string(),
            segment: pool.segment().to_string(),
            subnet: pool.subnet().to_string(),
            range: pool.range().to_string(),
            addresses: pool.size().to_string(),
            free: pool.size().saturating_sub(u128::from(*taken)).to_string(),
            taken: *taken,
            resting: *resting,
        }
    }
}
