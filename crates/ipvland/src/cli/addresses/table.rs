//! Reports on addresses for people.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use engine::{Addresses, WhoHas};
use model::{EndpointId, Fill, Frontend, Hold, Holding};

use crate::cli::table::{or_dash, section, shown, table};

pub(super) fn addresses(addresses: &Addresses) -> String {
    let mut held = table(["ADDRESS", "SEGMENT", "WHO", "NETWORK", "NAME", "SINCE"]);
    for holding in &addresses.holdings {
        let (who, network) = columns(&holding.hold);
        held.add_row([
            holding.address.to_string(),
            holding.segment.to_string(),
            who,
            or_dash(network),
            or_dash(holding.name.as_ref()),
            or_dash(holding.since.map(time)),
        ]);
    }
    shown(&held) + &section("Pools", &pools(&addresses.pools))
}

fn pools(pools: &[Fill]) -> String {
    let mut table = table(["RANGE", "SUBNET", "SEGMENT", "ADDRESSES", "TAKEN", "FREE", "RESTING"]);
    for Fill { pool, taken, resting } in pools {
        table.add_row([
            pool.range().to_string(),
            pool.subnet().to_string(),
            pool.segment().to_string(),
            pool.size().to_string(),
            taken.to_string(),
            pool.size().saturating_sub(u128::from(*taken)).to_string(),
            resting.to_string(),
        ]);
    }
    shown(&table)
}

/// Who, and on which network.
fn columns(hold: &Hold) -> (String, Option<&str>) {
    match hold {
        Hold::Endpoint { endpoint, network, .. } => (format!("endpoint {}", endpoint.short()), Some(network.short())),
        Hold::Claim => ("to come".to_owned(), None),
        Hold::Gateway(network) => ("gateway".to_owned(), network.as_ref().map(model::NetworkId::short)),
        Hold::Auxiliary(network) => ("auxiliary".to_owned(), Some(network.short())),
        Hold::Pinned(name) => (format!("reserved for {name}"), None),
        Hold::Adopted(holder) => (holder.clone(), None),
        Hold::Foreign { mac, until } => (format!("{mac} on the wire, until {}", time(*until)), None),
    }
}

pub(super) fn who_has(address: IpAddr, who: &WhoHas, containers: &BTreeMap<EndpointId, String>) -> String {
    let mut lines: Vec<String> = who.holdings.iter().map(|holding| holds(address, holding, containers)).collect();
    lines.extend(who.host.iter().map(|link| format!("{address} is this host's own, on {link}\n")));
    lines.extend(who.wire.iter().map(|mac| format!("{address} is in use on the wire, by {mac}\n")));
    if lines.is_empty() { format!("nobody has {address}\n") } else { lines.concat() }
}

fn holds(address: IpAddr, holding: &Holding, containers: &BTreeMap<EndpointId, String>) -> String {
    let container = match &holding.hold {
        Hold::Endpoint { endpoint, .. } => {
            let called = containers.get(endpoint).map(String::as_str);
            called.or(holding.name.as_ref().map(model::EndpointName::as_str))
        }
        _ => None,
    };
    let container = container.map(|name| format!(", container {name}")).unwrap_or_default();
    let frontend = match holding.hold {
        Hold::Endpoint { frontend: Frontend::Docker, .. } => ", for Docker",
        Hold::Endpoint { frontend: Frontend::Cni, .. } => ", for CNI",
        Hold::Endpoint { frontend: Frontend::Netavark, .. } => ", for Podman",
        Hold::Endpoint { frontend: Frontend::Shell, .. } => ", by hand",
        _ => "",
    };
    let since = holding.since.map(|since| format!(", since {}", time(since))).unwrap_or_default();
    format!("{address} in segment {} is {}{container}{frontend}{since}\n", holding.segment, holding.hold)
}

/// In UTC, to the second.
pub(super) fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
