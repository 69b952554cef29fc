//! `cargo xtask test-installation`: ipvland installed, walked through, upgraded and removed on a machine with systemd.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo::build;
use crate::lab;
use crate::package::debian_package;
use crate::tally::{Tally, tests};

/// Seconds, boot included.
const LIMIT: u32 = 1500;

/// Runs the scenarios, and prints how many passed as the last line.
pub(crate) fn run() -> Result<ExitCode> {
    test().map(Tally::tell)
}

/// Makes two packages, one to be replaced by the other, and runs the scenarios with them.
pub(crate) fn test() -> Result<Tally> {
    let older = debian_package(1)?;
    // cargo-deb removes the packages of other revisions.
    let package = older.with_file_name("older.deb");
    fs::rename(&older, &package).context("the package cannot be renamed")?;
    let newer = debian_package(2)?;
    let driver = build(&["build", "--release", "--package", "ipvland"])?;
    let scenarios = build(&["test", "--package", "end-to-end", "--test", "installation", "--no-run"])?;
    let run = lab::Run {
        release: lab::DEFAULT,
        options: &["--systemd"],
        programs: &[
            (&package, "ipvland.deb"),
            (&newer, "ipvland-newer.deb"),
            (driver.executable("ipvland")?, "ipvland-built"),
            (scenarios.executable("installation")?, "installation"),
        ],
        limit: LIMIT,
        script: "installation --test-threads=1",
    };
    Ok(tests(&mut run.command())?.tally)
}
