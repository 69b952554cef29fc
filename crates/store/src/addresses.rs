//! The verbs on addresses that the ledger deals.
//!
//! Every one is a single transaction of a handful of indexed statements; `deck` has how an address is picked.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use model::{AddressRange, EndpointId, EndpointName, MacAddress, NetworkId, Pool, Segment};
use rusqlite::{OptionalExtension, Params, Transaction, TransactionBehavior, params};

use crate::deck::{Asker, Deck};
use crate::keys::{address, key, millis, span};
use crate::record::Record;
use crate::{Durability, Store, StoreError, endpoints};

/// From the moment an address is dealt to the one in which an endpoint has it; an engine takes milliseconds. A claim that is
/// older is given up: whoever made it has died, or has never heard the answer.
const CLAIM_LIMIT: Duration = Duration::from_secs(60);

impl Store {
    /// Deals an address: the one that is reserved for the name, or that it had before, or one that was never dealt, or the
    /// one that came back longest ago. What is `barred` is passed over, for now.
    ///
    /// # Errors
    /// [`StoreError::PoolExhausted`], when and only when there is none; [`StoreError::PoolResting`], when there will be.
    pub fn deal(
        &self,
        pool: &Pool,
        name: Option<&EndpointName>,
        barred: &[AddressRange],
    ) -> Result<IpAddr, StoreError> {
        self.write(Durability::Normal, |transaction| {
            let now = self.now();
            give_up_old_claims(transaction, now)?;
            give_up_lost_claims(transaction, pool, name, now)?;
            let deck = Deck::of(transaction, pool, barred, now)?;
            let address = deck.pick(name)?;
            claim(transaction, pool, name, address, now)?;
            Ok(address)
        })
    }

    /// Makes sure that an address could be dealt now. Nothing is written.
    ///
    /// # Errors
    /// As [`Store::deal`].
    pub fn ensure_dealable(&self, pool: &Pool, barred: &[AddressRange]) -> Result<(), StoreError> {
        let mut connection = self.lock();
        // Immediate, as it writes; and it ends without a commit.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = self.now();
        give_up_old_claims(&transaction, now)?;
        Deck::of(&transaction, pool, barred, now)?.pick(None).map(drop)
    }

    /// Deals the address that is asked for. An auxiliary address of a network may be asked for as often as there are networks
    /// that name it, and is dealt to none.
    ///
    /// # Errors
    /// [`StoreError::NotInPool`]; [`StoreError::Excluded`]; [`StoreError::AddressHeld`], when an endpoint holds it;
    /// [`StoreError::AddressTaken`], when it is somebody else's or was dealt and no endpoint has it yet.
    pub fn deal_this(&self, pool: &Pool, name: Option<&EndpointName>, address: IpAddr) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let now = self.now();
            give_up_old_claims(transaction, now)?;
            give_up_lost_claims(transaction, pool, name, now)?;
            let deck = Deck::of(transaction, pool, &[], now)?;
            if deck.check(address, Asker::Container(name))? {
                claim(transaction, pool, name, address, now)
            } else {
                Ok(())
            }
        })
    }

    /// The endpoint that has an address which was dealt and not taken back.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn dealt_to(&self, pool: &Pool, address: IpAddr) -> Result<Option<EndpointId>, StoreError> {
        self.read(|transaction| {
            let filter =
                "JOIN lease ON lease.endpoint = endpoint.id WHERE lease.segment = ? AND address = ? AND owed = 1";
            let it = params![pool.segment().to_string(), key(address)];
            Ok(endpoints::endpoints(transaction, filter, it)?.pop().map(|endpoint| endpoint.id))
        })
    }

    /// Takes back what was dealt. An endpoint that still has it keeps it until it is gone. Free already is fine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn take_back(&self, pool: &Pool, address: IpAddr) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let it = params![pool.segment().to_string(), key(address)];
            free(transaction, self.now(), "segment = ? AND address = ? AND endpoint IS NULL", it)?;
            for statement in [
                "UPDATE lease SET owed = 0 WHERE segment = ? AND address = ?",
                "DELETE FROM reservation WHERE segment = ? AND address = ? AND kind = 'gateway' AND network IS NULL",
            ] {
                transaction.prepare_cached(statement)?.execute(it)?;
            }
            Ok(())
        })
    }

    /// Gives back an address that was just dealt and turned out to be somebody's on the wire, which is believed for so long.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn yield_to(
        &self,
        pool: &Pool,
        address: IpAddr,
        mac: MacAddress,
        believed: Duration,
    ) -> Result<(), StoreError> {
        self.write(Durability::Normal, |transaction| {
            let (now, segment, key) = (self.now(), pool.segment().to_string(), key(address));
            let claim = "segment = ? AND address = ? AND endpoint IS NULL";
            free(transaction, now, claim, params![segment, key])?;
            let (since, until) = (millis(now), millis(now).saturating_add(span(believed)));
            transaction.execute(
                "INSERT OR REPLACE INTO reservation VALUES (?, ?, 'foreign', NULL, ?, ?, ?)",
                params![segment, key, mac.to_string(), since, until],
            )?;
            Ok(())
        })
    }

    /// The endpoint that holds an address of the pool under a name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn holder_by_name(&self, pool: &Pool, name: &EndpointName) -> Result<Option<EndpointId>, StoreError> {
        self.read(|transaction| {
            let filter = "JOIN lease ON lease.endpoint = endpoint.id WHERE pool = ? AND name = ?";
            let holder = endpoints::endpoints(transaction, filter, params![pool.to_string(), name.as_str()])?.pop();
            Ok(holder.map(|endpoint| endpoint.id))
        })
    }
}

/// Frees what nobody has come for. It came back when its time was over: were it now, a refusal, which leaves the ledger as it
/// was, would make it come back later each time. A claim from a time that has not come was made before the clock was set back.
pub(crate) fn give_up_old_claims(transaction: &Transaction<'_>, now: SystemTime) -> Result<(), StoreError> {
    let (now, limit) = (millis(now), span(CLAIM_LIMIT));
    let lapsed = |since: i64| since.saturating_add(limit);
    // Two ranges of one index: asked for at once, SQLite would go through all that lies between them.
    free_since(transaction, lapsed, "endpoint IS NULL AND since < ?", [now.saturating_sub(limit)])?;
    free_since(transaction, lapsed, "endpoint IS NULL AND since > ?", [now.saturating_add(limit)])
}

/// Frees what was dealt under a name that asks again: a container has one address at a time made ready, so the answer was lost.
fn give_up_lost_claims(
    transaction: &Transaction<'_>,
    pool: &Pool,
    name: Option<&EndpointName>,
    now: SystemTime,
) -> Result<(), StoreError> {
    let Some(name) = name else { return Ok(()) };
    free(transaction, now, "endpoint IS NULL AND pool = ? AND name = ?", params![pool.to_string(), name.as_str()])
}

/// Frees leases, those that `which` picks.
pub(crate) fn free(
    transaction: &Transaction<'_>,
    now: SystemTime,
    which: &str,
    with: impl Params,
) -> Result<(), StoreError> {
    free_since(transaction, |_| millis(now), which, with)
}

fn free_since(
    transaction: &Transaction<'_>,
    came_back: impl Fn(i64) -> i64,
    which: &str,
    with: impl Params,
) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare_cached(&format!("DELETE FROM lease WHERE {which} RETURNING segment, address, name, since"))?;
    let mut rows = statement.query(with)?;
    while let Some(row) = rows.next()? {
        let record = Record::new("lease", row);
        rest(transaction, &record, &record.plain::<String>("segment")?, came_back(record.plain("since")?))?;
    }
    Ok(())
}

/// Lets the address of a lease rest in all pools of a segment that it is in.
fn rest(transaction: &Transaction<'_>, lease: &Record<'_>, segment: &str, since: i64) -> Result<(), StoreError> {
    let (address, name): (Vec<u8>, Option<String>) = (lease.plain("address")?, lease.plain("name")?);
    let mut rest = transaction.prepare_cached(
        "INSERT OR REPLACE INTO rest (pool, address, since, name) SELECT id, ?2, ?3, ?4 FROM pool
         WHERE segment = ?1 AND ?2 BETWEEN first AND last",
    )?;
    rest.execute(params![segment, address, since, name])?;
    Ok(())
}

/// Takes what the endpoints of a network hold along into another segment. What somebody else holds there stays where it was:
/// both live, and neither can be refused any more.
pub(crate) fn move_to(
    transaction: &Transaction<'_>,
    now: SystemTime,
    network: &NetworkId,
    segment: &Segment,
) -> Result<(), StoreError> {
    let it = params![segment.to_string(), network.as_str()];
    let mut read = transaction.prepare_cached(
        "SELECT segment, address, name FROM lease
         WHERE segment <> ?1 AND endpoint IN (SELECT id FROM endpoint WHERE network = ?2)",
    )?;
    let mut rows = read.query(it)?;
    while let Some(row) = rows.next()? {
        let record = Record::new("lease", row);
        rest(transaction, &record, &record.plain::<String>("segment")?, millis(now))?;
    }
    transaction.execute(
        "UPDATE OR IGNORE lease SET segment = ?1 WHERE endpoint IN (SELECT id FROM endpoint WHERE network = ?2)",
        it,
    )?;
    Ok(())
}

fn claim(
    transaction: &Transaction<'_>,
    pool: &Pool,
    name: Option<&EndpointName>,
    address: IpAddr,
    now: SystemTime,
) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached("INSERT INTO lease VALUES (?, ?, NULL, ?, 1, ?, ?)")?;
    let (segment, id) = (pool.segment().to_string(), pool.to_string());
    insert.execute(params![segment, key(address), id, name.map(EndpointName::as_str), millis(now)])?;
    Ok(())
}

/// The lease of an address, if there is one: the endpoint that has it, or nobody yet.
pub(crate) fn lessee(
    transaction: &Transaction<'_>,
    segment: &str,
    address: IpAddr,
) -> Result<Option<Option<String>>, StoreError> {
    let mut read = transaction.prepare_cached("SELECT endpoint FROM lease WHERE segment = ? AND address = ?")?;
    Ok(read.query_one(params![segment, key(address)], |row| row.get(0)).optional()?)
}

/// An address out of a column.
pub(crate) fn address_in(record: &Record<'_>, column: &'static str) -> Result<IpAddr, StoreError> {
    let bytes: Vec<u8> = record.plain(column)?;
    address(&bytes).ok_or_else(|| record.corrupt(column))
}
