//! Who has which address.

use std::net::IpAddr;
use std::time::SystemTime;

use model::{Fill, Hold, Holding, Pool, Segment};
use rusqlite::{Params, Row, Transaction, params};

use crate::addresses::address_in;
use crate::keys::{key, millis, span, time};
use crate::record::Record;
use crate::reservations::{self, RESERVATION, Reserved};
use crate::{Store, StoreError};

const LEASE: &str = "SELECT lease.segment, address, lease.endpoint, endpoint.network, name, since,
    (SELECT frontend FROM network WHERE id = endpoint.network) AS frontend
    FROM lease LEFT JOIN endpoint ON endpoint.id = lease.endpoint";

impl Store {
    /// All addresses that are not free, by segment and address.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn holdings(&self) -> Result<Vec<Holding>, StoreError> {
        self.read(|transaction| self.holdings_that(transaction, "", []))
    }

    /// Who has an address in a segment, or in any: its container first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn who_has(&self, segment: Option<&Segment>, address: IpAddr) -> Result<Vec<Holding>, StoreError> {
        self.read(|transaction| {
            let segment = segment.map(ToString::to_string);
            let filter = "WHERE address = ?1 AND ifnull(segment = ?2, 1)";
            self.holdings_that(transaction, filter, params![key(address), segment])
        })
    }

    fn holdings_that(
        &self,
        transaction: &Transaction<'_>,
        filter: &str,
        with: impl Params + Clone,
    ) -> Result<Vec<Holding>, StoreError> {
        let mut holdings = Vec::new();
        let mut leases = transaction.prepare_cached(&format!("{LEASE} {filter}"))?;
        let mut rows = leases.query(with.clone())?;
        while let Some(row) = rows.next()? {
            holdings.push(lease(row)?);
        }
        let mut reserved = transaction.prepare_cached(&format!("{RESERVATION} {filter}"))?;
        let mut rows = reserved.query(with)?;
        while let Some(row) = rows.next()? {
            let one = reservations::reservation(row)?;
            if !one.lapsed(self.now()) {
                let Reserved { segment, address, hold, since } = one;
                holdings.push(Holding { segment, address, hold, name: None, since });
            }
        }
        holdings.sort_by(|a, b| (&a.segment, a.address).cmp(&(&b.segment, b.address)));
        Ok(holdings)
    }

    /// The pools, and how full they are.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pools(&self) -> Result<Vec<Fill>, StoreError> {
        self.read(|transaction| {
            let mut read = transaction.prepare_cached("SELECT id FROM pool ORDER BY id")?;
            let mut rows = read.query([])?;
            let mut pools = Vec::new();
            while let Some(row) = rows.next()? {
                pools.push(fill(transaction, Record::new("pool", row).text("id")?, self.now())?);
            }
            Ok(pools)
        })
    }
}

fn lease(row: &Row<'_>) -> Result<Holding, StoreError> {
    let (record, holder) = (Record::new("lease", row), Record::new("endpoint", row));
    let hold = match (record.optional("endpoint")?, holder.optional("network")?) {
        (Some(endpoint), Some(network)) => Hold::Endpoint { endpoint, network, frontend: record.text("frontend")? },
        (None, _) => Hold::Claim,
        (Some(_), None) => return Err(record.corrupt("endpoint")),
    };
    Ok(Holding {
        segment: record.text("segment")?,
        address: address_in(&record, "address")?,
        hold,
        name: record.optional("name")?,
        since: Some(time(record.plain("since")?)),
    })
}

fn fill(transaction: &Transaction<'_>, pool: Pool, now: SystemTime) -> Result<Fill, StoreError> {
    let (segment, first, last) = (pool.segment().to_string(), key(pool.first()), key(pool.last()));
    let (now, stands) = (millis(now), Reserved::stands("?1"));
    let taken = format!(
        "SELECT count(*) FROM (
             SELECT address FROM lease WHERE segment = ?2 AND address BETWEEN ?3 AND ?4
             UNION SELECT address FROM reservation WHERE segment = ?2 AND address BETWEEN ?3 AND ?4 AND {stands})"
    );
    let taken: i64 = transaction.query_one(&taken, params![now, segment, first, last], |row| row.get(0))?;
    let mut read = transaction.prepare_cached(&format!(
        "SELECT address FROM rest WHERE since <= ?1 AND since > ?2 AND pool = ?3
         AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.segment = ?4 AND lease.address = rest.address)
         AND NOT EXISTS (
             SELECT 1 FROM reservation
             WHERE reservation.segment = ?4 AND reservation.address = rest.address AND {stands})"
    ))?;
    let rested = now.saturating_sub(span(pool.dealing().quarantine));
    let mut rows = read.query(params![now, rested, pool.to_string(), segment])?;
    let mut resting = 0;
    while let Some(row) = rows.next()? {
        let address = address_in(&Record::new("rest", row), "address")?;
        resting += u64::from(pool.excluded(address).is_none());
    }
    Ok(Fill { pool, taken: taken.unsigned_abs(), resting })
}
