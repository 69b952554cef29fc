//! What was attached and detached, for people.

use super::{Attached, Detached};
use crate::cli::table::{or_dash, shown, table};

pub(super) fn attached(attached: &Attached) -> String {
    let Attached { name, connected, .. } = attached;
    let link = connected.link.as_ref();
    let mut table = table(["NETWORK", "NAME", "INTERFACE", "ADDRESSES", "MAC", "MTU", "WHERE"]);
    table.add_row([
        connected.network.id.short().to_owned(),
        or_dash(name.as_ref()),
        or_dash(link.map(|link| &link.name)),
        connected.addresses.to_string(),
        or_dash(link.and_then(|link| link.mac)),
        or_dash(link.map(|link| link.mtu)),
        connected.sandbox.to_string(),
    ]);
    let routes = link.iter().flat_map(|link| &link.routes).map(|route| format!("route {route}\n"));
    shown(&table) + &routes.collect::<String>()
}

pub(super) fn detached(network: &str, detached: &[Detached]) -> String {
    if detached.is_empty() {
        return format!("it is not on network {network}\n");
    }
    let line = |it: &Detached| {
        let sandbox = it.endpoint.sandbox.as_ref().map(ToString::to_string);
        let what = it.name.as_ref().map(ToString::to_string).or(sandbox);
        let what = what.unwrap_or_else(|| it.endpoint.id.short().to_owned());
        match it.endpoint.addresses.iter().count() {
            0 => format!("{what} is off network {network}\n"),
            _ => format!("{what} is off network {network}, free again: {}\n", it.endpoint.addresses),
        }
    };
    detached.iter().map(line).collect()
}
