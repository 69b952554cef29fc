//! Endpoints: one container interface on one network.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::mark::Mark;
use crate::moment::Moment;
use crate::name::{EndpointId, NetworkId, SandboxKey};
use crate::sandbox_link::SandboxLink;

/// An endpoint as its record says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its identity.
    pub id: EndpointId,
    /// The network it is on.
    pub network: NetworkId,
    /// The addresses it holds.
    pub addresses: Addresses,
    /// How its slave is set up in its sandbox, where that is ours to do and not the engine's.
    pub set_up: Option<SandboxLink>,
    /// Where its slave goes, once the engine has said so.
    pub sandbox: Option<SandboxKey>,
    /// When it was made.
    pub born: Moment,
    /// How far its creation or removal has come.
    pub state: EndpointState,
}

impl Endpoint {
    /// The mark of its slave.
    pub fn mark(&self) -> Mark {
        Mark::Endpoint { network: self.network.clone(), endpoint: self.id.clone() }
    }
}

/// How far an endpoint's record and the kernel have come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// It holds its addresses and has no slave.
    Created,
    /// Its slave is being made. Found by repair, that is undone.
    Attaching,
    /// Its slave was made and handed to the engine.
    Attached,
    /// To be removed. Found by repair, that is finished.
    Detaching,
}

/// The addresses of an endpoint: none, one, or one of each family, with the length of the subnet's prefix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4.
    pub v4: Option<Ipv4Net>,
    /// IPv6.
    pub v6: Option<Ipv6Net>,
}

impl Addresses {
    /// Those that are there.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.v4.map(IpNet::V4).into_iter().chain(self.v6.map(IpNet::V6))
    }
}
