//! Pools: ranges of addresses to deal from.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use crate::name::SegmentName;
use crate::network::Segment;
use crate::range::AddressRange;

/// A range of a subnet that addresses are dealt from.
///
/// Its text, `v1/SEGMENT/SUBNET/RANGE` and behind it the options it is dealt with, says all that it is: an engine keeps it
/// over a restart of its own and of ours, and asks with it again without having asked for the pool first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pool {
    segment: SegmentName,
    subnet: IpNet,
    range: IpNet,
    dealing: Dealing,
}

/// How addresses are dealt from a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dealing {
    /// What is never dealt.
    pub exclude: Vec<AddressRange>,
    /// How long the wire is listened to before an address is dealt; not at all where it is not given.
    pub probe: Option<Duration>,
    /// How long an address that came back is not dealt to somebody else.
    pub quarantine: Duration,
}

/// Why there is no such pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The range is not in the subnet.
    #[error("range {range} is not in subnet {subnet}")]
    RangeOutside {
        /// The range.
        range: IpNet,
        /// The subnet.
        subnet: IpNet,
    },
    /// The range has no address but what no container may have.
    #[error("range {0} has no address that a container may have")]
    Barren(IpNet),
    /// More is excluded than a pool can say.
    #[error("more than {} ranges are excluded, with those beside the range that is dealt from", Dealing::EXCLUDABLE)]
    TooManyExcluded,
    /// Not the text of a pool.
    #[error("`{0}` is no pool of ours: v1/SEGMENT/SUBNET/RANGE was expected")]
    NotAPool(String),
}

impl Pool {
    /// A pool of a subnet, or of a range in it. Bits behind the prefixes are dropped.
    ///
    /// # Errors
    /// [`PoolError::RangeOutside`]; [`PoolError::Barren`].
    pub fn new(segment: SegmentName, subnet: IpNet, range: Option<IpNet>) -> Result<Self, PoolError> {
        let subnet = subnet.trunc();
        let range = range.unwrap_or(subnet).trunc();
        if !subnet.contains(&range) {
            return Err(PoolError::RangeOutside { range, subnet });
        }
        let pool = Self { segment, subnet, range, dealing: Dealing::default() };
        // Of one address, that may be the subnet's own or its broadcast.
        if range.contains(&pool.first()) { Ok(pool) } else { Err(PoolError::Barren(range)) }
    }

    /// A pool of a part of a subnet, dealt from like this. What is dealt from is a prefix: here the longest one that has the part
    /// in it, and what that has beside the part is excluded.
    ///
    /// # Errors
    /// As [`Pool::new`]; [`PoolError::TooManyExcluded`].
    pub fn of_part(
        segment: SegmentName,
        subnet: IpNet,
        part: AddressRange,
        mut dealing: Dealing,
    ) -> Result<Self, PoolError> {
        let mut range = IpNet::from(part.first());
        while !range.contains(&part.last()) {
            range = range.supernet().expect("the prefix of length 0 has all addresses of its family");
        }
        let pool = Self::new(segment, subnet, Some(range))?;
        let (first, last) = (pool.first(), pool.last());
        let before = previous(part.first()).and_then(|end| AddressRange::new(first, end));
        let behind = next(part.last()).and_then(|start| AddressRange::new(start, last));
        dealing.exclude.extend(before.into_iter().chain(behind));
        if dealing.exclude.len() > Dealing::EXCLUDABLE {
            return Err(PoolError::TooManyExcluded);
        }
        Ok(pool.dealt(dealing))
    }

    /// The same, dealt from like this.
    pub fn dealt(self, dealing: Dealing) -> Self {
        Self { dealing, ..self }
    }

    /// The subnet, whose prefix addresses have.
    pub fn subnet(&self) -> IpNet {
        self.subnet
    }

    /// The range that is dealt from by itself. What is asked for by name may be anywhere in the subnet.
    pub fn range(&self) -> IpNet {
        self.range
    }

    /// How addresses are dealt from it.
    pub fn dealing(&self) -> &Dealing {
        &self.dealing
    }

    /// The segment that its addresses belong to.
    pub fn segment(&self) -> Segment {
        Segment::Shared(self.segment.clone())
    }

    /// An address with the length of the subnet's prefix.
    pub fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.prefix_len()).expect("the subnet's own length")
    }

    /// Whether a container may have an address: it is in the subnet, and is neither the subnet's own, nor IPv4's broadcast
    /// (RFC 919; both are plain addresses in a /31, RFC 3021), nor that of any router (RFC 4291, 2.6.1; not in a /127, RFC
    /// 6164).
    pub fn admits(&self, address: IpAddr) -> bool {
        let roomy = self.subnet.prefix_len() + 1 < self.subnet.max_prefix_len();
        let special = address == self.subnet.network() || (address.is_ipv4() && address == self.subnet.broadcast());
        self.subnet.contains(&address) && !(roomy && special)
    }

    /// The first address of the range that a container may have.
    pub fn first(&self) -> IpAddr {
        self.admitted(self.range).first()
    }

    /// The last one.
    pub fn last(&self) -> IpAddr {
        self.admitted(self.range).last()
    }

    /// All of the subnet that a container may have, in the range and beside it.
    pub fn whole(&self) -> AddressRange {
        self.admitted(self.subnet)
    }

    /// How many addresses of the range a container may have. All of `::/0` are one too many to count, and one is no loss.
    pub fn size(&self) -> u128 {
        (number(self.last()) - number(self.first())).saturating_add(1)
    }

    /// The excluded range that an address is in.
    pub fn excluded(&self, address: IpAddr) -> Option<AddressRange> {
        self.dealing.exclude.iter().find(|range| range.contains(address)).copied()
    }

    fn admitted(&self, of: IpNet) -> AddressRange {
        let (first, last) = (of.network(), of.broadcast());
        let first = if self.admits(first) { first } else { next(first).unwrap_or(first) };
        let last = if self.admits(last) { last } else { previous(last).unwrap_or(last) };
        AddressRange::between(first, last)
    }
}

/// The address behind one, in its family.
pub fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|number| IpAddr::V4(number.into())),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|number| IpAddr::V6(number.into())),
    }
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_sub(1).map(|number| IpAddr::V4(number.into())),
        IpAddr::V6(address) => u128::from(address).checked_sub(1).map(|number| IpAddr::V6(number.into())),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1/{}/{}/{}", self.segment, self.subnet, self.range)?;
        self.dealing.options().iter().try_for_each(|option| write!(f, "/{option}"))
    }
}

impl FromStr for Pool {
    type Err = PoolError;

    fn from_str(text: &str) -> Result<Self, PoolError> {
        let not_a_pool = || PoolError::NotAPool(text.chars().take(160).collect());
        let parts: Vec<&str> = text.split('/').collect();
        let ["v1", segment, subnet, subnet_length, range, range_length, options @ ..] = &parts[..] else {
            return Err(not_a_pool());
        };
        let net = |address, length| format!("{address}/{length}").parse::<IpNet>().map_err(|_| not_a_pool());
        let segment = segment.parse().map_err(|_| not_a_pool())?;
        let mut dealing = Dealing::default();
        for option in options {
            let (key, value) = option.split_once('=').ok_or_else(not_a_pool)?;
            dealing.set(key, value).map_err(|_| not_a_pool())?;
        }
        let pool = Self::new(segment, net(subnet, subnet_length)?, Some(net(range, range_length)?))?;
        Ok(pool.dealt(dealing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(subnet: &str, range: Option<&str>) -> Pool {
        Pool::new(SegmentName::default(), subnet.parse().unwrap(), range.map(|text| text.parse().unwrap())).unwrap()
    }

    fn ends(subnet: &str, range: Option<&str>) -> [String; 2] {
        let pool = pool(subnet, range);
        [pool.first().to_string(), pool.last().to_string()]
    }

    #[test]
    fn what_no_container_may_have_is_not_dealt() {
        assert_eq!(ends("192.168.1.0/24", None), ["192.168.1.1", "192.168.1.254"]);
        assert_eq!(ends("192.168.1.0/24", Some("192.168.1.64/26")), ["192.168.1.64", "192.168.1.127"]);
        assert_eq!(ends("192.168.1.0/24", Some("192.168.1.128/25")), ["192.168.1.128", "192.168.1.254"]);
        assert_eq!(ends("192.168.1.4/31", None), ["192.168.1.4", "192.168.1.5"]);
        assert_eq!(ends("192.168.1.4/32", None), ["192.168.1.4", "192.168.1.4"]);
        assert_eq!(ends("2001:db8::/64", None), ["2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"]);
        assert_eq!(ends("2001:db8::2/127", None), ["2001:db8::2", "2001:db8::3"]);
        assert!(!pool("192.168.1.0/24", None).admits("192.168.2.1".parse().unwrap()));
    }

    #[test]
    fn a_part_is_a_prefix_without_what_is_beside_it() {
        let check = |subnet: &str, part: &str, excluded: usize| {
            let exclude = vec!["10.1.0.99".parse().unwrap(); excluded];
            let dealing = Dealing { exclude, ..Dealing::default() };
            Pool::of_part(SegmentName::default(), subnet.parse().unwrap(), part.parse().unwrap(), dealing)
        };
        for (subnet, part, pool) in [
            ("10.1.0.0/16", "10.1.0.0-10.1.255.255", "10.1.0.0/16/10.1.0.0/16"),
            ("10.1.0.0/16", "10.1.0.64-10.1.0.127", "10.1.0.0/16/10.1.0.64/26"),
            ("10.1.0.0/16", "10.1.0.65-10.1.0.126", "10.1.0.0/16/10.1.0.64/26/exclude=10.1.0.64,10.1.0.127"),
            ("10.1.0.0/16", "10.1.0.7", "10.1.0.0/16/10.1.0.7/32"),
            ("10.1.0.0/16", "10.1.0.9-10.1.255.254", "10.1.0.0/16/10.1.0.0/16/exclude=10.1.0.1-10.1.0.8"),
            ("10.1.0.0/16", "10.1.0.1-10.1.0.9", "10.1.0.0/16/10.1.0.0/28/exclude=10.1.0.10-10.1.0.15"),
            (
                "fd00::/64",
                "fd00::1000-fd00::2000",
                "fd00::/64/fd00::/114/exclude=fd00::1-fd00::fff,fd00::2001-fd00::3fff",
            ),
        ] {
            let read = check(subnet, part, 0).unwrap();
            assert_eq!(read.to_string(), format!("v1/default/{pool}"));
            assert_eq!(read.to_string().parse(), Ok(read), "the ledger keeps it as text");
        }
        check("10.1.0.0/16", "10.1.0.65-10.1.0.126", 62).expect("64 in all");
        assert_eq!(check("10.1.0.0/16", "10.1.0.65-10.1.0.126", 63), Err(PoolError::TooManyExcluded));
        let outside = check("10.1.0.0/16", "10.0.0.9-10.1.0.9", 0).unwrap_err();
        assert_eq!(outside.to_string(), "range 10.0.0.0/15 is not in subnet 10.1.0.0/16");
        let barren = check("10.1.0.0/16", "10.1.255.255", 0).unwrap_err();
        assert_eq!(barren, PoolError::Barren("10.1.255.255/32".parse().unwrap()));
    }

    #[test]
    fn its_size_is_what_can_be_dealt() {
        assert_eq!(pool("192.168.1.0/24", None).size(), 254);
        assert_eq!(pool("192.168.1.0/24", Some("192.168.1.128/25")).size(), 127);
        assert_eq!(pool("192.168.1.4/31", None).size(), 2);
        assert_eq!(pool("2001:db8::/64", None).size(), (1 << 64) - 1);
        assert_eq!(pool("::/0", None).size(), u128::MAX);
    }

    #[test]
    fn a_pool_reads_as_it_is_written() {
        for text in [
            "v1/default/192.168.1.0/24/192.168.1.64/26",
            "v1/cellar/2001:db8::/64/2001:db8::/64",
            "v1/default/10.0.0.0/8/10.0.0.0/8/exclude=10.0.0.4-10.0.0.7,10.0.0.9/probe=200ms/quarantine=60000ms",
        ] {
            assert_eq!(text.parse::<Pool>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "v2/default/10.0.0.0/8/10.0.0.0/8",
            "v1/default/10.0.0.0/8",
            "v1/a b/10.0.0.0/8/10.0.0.0/8",
            "v1/a/10.0.0.0/8/10.0.0.0/8/exclude",
            "v1/a/10.0.0.0/8/10.0.0.0/8/x=1",
        ] {
            assert_eq!(text.parse::<Pool>().unwrap_err(), PoolError::NotAPool(text.to_owned()));
        }
        let outside = "v1/default/10.0.0.0/8/11.0.0.0/16".parse::<Pool>().unwrap_err();
        assert_eq!(outside.to_string(), "range 11.0.0.0/16 is not in subnet 10.0.0.0/8");
        let barren = "v1/default/10.0.0.0/8/10.255.255.255/32".parse::<Pool>().unwrap_err();
        assert_eq!(barren.to_string(), "range 10.255.255.255/32 has no address that a container may have");
    }
}
