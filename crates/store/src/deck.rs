//! How an address is picked from a pool.
//!
//! What was never dealt is counted off (`pool.frontier`). What came back is in `rest`, in the order in which it did, and before
//! it what the count has passed because somebody else had it then. So no search is ever needed, and no pick costs more in a
//! large or full pool than in a small or empty one.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use model::{AddressRange, EndpointName, Hold, Pool, pool::next};
use rusqlite::{Transaction, params};

use crate::addresses::{address_in, lessee};
use crate::keys::{key, millis, span};
use crate::record::Record;
use crate::reservations::{self, Reserved};
use crate::{StoreError, endpoints};

/// A pool in a transaction.
pub(crate) struct Deck<'t> {
    transaction: &'t Transaction<'t>,
    pool: &'t Pool,
    barred: &'t [AddressRange],
    now: SystemTime,
    segment: String,
    id: String,
}

/// Who asks for an address.
#[derive(Clone, Copy)]
pub(crate) enum Asker<'a> {
    /// A container, of that name where it is told.
    Container(Option<&'a EndpointName>),
    /// Whoever makes a network, for its router.
    Router,
}

/// What stands in the way of an address.
#[derive(PartialEq, Eq)]
enum Obstacle {
    /// A lease: when it ends, the address comes to rest by itself.
    Lease,
    /// Something else, which may be gone when the turn comes round again.
    Other,
}

impl<'t> Deck<'t> {
    /// The pool, which is entered where it is new.
    pub(crate) fn of(
        transaction: &'t Transaction<'t>,
        pool: &'t Pool,
        barred: &'t [AddressRange],
        now: SystemTime,
    ) -> Result<Self, StoreError> {
        let (segment, id) = (pool.segment().to_string(), pool.to_string());
        let (first, last, subnet) = (key(pool.first()), key(pool.last()), pool.subnet().to_string());
        let mut enter =
            transaction.prepare_cached("INSERT INTO pool VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")?;
        enter.execute(params![id, segment, subnet, first, last, first])?;
        Ok(Self { transaction, pool, barred, now, segment, id })
    }

    /// Picks an address that is free.
    pub(crate) fn pick(&self, name: Option<&EndpointName>) -> Result<IpAddr, StoreError> {
        if let Some(name) = name {
            if let Some(address) = self.pinned(name)? {
                return Ok(address);
            }
            if let Some(address) = self.had_before(name)? {
                return Ok(address);
            }
        }
        if let Some(address) = self.never_dealt()? {
            return Ok(address);
        }
        let (now, rested) = (millis(self.now), millis(self.now).saturating_sub(span(self.pool.dealing().quarantine)));
        if let Some(address) = self.rested(i64::MIN, rested)? {
            return Ok(address);
        }
        // From a time that has not come: the clock was set back, and how long it has rested is not known.
        if let Some(address) = self.rested(now.saturating_add(1), i64::MAX)? {
            return Ok(address);
        }
        match self.next_rested(rested.saturating_add(1), now)? {
            None => Err(StoreError::PoolExhausted(Box::new(self.pool.clone()))),
            Some(since) => {
                let wait = span(self.pool.dealing().quarantine).saturating_sub(now.saturating_sub(since));
                let wait = Duration::from_millis(wait.max(0).unsigned_abs());
                Err(StoreError::PoolResting { pool: Box::new(self.pool.clone()), wait })
            }
        }
    }

    /// Makes sure that an address may be had. `false`: there is nothing to deal, and no harm in it.
    pub(crate) fn check(&self, address: IpAddr, by: Asker<'_>) -> Result<bool, StoreError> {
        if !self.pool.admits(address) {
            return Err(StoreError::NotInPool { address, pool: Box::new(self.pool.clone()) });
        }
        let reserved = reservations::at(self.transaction, &self.segment, address, self.now)?;
        if reserved.iter().any(|reserved| matches!(reserved.hold, Hold::Auxiliary(_))) {
            return Ok(false);
        }
        for Reserved { hold, .. } in reserved {
            match (&hold, by) {
                // Without a name, it is a person who asks, or an engine that tells none.
                (Hold::Pinned(of), Asker::Container(Some(name))) if name != of => {
                    return Err(StoreError::AddressTaken { address, hold });
                }
                (Hold::Pinned(_), _) => {}
                // Others on this host have named the same router, or it is a container of theirs.
                (Hold::Adopted(_), Asker::Router) => {}
                // Whoever names an address that is in use is told when the wire is asked again.
                (Hold::Foreign { .. }, _) => {}
                _ => return Err(StoreError::AddressTaken { address, hold }),
            }
        }
        if let Some(range) = self.pool.excluded(address) {
            return Err(StoreError::Excluded { address, range });
        }
        match lessee(self.transaction, &self.segment, address)? {
            None => Ok(true),
            Some(None) => Err(StoreError::AddressTaken { address, hold: Hold::Claim }),
            Some(Some(_)) => Err(endpoints::held(self.transaction, &self.segment, address)?),
        }
    }

    /// The address that is reserved for a name.
    fn pinned(&self, name: &EndpointName) -> Result<Option<IpAddr>, StoreError> {
        let whole = self.pool.whole();
        let mut read = self.transaction.prepare_cached(
            "SELECT address FROM reservation
             WHERE segment = ? AND kind = 'pinned' AND holder = ? AND address BETWEEN ? AND ? ORDER BY address",
        )?;
        let mut rows = read.query(params![self.segment, name.as_str(), key(whole.first()), key(whole.last())])?;
        while let Some(row) = rows.next()? {
            let address = address_in(&Record::new("reservation", row), "address")?;
            if self.obstacle(address, Some(name))?.is_none() {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }

    /// The address that was last dealt under a name, if it still rests.
    fn had_before(&self, name: &EndpointName) -> Result<Option<IpAddr>, StoreError> {
        let mut read = self
            .transaction
            .prepare_cached("SELECT turn, address FROM rest WHERE pool = ? AND name = ? ORDER BY turn DESC")?;
        let mut rows = read.query(params![self.id, name.as_str()])?;
        while let Some(row) = rows.next()? {
            let record = Record::new("rest", row);
            let (turn, address): (i64, IpAddr) = (record.plain("turn")?, self.of_range(&record, "address")?);
            if self.obstacle(address, Some(name))?.is_none() {
                self.forget(turn)?;
                return Ok(Some(address));
            }
        }
        Ok(None)
    }

    /// Counts on from the last that was counted. What was dealt out of turn meanwhile, and has come back, is passed.
    fn never_dealt(&self) -> Result<Option<IpAddr>, StoreError> {
        let mut read = self.transaction.prepare_cached("SELECT frontier FROM pool WHERE id = ?")?;
        let mut rows = read.query([&self.id])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let record = Record::new("pool", row);
        if record.plain::<Option<Vec<u8>>>("frontier")?.is_none() {
            return Ok(None);
        }
        let last = self.pool.last();
        let mut at = Some(self.of_range(&record, "frontier")?);
        let mut found = None;
        while let Some(candidate) = at.filter(|address| *address <= last) {
            if let Some(range) = self.pool.excluded(candidate) {
                at = next(range.last());
                continue;
            }
            at = next(candidate);
            if self.rests(candidate)? {
                continue;
            }
            match self.obstacle(candidate, None)? {
                None => {
                    found = Some(candidate);
                    break;
                }
                Some(Obstacle::Lease) => {}
                Some(Obstacle::Other) => self.pass(candidate)?,
            }
        }
        let at = at.filter(|address| *address <= last);
        let mut count = self.transaction.prepare_cached("UPDATE pool SET frontier = ? WHERE id = ?")?;
        count.execute(params![at.map(key), self.id])?;
        Ok(found)
    }

    fn rests(&self, address: IpAddr) -> Result<bool, StoreError> {
        let mut read = self.transaction.prepare_cached("SELECT 1 FROM rest WHERE pool = ? AND address = ?")?;
        Ok(read.exists(params![self.id, key(address)])?)
    }

    /// Leaves an address that was never dealt for later: it has rested for ever.
    fn pass(&self, address: IpAddr) -> Result<(), StoreError> {
        let mut rest = self.transaction.prepare_cached("INSERT INTO rest (pool, address, since) VALUES (?, ?, ?)")?;
        rest.execute(params![self.id, key(address), i64::MIN])?;
        Ok(())
    }

    /// The one that came back first, of those that did so between two times.
    fn rested(&self, from: i64, to: i64) -> Result<Option<IpAddr>, StoreError> {
        let mut read = self.transaction.prepare_cached(
            "SELECT turn, address FROM rest WHERE pool = ? AND since BETWEEN ? AND ? ORDER BY since, turn",
        )?;
        let mut rows = read.query(params![self.id, from, to])?;
        while let Some(row) = rows.next()? {
            let record = Record::new("rest", row);
            let (turn, candidate): (i64, IpAddr) = (record.plain("turn")?, self.of_range(&record, "address")?);
            let obstacle = self.obstacle(candidate, None)?;
            if obstacle != Some(Obstacle::Other) {
                self.forget(turn)?;
            }
            if obstacle.is_none() {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// Since when the one rests that came back first between two times.
    fn next_rested(&self, from: i64, to: i64) -> Result<Option<i64>, StoreError> {
        let mut read = self.transaction.prepare_cached(
            "SELECT since, address FROM rest WHERE pool = ? AND since BETWEEN ? AND ? ORDER BY since, turn",
        )?;
        let mut rows = read.query(params![self.id, from, to])?;
        while let Some(row) = rows.next()? {
            let record = Record::new("rest", row);
            if self.obstacle(self.of_range(&record, "address")?, None)?.is_none() {
                return record.plain("since").map(Some);
            }
        }
        Ok(None)
    }

    /// An address out of a column that has none but the pool's.
    fn of_range(&self, record: &Record<'_>, column: &'static str) -> Result<IpAddr, StoreError> {
        let address = address_in(record, column)?;
        if (self.pool.first()..=self.pool.last()).contains(&address) {
            Ok(address)
        } else {
            Err(record.corrupt(column))
        }
    }

    fn forget(&self, turn: i64) -> Result<(), StoreError> {
        self.transaction.prepare_cached("DELETE FROM rest WHERE turn = ?")?.execute([turn])?;
        Ok(())
    }

    /// What stands in the way of an address for whoever has that name, if anything.
    fn obstacle(&self, address: IpAddr, name: Option<&EndpointName>) -> Result<Option<Obstacle>, StoreError> {
        if lessee(self.transaction, &self.segment, address)?.is_some() {
            return Ok(Some(Obstacle::Lease));
        }
        let barred = self.pool.excluded(address).is_some() || self.barred.iter().any(|range| range.contains(address));
        let others = |reserved: &Reserved| !matches!(&reserved.hold, Hold::Pinned(of) if name == Some(of));
        let reserved = reservations::at(self.transaction, &self.segment, address, self.now)?;
        Ok((barred || reserved.iter().any(others)).then_some(Obstacle::Other))
    }

    /// Those of the whole subnet that are gateways already.
    pub(crate) fn gateways(&self) -> Result<Vec<IpAddr>, StoreError> {
        let whole = self.pool.whole();
        let mut read = self.transaction.prepare_cached(
            "SELECT DISTINCT address FROM reservation
             WHERE segment = ? AND kind = 'gateway' AND address BETWEEN ? AND ? ORDER BY address",
        )?;
        let mut rows = read.query(params![self.segment, key(whole.first()), key(whole.last())])?;
        let mut gateways = Vec::new();
        while let Some(row) = rows.next()? {
            gateways.push(address_in(&Record::new("reservation", row), "address")?);
        }
        Ok(gateways)
    }

    /// The first of the whole subnet that is free, for a gateway: no more than that many steps from its beginning.
    pub(crate) fn first_free(&self) -> Result<IpAddr, StoreError> {
        const STEPS: usize = 1 << 16;
        let whole = self.pool.whole();
        let mut at = Some(whole.first());
        for _ in 0..STEPS {
            let Some(candidate) = at.filter(|address| *address <= whole.last()) else { break };
            if self.obstacle(candidate, None)?.is_none() {
                return Ok(candidate);
            }
            at = next(self.pool.excluded(candidate).map_or(candidate, |range| range.last()));
        }
        Err(StoreError::PoolExhausted(Box::new(self.pool.clone())))
    }

    /// Sets a gateway aside, until a network has it or it is taken back.
    pub(crate) fn set_gateway(&self, address: IpAddr) -> Result<(), StoreError> {
        self.transaction.execute(
            "INSERT INTO reservation VALUES (?, ?, 'gateway', NULL, NULL, ?, NULL) ON CONFLICT DO NOTHING",
            params![self.segment, key(address), millis(self.now)],
        )?;
        Ok(())
    }
}
