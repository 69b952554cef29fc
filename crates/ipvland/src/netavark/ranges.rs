//! The subnets of a network, and what the ledger deals from them.

use std::net::IpAddr;

use engine::EngineError;
use ipnet::{IpAdd, IpNet, IpSub};
use model::{Dealing, Pool, SegmentName, Subnet};

use super::refusal::Refusal;

/// A subnet, and the part of it that is dealt from where no address is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) subnet: Subnet,
    part: Option<(IpAddr, IpAddr)>,
}

/// The ends of an `--ip-range`, those that are given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) first: Option<IpAddr>,
    pub(super) last: Option<IpAddr>,
}

impl Range {
    pub(super) fn new(subnet: Subnet, ends: Ends) -> Result<Self, Refusal> {
        let net = subnet.pool();
        if let Some(outside) = [ends.first, ends.last].into_iter().flatten().find(|end| !net.contains(end)) {
            return Err(Refusal(format!("--ip-range: {outside} is not in subnet {net}; pass a part of the subnet")));
        }
        let part = match ends {
            Ends { first: None, last: None } => None,
            Ends { first, last } => Some((first.unwrap_or(net.network()), last.unwrap_or(net.broadcast()))),
        };
        match part {
            Some((first, last)) if first > last => {
                Err(Refusal(format!("--ip-range: {first} is behind {last}; pass the first address first")))
            }
            part => Ok(Self { subnet, part }),
        }
    }

    /// Whether an address is in the subnet.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.subnet.pool().contains(&address)
    }

    /// An address of it, with the length of its prefix.
    pub(super) fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.pool().prefix_len()).expect("the length of a prefix of its family")
    }
}

/// From what the ledger deals the addresses of a network.
#[derive(Debug)]
pub(super) struct Pools<'n> {
    pub(super) segment: SegmentName,
    pub(super) dealing: &'n Dealing,
}

impl Pools<'_> {
    /// What an address of a range is dealt from.
    pub(super) fn of(&self, range: &Range, asked: Option<IpAddr>) -> Result<Pool, Refusal> {
        match range.part {
            // What is asked for may be anywhere in the subnet.
            Some((first, last)) if asked.is_none_or(|address| (first..=last).contains(&address)) => {
                self.between(range, first, last)
            }
            _ => self.pool(range, None, self.dealing.clone()),
        }
    }

    /// The range of a pool is a prefix: the longest one with both ends in it, and without what is beside them.
    fn between(&self, range: &Range, first: IpAddr, last: IpAddr) -> Result<Pool, Refusal> {
        const EXCLUDABLE: usize = 64;
        let mut around = IpNet::from(first);
        while !around.contains(&last) {
            around = around.supernet().expect("the subnet is one with both ends in it");
        }
        let below = (around.network() < first).then(|| format!("{}-{}", around.network(), before(first)));
        let above = (around.broadcast() > last).then(|| format!("{}-{}", after(last), around.broadcast()));
        let mut dealing = self.dealing.clone();
        for beside in [below, above].into_iter().flatten() {
            dealing.exclude.push(beside.parse().expect("two addresses in their order"));
        }
        if dealing.exclude.len() > EXCLUDABLE {
            return Err(Refusal(format!(
                "option `exclude`: at most {} ranges can be excluded beside an --ip-range; put some together",
                EXCLUDABLE - 2
            )));
        }
        self.pool(range, Some(around), dealing)
    }

    fn pool(&self, range: &Range, part: Option<IpNet>, dealing: Dealing) -> Result<Pool, Refusal> {
        let pool = Pool::new(self.segment.clone(), range.subnet.pool(), part).map_err(EngineError::from)?;
        Ok(pool.dealt(dealing))
    }
}

fn before(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.saturating_sub(1).into(),
        IpAddr::V6(address) => address.saturating_sub(1).into(),
    }
}

fn after(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.saturating_add(1).into(),
        IpAddr::V6(address) => address.saturating_add(1).into(),
    }
}

/// An address of two subnets would belong to neither.
pub(super) fn refuse_overlaps(ranges: &[Range]) -> Result<(), Refusal> {
    for (at, one) in ranges.iter().enumerate() {
        let (net, before) = (one.subnet.pool(), &ranges[..at]);
        let meets = |other: &&Range| other.subnet.pool().contains(&net) || net.contains(&other.subnet.pool());
        if let Some(other) = before.iter().find(meets) {
            let other = other.subnet.pool();
            return Err(Refusal(format!("--subnet: {other} and {net} overlap; leave one of them out")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(net: &str, ends: Option<(&str, &str)>) -> Range {
        let net: IpNet = net.parse().unwrap();
        let end = |text: &str| text.parse().ok();
        let ends = ends.map_or(Ends::default(), |(first, last)| Ends { first: end(first), last: end(last) });
        Range::new(Subnet::new(net, None).unwrap(), ends).unwrap()
    }

    fn pools(dealing: &Dealing) -> Pools<'_> {
        Pools { segment: SegmentName::default(), dealing }
    }

    #[test]
    fn a_part_of_a_subnet_is_dealt_from_and_the_rest_can_be_asked_for() {
        for (ends, asked, pool) in [
            (("10.1.0.64", "10.1.0.127"), None, "v1/default/10.1.0.0/16/10.1.0.64/26"),
            (("10.1.0.65", "10.1.0.126"), None, "v1/default/10.1.0.0/16/10.1.0.64/26/exclude=10.1.0.64,10.1.0.127"),
            (("10.1.0.7", "10.1.0.7"), None, "v1/default/10.1.0.0/16/10.1.0.7/32"),
            (("10.1.0.9", ""), None, "v1/default/10.1.0.0/16/10.1.0.0/16/exclude=10.1.0.0-10.1.0.8"),
            (("", "10.1.0.9"), None, "v1/default/10.1.0.0/16/10.1.0.0/28/exclude=10.1.0.10-10.1.0.15"),
            (("10.1.0.64", "10.1.0.127"), Some("10.1.0.70"), "v1/default/10.1.0.0/16/10.1.0.64/26"),
            (("10.1.0.64", "10.1.0.127"), Some("10.1.9.9"), "v1/default/10.1.0.0/16/10.1.0.0/16"),
        ] {
            let range = range("10.1.0.0/16", Some(ends));
            let asked: Option<IpAddr> = asked.map(|text: &str| text.parse().unwrap());
            assert_eq!(pools(&Dealing::default()).of(&range, asked).unwrap().to_string(), pool);
        }
    }

    #[test]
    fn no_pool_has_more_exclusions_than_can_be_read_again() {
        let dealing = Dealing { exclude: vec!["10.1.0.1".parse().unwrap(); 63], ..Dealing::default() };
        let pools = pools(&dealing);
        let refusal = pools.of(&range("10.1.0.0/16", Some(("10.1.0.65", "10.1.0.126"))), None).unwrap_err().0;
        assert!(refusal.starts_with("option `exclude`: at most 62 ranges"), "{refusal}");
        let pool = pools.of(&range("10.1.0.0/16", Some(("10.1.0.64", "10.1.0.126"))), None).unwrap();
        assert_eq!(pool.to_string().parse(), Ok(pool));
    }

    #[test]
    fn subnets_that_overlap_are_refused() {
        let check = |nets: &[&str]| {
            let ranges: Vec<Range> = nets.iter().map(|net| range(net, None)).collect();
            refuse_overlaps(&ranges).map_err(|refusal| refusal.0)
        };
        assert_eq!(check(&["10.1.0.0/16", "10.2.0.0/16", "fd00::/64"]), Ok(()));
        assert_eq!(
            check(&["10.1.2.0/23", "10.1.3.248/30"]).unwrap_err(),
            "--subnet: 10.1.2.0/23 and 10.1.3.248/30 overlap; leave one of them out"
        );
        assert!(check(&["10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16"]).is_err());
    }
}
