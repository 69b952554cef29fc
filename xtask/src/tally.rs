//! Counting what passed.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

/// How many checks passed, failed and were skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// One check.
    pub(crate) fn of(passed: bool) -> Self {
        let passed = u32::from(passed);
        Self { passed, failed: 1 - passed, skipped: 0 }
    }

    /// Prints it, as the last line of a run: the run's status.
    pub(crate) fn tell(self) -> ExitCode {
        println!("{self}");
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// Passed: it is refused here, in this sentence, and that is what the test has seen.
    Refused(String),
    Failed,
    /// Not run, for this reason.
    Skipped(String),
}

/// What a run of tests came to.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) tally: Tally,
    /// Each test by its name. Complete where libtest runs one at a time.
    pub(crate) tests: Vec<(String, Outcome)>,
    /// What it said in lines that begin with `engine: `: where the tests that follow ran.
    pub(crate) engine: Option<String>,
}

/// Runs a command that is one check by itself.
pub(crate) fn check(command: &mut Command) -> Result<Tally> {
    let status = command.status().with_context(|| format!("{command:?} does not run"))?;
    Ok(Tally::of(status.success()))
}

/// Runs a command that prints the results of libtest, shows them as they come, and adds them up.
///
/// A command that fails without a failed test, or runs no test at all, counts as one failure.
pub(crate) fn tests(command: &mut Command) -> Result<Results> {
    tests_heard(command, |line| println!("{line}"))
}

/// As [`tests`], for somebody else to show the lines.
pub(crate) fn tests_heard(command: &mut Command, show: impl FnMut(&str)) -> Result<Results> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?} does not run"))?;
    let mut results = count(child.stdout.take().expect("it is piped"), show)?;
    let status = child.wait()?;
    let tally = &mut results.tally;
    let unexplained = !status.success() && tally.failed == 0;
    let nothing = tally.passed + tally.failed + tally.skipped == 0;
    if unexplained || nothing {
        tally.failed = tally.failed.max(1);
    }
    Ok(results)
}

/// Adds up what a command has printed, as [`tests`] would.
pub(crate) fn read(output: impl Read) -> Result<Results> {
    count(output, |_| {})
}

fn count(output: impl Read, mut show: impl FnMut(&str)) -> Result<Results> {
    let mut results = Results::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("the output cannot be read")?;
        let line = String::from_utf8_lossy(&line);
        show(&line);
        if let Some(engine) = line.strip_prefix("engine: ") {
            results.engine = Some(engine.to_owned());
            results.tests.clear();
        } else if let Some(sum) = line.strip_prefix("test result: ") {
            results.tally += parse(sum);
        } else if let Some((name, outcome)) = outcome(&line) {
            results.tests.push((name.to_owned(), outcome));
        } else if line == "FAILED"
            && let Some((_, outcome)) = results.tests.last_mut()
        {
            *outcome = Outcome::Failed;
        }
    }
    // libtest has counted these as passed, as it has no word for them.
    let skipped = results.tests.iter().map(|(_, outcome)| u32::from(matches!(outcome, Outcome::Skipped(_)))).sum();
    results.tally.passed = results.tally.passed.saturating_sub(skipped);
    results.tally.skipped += skipped;
    Ok(results)
}

/// Reads `test NAME ... ok`. What a test remarks behind `...` (tests/world/engine.rs) ends the line, and libtest's own
/// word follows on the next.
fn outcome(line: &str) -> Option<(&str, Outcome)> {
    let (name, word) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let outcome = match word.split_once(": ") {
        None if word == "ok" => Outcome::Passed,
        None if word == "FAILED" => Outcome::Failed,
        Some(("skipped", reason)) => Outcome::Skipped(reason.to_owned()),
        Some(("refused", sentence)) => Outcome::Refused(sentence.to_owned()),
        _ => return None,
    };
    Some((name, outcome))
}

/// Reads `ok. 3 passed; 0 failed; 1 ignored; ...`.
fn parse(results: &str) -> Tally {
    let number = |word: &str| -> u32 {
        let before = results.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(word));
        before.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Tally { passed: number("passed"), failed: number("failed"), skipped: number("ignored") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n";
        let results = count(output.as_bytes(), |_| {}).unwrap();
        assert_eq!(results.tally.to_string(), "15 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn what_a_test_remarks_of_itself_counts() {
        let output = "test elsewhere ... ok\nengine: Docker 26.1\n\
            test l2::one ... ok\n\
            test l2::two ... skipped: it is too old\nok\n\
            test l2::three ... refused: leave it out\nok\n\
            test l2::four ... refused: leave it out\nFAILED\n\
            test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n";
        let results = count(output.as_bytes(), |_| {}).unwrap();
        assert_eq!(results.tally.to_string(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(results.engine.as_deref(), Some("Docker 26.1"));
        let outcome = |name: &str, outcome| (format!("l2::{name}"), outcome);
        assert_eq!(
            results.tests,
            [
                outcome("one", Outcome::Passed),
                outcome("two", Outcome::Skipped("it is too old".into())),
                outcome("three", Outcome::Refused("leave it out".into())),
                outcome("four", Outcome::Failed),
            ]
        );
    }

    #[test]
    fn silence_and_a_bare_failure_count_as_failures() {
        assert_eq!(tests(&mut Command::new("true")).unwrap().tally.failed, 1);
        assert_eq!(tests(&mut Command::new("false")).unwrap().tally.failed, 1);
    }
}
