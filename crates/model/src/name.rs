//! Names and identities: of links, networks, endpoints and sandboxes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::frontend::Frontend;
use crate::settings::VlanId;

/// Why a text is not the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// More bytes than the kernel keeps for a link name.
    #[error("`{0}` is {len} bytes long and an interface name has at most 15", len = .0.len())]
    TooLong(String),
    /// Empty, `.`, `..`, or with a byte the kernel refuses.
    #[error("`{0}` is no interface name: it is empty, a dot path, or has a slash, a colon or white space in it")]
    NotAnInterface(String),
    /// Not an id as an engine gives them, or not the name of a segment.
    #[error("`{text}` is no {what}: 1 to 64 letters, digits, `_`, `-` or `.` were expected")]
    NotPlain {
        /// The text, cut off where it is long.
        text: String,
        /// What it was meant to be.
        what: &'static str,
    },
    /// Empty, too long, or with what a terminal would act on.
    #[error("`{0}` is no name of a container: 1 to 255 printable characters were expected")]
    NotPrintable(String),
    /// Not an absolute path.
    #[error("`{0}` is no sandbox: the absolute path of a network namespace was expected")]
    NotASandbox(String),
}

/// The name of a kernel link: 1 to 15 bytes, without slash, colon or white space.
///
/// The rule is `dev_valid_name()` in the kernel's `net/core/dev.c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// Bytes the kernel keeps for a name, without the closing zero (`IFNAMSIZ - 1`).
    pub const MAX_LEN: usize = 15;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads `eth0.10` as VLAN 10 on `eth0`. `None` where the name has no dot, more than one, or no valid VLAN id.
    pub fn as_vlan(&self) -> Option<(InterfaceName, VlanId)> {
        let (on, id) = self.0.split_once('.')?;
        Some((on.parse().ok()?, id.parse().ok()?))
    }
}

impl FromStr for InterfaceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > Self::MAX_LEN {
            return Err(NameError::TooLong(text.to_owned()));
        }
        let refused = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
        if text.is_empty() || text == "." || text == ".." || text.contains(refused) {
            return Err(NameError::NotAnInterface(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An id as an engine gives it, 64 hexadecimal digits from Docker, or a name of the user's.
fn parse_plain(text: &str, what: &'static str) -> Result<String, NameError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
        return Err(NameError::NotPlain { text: text.chars().take(80).collect(), what });
    }
    Ok(text.to_owned())
}

/// Whether an id is drawn and not chosen: 64 hexadecimal digits.
pub(crate) fn is_drawn(id: &str) -> bool {
    id.len() == 64 && id.chars().all(|c| c.is_ascii_hexdigit())
}

/// The SHA-256 of texts, in 64 hexadecimal digits. Other texts, or the same otherwise divided, have another.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! plain {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// All of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// As people are shown it: the first twelve characters of an id that an engine has drawn, all of one that
            /// somebody has chosen.
            pub fn short(&self) -> &str {
                if is_drawn(&self.0) { &self.0[..12] } else { &self.0 }
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                parse_plain(text, $what).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

plain!(
    /// The identity of a network, chosen by the engine that made it.
    NetworkId,
    "id"
);
plain!(
    /// The identity of an endpoint, chosen by the engine that made it.
    EndpointId,
    "id"
);
plain!(
    /// What the user calls a broadcast domain.
    SegmentName,
    "name of a segment"
);

impl EndpointId {
    /// The id of an endpoint that has none from an engine: of the frontend, and of what that knows it by each time. No part
    /// may have a zero byte in it.
    pub fn of(frontend: Frontend, parts: &[&str]) -> Self {
        Self(digest(&[&[frontend.as_str()], parts].concat()))
    }
}

impl Default for SegmentName {
    /// The one that everything belongs to of which nothing else is said.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// What people call the container that an endpoint belongs to: the same again when it is made anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointName(String);

impl EndpointName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let printable = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
        if printable {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::NotPrintable(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where the engine says the endpoint's network namespace is, for example `/var/run/docker/netns/1a2b3c4d5e6f`.
///
/// Only a place to look: before Docker 28 the file is not there yet when the key is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SandboxKey(String);

impl SandboxKey {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SandboxKey {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let valid = text.starts_with('/') && text.len() <= 4096 && !text.contains('\0');
        if valid { Ok(Self(text.to_owned())) } else { Err(NameError::NotASandbox(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for SandboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_follow_the_kernels_rule() {
        for good in ["eth0", "eth0.10", "a", "fifteen-bytes-x", "enp3s0f1np1"] {
            assert!(good.parse::<InterfaceName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a:b", "a b", "a\tb", "sixteen-bytes-xx"] {
            assert!(bad.parse::<InterfaceName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_vlan_name_has_one_dot_and_an_id_in_range() {
        let vlan =
            |name: &str| name.parse::<InterfaceName>().unwrap().as_vlan().map(|(on, id)| (on.to_string(), id.get()));
        assert_eq!(vlan("eth0.10"), Some(("eth0".into(), 10)));
        assert_eq!(vlan("bond0.4094"), Some(("bond0".into(), 4094)));
        for none in ["eth0", "eth0.0", "eth0.4095", "eth0.x", "eth0.10.20", ".10", "eth0."] {
            assert_eq!(vlan(none), None, "{none}");
        }
    }

    #[test]
    fn ids_are_short_and_plain() {
        assert_eq!("0123456789abcdef".repeat(4).parse::<NetworkId>().unwrap().short(), "0123456789ab");
        assert_eq!("cni-backbone-0123abcd".parse::<NetworkId>().unwrap().short(), "cni-backbone-0123abcd");
        assert_eq!("lan".parse::<NetworkId>().unwrap().short(), "lan");
        let of = |parts: &[&str]| EndpointId::of(Frontend::Cni, parts);
        assert_eq!(of(&["net", "box", "eth0"]).as_str().len(), 64);
        assert_ne!(of(&["net", "box", "eth0"]), of(&["netb", "ox", "eth0"]), "where one part ends counts");
        assert_ne!(of(&["net"]), EndpointId::of(Frontend::Netavark, &["net"]));
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<EndpointId>().is_err(), "{bad}");
        }
    }
}
