//! `cargo xtask test-reboot`: one machine whose power goes and comes back.

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo::build;
use crate::lab;
use crate::tally::{Tally, tests};

/// The disk of that machine; and its lives, each a module of `tests/reboot`.
const DISK: &str = "reboot";
const LIVES: [&str; 4] = ["first_life", "driver_before_docker", "docker_before_driver", "ledger_lost"];

/// Seconds for one life.
const LIMIT: u32 = 600;

/// Runs the scenarios, and prints how many passed as the last line.
pub(crate) fn run() -> Result<ExitCode> {
    test().map(Tally::tell)
}

/// Lives through all of them, one boot each, as long as nothing fails: each finds what the one before has left.
pub(crate) fn test() -> Result<Tally> {
    let driver = build(&["build", "--package", "ipvland", "--bin", "ipvland"])?;
    let scenarios = build(&["test", "--package", "end-to-end", "--test", "reboot", "--no-run"])?;
    let mut sum = Tally::default();
    for life in LIVES {
        let disk = if life == LIVES[0] { "--new-disk" } else { "--disk" };
        let run = lab::Run {
            release: lab::DEFAULT,
            options: &[disk, DISK],
            programs: &[(driver.executable("ipvland")?, "ipvland"), (scenarios.executable("reboot")?, "reboot")],
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
