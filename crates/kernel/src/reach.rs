//! Which namespaces can be reached.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::SandboxKey;

use crate::KernelError;
use crate::namespace::{Identity, Namespace, is_gone};

/// Where namespaces are kept by Docker, by `ip netns` and Podman. Docker's is spelled as Docker spells it in the keys
/// it gives out, so that what is found there is known by the same key.
pub(crate) const FOLDERS: [&str; 3] = ["/var/run/docker/netns", "/run/netns", "/var/run/netns"];

/// Calls `visit` with the namespace at each of `keys` and, where `everywhere`, with every other one in reach. Each
/// once, under the first path that leads to it, and never with the host's own.
///
/// One at a time, so that no more than one is kept alive, and the number of open files does not limit that of
/// containers.
///
/// # Errors
/// Those of `visit`, and when a namespace is there and cannot be opened. What is gone is left out, and so is a
/// namespace that nobody named and that may not be entered.
pub(crate) fn visit_reachable(
    host: &Namespace,
    keys: &[SandboxKey],
    everywhere: bool,
    mut visit: impl FnMut(&SandboxKey, &Namespace) -> io::Result<()>,
) -> Result<(), KernelError> {
    let mut seen = HashSet::from([host.identity()]);
    let mut look = |key: &SandboxKey| -> io::Result<()> {
        let path = Path::new(key.as_str());
        // A glance before opening: thousands of processes share a few namespaces.
        if Identity::at(path).is_some_and(|identity| seen.contains(&identity)) {
            return Ok(());
        }
        let namespace = Namespace::open(path)?;
        if seen.insert(namespace.identity()) { visit(key, &namespace) } else { Ok(()) }
    };
    for key in keys {
        match look(key) {
            Err(error) if !is_gone(&error) => return Err(failed(key, error)),
            _ => {}
        }
    }
    let mut barred = 0;
    for key in found().take_while(|_| everywhere) {
        match look(&key) {
            // Those of nearly all processes, for a daemon without CAP_SYS_PTRACE (`cap_ptrace_access_check()` in
            // `security/commoncap.c`).
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => barred += 1,
            Err(error) if !is_gone(&error) => return Err(failed(&key, error)),
            _ => {}
        }
    }
    if barred > 0 {
        tracing::debug!(paths = barred, "namespaces that may not be entered are passed over");
    }
    Ok(())
}

fn failed(key: &SandboxKey, source: io::Error) -> KernelError {
    let doing = format!("look into {key}");
    match source.kind() {
        io::ErrorKind::PermissionDenied => KernelError::NotPermitted { doing },
        _ => KernelError::Io { doing, source },
    }
}

/// The paths at which namespaces may be found; those of processes last, as nobody knows them by these.
fn found() -> impl Iterator<Item = SandboxKey> {
    let kept = FOLDERS.iter().flat_map(|folder| entries(Path::new(folder)));
    let is_process = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes()[0].is_ascii_digit());
    let processes = entries(Path::new("/proc")).filter(is_process).map(|path| path.join("ns/net"));
    kept.chain(processes).filter_map(|path| path.to_str()?.parse().ok())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
