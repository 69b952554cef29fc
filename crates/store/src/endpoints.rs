//! The verbs on endpoints and the addresses they hold.

use model::{Endpoint, EndpointId, SandboxKey, Segment};
use rusqlite::{OptionalExtension, Params, Transaction, params};

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

    /// Enters an endpoint and the addresses it holds from now on, all or nothing. It is entered as
    /// [`Created`](model::EndpointState::Created) and without a sandbox, whatever it says itself.
    ///
    /// # Errors
    /// [`StoreError::AddressHeld`], when another endpoint holds one in this segment; [`StoreError::EndpointExists`];
    /// [`StoreError::NoNetwork`], when its network is not in use.
    pub fn claim(&self, endpoint: &Endpoint, segment: &Segment) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| enter(transaction, endpoint, segment))
    }

    /// Enters an endpoint whose slave is in its sandbox already, all or nothing: found again after the ledger was lost.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub fn restore_endpoint(
        &self,
        endpoint: &Endpoint,
        sandbox: &SandboxKey,
        segment: &Segment,
    ) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            enter(transaction, endpoint, segment)?;
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

    /// Notes the intent to remove the endpoint. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn begin_detach(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.alter("UPDATE endpoint SET state = 'detaching' WHERE id = ?", id)
    }

    /// Drops the endpoint; its addresses are free. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn release(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.alter("DELETE FROM endpoint WHERE id = ?", id)
    }

    /// One statement about one endpoint, which need not be there.
    fn alter(&self, statement: &str, id: &EndpointId) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            transaction.execute(statement, [id.as_str()])?;
            Ok(())
        })
    }
}

/// Enters an endpoint as created, with the addresses it holds.
fn enter(transaction: &Transaction<'_>, endpoint: &Endpoint, segment: &Segment) -> Result<(), StoreError> {
    if !endpoints(transaction, "WHERE endpoint.id = ?", [endpoint.id.as_str()])?.is_empty() {
        return Err(StoreError::EndpointExists(endpoint.id.clone()));
    }
    let network = endpoint.network.as_str();
    let ready = "SELECT 1 FROM network WHERE id = ? AND state = 'ready'";
    if transaction.query_one(ready, [network], |_| Ok(())).optional()?.is_none() {
        return Err(StoreError::NoNetwork(endpoint.network.clone()));
    }
    transaction.execute(
        "INSERT INTO endpoint VALUES (?, ?, ?, ?, NULL, ?, ?, 'created', ?, ?)",
        params![
            endpoint.id.as_str(),
            network,
            endpoint.addresses.v4.map(|address| address.to_string()),
            endpoint.addresses.v6.map(|address| address.to_string()),
            endpoint.born.generation.0.cast_signed(),
            endpoint.born.boot.to_string(),
            endpoint.set_up.as_ref().map(|link| link.name.as_str()),
            endpoint.set_up.as_ref().map(|link| link.sysctls.to_string()),
        ],
    )?;
    endpoint.addresses.iter().try_for_each(|address| lease(transaction, endpoint, segment, address.addr()))
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

fn lease(
    transaction: &Transaction<'_>,
    endpoint: &Endpoint,
    segment: &Segment,
    address: std::net::IpAddr,
) -> Result<(), StoreError> {
    let (segment, text) = (segment.to_string(), address.to_string());
    let taken = transaction.execute(
        "INSERT INTO lease VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [segment.as_str(), text.as_str(), endpoint.id.as_str()],
    )?;
    if taken == 1 {
        return Ok(());
    }
    let filter = "JOIN lease ON lease.endpoint = endpoint.id WHERE segment = ? AND address = ?";
    let holder = endpoints(transaction, filter, [segment, text])?.pop();
    let holder =
        holder.ok_or(StoreError::Corrupt { table: "lease", column: "endpoint", value: address.to_string() })?;
    Err(StoreError::AddressHeld { address, holder: holder.id, network: holder.network })
}
