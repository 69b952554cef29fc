//! The kernel, the ledger and what the engine knows, compared from scratch: by other means than those that are tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::address_audit;
use crate::command::run;
use crate::daemon::{differences, status};
use crate::engine::{Endpoint, Network};
use crate::stage::{Attached, Known};

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is there and nobody owns it.
    Leftover(String),
    /// Two have what only one may have.
    Duplicate(String),
    /// It is owned and is not there.
    Loss(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Leftover(what) => write!(f, "leftover: {what}"),
            Fault::Duplicate(what) => write!(f, "duplicate: {what}"),
            Fault::Loss(what) => write!(f, "loss: {what}"),
        }
    }
}

/// What is left over, there twice or gone. What is in flight may have been done or not; but then the kernel must agree
/// with the record of it.
#[track_caller]
pub(crate) fn audit(known: &Known, in_flight: Option<&str>) -> Vec<Fault> {
    let record = status();
    let left = differences();
    let left =
        list(&left).into_iter().map(|difference| Fault::Leftover(format!("a repair would still do {difference}")));
    let settled = |id: &str| Some(id) != in_flight;
    let recorded =
        |what: &str| -> BTreeSet<String> { ids(&record[what]).into_iter().filter(|id| settled(id)).collect() };
    let known_networks = known.networks.iter().map(|network| network.id.to_owned());
    let known_endpoints = known.endpoints.keys().map(|endpoint| endpoint.id.clone());
    let host = links("ip -d -j link show");
    let (expected, possible) = expected_on_host(known, &record, in_flight);
    let sandboxes: Vec<(&Endpoint, bool, Vec<Value>)> = known
        .endpoints
        .iter()
        .filter(|(endpoint, _)| settled(&endpoint.id))
        .map(|(endpoint, attached)| {
            let links = links(&format!("ip -n {} -d -j address show", endpoint.sandbox()));
            (endpoint, *attached != Attached::No, links)
        })
        .collect();

    let mut faults: Vec<Fault> = left.collect();
    faults.extend(compared(
        "network on record",
        &recorded("networks"),
        &known_networks.filter(|id| settled(id)).collect(),
    ));
    faults.extend(compared(
        "endpoint on record",
        &recorded("endpoints"),
        &known_endpoints.filter(|id| settled(id)).collect(),
    ));
    let there: BTreeSet<String> = ours(&host).difference(&possible).cloned().collect();
    faults.extend(compared("link on the host", &there, &expected));
    faults.extend(sandboxes.iter().flat_map(|(endpoint, attached, links)| sandbox_faults(endpoint, *attached, links)));
    faults.extend(twice(sandboxes.iter().flat_map(|(endpoint, _, links)| {
        let segment = endpoint.network.segment();
        links.iter().flat_map(move |link| claims(link, &segment))
    })));
    faults.extend(address_audit::audit(known, in_flight));
    faults
}

pub(crate) fn compared(what: &str, there: &BTreeSet<String>, owned: &BTreeSet<String>) -> Vec<Fault> {
    let over = there.difference(owned).map(|name| Fault::Leftover(format!("{what}: {name}")));
    let gone = owned.difference(there).map(|name| Fault::Loss(format!("{what}: {name}")));
    over.chain(gone).collect()
}

/// What `ifalias` says of the links that must be on the host, and of those that may be there.
fn expected_on_host(known: &Known, record: &Value, in_flight: Option<&str>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut must, mut may) = (BTreeSet::new(), BTreeSet::new());
    let recorded = |network: &&Network| list(&record["networks"]).iter().any(|there| there["id"] == network.id);
    for network in known.networks.iter().filter(recorded) {
        must.extend(made_parent(network).map(|name| format!("ipvland:parent:{name}")));
    }
    for network in list(&record["networks"]).iter().filter(|network| Some(text(&network["id"]).as_str()) == in_flight) {
        may.insert(format!("ipvland:parent:{}", text(&network["parent"])));
    }
    for endpoint in list(&record["endpoints"]).iter().filter(|endpoint| endpoint["state"] == "attached") {
        let network = list(&record["networks"]).into_iter().find(|network| network["id"] == endpoint["network"]);
        let parent = network.map(|network| text(&network["parent"])).unwrap_or_default();
        must.insert(format!("ipvland:sentinel:{parent}"));
        if Some(text(&endpoint["id"]).as_str()) == in_flight {
            may.insert(format!("ipvland:docker:{}:{}", text(&endpoint["network"]), text(&endpoint["id"])));
        }
    }
    // A link that its engine has moved back and not yet deleted.
    may.extend(
        known
            .endpoints
            .keys()
            .map(|endpoint| format!("ipvland:docker:{}:{}", endpoint.network.id, endpoint.id))
            .filter(|_| in_flight.is_some()),
    );
    may = may.difference(&must).cloned().collect();
    (must, may)
}

fn made_parent(network: &Network) -> Option<String> {
    match network.parent {
        "" => Some(format!("ivd-{}", network.id.chars().take(11).collect::<String>())),
        parent if parent.contains('.') => Some(parent.to_owned()),
        _ => None,
    }
}

fn sandbox_faults(endpoint: &Endpoint, attached: bool, links: &[Value]) -> Vec<Fault> {
    let id = &endpoint.id;
    let is_its = |link: &&Value| attached && text(&link["ifname"]) == endpoint.interface();
    let strange = links.iter().filter(|link| text(&link["ifname"]) != "lo" && !is_its(link));
    let mut faults: Vec<Fault> =
        strange.map(|link| Fault::Leftover(format!("{} in the sandbox of {id}", link["ifname"]))).collect();
    if attached {
        let its = links.iter().find(is_its);
        let faulty = |link: &Value| {
            let marked = text(&link["ifalias"]) == format!("ipvland:docker:{}:{id}", endpoint.network.id);
            let up = list(&link["flags"]).iter().any(|flag| flag == "UP");
            let holds = |info: &Value| {
                format!("{}/{}", text(&info["local"]), info["prefixlen"]) == endpoint.interface_address()
            };
            !(marked && up && list(&link["addr_info"]).iter().any(holds))
        };
        if its.is_none_or(faulty) {
            let found = its.map(Value::to_string).unwrap_or_default();
            faults.push(Fault::Loss(format!(
                "{} of {id}, with {}: {found}",
                endpoint.interface(),
                endpoint.interface_address()
            )));
        }
    }
    faults
}

/// What a link of ours has that no other may have: its mark, and its addresses in its segment.
fn claims(link: &Value, segment: &str) -> Vec<String> {
    let mark = text(&link["ifalias"]);
    if !mark.starts_with("ipvland:") {
        return Vec::new();
    }
    let addresses = list(&link["addr_info"]);
    let addresses = addresses.iter().filter(|info| info["family"] == "inet");
    addresses.map(|info| format!("{} on {segment}", text(&info["local"]))).chain([mark]).collect()
}

fn twice(claims: impl Iterator<Item = String>) -> Vec<Fault> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for claim in claims {
        *counts.entry(claim).or_default() += 1;
    }
    let doubled = counts.into_iter().filter(|(_, count)| *count > 1);
    doubled.map(|(claim, count)| Fault::Duplicate(format!("{claim}, {count} times"))).collect()
}

/// What says that a link is ours: its mark, or the name it was born with.
fn ours(links: &[Value]) -> BTreeSet<String> {
    let sign = |link: &Value| {
        let (alias, name) = (text(&link["ifalias"]), text(&link["ifname"]));
        if alias.starts_with("ipvland:") { Some(alias) } else { Some(name).filter(|name| name.starts_with("ipl")) }
    };
    links.iter().filter_map(sign).collect()
}

#[track_caller]
fn links(command: &str) -> Vec<Value> {
    serde_json::from_str(&run(command)).expect("ip prints JSON")
}

fn ids(records: &Value) -> BTreeSet<String> {
    list(records).iter().map(|record| text(&record["id"])).collect()
}

pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
