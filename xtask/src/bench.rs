//! `cargo xtask bench-ipam` and `bench-cni`: what an address costs, with few and with many leases, and a container by CNI.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::cargo::build;
use crate::lab::{self, checkout};

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

/// Runs it in the lab, optimised.
pub(crate) fn cni() -> Result<ExitCode> {
    let driver = build(&["build", "--release", "--package", "ipvland"])?;
    let bench = build(&["build", "--release", "--package", "benches", "--bin", "bench-cni"])?;
    let run = lab::Run {
        release: lab::DEFAULT,
        options: &[],
        programs: &[(driver.executable("ipvland")?, "ipvland"), (bench.executable("bench-cni")?, "bench-cni")],
        limit: 600,
        script: "exec bench-cni",
    };
    let status = run.command().status().context("the lab does not run")?;
    ensure!(status.success(), "it did not come to an end; why is above");
    Ok(ExitCode::SUCCESS)
}
