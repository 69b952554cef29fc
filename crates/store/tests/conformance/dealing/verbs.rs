//! What is asked of the ledger and its reference: any verb on addresses, and what may happen in between.

use std::net::IpAddr;
use std::time::Duration;

use model::{AddressRange, EndpointId, EndpointName, Ipam, Network, NetworkId, Parent, Pool, Segment, Subnet};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::dealer::Dealer;
use crate::id;

/// Small, and in each other's way: overlapping, nested, of one address, of both families, and one without an end.
pub(super) const POOLS: [&str; 13] = [
    "v1/default/10.0.0.0/29/10.0.0.0/29",
    "v1/default/10.0.0.0/29/10.0.0.4/30",
    "v1/default/10.0.0.0/29/10.0.0.0/29/quarantine=30s",
    "v1/default/10.0.0.0/28/10.0.0.0/28/exclude=10.0.0.0-10.0.0.2,10.0.0.6,10.0.0.9-10.0.0.15/quarantine=2s",
    "v1/default/10.0.0.0/30/10.0.0.0/30",
    "v1/default/10.0.0.4/31/10.0.0.4/31",
    "v1/default/10.0.0.0/24/10.0.0.5/32/quarantine=90s",
    "v1/default/10.0.0.0/24/10.0.0.3/32",
    "v1/cellar/10.0.0.0/29/10.0.0.0/29",
    "v1/default/2001:db8::/126/2001:db8::/126",
    "v1/default/2001:db8::2/127/2001:db8::2/127/quarantine=5s",
    "v1/default/2001:db8::/64/2001:db8::/64",
    "v1/default/2001:db8::/64/2001:db8::4/126/quarantine=1s",
];

#[derive(Debug, Clone)]
pub(super) enum Verb {
    Deal(Pool, Option<EndpointName>, Vec<AddressRange>),
    DealThis(Pool, Option<EndpointName>, IpAddr),
    TakeBack(Which),
    YieldTo(Which, Duration),
    Gateway(Pool, Option<IpAddr>, Vec<AddressRange>),
    Pin(Segment, EndpointName, IpAddr),
    Unpin(Segment, IpAddr),
    Adopt(Segment, Vec<IpAddr>),
    OpenPool(Pool),
    ClosePool(Pool),
    AddNetwork(Network),
    RestoreNetwork(Network),
    RemoveNetwork(NetworkId),
    Claim(EndpointId, NetworkId, Vec<Which>, bool),
    Release(EndpointId),
    Bury(EndpointId),
    BeginGeneration,
    Clock(i64),
    Reopen,
    DieHalfway,
}

/// An address that is leased, where there are any, or just one.
#[derive(Debug, Clone)]
pub(super) enum Which {
    Leased(Index),
    Any(Pool, IpAddr),
}

impl Which {
    pub(super) fn of(&self, reference: &Dealer) -> (Pool, IpAddr) {
        let leased = reference.leased();
        match self {
            Which::Leased(index) if !leased.is_empty() => {
                let (segment, address) = index.get(&leased);
                let pools = POOLS.map(id::<Pool>);
                let pool = pools.iter().find(|pool| pool.segment() == *segment).unwrap_or(&pools[0]);
                (pool.clone(), *address)
            }
            Which::Leased(_) => (id(POOLS[0]), id("10.0.0.1")),
            Which::Any(pool, address) => (pool.clone(), *address),
        }
    }
}

fn pool() -> impl Strategy<Value = Pool> {
    select(POOLS.to_vec()).prop_map(id)
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        4 => (0..10_u8).prop_map(|last| IpAddr::from([10, 0, 0, last])),
        3 => (0..6_u16).prop_map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        4 => any::<Index>().prop_map(Which::Leased),
        1 => (pool(), address()).prop_map(|(pool, address)| Which::Any(pool, address)),
    ]
}

fn name() -> impl Strategy<Value = EndpointName> {
    select(vec!["web", "db"]).prop_map(id)
}

fn barred() -> impl Strategy<Value = Vec<AddressRange>> {
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(address().prop_map(AddressRange::from), 1..3)]
}

fn segment() -> impl Strategy<Value = Segment> {
    select(vec!["default", "default", "cellar"]).prop_map(id)
}

fn endpoint_id() -> impl Strategy<Value = EndpointId> {
    select(vec!["e1", "e2", "e3", "e4", "e5"]).prop_map(id)
}

fn network_id() -> impl Strategy<Value = NetworkId> {
    select(vec!["n1", "n2", "n3"]).prop_map(id)
}

/// Of one id, they differ in everything but the parent. The third is isolated, with a segment of its own while the engine
/// deals its addresses.
fn network() -> impl Strategy<Value = Network> {
    let subnets = [
        ("10.0.0.0/29", Some("10.0.0.1")),
        ("10.0.0.4/31", None),
        ("2001:db8::/64", Some("2001:db8::1")),
        ("2001:db8::/126", Some("2001:db8::2")),
    ];
    let subnets = subnets.map(|(pool, gateway)| Subnet::new(id(pool), gateway.map(id)).unwrap());
    let subnets = prop::sample::subsequence(subnets.to_vec(), 1..=3);
    let auxiliary = prop::sample::subsequence(vec![id("10.0.0.2"), id("10.0.0.5"), id("2001:db8::3")], 0..=2);
    let ipam = select(vec![Ipam::Ledger, Ipam::Ledger, Ipam::Engine]);
    let segment = select(vec!["default", "default", "cellar"]);
    (network_id(), subnets, auxiliary, ipam, segment).prop_map(|(name, subnets, auxiliary, ipam, segment)| {
        let isolated = name.as_str() == "n3";
        let parent = if isolated { Parent::dummy_for(&name) } else { Parent::Link(id("eth0")) };
        let segment_name = id(if isolated { "default" } else { segment });
        Network { subnets, auxiliary, ipam, segment_name, ..Network::plain(name, parent) }
    })
}

pub(super) fn verb() -> impl Strategy<Value = Verb> {
    let maybe = |name: EndpointName, told: bool| told.then_some(name);
    let seconds = || select(vec![1_i64, 2_000, 29_999, 30_000, 60_000, 60_001, 600_000]);
    let dealing = prop_oneof![
        12 => (pool(), name(), any::<bool>(), barred())
            .prop_map(move |(pool, name, told, barred)| Verb::Deal(pool, maybe(name, told), barred)),
        4 => (pool(), name(), any::<bool>(), address())
            .prop_map(move |(pool, name, told, address)| Verb::DealThis(pool, maybe(name, told), address)),
        8 => which().prop_map(Verb::TakeBack),
        1 => (which(), seconds())
            .prop_map(|(which, believed)| Verb::YieldTo(which, Duration::from_millis(believed.unsigned_abs()))),
        2 => (pool(), prop::option::of(address()), barred())
            .prop_map(|(pool, asked, barred)| Verb::Gateway(pool, asked, barred)),
        1 => (segment(), name(), address()).prop_map(|(segment, name, address)| Verb::Pin(segment, name, address)),
        1 => (segment(), address()).prop_map(|(segment, address)| Verb::Unpin(segment, address)),
        1 => (segment(), prop::collection::btree_set(address(), 0..3))
            .prop_map(|(segment, found)| Verb::Adopt(segment, found.into_iter().collect())),
        1 => pool().prop_map(Verb::OpenPool),
        1 => pool().prop_map(Verb::ClosePool),
    ];
    let records = prop_oneof![
        3 => network().prop_map(Verb::AddNetwork),
        1 => network().prop_map(Verb::RestoreNetwork),
        1 => network_id().prop_map(Verb::RemoveNetwork),
        10 => (endpoint_id(), network_id(), prop::collection::vec(which(), 1..=2), prop::bool::weighted(0.1))
            .prop_map(|(name, network, which, found_again)| Verb::Claim(name, network, which, found_again)),
        3 => endpoint_id().prop_map(Verb::Release),
        2 => endpoint_id().prop_map(Verb::Bury),
    ];
    let events = prop_oneof![
        4 => seconds().prop_map(Verb::Clock),
        1 => seconds().prop_map(|back| Verb::Clock(-back)),
        1 => Just(Verb::BeginGeneration),
        1 => Just(Verb::Reopen),
        1 => Just(Verb::DieHalfway),
    ];
    prop_oneof![5 => dealing, 3 => records, 1 => events]
}
