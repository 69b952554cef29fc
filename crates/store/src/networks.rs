//! The verbs on networks.

use model::{Endpoint, InterfaceName, Ipam, Network, NetworkId, NetworkState, Parent};
use rusqlite::{Params, Transaction, params};

use crate::{Durability, Store, StoreError, addresses, reservations, rows};

/// What is on one port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortRecords {
    /// Networks on the parent.
    pub networks: Vec<Network>,
    /// Their endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl Store {
    /// All networks, by id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn networks(&self) -> Result<Vec<Network>, StoreError> {
        self.read(|transaction| networks(transaction, "ORDER BY id", []))
    }

    /// One network.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn network(&self, id: &NetworkId) -> Result<Option<Network>, StoreError> {
        self.read(|transaction| Ok(networks(transaction, "WHERE id = ?", [id.as_str()])?.pop()))
    }

    /// The networks on the parent of that name and their endpoints, by id, at one moment.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn on_parent(&self, parent: &InterfaceName) -> Result<PortRecords, StoreError> {
        self.read(|transaction| {
            let networks = networks(transaction, "WHERE parent = ? ORDER BY id", [parent.as_str()])?;
            let filter = "JOIN network ON network.id = endpoint.network WHERE parent = ? ORDER BY endpoint.id";
            let endpoints = crate::endpoints::endpoints(transaction, filter, [parent.as_str()])?;
            Ok(PortRecords { networks, endpoints })
        })
    }

    /// Notes the intent to make a network: it is entered as [`NetworkState::Creating`], whatever it says itself.
    ///
    /// # Errors
    /// [`StoreError::PortHeld`], when a network on the parent has other settings; [`StoreError::NetworkExists`].
    pub fn add_network(&self, network: &Network) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            if !networks(transaction, "WHERE id = ?", [network.id.as_str()])?.is_empty() {
                return Err(StoreError::NetworkExists(network.id.clone()));
            }
            ensure_port_agrees(transaction, network)?;
            insert(transaction, network)?;
            reservations::settle_auxiliary(transaction, network, self.now())
        })
    }

    /// Makes sure that no other network on the parent has other settings.
    ///
    /// # Errors
    /// [`StoreError::PortHeld`], when one has.
    pub fn ensure_port_agrees(&self, network: &Network) -> Result<(), StoreError> {
        self.read(|transaction| ensure_port_agrees(transaction, network))
    }

    /// Notes that a network is made. One that is ready already stays so.
    ///
    /// # Errors
    /// [`StoreError::NoNetwork`], when it is gone or on its way out.
    pub fn confirm_network(&self, id: &NetworkId) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let changed = transaction
                .execute("UPDATE network SET state = 'ready' WHERE id = ? AND state <> 'deleting'", [id.as_str()])?;
            if changed == 1 { Ok(()) } else { Err(StoreError::NoNetwork(id.clone())) }
        })
    }

    /// Enters a network that is in use: found again after the ledger was lost. On record already, it keeps its state and its
    /// endpoints, and what is known of it now takes the place of what was known.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn restore_network(&self, network: &Network) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let id = network.id.as_str();
            if networks(transaction, "WHERE id = ?", [id])?.is_empty() {
                insert(transaction, network)?;
                transaction.execute("UPDATE network SET state = 'ready' WHERE id = ?", [id])?;
            } else {
                transaction.execute("DELETE FROM subnet WHERE network = ?", [id])?;
                insert_subnets(transaction, network)?;
                transaction.execute("DELETE FROM network_pool WHERE network = ?", [id])?;
                insert_pools(transaction, network)?;
            }
            transaction.execute(
                "UPDATE network SET mtu = ?, announce_count = ?, announce_interval_ms = ?, segment = ?, complete = ?, ipam = ?
                 WHERE id = ?",
                params![
                    network.mtu.map(model::Mtu::get),
                    network.announcements.count(),
                    network.announcements.interval_ms(),
                    network.segment_name.as_str(),
                    network.complete,
                    dealer(network),
                    id
                ],
            )?;
            addresses::move_to(transaction, self.now(), &network.id, &network.segment())?;
            // Its engine gives back what its endpoints have.
            transaction.execute(
                "UPDATE lease SET owed = ? WHERE endpoint IN (SELECT id FROM endpoint WHERE network = ?)",
                params![network.ipam == Ipam::Ledger, id],
            )?;
            Ok(())
        })
    }

    /// Notes the intent to remove a network with all its endpoints. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn doom_network(&self, id: &NetworkId) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            transaction.execute("UPDATE network SET state = 'deleting' WHERE id = ?", [id.as_str()])?;
            transaction.execute("UPDATE endpoint SET state = 'detaching' WHERE network = ?", [id.as_str()])?;
            Ok(())
        })
    }

    /// Drops a network, its endpoints and what they hold. Gone is fine.
    ///
    /// Its pools go too; not those of one that comes and goes with its endpoints, or the next would be dealt an address that
    /// has not rested, and the name that comes again not the one it had.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn remove_network(&self, id: &NetworkId) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let its = "endpoint IN (SELECT id FROM endpoint WHERE network = ?)";
            addresses::free(transaction, self.now(), its, [id.as_str()])?;
            let network = networks(transaction, "WHERE id = ?", [id.as_str()])?.pop();
            transaction.execute("DELETE FROM network WHERE id = ?", [id.as_str()])?;
            match network {
                Some(network) if network.frontend.implies_networks() => Ok(()),
                _ => reservations::close_pools(transaction),
            }
        })
    }
}

pub(crate) fn networks(
    transaction: &Transaction<'_>,
    filter: &str,
    with: impl Params,
) -> Result<Vec<Network>, StoreError> {
    let mut statement = transaction.prepare_cached(&format!("{} {filter}", rows::NETWORK))?;
    let mut found = statement.query(with)?;
    let mut networks = Vec::new();
    while let Some(row) = found.next()? {
        networks.push(rows::network(transaction, row)?);
    }
    Ok(networks)
}

fn ensure_port_agrees(transaction: &Transaction<'_>, network: &Network) -> Result<(), StoreError> {
    let parent = network.parent.name();
    let on_parent = networks(transaction, "WHERE parent = ? ORDER BY id", [parent.as_str()])?;
    let disagrees = |other: &Network| other.state != NetworkState::Deleting && other.settings != network.settings;
    let holders: Vec<Network> = on_parent.into_iter().filter(disagrees).collect();
    let Some(settings) = holders.first().map(|holder| holder.settings) else { return Ok(()) };
    let holders = holders.into_iter().map(|holder| holder.id).collect();
    Err(StoreError::PortHeld { parent: parent.clone(), holders, settings })
}

fn insert(transaction: &Transaction<'_>, network: &Network) -> Result<(), StoreError> {
    let (kind, on, id) = match &network.parent {
        Parent::Link(_) => ("link", None, None),
        Parent::Dummy(_) => ("dummy", None, None),
        Parent::Elsewhere(_) => ("elsewhere", None, None),
        Parent::Vlan { on, id, .. } => ("vlan", Some(on.as_str()), Some(id.get())),
    };
    transaction.execute(
        "INSERT INTO network VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'creating', ?, ?, ?, ?, ?, ?)",
        params![
            network.id.as_str(),
            kind,
            network.parent.name().as_str(),
            on,
            id,
            network.settings.mode.as_str(),
            network.settings.flag.as_str(),
            network.mtu.map(model::Mtu::get),
            network.announcements.count(),
            network.announcements.interval_ms(),
            network.segment_name.as_str(),
            network.complete,
            dealer(network),
            network.frontend.as_str(),
        ],
    )?;
    insert_pools(transaction, network)?;
    insert_subnets(transaction, network)
}

fn insert_pools(transaction: &Transaction<'_>, network: &Network) -> Result<(), StoreError> {
    for (position, pool) in (0i64..).zip(&network.pools) {
        transaction.execute(
            "INSERT INTO network_pool VALUES (?, ?, ?)",
            params![network.id.as_str(), position, pool.to_string()],
        )?;
    }
    Ok(())
}

fn insert_subnets(transaction: &Transaction<'_>, network: &Network) -> Result<(), StoreError> {
    for (position, subnet) in (0i64..).zip(&network.subnets) {
        transaction.execute(
            "INSERT INTO subnet VALUES (?, ?, ?, ?)",
            params![
                network.id.as_str(),
                position,
                subnet.pool().to_string(),
                subnet.gateway().map(|gateway| gateway.to_string())
            ],
        )?;
    }
    reservations::of_network(transaction, network)
}

fn dealer(network: &Network) -> &'static str {
    match network.ipam {
        Ipam::Engine => "engine",
        Ipam::Ledger => "ledger",
    }
}
