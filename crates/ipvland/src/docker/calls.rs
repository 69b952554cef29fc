//! The calls there are, and what each needs to be answered.

use engine::Engine;
use model::{EndpointId, NetworkId};
use serde::Serialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{driver, ipam};
use crate::standby::Standby;

/// The answer to a call: a JSON object.
pub(super) type Answer = Result<Value, Refusal>;

/// A call as the protocol knows it.
pub(super) struct Call {
    /// The path it is posted to, without the slash.
    pub(super) method: &'static str,
    /// Whether it changes anything, so that its success is worth a line in the log.
    pub(super) changes: bool,
    /// What is done.
    pub(super) work: Work,
}

/// What a call needs to be answered.
pub(super) enum Work {
    /// Nothing but the daemon: answered even while the engine cannot be opened.
    Always(fn(&Standby) -> Value),
    /// The engine, and the body of the request.
    Engine(fn(&Engine, &[u8]) -> Answer),
    /// The same, and the daemon goes on with something when it is answered.
    GoesOn(fn(&Engine, &Standby, &[u8]) -> Answer),
}

const fn change(method: &'static str, work: fn(&Engine, &[u8]) -> Answer) -> Call {
    Call { method, changes: true, work: Work::Engine(work) }
}

const fn question(method: &'static str, work: fn(&Engine, &[u8]) -> Answer) -> Call {
    Call { method, changes: false, work: Work::Engine(work) }
}

/// All calls there are.
pub(super) const CALLS: [Call; 22] = [
    Call { method: "Plugin.Activate", changes: true, work: Work::Always(activate) },
    Call { method: "NetworkDriver.GetCapabilities", changes: false, work: Work::Always(driver::get_capabilities) },
    question("NetworkDriver.GwAllocCheck", driver::gw_alloc_check),
    question("NetworkDriver.AllocateNetwork", driver::allocate_network),
    question("NetworkDriver.FreeNetwork", driver::free_network),
    change("NetworkDriver.CreateNetwork", driver::create_network),
    change("NetworkDriver.DeleteNetwork", driver::delete_network),
    change("NetworkDriver.CreateEndpoint", driver::create_endpoint),
    change("NetworkDriver.DeleteEndpoint", driver::delete_endpoint),
    Call { method: "NetworkDriver.EndpointOperInfo", changes: false, work: Work::GoesOn(driver::endpoint_oper_info) },
    Call { method: "NetworkDriver.Join", changes: true, work: Work::GoesOn(driver::join) },
    change("NetworkDriver.Leave", driver::leave),
    question("NetworkDriver.ProgramExternalConnectivity", driver::external_connectivity),
    question("NetworkDriver.RevokeExternalConnectivity", driver::external_connectivity),
    question("NetworkDriver.DiscoverNew", driver::discovery),
    question("NetworkDriver.DiscoverDelete", driver::discovery),
    Call { method: "IpamDriver.GetCapabilities", changes: false, work: Work::Always(ipam::get_capabilities) },
    Call {
        method: "IpamDriver.GetDefaultAddressSpaces",
        changes: false,
        work: Work::Always(ipam::default_address_spaces),
    },
    change("IpamDriver.RequestPool", ipam::request_pool),
    change("IpamDriver.ReleasePool", ipam::release_pool),
    change("IpamDriver.RequestAddress", ipam::request_address),
    change("IpamDriver.ReleaseAddress", ipam::release_address),
];

/// Says what the plugin is. An engine without an answer waits for a quarter of a minute, so this never fails: a ledger
/// that cannot be written is told about at the calls that need it.
fn activate(standby: &Standby) -> Value {
    standby.activate();
    json!({ "Implements": ["NetworkDriver", "IpamDriver"] })
}

/// Fills in whom the lines of this call are about.
pub(super) fn log_about(network: Option<&NetworkId>, endpoint: Option<&EndpointId>) {
    let span = tracing::Span::current();
    if let Some(id) = network {
        span.record("network", id.short());
    }
    if let Some(id) = endpoint {
        span.record("endpoint", id.short());
    }
}

pub(super) fn object(answer: &impl Serialize) -> Answer {
    serde_json::to_value(answer).map_err(|error| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::with(status, format!("the answer cannot be written: {error}"))
    })
}
