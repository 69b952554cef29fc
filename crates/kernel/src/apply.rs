//! The steps that change the kernel.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
use crate::reply::Refusal;
use crate::request;

/// Takes steps in their order, over one socket for each place. What several of them in a row give to one link in a sandbox is asked
/// for in one go. Deleting what is gone is success; so is deleting in a namespace that is gone.
///
/// # Errors
/// At the first step that the kernel refuses, or whose link is missing: its position and why. It was not taken, and none behind it,
/// but for those that were asked for together with it.
pub fn apply(steps: &[Step]) -> Result<(), (usize, KernelError)> {
    let mut sockets = Sockets::default();
    let mut taken = 0;
    while let Some(first) = steps.get(taken) {
        if let Some(link) = given_to(first) {
            let together = steps[taken..].iter().take_while(|step| given_to(step) == Some(link)).count();
            let given = give(&mut sockets, link, &steps[taken..taken + together]);
            given.map_err(|(at, error)| (taken + at, error))?;
            taken += together;
        } else {
            take(&mut sockets, first).map_err(|error| (taken, error))?;
            taken += 1;
        }
    }
    Ok(())
}

/// A socket in each place where something was done.
#[derive(Default)]
struct Sockets(BTreeMap<Place, Netlink>);

impl Sockets {
    fn at(&mut self, place: &Place) -> io::Result<&mut Netlink> {
        match self.0.entry(place.clone()) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(closed) => Ok(closed.insert(open(place)?)),
        }
    }
}

fn open(place: &Place) -> io::Result<Netlink> {
    match place {
        Place::Host => Netlink::open(),
        Place::Sandbox(key) => Namespace::open(Path::new(key.as_str()))?.netlink(),
    }
}

/// The link in a sandbox that a step gives something to. Who gives up deletes the link, so none of these needs to know how the ones
/// before it went.
fn given_to(step: &Step) -> Option<(&SandboxKey, &InterfaceName)> {
    match step {
        Step::AddAddress { sandbox, name, .. }
        | Step::AddRoute { sandbox, name, .. }
        | Step::SetUp { place: Place::Sandbox(sandbox), name } => Some((sandbox, name)),
        _ => None,
    }
}

/// Takes steps that give something to one link.
fn give(
    sockets: &mut Sockets,
    (sandbox, name): (&SandboxKey, &InterfaceName),
    steps: &[Step],
) -> Result<(), (usize, KernelError)> {
    let first = &steps[0];
    let failed = |failure: Failure| (0, failure.while_trying_to(first.to_string()));
    let netlink = sockets.at(&Place::Sandbox(sandbox.clone())).map_err(|error| failed(error.into()))?;
    let index = index_of(netlink, name, first).map_err(|error| (0, error))?;
    let requests = steps.iter().map(|step| gift(step, index)).collect();
    let answers = netlink.change_all(requests).map_err(|error| failed(error.into()))?;
    for (at, (step, answer)) in steps.iter().zip(answers).enumerate() {
        if let Err(refusal) = answer {
            refused(netlink, step, refusal).map_err(|error| (at, error))?;
        }
    }
    Ok(())
}

/// The request for what a step gives to the link with this index.
fn gift(step: &Step, index: u32) -> (RouteNetlinkMessage, u16) {
    match step {
        Step::AddAddress { address, .. } => (request::address(index, *address), NEW),
        Step::AddRoute { route, .. } => (request::route(index, *route), NEW),
        Step::SetUp { .. } => (request::up(index), 0),
        _ => unreachable!("taken, not given"),
    }
}

fn index_of(netlink: &mut Netlink, name: &InterfaceName, step: &Step) -> Result<u32, KernelError> {
    let body = netlink.get(request::by_name(name)).map_err(|failure| failure.while_trying_to(step.to_string()))?;
    let found = body.as_deref().and_then(link).map(|seen| seen.link.index);
    found.ok_or_else(|| KernelError::Gone { name: name.clone() })
}

/// Takes one step.
fn take(sockets: &mut Sockets, step: &Step) -> Result<(), KernelError> {
    let place = match step {
        Step::Delete { place, index, name } => return delete(sockets, step, place, *index, name),
        Step::SetSysctl { sandbox, name, sysctl } => return set_sysctl(step, sandbox, name, sysctl),
        Step::SetUp { place, .. } | Step::SetMtu { place, .. } => place,
        _ => &Place::Host,
    };
    let failed = |error| Failure::Io(error).while_trying_to(step.to_string());
    let netlink = sockets.at(place).map_err(failed)?;
    let mut found = |name: &InterfaceName| index_of(netlink, name, step);
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
            return change(netlink, step, message, 0); // while the descriptor is open
        }
        Step::SetMtu { name, mtu, .. } => (request::set(found(name)?, LinkAttribute::Mtu(mtu.get())), 0),
        Step::SetUp { name, .. } => (request::up(found(name)?), 0),
        Step::SetSysctl { .. } | Step::Delete { .. } => unreachable!("done above"),
        Step::AddAddress { .. } | Step::AddRoute { .. } => unreachable!("given, not taken"),
    };
    change(netlink, step, message, flags)
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
    match netlink.change(message, flags) {
        Err(Failure::Refused(refusal)) => refused(netlink, step, refusal),
        answer => answer.map_err(|failure| failure.while_trying_to(step.to_string())),
    }
}

/// What it means that the kernel refuses a step, which may be that all is well.
fn refused(netlink: &mut Netlink, step: &Step, refusal: Refusal) -> Result<(), KernelError> {
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
fn delete(
    sockets: &mut Sockets,
    step: &Step,
    place: &Place,
    index: u32,
    name: &InterfaceName,
) -> Result<(), KernelError> {
    let failed = |failure: Failure| failure.while_trying_to(step.to_string());
    let netlink = match sockets.at(place) {
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
