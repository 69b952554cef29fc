//! One look at the links of the host and of its sandboxes.

use std::collections::BTreeMap;
use std::io;

use model::{InterfaceName, Link, Observed, SandboxKey};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use crate::KernelError;
use crate::below;
use crate::link::{self, RTM_NEWADDR, RTM_NEWLINK, Seen};
use crate::namespace::Namespace;
use crate::netlink::{Failure, Netlink};
use crate::reach::visit_reachable;
use crate::request;

/// Which namespaces to look into besides the host's own.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// None.
    Host,
    /// Those at these paths, as far as they are there.
    Sandboxes(&'a [SandboxKey]),
    /// Those at these paths and all others in reach: of container engines, of `ip netns`, of any process. One that
    /// several paths lead to is listed once, under the given path if there is one.
    Everywhere(&'a [SandboxKey]),
}

/// Looks at the links of the host and of the namespaces in `scope`.
///
/// The host's namespace is that of the calling thread; it is never listed as a sandbox. A link whose name is no
/// [`model::InterfaceName`] is left out.
///
/// # Errors
/// When the links of the host, or of a namespace that is there, cannot be read. One that is gone or vanishes
/// meanwhile is left out.
pub fn observe(scope: Scope<'_>) -> Result<Observed, KernelError> {
    let io = |doing: &str, source| KernelError::Io { doing: doing.into(), source };
    let namespace = own_namespace()?;
    let mut netlink = Netlink::open().map_err(|error| io("open a netlink socket", error))?;

    // The host first: a slave that an engine moves into its sandbox while we look is then seen here, there or twice,
    // but never overlooked.
    let listing = list(&mut netlink).map_err(|failure| failure.while_trying_to("list the host's links"))?;
    if !listing.whole {
        return Err(io("list the host's links", io::Error::other("they change faster than they can be read")));
    }
    let host: Vec<Link> = listing.links.into_iter().map(below::on_host).collect();

    let (keys, everywhere) = match scope {
        Scope::Host => return Ok(Observed { host, sandboxes: BTreeMap::new() }),
        Scope::Sandboxes(keys) => (keys, false),
        Scope::Everywhere(keys) => (keys, true),
    };
    let mut sandboxes = BTreeMap::new();
    visit_reachable(&namespace, keys, everywhere, |key, sandbox| {
        sandboxes.insert(key.clone(), look_into(key, sandbox, &namespace, &host)?);
        Ok(())
    })?;
    Ok(Observed { host, sandboxes })
}

/// The link of that name on the host, without its addresses: one question, where [`observe`] asks for all there is.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn host_link(name: &InterfaceName) -> Result<Option<Link>, KernelError> {
    let doing = || format!("look for the link {name}");
    let mut netlink = Netlink::open().map_err(|source| KernelError::Io { doing: doing(), source })?;
    let found = netlink.get(request::by_name(name)).map_err(|failure| failure.while_trying_to(doing()))?;
    Ok(found.as_deref().and_then(link::link).map(below::on_host))
}

/// Looks at one link of the host, without its addresses, and at all links of a sandbox: enough for whoever looks for a slave on
/// the one in the other. [`observe`] asks for every link of the host, of which there is one more for each container that starts.
///
/// # Errors
/// As [`observe`].
pub fn observe_on(parent: &InterfaceName, sandbox: &SandboxKey) -> Result<Observed, KernelError> {
    let namespace = own_namespace()?;
    let host: Vec<Link> = host_link(parent)?.into_iter().collect();
    let mut sandboxes = BTreeMap::new();
    visit_reachable(&namespace, std::slice::from_ref(sandbox), false, |key, sandbox| {
        sandboxes.insert(key.clone(), look_into(key, sandbox, &namespace, &host)?);
        Ok(())
    })?;
    Ok(Observed { host, sandboxes })
}

fn own_namespace() -> Result<Namespace, KernelError> {
    Namespace::host().map_err(|source| KernelError::Io { doing: "open the host's namespace".into(), source })
}

fn look_into(key: &SandboxKey, sandbox: &Namespace, host: &Namespace, parents: &[Link]) -> io::Result<Vec<Link>> {
    let plainly = |failure| match failure {
        Failure::Io(error) => error,
        Failure::Refused(refusal) => refusal.errno.into(),
    };
    let mut netlink = sandbox.netlink()?;
    let listing = list(&mut netlink).map_err(plainly)?;
    if !listing.whole {
        tracing::debug!(%key, "links change faster than they can be read; some may be missing");
    }
    // Only now: the kernel numbers a namespace when it first has to name it, and that is in the list
    // (`rtnl_fill_link_netnsid()` in `net/core/rtnetlink.c`).
    let host_id = below::id_of(host, &mut netlink).map_err(plainly)?;
    Ok(below::in_sandbox(listing.links, host_id, parents))
}

struct Listing {
    links: Vec<Seen>,
    whole: bool,
}

fn list(netlink: &mut Netlink) -> Result<Listing, Failure> {
    let mut every_link = LinkMessage::default();
    every_link.attributes = vec![LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])];
    let dump = netlink.dump(&RouteNetlinkMessage::GetLink(every_link), RTM_NEWLINK)?;
    let mut links: Vec<Seen> = dump.objects.iter().filter_map(|body| link::link(body)).collect();
    let mut whole = dump.whole;

    let dump = netlink.dump(&RouteNetlinkMessage::GetAddress(AddressMessage::default()), RTM_NEWADDR)?;
    whole &= dump.whole;
    for (index, address) in dump.objects.iter().filter_map(|body| link::address(body)) {
        if let Some(seen) = links.iter_mut().find(|seen| seen.link.index == index) {
            seen.link.addresses.push(address);
        }
    }
    Ok(Listing { links, whole })
}
