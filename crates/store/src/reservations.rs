//! Addresses that are not dealt: gateways, and what is somebody else's.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::SystemTime;

use model::{AddressRange, Adopted, EndpointName, Hold, Network, NetworkId, Pool, Segment};
use rusqlite::{Row, Transaction, params};

use crate::addresses::{address_in, free, give_up_old_claims};
use crate::deck::{Asker, Deck};
use crate::keys::{key, millis, time};
use crate::record::Record;
use crate::{Durability, Store, StoreError};

/// A row of the table.
pub(crate) struct Reserved {
    pub(crate) segment: Segment,
    pub(crate) address: IpAddr,
    pub(crate) hold: Hold,
    pub(crate) since: Option<SystemTime>,
}

pub(crate) const RESERVATION: &str = "SELECT segment, address, kind, network, holder, since, until FROM reservation";

impl Store {
    /// Enters a pool, so that networks can be checked against it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn open_pool(&self, pool: &Pool) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| Deck::of(transaction, pool, &[], self.now()).map(|_| ()))
    }

    /// Drops a pool, unless a network is on its subnet. Gone is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close_pool(&self, pool: &Pool) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let (segment, whole) = (pool.segment().to_string(), pool.whole());
            let used = format!("SELECT EXISTS ({})", networks_on("?1", "?2"));
            if transaction.query_one(&used, [&segment, &pool.subnet().to_string()], |row| row.get(0))? {
                return Ok(());
            }
            transaction.execute(
                "DELETE FROM reservation
                 WHERE segment = ? AND kind = 'gateway' AND network IS NULL AND address BETWEEN ? AND ?",
                params![segment, key(whole.first()), key(whole.last())],
            )?;
            free(transaction, self.now(), "endpoint IS NULL AND pool = ?", [pool.to_string()])?;
            transaction.execute("DELETE FROM pool WHERE id = ?", [pool.to_string()])?;
            Ok(())
        })
    }

    /// The segments in which there is a pool of that subnet.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn segments_with(&self, subnet: ipnet::IpNet) -> Result<BTreeSet<Segment>, StoreError> {
        self.read(|transaction| {
            let mut read = transaction.prepare_cached("SELECT DISTINCT segment FROM pool WHERE subnet = ?")?;
            let mut rows = read.query([subnet.to_string()])?;
            let mut segments = BTreeSet::new();
            while let Some(row) = rows.next()? {
                segments.insert(Record::new("pool", row).text("segment")?);
            }
            Ok(segments)
        })
    }

    /// Sets a router's address aside, for all pools of the subnet and as often as it is asked for: the one that is asked for,
    /// or the one that is there, or the first that is free.
    ///
    /// # Errors
    /// As [`Store::deal_this`] and [`Store::deal`].
    pub fn gateway(&self, pool: &Pool, asked: Option<IpAddr>, barred: &[AddressRange]) -> Result<IpAddr, StoreError> {
        self.write(Durability::Full, |transaction| {
            let now = self.now();
            give_up_old_claims(transaction, now)?;
            let deck = Deck::of(transaction, pool, barred, now)?;
            let there = deck.gateways()?;
            let address = match (asked, there.first()) {
                (Some(asked), _) if there.contains(&asked) => return Ok(asked),
                (None, Some(there)) => return Ok(*there),
                (Some(asked), _) => deck.check(asked, Asker::Router).map(|_| asked)?,
                (None, None) => deck.first_free()?,
            };
            deck.set_gateway(address)?;
            Ok(address)
        })
    }

    /// Reserves an address for whoever comes with a name. What had it before under another name keeps it while it lives.
    ///
    /// # Errors
    /// [`StoreError::AddressTaken`], when it is a gateway or an auxiliary address.
    pub fn pin(&self, segment: &Segment, name: &EndpointName, address: IpAddr) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let (now, segment) = (self.now(), segment.to_string());
            for Reserved { hold, .. } in at(transaction, &segment, address, now)? {
                if matches!(hold, Hold::Gateway(_) | Hold::Auxiliary(_) | Hold::Adopted(_)) {
                    return Err(StoreError::AddressTaken { address, hold });
                }
            }
            transaction.execute(
                "INSERT OR REPLACE INTO reservation VALUES (?, ?, 'pinned', NULL, ?, ?, NULL)",
                params![segment, key(address), name.as_str(), millis(now)],
            )?;
            Ok(())
        })
    }

    /// Takes a reservation for a name back; tells whether there was one.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn unpin(&self, segment: &Segment, address: IpAddr) -> Result<bool, StoreError> {
        self.write(Durability::Full, |transaction| {
            let gone = transaction.execute(
                "DELETE FROM reservation WHERE segment = ? AND address = ? AND kind = 'pinned'",
                params![segment.to_string(), key(address)],
            )?;
            Ok(gone > 0)
        })
    }

    /// Notes what others on this host have given out, in place of what was noted before.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn adopt(&self, segment: &Segment, found: &[Adopted]) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            let (now, segment) = (millis(self.now()), segment.to_string());
            transaction.execute("DELETE FROM reservation WHERE segment = ? AND kind = 'adopted'", [&segment])?;
            for one in found {
                transaction.execute(
                    "INSERT OR REPLACE INTO reservation VALUES (?, ?, 'adopted', NULL, ?, ?, NULL)",
                    params![segment, key(one.address()), one.holder(), now],
                )?;
            }
            Ok(())
        })
    }
}

/// What is reserved at an address and has not lapsed.
pub(crate) fn at(
    transaction: &Transaction<'_>,
    segment: &str,
    address: IpAddr,
    now: SystemTime,
) -> Result<Vec<Reserved>, StoreError> {
    let mut read = transaction.prepare_cached(&format!("{RESERVATION} WHERE segment = ? AND address = ?"))?;
    let mut rows = read.query(params![segment, key(address)])?;
    let mut reserved = Vec::new();
    while let Some(row) = rows.next()? {
        reserved.extend(Some(reservation(row)?).filter(|reserved| !reserved.lapsed(now)));
    }
    Ok(reserved)
}

impl Reserved {
    /// Whether it was for a time that is over. A clock that was set back makes it no longer than it was to be.
    pub(crate) fn lapsed(&self, now: SystemTime) -> bool {
        match self.hold {
            Hold::Foreign { until, .. } => until <= now || self.since.is_some_and(|since| since > now),
            _ => false,
        }
    }

    /// The opposite in SQL, at a time that is a term of it.
    pub(crate) fn stands(now: &str) -> String {
        format!("(until IS NULL OR (until > {now} AND reservation.since <= {now}))")
    }
}

pub(crate) fn reservation(row: &Row<'_>) -> Result<Reserved, StoreError> {
    let record = Record::new("reservation", row);
    let network: Option<NetworkId> = record.optional("network")?;
    let since: Option<i64> = record.plain("since")?;
    let hold = match (record.plain::<String>("kind")?.as_str(), network) {
        ("gateway", network) => Hold::Gateway(network),
        ("auxiliary", Some(network)) => Hold::Auxiliary(network),
        ("pinned", _) => Hold::Pinned(record.text("holder")?),
        ("adopted", _) => Hold::Adopted(record.plain("holder")?),
        ("foreign", _) => Hold::Foreign { mac: record.text("holder")?, until: time(record.plain("until")?) },
        _ => return Err(record.corrupt("kind")),
    };
    Ok(Reserved {
        segment: record.text("segment")?,
        address: address_in(&record, "address")?,
        hold,
        since: since.map(time),
    })
}

/// Reserves the gateways and auxiliary addresses of a network, in place of those that it had, and of the gateways that were
/// dealt for it.
pub(crate) fn of_network(transaction: &Transaction<'_>, network: &Network) -> Result<(), StoreError> {
    let (id, segment) = (network.id.as_str(), network.segment().to_string());
    transaction.execute("DELETE FROM reservation WHERE network = ?", [id])?;
    let mut enter = transaction
        .prepare_cached("INSERT INTO reservation VALUES (?, ?, ?, ?, NULL, NULL, NULL) ON CONFLICT DO NOTHING")?;
    for gateway in network.subnets.iter().filter_map(model::Subnet::gateway) {
        enter.execute(params![segment, key(gateway), "gateway", id])?;
        transaction.execute(
            "DELETE FROM reservation WHERE segment = ? AND address = ? AND kind = 'gateway' AND network IS NULL",
            params![segment, key(gateway)],
        )?;
    }
    for address in &network.auxiliary {
        enter.execute(params![segment, key(*address), "auxiliary", id])?;
    }
    Ok(())
}

/// Frees what was dealt for a network's auxiliary addresses, which no endpoint will come for.
pub(crate) fn settle_auxiliary(
    transaction: &Transaction<'_>,
    network: &Network,
    now: SystemTime,
) -> Result<(), StoreError> {
    let segment = network.segment().to_string();
    network.auxiliary.iter().try_for_each(|address| {
        let it = params![segment, key(*address)];
        free(transaction, now, "segment = ? AND address = ? AND endpoint IS NULL", it)
    })
}

/// The auxiliary addresses of a network.
pub(crate) fn auxiliary(transaction: &rusqlite::Connection, network: &NetworkId) -> Result<Vec<IpAddr>, StoreError> {
    let mut read = transaction
        .prepare_cached("SELECT address FROM reservation WHERE network = ? AND kind = 'auxiliary' ORDER BY address")?;
    let mut rows = read.query([network.as_str()])?;
    let mut addresses = Vec::new();
    while let Some(row) = rows.next()? {
        addresses.push(address_in(&Record::new("reservation", row), "address")?);
    }
    Ok(addresses)
}

/// Drops the pools whose subnet no network is on any more.
pub(crate) fn close_pools(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let unused = format!(
        "DELETE FROM pool WHERE NOT EXISTS ({}) AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.pool = pool.id)",
        networks_on("pool.segment", "pool.subnet"),
    );
    transaction.execute(&unused, [])?;
    Ok(())
}

/// The networks on a subnet that are dealt for: a query, of two terms of SQL.
fn networks_on(segment: &str, subnet: &str) -> String {
    format!(
        "SELECT 1 FROM network JOIN subnet ON subnet.network = network.id
         WHERE ipam = 'ledger' AND network.segment = {segment} AND subnet.pool = {subnet}"
    )
}
