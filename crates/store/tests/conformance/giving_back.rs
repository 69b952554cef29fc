//! What was dealt is its engine's until the engine gives it back, or is no more.

use model::{Hold, Ipam, Network, Pool};
use store::Store;

use crate::{Ledger, endpoint, id, network};

fn pool() -> Pool {
    id("v1/default/192.168.1.0/24/192.168.1.0/24")
}

fn dealt_for(name: &str) -> Network {
    Network { ipam: Ipam::Ledger, ..network(name, "eth0") }
}

/// A ledger with network `net`, for which it deals.
fn with_network() -> Ledger {
    let ledger = Ledger::new();
    ledger.store.add_network(&dealt_for("net")).unwrap();
    ledger.store.confirm_network(&id("net")).unwrap();
    ledger
}

/// What is held but for the gateway, as `ADDRESS KIND`.
fn held(store: &Store) -> Vec<String> {
    let text = |holding: model::Holding| match holding.hold {
        Hold::Gateway(Some(_)) => None,
        Hold::Endpoint { endpoint, .. } => Some(format!("{} {}", holding.address, endpoint.as_str())),
        Hold::Claim => Some(format!("{} claim", holding.address)),
        other => Some(format!("{} {other:?}", holding.address)),
    };
    store.holdings().unwrap().into_iter().filter_map(text).collect()
}

#[test]
fn the_address_of_an_endpoint_that_is_gone_waits_for_its_engine() {
    let Ledger { store, .. } = with_network();
    assert_eq!(store.deal(&pool(), None, &[]).unwrap().to_string(), "192.168.1.2");
    // The second was never dealt: its claim was lost, or it was given up.
    for (name, address) in [("a", "192.168.1.2/24"), ("b", "192.168.1.3/24")] {
        store.claim(&endpoint(name, Some(address), None)).unwrap();
        store.release(&id(name)).unwrap();
    }
    assert_eq!(held(&store), ["192.168.1.2 claim", "192.168.1.3 claim"]);
    for address in ["192.168.1.2", "192.168.1.3"] {
        store.take_back(&pool(), id(address)).unwrap();
    }
    assert_eq!(held(&store), [""; 0]);
}

#[test]
fn what_was_found_again_is_given_back_as_well() {
    let Ledger { store, .. } = Ledger::new();
    store.restore_network(&Network { complete: false, ..network("net", "eth0") }).unwrap();
    store.restore_endpoint(&endpoint("one", Some("192.168.1.2/24"), None), &id("/run/one")).unwrap();
    assert_eq!(store.dealt_to(&pool(), id("192.168.1.2")).unwrap(), None, "nobody has said who deals there");
    store.restore_network(&dealt_for("net")).unwrap();
    assert_eq!(store.dealt_to(&pool(), id("192.168.1.2")).unwrap(), Some(id("one")));
    store.release(&id("one")).unwrap();
    assert_eq!(held(&store), ["192.168.1.2 claim"]);
}

#[test]
fn an_endpoint_that_still_has_what_is_given_back_keeps_it_and_leaves_nothing() {
    let Ledger { store, .. } = with_network();
    store.deal(&pool(), None, &[]).unwrap();
    store.claim(&endpoint("a", Some("192.168.1.2/24"), None)).unwrap();
    assert_eq!(store.dealt_to(&pool(), id("192.168.1.2")).unwrap(), Some(id("a")));
    store.take_back(&pool(), id("192.168.1.2")).unwrap();
    assert_eq!(held(&store), ["192.168.1.2 a"]);
    assert_eq!(store.dealt_to(&pool(), id("192.168.1.2")).unwrap(), None);
    store.release(&id("a")).unwrap();
    assert_eq!(held(&store), [""; 0]);
}

#[test]
fn claims_gateways_and_pools_of_no_network_die_with_their_engine() {
    let Ledger { store, .. } = with_network();
    let other: Pool = id("v1/default/10.0.0.0/8/10.0.0.0/8");
    for pool in [pool(), other] {
        store.open_pool(&pool).unwrap();
        store.gateway(&pool, None, &[]).unwrap();
        store.deal(&pool, None, &[]).unwrap();
    }
    assert_eq!(held(&store), ["10.0.0.1 Gateway(None)", "10.0.0.2 claim", "192.168.1.2 claim"]);
    store.claim(&endpoint("a", Some("192.168.1.2/24"), None)).unwrap();
    store.begin_generation().unwrap();
    assert_eq!(held(&store), ["192.168.1.2 a"]);
    let pools: Vec<Pool> = store.pools().unwrap().into_iter().map(|fill| fill.pool).collect();
    assert_eq!(pools, [pool()]);
}

#[test]
fn whoever_asks_again_under_its_name_has_not_heard_the_answer() {
    let Ledger { store, .. } = with_network();
    let dealt = |name: &str| store.deal(&pool(), Some(&id(name)), &[]).unwrap().to_string();
    assert_eq!([dealt("web"), dealt("db"), dealt("web")], ["192.168.1.2", "192.168.1.3", "192.168.1.2"]);
    store.deal_this(&pool(), Some(&id("web")), id("192.168.1.2")).unwrap();
    store.claim(&endpoint("a", Some("192.168.1.2/24"), None)).unwrap();
    assert_eq!(dealt("web"), "192.168.1.4", "an endpoint has the other");
    assert_eq!(held(&store), ["192.168.1.2 a", "192.168.1.3 claim", "192.168.1.4 claim"]);
}
