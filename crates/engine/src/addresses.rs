//! Addresses dealt from the ledger's pools.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use kernel::Scope;
use model::{
    AddressRange, EndpointName, Family, InterfaceName, IpamOptions, Link, MacAddress, Network, Observed, ParentFault,
    Pool,
};
use store::StoreError;

use crate::{Engine, EngineError};

/// How long whoever was found on the wire is believed to be there.
const BELIEVED: Duration = Duration::from_secs(10 * 60);
/// How long free addresses are looked for on the wire: the container engine waits for the answer.
const SEARCH_LIMIT: Duration = Duration::from_secs(5);

/// A pool to be dealt from.
#[derive(Debug, Clone)]
pub struct PoolRequest {
    /// Of addresses of this family.
    pub family: Family,
    /// The subnet; the parent's where it is not given.
    pub subnet: Option<IpNet>,
    /// The part of it that is dealt from.
    pub range: Option<IpNet>,
    /// What the user asked for.
    pub options: IpamOptions,
}

/// A pool as it is asked for, with what the parent says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPlan {
    /// The pool.
    pub pool: Pool,
    /// The router that its parent goes by.
    pub gateway: Option<IpAddr>,
}

impl PoolRequest {
    /// Looks what the parent has to say. Nothing is written.
    ///
    /// # Errors
    /// When neither subnet nor parent is named, the parent has no subnet, or the range is not in the subnet.
    pub fn plan(self) -> Result<PoolPlan, EngineError> {
        let IpamOptions { parent, segment, dealing } = self.options;
        let parent = parent.map(|name| parents_link(&name)).transpose()?;
        let subnet = match (self.subnet, &parent) {
            (Some(subnet), _) => subnet,
            (None, _) if self.range.is_some() => return Err(EngineError::RangeWithoutSubnet),
            (None, Some(link)) => subnet_of(link, self.family)?,
            (None, None) => return Err(EngineError::NoSubnet(self.family)),
        };
        let pool = Pool::new(segment.unwrap_or_default(), subnet, self.range)?.dealt(dealing);
        let router = parent.map(|link| kernel::router(&link, self.family)).transpose()?.flatten();
        // A router beside the subnet is reached in some other way than a container would.
        let gateway = router.filter(|router| pool.admits(*router));
        Ok(PoolPlan { pool, gateway })
    }
}

impl Engine {
    /// Opens a pool and sets its gateway aside, both or neither. Opened already is success, and as often as it is asked for.
    ///
    /// # Errors
    /// When the gateway is somebody's.
    pub fn open_pool(&self, plan: &PoolPlan) -> Result<(), EngineError> {
        match plan.gateway {
            Some(gateway) => self.store.gateway(&plan.pool, Some(gateway), &[]).map(drop)?,
            None => self.store.open_pool(&plan.pool)?,
        }
        Ok(())
    }

    /// Closes a pool, unless a network is on it. Closed already is success.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close_pool(&self, pool: &Pool) -> Result<(), EngineError> {
        Ok(self.store.close_pool(pool)?)
    }

    /// The address of a pool's router: the one that is asked for, or that it has, or the first that is free.
    ///
    /// # Errors
    /// When the one that is asked for is somebody's, or none is free.
    pub fn deal_gateway(&self, pool: &Pool, asked: Option<IpAddr>) -> Result<IpNet, EngineError> {
        let barred = own_addresses(pool, &kernel::observe(Scope::Host)?);
        Ok(pool.with_prefix(self.store.gateway(pool, asked, &barred)?))
    }

    /// Deals an address to an endpoint that is about to be made: the one that is asked for, or the one that the name had
    /// before, or one that nobody has. Where the pool says so, the wire is asked as well.
    ///
    /// # Errors
    /// When the one that is asked for is a living endpoint's or somebody else's, or none is free.
    pub fn deal(&self, pool: &Pool, asked: Option<IpAddr>, name: Option<&EndpointName>) -> Result<IpNet, EngineError> {
        self.deal_around(pool, asked, name, &[])
    }

    /// The same; what is in the `way` is passed over.
    pub(crate) fn deal_around(
        &self,
        pool: &Pool,
        asked: Option<IpAddr>,
        name: Option<&EndpointName>,
        way: &[AddressRange],
    ) -> Result<IpNet, EngineError> {
        let observed = kernel::observe(Scope::Host)?;
        let barred: Vec<AddressRange> = own_addresses(pool, &observed).into_iter().chain(way.iter().copied()).collect();
        let deadline = Instant::now() + SEARCH_LIMIT;
        self.bury_namesake(pool, name)?;
        for tried in 1_u32.. {
            let address = match asked {
                Some(asked) => self.deal_this(pool, asked, name)?,
                None => self.store.deal(pool, name, &barred)?,
            };
            let answered = match self.on_the_wire(pool, address, &observed) {
                Ok(answered) => answered,
                Err(error) => {
                    self.store.take_back(pool, address)?;
                    return Err(error);
                }
            };
            let Some(mac) = answered else { return Ok(pool.with_prefix(address)) };
            tracing::warn!(%address, %mac, "in use on the wire, so not dealt");
            self.store.yield_to(pool, address, mac, BELIEVED)?;
            if asked.is_some() {
                return Err(EngineError::OnTheWire { address, mac });
            }
            if Instant::now() >= deadline {
                return Err(EngineError::CrowdedWire { pool: Box::new(pool.clone()), tried, mac });
            }
        }
        unreachable!("there is a deadline")
    }

    /// Takes back what was dealt. Free already is success.
    ///
    /// An engine gives back the address of an endpoint that it has deleted. One that is still there, and in no sandbox, it
    /// has let go of without a word: it was not heard, or did not hear of it, because we died. That goes first: cut off, it
    /// leaves a claim, which ends by itself.
    ///
    /// # Errors
    /// When ledger or kernel fail.
    pub fn take_back(&self, pool: &Pool, address: IpAddr) -> Result<(), EngineError> {
        if let Some(holder) = self.store.dealt_to(pool, address)? {
            self.bury_if_dead(&holder, true)?;
        }
        Ok(self.store.take_back(pool, address)?)
    }

    /// Deals the address that is asked for, from its holder if that is dead.
    fn deal_this(&self, pool: &Pool, address: IpAddr, name: Option<&EndpointName>) -> Result<IpAddr, EngineError> {
        loop {
            match self.store.deal_this(pool, name, address) {
                Err(StoreError::AddressHeld { address, holder, network }) => {
                    if !self.bury_if_dead(&holder, false)? {
                        return Err(StoreError::AddressHeld { address, holder, network }.into());
                    }
                }
                dealt => return Ok(dealt.map(|()| address)?),
            }
        }
    }

    /// A container that comes again under its name is not kept from its address by what is left of it.
    fn bury_namesake(&self, pool: &Pool, name: Option<&EndpointName>) -> Result<(), EngineError> {
        if let Some(name) = name
            && let Some(holder) = self.store.holder_by_name(pool, name)?
        {
            self.bury_if_dead(&holder, false)?;
        }
        Ok(())
    }

    /// Who answers for an address on the wires that the pool's networks are on, where that is to be asked.
    fn on_the_wire(
        &self,
        pool: &Pool,
        address: IpAddr,
        observed: &Observed,
    ) -> Result<Option<MacAddress>, EngineError> {
        let Some(limit) = pool.dealing().probe else { return Ok(None) };
        let on_it = |network: &Network| {
            network.segment() == pool.segment() && network.subnets.iter().any(|subnet| subnet.pool() == pool.subnet())
        };
        self.probe(address, on_it, limit, observed)
    }

    /// Who answers for an address on the parents of the networks that `concerns` picks.
    pub(crate) fn probe(
        &self,
        address: IpAddr,
        concerns: impl Fn(&Network) -> bool,
        limit: Duration,
        observed: &Observed,
    ) -> Result<Option<MacAddress>, EngineError> {
        let mut networks = self.store.networks()?;
        networks.retain(|network| !network.isolated() && concerns(network));
        let mut parents: Vec<InterfaceName> = networks.into_iter().map(|it| it.parent.name().clone()).collect();
        parents.sort();
        parents.dedup();
        for link in parents.iter().filter_map(|parent| observed.host_link(parent)) {
            // What has no hardware address has no neighbours; what is down has none now.
            if link.mac.is_some()
                && link.up
                && let Some(mac) = kernel::probe(address, link, limit)?
            {
                return Ok(Some(mac));
            }
        }
        Ok(None)
    }
}

/// The host's own addresses, on whichever link.
pub(crate) fn own_addresses(pool: &Pool, observed: &Observed) -> Vec<AddressRange> {
    let all = observed.host.iter().flat_map(|link| link.addresses.iter().map(IpNet::addr));
    all.filter(|address| pool.subnet().contains(address)).map(AddressRange::from).collect()
}

fn parents_link(name: &InterfaceName) -> Result<Link, EngineError> {
    let observed = kernel::observe(Scope::Host)?;
    observed.host_link(name).cloned().ok_or_else(|| ParentFault::Missing(name.clone()).into())
}

/// The subnet that a link has an address in. One of its own for itself is none.
fn subnet_of(link: &Link, family: Family) -> Result<IpNet, EngineError> {
    let usable = |net: &&IpNet| {
        let local = matches!(net, IpNet::V6(v6) if v6.addr().is_unicast_link_local());
        Family::of(net.addr()) == family && net.prefix_len() < net.max_prefix_len() && !local
    };
    let found = link.addresses.iter().find(usable).map(IpNet::trunc);
    found.ok_or_else(|| EngineError::NoSubnetOn { parent: link.name.clone(), family })
}
