//! The verbs on endpoints and the addresses they hold.

use std::net::IpAddr;
use std::time::SystemTime;

use ipnet::IpNet;
use model::{Addresses, BootId, Endpoint, EndpointId, Hold, Ipam, Network, SandboxKey, SandboxLink, SandboxRoutes};
use rusqlite::{Params, Transaction, params};

use crate::addresses::{free, give_up_old_claims, lessee};
use crate::keys::{key, millis};
use crate::reservations::{self, Reserved};
use crate::{Durability, Store, StoreError, rows};

impl Store {
    /// All endpoints, by id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.read(|transaction| endpoints(transaction, "ORDER BY endpoint.id", []))
    }

    /// One endpoint.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        self.read(|transaction| Ok(endpoints(transaction, "WHERE endpoint.id = ?", [id.as_str()])?.pop()))
    }

    /// Whether an endpoint of another boot is on record, which is dead.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn outlives_a_boot(&self, boot: &BootId) -> Result<bool, StoreError> {
        self.read(|transaction| {
            let exists = "SELECT EXISTS (SELECT 1 FROM endpoint WHERE boot <> ?)";
            Ok(transaction.query_one(exists, [boot.to_string()], |row| row.get(0))?)
        })
    }

    /// Enters an endpoint and the addresses it holds from now on, all or nothing. It is entered as
    /// [`Created`](model::EndpointState::Created) and without a sandbox, whatever it says itself.
    ///
    /// # Errors
    /// [`StoreError::AddressHeld`], when another endpoint holds one in its network's segment; [`StoreError::AddressTaken`], when
    /// it is somebody else's; [`StoreError::EndpointExists`]; [`StoreError::NoNetwork`], when its network is not in use.
    pub fn claim(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let (network, now) = (network_of(transaction, endpoint)?, self.now());
            give_up_old_claims(transaction, now)?;
            for address in endpoint.addresses.iter().map(|address| address.addr()) {
                ensure_unreserved(transaction, &network, address, now)?;
            }
            enter(transaction, endpoint, &network, now)
        })
    }

    /// Enters addresses that an endpoint gets besides, and the routes that come with them, all or nothing. What it has already is
    /// not entered again. The endpoint as it is then.
    ///
    /// # Errors
    /// As [`Store::claim`]; [`StoreError::NoEndpoint`], when it is gone or on its way out.
    pub fn extend(
        &self,
        id: &EndpointId,
        addresses: &Addresses,
        routes: &SandboxRoutes,
    ) -> Result<Endpoint, StoreError> {
        self.write(Durability::Normal, |transaction| {
            let found = endpoints(transaction, "WHERE endpoint.id = ? AND state <> 'detaching'", [id.as_str()])?.pop();
            let endpoint = found.ok_or_else(|| StoreError::NoEndpoint(id.clone()))?;
            let (network, now) = (ready_network(transaction, &endpoint)?, self.now());
            let has = |address: &IpNet| endpoint.addresses.iter().any(|held| held.addr() == address.addr());
            let more: Vec<IpNet> = addresses.iter().filter(|address| !has(address)).collect();
            give_up_old_claims(transaction, now)?;
            for address in more.iter().map(IpNet::addr) {
                ensure_unreserved(transaction, &network, address, now)?;
                lease(transaction, &endpoint, &network, address, now)?;
            }
            let addresses: Addresses = endpoint.addresses.iter().chain(more).collect();
            let set_up = endpoint
                .set_up
                .clone()
                .map(|link| SandboxLink { routes: link.routes.iter().chain(routes.iter()).collect(), ..link });
            let update = "UPDATE endpoint SET addresses = ?, link_routes = ? WHERE id = ?";
            let link_routes = set_up.as_ref().map(|link| link.routes.to_string());
            transaction.execute(update, params![addresses.to_string(), link_routes, id.as_str()])?;
            Ok(Endpoint { addresses, set_up, ..endpoint })
        })
    }

    /// Enters an endpoint whose slave is in its sandbox already, all or nothing: found again after the ledger was lost.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub fn restore_endpoint(&self, endpoint: &Endpoint, sandbox: &SandboxKey) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let network = network_of(transaction, endpoint)?;
            enter(transaction, endpoint, &network, self.now())?;
            transaction.execute(
                "UPDATE endpoint SET state = 'attached', sandbox = ? WHERE id = ?",
                [sandbox.as_str(), endpoint.id.as_str()],
            )?;
            Ok(())
        })
    }

    /// Notes the intent to make the endpoint's slave.
    ///
    /// # Errors
    /// [`StoreError::NoEndpoint`], when it is gone or on its way out.
    pub fn begin_attach(&self, id: &EndpointId, sandbox: &SandboxKey) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let changed = transaction.execute(
                "UPDATE endpoint SET state = 'attaching', sandbox = ? WHERE id = ? AND state <> 'detaching'",
                [sandbox.as_str(), id.as_str()],
            )?;
            if changed == 1 { Ok(()) } else { Err(StoreError::NoEndpoint(id.clone())) }
        })
    }

    /// Notes that the slave is made. An endpoint that is attached already stays so.
    ///
    /// # Errors
    /// [`StoreError::NoEndpoint`], when it is gone, on its way out, or no longer being attached.
    pub fn confirm_attach(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let confirm = "UPDATE endpoint SET state = 'attached' WHERE id = ? AND state IN ('attaching', 'attached')";
            let changed = transaction.execute(confirm, [id.as_str()])?;
            if changed == 1 { Ok(()) } else { Err(StoreError::NoEndpoint(id.clone())) }
        })
    }

    /// Takes the intent to make the slave back; where it may still be stays known. Without one, there is nothing to do.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn undo_attach(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.alter("UPDATE endpoint SET state = 'created' WHERE id = ? AND state = 'attaching'", id)
    }

    /// Notes that the engine of the present life knows the endpoint, whenever it was made: what is left of it is that engine's to
    /// remove and to give back. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn recognise(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.alter("UPDATE endpoint SET generation = (SELECT generation FROM engine) WHERE id = ?", id)
    }

    /// Notes the intent to remove the endpoint. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn begin_detach(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.alter("UPDATE endpoint SET state = 'detaching' WHERE id = ?", id)
    }

    /// Drops the endpoint; its addresses are free, but for those that were dealt to its engine: these are the engine's until
    /// it gives them back, since it says no more then than the address. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn release(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let unbind = "UPDATE lease SET endpoint = NULL, since = ? WHERE endpoint = ? AND owed = 1";
            transaction.prepare_cached(unbind)?.execute(params![millis(self.now()), id.as_str()])?;
            remove(transaction, id, self.now())
        })
    }

    /// Drops an endpoint that is dead, with all that it holds. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn bury(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| remove(transaction, id, self.now()))
    }

    /// One statement about one endpoint, which need not be there.
    fn alter(&self, statement: &str, id: &EndpointId) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            transaction.execute(statement, [id.as_str()])?;
            Ok(())
        })
    }
}

fn remove(transaction: &Transaction<'_>, id: &EndpointId, now: SystemTime) -> Result<(), StoreError> {
    free(transaction, now, "endpoint = ?", [id.as_str()])?;
    transaction.prepare_cached("DELETE FROM endpoint WHERE id = ?")?.execute([id.as_str()])?;
    Ok(())
}

/// The network of an endpoint that is to be entered.
fn network_of(transaction: &Transaction<'_>, endpoint: &Endpoint) -> Result<Network, StoreError> {
    if !endpoints(transaction, "WHERE endpoint.id = ?", [endpoint.id.as_str()])?.is_empty() {
        return Err(StoreError::EndpointExists(endpoint.id.clone()));
    }
    ready_network(transaction, endpoint)
}

fn ready_network(transaction: &Transaction<'_>, endpoint: &Endpoint) -> Result<Network, StoreError> {
    let filter = "WHERE id = ? AND state = 'ready'";
    let network = crate::networks::networks(transaction, filter, [endpoint.network.as_str()])?.pop();
    network.ok_or_else(|| StoreError::NoNetwork(endpoint.network.clone()))
}

/// A reservation for a name, or what was found on the wire once, is for the deck to mind: here nobody says the name.
fn ensure_unreserved(
    transaction: &Transaction<'_>,
    network: &Network,
    address: IpAddr,
    now: SystemTime,
) -> Result<(), StoreError> {
    for Reserved { hold, .. } in reservations::at(transaction, &network.segment().to_string(), address, now)? {
        if !matches!(hold, Hold::Pinned(_) | Hold::Foreign { .. }) {
            return Err(StoreError::AddressTaken { address, hold });
        }
    }
    Ok(())
}

/// Enters an endpoint as created, with the addresses it holds.
fn enter(
    transaction: &Transaction<'_>,
    endpoint: &Endpoint,
    network: &Network,
    now: SystemTime,
) -> Result<(), StoreError> {
    let insert =
        "INSERT INTO endpoint (id, network, addresses, generation, boot, state, link_name, link_sysctls, link_routes)
        VALUES (?, ?, ?, ?, ?, 'created', ?, ?, ?)";
    transaction.prepare_cached(insert)?.execute(params![
        endpoint.id.as_str(),
        network.id.as_str(),
        endpoint.addresses.to_string(),
        endpoint.born.generation.0.cast_signed(),
        endpoint.born.boot.to_string(),
        endpoint.set_up.as_ref().map(|link| link.name.as_str()),
        endpoint.set_up.as_ref().map(|link| link.sysctls.to_string()),
        endpoint.set_up.as_ref().map(|link| link.routes.to_string()),
    ])?;
    endpoint.addresses.iter().try_for_each(|address| lease(transaction, endpoint, network, address.addr(), now))
}

pub(crate) fn endpoints(
    transaction: &Transaction<'_>,
    filter: &str,
    with: impl Params,
) -> Result<Vec<Endpoint>, StoreError> {
    let mut statement = transaction.prepare_cached(&format!("{} {filter}", rows::ENDPOINT))?;
    let mut found = statement.query(with)?;
    let mut endpoints = Vec::new();
    while let Some(row) = found.next()? {
        endpoints.push(rows::endpoint(row)?);
    }
    Ok(endpoints)
}

/// An address that the ledger has dealt is its network's engine's, and waits for this endpoint; one whose claim was lost is
/// the engine's all the same.
fn lease(
    transaction: &Transaction<'_>,
    endpoint: &Endpoint,
    network: &Network,
    address: IpAddr,
    now: SystemTime,
) -> Result<(), StoreError> {
    let (segment, id) = (network.segment().to_string(), endpoint.id.as_str());
    match (lessee(transaction, &segment, address)?, network.ipam) {
        (None, ipam) => {
            let mut enter = transaction.prepare_cached("INSERT INTO lease VALUES (?, ?, ?, NULL, ?, NULL, ?)")?;
            enter.execute(params![segment, key(address), id, ipam == Ipam::Ledger, millis(now)])?;
            Ok(())
        }
        (Some(None), Ipam::Ledger) => {
            let bind = "UPDATE lease SET endpoint = ?, since = ? WHERE segment = ? AND address = ?";
            transaction.prepare_cached(bind)?.execute(params![id, millis(now), segment, key(address)])?;
            Ok(())
        }
        (Some(None), Ipam::Engine) => Err(StoreError::AddressTaken { address, hold: Hold::Claim }),
        (Some(Some(_)), _) => Err(held(transaction, &segment, address)?),
    }
}

/// The refusal that names the endpoint which holds an address.
pub(crate) fn held(transaction: &Transaction<'_>, segment: &str, address: IpAddr) -> Result<StoreError, StoreError> {
    let filter = "JOIN lease ON lease.endpoint = endpoint.id WHERE segment = ? AND address = ?";
    let holder = endpoints(transaction, filter, params![segment, key(address)])?.pop();
    let holder =
        holder.ok_or(StoreError::Corrupt { table: "lease", column: "endpoint", value: address.to_string() })?;
    Ok(StoreError::AddressHeld { address, holder: holder.id, network: holder.network })
}
