//! The marks ipvland puts on its links, so that it knows them again.
//!
//! A link is made under a *birth name* that follows from its mark, and then gets the mark itself as its `ifalias`.
//! Both are needed: the kernel drops `IFLA_IFALIAS` from the request that makes a link, so a daemon that dies in
//! between leaves a link with nothing but its birth name; and whoever renames the link leaves the alias.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::frontend::Frontend;
use crate::name::{EndpointId, InterfaceName, NetworkId};

/// Which of our records a link realises.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The slave of an endpoint.
    Endpoint {
        /// Who asked for it.
        frontend: Frontend,
        /// The network the endpoint is on.
        network: NetworkId,
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The sentinel of the port on this parent: a slave in the host namespace, always down, that shows the port's
    /// mode and flag.
    Sentinel(InterfaceName),
    /// A dummy or VLAN link made to be the parent of this name.
    Parent(InterfaceName),
}

/// What birth names begin with; 12 hexadecimal digits follow.
const BIRTH: &str = "ipl";

/// Whether it looks like a name that one of our links is born with.
pub fn is_birth_name(name: &InterfaceName) -> bool {
    let digits = name.as_str().strip_prefix(BIRTH);
    digits.is_some_and(|digits| digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

impl Mark {
    /// The unique name the link is made under: `ipl` and 12 hexadecimal digits, derived from the mark.
    ///
    /// Derived rather than drawn, so that it is known without a record of its own and a request that is repeated
    /// after a crash finds the link of the first try.
    pub fn birth_name(&self) -> InterfaceName {
        let digest = Sha256::digest(self.to_string());
        let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        InterfaceName::from_str(&format!("{BIRTH}{hex}")).expect("15 bytes of letters and digits")
    }
}

impl fmt::Display for Mark {
    /// At most 154 bytes; the kernel takes 255 (`IFALIASZ`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Endpoint { frontend, network, endpoint } => write!(f, "ipvland:{frontend}:{network}:{endpoint}"),
            Mark::Sentinel(parent) => write!(f, "ipvland:sentinel:{parent}"),
            Mark::Parent(name) => write!(f, "ipvland:parent:{name}"),
        }
    }
}

impl FromStr for Mark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        let parse = || match text.split(':').collect::<Vec<_>>()[..] {
            ["ipvland", "sentinel", parent] => Some(Mark::Sentinel(parent.parse().ok()?)),
            ["ipvland", "parent", name] => Some(Mark::Parent(name.parse().ok()?)),
            ["ipvland", frontend, network, endpoint] => Some(Mark::Endpoint {
                frontend: frontend.parse().ok()?,
                network: network.parse().ok()?,
                endpoint: endpoint.parse().ok()?,
            }),
            _ => None,
        };
        parse().ok_or(NotAMark)
    }
}

/// An `ifalias` that is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no mark of ipvland's")]
pub struct NotAMark;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birth_names_are_stable_and_distinct() {
        let sentinel = Mark::Sentinel("eth0".parse().unwrap());
        let parent = Mark::Parent("eth0".parse().unwrap());
        assert_eq!(sentinel.birth_name(), sentinel.birth_name());
        assert_ne!(sentinel.birth_name(), parent.birth_name());
        assert!(is_birth_name(&sentinel.birth_name()));
        for other in ["ipl0123456789a", "ipl0123456789ax", "eth0", "ipvlan012345678"] {
            assert!(!is_birth_name(&other.parse().unwrap()), "{other}");
        }
        // An upgrade must find the links of the version before: this value may never change.
        assert_eq!(sentinel.birth_name().as_str(), "ipldebb9e424cbb");
    }

    #[test]
    fn marks_are_read_as_they_are_written() {
        let eth0 = || "eth0.10".parse().unwrap();
        let of_endpoint = |frontend| {
            let (network, endpoint) = ("n".parse().unwrap(), "e".parse().unwrap());
            Mark::Endpoint { frontend, network, endpoint }
        };
        for mark in Frontend::ALL.map(of_endpoint).into_iter().chain([Mark::Sentinel(eth0()), Mark::Parent(eth0())]) {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        for other in
            ["", "ipvland", "ipvland:docker:n", "ipvland:docker:n:e:x", "ipvland:x:n:e", "ipvland:parent:a/b", "uplink"]
        {
            assert_eq!(other.parse::<Mark>(), Err(NotAMark), "{other}");
        }
    }

    #[test]
    fn the_longest_mark_fits_the_kernels_alias() {
        let id = "f".repeat(64);
        let frontend = Frontend::Netavark;
        let mark = Mark::Endpoint { frontend, network: id.parse().unwrap(), endpoint: id.parse().unwrap() };
        assert!(mark.to_string().len() < 256);
    }
}
