//! Reports on addresses for people.

use std::net::IpAddr;
use std::time::SystemTime;

use engine::{Addresses, WhoHas};
use model::{EndpointName, Fill, Frontend, Hold, Holding, NetworkId};

use crate::cli::names::Names;
use crate::cli::table::{or_dash, section, shown, table};

pub(super) fn addresses(addresses: &Addresses, names: &Names) -> String {
    let mut held = table(["ADDRESS", "SEGMENT", "WHO", "NAME", "FRONTEND", "NETWORK", "SINCE"]);
    for holding in &addresses.holdings {
        held.add_row([
            holding.address.to_string(),
            holding.segment.to_string(),
            who(&holding.hold),
            or_dash(container(holding, names)),
            or_dash(frontend(&holding.hold)),
            or_dash(network(&holding.hold).map(|id| names.network_or_id(id))),
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

fn who(hold: &Hold) -> String {
    match hold {
        Hold::Endpoint { endpoint, .. } => format!("endpoint {}", endpoint.short()),
        Hold::Claim => "to come".to_owned(),
        Hold::Gateway(_) => "gateway".to_owned(),
        Hold::Auxiliary(_) => "auxiliary".to_owned(),
        Hold::Pinned(name) => format!("reserved for {name}"),
        Hold::Adopted(holder) => holder.clone(),
        Hold::Foreign { mac, until } => format!("{mac} on the wire, until {}", time(*until)),
    }
}

/// The network that an address is on.
fn network(hold: &Hold) -> Option<&NetworkId> {
    match hold {
        Hold::Endpoint { network, .. } | Hold::Auxiliary(network) => Some(network),
        Hold::Gateway(network) => network.as_ref(),
        Hold::Claim | Hold::Pinned(_) | Hold::Adopted(_) | Hold::Foreign { .. } => None,
    }
}

/// Who made the endpoint that has it.
fn frontend(hold: &Hold) -> Option<Frontend> {
    if let Hold::Endpoint { frontend, .. } = hold { Some(*frontend) } else { None }
}

/// What the container is called that has it, or is to have it.
fn container<'a>(holding: &'a Holding, names: &'a Names) -> Option<&'a str> {
    let told = if let Hold::Endpoint { endpoint, .. } = &holding.hold { names.container(endpoint) } else { None };
    told.or(holding.name.as_ref().map(EndpointName::as_str))
}

pub(super) fn who_has(address: IpAddr, who: &WhoHas, names: &Names) -> String {
    let mut lines: Vec<String> = who.holdings.iter().map(|holding| holds(address, holding, names)).collect();
    lines.extend(who.host.iter().map(|link| format!("{address} is this host's own, on {link}\n")));
    lines.extend(who.wire.iter().map(|mac| format!("{address} is in use on the wire, by {mac}\n")));
    if lines.is_empty() { format!("nobody has {address}\n") } else { lines.concat() }
}

fn holds(address: IpAddr, holding: &Holding, names: &Names) -> String {
    let called = network(&holding.hold).and_then(|id| names.network(id).filter(|name| *name != id.short()));
    let called = called.map(|name| format!(" ({name})")).unwrap_or_default();
    let container = container(holding, names).map(|name| format!(", container {name}")).unwrap_or_default();
    let frontend = match frontend(&holding.hold) {
        Some(Frontend::Docker) => ", for Docker",
        Some(Frontend::Cni) => ", for CNI",
        Some(Frontend::Netavark) => ", for Podman",
        Some(Frontend::Shell) => ", by hand",
        None => "",
    };
    let since = holding.since.map(|since| format!(", since {}", time(since))).unwrap_or_default();
    format!("{address} in segment {} is {}{called}{container}{frontend}{since}\n", holding.segment, holding.hold)
}

/// In UTC, to the second.
pub(super) fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
