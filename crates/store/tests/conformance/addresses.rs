//! Verb by verb, what is promised of the addresses that the ledger deals.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use model::{AddressRange, Adopted, Hold, Ipam, Network, Segment};
use store::{Store, StoreError};
use tempfile::TempDir;

use crate::{endpoint, id, network};

const LAN: &str = "v1/default/192.168.1.0/24/192.168.1.0/24";
/// Of two addresses, .2 and .3.
const PAIR: &str = "v1/default/192.168.1.0/24/192.168.1.2/31";

/// A ledger with a clock that goes as it is told, and network `net`, whose addresses the ledger deals.
struct Dealt {
    store: Store,
    clock: Arc<AtomicU64>,
    _folder: TempDir,
}

impl Dealt {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let shown = Arc::clone(&clock);
        let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::Relaxed));
        let store = Store::open(&folder.path().join("ledger.db")).unwrap().with_clock(now);
        store.add_network(&ledgers("net")).unwrap();
        store.confirm_network(&id("net")).unwrap();
        Self { store, clock, _folder: folder }
    }

    fn seconds_later(&self, seconds: i64) {
        self.clock.fetch_add(seconds.cast_unsigned(), Ordering::Relaxed);
    }

    fn deal(&self, pool: &str) -> String {
        said(self.store.deal(&id(pool), None, &[]))
    }

    fn deal_to(&self, name: &str, pool: &str) -> String {
        said(self.store.deal(&id(pool), Some(&id(name)), &[]))
    }

    fn deal_this(&self, pool: &str, address: &str) -> String {
        said(self.store.deal_this(&id(pool), None, at(address)).map(|()| at(address)))
    }

    fn take_back(&self, address: &str) {
        self.store.take_back(&id(LAN), at(address)).unwrap();
    }

    fn claim(&self, name: &str, address: &str) {
        self.store.claim(&endpoint(name, Some(&format!("{address}/24")), None)).unwrap();
    }

    /// What is said of an address, one thing after the other.
    fn who_has(&self, address: &str) -> Vec<String> {
        let holdings = self.store.who_has(Some(&Segment::default()), at(address)).unwrap();
        holdings.into_iter().map(|one| one.hold.to_string()).collect()
    }
}

/// A network whose addresses the ledger deals.
fn ledgers(name: &str) -> Network {
    Network { ipam: Ipam::Ledger, ..network(name, "eth0") }
}

fn at(address: &str) -> IpAddr {
    address.parse().unwrap()
}

/// The address, or the refusal.
fn said(answer: Result<IpAddr, StoreError>) -> String {
    answer.map_or_else(|error| error.to_string(), |address| address.to_string())
}

#[test]
fn each_address_is_dealt_once_until_there_is_none() {
    let dealt = Dealt::new();
    // .1 is the gateway of `net`.
    let quarter = "v1/default/192.168.1.0/24/192.168.1.0/30";
    assert_eq!([dealt.deal(quarter), dealt.deal(quarter)], ["192.168.1.2", "192.168.1.3"]);
    assert_eq!(dealt.deal(quarter), "no address is left in 192.168.1.0/30");
    dealt.take_back("192.168.1.3");
    assert_eq!(dealt.deal(quarter), "192.168.1.3");
}

#[test]
fn the_address_that_came_back_longest_ago_goes_out_first_and_new_ones_before_it() {
    let dealt = Dealt::new();
    let four = "v1/default/192.168.1.0/24/192.168.1.4/30";
    assert_eq!([(); 3].map(|()| dealt.deal(four)), ["192.168.1.4", "192.168.1.5", "192.168.1.6"]);
    ["192.168.1.5", "192.168.1.4"].iter().for_each(|address| dealt.take_back(address));
    let next = [(); 3].map(|()| dealt.deal(four));
    assert_eq!(next, ["192.168.1.7", "192.168.1.5", "192.168.1.4"]);
}

#[test]
fn an_address_rests_before_somebody_else_gets_it() {
    let dealt = Dealt::new();
    let pool = &format!("{PAIR}/quarantine=90s");
    assert_eq!([dealt.deal_to("web", pool), dealt.deal(pool)], ["192.168.1.2", "192.168.1.3"]);
    dealt.take_back("192.168.1.2");
    dealt.seconds_later(59);
    let refused = dealt.store.deal(&id(pool), None, &[]).unwrap_err();
    assert_eq!(refused.to_string(), "no address is left in 192.168.1.2/31 that has rested long enough");
    assert!(refused.hint().starts_with("try again in 31 s;"), "{}", refused.hint());
    assert_eq!(dealt.deal_to("web", pool), "192.168.1.2", "nobody else");
    dealt.take_back("192.168.1.2");
    dealt.claim("a", "192.168.1.3");
    dealt.seconds_later(90);
    assert_eq!(dealt.deal(pool), "192.168.1.2");
}

#[test]
fn who_comes_with_a_name_gets_what_it_had_until_somebody_needed_it() {
    let dealt = Dealt::new();
    assert_eq!([dealt.deal_to("web", LAN), dealt.deal_to("db", LAN)], ["192.168.1.2", "192.168.1.3"]);
    ["192.168.1.2", "192.168.1.3"].iter().for_each(|address| dealt.take_back(address));
    assert_eq!([dealt.deal_to("db", LAN), dealt.deal_to("web", LAN)], ["192.168.1.3", "192.168.1.2"]);
    dealt.take_back("192.168.1.2");
    assert_eq!(dealt.deal_this(LAN, "192.168.1.2"), "192.168.1.2", "somebody needs it");
    assert_eq!(dealt.deal_to("web", LAN), "192.168.1.4");
}

#[test]
fn what_is_reserved_for_a_name_is_dealt_to_nobody_else() {
    let dealt = Dealt::new();
    let (segment, pinned) = (Segment::default(), at("192.168.1.2"));
    dealt.store.pin(&segment, &id("web"), pinned).unwrap();
    assert_eq!([dealt.deal(PAIR), dealt.deal_to("web", LAN)], ["192.168.1.3", "192.168.1.2"]);
    dealt.take_back("192.168.1.2");
    let other = dealt.store.deal_this(&id(LAN), Some(&id("db")), pinned).unwrap_err();
    assert_eq!(other.to_string(), "address 192.168.1.2 is reserved for web");
    assert_eq!(dealt.deal_this(LAN, "192.168.1.2"), "192.168.1.2", "a person may ask for it");
    assert!(dealt.store.unpin(&segment, pinned).unwrap());
    assert!(!dealt.store.unpin(&segment, pinned).unwrap());
    let gateway = dealt.store.pin(&segment, &id("web"), at("192.168.1.1")).unwrap_err();
    assert_eq!(gateway.to_string(), "address 192.168.1.1 is the gateway of network net");
}

#[test]
fn what_is_not_for_containers_is_refused_by_its_reason() {
    let dealt = Dealt::new();
    let pool = &format!("{LAN}/exclude=192.168.1.9");
    dealt.store.adopt(&Segment::default(), &[Adopted::new(at("192.168.1.8"), "container old of podman")]).unwrap();
    dealt.claim("a", "192.168.1.7");
    assert_eq!(dealt.deal_this(pool, "192.168.1.6"), "192.168.1.6");
    for (address, refusal) in [
        ("192.168.1.0", "address 192.168.1.0 is none for a container in 192.168.1.0/24"),
        ("192.168.2.1", "address 192.168.2.1 is none for a container in 192.168.1.0/24"),
        ("192.168.1.1", "address 192.168.1.1 is the gateway of network net"),
        ("192.168.1.6", "address 192.168.1.6 is dealt to a container that is still to come"),
        ("192.168.1.7", "address 192.168.1.7 is held by endpoint a of network net"),
        ("192.168.1.8", "address 192.168.1.8 is held by container old of podman"),
        ("192.168.1.9", "address 192.168.1.9 is excluded: exclude=192.168.1.9"),
    ] {
        assert_eq!(dealt.deal_this(pool, address), refusal);
    }
    dealt.store.adopt(&Segment::default(), &[]).unwrap();
    assert_eq!(dealt.deal_this(pool, "192.168.1.8"), "192.168.1.8", "what was noted before is gone");
}

#[test]
fn what_is_barred_is_passed_over_for_now() {
    let dealt = Dealt::new();
    let barred = [AddressRange::from(at("192.168.1.2"))];
    assert_eq!(said(dealt.store.deal(&id(PAIR), None, &barred)), "192.168.1.3");
    assert!(matches!(dealt.store.deal(&id(PAIR), None, &barred), Err(StoreError::PoolExhausted(_))));
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
}

#[test]
fn what_somebody_on_the_wire_has_is_believed_for_a_while() {
    let dealt = Dealt::new();
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
    let mac = id("02:00:00:00:00:09");
    dealt.store.yield_to(&id(PAIR), at("192.168.1.2"), mac, Duration::from_secs(300)).unwrap();
    assert_eq!(dealt.who_has("192.168.1.2"), ["in use on the wire, by 02:00:00:00:00:09"]);
    assert_eq!(dealt.deal(PAIR), "192.168.1.3");
    dealt.claim("a", "192.168.1.3");
    assert_eq!(dealt.deal(PAIR), "no address is left in 192.168.1.2/31");
    dealt.seconds_later(300);
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
}

#[test]
fn a_dealt_address_is_the_engines_until_it_gives_it_back_and_its_endpoint_is_gone() {
    for given_back_first in [true, false] {
        let dealt = Dealt::new();
        assert_eq!(dealt.deal_to("web", PAIR), "192.168.1.2");
        assert_eq!(dealt.who_has("192.168.1.2"), ["dealt to a container that is still to come"]);
        dealt.claim("a", "192.168.1.2");
        assert_eq!(dealt.store.holder_by_name(&id(PAIR), &id("web")).unwrap(), Some(id("a")));
        assert_eq!(dealt.deal_this(LAN, "192.168.1.2"), "address 192.168.1.2 is held by endpoint a of network net");
        if given_back_first {
            dealt.take_back("192.168.1.2");
            assert_eq!(dealt.who_has("192.168.1.2"), ["held by endpoint a of network net"]);
            dealt.store.release(&id("a")).unwrap();
        } else {
            dealt.store.release(&id("a")).unwrap();
            assert_eq!(dealt.who_has("192.168.1.2"), ["dealt to a container that is still to come"]);
            dealt.take_back("192.168.1.2");
        }
        dealt.take_back("192.168.1.2");
        assert_eq!(dealt.who_has("192.168.1.2"), [""; 0]);
    }
}

#[test]
fn what_is_buried_holds_nothing_and_what_was_not_bound_dies_with_the_engine() {
    let dealt = Dealt::new();
    assert_eq!([dealt.deal(LAN), dealt.deal(LAN)], ["192.168.1.2", "192.168.1.3"]);
    dealt.claim("a", "192.168.1.2");
    dealt.store.begin_generation().unwrap();
    assert_eq!(dealt.who_has("192.168.1.2"), ["held by endpoint a of network net"]);
    assert_eq!(dealt.who_has("192.168.1.3"), [""; 0]);
    dealt.store.bury(&id("a")).unwrap();
    assert_eq!(dealt.who_has("192.168.1.2"), [""; 0]);
}

#[test]
fn only_a_network_that_the_ledger_deals_for_takes_what_it_dealt() {
    let dealt = Dealt::new();
    dealt.store.add_network(&network("other", "eth0")).unwrap();
    dealt.store.confirm_network(&id("other")).unwrap();
    assert_eq!(dealt.deal(LAN), "192.168.1.2");
    let refused = dealt.store.claim(&endpoint("other/a", Some("192.168.1.2/24"), None)).unwrap_err();
    assert!(matches!(refused, StoreError::AddressTaken { hold: Hold::Claim, .. }), "{refused}");
    dealt.claim("a", "192.168.1.2");
    let gateway = dealt.store.claim(&endpoint("b", Some("192.168.1.1/24"), None)).unwrap_err();
    assert_eq!(gateway.to_string(), "address 192.168.1.1 is the gateway of network net");
}

#[test]
fn a_claim_that_nobody_came_for_is_given_up_after_a_minute() {
    let dealt = Dealt::new();
    assert_eq!([dealt.deal(PAIR), dealt.deal(PAIR)], ["192.168.1.2", "192.168.1.3"]);
    dealt.seconds_later(60);
    assert_eq!(dealt.deal(PAIR), "no address is left in 192.168.1.2/31");
    dealt.seconds_later(1);
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
}

#[test]
fn a_claim_that_was_given_up_rests_from_then_however_often_it_is_asked_for() {
    let dealt = Dealt::new();
    let pool = &format!("{PAIR}/quarantine=40s");
    assert_eq!([dealt.deal(pool), dealt.deal(pool)], ["192.168.1.2", "192.168.1.3"]);
    for _ in 0..3 {
        dealt.seconds_later(30);
        assert!(dealt.deal(pool).starts_with("no address is left"));
    }
    dealt.seconds_later(10);
    assert_eq!(dealt.deal(pool), "192.168.1.2");
}

#[test]
fn a_claim_does_not_live_longer_because_the_clock_was_set_back() {
    let dealt = Dealt::new();
    assert_eq!([dealt.deal(PAIR), dealt.deal(PAIR)], ["192.168.1.2", "192.168.1.3"]);
    dealt.seconds_later(-60);
    assert_eq!(dealt.deal(PAIR), "no address is left in 192.168.1.2/31");
    dealt.seconds_later(-1);
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
}

#[test]
fn what_was_asked_for_out_of_turn_rests_as_all_others_do() {
    let dealt = Dealt::new();
    let pool = &format!("{PAIR}/quarantine=90s");
    assert_eq!(dealt.deal_this(pool, "192.168.1.3"), "192.168.1.3");
    dealt.take_back("192.168.1.3");
    assert_eq!(dealt.deal(pool), "192.168.1.2");
    assert_eq!(dealt.deal(pool), "no address is left in 192.168.1.2/31 that has rested long enough");

    dealt.store.deal_this(&id(LAN), Some(&id("web")), at("192.168.1.77")).unwrap();
    dealt.take_back("192.168.1.77");
    assert_eq!(dealt.deal_to("web", LAN), "192.168.1.77", "it had that before");
}

#[test]
fn what_was_passed_over_and_never_dealt_need_not_rest() {
    let dealt = Dealt::new();
    let pool = &format!("{PAIR}/quarantine=90s");
    dealt.store.pin(&Segment::default(), &id("web"), at("192.168.1.2")).unwrap();
    assert_eq!(dealt.deal(pool), "192.168.1.3");
    dealt.store.unpin(&Segment::default(), at("192.168.1.2")).unwrap();
    assert_eq!(dealt.deal(pool), "192.168.1.2");
}

#[test]
fn what_moves_to_another_segment_comes_back_to_the_pools_of_the_old_one() {
    let dealt = Dealt::new();
    assert_eq!([dealt.deal(PAIR), dealt.deal(PAIR)], ["192.168.1.2", "192.168.1.3"]);
    dealt.claim("a", "192.168.1.2");
    dealt.store.restore_network(&Network { segment_name: id("cellar"), ..ledgers("net") }).unwrap();
    assert_eq!(dealt.who_has("192.168.1.2"), [""; 0]);
    assert_eq!(dealt.deal(PAIR), "192.168.1.2");
}

#[test]
fn a_gateway_is_the_pools_and_shared_by_all_who_ask() {
    let dealt = Dealt::new();
    let subnet = "v1/cellar/10.0.0.0/29/10.0.0.0/29";
    let gateway = |pool: &str, asked: Option<&str>| said(dealt.store.gateway(&id(pool), asked.map(at), &[]));
    let host = [AddressRange::from(at("10.0.0.1"))];
    assert_eq!(said(dealt.store.gateway(&id(subnet), None, &host)), "10.0.0.2", "the first that is free");
    assert_eq!(gateway(subnet, None), "10.0.0.2", "the one that is there");
    assert_eq!(gateway("v1/cellar/10.0.0.0/29/10.0.0.4/30", Some("10.0.0.2")), "10.0.0.2");
    assert_eq!(gateway(subnet, Some("10.0.0.7")), "address 10.0.0.7 is none for a container in 10.0.0.0/29");
    assert_eq!([dealt.deal(subnet), dealt.deal(subnet)], ["10.0.0.1", "10.0.0.3"]);
    assert_eq!(gateway(subnet, Some("10.0.0.1")), "address 10.0.0.1 is dealt to a container that is still to come");
    dealt.seconds_later(61);
    assert_eq!(gateway(subnet, Some("10.0.0.1")), "10.0.0.1", "nobody came");
    assert_eq!(gateway(LAN, Some("192.168.1.1")), "192.168.1.1", "the gateway of `net` is one already");
    dealt.store.close_pool(&id(subnet)).unwrap();
    dealt.store.close_pool(&id(LAN)).unwrap();
    assert_eq!(gateway(subnet, None), "10.0.0.1", "the gateways that no network had went with the pool");
    assert_eq!(gateway(LAN, None), "192.168.1.1");

    let (router, container) = (at("10.0.0.5"), at("10.0.0.6"));
    assert_eq!(dealt.deal_this(subnet, "10.0.0.6"), "10.0.0.6");
    let told = [router, container].map(|address| Adopted::new(address, "somebody"));
    dealt.store.adopt(&id("cellar"), &told).unwrap();
    assert_eq!(gateway(subnet, Some("10.0.0.5")), "10.0.0.5", "others have named the same router");
    assert_eq!(gateway(subnet, Some("10.0.0.6")), "address 10.0.0.6 is dealt to a container that is still to come");
}

#[test]
fn an_auxiliary_address_may_be_asked_for_by_every_network_that_names_it() {
    let dealt = Dealt::new();
    let auxiliary = vec![at("192.168.1.2")];
    assert_eq!(dealt.deal_this(LAN, "192.168.1.2"), "192.168.1.2", "before the first network that names it is there");
    dealt.store.add_network(&Network { auxiliary: auxiliary.clone(), ..ledgers("one") }).unwrap();
    assert_eq!(dealt.who_has("192.168.1.2"), ["an auxiliary address of network one"], "and nobody's claim any more");
    dealt.store.adopt(&Segment::default(), &[Adopted::new(at("192.168.1.2"), "a router")]).unwrap();
    assert_eq!(dealt.deal_this(LAN, "192.168.1.2"), "192.168.1.2");
    dealt.store.add_network(&Network { auxiliary, ..ledgers("two") }).unwrap();
    assert_eq!(dealt.deal(PAIR), "192.168.1.3");
    ["one", "two"].iter().for_each(|name| dealt.store.remove_network(&id(name)).unwrap());
    assert_eq!(dealt.who_has("192.168.1.2"), ["held by a router"]);
}

#[test]
fn a_pool_tells_how_full_it_is() {
    let dealt = Dealt::new();
    let pool = &format!("{LAN}/exclude=192.168.1.5/quarantine=90s");
    let fill = || {
        let fills = dealt.store.pools().unwrap();
        let fill = fills.iter().find(|fill| fill.pool.to_string().contains("exclude")).unwrap();
        (fill.taken, fill.resting)
    };
    dealt.store.open_pool(&id(pool)).unwrap();
    assert_eq!(fill(), (1, 0), "the gateway");
    ["192.168.1.3", "192.168.1.4"].iter().for_each(|address| drop(dealt.deal_this(pool, address)));
    dealt.claim("a", "192.168.1.5");
    assert_eq!(fill(), (4, 0));
    ["192.168.1.3", "192.168.1.4"].iter().for_each(|address| dealt.take_back(address));
    dealt.store.bury(&id("a")).unwrap();
    assert_eq!(fill(), (1, 2), "what is excluded does not rest");
    dealt.store.pin(&Segment::default(), &id("web"), at("192.168.1.3")).unwrap();
    assert_eq!(fill(), (2, 1), "nor does what is somebody's");
    dealt.seconds_later(90);
    assert_eq!(fill(), (2, 0));
}
