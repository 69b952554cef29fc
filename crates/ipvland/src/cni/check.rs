//! CHECK: whether a container is on its network as it was put there.

use std::net::IpAddr;

use engine::{Connected, ConnectedLink, Engine, EngineError};
use model::{Addresses, Endpoint, SandboxKey};

use super::call::Attachment;
use super::delegate::Delegate;
use super::failure::{Code, Failure};
use super::identity;
use super::wire::{Configuration, Dealer, Report};

/// Compares what was answered to ADD, as far as it is ours, with what there is.
///
/// # Errors
/// Code 3 for a container that is not on the network, 102 for one that is not as it was.
pub(super) fn check(
    configuration: &Configuration<'_>,
    attachment: &Attachment,
    sandbox: &SandboxKey,
) -> Result<(), Failure> {
    let before = configuration.previous()?.ok_or_else(|| {
        Failure::new(Code::CONFIGURATION, "key `prevResult` is missing, and CHECK compares it with what there is")
    })?;
    let engine = Engine::open(&configuration.paths)?;
    let id = identity::endpoint(&configuration.name, attachment);
    let connected = engine.connected(&id).map_err(|error| match error {
        EngineError::Vanished(_) => changed(format!("interface `{}` is gone", attachment.interface)),
        other => other.into(),
    })?;
    let (Some(connected), Some(endpoint)) = (connected, engine.endpoint(&id)?) else {
        let sentence = format!(
            "container {} has no interface `{}` on network {}",
            attachment.container.as_str(),
            attachment.interface,
            configuration.name.as_str()
        );
        return Err(Failure::new(Code::UNKNOWN, sentence));
    };
    if connected.sandbox != *sandbox {
        return Err(changed(format!("its network namespace is {} and not {sandbox}", connected.sandbox)));
    }
    match &connected.link {
        Some(link) => compare(&before, &endpoint, link, &connected)?,
        None => compare_dealt(&before, &connected.addresses)?,
    }
    match &configuration.dealer {
        Dealer::Plugin(name) => Delegate::find(name, configuration)?.pass_on("CHECK"),
        Dealer::Nobody | Dealer::Ledger => Ok(()),
    }
}

/// The interface, its addresses, and the routes of ours that are still among those that were told. The MTU is not compared: it
/// follows the parent's.
fn compare(before: &Report, endpoint: &Endpoint, link: &ConnectedLink, connected: &Connected) -> Result<(), Failure> {
    let of_ours = |name: &str, sandbox: Option<&str>| {
        name == link.name.as_str() && sandbox == endpoint.sandbox.as_ref().map(SandboxKey::as_str)
    };
    let index = before.interfaces.iter().position(|it| of_ours(&it.name, it.sandbox.as_deref()));
    let Some(index) = index else {
        return Err(changed(format!("interface `{}` is not in prevResult", link.name)));
    };
    if !link.up {
        return Err(changed(format!("interface `{}` is down", link.name)));
    }
    let mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
    match &before.interfaces[index].mac {
        Some(told) if !told.eq_ignore_ascii_case(&mac) => {
            return Err(changed(format!("interface `{}` has the MAC address {mac} and not {told}", link.name)));
        }
        _ => {}
    }
    let mut told = before.ips.iter().filter(|ip| ip.interface == Some(index)).map(|ip| ip.address);
    if let Some(address) = told.find(|told| connected.addresses.iter().all(|address| address != *told)) {
        return Err(changed(format!("address {address} is gone")));
    }
    let made = endpoint.set_up.iter().flat_map(|set_up| set_up.routes.iter());
    for route in made {
        let told = before.routes.iter().filter_map(|told| told.wish().ok()).any(|told| told.to == route.to);
        let mut ours = link.routes.iter().filter(|found| found.to == route.to).peekable();
        // One that another interface had before stays that one's.
        let theirs = ours.peek().is_none() && connected.elsewhere.contains(&route.to);
        if told && !theirs && !ours.any(|found| found.via == route.via) {
            return Err(changed(format!("the route `{route}` is gone")));
        }
    }
    Ok(())
}

/// What was dealt for another plugin's link, which may have addresses of others besides.
fn compare_dealt(before: &Report, addresses: &Addresses) -> Result<(), Failure> {
    let told = |address: IpAddr| before.ips.iter().any(|ip| ip.address.addr() == address);
    match addresses.iter().find(|address| !told(address.addr())) {
        Some(address) => Err(changed(format!("address {address} is not in prevResult"))),
        None => Ok(()),
    }
}

fn changed(sentence: String) -> Failure {
    Failure::new(Code::CHANGED, sentence).with_remedy("make the container anew")
}
