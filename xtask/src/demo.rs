//! `cargo xtask demo` and `demo-mixed`: the walk-through, and three engines side by side.

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo::build;
use crate::lab;
use crate::tally::Tally;

/// Builds the driver, boots the lab and runs the demo there.
pub(crate) fn run() -> Result<ExitCode> {
    played("lab/demo").map(exit_code)
}

/// The same with the demo of Docker, Podman and containerd.
pub(crate) fn mixed() -> Result<ExitCode> {
    played(MIXED).map(exit_code)
}

/// The same, as one check.
pub(crate) fn test_mixed() -> Result<Tally> {
    played(MIXED).map(Tally::of)
}

const MIXED: &str = "lab/demo-mixed";

/// Whether a demo ends well.
fn played(demo: &str) -> Result<bool> {
    let built = build(&["build", "--release", "--package", "ipvland"])?;
    // In the machine, stdout is no terminal.
    let colours = if stdout().is_terminal() { "FORCE_COLOR=1 " } else { "" };
    let run = lab::Run {
        release: lab::DEFAULT,
        options: &["--docker"],
        programs: &[(built.executable("ipvland")?, "ipvland")],
        limit: 900,
        script: &format!("{colours}exec {demo}"),
    };
    Ok(run.command().status().context("the lab does not run")?.success())
}

fn exit_code(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
