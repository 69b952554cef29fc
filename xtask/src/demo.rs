//! `cargo xtask demo`: the walk-through.

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo::build;
use crate::lab;

/// Builds the driver, boots the lab and runs the demo there.
pub(crate) fn run() -> Result<ExitCode> {
    let built = build(&["build", "--release", "--package", "ipvland"])?;
    let run = lab::Run {
        release: lab::DEFAULT,
        options: &["--docker"],
        programs: &[(built.executable("ipvland")?, "ipvland")],
        limit: 900,
        // In the machine, stdout is no terminal.
        script: if stdout().is_terminal() { "FORCE_COLOR=1 exec lab/demo" } else { "exec lab/demo" },
    };
    let status = run.command().status().context("the lab does not run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
