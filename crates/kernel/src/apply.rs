//! The steps that change the kernel.

use std::io;
use std::path::Path;

use model::{InterfaceName, Place, Step};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, VlanProtocol,
};
use rustix::io::Errno;

use crate::KernelError;
use crate::links::slave_data;
use crate::namespace::Namespace;
use crate::netlink::{Netlink, RequestError};

/// Takes one step.
///
/// # Errors
/// When the kernel refuses. Deleting what is gone is success.
pub fn apply(step: &Step) -> Result<(), KernelError> {
    let explain = |error| explain(step, error);
    match step {
        Step::CreateDummy { name } => host()?.change(create(name, InfoKind::Dummy, None), CREATE).map_err(explain),
        Step::CreateVlan { name, on, id } => {
            let data = InfoData::Vlan(vec![InfoVlan::Id(id.get()), InfoVlan::Protocol(VlanProtocol::Ieee8021Q)]);
            create_on(on, create(name, InfoKind::Vlan, Some(data)), explain)
        }
        Step::CreateSlave { name, on, settings, mtu } => {
            // Mode and flags always: without a mode the kernel takes l3, and either is set for the whole port.
            let mut message = create(name, InfoKind::IpVlan, Some(slave_data(*settings)));
            if let (RouteNetlinkMessage::NewLink(link), Some(mtu)) = (&mut message, mtu) {
                link.attributes.push(LinkAttribute::Mtu(mtu.get()));
            }
            create_on(on, message, explain)
        }
        Step::SetAlias { name, mark } => {
            set(name, |link| link.attributes.push(LinkAttribute::IfAlias(mark.to_string())), explain)
        }
        Step::Rename { from, to } => {
            set(from, |link| link.attributes.push(LinkAttribute::IfName(to.to_string())), explain)
        }
        Step::SetUp { name } => {
            let up = |link: &mut LinkMessage| {
                link.header.flags = LinkFlags::Up;
                link.header.change_mask = LinkFlags::Up;
            };
            set(name, up, explain)
        }
        Step::Delete { place, index, name } => delete(place, *index, name).map_err(explain),
    }
}

const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;

fn host() -> Result<Netlink, KernelError> {
    Netlink::open().map_err(|source| KernelError::Io { doing: "opening a netlink socket".into(), source })
}

fn create(name: &InterfaceName, kind: InfoKind, data: Option<InfoData>) -> RouteNetlinkMessage {
    let mut link = LinkMessage::default();
    let info = std::iter::once(LinkInfo::Kind(kind)).chain(data.map(LinkInfo::Data)).collect();
    link.attributes = vec![LinkAttribute::IfName(name.to_string()), LinkAttribute::LinkInfo(info)];
    RouteNetlinkMessage::NewLink(link)
}

fn create_on(
    below: &InterfaceName,
    mut message: RouteNetlinkMessage,
    explain: impl Fn(RequestError) -> KernelError,
) -> Result<(), KernelError> {
    let mut netlink = host()?;
    let Some(parent) = by_name(&mut netlink, below).map_err(&explain)? else {
        return Err(KernelError::Gone { name: below.clone() });
    };
    if let RouteNetlinkMessage::NewLink(link) = &mut message {
        link.attributes.push(LinkAttribute::Link(parent.header.index));
    }
    netlink.change(message, CREATE).map_err(explain)
}

fn set(
    name: &InterfaceName,
    change: impl FnOnce(&mut LinkMessage),
    explain: impl Fn(RequestError) -> KernelError,
) -> Result<(), KernelError> {
    let mut netlink = host()?;
    let Some(found) = by_name(&mut netlink, name).map_err(&explain)? else {
        return Err(KernelError::Gone { name: name.clone() });
    };
    let mut link = LinkMessage::default();
    link.header.index = found.header.index;
    change(&mut link);
    netlink.change(RouteNetlinkMessage::SetLink(link), 0).map_err(explain)
}

/// Deletes by index, once it is sure that the index still is the link that was meant: it may have been given away.
fn delete(place: &Place, index: u32, name: &InterfaceName) -> Result<(), RequestError> {
    let opened = match place {
        Place::Host => Netlink::open(),
        Place::Sandbox(key) => Namespace::open(Path::new(key.as_str())).and_then(|namespace| namespace.netlink()),
    };
    let mut netlink = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut link = LinkMessage::default();
    link.header.index = index;
    let found = gone_is_none(netlink.get(RouteNetlinkMessage::GetLink(link.clone())))?;
    let same = |found: &LinkMessage| {
        found.attributes.iter().any(|a| matches!(a, LinkAttribute::IfName(found) if found == name.as_str()))
    };
    match found {
        Some(RouteNetlinkMessage::NewLink(found)) if same(&found) => {
            gone_is_none(netlink.change(RouteNetlinkMessage::DelLink(link), 0).map(Some)).map(|_| ())
        }
        _ => Ok(()),
    }
}

fn by_name(netlink: &mut Netlink, name: &InterfaceName) -> Result<Option<LinkMessage>, RequestError> {
    let mut link = LinkMessage::default();
    link.attributes = vec![LinkAttribute::IfName(name.to_string())];
    Ok(match gone_is_none(netlink.get(RouteNetlinkMessage::GetLink(link)))? {
        Some(RouteNetlinkMessage::NewLink(found)) => Some(found),
        _ => None,
    })
}

fn gone_is_none<T>(answer: Result<Option<T>, RequestError>) -> Result<Option<T>, RequestError> {
    match answer {
        Err(RequestError::Refused(refusal)) if refusal.errno == Errno::NODEV => Ok(None),
        answer => answer,
    }
}

/// What an error number means for a step. ipvlan itself gives no reason.
fn explain(step: &Step, error: RequestError) -> KernelError {
    let refusal = match error {
        RequestError::Io(source) => return KernelError::Io { doing: step.to_string(), source },
        RequestError::Refused(refusal) => refusal,
    };
    let kind = match step {
        Step::CreateDummy { .. } => "dummy",
        Step::CreateVlan { .. } => "8021q",
        _ => "ipvlan",
    };
    let created = match step {
        Step::CreateDummy { name } => Some((name, None)),
        Step::CreateVlan { name, on, .. } | Step::CreateSlave { name, on, .. } => Some((name, Some(on))),
        Step::Rename { to, .. } => Some((to, None)),
        Step::SetAlias { .. } | Step::SetUp { .. } | Step::Delete { .. } => None,
    };
    match (refusal.errno, created) {
        (Errno::PERM, _) => KernelError::NotPermitted { doing: step.to_string() },
        (Errno::OPNOTSUPP, Some(_)) if refusal.text.is_empty() || refusal.text.contains("Unknown device type") => {
            KernelError::NoModule { kind }
        }
        (Errno::EXIST, Some((name, _))) => KernelError::NameTaken { name: name.clone() },
        (Errno::BUSY, Some((_, Some(on)))) => KernelError::Busy { parent: on.clone() },
        (Errno::INVAL, Some((_, Some(on)))) => {
            KernelError::NotSuitable { parent: on.clone(), text: refusal.to_string() }
        }
        _ => KernelError::Refused {
            doing: format!("to {step}"),
            text: refusal.to_string(),
            source: refusal.errno.into(),
        },
    }
}
