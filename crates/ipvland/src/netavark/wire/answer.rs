//! What the verbs answer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine::{Connected, ConnectedLink};
use ipnet::IpNet;
use serde::Serialize;

use crate::netavark::refusal::Refusal;

/// What `setup` answers.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Status {
    dns_search_domains: [String; 0],
    dns_server_ips: Vec<IpAddr>,
    interfaces: BTreeMap<String, Interface>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Interface {
    mac_address: String,
    subnets: Vec<Address>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Address {
    /// The address, with the length of the subnet's prefix.
    ipnet: String,
    /// The router of the subnet, where the container has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
}

impl Status {
    pub(crate) fn of(connected: &Connected, dns_servers: Vec<IpAddr>) -> Self {
        let gateway = |address: IpNet| {
            let holding = connected.network.subnets.iter().filter(|subnet| subnet.pool().contains(&address.addr()));
            holding.max_by_key(|subnet| subnet.pool().prefix_len())?.gateway()
        };
        let subnets = || {
            connected
                .addresses
                .iter()
                .map(|ipnet| Address { ipnet: ipnet.to_string(), gateway: gateway(ipnet) })
                .collect()
        };
        let interface = |link: &ConnectedLink| {
            let mac_address = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
            (link.name.to_string(), Interface { mac_address, subnets: subnets() })
        };
        let interfaces = connected.link.iter().map(interface).collect();
        Self { dns_search_domains: [], dns_server_ips: dns_servers, interfaces }
    }
}

/// What `info` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    version: &'static str,
    api_version: &'static str,
}

impl Info {
    pub(crate) const OURS: Self = Self { version: env!("CARGO_PKG_VERSION"), api_version: "1.0.0" };
}

/// What every verb answers that is not done.
#[derive(Debug, Serialize)]
pub(crate) struct Failure<'r> {
    error: &'r str,
}

impl<'r> Failure<'r> {
    pub(crate) fn of(refusal: &'r Refusal) -> Self {
        Self { error: &refusal.0 }
    }
}
