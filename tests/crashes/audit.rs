//! The kernel, the ledger and what the engine knows, compared from scratch: by other means than those that are tested.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::run;
use crate::daemon::{differences, status};
use crate::engine::{Endpoint, Network};
use crate::stage::{Attached, Known};

/// Asserts that nothing is left over and nothing is gone. What is in flight may have been done or not; but then the
/// kernel must agree with the record of it.
#[track_caller]
pub(crate) fn audit(known: &Known, in_flight: Option<&str>) {
    assert_eq!(differences(), serde_json::json!([]), "a repair would find nothing to do");
    let record = status();
    let settled = |id: &str| Some(id) != in_flight;
    let networks = ids(&record["networks"]);
    let endpoints = ids(&record["endpoints"]);
    let of = |known: BTreeSet<&str>| -> BTreeSet<String> {
        known.into_iter().filter(|id| settled(id)).map(str::to_owned).collect()
    };
    let kept =
        |recorded: BTreeSet<String>| -> BTreeSet<String> { recorded.into_iter().filter(|id| settled(id)).collect() };
    assert_eq!(kept(networks), of(known.networks.iter().map(|network| network.id).collect()), "networks on record");
    assert_eq!(kept(endpoints), of(known.endpoints.keys().map(|endpoint| endpoint.id.as_str()).collect()), "endpoints");

    let (expected, possible) = expected_on_host(known, &record, in_flight);
    let host = ours(&links("ip -d -j link show"));
    assert!(expected.is_subset(&host), "{expected:?} should be on the host, and there are {host:?}");
    let over: Vec<_> = host.difference(&expected).filter(|alias| !possible.contains(*alias)).collect();
    assert!(over.is_empty(), "nobody owns {over:?} on the host; the record is {record}");

    for (endpoint, attached) in known.endpoints.iter().filter(|(endpoint, _)| settled(&endpoint.id)) {
        check_sandbox(endpoint, *attached != Attached::No);
    }
}

/// What `ifalias` says of the links that must be on the host, and of those that may be there.
fn expected_on_host(known: &Known, record: &Value, in_flight: Option<&str>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut must, mut may) = (BTreeSet::new(), BTreeSet::new());
    let recorded = |network: &&Network| list(&record["networks"]).iter().any(|there| there["id"] == network.id);
    for network in known.networks.iter().filter(recorded) {
        must.extend(made_parent(network).map(|name| format!("ipvland:parent:{name}")));
    }
    for network in list(&record["networks"]).iter().filter(|network| network["kind"] != "link") {
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
    (must, may)
}

fn made_parent(network: &Network) -> Option<String> {
    match network.parent {
        "" => Some(format!("ivd-{}", network.id.chars().take(11).collect::<String>())),
        parent if parent.contains('.') => Some(parent.to_owned()),
        _ => None,
    }
}

#[track_caller]
fn check_sandbox(endpoint: &Endpoint, attached: bool) {
    let links = links(&format!("ip -n {} -d -j address show", endpoint.sandbox()));
    let names: Vec<String> = links.iter().map(|link| text(&link["ifname"])).filter(|name| name != "lo").collect();
    if !attached {
        assert_eq!(names, [""; 0], "nothing is in the sandbox of {}", endpoint.id);
        return;
    }
    assert_eq!(names, [endpoint.interface()], "the interface of {}", endpoint.id);
    let link = links.iter().find(|link| link["ifname"] == endpoint.interface()).expect("it is there");
    assert_eq!(text(&link["ifalias"]), format!("ipvland:docker:{}:{}", endpoint.network.id, endpoint.id));
    assert!(list(&link["flags"]).iter().any(|flag| flag == "UP"), "{link}");
    let holds = |info: &Value| format!("{}/{}", text(&info["local"]), info["prefixlen"]) == endpoint.address();
    assert!(list(&link["addr_info"]).iter().any(holds), "{} is not on {link}", endpoint.address());
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

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
