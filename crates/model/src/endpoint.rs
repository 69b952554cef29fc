//! Endpoints: one container interface on one network.

use std::fmt;
use std::str::FromStr;

use ipnet::{AddrParseError, IpNet};

use crate::family::Family;
use crate::frontend::Frontend;
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
    /// Who asked for that.
    pub frontend: Frontend,
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
        Mark::Endpoint { frontend: self.frontend, network: self.network.clone(), endpoint: self.id.clone() }
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

/// The addresses of an endpoint, each with the length of its subnet's prefix. Of each family the first is the one that its
/// default route goes by.
///
/// As text they stand with spaces in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(Vec<IpNet>);

impl Addresses {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().copied()
    }

    /// Whether there is one of that family.
    pub fn has(&self, family: Family) -> bool {
        self.iter().any(|address| Family::of(address.addr()) == family)
    }
}

impl FromIterator<IpNet> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpNet>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl From<IpNet> for Addresses {
    fn from(address: IpNet) -> Self {
        Self(vec![address])
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.pad(&parts.join(" "))
    }
}

impl FromStr for Addresses {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}
