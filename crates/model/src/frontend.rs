//! The doors of the engine.

use std::fmt;
use std::str::FromStr;

use crate::settings::SettingError;

/// Who asks for a network and its endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frontend {
    /// A Docker Engine, through its plugin protocol.
    #[default]
    Docker,
    /// A container runtime, through CNI.
    Cni,
    /// Podman, through netavark.
    Netavark,
    /// A person at a shell.
    Shell,
}

impl Frontend {
    /// All of them.
    pub const ALL: [Frontend; 4] = [Frontend::Docker, Frontend::Cni, Frontend::Netavark, Frontend::Shell];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Frontend::Docker => "docker",
            Frontend::Cni => "cni",
            Frontend::Netavark => "netavark",
            Frontend::Shell => "shell",
        }
    }

    /// Whether behind it there is an engine that has lives of its own, makes an endpoint in several calls, and comes back for
    /// it. Elsewhere an endpoint is made whole in one call, and what has lost its slave has nobody.
    pub fn has_engine(self) -> bool {
        self == Frontend::Docker
    }

    /// Whether a network is told of with each of its endpoints and never by itself: it is made with the first one, and goes
    /// with the last.
    pub fn implies_networks(self) -> bool {
        matches!(self, Frontend::Cni | Frontend::Netavark)
    }
}

impl fmt::Display for Frontend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Frontend {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let known = Self::ALL.into_iter().find(|frontend| frontend.as_str() == text);
        known.ok_or_else(|| SettingError {
            value: text.chars().take(80).collect(),
            expected: "docker, cni, netavark or shell",
        })
    }
}
