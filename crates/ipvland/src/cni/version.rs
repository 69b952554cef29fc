//! The versions of the specification.

use std::fmt;
use std::str::FromStr;

use super::text::cut;

/// A version of the specification that is spoken here. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SpecVersion {
    /// Interfaces, addresses and routes in lists.
    V0_3_1,
    /// CHECK.
    V0_4_0,
    /// Addresses no longer say of which family they are.
    V1_0_0,
    /// GC and STATUS; interfaces tell their MTU, routes their metric.
    V1_1_0,
}

impl SpecVersion {
    /// All of them, the oldest first.
    pub(crate) const ALL: [Self; 4] = [Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];
    /// What is spoken to whoever has not said what it speaks.
    pub(crate) const LATEST: Self = Self::V1_1_0;

    /// As configurations and results have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }
}

impl FromStr for SpecVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let spoken = Self::ALL.into_iter().find(|version| version.as_str() == text);
        spoken.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("`{}` was given and one of {all} was expected", cut(text))
        })
    }
}

impl fmt::Display for SpecVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_they_are_written_and_are_in_order() {
        for version in SpecVersion::ALL {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert!(SpecVersion::ALL.is_sorted());
        for other in ["", "0.3.0", "1.0", "1.1.0-rc1", " 1.1.0", "2.0.0"] {
            assert!(other.parse::<SpecVersion>().is_err(), "{other}");
        }
    }
}
