//! Who has which address, and who is to have one.

use std::net::IpAddr;
use std::time::Duration;

use kernel::Scope;
use model::{EndpointName, Fill, Hold, Holding, InterfaceName, MacAddress, Network, Segment};

use crate::{Engine, EngineError};

/// How long a wire is listened to when somebody wants to know.
const LISTEN: Duration = Duration::from_millis(500);

/// What is known of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhoHas {
    /// What the ledger says.
    pub holdings: Vec<Holding>,
    /// The host's own link that has it.
    pub host: Option<InterfaceName>,
    /// Who has answered for it on the wire just now; not asked where a container of ours or the host has it.
    pub wire: Option<MacAddress>,
}

/// The addresses that are not free, and how full the pools are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// By segment and address.
    pub holdings: Vec<Holding>,
    /// By id.
    pub pools: Vec<Fill>,
}

impl Engine {
    /// All addresses that are not free, and the pools.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn addresses(&self) -> Result<Addresses, EngineError> {
        Ok(Addresses { holdings: self.store.holdings()?, pools: self.store.pools()? })
    }

    /// Who has an address, in one segment or any: the ledger is asked, and where it knows of no container, the wires of the
    /// networks that the address could be on.
    ///
    /// # Errors
    /// When ledger or kernel cannot be read.
    pub fn who_has(&self, segment: Option<&Segment>, address: IpAddr) -> Result<WhoHas, EngineError> {
        let holdings = self.store.who_has(segment, address)?;
        let observed = kernel::observe(Scope::Host)?;
        let own = observed.host.iter().find(|link| link.addresses.iter().any(|net| net.addr() == address));
        let host = own.map(|link| link.name.clone());
        let ours = holdings.iter().any(|holding| matches!(holding.hold, Hold::Endpoint { .. }));
        let concerned = |network: &Network| {
            let of_segment = segment.is_none_or(|segment| network.segment() == *segment);
            of_segment && network.subnets.iter().any(|subnet| subnet.pool().contains(&address))
        };
        let wire = if ours || host.is_some() { None } else { self.probe(address, concerned, LISTEN, &observed)? };
        Ok(WhoHas { holdings, host, wire })
    }

    /// Reserves an address for the container that comes with a name.
    ///
    /// # Errors
    /// When it is a gateway, an auxiliary address, or somebody else's on this host.
    pub fn reserve(&self, segment: &Segment, name: &EndpointName, address: IpAddr) -> Result<(), EngineError> {
        Ok(self.store.pin(segment, name, address)?)
    }

    /// Takes a reservation for a name back.
    ///
    /// # Errors
    /// When there is none.
    pub fn unreserve(&self, segment: &Segment, address: IpAddr) -> Result<(), EngineError> {
        if self.store.unpin(segment, address)? { Ok(()) } else { Err(EngineError::NotReserved(address)) }
    }
}
