//! What each call on addresses asks for: one function per call.
//!
//! Read in moby, `daemon/libnetwork/ipams/remote`. No call names a network, and before Docker 29 none a container: a pool is
//! known by its id alone, which the engine keeps over every restart.

use engine::{Engine, PoolPlan};
use serde_json::{Value, json};

use super::calls::Answer;
use super::refusal::Refusal;
use super::wire::{self, ADDRESS_SPACE, Asked, OfPool, ReleaseAddress, RequestAddress, RequestPool};
use crate::standby::Standby;

/// Key of the gateway that a pool brings with it, and value of the option of those who ask for one.
const GATEWAY: &str = "com.docker.network.gateway";

/// The engine need not ask again for what it holds when it comes back: the ledger knows.
pub(super) fn get_capabilities(_: &Standby) -> Value {
    json!({ "RequiresMACAddress": false, "RequiresRequestReplay": false })
}

pub(super) fn default_address_spaces(_: &Standby) -> Value {
    json!({ "LocalDefaultAddressSpace": ADDRESS_SPACE, "GlobalDefaultAddressSpace": ADDRESS_SPACE })
}

/// Networks on one subnet ask once each, and are given the same id.
pub(super) fn request_pool(engine: &Engine, body: &[u8]) -> Answer {
    let request = wire::read::<RequestPool>(body)?.pool()?;
    let subnet_named = request.subnet.is_some();
    let plan = request.plan()?;
    if !subnet_named && !engine.takes_whole_links()? {
        return Err(asks_for_ever(&plan));
    }
    engine.open_pool(&plan)?;
    let PoolPlan { pool, gateway } = plan;
    let data = match gateway {
        Some(gateway) => json!({ GATEWAY: pool.with_prefix(gateway).to_string() }),
        None => json!({}),
    };
    Ok(json!({ "PoolID": pool.to_string(), "Pool": pool.subnet().to_string(), "Data": data }))
}

/// Before Docker 28 (which shows by taking whole links), an engine that named no subnet and is told one that the host has a route
/// to asks for another, without end: `requestPoolHelper()` in moby's `daemon/libnetwork/network.go`. A parent's is always one.
fn asks_for_ever(plan: &PoolPlan) -> Refusal {
    let subnet = plan.pool.subnet();
    let gateway = plan.gateway.map(|gateway| format!(" --gateway {gateway}")).unwrap_or_default();
    Refusal::bad(format!(
        "Docker before 28 takes the parent's subnet {subnet} only when it is named; pass `--subnet {subnet}{gateway}`"
    ))
}

/// Comes once for each network on the subnet, and before the call that removes the network.
pub(super) fn release_pool(engine: &Engine, body: &[u8]) -> Answer {
    engine.close_pool(&wire::read::<OfPool>(body)?.pool()?)?;
    Ok(json!({}))
}

pub(super) fn request_address(engine: &Engine, body: &[u8]) -> Answer {
    let request: RequestAddress = wire::read(body)?;
    let (pool, address) = (request.pool()?, request.address()?);
    let dealt = match request.asked() {
        Asked::Gateway => engine.deal_gateway(&pool, address)?,
        Asked::Endpoint(name) => engine.deal(&pool, address, name.as_ref())?,
    };
    tracing::info!(address = %dealt, "dealt");
    Ok(json!({ "Address": dealt.to_string(), "Data": {} }))
}

/// Names no owner. Of a gateway or an auxiliary address, which go with their network, it frees nothing.
pub(super) fn release_address(engine: &Engine, body: &[u8]) -> Answer {
    let request: ReleaseAddress = wire::read(body)?;
    engine.take_back(&request.pool()?, request.address()?)?;
    Ok(json!({}))
}
