//! The subnets of a network, and what the ledger deals from them.

use std::net::IpAddr;

use engine::EngineError;
use ipnet::IpNet;
use model::{AddressRange, Dealing, Pool, SegmentName, Subnet};

use super::refusal::Refusal;

/// A subnet, and the part of it that is dealt from where no address is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) subnet: Subnet,
    part: Option<AddressRange>,
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
            Ends { first, last } => {
                let (first, last) = (first.unwrap_or(net.network()), last.unwrap_or(net.broadcast()));
                let wrong = || Refusal(format!("--ip-range: {first} is behind {last}; pass the first address first"));
                Some(AddressRange::new(first, last).ok_or_else(wrong)?)
            }
        };
        Ok(Self { subnet, part })
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
        let (segment, subnet, dealing) = (self.segment.clone(), range.subnet.pool(), self.dealing.clone());
        let pool = match range.part {
            // What is asked for may be anywhere in the subnet.
            Some(part) if asked.is_none_or(|address| part.contains(address)) => {
                Pool::of_part(segment, subnet, part, dealing)
            }
            _ => Pool::new(segment, subnet, None).map(|pool| pool.dealt(dealing)),
        };
        Ok(pool.map_err(EngineError::from)?)
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
            (("10.1.0.65", "10.1.0.126"), None, "v1/default/10.1.0.0/16/10.1.0.64/26/exclude=10.1.0.64,10.1.0.127"),
            (("10.1.0.9", ""), None, "v1/default/10.1.0.0/16/10.1.0.0/16/exclude=10.1.0.1-10.1.0.8"),
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
