//! The reference that deals: what the documentation promises of addresses, on plain lists, however long it takes.
//!
//! Where the documentation leaves a choice, so does this: it says which answers are right, and is told which was given.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use model::{
    AddressRange, Adopted, EndpointId, EndpointName, Frontend, Hold, Holding, Ipam, MacAddress, Network, NetworkId,
    Pool, Segment, pool::next,
};
use store::StoreError;

const CLAIM_LIMIT: i64 = 60_000;

/// So many addresses of a large range are looked at. A sequence is too short to get behind them.
const LOOKED_AT: usize = 256;

pub(super) type Place = (Segment, IpAddr);

/// Everything that may rightly be answered: one of several refusals, where there are several reasons.
pub(super) type Right<T> = Result<T, Vec<StoreError>>;

#[derive(Default, Clone)]
pub(super) struct Dealer {
    pub(super) now: i64,
    pub(super) networks: BTreeMap<NetworkId, Network>,
    endpoints: BTreeMap<EndpointId, NetworkId>,
    leases: BTreeMap<Place, Lease>,
    reserved: Vec<Reserved>,
    pools: BTreeMap<Pool, BTreeMap<IpAddr, Return>>,
    verbs: u64,
}

#[derive(Clone)]
struct Lease {
    endpoint: Option<EndpointId>,
    pool: Option<Pool>,
    owed: bool,
    name: Option<EndpointName>,
    since: i64,
}

#[derive(Clone)]
struct Reserved {
    place: Place,
    hold: Hold,
    since: Option<i64>,
}

/// An address that a pool got back: when by the clock, by which verb, and who had it.
#[derive(Clone)]
struct Return {
    since: i64,
    verb: u64,
    name: Option<EndpointName>,
}

impl Dealer {
    /// Time goes by, or back. Each verb happens at a moment of its own, though the clock may not show it.
    pub(super) fn begin_verb(&mut self, now: i64) {
        (self.now, self.verbs) = (now, self.verbs + 1);
    }

    pub(super) fn leased(&self) -> Vec<Place> {
        self.leases.keys().cloned().collect()
    }

    /// The addresses that may be dealt.
    pub(super) fn deal(
        &mut self,
        pool: &Pool,
        name: Option<&EndpointName>,
        barred: &[AddressRange],
    ) -> Right<BTreeSet<IpAddr>> {
        self.give_up_old_claims();
        self.give_up_lost_claims(pool, name);
        self.open(pool);
        let free = |address: &IpAddr, whose: Option<&EndpointName>| {
            self.is_free(pool, *address, whose) && !barred.iter().any(|range| range.contains(*address))
        };
        let returned = &self.pools[pool];
        if let Some(name) = name {
            let of_name = |one: &&Reserved| one.hold == Hold::Pinned(name.clone()) && one.place.0 == pool.segment();
            let pinned = self.reserved.iter().filter(of_name).map(|one| one.place.1);
            let pinned: BTreeSet<_> = pinned.filter(|at| pool.admits(*at) && free(at, Some(name))).collect();
            if !pinned.is_empty() {
                return Ok(pinned);
            }
            let had = returned.iter().filter(|(at, one)| one.name.as_ref() == Some(name) && free(at, Some(name)));
            // One verb may have ended several claims of the name, of pools that overlap.
            let latest = had.clone().map(|(_, one)| one.verb).max();
            if latest.is_some() {
                return Ok(had.filter(|(_, one)| Some(one.verb) == latest).map(|(at, _)| *at).collect());
            }
        }
        let never = listed(pool.first(), pool.last()).filter(|at| !returned.contains_key(at) && free(at, None));
        let never: BTreeSet<_> = never.collect();
        if !never.is_empty() {
            return Ok(never);
        }
        let free: Vec<_> = returned.iter().filter(|(at, _)| free(at, None)).collect();
        // What came back at a time that is still to come has not to wait: nobody knows how long it has rested.
        let (now, rested) = (self.now, self.now - quarantine(pool));
        let ready = free.iter().filter(|(_, one)| one.since <= rested || one.since > now);
        let order = |one: &Return| (one.since > now, one.since, one.verb);
        match ready.clone().map(|(_, one)| order(one)).min() {
            Some(first) => Ok(ready.filter(|(_, one)| order(one) == first).map(|(at, _)| **at).collect()),
            None => Err(vec![match free.iter().map(|(_, one)| one.since).min() {
                None => StoreError::PoolExhausted(pool.clone().into()),
                Some(since) => StoreError::PoolResting {
                    pool: pool.clone().into(),
                    wait: Duration::from_millis((since + quarantine(pool) - now).unsigned_abs()),
                },
            }]),
        }
    }

    /// One of them was dealt.
    pub(super) fn dealt(&mut self, pool: &Pool, name: Option<&EndpointName>, address: IpAddr) {
        let lease =
            Lease { endpoint: None, pool: Some(pool.clone()), owed: true, name: name.cloned(), since: self.now };
        assert!(self.leases.insert((pool.segment(), address), lease).is_none(), "{address} was dealt twice");
    }

    pub(super) fn deal_this(&mut self, pool: &Pool, name: Option<&EndpointName>, address: IpAddr) -> Right<()> {
        self.give_up_old_claims();
        self.give_up_lost_claims(pool, name);
        self.open(pool);
        let dealable = self.askable(pool, name, address, false)?;
        if dealable {
            self.dealt(pool, name, address);
        }
        Ok(())
    }

    /// Who asks again has not heard the answer.
    fn give_up_lost_claims(&mut self, pool: &Pool, name: Option<&EndpointName>) {
        if name.is_some() {
            self.end(|_, lease| {
                lease.endpoint.is_none() && lease.pool.as_ref() == Some(pool) && lease.name.as_ref() == name
            });
        }
    }

    /// Whether an address that is asked for can be dealt, or need not be.
    fn askable(&self, pool: &Pool, name: Option<&EndpointName>, address: IpAddr, router: bool) -> Right<bool> {
        if !pool.admits(address) {
            return Err(vec![StoreError::NotInPool { address, pool: pool.clone().into() }]);
        }
        let place = (pool.segment(), address);
        let holds: Vec<Hold> = self.at(&place).map(|one| one.hold.clone()).collect();
        if holds.iter().any(|hold| matches!(hold, Hold::Auxiliary(_))) {
            return Ok(false);
        }
        let others = |hold: &Hold| match hold {
            Hold::Pinned(of) => name.is_some_and(|name| name != of),
            // Others have named the same router.
            Hold::Adopted(_) => !router,
            hold => !matches!(hold, Hold::Foreign { .. }),
        };
        let mut refusals: Vec<_> =
            holds.into_iter().filter(others).map(|hold| StoreError::AddressTaken { address, hold }).collect();
        refusals.extend(pool.excluded(address).map(|range| StoreError::Excluded { address, range }));
        refusals.extend(self.lease_refused(&place, Ipam::Engine));
        if refusals.is_empty() { Ok(true) } else { Err(refusals) }
    }

    pub(super) fn take_back(&mut self, pool: &Pool, address: IpAddr) {
        let place = (pool.segment(), address);
        self.end(|at, lease| *at == place && lease.endpoint.is_none());
        self.leases.entry(place.clone()).and_modify(|lease| lease.owed = false);
        self.reserved.retain(|one| one.place != place || one.hold != Hold::Gateway(None));
    }

    pub(super) fn yield_to(&mut self, pool: &Pool, address: IpAddr, mac: MacAddress, believed: Duration) {
        let place = (pool.segment(), address);
        self.end(|at, lease| *at == place && lease.endpoint.is_none());
        self.reserved.retain(|one| one.place != place || !matches!(one.hold, Hold::Foreign { .. }));
        let hold = Hold::Foreign { mac, until: time(self.now) + believed };
        self.reserved.push(Reserved { place, hold, since: Some(self.now) });
    }

    /// The addresses that may be set aside as the gateway.
    pub(super) fn gateway(
        &mut self,
        pool: &Pool,
        asked: Option<IpAddr>,
        barred: &[AddressRange],
    ) -> Right<BTreeSet<IpAddr>> {
        self.give_up_old_claims();
        self.open(pool);
        let whole = pool.whole();
        let gateways = self.reserved.iter().filter(|one| matches!(one.hold, Hold::Gateway(_)));
        let here = gateways.map(|one| &one.place).filter(|at| at.0 == pool.segment() && whole.contains(at.1));
        let there: BTreeSet<IpAddr> = here.map(|at| at.1).collect();
        match asked {
            Some(asked) if there.contains(&asked) => Ok([asked].into()),
            Some(asked) => self.askable(pool, None, asked, true).map(|_| [asked].into()),
            None if !there.is_empty() => Ok(there),
            None => {
                let free =
                    |at: &IpAddr| self.is_free(pool, *at, None) && !barred.iter().any(|range| range.contains(*at));
                let first = listed(whole.first(), whole.last()).find(free);
                first.map(|at| [at].into()).ok_or_else(|| vec![StoreError::PoolExhausted(pool.clone().into())])
            }
        }
    }

    /// One of them was set aside.
    pub(super) fn set_aside(&mut self, pool: &Pool, address: IpAddr) {
        let place = (pool.segment(), address);
        if !self.at(&place).any(|one| matches!(one.hold, Hold::Gateway(_))) {
            self.reserved.push(Reserved { place, hold: Hold::Gateway(None), since: Some(self.now) });
        }
    }

    pub(super) fn pin(&mut self, segment: &Segment, name: &EndpointName, address: IpAddr) -> Right<()> {
        let place = (segment.clone(), address);
        let holds = self.at(&place).map(|one| one.hold.clone());
        let others = holds.filter(|hold| !matches!(hold, Hold::Pinned(_) | Hold::Foreign { .. }));
        let refusals: Vec<_> = others.map(|hold| StoreError::AddressTaken { address, hold }).collect();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        self.unpin(segment, address);
        self.reserved.push(Reserved { place, hold: Hold::Pinned(name.clone()), since: Some(self.now) });
        Ok(())
    }

    pub(super) fn unpin(&mut self, segment: &Segment, address: IpAddr) {
        let place = (segment.clone(), address);
        self.reserved.retain(|one| one.place != place || !matches!(one.hold, Hold::Pinned(_)));
    }

    pub(super) fn adopt(&mut self, segment: &Segment, found: &[Adopted]) {
        self.reserved.retain(|one| one.place.0 != *segment || !matches!(one.hold, Hold::Adopted(_)));
        for one in found {
            let hold = Hold::Adopted(one.holder().to_owned());
            self.reserved.push(Reserved { place: (segment.clone(), one.address()), hold, since: Some(self.now) });
        }
    }

    pub(super) fn open(&mut self, pool: &Pool) {
        self.pools.entry(pool.clone()).or_default();
    }

    pub(super) fn close(&mut self, pool: &Pool) {
        if self.in_use(pool) {
            return;
        }
        let (segment, whole) = (pool.segment(), pool.whole());
        self.reserved
            .retain(|one| one.hold != Hold::Gateway(None) || one.place.0 != segment || !whole.contains(one.place.1));
        self.end(|_, lease| lease.endpoint.is_none() && lease.pool.as_ref() == Some(pool));
        self.pools.remove(pool);
    }

    /// All that is not free, in words that can be compared.
    pub(super) fn holdings(&self) -> Vec<Holding> {
        let leases = self.leases.iter().map(|((segment, address), lease)| Holding {
            segment: segment.clone(),
            address: *address,
            hold: match &lease.endpoint {
                Some(endpoint) => {
                    let network = self.endpoints[endpoint].clone();
                    Hold::Endpoint { endpoint: endpoint.clone(), network, frontend: Frontend::Docker }
                }
                None => Hold::Claim,
            },
            name: lease.name.clone(),
            since: Some(time(lease.since)),
        });
        let reserved = self.reserved.iter().filter(|one| self.is_live(one)).map(|one| Holding {
            segment: one.place.0.clone(),
            address: one.place.1,
            hold: one.hold.clone(),
            name: None,
            since: one.since.map(time),
        });
        leases.chain(reserved).collect()
    }

    /// Each pool, how many of its addresses are not free, and how many wait.
    pub(super) fn fills(&self) -> Vec<(Pool, u64, u64)> {
        let fill = |(pool, returned): (&Pool, &BTreeMap<IpAddr, Return>)| {
            let within = |at: &Place| at.0 == pool.segment() && (pool.first()..=pool.last()).contains(&at.1);
            let held = self.holdings().into_iter().map(|one| (one.segment, one.address)).filter(within);
            let taken = held.collect::<BTreeSet<_>>().len();
            let waits = |one: &Return| one.since > self.now - quarantine(pool) && one.since <= self.now;
            let resting = returned.iter().filter(|(at, one)| waits(one) && self.is_free(pool, **at, None)).count();
            (pool.clone(), taken as u64, resting as u64)
        };
        self.pools.iter().map(fill).collect()
    }

    /// The addresses of a small pool that can be dealt once all have rested.
    pub(super) fn free(&mut self, pool: &Pool) -> BTreeSet<IpAddr> {
        self.give_up_old_claims();
        listed(pool.first(), pool.last()).filter(|at| self.is_free(pool, *at, None)).collect()
    }

    fn is_free(&self, pool: &Pool, address: IpAddr, whose: Option<&EndpointName>) -> bool {
        let place = (pool.segment(), address);
        let others = |one: &Reserved| !matches!(&one.hold, Hold::Pinned(of) if whose == Some(of));
        !self.leases.contains_key(&place) && pool.excluded(address).is_none() && !self.at(&place).any(others)
    }

    fn at<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Reserved> {
        self.reserved.iter().filter(move |one| one.place == *place && self.is_live(one))
    }

    fn is_live(&self, one: &Reserved) -> bool {
        match one.hold {
            Hold::Foreign { until, .. } => until > time(self.now) && one.since.is_some_and(|since| since <= self.now),
            _ => true,
        }
    }

    fn lease_refused(&self, place: &Place, ipam: Ipam) -> Option<StoreError> {
        let address = place.1;
        match (&self.leases.get(place)?.endpoint, ipam) {
            (Some(holder), _) => {
                let network = self.endpoints[holder].clone();
                Some(StoreError::AddressHeld { address, holder: holder.clone(), network })
            }
            (None, Ipam::Engine) => Some(StoreError::AddressTaken { address, hold: Hold::Claim }),
            (None, Ipam::Ledger) => None,
        }
    }

    fn in_use(&self, pool: &Pool) -> bool {
        let on_it = |network: &Network| network.subnets.iter().any(|subnet| subnet.pool() == pool.subnet());
        let its = |network: &Network| network.ipam == Ipam::Ledger && network.segment() == pool.segment();
        self.networks.values().any(|network| its(network) && on_it(network))
    }

    fn give_up_old_claims(&mut self) {
        let now = self.now;
        let old = |lease: &Lease| lease.endpoint.is_none() && (now - lease.since).abs() > CLAIM_LIMIT;
        self.end_at(|_, lease| old(lease), |lease| lease.since + CLAIM_LIMIT);
    }

    fn end(&mut self, which: impl Fn(&Place, &Lease) -> bool) {
        let now = self.now;
        self.end_at(which, |_| now);
    }

    fn end_at(&mut self, which: impl Fn(&Place, &Lease) -> bool, when: impl Fn(&Lease) -> i64) {
        let ended = self.leases.iter().filter(|(at, lease)| which(at, lease)).map(|(at, _)| at.clone());
        for at in ended.collect::<Vec<_>>() {
            let lease = self.leases.remove(&at).unwrap();
            self.came_back(&at, when(&lease), lease.name.as_ref());
        }
    }

    fn came_back(&mut self, (segment, address): &Place, since: i64, name: Option<&EndpointName>) {
        let verb = self.verbs;
        for (pool, returned) in &mut self.pools {
            if pool.segment() == *segment && (pool.first()..=pool.last()).contains(address) {
                returned.insert(*address, Return { since, verb, name: name.cloned() });
            }
        }
    }
}

fn listed(first: IpAddr, last: IpAddr) -> impl Iterator<Item = IpAddr> {
    std::iter::successors(Some(first), |at| next(*at)).take_while(move |at| *at <= last).take(LOOKED_AT)
}

fn quarantine(pool: &Pool) -> i64 {
    pool.dealing().quarantine.as_millis().try_into().unwrap()
}

pub(super) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs())
}
