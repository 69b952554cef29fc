//! `cargo xtask bench-ipam`: what an address costs, with few and with many leases.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::cargo::build;
use crate::lab::checkout;

/// Runs it, optimised, on the file system of the checkout.
pub(crate) fn ipam() -> Result<ExitCode> {
    let built = build(&["build", "--release", "--package", "benches", "--bin", "bench-ipam"])?;
    let folder = checkout().join("target/bench-ipam");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // A disk is asked, as the ledger's is: what is in memory is refused.
    let status = Command::new(built.executable("bench-ipam")?).arg(&folder).status().context("it does not run")?;
    ensure!(status.success(), "it did not come to an end; why is above");
    Ok(ExitCode::SUCCESS)
}
