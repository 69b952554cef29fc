//! Namespaces that somebody names, before a container is put on a network.

use kernel::Scope;
use model::{InterfaceName, SandboxKey};

use crate::EngineError;

/// A network namespace that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// What tells it from others as long as it lives: several paths may lead to it.
    pub identity: String,
    /// Whether it is the host's own, in which nothing is attached.
    pub is_hosts: bool,
    /// The names of the interfaces in it; none are told of the host's own.
    pub interfaces: Vec<InterfaceName>,
}

/// Looks into a namespace.
///
/// # Errors
/// [`EngineError::SandboxGone`], when there is none; when it cannot be looked into.
pub fn look_into(key: &SandboxKey) -> Result<Sandbox, EngineError> {
    let gone = || EngineError::SandboxGone(key.clone());
    let found = kernel::sandbox_identity(key)?.ok_or_else(gone)?;
    let mut observed = kernel::observe(Scope::Sandboxes(std::slice::from_ref(key)))?;
    let links = observed.sandboxes.remove(key).unwrap_or_default();
    let interfaces = links.into_iter().map(|link| link.name).collect();
    Ok(Sandbox { identity: found.text, is_hosts: found.is_hosts, interfaces })
}
