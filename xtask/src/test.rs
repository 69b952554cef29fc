//! `cargo xtask test`: everything a change must pass.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::cargo::{cargo, executable};
use crate::tally::{Tally, check, tests};

/// How long the scenarios may take in the lab, boot included.
const LAB_LIMIT: &str = "1200";

type Stage = fn() -> Result<Tally>;

/// Runs all stages, so that one run tells all that is wrong, and prints the sum as the last line.
pub(crate) fn run() -> Result<ExitCode> {
    let started = Instant::now();
    let stages: [(&str, Stage); 5] = [
        ("formatting", || check(&mut cargo(&["fmt", "--all", "--check"]))),
        ("lints", || check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("documentation", || {
            check(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))
        }),
        ("tests on this host", || tests(&mut cargo(&["test", "--workspace", "--exclude", "end-to-end"]))),
        ("scenarios in the lab", scenarios),
    ];
    let mut sum = Tally::default();
    for (name, stage) in stages {
        println!("[test {:6.1}s] {name}", started.elapsed().as_secs_f32());
        sum += stage().unwrap_or_else(|error| {
            println!("{name}: {error:#}");
            Tally { failed: 1, ..Tally::default() }
        });
    }
    println!("[test {:6.1}s] done", started.elapsed().as_secs_f32());
    println!("{sum}");
    Ok(if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One boot, one Docker Engine, all scenarios.
fn scenarios() -> Result<Tally> {
    let driver = executable(&["build", "--package", "ipvland"], "ipvland")?;
    let scenarios = executable(&["test", "--package", "end-to-end", "--no-run"], "end-to-end")?;
    tests(
        Command::new("lab/lab")
            .args(["run", "--docker", "--timeout", LAB_LIMIT, "--copy"])
            .arg(driver)
            .arg("--copy")
            .arg(format!("{}:end-to-end", scenarios.display()))
            .args(["--", "end-to-end", "--test-threads=1"]),
    )
}
