//! From what is to what should be: the only way anything changes in the kernel.

use std::fmt;

use ipnet::IpNet;

use crate::desired::{LinkIntent, Presence, Shape};
use crate::endpoint::Addresses;
use crate::family::Family;
use crate::mark::Mark;
use crate::name::{InterfaceName, SandboxKey};
use crate::observed::{Link, Observed, Place};
use crate::port::port_settings;
use crate::sandbox_link::{SandboxLink, SandboxRoute, SandboxRoutes, Sysctl};
use crate::settings::{Mtu, PortSettings, VlanId};

/// One change of the kernel. Where no place is named, it happens in the host namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a dummy.
    CreateDummy {
        /// Its birth name.
        name: InterfaceName,
    },
    /// Make an 802.1Q link.
    CreateVlan {
        /// Its birth name.
        name: InterfaceName,
        /// The link below.
        on: InterfaceName,
        /// The tag.
        id: VlanId,
    },
    /// Make an ipvlan slave, down.
    CreateSlave {
        /// Its birth name.
        name: InterfaceName,
        /// The parent.
        on: InterfaceName,
        /// The settings it gives to the port.
        settings: PortSettings,
        /// Its MTU; the parent's where it is not given.
        mtu: Option<Mtu>,
    },
    /// Set `ifalias`.
    SetAlias {
        /// The link.
        name: InterfaceName,
        /// What it is marked as.
        mark: Mark,
    },
    /// Give a link its final name.
    Rename {
        /// The birth name.
        from: InterfaceName,
        /// The final one.
        to: InterfaceName,
    },
    /// Move a link from the host into a sandbox, under its name there.
    Move {
        /// The birth name.
        name: InterfaceName,
        /// The sandbox.
        to: SandboxKey,
        /// The name in it.
        called: InterfaceName,
    },
    /// Make a kernel setting of an interface.
    SetSysctl {
        /// The sandbox.
        sandbox: SandboxKey,
        /// The interface.
        name: InterfaceName,
        /// The setting.
        sysctl: Sysctl,
    },
    /// Give an address to a link.
    AddAddress {
        /// The sandbox.
        sandbox: SandboxKey,
        /// The link.
        name: InterfaceName,
        /// The address, with the length of its subnet's prefix.
        address: IpNet,
    },
    /// Make a route out of a link. One that is there serves as well: the first who makes it has it.
    AddRoute {
        /// The sandbox.
        sandbox: SandboxKey,
        /// The link.
        name: InterfaceName,
        /// The route.
        route: SandboxRoute,
    },
    /// Give a link another MTU.
    SetMtu {
        /// Where.
        place: Place,
        /// The link.
        name: InterfaceName,
        /// The MTU.
        mtu: Mtu,
    },
    /// Set a link up.
    SetUp {
        /// Where.
        place: Place,
        /// The link.
        name: InterfaceName,
    },
    /// Delete a link, wherever it is.
    Delete {
        /// Where.
        place: Place,
        /// Its index there.
        index: u32,
        /// Its name there, for people.
        name: InterfaceName,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::CreateDummy { name } => write!(f, "create dummy {name}"),
            Step::CreateVlan { name, on, id } => write!(f, "create VLAN {id} on {on} as {name}"),
            Step::CreateSlave { name, on, settings, mtu: None } => {
                write!(f, "create slave {name} on {on} ({settings})")
            }
            Step::CreateSlave { name, on, settings, mtu: Some(mtu) } => {
                write!(f, "create slave {name} on {on} ({settings}, mtu {mtu})")
            }
            Step::SetAlias { name, mark } => write!(f, "mark {name} as {mark}"),
            Step::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Step::Move { name, to, called } => write!(f, "move {name} to {to} as {called}"),
            Step::SetSysctl { sandbox, name, sysctl } => write!(f, "set {sysctl} for {name} in {sandbox}"),
            Step::AddAddress { sandbox, name, address } => write!(f, "add {address} to {name} in {sandbox}"),
            Step::AddRoute { sandbox, name, route } => write!(f, "add the route {route} out of {name} in {sandbox}"),
            Step::SetMtu { place: Place::Host, name, mtu } => write!(f, "set the MTU of {name} to {mtu}"),
            Step::SetMtu { place: Place::Sandbox(key), name, mtu } => {
                write!(f, "set the MTU of {name} in {key} to {mtu}")
            }
            Step::SetUp { place: Place::Host, name } => write!(f, "set {name} up"),
            Step::SetUp { place: Place::Sandbox(key), name } => write!(f, "set {name} up in {key}"),
            Step::Delete { place: Place::Host, name, .. } => write!(f, "delete {name}"),
            Step::Delete { place: Place::Sandbox(key), name, .. } => write!(f, "delete {name} in {key}"),
        }
    }
}

/// The steps that lead from `observed` to `desired`, in the order in which they must be done. None, when they agree.
///
/// Slaves go before parents, and parents come before slaves. A slave is made only on a port that is free or has the
/// settings it needs, so no plan ever flips the mode of a running container, and only on a parent that is there or
/// made by the same plan: what cannot be done is left out, and the caller sees by looking again that it is missing.
/// A parent of ours on which somebody else has put a link stays, because that link would go with it.
pub fn converge(desired: &[LinkIntent], observed: &Observed) -> Vec<Step> {
    let is_parent = |intent: &&LinkIntent| matches!(intent.mark, Mark::Parent(_));
    let (parents, slaves): (Vec<_>, Vec<_>) = desired.iter().partition(is_parent);
    let absent = |intent: &&&LinkIntent| intent.presence == Presence::Absent;
    let present = |intent: &&&LinkIntent| intent.presence == Presence::Present;

    let mut steps: Vec<Step> = slaves.iter().filter(absent).flat_map(|intent| remove(intent, observed)).collect();
    let bared = parents.iter().filter(absent).flat_map(|intent| remove(intent, observed));
    let bared: Vec<Step> = bared.filter(|step| !takes_others_along(step, &steps, observed)).collect();
    steps.extend(bared);
    let mut coming = Vec::new();
    for intent in parents.iter().filter(present) {
        let making = make_parent(intent, observed);
        if !making.is_empty() {
            coming.push(intent.name());
        }
        steps.extend(making);
    }
    for intent in slaves.iter().filter(present) {
        steps.extend(make_slave(intent, observed, &coming));
    }
    steps
        .extend(slaves.iter().filter(|intent| intent.presence == Presence::Kept).flat_map(|kept| keep(kept, observed)));
    steps
}

/// The steps that give a slave which is set up in its sandbox addresses besides, and routes: whoever deals them had to speak on
/// it first. None where it is not in sight; what it has already is left out.
pub fn extend(intent: &LinkIntent, more: &Addresses, routes: &SandboxRoutes, observed: &Observed) -> Vec<Step> {
    let Some((Place::Sandbox(sandbox), link)) = intent.find(observed).into_iter().next() else { return Vec::new() };
    let (name, sandbox) = (|| link.name.clone(), || sandbox.clone());
    let ipv6 = more.has(Family::V6).then(|| Sysctl::disable_ipv6(false));
    let settings = ipv6.map(|sysctl| Step::SetSysctl { sandbox: sandbox(), name: name(), sysctl });
    let missing = more.iter().filter(|address| !link.addresses.contains(address));
    let addresses = missing.map(|address| Step::AddAddress { sandbox: sandbox(), name: name(), address });
    let routes = routes.iter().map(|route| Step::AddRoute { sandbox: sandbox(), name: name(), route });
    settings.into_iter().chain(addresses).chain(routes).collect()
}

fn remove(intent: &LinkIntent, observed: &Observed) -> Vec<Step> {
    intent.find(observed).into_iter().map(delete).collect()
}

fn delete((place, link): (Place, &Link)) -> Step {
    Step::Delete { place, index: link.index, name: link.name.clone() }
}

/// Whether the kernel would delete links along with this one that the plan does not delete itself: those on top of it,
/// in whatever namespace they are.
fn takes_others_along(step: &Step, planned: &[Step], observed: &Observed) -> bool {
    let Step::Delete { place: Place::Host, index: below, .. } = step else { return false };
    let mut on_top = observed.all().filter(|(_, link)| link.on == Some(*below));
    on_top.any(|found| !planned.contains(&delete(found)))
}

/// A dummy or VLAN link is made under its birth name, marked, renamed and set up, in this order: whatever bears the
/// final name without the mark is somebody else's, and old kernels rename only what is down.
fn make_parent(intent: &LinkIntent, observed: &Observed) -> Vec<Step> {
    let (birth, name) = (intent.mark.birth_name(), intent.name());
    let ours = intent.find(observed).into_iter().map(|(_, link)| link).next();
    if let Some(link) = ours.filter(|link| link.name == name) {
        return if link.up { Vec::new() } else { vec![Step::SetUp { place: Place::Host, name }] };
    }
    if observed.host_link(&name).is_some() {
        return Vec::new(); // somebody made it in the meantime: it serves, and it stays theirs
    }
    let mut steps = Vec::new();
    if ours.is_none() {
        if observed.host_link(&birth).is_some() {
            return Vec::new();
        }
        match &intent.shape {
            Shape::Dummy => steps.push(Step::CreateDummy { name: birth.clone() }),
            Shape::Vlan { on, id } if observed.host_link(on).is_some() => {
                steps.push(Step::CreateVlan { name: birth.clone(), on: on.clone(), id: *id });
            }
            Shape::Vlan { .. } | Shape::Slave { .. } => return Vec::new(),
        }
    }
    steps.extend(set_mark(intent, ours));
    steps.push(Step::Rename { from: birth, to: name.clone() });
    steps.push(Step::SetUp { place: Place::Host, name });
    steps
}

/// A slave is made under its birth name and marked. Then it is the engine's to move, or ours, where the intent says so.
fn make_slave(intent: &LinkIntent, observed: &Observed, coming: &[InterfaceName]) -> Vec<Step> {
    let Shape::Slave { on, settings, mtu } = &intent.shape else { return Vec::new() };
    let sandbox = intent.sandbox.as_ref().filter(|key| observed.sandboxes.contains_key(key));
    if intent.set_up.is_some() && sandbox.is_none() {
        return Vec::new(); // nowhere to set it up
    }
    match intent.find(observed).first() {
        Some((Place::Host, link)) => return [set_mark(intent, Some(link)), move_slave(intent)].concat(),
        Some((Place::Sandbox(key), link)) if Some(key) == sandbox => return set_up_slave(intent, Some(link)),
        Some((Place::Sandbox(_), _)) => return Vec::new(),
        None => {}
    }
    let parent_there = observed.host_link(on).is_some() || coming.contains(on);
    let port_agrees = port_settings(on, observed).is_none_or(|current| current == *settings);
    let name_taken = observed.host_link(&intent.name()).is_some();
    if !parent_there || !port_agrees || name_taken {
        return Vec::new();
    }
    let create = Step::CreateSlave { name: intent.name(), on: on.clone(), settings: *settings, mtu: *mtu };
    [vec![create], set_mark(intent, None), move_slave(intent)].concat()
}

/// A change of the parent's MTU overwrites that of every slave (`ipvlan_adjust_mtu()` in
/// `drivers/net/ipvlan/ipvlan_main.c`), and one of its own is asked for again, unless the parent has become too small.
fn keep(intent: &LinkIntent, observed: &Observed) -> Vec<Step> {
    let Shape::Slave { on, mtu: Some(mtu), .. } = &intent.shape else { return Vec::new() };
    let fits = observed.host_link(on).is_some_and(|parent| mtu.get() <= parent.mtu);
    let other = |(_, link): &(Place, &Link)| fits && link.mtu != mtu.get();
    let found = intent.find(observed).into_iter().filter(other);
    found.map(|(place, link)| Step::SetMtu { place, name: link.name.clone(), mtu: *mtu }).collect()
}

/// Moves a slave into its sandbox and sets it up there, where that is ours to do.
fn move_slave(intent: &LinkIntent) -> Vec<Step> {
    let (Some(SandboxLink { name: called, .. }), Some(to)) = (&intent.set_up, &intent.sandbox) else {
        return Vec::new();
    };
    let step = Step::Move { name: intent.mark.birth_name(), to: to.clone(), called: called.clone() };
    [vec![step], set_up_slave(intent, None)].concat()
}

/// Sets a slave up in its sandbox: what the engine does elsewhere. `link` is the slave as it is there already.
///
/// Addresses before up, so that it never answers without them; settings before addresses, because one of them decides
/// whether there may be IPv6 addresses at all. Routes last: a link that is down has none.
fn set_up_slave(intent: &LinkIntent, link: Option<&Link>) -> Vec<Step> {
    let (Some(SandboxLink { name, sysctls, routes }), Some(sandbox)) = (&intent.set_up, &intent.sandbox) else {
        return Vec::new();
    };
    if link.is_some_and(|link| link.up) {
        return Vec::new(); // done, and the container's since
    }
    let name = link.map_or(name, |link| &link.name);
    let (name, sandbox) = (|| name.clone(), || sandbox.clone());
    let ipv6 = Sysctl::disable_ipv6(!intent.addresses.has(Family::V6));
    let settings = std::iter::once(&ipv6).chain(sysctls.iter());
    let settings = settings.map(|sysctl| Step::SetSysctl { sandbox: sandbox(), name: name(), sysctl: sysctl.clone() });
    let missing = |address: &IpNet| !link.is_some_and(|link| link.addresses.contains(address));
    let addresses = intent.addresses.iter().filter(missing);
    let addresses = addresses.map(|address| Step::AddAddress { sandbox: sandbox(), name: name(), address });
    let up = Step::SetUp { place: Place::Sandbox(sandbox()), name: name() };
    let routes = routes.iter().map(|route| Step::AddRoute { sandbox: sandbox(), name: name(), route });
    settings.chain(addresses).chain(std::iter::once(up)).chain(routes).collect()
}

fn set_mark(intent: &LinkIntent, link: Option<&Link>) -> Vec<Step> {
    let alias = intent.mark.to_string();
    if link.is_some_and(|link| link.alias.as_deref() == Some(alias.as_str())) {
        return Vec::new();
    }
    vec![Step::SetAlias { name: intent.mark.birth_name(), mark: intent.mark.clone() }]
}
