//! Which kernels can do what.

use std::fmt;
use std::str::FromStr;

use crate::settings::{Flag, Mode, PortSettings};

/// Major and minor number of a kernel release, read from what `uname -r` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelVersion {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl KernelVersion {
    const IPVLAN: Self = Self { major: 4, minor: 2 };
    const L3S: Self = Self { major: 4, minor: 9 };
    const FLAGS: Self = Self { major: 4, minor: 15 };

    /// Whether this kernel's ipvlan can carry a port with these settings.
    ///
    /// # Errors
    /// [`TooOld`] names the first thing asked for that came with a later kernel. The numbers are Docker's own
    /// minimum (4.2, where l2 and l3 became usable) and those of the commits that added l3s and the flags.
    pub fn supports(self, settings: PortSettings) -> Result<(), TooOld> {
        let require = |needed: Self, what: &'static str| {
            if self < needed { Err(TooOld { running: self, needed, what }) } else { Ok(()) }
        };
        require(Self::IPVLAN, "ipvlan")?;
        if settings.mode == Mode::L3s {
            require(Self::L3S, "ipvlan_mode=l3s")?;
        }
        match settings.flag {
            Flag::Bridge => Ok(()),
            Flag::Private => require(Self::FLAGS, "ipvlan_flag=private"),
            Flag::Vepa => require(Self::FLAGS, "ipvlan_flag=vepa"),
        }
    }
}

impl FromStr for KernelVersion {
    type Err = UnreadableVersion;

    fn from_str(release: &str) -> Result<Self, UnreadableVersion> {
        let number = |text: &str| {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..digits].parse::<u32>().ok()
        };
        let parsed = release.split_once('.').and_then(|(major, rest)| {
            // The major number stands alone; the minor one may be followed by anything (`0-rc1`, `10.0-1160.el7`).
            Some(Self { major: major.parse().ok()?, minor: number(rest)? })
        });
        parsed.ok_or_else(|| UnreadableVersion(release.to_owned()))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A release string that does not begin with two numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kernel release: it does not begin with two numbers")]
pub struct UnreadableVersion(String);

/// The kernel lacks what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this host runs kernel {running} and {what} needs {needed} or newer")]
pub struct TooOld {
    /// The kernel of this host.
    pub running: KernelVersion,
    /// The first kernel that has it.
    pub needed: KernelVersion,
    /// What was asked for.
    pub what: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(release: &str, mode: Mode, flag: Flag) -> Result<(), String> {
        let version: KernelVersion = release.parse().map_err(|e: UnreadableVersion| e.to_string())?;
        version.supports(PortSettings { mode, flag }).map_err(|e| e.to_string())
    }

    #[test]
    fn old_kernels_are_told_apart() {
        for (release, plain, l3s, private) in [
            ("2.6.32", false, false, false),
            ("3.10.0-1160.el7", false, false, false),
            ("4.1", false, false, false),
            ("4.2", true, false, false),
            ("4.8.17-generic", true, false, false),
            ("4.9.0", true, true, false),
            ("4.14.336", true, true, false),
            ("4.15.0-213-generic", true, true, true),
            ("6.12.48+deb13-amd64", true, true, true),
            ("7.0-rc1", true, true, true),
            ("10.0", true, true, true),
        ] {
            assert_eq!(check(release, Mode::L2, Flag::Bridge).is_ok(), plain, "{release} l2");
            assert_eq!(check(release, Mode::L3s, Flag::Bridge).is_ok(), l3s, "{release} l3s");
            assert_eq!(check(release, Mode::L2, Flag::Private).is_ok(), private, "{release} private");
            assert_eq!(check(release, Mode::L2, Flag::Vepa).is_ok(), private, "{release} vepa");
        }
    }

    #[test]
    fn the_sentence_names_both_versions() {
        assert_eq!(
            check("4.4.0", Mode::L3s, Flag::Bridge).unwrap_err(),
            "this host runs kernel 4.4 and ipvlan_mode=l3s needs 4.9 or newer"
        );
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "6", "x.y", "v6.1", ".1", "6.", "99999999999.1"] {
            assert!(text.parse::<KernelVersion>().is_err(), "{text}");
        }
    }
}
