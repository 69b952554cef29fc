//! The steps that change the kernel.

use std::io;
use std::path::Path;

use model::{InterfaceName, Kind, Place, SandboxKey, Step, Sysctl};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkAttribute;
use rustix::io::Errno;

use crate::KernelError;
use crate::link::{Seen, link};
use crate::namespace::{Namespace, is_gone};
use crate::netlink::{Failure, Netlink};
use crate::refusal::explain;
use crate::request;

/// Takes one step. Deleting what is gone is success; so is deleting in a namespace that is gone.
///
/// # Errors
/// When the kernel refuses, or a link that the step builds on is missing. The step was then not taken.
pub fn apply(step: &Step) -> Result<(), KernelError> {
    let place = match step {
        Step::Delete { place, index, name } => return delete(step, place, *index, name),
        Step::SetSysctl { sandbox, name, sysctl } => return set_sysctl(step, sandbox, name, sysctl),
        Step::AddAddress { sandbox, .. } | Step::AddRoute { sandbox, .. } => &Place::Sandbox(sandbox.clone()),
        Step::SetUp { place, .. } | Step::SetMtu { place, .. } => place,
        _ => &Place::Host,
    };
    let failed = |error| Failure::Io(error).while_trying_to(step.to_string());
    let mut netlink = open(place).map_err(failed)?;
    let mut found = |name: &InterfaceName| match netlink.get(request::by_name(name)) {
        Ok(body) => match body.as_deref().and_then(link) {
            Some(seen) => Ok(seen.link.index),
            None => Err(KernelError::Gone { name: name.clone() }),
        },
        Err(failure) => Err(failure.while_trying_to(step.to_string())),
    };
    let (message, flags) = match step {
        Step::CreateDummy { name } => (request::dummy(name), NEW),
        Step::CreateVlan { name, on, id } => (request::vlan(name, found(on)?, *id), NEW),
        Step::CreateSlave { name, on, settings, mtu } => (request::slave(name, found(on)?, *settings, *mtu), NEW),
        // A request of its own: the kernel drops the alias from the one that makes the link.
        Step::SetAlias { name, mark } => (request::set(found(name)?, LinkAttribute::IfAlias(mark.to_string())), 0),
        Step::Rename { from, to } => (request::set(found(from)?, LinkAttribute::IfName(to.to_string())), 0),
        Step::Move { name, to, called } => {
            let sandbox = Namespace::open(Path::new(to.as_str())).map_err(failed)?;
            let message = request::into_namespace(found(name)?, sandbox.descriptor(), called);
            return change(&mut netlink, step, message, 0); // while the descriptor is open
        }
        Step::AddAddress { name, address, .. } => (request::address(found(name)?, *address), NEW),
        Step::AddRoute { name, route, .. } => (request::route(found(name)?, *route), NEW),
        Step::SetMtu { name, mtu, .. } => (request::set(found(name)?, LinkAttribute::Mtu(mtu.get())), 0),
        Step::SetUp { name, .. } => (request::up(found(name)?), 0),
        Step::SetSysctl { .. } | Step::Delete { .. } => unreachable!("done above"),
    };
    change(&mut netlink, step, message, flags)
}

fn open(place: &Place) -> io::Result<Netlink> {
    match place {
        Place::Host => Netlink::open(),
        Place::Sandbox(key) => Namespace::open(Path::new(key.as_str()))?.netlink(),
    }
}

/// A kernel without IPv6 has no IPv6 to disable, and that is success.
fn set_sysctl(step: &Step, sandbox: &SandboxKey, name: &InterfaceName, sysctl: &Sysctl) -> Result<(), KernelError> {
    let write = || {
        std::fs::write(sysctl.path(name), sysctl.value())?;
        killpoint::step_taken();
        Ok(())
    };
    let written = Namespace::open(Path::new(sandbox.as_str())).and_then(|namespace| namespace.run(write));
    match written {
        Err(error) if error.kind() == io::ErrorKind::NotFound && *sysctl == Sysctl::disable_ipv6(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(KernelError::NoSysctl { sysctl: sysctl.to_string() })
        }
        written => written.map_err(|error| Failure::Io(error).while_trying_to(step.to_string())),
    }
}

const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

fn change(netlink: &mut Netlink, step: &Step, message: RouteNetlinkMessage, flags: u16) -> Result<(), KernelError> {
    let refusal = match netlink.change(message, flags) {
        Ok(()) => return Ok(()),
        Err(Failure::Refused(refusal)) => refusal,
        Err(failure) => return Err(failure.while_trying_to(step.to_string())),
    };
    if let (Errno::EXIST, Step::AddRoute { .. }) = (refusal.errno, step) {
        return Ok(());
    }
    // Of a VLAN link the name may be taken or the tag, and only newer kernels say which.
    if let (Errno::EXIST, Step::CreateVlan { name, on, id }) = (refusal.errno, step)
        && matches!(netlink.get(request::by_name(name)), Ok(None))
    {
        return Err(KernelError::VlanTaken { on: on.clone(), id: *id });
    }
    Err(explain(step, refusal))
}

/// Deletes by index, once the index is seen to be the link that was meant: names are reused soon, and an index is
/// reused when a link comes from another namespace.
fn delete(step: &Step, place: &Place, index: u32, name: &InterfaceName) -> Result<(), KernelError> {
    let failed = |failure: Failure| failure.while_trying_to(step.to_string());
    let mut netlink = match open(place) {
        Ok(netlink) => netlink,
        Err(error) if *place != Place::Host && is_gone(&error) => return Ok(()),
        Err(error) => return Err(failed(Failure::Io(error))),
    };
    let Some(body) = netlink.get(request::by_index(index)).map_err(failed)? else { return Ok(()) };
    if !link(&body).is_some_and(|seen| is_meant(&seen, name)) {
        return Err(KernelError::Replaced { name: name.clone() });
    }
    match netlink.change(request::delete(index), 0) {
        Err(Failure::Refused(refusal)) if refusal.errno == Errno::NODEV => Ok(()),
        answer => answer.map_err(failed),
    }
}

/// Whether a link is the one that a step names, and of a kind that ipvland makes.
fn is_meant(seen: &Seen, name: &InterfaceName) -> bool {
    let made_by_us = matches!(seen.link.kind, Kind::Slave(_) | Kind::Dummy | Kind::Vlan(_));
    made_by_us && seen.link.name == *name
}
