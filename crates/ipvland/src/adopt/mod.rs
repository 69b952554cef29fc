//! Who else on this host has given out addresses: container engines (`engines`) and CNI's host-local (`host_local`).
//!
//! Whoever is not there has nothing to tell. Whoever is there and cannot be understood is an error: an address must not
//! be taken for free by mistake.

mod engines;
mod host_local;

use std::path::{Path, PathBuf};

use anyhow::Result;
use model::Adopted;

/// All addresses that the engines at these sockets and the files in this folder tell of, the engines' first.
///
/// # Errors
/// When one of them cannot be understood.
pub(crate) fn told(engine_sockets: &[PathBuf], cni_dir: &Path) -> Result<Vec<Adopted>> {
    let mut told = Vec::new();
    for socket in engine_sockets {
        told.append(&mut engines::told(socket)?);
    }
    told.append(&mut host_local::told(cni_dir)?);
    Ok(told)
}

#[cfg(any(test, fuzzing))]
pub(crate) use {engines::read as read_network, host_local::read as read_reservation};
