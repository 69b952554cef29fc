//! Who has an address.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::frontend::Frontend;
use crate::mac::MacAddress;
use crate::name::{EndpointId, EndpointName, NetworkId};
use crate::network::Segment;

/// An address that is not free, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The segment.
    pub segment: Segment,
    /// The address.
    pub address: IpAddr,
    /// Who has it.
    pub hold: Hold,
    /// What the container is called, where its engine has told.
    pub name: Option<EndpointName>,
    /// Since when; not known of what goes with a network.
    pub since: Option<SystemTime>,
}

/// Who has an address, or what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// An endpoint.
    Endpoint {
        /// Which.
        endpoint: EndpointId,
        /// The network it is on.
        network: NetworkId,
        /// Who asked for it.
        frontend: Frontend,
    },
    /// An engine it was dealt to, for an endpoint that is still to come, or is gone and not given back yet.
    Claim,
    /// A router, of this network or of one that is being made.
    Gateway(Option<NetworkId>),
    /// Somebody the user knows of, who told when this network was made.
    Auxiliary(NetworkId),
    /// Whoever comes with this name.
    Pinned(EndpointName),
    /// Somebody else on this host, in words.
    Adopted(String),
    /// Somebody on the wire.
    Foreign {
        /// Who has answered for it.
        mac: MacAddress,
        /// How long that is believed.
        until: SystemTime,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Endpoint { endpoint, network, .. } => {
                write!(f, "held by endpoint {} of network {}", endpoint.short(), network.short())
            }
            Hold::Claim => f.write_str("dealt to a container that is still to come"),
            Hold::Gateway(Some(network)) => write!(f, "the gateway of network {}", network.short()),
            Hold::Gateway(None) => f.write_str("the gateway of a network that is being made"),
            Hold::Auxiliary(network) => write!(f, "an auxiliary address of network {}", network.short()),
            Hold::Pinned(name) => write!(f, "reserved for {name}"),
            Hold::Adopted(holder) => write!(f, "held by {holder}"),
            Hold::Foreign { mac, .. } => write!(f, "in use on the wire, by {mac}"),
        }
    }
}

/// A pool and how full it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The pool.
    pub pool: crate::pool::Pool,
    /// Addresses of its range that are not free, whoever has them.
    pub taken: u64,
    /// Those that came back and are not dealt yet for that.
    pub resting: u64,
}
