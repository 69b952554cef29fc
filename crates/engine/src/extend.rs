//! Addresses that come when the interface is there already: whoever deals them had to speak on it first, as DHCP does.

use kernel::Scope;
use model::{Addresses, EndpointId, LinkIntent, Presence, SandboxRoutes, extend};
use store::StoreError;

use crate::endpoints::refuse_host_address;
use crate::{Connected, Engine, EngineError};

impl Engine {
    /// Gives a container that is connected addresses besides, which somebody else has dealt, and routes. What it has already is
    /// fine.
    ///
    /// # Errors
    /// When an address is somebody's, or kernel or ledger fail. What was given by then stays: the container is not what it
    /// should be, and is to be taken off its network.
    pub fn extend(
        &self,
        id: &EndpointId,
        addresses: &Addresses,
        routes: &SandboxRoutes,
    ) -> Result<Connected, EngineError> {
        loop {
            let gone = || EngineError::NoEndpoint(id.clone());
            let (port, network, endpoint) = self.lock_endpoint(id)?.ok_or_else(gone)?;
            let sandbox = endpoint.sandbox.as_slice();
            let observed = kernel::observe(Scope::Sandboxes(sandbox))?;
            refuse_host_address(&network, addresses, &observed)?;
            let endpoint = match self.store.extend(id, addresses, routes) {
                Err(StoreError::AddressHeld { address, holder, network }) => {
                    drop(port); // the holder may be on the same one
                    if !self.bury_if_dead(&holder, false)? {
                        return Err(StoreError::AddressHeld { address, holder, network }.into());
                    }
                    continue;
                }
                entered => entered?,
            };
            let slave = LinkIntent::slave_of(&endpoint, &network, Presence::Present);
            port.apply(&extend(&slave, addresses, routes, &observed), &observed)?;
            return self.connected(id)?.ok_or_else(gone);
        }
    }
}
