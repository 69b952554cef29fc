//! The hardware address of an Ethernet link.

use std::fmt;
use std::str::FromStr;

/// Six bytes, as they stand in a frame. Printed as `02:00:00:00:00:07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The bytes, the first on the wire first.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl From<[u8; 6]> for MacAddress {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

/// The text is no MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no MAC address: six bytes as in `02:00:00:00:00:07` were expected")]
pub struct NotAMacAddress(String);

impl FromStr for MacAddress {
    type Err = NotAMacAddress;

    fn from_str(text: &str) -> Result<Self, NotAMacAddress> {
        // A parser of numbers alone would take a sign for a digit.
        let octet = |digits: &str| {
            let two = digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
            two.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        };
        let octets: Option<Vec<u8>> = text.split(':').map(octet).collect();
        let octets = octets.and_then(|octets| <[u8; 6]>::try_from(octets).ok());
        octets.map(Self).ok_or_else(|| NotAMacAddress(text.chars().take(80).collect()))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_is_six_bytes_of_two_digits() {
        let read = |text: &str| text.parse::<MacAddress>().map(MacAddress::octets);
        assert_eq!(read("02:00:00:00:00:07"), Ok([2, 0, 0, 0, 0, 7]));
        assert_eq!(read("AA:bb:cC:00:fF:10"), Ok([0xaa, 0xbb, 0xcc, 0, 0xff, 0x10]));
        assert_eq!(MacAddress::from([0xaa, 0, 0, 0, 0, 7]).to_string(), "aa:00:00:00:00:07");
        for bad in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:07:00",
            "2:0:0:0:0:7",
            "02-00-00-00-00-07",
            "+2:00:00:00:00:07",
            "0g:00:00:00:00:07",
            "02:00:00:00:00:07 ",
        ] {
            assert_eq!(read(bad), Err(NotAMacAddress(bad.to_owned())), "{bad}");
        }
    }
}
