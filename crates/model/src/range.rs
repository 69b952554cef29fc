//! Ranges of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::settings::SettingError;

/// Addresses of one family from a first to a last one: `ADDRESS`, `ADDRESS-ADDRESS` or `ADDRESS/LENGTH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// From a first address to a last one; `None` where that is before it, or of the other family.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self { first, last })
    }

    /// The same, for whoever knows.
    pub(crate) fn between(first: IpAddr, last: IpAddr) -> Self {
        Self { first, last }
    }

    /// The first.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The last.
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        // Of two families one would be before all of the other.
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }
}

impl FromStr for AddressRange {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let (first, last) = match (text.split_once('-'), text.parse::<IpNet>()) {
            (Some((first, last)), _) => (first.parse().ok(), last.parse().ok()),
            (None, Ok(net)) => (Some(net.network()), Some(net.broadcast())),
            (None, Err(_)) => (text.parse().ok(), text.parse().ok()),
        };
        first.zip(last).and_then(|(first, last)| Self::new(first, last)).ok_or_else(|| SettingError {
            value: text.chars().take(100).collect(),
            expected: "ADDRESS, ADDRESS-ADDRESS or ADDRESS/LENGTH",
        })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { self.first.fmt(f) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_two_or_a_prefix() {
        for (text, printed) in [
            ("10.0.0.7", "10.0.0.7"),
            ("10.0.0.7-10.0.0.9", "10.0.0.7-10.0.0.9"),
            ("10.0.0.7-10.0.0.7", "10.0.0.7"),
            ("10.0.0.7/30", "10.0.0.4-10.0.0.7"),
            ("2001:db8::/126", "2001:db8::-2001:db8::3"),
        ] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), printed);
        }
        for wrong in ["", "10.0.0.9-10.0.0.7", "10.0.0.1-2001:db8::1", "10.0.0", "10.0.0.1-", "10.0.0.1/33"] {
            assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_range_has_addresses_of_both_families() {
        let all: AddressRange = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.255.255.255".parse().unwrap()));
        assert!(!all.contains("::".parse().unwrap()));
    }
}
