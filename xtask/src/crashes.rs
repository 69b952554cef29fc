//! A driver that dies after every step, and in so many sequences that nobody thought of; in the lab, without an engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cargo::build;
use crate::lab;
use crate::tally::{Tally, tests, tests_heard};

/// Seconds for what is not at random, boot included.
const LIMIT: u32 = 1200;
/// Seconds for one sequence, when the machine has other things to do.
const SEQUENCE_LIMIT: u32 = 10;

/// The driver, with the feature of dying after a step that is chosen. To be built before the other, whose place it takes
/// until then: a place of its own would have all that both are made of built twice.
pub(crate) fn mortal() -> Result<PathBuf> {
    let built = build(&["build", "--package", "ipvland", "--bin", "ipvland", "--features", "kill-points"])?;
    let kept = built.executable("ipvland")?.with_file_name("ipvland-mortal");
    fs::copy(built.executable("ipvland")?, &kept).context("the driver cannot be copied")?;
    Ok(kept)
}

/// Lives that differ from the others in their parent only; and a crowd that waits for each other no longer than it may on a
/// machine that is fast enough, which says nothing of a change where the machine is slow.
const LEFT_OUT: [&str; 4] = [
    "every_step::on_a_vlan_link_that_is_made_for_it",
    "every_step::on_an_isolated_network",
    "every_step::with_a_link_that_is_set_up_by_the_driver",
    "together::sixty_four_come_and_go_while_others_repair",
];

/// Everything, with so many sequences, and how much passed as the last line.
pub(crate) fn run(sequences: u32) -> Result<ExitCode> {
    test(&mortal()?, sequences).map(Tally::tell)
}

/// Everything, with so many sequences.
pub(crate) fn test(mortal: &Path, sequences: u32) -> Result<Tally> {
    test_but(mortal, sequences, &[])
}

/// What a change must pass: of lives that are alike one, no crowd, and so many sequences.
pub(crate) fn test_short(mortal: &Path, sequences: u32) -> Result<Tally> {
    test_but(mortal, sequences, &LEFT_OUT)
}

fn test_but(mortal: &Path, sequences: u32, left_out: &[&str]) -> Result<Tally> {
    // The machine has two processors, and a sequence uses one. They know nothing of each other.
    let apart = "unshare --net --mount --pid --fork --mount-proc sh -c";
    let half = |from: u32, to: u32| {
        let stage = "mount -t tmpfs tmpfs /run && ip link set lo up && ip link add eth1 type dummy";
        format!("{apart} '{stage} && {{ export CRASH_SEQUENCES={from}..{to}; {}; }}'", play("at_random"))
    };
    let script = format!(
        "{{ {first}; }} >/tmp/first 2>&1 & {second}; second=$?; wait $!; first=$?; cat /tmp/first
         {rest} && exit $((first || second))",
        first = half(0, sequences / 2),
        second = half(sequences / 2, sequences),
        rest = play(&format!("--skip at_random{}", skipped(left_out))),
    );
    Ok(in_lab(mortal, LIMIT + sequences * SEQUENCE_LIMIT, &script, tests)?.tally)
}

/// The options by which libtest leaves these out.
pub(crate) fn skipped(names: &[&str]) -> String {
    names.iter().map(|name| format!(" --skip {name}")).collect()
}

/// Sequences for so long, and what came of them as the last line.
pub(crate) fn soak(seconds: u32) -> Result<ExitCode> {
    let mut outcome = None;
    let results = in_lab(
        &mortal()?,
        LIMIT + seconds,
        &format!("export CRASH_SECONDS={seconds}; {}", play("at_random")),
        |command| {
            tests_heard(command, |line| {
                println!("{line}");
                if line.starts_with("soak: ") {
                    outcome = line.split(" ... ").next().map(str::to_owned);
                }
            })
        },
    )?;
    println!("{}", outcome.context("it did not come to an end; what happened is above")?);
    Ok(if results.tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The scenarios that a filter leaves, and what the driver has logged last if one of them fails.
fn play(filter: &str) -> String {
    format!("{{ crashes --test-threads=1 {filter} || {{ tail -n 60 /run/mortal/log; false; }}; }}")
}

fn in_lab<T>(mortal: &Path, limit: u32, script: &str, follow: impl FnOnce(&mut Command) -> Result<T>) -> Result<T> {
    let scenarios = build(&["test", "--package", "end-to-end", "--test", "crashes", "--no-run"])?;
    let run = lab::Run {
        release: lab::DEFAULT,
        options: &[],
        programs: &[(mortal, "ipvland-mortal"), (scenarios.executable("crashes")?, "crashes")],
        limit,
        script,
    };
    follow(&mut run.command())
}
