//! Networks and endpoints of the reference that deals, and what they hold.

use std::collections::BTreeSet;

use model::{Endpoint, EndpointId, Hold, Ipam, Network, NetworkId, NetworkState, Pool, Subnet};
use store::StoreError;

use super::{Dealer, Lease, Reserved, Right};

impl Dealer {
    pub(in crate::dealing) fn begin_generation(&mut self) {
        self.end(|_, lease| lease.endpoint.is_none());
        self.reserved.retain(|one| one.hold != Hold::Gateway(None));
        self.close_unused();
    }

    pub(in crate::dealing) fn add_network(&mut self, network: &Network) -> Right<()> {
        if self.networks.contains_key(&network.id) {
            return Err(vec![StoreError::NetworkExists(network.id.clone())]);
        }
        self.enter_network(network);
        let (segment, auxiliary) = (network.segment(), &network.auxiliary);
        self.end(|at, lease| lease.endpoint.is_none() && at.0 == segment && auxiliary.contains(&at.1));
        Ok(())
    }

    pub(in crate::dealing) fn restore_network(&mut self, network: &Network) {
        self.enter_network(network);
        let mut moving = Vec::new();
        for (at, lease) in &self.leases {
            let on_it = lease.endpoint.as_ref().is_some_and(|id| self.endpoints[id] == network.id);
            let there = (network.segment(), at.1);
            if on_it && !self.leases.contains_key(&there) {
                moving.push((at.clone(), there));
            }
        }
        for (at, there) in moving {
            let lease = self.leases.remove(&at).unwrap();
            self.came_back(&at, self.now, lease.name.as_ref());
            self.leases.insert(there, lease);
        }
        let on_it = |lease: &&mut Lease| lease.endpoint.as_ref().is_some_and(|id| self.endpoints[id] == network.id);
        self.leases.values_mut().filter(on_it).for_each(|lease| lease.owed = network.ipam == Ipam::Ledger);
    }

    fn enter_network(&mut self, network: &Network) {
        let (id, segment) = (&network.id, network.segment());
        self.networks.insert(id.clone(), Network { state: NetworkState::Ready, ..network.clone() });
        self.reserved.retain(|one| !is_of(&one.hold, id));
        for at in network.subnets.iter().filter_map(Subnet::gateway) {
            let place = (segment.clone(), at);
            self.reserved.retain(|one| one.place != place || one.hold != Hold::Gateway(None));
            self.reserved.push(Reserved { place, hold: Hold::Gateway(Some(id.clone())), since: None });
        }
        for at in &network.auxiliary {
            let hold = Hold::Auxiliary(id.clone());
            self.reserved.push(Reserved { place: (segment.clone(), *at), hold, since: None });
        }
    }

    pub(in crate::dealing) fn remove_network(&mut self, id: &NetworkId) {
        let on_it: BTreeSet<EndpointId> =
            self.endpoints.iter().filter(|(_, on)| *on == id).map(|(endpoint, _)| endpoint.clone()).collect();
        self.end(|_, lease| lease.endpoint.as_ref().is_some_and(|endpoint| on_it.contains(endpoint)));
        self.endpoints.retain(|endpoint, _| !on_it.contains(endpoint));
        self.networks.remove(id);
        self.reserved.retain(|one| !is_of(&one.hold, id));
        self.close_unused();
    }

    fn close_unused(&mut self) {
        let dealt_from: BTreeSet<Pool> = self.leases.values().filter_map(|lease| lease.pool.clone()).collect();
        let closed = |pool: &Pool| !self.in_use(pool) && !dealt_from.contains(pool);
        let closed: Vec<Pool> = self.pools.keys().filter(|pool| closed(pool)).cloned().collect();
        closed.iter().for_each(|pool| drop(self.pools.remove(pool)));
    }

    /// Enters an endpoint; one that is found again may be where no new one is let.
    pub(in crate::dealing) fn claim(&mut self, endpoint: &Endpoint, found_again: bool) -> Right<()> {
        let network = self.networks.get(&endpoint.network).cloned();
        let network = network.ok_or_else(|| vec![StoreError::NoNetwork(endpoint.network.clone())]);
        if self.endpoints.contains_key(&endpoint.id) {
            return Err(vec![StoreError::EndpointExists(endpoint.id.clone())]);
        }
        let network = network?;
        if !found_again {
            self.give_up_old_claims();
        }
        let places = || endpoint.addresses.iter().map(|net| (network.segment(), net.addr()));
        let mut refusals = Vec::new();
        for place in places() {
            let barring = |hold: &Hold| !matches!(hold, Hold::Pinned(_) | Hold::Foreign { .. }) && !found_again;
            let holds = self.at(&place).map(|one| one.hold.clone()).filter(barring);
            refusals.extend(holds.map(|hold| StoreError::AddressTaken { address: place.1, hold }));
            refusals.extend(self.lease_refused(&place, network.ipam));
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        for place in places() {
            let owed = network.ipam == Ipam::Ledger;
            let new = Lease { endpoint: None, pool: None, owed, name: None, since: 0 };
            let lease = self.leases.entry(place).or_insert(new);
            (lease.endpoint, lease.since) = (Some(endpoint.id.clone()), self.now);
        }
        self.endpoints.insert(endpoint.id.clone(), endpoint.network.clone());
        Ok(())
    }

    pub(in crate::dealing) fn release(&mut self, id: &EndpointId) {
        let owed = self.leases.values_mut().filter(|lease| lease.endpoint.as_ref() == Some(id) && lease.owed);
        owed.for_each(|lease| (lease.endpoint, lease.since) = (None, self.now));
        self.bury(id);
    }

    pub(in crate::dealing) fn bury(&mut self, id: &EndpointId) {
        self.end(|_, lease| lease.endpoint.as_ref() == Some(id));
        self.endpoints.remove(id);
    }
}

fn is_of(hold: &Hold, network: &NetworkId) -> bool {
    matches!(hold, Hold::Gateway(Some(of)) | Hold::Auxiliary(of) if of == network)
}
