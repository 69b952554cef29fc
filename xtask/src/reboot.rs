//! `cargo xtask test-reboot`: machines whose power goes and comes back.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cargo::build;
use crate::lab;
use crate::tally::{Tally, tests};

/// The machines, each with its disk, and its lives, which are modules of `tests/reboot`.
const MACHINES: [(&str, &[&str]); 2] = [
    ("reboot", &["first_life", "driver_before_docker", "docker_before_driver", "ledger_lost"]),
    ("reboot-alone", &["alone_before", "alone_after"]),
];

/// Seconds for one life.
const LIMIT: u32 = 600;

/// Runs the scenarios, and prints how many passed as the last line.
pub(crate) fn run() -> Result<ExitCode> {
    test().map(Tally::tell)
}

/// Lives through all of them, one boot each.
pub(crate) fn test() -> Result<Tally> {
    let driver = build(&["build", "--package", "ipvland", "--bin", "ipvland"])?;
    let scenarios = build(&["test", "--package", "end-to-end", "--test", "reboot", "--no-run"])?;
    let programs = [(driver.executable("ipvland")?, "ipvland"), (scenarios.executable("reboot")?, "reboot")];
    let mut sum = Tally::default();
    for (disk, lives) in MACHINES {
        sum += live(disk, lives, &programs)?;
    }
    Ok(sum)
}

/// One machine, as long as nothing fails: each life finds what the one before has left.
fn live(disk: &str, lives: &[&str], programs: &[(&Path, &str)]) -> Result<Tally> {
    let mut sum = Tally::default();
    for life in lives {
        let option = if life == &lives[0] { "--new-disk" } else { "--disk" };
        let run = lab::Run {
            release: lab::DEFAULT,
            options: &[option, disk],
            programs,
            limit: LIMIT,
            script: &format!("reboot --test-threads=1 {life}:: || {{ tail -n 60 /run/end-to-end.log; exit 1; }}"),
        };
        sum += tests(&mut run.command())?.tally;
        if sum.failed > 0 {
            break;
        }
    }
    Ok(sum)
}
