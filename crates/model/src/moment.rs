//! Points in the lives of engine and kernel.

use std::fmt;
use std::str::FromStr;

/// One life of an engine, counted by its activations of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub u64);

/// One life of the kernel: `/proc/sys/kernel/random/boot_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BootId(String);

/// The text is no boot id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no boot id")]
pub struct NotABootId(String);

impl FromStr for BootId {
    type Err = NotABootId;

    fn from_str(text: &str) -> Result<Self, NotABootId> {
        let text = text.trim();
        let valid = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if valid { Ok(Self(text.to_owned())) } else { Err(NotABootId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A point in the lives of engine and kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The engine's.
    pub generation: Generation,
    /// The kernel's.
    pub boot: BootId,
}
