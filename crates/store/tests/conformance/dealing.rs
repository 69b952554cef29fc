//! Against the reference that deals: random verbs on addresses, through several connections, while the clock jumps and
//! connections die, must be answered as the documentation says, and leave what it says.

mod dealer;
mod verbs;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ipnet::IpNet;
use model::{Addresses, Adopted, Endpoint, Pool};
use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::Connection;
use store::{Store, StoreError};

use self::dealer::{Dealer, Right, time};
use self::verbs::{POOLS, Verb, Which, verb};
use crate::{endpoint, id, quick_folder};

/// Asks both, and holds the answers against each other. What is refused has changed nothing.
fn ask(verb: &Verb, store: &Store, reference: &mut Dealer) -> Result<(), TestCaseError> {
    let before = reference.clone();
    if let Outcome::Refused = answer(verb, store, reference)? {
        *reference = before;
    }
    Ok(())
}

enum Outcome {
    Done,
    Refused,
}

fn answer(verb: &Verb, store: &Store, reference: &mut Dealer) -> Result<Outcome, TestCaseError> {
    match verb {
        Verb::Deal(pool, name, barred) => {
            let right = reference.deal(pool, name.as_ref(), barred);
            match one_of(store.deal(pool, name.as_ref(), barred), &right)? {
                Some(address) => reference.dealt(pool, name.as_ref(), address),
                None => return Ok(Outcome::Refused),
            }
        }
        Verb::DealThis(pool, name, address) => {
            let right = reference.deal_this(pool, name.as_ref(), *address);
            return alike(store.deal_this(pool, name.as_ref(), *address), right);
        }
        Verb::TakeBack(which) => {
            let (pool, address) = which.of(reference);
            reference.take_back(&pool, address);
            store.take_back(&pool, address).unwrap();
        }
        Verb::YieldTo(which, believed) => {
            let (pool, address) = which.of(reference);
            let mac = id("02:00:00:00:00:01");
            reference.yield_to(&pool, address, mac, *believed);
            store.yield_to(&pool, address, mac, *believed).unwrap();
        }
        Verb::Gateway(pool, asked, barred) => {
            let right = reference.gateway(pool, *asked, barred);
            match one_of(store.gateway(pool, *asked, barred), &right)? {
                Some(address) => reference.set_aside(pool, address),
                None => return Ok(Outcome::Refused),
            }
        }
        Verb::Pin(segment, name, address) => {
            return alike(store.pin(segment, name, *address), reference.pin(segment, name, *address));
        }
        Verb::Unpin(segment, address) => {
            reference.unpin(segment, *address);
            store.unpin(segment, *address).unwrap();
        }
        Verb::Adopt(segment, addresses) => {
            let found: Vec<_> = addresses.iter().map(|address| Adopted::new(*address, "a bridge")).collect();
            reference.adopt(segment, &found);
            store.adopt(segment, &found).unwrap();
        }
        Verb::OpenPool(pool) => {
            reference.open(pool);
            store.open_pool(pool).unwrap();
        }
        Verb::ClosePool(pool) => {
            reference.close(pool);
            store.close_pool(pool).unwrap();
        }
        Verb::AddNetwork(network) => {
            let added = store.add_network(network);
            store.confirm_network(&network.id).unwrap();
            return alike(added, reference.add_network(network));
        }
        Verb::RestoreNetwork(network) => {
            reference.restore_network(network);
            store.restore_network(network).unwrap();
        }
        Verb::RemoveNetwork(network) => {
            reference.remove_network(network);
            store.remove_network(network).unwrap();
        }
        Verb::Claim(name, network, addresses, found_again) => {
            let addresses = of_endpoint(addresses, reference);
            let it = Endpoint { id: name.clone(), network: network.clone(), addresses, ..endpoint("e", None, None) };
            let right = reference.claim(&it, *found_again);
            let done = if *found_again { store.restore_endpoint(&it, &id("/run/a")) } else { store.claim(&it) };
            return alike(done, right);
        }
        Verb::Release(name) => {
            reference.release(name);
            store.release(name).unwrap();
        }
        Verb::Bury(name) => {
            reference.bury(name);
            store.bury(name).unwrap();
        }
        Verb::BeginGeneration => {
            reference.begin_generation();
            store.begin_generation().unwrap();
        }
        Verb::Clock(_) | Verb::Reopen | Verb::DieHalfway => {}
    }
    Ok(Outcome::Done)
}

fn of_endpoint(which: &[Which], reference: &Dealer) -> Addresses {
    // An endpoint cannot hold an address twice.
    let mut addresses: Vec<IpNet> = which.iter().map(|which| IpNet::from(which.of(reference).1)).collect();
    addresses.sort();
    addresses.dedup_by_key(|address| address.addr());
    addresses.into_iter().collect()
}

fn alike(given: Result<(), StoreError>, right: Right<()>) -> Result<Outcome, TestCaseError> {
    Ok(one_of(given, &right.map(|()| [()].into()))?.map_or(Outcome::Refused, |()| Outcome::Done))
}

/// What was given, where it is an answer and a right one.
fn one_of<T: Copy + Ord + std::fmt::Debug>(
    given: Result<T, StoreError>,
    right: &Right<BTreeSet<T>>,
) -> Result<Option<T>, TestCaseError> {
    let agree = match (&given, right) {
        (Ok(given), Ok(right)) => right.contains(given),
        // Errors have sources, which cannot be compared; what they show says it all.
        (Err(given), Err(right)) => right.iter().any(|right| format!("{right:?}") == format!("{given:?}")),
        _ => false,
    };
    prop_assert!(agree, "{:?} was given, and right was {:?}", given, right);
    Ok(given.ok())
}

/// What is on record must be the same, whoever looks.
fn compare(store: &Store, reference: &Dealer) -> Result<(), TestCaseError> {
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let holdings = store.holdings().unwrap();
    prop_assert!(holdings.is_sorted_by_key(|one| (one.segment.clone(), one.address)));
    let shown = |holdings: Vec<model::Holding>| sorted(holdings.iter().map(|one| format!("{one:?}")).collect());
    prop_assert_eq!(shown(holdings), shown(reference.holdings()));
    let fills: BTreeSet<_> =
        store.pools().unwrap().into_iter().map(|fill| (fill.pool, fill.taken, fill.resting)).collect();
    prop_assert_eq!(fills, reference.fills().into_iter().collect());
    let mut networks = store.networks().unwrap();
    networks.iter_mut().for_each(|network| network.auxiliary.sort());
    prop_assert_eq!(networks, reference.networks.values().cloned().collect::<Vec<_>>());
    Ok(())
}

/// Whatever is free can be dealt, and then there is nothing more: no address is lost, and none is dealt twice.
fn drain(store: &Store, reference: &mut Dealer) -> Result<(), TestCaseError> {
    for pool in POOLS.map(id::<Pool>).iter().filter(|pool| pool.size() < 64) {
        let free = reference.free(pool);
        for _ in 0..free.len() {
            ask(&Verb::Deal(pool.clone(), None, Vec::new()), store, reference)?;
        }
        prop_assert_eq!(reference.free(pool), BTreeSet::new());
        let more = store.deal(pool, None, &[]);
        prop_assert!(matches!(more, Err(StoreError::PoolExhausted(_))), "{:?} of {}", more, pool);
    }
    Ok(())
}

/// A process that ends in the middle of a transaction.
fn die_halfway(path: &Path) {
    let dying = Connection::open(path).unwrap();
    let half = "BEGIN IMMEDIATE; DELETE FROM rest; DELETE FROM lease; UPDATE pool SET frontier = NULL";
    dying.execute_batch(half).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_is_dealt_as_the_reference_does(
        verbs in prop::collection::vec((verb(), any::<Index>()), 1..150)
    ) {
        let folder = quick_folder();
        let path = folder.path().join("ledger.db");
        let clock = Arc::new(AtomicI64::new(1_000_000_000));
        let open = || {
            let clock = Arc::clone(&clock);
            Store::open(&path).unwrap().with_clock(move || time(clock.load(Ordering::Relaxed)))
        };
        let mut stores = [open(), open(), open()];
        let mut reference = Dealer::default();
        for (verb, through) in verbs {
            let through = through.index(stores.len());
            match verb {
                Verb::Clock(jump) => drop(clock.fetch_add(jump, Ordering::Relaxed)),
                Verb::Reopen => stores[through] = open(),
                Verb::DieHalfway => die_halfway(&path),
                _ => {}
            }
            reference.begin_verb(clock.load(Ordering::Relaxed));
            ask(&verb, &stores[through], &mut reference)
                .map_err(|error| TestCaseError::fail(format!("{error} after {verb:?}")))?;
            compare(&stores[(through + 1) % stores.len()], &reference)
                .map_err(|error| TestCaseError::fail(format!("{error} after {verb:?}")))?;
        }
        clock.fetch_add(3_600_000, Ordering::Relaxed);
        reference.begin_verb(clock.load(Ordering::Relaxed));
        drain(&stores[0], &mut reference)?;
    }
}
