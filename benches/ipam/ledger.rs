//! A ledger with so many leases, and one more for a moment.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{Endpoint, EndpointId, EndpointState, Frontend, Generation, Ipam, Moment, Network, Parent, Pool, Subnet};
use store::Store;

/// What is timed, in this order.
pub(crate) const OPERATIONS: [&str; 4] =
    ["allocate", "release", "allocate, with its endpoint", "release, with its endpoint"];

/// How long each of the operations took.
pub(crate) type Times = [Duration; OPERATIONS.len()];

/// Where a pool is when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A /16 of which there are addresses that were never dealt.
    New,
    /// A /16 of which every address was dealt before.
    GoneRound,
    /// A /64.
    Endless,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::New => "/16, new",
            Kind::GoneRound => "/16, gone round",
            Kind::Endless => "/64",
        })
    }
}

/// A ledger with so many containers on a network.
pub(crate) struct Ledger {
    store: Store,
    pool: Pool,
    made: u64,
}

impl Ledger {
    /// Makes one by the verbs that a container engine calls, as often as there are leases.
    pub(crate) fn fill(folder: &Path, kind: Kind, leases: usize) -> Result<Self> {
        let subnet = if kind == Kind::Endless { "2001:db8::/64" } else { "10.0.0.0/16" };
        let path = folder.join(format!("{leases}-{}.db", kind as u8));
        let store = Store::open(&path).context("the ledger cannot be made")?;
        let id = "net".parse()?;
        let parent = Parent::Link("eth0".parse()?);
        let subnets = vec![Subnet::new(subnet.parse()?, None)?];
        let network = Network { ipam: Ipam::Ledger, subnets, ..Network::plain(id, parent) };
        store.add_network(&network)?;
        store.confirm_network(&network.id)?;
        let pool = Pool::new(network.segment_name, subnet.parse()?, None)?;
        let mut ledger = Self { store, pool, made: 0 };
        if kind == Kind::GoneRound {
            ledger.go_round()?;
        }
        for _ in 0..leases {
            let address = ledger.allocate()?;
            ledger.store.claim(&ledger.endpoint(address)?)?;
        }
        Ok(ledger)
    }

    /// Every address is dealt and given back once.
    fn go_round(&self) -> Result<()> {
        for _ in 0..self.pool.size() {
            let address = self.store.deal(&self.pool, None, &[])?;
            self.store.take_back(&self.pool, address)?;
        }
        Ok(())
    }

    fn allocate(&mut self) -> Result<IpAddr> {
        self.made += 1;
        let name = format!("container-{}", self.made).parse()?;
        Ok(self.store.deal(&self.pool, Some(&name), &[])?)
    }

    /// One more container of each kind, and its end.
    pub(crate) fn round(&mut self) -> Result<Times> {
        let begin = Instant::now();
        let address = self.allocate()?;
        let allocate = begin.elapsed();

        let begin = Instant::now();
        self.store.take_back(&self.pool, address)?;
        let release = begin.elapsed();

        let begin = Instant::now();
        let address = self.allocate()?;
        let endpoint = self.endpoint(address)?;
        self.store.claim(&endpoint)?;
        let allocate_with = begin.elapsed();

        let begin = Instant::now();
        self.store.release(&endpoint.id)?;
        self.store.take_back(&self.pool, address)?;
        Ok([allocate, release, allocate_with, begin.elapsed()])
    }

    /// Ids are random, as those of an engine.
    fn endpoint(&self, address: IpAddr) -> Result<Endpoint> {
        Ok(Endpoint {
            id: random_id(self.made)?,
            network: "net".parse()?,
            frontend: Frontend::Docker,
            addresses: self.pool.with_prefix(address).into(),
            set_up: None,
            sandbox: None,
            born: Moment { generation: Generation(1), boot: "b007".parse()? },
            state: EndpointState::Created,
        })
    }
}

/// Sixty-four digits without an order, the same in every run: SplitMix64.
fn random_id(number: u64) -> Result<EndpointId> {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Ok(format!("{:064x}", u128::from(mixed ^ (mixed >> 31)) << 64).chars().rev().collect::<String>().parse()?)
}
