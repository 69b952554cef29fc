//! One look at the links of the host and of its sandboxes.

use std::os::fd::AsRawFd;

use model::{Link, Observed, SandboxKey};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};

use crate::KernelError;
use crate::links::{self, Below};
use crate::namespace::{Namespace, reachable};
use crate::netlink::{Netlink, RequestError};

/// Which namespaces to look into besides the host's own.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// None.
    Host,
    /// Those at these paths, as far as they are there.
    Sandboxes(&'a [SandboxKey]),
    /// Those at these paths and all others in reach: of container engines, of `ip netns`, of any process.
    Everywhere(&'a [SandboxKey]),
}

/// Looks at the links of the host and of the namespaces in `scope`.
///
/// The host comes first, on purpose: a slave on its way into its sandbox is then seen at least once. One on its way
/// back may be missed, but its engine is about to remove it.
///
/// # Errors
/// When the host's own links cannot be read. A sandbox that is gone or vanishes meanwhile is left out.
pub fn observe(scope: Scope<'_>) -> Result<Observed, KernelError> {
    let namespace =
        Namespace::host().map_err(|source| KernelError::Io { doing: "opening the host's namespace".into(), source })?;
    let mut netlink =
        Netlink::open().map_err(|source| KernelError::Io { doing: "opening a netlink socket".into(), source })?;
    let host = links_of(&mut netlink, Below::Host).map_err(|error| match error {
        RequestError::Io(source) => KernelError::Io { doing: "listing links".into(), source },
        RequestError::Refused(refusal) => KernelError::Refused {
            doing: "to list links".into(),
            text: refusal.to_string(),
            source: refusal.errno.into(),
        },
    })?;
    let sandboxes = match scope {
        Scope::Host => Vec::new(),
        Scope::Sandboxes(keys) => reachable(&namespace, keys, false),
        Scope::Everywhere(keys) => reachable(&namespace, keys, true),
    };
    let looked = sandboxes.into_iter().filter_map(|(key, sandbox)| match look_into(&sandbox, &namespace) {
        Ok(links) => Some((key, links)),
        Err(error) => {
            tracing::debug!(sandbox = %key, ?error, "a namespace that cannot be read is passed over");
            None
        }
    });
    Ok(Observed { sandboxes: looked.collect(), host })
}

fn look_into(sandbox: &Namespace, host: &Namespace) -> Result<Vec<Link>, RequestError> {
    let mut netlink = sandbox.netlink()?;
    let id = id_of(host, &mut netlink)?;
    links_of(&mut netlink, Below::Sandbox(id))
}

/// The number by which a namespace knows another, where it knows it at all (`RTM_GETNSID`).
fn id_of(other: &Namespace, netlink: &mut Netlink) -> Result<Option<i32>, RequestError> {
    let mut message = NsidMessage::default();
    let fd = u32::try_from(other.file().as_raw_fd()).expect("an open descriptor is no negative number");
    message.attributes = vec![NsidAttribute::Fd(fd)];
    let answer = netlink.get(RouteNetlinkMessage::GetNsId(message))?;
    let Some(RouteNetlinkMessage::NewNsId(answer)) = answer else { return Ok(None) };
    let id = answer.attributes.iter().find_map(|a| if let NsidAttribute::Id(id) = a { Some(*id) } else { None });
    Ok(id.filter(|id| *id >= 0))
}

fn links_of(netlink: &mut Netlink, below: Below) -> Result<Vec<Link>, RequestError> {
    let mut links: Vec<Link> = netlink
        .dump(&RouteNetlinkMessage::GetLink(LinkMessage::default()))?
        .iter()
        .filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(message) => links::link(message, below),
            _ => None,
        })
        .collect();
    for message in netlink.dump(&RouteNetlinkMessage::GetAddress(AddressMessage::default()))? {
        let RouteNetlinkMessage::NewAddress(message) = message else { continue };
        let Some((index, address)) = links::address(&message) else { continue };
        if let Some(link) = links.iter_mut().find(|link| link.index == index) {
            link.addresses.push(address);
        }
    }
    Ok(links)
}
