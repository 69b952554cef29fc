//! `create`: whether there can be such a network, and what Podman is to remember of it. Nothing is made: Podman does not
//! tell of a network's removal, so a network is made with its first container.

use engine::Engine;
use serde_json::{Map, Value, json};

use super::addressing::{Dealer, LEDGER};
use super::network::Network;
use super::ranges::Range;
use super::refusal::Refusal;
use super::wire;

/// The network as it came, with what is known better now. Podman refuses an answer with another name, id or driver.
pub(super) fn create(engine: &Engine, input: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut answer = wire::read_object(input)?;
    let given: wire::Network = wire::from_object(answer.clone())?;
    let mut network = Network::read(&given)?.on_a_parent(engine)?;
    network.complete(given.ipv6_enabled)?;
    engine.ready_for(&network.request(), &network.pools()?)?;

    if let Some(parent) = network.parent() {
        // The one of now: the host's default route may lead elsewhere one day.
        answer.insert("network_interface".into(), json!(parent.to_string()));
    }
    if network.dealer == Dealer::Ledger {
        answer.insert("ipam_options".into(), json!({ "driver": LEDGER }));
    }
    fill_in(&mut answer, &network.ranges);
    // No name server answers on networks of plugins; but only with this does Podman keep the user's own.
    answer.insert("dns_enabled".into(), json!(!given.dns_servers()?.is_empty()));
    Ok(answer)
}

/// Adds subnets, and gateways, that the user has not given.
fn fill_in(answer: &mut Map<String, Value>, ranges: &[Range]) {
    let mut subnets: Vec<Value> = match answer.remove("subnets") {
        Some(Value::Array(subnets)) => subnets,
        _ => Vec::new(),
    };
    subnets.resize(ranges.len(), Value::Null);
    for (json, range) in subnets.iter_mut().zip(ranges) {
        if json.is_null() {
            *json = json!({ "subnet": range.subnet.pool().to_string() });
        }
        if let Some(gateway) = range.subnet.gateway() {
            json["gateway"] = json!(gateway.to_string());
        }
    }
    answer.insert("subnets".into(), Value::Array(subnets));
}
