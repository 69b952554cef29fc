//! Which namespace a path leads to.

use std::path::Path;

use model::SandboxKey;

use crate::KernelError;
use crate::namespace::{Namespace, is_gone};

/// A network namespace, by what tells it from others as long as it lives: several paths may lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxIdentity {
    /// Device and inode, by which `namespaces(7)` says they are told apart.
    pub text: String,
    /// Whether it is the host's own.
    pub is_hosts: bool,
}

/// The namespace that a path leads to; `None` where it leads to none.
///
/// # Errors
/// When it may not be opened.
pub fn sandbox_identity(key: &SandboxKey) -> Result<Option<SandboxIdentity>, KernelError> {
    let found = Namespace::open(Path::new(key.as_str()))
        .and_then(|namespace| Ok((namespace.identity(), Namespace::host()?.identity())));
    match found {
        Ok((identity, host)) => Ok(Some(SandboxIdentity { text: identity.to_string(), is_hosts: identity == host })),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(KernelError::NotPermitted { doing: format!("look into {key}") })
        }
        Err(source) => Err(KernelError::Io { doing: format!("look into {key}"), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(path: &str) -> Option<SandboxIdentity> {
        sandbox_identity(&path.parse().unwrap()).unwrap()
    }

    #[test]
    fn several_paths_lead_to_the_hosts_own() {
        let own = identity("/proc/self/ns/net").unwrap();
        assert!(own.is_hosts && own.text.contains(':'), "{own:?}");
        assert_eq!(identity(&format!("/proc/{}/ns/net", std::process::id())), Some(own));
    }

    #[test]
    fn what_is_no_namespace_is_none() {
        for path in ["/nowhere", "/proc/self/stat", "/proc/4194305/ns/net", "/proc/self/stat/x"] {
            assert_eq!(identity(path), None, "{path}");
        }
    }
}
