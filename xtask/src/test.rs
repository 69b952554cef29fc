//! `cargo xtask test` and `test-full`: everything a change must pass.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::cargo::{Built, build, cargo};
use crate::record::{self, Record};
use crate::tally::{Outcome, Results, Tally, check, tests, tests_heard};
use crate::{crashes, demo, engines, installation, lab, reboot};

/// Seconds for one boot of the lab with everything in it. Twice what it takes on a machine that does nothing else.
const LAB_LIMIT: u32 = 2400;

/// The tests of the kernel crate that need a kernel with ipvlan: ignored on the host, run in the lab.
const KERNEL_TESTS: &str = "on_a_real_kernel";

/// The other releases of the lab: the oldest engine, and the newest.
const OLDEST: &str = "bookworm";
const NEWEST: &str = "sid";

/// How much of the lab is asked.
#[derive(PartialEq, Eq)]
pub(crate) enum Extent {
    /// One release in full, and on the newest engine what the engine of that one cannot do.
    Short,
    /// Every release in full, and what takes long.
    Full(Vec<Part>),
}

/// A part of the full extent.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// All scenarios on the oldest engine.
    Bookworm,
    /// All scenarios on the engine that is lived with.
    Trixie,
    /// All scenarios on the newest engine.
    Sid,
    /// Installing, upgrading, removing.
    Installing,
    /// Power losses.
    Power,
    /// Three engines side by side.
    Mixed,
    /// Deaths after every step, and in three hundred sequences; `make soak` goes on as long as wanted.
    Deaths,
}

impl Extent {
    /// These parts; all, where none is named.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        Extent::Full(if parts.is_empty() { Part::value_variants().to_vec() } else { parts })
    }
}

/// Runs all stages, so that one run tells all that is wrong, and prints the sum as the last line. Only what does not
/// build ends it early.
pub(crate) fn run(extent: &Extent) -> Result<ExitCode> {
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
    Ok(report.sum.tell())
}

/// Everything that needs a machine of the lab.
fn in_lab(extent: &Extent, built: &Programs, report: &mut Report) {
    match extent {
        Extent::Short => {
            report.stage("deaths after every step", || crashes::test_short(&built.mortal, 40));
            let lived_with = report.results(lab::DEFAULT, || scenarios(built, lab::DEFAULT, &Which::ButLong));
            let newer = lived_with.map(|results| only_newer(&results)).unwrap_or_default();
            if !newer.is_empty() {
                report.results(NEWEST, || scenarios(built, NEWEST, &Which::Only(newer)));
            }
        }
        Extent::Full(parts) => parts.iter().for_each(|part| match part {
            Part::Bookworm => release_in_full(OLDEST, built, report),
            Part::Trixie => release_in_full(lab::DEFAULT, built, report),
            Part::Sid => release_in_full(NEWEST, built, report),
            Part::Installing => report.stage("installing", installation::test),
            Part::Power => report.stage("power losses", reboot::test),
            Part::Mixed => report.stage("three engines side by side", demo::test_mixed),
            Part::Deaths => report.stage("deaths after every step", || crashes::test(&built.mortal, 300)),
        }),
    }
}

/// All scenarios on a release; and once all releases have run them on the commit as it is, what `docs/engines.md` says of them.
fn release_in_full(release: &str, built: &Programs, report: &mut Report) {
    report.results(release, || {
        let mut record = Record::of(release)?;
        let results = scenarios_heard(built, release, &Which::All, |line| {
            println!("{line}");
            record.note(line);
        })?;
        record.keep()?;
        Ok(results)
    });
    // Without one of them the page would have a column less.
    match record::read(&[OLDEST, lab::DEFAULT, NEWEST]) {
        Ok(None) => {}
        runs => report.stage("docs/engines.md", || {
            Ok(Tally::of(engines::agree_with(&runs?.context("they were there a moment ago")?)?))
        }),
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

/// A driver that dies when it is told to, the driver, and all tests.
struct Programs {
    mortal: PathBuf,
    driver: Built,
    tests: Built,
}

fn build_all() -> Result<Programs> {
    let mortal = crashes::mortal()?;
    let driver = build(&["build", "--package", "ipvland", "--bin", "ipvland"])?;
    Ok(Programs { mortal, driver, tests: build(&["test", "--workspace", "--no-run"])? })
}

fn tests_on_host(built: &Programs) -> Result<Tally> {
    let sum = tests(&mut cargo(&["test", "--workspace", "--exclude", "end-to-end", "--no-fail-fast"]))?.tally;
    // Those that need the lab run there, and count there.
    let for_the_lab = ignored(built.tests.executable(KERNEL_TESTS)?)?;
    Ok(Tally { skipped: sum.skipped.saturating_sub(for_the_lab), ..sum })
}

/// Scenarios that take long, and whose like others show: deaths of the CNI plugin after every step, calls of Podman's plugin as
/// Podman makes them, more ways of an engine to end and to come back, modes that differ from others in their routes only.
const LONG: [&str; 15] = [
    "cni::containerd::thirty_containers_start_at_once",
    "cni::killed::",
    "engine_restart::a_driver_that_dies_at_any_step",
    "engine_restart::an_address_that_nobody_heard_of",
    "engine_restart::an_engine_that_is_killed_has_its_containers_back",
    "engine_restart::an_engine_that_starts_without_the_driver",
    "engine_restart::networks_and_their_links_outlive_the_engine",
    "isolated::without_a_parent_in_l3",
    "isolation::l3_private",
    "isolation::l3_vepa",
    "isolation::l3s_",
    "l3::l3s_",
    "moving_over::",
    "mtu::the_mtu_asked_for_is_in_effect_in_l3",
    "podman::plugin::",
];

/// Which scenarios are run on a release.
enum Which {
    /// All, and the tests of the kernel crate.
    All,
    /// The same without those that take long.
    ButLong,
    /// These.
    Only(Vec<String>),
}

/// One boot of a release, with these scenarios.
fn scenarios(built: &Programs, release: &str, which: &Which) -> Result<Results> {
    scenarios_heard(built, release, which, |line| println!("{line}"))
}

/// The same, for somebody else to show the lines.
fn scenarios_heard(built: &Programs, release: &str, which: &Which, show: impl FnMut(&str)) -> Result<Results> {
    let kernel_tests = format!("{KERNEL_TESTS} --ignored --test-threads=1; kernel=$?");
    let (before, filter) = match which {
        Which::All => (kernel_tests, String::new()),
        Which::ButLong => (kernel_tests, crashes::skipped(&LONG)),
        Which::Only(names) => ("kernel=0".into(), format!(" --exact {}", names.join(" "))),
    };
    let script = format!(
        "{before}
         echo \"engine: Docker $(docker version --format {{{{.Server.Version}}}} | cut -d. -f1,2), kernel $(uname -r | cut -d. -f1,2)\"
         end-to-end --test-threads=1{filter} && exit $kernel",
    );
    let run = lab::Run {
        release,
        options: &["--docker"],
        programs: &[
            (built.driver.executable("ipvland")?, "ipvland"),
            (&built.mortal, "ipvland-mortal"),
            (built.tests.executable(KERNEL_TESTS)?, KERNEL_TESTS),
            (built.tests.executable("end-to-end")?, "end-to-end"),
        ],
        limit: LAB_LIMIT,
        script: &script,
    };
    tests_heard(&mut run.command(), show)
}

/// The scenarios that a run has seen skipped or refused: a newer engine may do them.
fn only_newer(results: &Results) -> Vec<String> {
    let newer = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_) | Outcome::Refused(_));
    results.tests.iter().filter(|(_, outcome)| newer(outcome)).map(|(name, _)| name.clone()).collect()
}

fn ignored(test: &Path) -> Result<u32> {
    let output = Command::new(test).args(["--list", "--ignored", "--format", "terse"]).output();
    let output = output.with_context(|| format!("{} does not run", test.display()))?;
    ensure!(output.status.success(), "{} does not list its tests", test.display());
    let list = String::from_utf8(output.stdout).context("a list of tests is no text")?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).map(|_| 1).sum())
}
