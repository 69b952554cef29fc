//! Everything Linux: what links there are, in which namespaces, and the steps that change them.
//!
//! Only this crate speaks netlink, and no type of that leaves it. It decides nothing: [`observe`] tells what is there,
//! [`apply`] takes one step that `model::converge` planned, [`PortLock`] keeps two processes off one port.

#![deny(missing_docs)]

mod apply;
mod error;
mod links;
mod lock;
mod namespace;
mod netlink;
mod observe;

use model::{BootId, KernelVersion};

pub use apply::apply;
pub use error::KernelError;
pub use lock::{LockKey, PortLock};
pub use observe::{Scope, observe};

/// The version of the running kernel, from `uname`.
///
/// # Errors
/// When the release begins with no version number.
pub fn release() -> Result<KernelVersion, KernelError> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    release.parse().map_err(|_| KernelError::Unreadable { what: "the kernel's release", text: release.into_owned() })
}

/// The identity of this life of the kernel.
///
/// # Errors
/// When `/proc` does not tell.
pub fn boot_id() -> Result<BootId, KernelError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text =
        std::fs::read_to_string(PATH).map_err(|source| KernelError::Io { doing: format!("reading {PATH}"), source })?;
    text.parse().map_err(|_| KernelError::Unreadable { what: "the boot id", text })
}
