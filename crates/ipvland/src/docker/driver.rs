//! What each call on networks and endpoints asks for: one function per call.

use engine::{EndpointRequest, Engine, EngineError, NetworkRequest};
use model::{EndpointId, Flag, Frontend, Mode, NetworkId};
use serde_json::{Value, json};

use super::calls::{Answer, log_about, object};
use super::options::{EndpointOptions, INTERFACE_NAME, NetworkOptions};
use super::refusal::Refusal;
use super::wire::{self, CreateEndpoint, CreateNetwork, Discovery, GwAllocCheck, Join, Joined, OfEndpoint, OfNetwork};
use crate::standby::{Attached, Standby};

pub(super) fn get_capabilities(_: &Standby) -> Value {
    json!({ "Scope": "local", "ConnectivityScope": "local", "GwAllocChecker": true })
}

/// Only Docker 28 and newer ask, and these also take a link that is in its sandbox already.
pub(super) fn gw_alloc_check(engine: &Engine, body: &[u8]) -> Answer {
    let request: GwAllocCheck = wire::read(body)?;
    engine.note_whole_links()?;
    let skip = !NetworkOptions::read(&request.options)?.wants_gateway();
    Ok(json!({ "SkipIPv4": skip, "SkipIPv6": skip }))
}

/// Asked of drivers with the scope `global` only, by a swarm's manager.
pub(super) fn allocate_network(_: &Engine, body: &[u8]) -> Answer {
    let network = wire::read::<OfNetwork>(body)?.network()?;
    log_about(Some(&network), None);
    Err(Refusal::bad(
        "ipvland makes networks of one host, and a swarm takes managed plugins only; create the network on each host, \
         without --scope swarm",
    ))
}

/// Nothing was allocated, so nothing is left to free.
pub(super) fn free_network(_: &Engine, body: &[u8]) -> Answer {
    wire::read::<OfNetwork>(body)?.network()?;
    Ok(json!({}))
}

pub(super) fn create_network(engine: &Engine, body: &[u8]) -> Answer {
    let request: CreateNetwork = wire::read(body)?;
    let id = request.network()?;
    log_about(Some(&id), None);
    let options = NetworkOptions::read(&request.options)?;
    options.require_pools(request.families())?;
    engine.create_network(&NetworkRequest {
        id: id.clone(),
        frontend: Frontend::Docker,
        options: options.driver,
        carrier: options.carrier,
        subnets: request.subnets()?,
        auxiliary: request.auxiliary()?,
        ipam: request.ipam(),
        pools: Vec::new(),
    })?;
    tell_of_shared_wire(engine, &id);
    Ok(json!({}))
}

/// Being two networks keeps nobody apart, against what people expect of networks. Said once, at creation.
fn tell_of_shared_wire(engine: &Engine, id: &NetworkId) {
    let Ok(networks) = engine.networks() else { return };
    let Some(new) = networks.iter().find(|network| network.id == *id) else { return };
    if new.isolated() || new.settings.flag == Flag::Private {
        return;
    }
    let beside = networks.iter().filter(|other| other.id != new.id && other.parent == new.parent);
    let beside: Vec<&str> = beside.map(|other| other.id.short()).collect();
    if !beside.is_empty() {
        tracing::info!(
            parent = %new.parent.name(),
            others = beside.join(" "),
            "networks on one parent share its wire; VLANs or ipvlan_flag=private keep their containers apart"
        );
    }
}

pub(super) fn delete_network(engine: &Engine, body: &[u8]) -> Answer {
    let id = wire::read::<OfNetwork>(body)?.network()?;
    log_about(Some(&id), None);
    engine.delete_network(&id)?;
    Ok(json!({}))
}

/// The answer must not repeat the interface: the engine takes that for a change, and refuses it.
pub(super) fn create_endpoint(engine: &Engine, body: &[u8]) -> Answer {
    let request: CreateEndpoint = wire::read(body)?;
    let (network, id) = (request.ids.network()?, request.ids.endpoint()?);
    log_about(Some(&network), Some(&id));
    if let Some(mac) = request.mac() {
        let mac: String = mac.chars().take(80).collect();
        return Err(Refusal::bad(format!(
            "MAC address {mac} was asked for, and an ipvlan container has the one of its parent; leave --mac-address out"
        )));
    }
    let EndpointOptions { set_up, publishes } = EndpointOptions::read(&request.options)?;
    if set_up.is_some() {
        require_exact_names(engine, &network)?;
    }
    engine.create_endpoint(&EndpointRequest { id, network, addresses: request.addresses()?, set_up })?;
    if publishes {
        tracing::warn!("published ports have no effect: the container has an address of its own on the network");
    }
    Ok(json!({}))
}

/// What an exact interface name takes, as engines let drivers have it: in l3 and l3s a default route that the engine makes
/// needs a link that it moved itself.
fn require_exact_names(engine: &Engine, network: &NetworkId) -> Result<(), Refusal> {
    let missing = if !engine.takes_whole_links()? {
        "works with Docker 28 and newer only"
    } else if engine.networks()?.iter().any(|of| of.id == *network && of.settings.mode != Mode::L2) {
        "works in l2 only"
    } else {
        return Ok(());
    };
    Err(Refusal::bad(format!("option `{INTERFACE_NAME}`: an exact interface name {missing}; leave it out")))
}

pub(super) fn delete_endpoint(engine: &Engine, body: &[u8]) -> Answer {
    let id = on_its_network(engine, &wire::read(body)?)?;
    engine.delete_endpoint(&id)?;
    Ok(json!({}))
}

/// There is nothing to add to what the engine knows; but an endpoint that is not there is not passed off as one. The
/// engine asks when it has set the slave up.
pub(super) fn endpoint_oper_info(engine: &Engine, standby: &Standby, body: &[u8]) -> Answer {
    let id = on_its_network(engine, &wire::read(body)?)?;
    if engine.endpoint(&id)?.is_none() {
        return Err(EngineError::NoEndpoint(id).into());
    }
    standby.tell_of(Attached::SetUp(id));
    Ok(json!({ "Value": {} }))
}

pub(super) fn join(engine: &Engine, standby: &Standby, body: &[u8]) -> Answer {
    let request: Join = wire::read(body)?;
    let id = on_its_network(engine, &request.ids)?;
    let attachment = engine.attach(&id, &request.sandbox()?)?;
    if let Some(announcements) = attachment.announcements {
        standby.tell_of(Attached::Handed(id, announcements));
    }
    object(&Joined::new(attachment.link.as_ref(), &attachment.routes))
}

/// May come twice, and after a Join that failed.
pub(super) fn leave(engine: &Engine, body: &[u8]) -> Answer {
    let id = on_its_network(engine, &wire::read(body)?)?;
    engine.leave(&id)?;
    Ok(json!({}))
}

/// Containers are on the network themselves: there is no port to open or close for them.
pub(super) fn external_connectivity(_: &Engine, body: &[u8]) -> Answer {
    let ids: OfEndpoint = wire::read(body)?;
    log_about(Some(&ids.network()?), Some(&ids.endpoint()?));
    Ok(json!({}))
}

/// News of a cluster's nodes, which mean nothing to a driver of one host.
pub(super) fn discovery(_: &Engine, body: &[u8]) -> Answer {
    wire::read::<Discovery>(body)?;
    Ok(json!({}))
}

/// The endpoint that a request names. One that is on another network than the request says is not meant.
fn on_its_network(engine: &Engine, ids: &OfEndpoint) -> Result<EndpointId, Refusal> {
    let (network, id) = (ids.network()?, ids.endpoint()?);
    log_about(Some(&network), Some(&id));
    match engine.endpoint(&id)? {
        Some(endpoint) if endpoint.network != network => Err(Refusal::bad(format!(
            "endpoint {} is on network {} and not on {}",
            id.short(),
            endpoint.network.short(),
            network.short()
        ))),
        _ => Ok(id),
    }
}
