//! `cargo xtask demo`: the walk-through.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cargo::executable;

/// Builds the driver, boots the lab and runs the demo there.
pub(crate) fn run() -> Result<ExitCode> {
    let driver = executable(&["build", "--release", "--package", "ipvland"], "ipvland")?;
    let status = Command::new("lab/lab")
        .args(["run", "--docker", "--timeout", "900", "--copy"])
        .arg(driver)
        .args(["--", "lab/demo"])
        .status()
        .context("the lab does not run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
