//! The settings of a port and of a link: mode, flag, MTU, VLAN id.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A setting's text that is none of the values it may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` was given and {expected} was expected")]
pub struct SettingError {
    /// What was given.
    pub value: String,
    /// What may be given.
    pub expected: &'static str,
}

fn wrong<T>(value: &str, expected: &'static str) -> Result<T, SettingError> {
    Err(SettingError { value: value.to_owned(), expected })
}

/// A number of a range, written in the one way it is printed: `eth0.10` and `eth0.010` would be two names for the same
/// VLAN, and the kernel makes a VLAN once.
pub(crate) fn number<N: FromStr + PartialOrd + fmt::Display>(
    text: &str,
    range: RangeInclusive<N>,
    expected: &'static str,
) -> Result<N, SettingError> {
    match text.parse::<N>() {
        Ok(number) if range.contains(&number) && number.to_string() == text => Ok(number),
        _ => wrong(text, expected),
    }
}

/// How a port carries packets. Kernel: `enum ipvlan_mode` in `include/uapi/linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Containers share the wire: ARP, broadcast and multicast work.
    #[default]
    L2,
    /// Packets are routed in the parent's namespace; neither ARP nor broadcast nor multicast.
    L3,
    /// As `L3`, and the host's netfilter sees both directions.
    L3s,
}

impl Mode {
    /// The word used in options, output and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::L2 => "l2",
            Mode::L3 => "l3",
            Mode::L3s => "l3s",
        }
    }
}

impl FromStr for Mode {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "l2" => Ok(Mode::L2),
            "l3" => Ok(Mode::L3),
            "l3s" => Ok(Mode::L3s),
            other => wrong(other, "l2, l3 or l3s"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the slaves of a port see each other. Kernel: `IPVLAN_F_PRIVATE`, `IPVLAN_F_VEPA`; neither is bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Flag {
    /// Slaves reach each other directly.
    #[default]
    Bridge,
    /// Slaves do not reach each other at all.
    Private,
    /// Slaves reach each other through a switch port that reflects.
    Vepa,
}

impl Flag {
    /// The word used in options, output and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Flag::Bridge => "bridge",
            Flag::Private => "private",
            Flag::Vepa => "vepa",
        }
    }
}

impl FromStr for Flag {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "bridge" => Ok(Flag::Bridge),
            "private" => Ok(Flag::Private),
            "vepa" => Ok(Flag::Vepa),
            other => wrong(other, "bridge, private or vepa"),
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Mode and flag together: what a port has once, for every slave on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PortSettings {
    /// The port's mode.
    pub mode: Mode,
    /// The port's flag.
    pub flag: Flag,
}

impl fmt::Display for PortSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mode, self.flag)
    }
}

/// A maximum transmission unit in bytes, 68 (RFC 791) to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mtu(u32);

impl Mtu {
    /// The least an IPv6 link must carry (RFC 8200, section 5).
    pub const IPV6_MIN: u32 = 1280;

    const RANGE: RangeInclusive<u32> = 68..=65535;
    const EXPECTED: &'static str = "a number of bytes from 68 to 65535";

    /// Bytes.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Mtu {
    type Error = SettingError;

    fn try_from(bytes: u32) -> Result<Self, SettingError> {
        if Self::RANGE.contains(&bytes) { Ok(Self(bytes)) } else { wrong(&bytes.to_string(), Self::EXPECTED) }
    }
}

impl FromStr for Mtu {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        number(text, Self::RANGE, Self::EXPECTED).map(Self)
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An 802.1Q VLAN id, 1 to 4094.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(u16);

impl VlanId {
    const RANGE: RangeInclusive<u16> = 1..=4094;
    const EXPECTED: &'static str = "a VLAN id from 1 to 4094";

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for VlanId {
    type Error = SettingError;

    fn try_from(id: u16) -> Result<Self, SettingError> {
        if Self::RANGE.contains(&id) { Ok(Self(id)) } else { wrong(&id.to_string(), Self::EXPECTED) }
    }
}

impl FromStr for VlanId {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        number(text, Self::RANGE, Self::EXPECTED).map(Self)
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for mode in [Mode::L2, Mode::L3, Mode::L3s] {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        for flag in [Flag::Bridge, Flag::Private, Flag::Vepa] {
            assert_eq!(flag.as_str().parse(), Ok(flag));
        }
    }

    #[test]
    fn an_error_names_value_and_choice() {
        let error = "l4".parse::<Mode>().unwrap_err();
        assert_eq!(error.to_string(), "`l4` was given and l2, l3 or l3s was expected");
    }

    #[test]
    fn numbers_keep_their_range() {
        assert!("67".parse::<Mtu>().is_err() && "68".parse::<Mtu>().is_ok());
        assert!("65535".parse::<Mtu>().is_ok() && "65536".parse::<Mtu>().is_err());
        assert!("0".parse::<VlanId>().is_err() && "1".parse::<VlanId>().is_ok());
        assert!("4094".parse::<VlanId>().is_ok() && "4095".parse::<VlanId>().is_err());
        assert!("-1".parse::<Mtu>().is_err() && "1e3".parse::<Mtu>().is_err());
        assert!("010".parse::<VlanId>().is_err() && "+1400".parse::<Mtu>().is_err());
    }
}
