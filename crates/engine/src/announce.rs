//! Telling the neighbours of a container where its addresses are.

use model::{Endpoint, EndpointId, Link, LinkIntent, Place, Presence};

use crate::{Engine, EngineError};

/// What became of one announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// It was sent.
    Sent,
    /// The slave is not up in its sandbox with its addresses; nobody would answer there.
    NotYet,
    /// There is nothing to announce any more: the endpoint is gone.
    Over,
}

impl Engine {
    /// Tells the neighbours of an endpoint, once, where its addresses are.
    ///
    /// Whoever knew an address at another MAC, from before the container moved here, else keeps sending there until
    /// the entry ages. Asked of the kernel each time, so that an address is announced only while it is really there.
    ///
    /// # Errors
    /// When ledger or kernel cannot be read, or the frame cannot be sent.
    pub fn announce(&self, id: &EndpointId) -> Result<Announced, EngineError> {
        let Some(endpoint) = self.store.endpoint(id)? else { return Ok(Announced::Over) };
        let Some(network) = self.store.network(&endpoint.network)? else { return Ok(Announced::Over) };
        let Some(sandbox) = &endpoint.sandbox else { return Ok(Announced::NotYet) };
        let observed = kernel::observe_on(network.parent.name(), sandbox)?;
        let slave = LinkIntent::slave_of(&endpoint, &network, Presence::Present);
        let serves = |(place, link): (Place, &Link)| matches!(place, Place::Sandbox(_)) && serves(link, &endpoint);
        let ready = slave.find(&observed).into_iter().any(serves);
        let Some(parent) = observed.host_link(network.parent.name()).filter(|_| ready) else {
            return Ok(Announced::NotYet);
        };
        endpoint.addresses.iter().try_for_each(|address| kernel::announce(address.addr(), parent))?;
        Ok(Announced::Sent)
    }
}

/// Whether a slave answers for the addresses of its endpoint.
fn serves(link: &Link, endpoint: &Endpoint) -> bool {
    link.up && endpoint.addresses.iter().all(|held| link.addresses.iter().any(|found| found.addr() == held.addr()))
}
