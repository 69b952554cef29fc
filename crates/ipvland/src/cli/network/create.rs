//! `ipvland network create`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Result, anyhow};
use engine::{Carrier, Engine, EngineError, NetworkRequest, PoolPlan, PoolRequest};
use model::{DriverOptions, Frontend, IpamOptions, Mode, Network, NetworkId, OptionError, Subnet};

use super::arguments::CreateArguments;
use super::subnets::{ensure_inside, pools, with_gateways};

/// A network that is asked for, but for its gateways.
struct Asked {
    id: NetworkId,
    options: DriverOptions,
    carrier: Carrier,
    auxiliary: Vec<IpAddr>,
}

/// Makes a network: opens its pools, and enters it with them. All or nothing.
///
/// # Errors
/// When it is not what a network can be, or there is another of that name.
pub(super) fn create(engine: &Engine, arguments: &CreateArguments) -> Result<Network> {
    let CreateArguments { name, subnet, gateway, ip_range, aux_address, internal, ipv6, .. } = arguments;
    let mut options = DriverOptions::parse(pairs(&arguments.options)).map_err(|error| wrong(&error))?;
    let mut dealing = IpamOptions::parse(pairs(&arguments.ipam_options)).map_err(|error| wrong(&error))?;
    let carrier = if *internal { Carrier::Isolated } else { Carrier::Parent };
    // One command speaks of one network: what it says in one place is meant in the other.
    options.segment = options.segment.or_else(|| dealing.segment.clone());
    dealing.segment = dealing.segment.or_else(|| options.segment.clone());
    let takes_parents = subnet.is_empty() || (*ipv6 && !subnet.iter().any(|net| net.addr().is_ipv6()));
    if takes_parents && carrier == Carrier::Parent {
        dealing.parent = dealing.parent.or_else(|| options.parent.clone());
    }

    let plans = pools(subnet, ip_range, *ipv6, &dealing)?.into_iter().map(PoolRequest::plan);
    let plans = with_gateways(plans.collect::<Result<_, _>>()?, gateway)?;
    ensure_inside(&plans, aux_address)?;
    let auxiliary: BTreeSet<IpAddr> = aux_address.iter().copied().collect();
    let asked = Asked { id: name.clone(), options, carrier, auxiliary: auxiliary.into_iter().collect() };
    match engine.networks()?.into_iter().find(|network| network.id == *name) {
        Some(there) => asked.again(engine, &there, plans)?,
        None => asked.anew(engine, &plans)?,
    }
    let made = engine.networks()?.into_iter().find(|network| network.id == *name);
    Ok(made.ok_or_else(|| EngineError::NoNetwork(name.to_string()))?)
}

impl Asked {
    /// Its pools first: they tell the segment of its addresses, and each sets its gateway aside.
    fn anew(&self, engine: &Engine, plans: &[PoolPlan]) -> Result<()> {
        let opened = plans.iter().try_for_each(|plan| engine.open_pool(plan));
        let made = opened.map_err(Into::into).and_then(|()| {
            let plans = plans.iter().map(|plan| self.with_router(engine, plan));
            Ok(engine.create_network(&self.request(plans.collect::<Result<_>>()?))?)
        });
        made.inspect_err(|_| {
            for plan in plans {
                if let Err(error) = engine.close_pool(&plan.pool) {
                    tracing::warn!(pool = %plan.pool, %error, "was opened and could not be closed");
                }
            }
        })
    }

    /// One that was found again by its slaves, after the ledger was lost, is completed. Of any other it is asked whether it
    /// is the same; where no gateway is named, the one it has is meant.
    fn again(&self, engine: &Engine, there: &Network, plans: Vec<PoolPlan>) -> Result<()> {
        if !there.complete && there.frontend == Frontend::Shell {
            let plans = plans.iter().map(|plan| self.with_router(engine, plan)).collect::<Result<_>>()?;
            engine.remember(&[self.request(plans)], &BTreeSet::new())?;
            return Ok(());
        }
        let its = |plan: &PoolPlan| {
            let subnet = there.subnets.iter().find(|subnet| subnet.pool() == plan.pool.subnet());
            subnet.and_then(Subnet::gateway)
        };
        let with_its = |plan: PoolPlan| PoolPlan { gateway: plan.gateway.or(its(&plan)), ..plan };
        Ok(engine.create_network(&self.request(plans.into_iter().map(with_its).collect()))?)
    }

    /// In l2 on a parent containers go by a router on the wire; elsewhere an address for one would be wasted.
    fn with_router(&self, engine: &Engine, plan: &PoolPlan) -> Result<PoolPlan> {
        let wants =
            self.carrier == Carrier::Parent && self.options.parent.is_some() && self.options.settings.mode == Mode::L2;
        let gateway = match plan.gateway {
            None if wants => Some(engine.deal_gateway(&plan.pool, None)?.addr()),
            named => named,
        };
        Ok(PoolPlan { gateway, ..plan.clone() })
    }

    fn request(&self, plans: Vec<PoolPlan>) -> NetworkRequest {
        let subnet =
            |plan: &PoolPlan| Subnet::new(plan.pool.subnet(), plan.gateway).expect("a gateway is in its subnet");
        NetworkRequest {
            id: self.id.clone(),
            frontend: Frontend::Shell,
            options: self.options.clone(),
            carrier: self.carrier,
            subnets: plans.iter().map(subnet).collect(),
            auxiliary: self.auxiliary.clone(),
            ipam: model::Ipam::Ledger,
            pools: plans.into_iter().map(|plan| plan.pool).collect(),
        }
    }
}

fn pairs(options: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    options.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

fn wrong(error: &OptionError) -> anyhow::Error {
    anyhow!("{error}; {}", error.hint())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use engine::Paths;
    use tempfile::TempDir;

    use super::*;

    /// What is typed behind `ipvland network create`.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        create: CreateArguments,
    }

    fn ledger() -> (TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state_dir: folder.path().join("state"), run_dir: folder.path().join("run") };
        let engine = Engine::open(&paths).unwrap();
        (folder, engine)
    }

    fn asked(options: &[(&str, &str)], carrier: Carrier) -> Asked {
        let options = DriverOptions::parse(options.iter().copied()).unwrap();
        Asked { id: "lan".parse().unwrap(), options, carrier, auxiliary: Vec::new() }
    }

    fn plan(gateway: Option<&str>) -> PoolPlan {
        let pool = "v1/default/198.51.100.0/24/198.51.100.0/24".parse().unwrap();
        PoolPlan { pool, gateway: gateway.map(|text| text.parse().unwrap()) }
    }

    fn typed(engine: &Engine, line: &str) -> Result<Network, String> {
        let line = Line::parse_from(["create"].into_iter().chain(line.split_whitespace()));
        create(engine, &line.create).map_err(|error| error.to_string())
    }

    #[test]
    fn only_containers_on_a_wire_go_by_a_router() {
        let (_folder, engine) = ledger();
        let router = |asked: &Asked, named| {
            let gateway = asked.with_router(&engine, &plan(named)).unwrap().gateway;
            gateway.map(|gateway| gateway.to_string())
        };
        let eth0 = ("parent", "eth0");
        assert_eq!(router(&asked(&[eth0], Carrier::Parent), None).as_deref(), Some("198.51.100.1"));
        assert_eq!(router(&asked(&[eth0], Carrier::Parent), Some("198.51.100.9")).as_deref(), Some("198.51.100.9"));
        assert_eq!(router(&asked(&[eth0, ("ipvlan_mode", "l3")], Carrier::Parent), None), None);
        assert_eq!(router(&asked(&[eth0], Carrier::Isolated), None), None);
        assert_eq!(router(&asked(&[], Carrier::Parent), None), None);
    }

    #[test]
    fn what_is_made_already_is_there_as_long_as_it_is_the_same() {
        let (_folder, engine) = ledger();
        // As if it had been made: the kernel of whoever runs this may have no ipvlan.
        let made = asked(&[("parent", "lo")], Carrier::Parent).request(vec![plan(Some("198.51.100.1"))]);
        engine.remember(&[made], &BTreeSet::new()).unwrap();
        let network = typed(&engine, "lan -o parent=lo --subnet 198.51.100.0/24").unwrap();
        assert_eq!(network.pools, [plan(None).pool]);
        assert_eq!(network.subnets[0].gateway().unwrap().to_string(), "198.51.100.1", "the one it has");
        for other in [
            "lan -o parent=lo --subnet 198.51.100.0/24 --gateway 198.51.100.2",
            "lan -o parent=lo --subnet 198.51.100.0/24 --ip-range 198.51.100.128/25",
            "lan -o parent=lo --subnet 198.51.100.0/24 --aux-address nas=198.51.100.9",
            "lan -o parent=lo --subnet 203.0.113.0/24",
            "lan -o parent=lo --subnet 198.51.100.0/24 --internal",
            "lan -o parent=lo -o ipvlan_flag=private --subnet 198.51.100.0/24",
        ] {
            let refused = typed(&engine, other).unwrap_err();
            assert_eq!(refused, "network lan exists and is not what is asked for now", "{other}");
        }
        let ledger = engine.addresses().unwrap();
        assert_eq!((ledger.holdings.len(), ledger.pools.len()), (1, 0), "of what was refused nothing is set aside");
    }
}
