//! What a verb costs does not depend on how much is on record: not measured in time, which varies, but in the steps of
//! SQLite's own machine, which do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use model::{Endpoint, EndpointState, Frontend, Generation, Ipam, Moment, Network, Parent, Pool};
use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::Store;

/// How many addresses the pool has: `10.0.0.0/22`, without its first and its last.
const SIZE: usize = 1022;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A ledger that is asked for one more address, and how.
struct Case {
    /// So many addresses have been dealt and given back before.
    been: usize,
    /// So many are dealt, and no endpoint has come for them yet.
    claims: usize,
    /// So many endpoints have one.
    leases: usize,
}

/// Steps of one more container and its end: an address is dealt to a name, an endpoint has it, is gone, and it comes back.
fn steps(case: &Case) -> i32 {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = Store::open(&folder.path().join("ledger.db")).unwrap();
    let network = Network { ipam: Ipam::Ledger, ..Network::plain(id("net"), Parent::Link(id("eth0"))) };
    store.add_network(&network).unwrap();
    store.confirm_network(&network.id).unwrap();
    let pool: Pool = id("v1/default/10.0.0.0/22/10.0.0.0/22");
    let deal = |n: usize| store.deal(&pool, Some(&id(&format!("container-{n}"))), &[]).unwrap();
    let endpoint = |n: usize, address| Endpoint {
        id: id(&format!("endpoint-{n}")),
        network: network.id.clone(),
        frontend: Frontend::Docker,
        addresses: id(&format!("{address}/22")),
        set_up: None,
        sandbox: None,
        born: Moment { generation: Generation(1), boot: id("b007") },
        state: EndpointState::Created,
    };
    (0..case.been).for_each(|n| store.take_back(&pool, deal(n)).unwrap());
    (0..case.leases).for_each(|n| store.claim(&endpoint(n, deal(SIZE + n))).unwrap());
    (0..case.claims).for_each(|n| assert!(pool.admits(deal(2 * SIZE + n))));

    let taken = Arc::new(AtomicI32::new(0));
    let count = Arc::clone(&taken);
    let heard = move |event: TraceEvent<'_>| {
        if let TraceEvent::Profile(statement, _) = event {
            let of = |status| statement.get_status(status);
            let searched = of(StatementStatus::FullscanStep) + of(StatementStatus::AutoIndex);
            if searched > 0 {
                eprintln!("{searched} steps through all rows: {}", statement.sql());
                count.fetch_add(1_000_000, Ordering::Relaxed);
            }
            count.fetch_add(of(StatementStatus::VmStep), Ordering::Relaxed);
        }
    };
    // A statement that is kept counts on, so none is.
    store.lock().flush_prepared_statement_cache();
    store.lock().set_prepared_statement_cache_capacity(0);
    store.lock().trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(heard)).unwrap();
    let address = deal(3 * SIZE);
    let one_more = endpoint(3 * SIZE, address);
    store.claim(&one_more).unwrap();
    store.release(&one_more.id).unwrap();
    store.take_back(&pool, address).unwrap();
    taken.load(Ordering::Relaxed)
}

#[test]
fn one_more_address_costs_the_same_however_many_are_leased() {
    for been in [0, SIZE] {
        let few = steps(&Case { been, claims: 2, leases: 2 });
        let many_leases = steps(&Case { been, claims: 2, leases: 900 });
        let many_claims = steps(&Case { been, claims: 900, leases: 2 });
        assert!((1..1_000_000).contains(&few), "{few} steps, after {been} were dealt before");
        // Where a search ends, at a row or behind the last, is a step more or less.
        let alike = |many: i32| many.abs_diff(few) < 10;
        assert!(alike(many_leases), "{many_leases} steps with many leases, {few} with few");
        assert!(alike(many_claims), "{many_claims} steps with many claims, {few} with few");
    }
}
