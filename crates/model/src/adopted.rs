//! Addresses that others on this host have given out.

use std::net::IpAddr;

/// An address that somebody else on this host has given out, and who.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Adopted {
    address: IpAddr,
    holder: String,
}

impl Adopted {
    /// More characters than this are cut off from the holder.
    pub const LONGEST_HOLDER: usize = 120;

    /// An address, and who has it, in words for people: `container web on Docker's network lan`.
    ///
    /// Names of containers, files and links are written by others: what may not be printable becomes a question mark.
    pub fn new(address: IpAddr, holder: &str) -> Self {
        let printable = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
        let holder = holder.chars().take(Self::LONGEST_HOLDER).map(|c| if printable(c) { c } else { '?' }).collect();
        // An IPv4 address may be written as an IPv6 one; in a segment it is the same.
        Self { address: address.to_canonical(), holder }
    }

    /// The address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Who has it.
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(text: &str) -> String {
        Adopted::new([192, 0, 2, 1].into(), text).holder().to_owned()
    }

    #[test]
    fn a_holder_can_be_printed_anywhere() {
        assert_eq!(holder("container büro_1 on Docker's network lan"), "container büro_1 on Docker's network lan");
        assert_eq!(holder("a\u{1b}[2Jb\r\nc\0d\u{202e}e\u{2028}f"), "a?[2Jb??c?d?e?f");
        assert_eq!(holder(&"ä".repeat(1000)), "ä".repeat(120));
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in ["", "a\u{1b}b", &"\u{202e}".repeat(200), "ipvlan link eth0 in /run/netns/a"] {
            assert_eq!(holder(&holder(text)), holder(text));
        }
    }

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let of = |address: &str| Adopted::new(address.parse().unwrap(), "x").address().to_string();
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:DB8::0:5"), "2001:db8::5");
    }
}
