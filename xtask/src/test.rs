//! `cargo xtask test`: everything a change must pass.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::cargo::{Built, build, cargo};
use crate::lab;
use crate::tally::{Tally, check, tests};

/// Seconds for everything in the lab, boot included.
const LAB_LIMIT: u32 = 1500;

/// The tests of the kernel crate that need a kernel with ipvlan: ignored on the host, run in the lab.
const KERNEL_TESTS: &str = "on_a_real_kernel";

/// Runs all stages, so that one run tells all that is wrong, and prints the sum as the last line. Only what does not
/// build ends it early.
pub(crate) fn run() -> Result<ExitCode> {
    let mut report = Report { started: Instant::now(), sum: Tally::default() };
    report.stage("formatting", || check(&mut cargo(&["fmt", "--all", "--check"])));
    report
        .stage("lints", || check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])));
    report.stage("documentation", || {
        check(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "--deny warnings"))
    });
    if let Some((driver, tests)) = report.needed("build", build_all) {
        report.stage("tests on this host", tests_on_host);
        report.stage("tests in the lab", || tests_in_lab(&driver, &tests));
    }
    report.announce("done");
    println!("{}", report.sum);
    Ok(if report.sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What has been found out so far.
struct Report {
    started: Instant,
    sum: Tally,
}

impl Report {
    fn announce(&self, what: &str) {
        println!("[test {:6.1}s] {what}", self.started.elapsed().as_secs_f32());
    }

    /// A stage that counts by itself; one that could not be carried out counts as one failure.
    fn stage(&mut self, name: &str, stage: impl FnOnce() -> Result<Tally>) {
        if let Some(tally) = self.needed(name, stage) {
            self.sum += tally;
        }
    }

    /// What later stages need; where it is missing, that is one failure.
    fn needed<T>(&mut self, name: &str, stage: impl FnOnce() -> Result<T>) -> Option<T> {
        self.announce(name);
        match stage() {
            Ok(made) => Some(made),
            Err(error) => {
                println!("{name}: {error:#}");
                self.sum += Tally { failed: 1, ..Tally::default() };
                None
            }
        }
    }
}

/// The driver, and all tests.
fn build_all() -> Result<(Built, Built)> {
    let driver = build(&["build", "--package", "ipvland", "--bin", "ipvland"])?;
    Ok((driver, build(&["test", "--workspace", "--no-run"])?))
}

fn tests_on_host() -> Result<Tally> {
    tests(&mut cargo(&["test", "--workspace", "--exclude", "end-to-end", "--no-fail-fast"]))
}

/// One boot and one Docker Engine for all that needs them.
fn tests_in_lab(driver: &Built, built: &Built) -> Result<Tally> {
    let kernel_tests = built.executable(KERNEL_TESTS)?;
    let run = lab::Run {
        programs: &[
            (driver.executable("ipvland")?, "ipvland"),
            (kernel_tests, KERNEL_TESTS),
            (built.executable("end-to-end")?, "end-to-end"),
        ],
        limit: LAB_LIMIT,
        script: "on_a_real_kernel --ignored --test-threads=1; kernel=$?
                 end-to-end --test-threads=1 && exit $kernel",
    };
    let in_lab = tests(&mut run.command())?;
    // Those that the host had to skip have been run now.
    Ok(Tally { skipped: in_lab.skipped - ignored_on_host(kernel_tests)?, ..in_lab })
}

fn ignored_on_host(test: &Path) -> Result<i64> {
    let output = Command::new(test).args(["--list", "--ignored", "--format", "terse"]).output();
    let output = output.with_context(|| format!("{} does not run", test.display()))?;
    ensure!(output.status.success(), "{} does not list its tests", test.display());
    let list = String::from_utf8(output.stdout).context("a list of tests is no text")?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).map(|_| 1).sum())
}
