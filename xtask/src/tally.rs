//! Counting what passed.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// How many checks passed, failed and were skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// Negative for tests that another stage has skipped and this one has run.
    pub(crate) skipped: i64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped <= 0 { Ok(()) } else { write!(f, ", {} skipped", self.skipped) }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Runs a command that is one check by itself.
pub(crate) fn check(command: &mut Command) -> Result<Tally> {
    let status = command.status().with_context(|| format!("{command:?} does not run"))?;
    let passed = u32::from(status.success());
    Ok(Tally { passed, failed: 1 - passed, skipped: 0 })
}

/// Runs a command that prints the results of libtest, shows them as they come, and adds them up.
///
/// A command that fails without a failed test, or runs no test at all, counts as one failure.
pub(crate) fn tests(command: &mut Command) -> Result<Tally> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?} does not run"))?;
    let tally = count(child.stdout.take().expect("it is piped"), |line| println!("{line}"))?;
    let status = child.wait()?;
    let unexplained = !status.success() && tally.failed == 0;
    let nothing = tally.passed + tally.failed == 0;
    Ok(if unexplained || nothing { Tally { failed: tally.failed.max(1), ..tally } } else { tally })
}

fn count(output: impl Read, mut show: impl FnMut(&str)) -> Result<Tally> {
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("the output cannot be read")?;
        let line = String::from_utf8_lossy(&line);
        show(&line);
        if let Some(results) = line.strip_prefix("test result: ") {
            tally += parse(results);
        }
    }
    Ok(tally)
}

/// Reads `ok. 3 passed; 0 failed; 1 ignored; ...`.
fn parse(results: &str) -> Tally {
    let number = |word: &str| -> u32 {
        let before = results.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(word));
        before.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Tally { passed: number("passed"), failed: number("failed"), skipped: number("ignored").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n";
        let tally = count(output.as_bytes(), |_| {}).unwrap();
        assert_eq!(tally.to_string(), "15 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn silence_and_a_bare_failure_count_as_failures() {
        assert_eq!(tests(&mut Command::new("true")).unwrap().failed, 1);
        assert_eq!(tests(&mut Command::new("false")).unwrap().failed, 1);
    }
}
