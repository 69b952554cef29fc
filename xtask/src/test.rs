//! `cargo xtask test` and `test-full`: everything a change must pass.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::cargo::{Built, build, cargo};
use crate::tally::{Results, Tally, check, tests};
use crate::{engines, installation, lab};

/// Seconds for one boot of the lab with everything in it.
const LAB_LIMIT: u32 = 1500;

/// The tests of the kernel crate that need a kernel with ipvlan: ignored on the host, run in the lab.
const KERNEL_TESTS: &str = "on_a_real_kernel";

/// The other releases of the lab: the oldest engine, and the newest.
const OLDEST: &str = "bookworm";
const NEWEST: &str = "sid";

/// How much of the lab is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// One release.
    Short,
    /// Every release in full, and what takes long.
    Full,
}

/// Runs all stages, so that one run tells all that is wrong, and prints the sum as the last line. Only what does not
/// build ends it early.
pub(crate) fn run(extent: Extent) -> Result<ExitCode> {
    let mut report = Report { started: Instant::now(), sum: Tally::default() };
    report.stage("formatting", || check(&mut cargo(&["fmt", "--all", "--check"])));
    report
        .stage("lints", || check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])));
    report.stage("documentation", || {
        check(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "--deny warnings"))
    });
    if let Some(built) = report.needed("build", build_all) {
        report.stage("tests on this host", || tests_on_host(&built));
        in_lab(extent, &built, &mut report);
    }
    report.announce("done");
    println!("{}", report.sum);
    Ok(if report.sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that needs a machine of the lab.
fn in_lab(extent: Extent, built: &Programs, report: &mut Report) {
    match extent {
        Extent::Short => {
            report.results(lab::DEFAULT, || scenarios(built, lab::DEFAULT));
        }
        Extent::Full => {
            let releases = [OLDEST, lab::DEFAULT, NEWEST];
            let runs: Vec<_> =
                releases.iter().filter_map(|name| report.results(name, || scenarios(built, name))).collect();
            report.stage("deaths after every step", || crashes(built, 1000));
            report.stage("installing", installation::test);
            // Without one of them the page would have a column less.
            if runs.len() == releases.len() {
                report.stage("docs/engines.md", || Ok(Tally::of(engines::agree_with(&runs)?)));
            }
        }
    }
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

    /// A boot of the lab; each is summed up by itself as well.
    fn results(&mut self, release: &str, stage: impl FnOnce() -> Result<Results>) -> Option<Results> {
        let results = self.needed(&format!("tests in the lab, {release}"), stage)?;
        let engine = results.engine.as_deref().unwrap_or("no engine");
        self.announce(&format!("{release}, {engine}: {}", results.tally));
        self.sum += results.tally;
        Some(results)
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
struct Programs {
    driver: Built,
    tests: Built,
}

fn build_all() -> Result<Programs> {
    let driver = build(&["build", "--package", "ipvland", "--bin", "ipvland"])?;
    Ok(Programs { driver, tests: build(&["test", "--workspace", "--no-run"])? })
}

fn tests_on_host(built: &Programs) -> Result<Tally> {
    let sum = tests(&mut cargo(&["test", "--workspace", "--exclude", "end-to-end", "--no-fail-fast"]))?.tally;
    // Those that need the lab run there, and count there.
    let for_the_lab = ignored(built.tests.executable(KERNEL_TESTS)?)?;
    Ok(Tally { skipped: sum.skipped.saturating_sub(for_the_lab), ..sum })
}

/// One boot of a release: the tests of the kernel crate and all scenarios.
fn scenarios(built: &Programs, release: &str) -> Result<Results> {
    let script = format!(
        "{KERNEL_TESTS} --ignored --test-threads=1; kernel=$?
         echo \"engine: Docker $(docker version --format {{{{.Server.Version}}}} | cut -d. -f1,2), kernel $(uname -r | cut -d. -f1,2)\"
         end-to-end --test-threads=1 && exit $kernel",
    );
    let run = lab::Run {
        release,
        boot: Some("--docker"),
        programs: &[
            (built.driver.executable("ipvland")?, "ipvland"),
            (built.tests.executable(KERNEL_TESTS)?, KERNEL_TESTS),
            (built.tests.executable("end-to-end")?, "end-to-end"),
        ],
        limit: LAB_LIMIT,
        script: &script,
    };
    tests(&mut run.command())
}

/// A boot without an engine, for a driver that dies after every step, and in so many sequences that nobody thought of.
fn crashes(built: &Programs, sequences: u32) -> Result<Tally> {
    // Its own folder: its place in the other is the real one's.
    let mortal = ["build", "--package", "ipvland", "--bin", "ipvland", "--features", "kill-points"];
    let mortal = build(&[&mortal[..], &["--target-dir", "target/mortal"]].concat())?;
    let run = lab::Run {
        release: lab::DEFAULT,
        boot: None,
        programs: &[(mortal.executable("ipvland")?, "ipvland-mortal"), (built.tests.executable("crashes")?, "crashes")],
        limit: 2 * LAB_LIMIT,
        script: &format!(
            "CRASH_SEQUENCES={sequences} crashes --test-threads=1 || {{ tail -n 60 /run/mortal/log; exit 1; }}"
        ),
    };
    Ok(tests(&mut run.command())?.tally)
}

fn ignored(test: &Path) -> Result<u32> {
    let output = Command::new(test).args(["--list", "--ignored", "--format", "terse"]).output();
    let output = output.with_context(|| format!("{} does not run", test.display()))?;
    ensure!(output.status.success(), "{} does not list its tests", test.display());
    let list = String::from_utf8(output.stdout).context("a list of tests is no text")?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).map(|_| 1).sum())
}
