//! Which kernel this is, and which of its lives.

use model::{BootId, KernelVersion};

use crate::KernelError;

/// The version of the running kernel, from `uname(2)`.
///
/// # Errors
/// When the release does not begin with a version number.
pub fn release() -> Result<KernelVersion, KernelError> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    release.parse().map_err(|_| KernelError::Unreadable { what: "the kernel's release", text: release.into_owned() })
}

/// The identity of this life of the kernel, from `/proc/sys/kernel/random/boot_id`.
///
/// # Errors
/// When `/proc` does not tell.
pub fn boot_id() -> Result<BootId, KernelError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text =
        std::fs::read_to_string(PATH).map_err(|source| KernelError::Io { doing: format!("read {PATH}"), source })?;
    text.parse().map_err(|_| KernelError::Unreadable { what: "the boot id", text: text.trim().into() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_kernel_is_known() {
        assert!(super::release().unwrap().major >= 4);
        assert_eq!(super::boot_id().unwrap(), super::boot_id().unwrap());
    }
}
