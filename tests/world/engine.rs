//! The Docker Engine: what it can do.

use std::fmt;
use std::io::Write;

use super::standpoint::docker;

/// What not every engine can do, whatever the driver does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ability {
    /// A subnet of two IPv4 addresses.
    SmallSubnets,
    /// `default-network-opts` of `daemon.json`.
    DefaultNetworkOptions,
    /// Names forwarded to the outside from an l3 network, whose default route has no router.
    NamesForwardedInL3,
    /// Links that the driver has set up in the container, under an exact name.
    ExactNames,
    /// `--ipv4=false`.
    WithoutIpv4,
    /// No address spent on a gateway where the driver has no use for one.
    NoNeedlessGateway,
    /// A subnet that the host is in, chosen by the driver.
    SubnetOfParent,
    /// An l3 network and another one in the same container.
    L3BesideOthers,
}

impl Ability {
    /// The first version that can, and what those before are like.
    const fn since(self) -> (Version, &'static str) {
        match self {
            Ability::SmallSubnets => (Version(23, 0, 0), "gives no address out of a subnet of two"),
            Ability::DefaultNetworkOptions => (Version(24, 0, 0), "has no `default-network-opts`"),
            Ability::NamesForwardedInL3 => {
                (Version(26, 0, 1), "forwards no names from a network whose default route has no router")
            }
            Ability::ExactNames => (Version(28, 0, 0), "sets up every link itself, and so names it"),
            Ability::WithoutIpv4 => (Version(28, 0, 0), "has no `--ipv4=false`: every network has IPv4"),
            Ability::NoNeedlessGateway => {
                (Version(28, 0, 0), "spends an address on a gateway even where the driver has no use for one")
            }
            Ability::SubnetOfParent => (Version(28, 0, 0), "takes a subnet that the host is in only when it is named"),
            Ability::L3BesideOthers => {
                (Version(28, 0, 0), "cannot put another network beside an l3 network: their default routes clash")
            }
        }
    }

    /// Why the engine here cannot; `None` where it can.
    pub(crate) fn lacking(self) -> Option<String> {
        let (since, what) = self.since();
        (Version::here() < since).then(|| format!("Docker before {since} {what}"))
    }
}

/// Major, minor and patch number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// As the engine says. Distributions hang something of their own on it (`26.1.5+dfsg1`).
    #[track_caller]
    fn here() -> Self {
        let answer = docker("/version");
        let text = answer["Version"].as_str().expect("an engine has a version");
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self(next(), next(), next())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.2 {
            0 => write!(f, "{}.{}", self.0, self.1),
            patch => write!(f, "{}.{}.{patch}", self.0, self.1),
        }
    }
}

/// Puts a word behind the name of the scenario that runs. libtest knows no test that turns out not to apply while it
/// runs; `xtask` reads these lines and counts and lists accordingly. Not by `println!`, which libtest keeps to itself.
pub(crate) fn remark(what: &str, why: &str) {
    let written = writeln!(std::io::stdout(), "{what}: {why}");
    written.expect("stdout is there");
}
