//! Commands, as a person would type them, and waiting for what they lead to.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take that is waited for. The lab's processor is emulated.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a command that must succeed, and gives what it printed. White space separates the words.
#[track_caller]
pub(crate) fn run(command: &str) -> String {
    attempt(command).unwrap_or_else(|error| panic!("`{command}` failed: {error}"))
}

/// Runs a command: what it printed, or what it complained about.
#[track_caller]
pub(crate) fn attempt(command: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command has a first word");
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{program}` cannot be run: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{} {} ({})", text(&output.stderr), text(&output.stdout), output.status))
    }
}

/// The commands of a page's first example, as they are typed: root needs no `sudo`.
#[track_caller]
pub(crate) fn documented(page: &str) -> Vec<String> {
    documented_under(page, "# ")
}

/// The same of the first example under a heading.
#[track_caller]
pub(crate) fn documented_under(page: &str, heading: &str) -> Vec<String> {
    let lines = example(page, heading, "console").replace(" \\\n", " ");
    let typed = lines.lines().filter_map(|line| line.strip_prefix("$ "));
    typed.map(|command| command.strip_prefix("sudo ").unwrap_or(command).to_owned()).collect()
}

/// The first example of a kind under a heading of a page.
#[track_caller]
pub(crate) fn example(page: &str, heading: &str, kind: &str) -> String {
    let text = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{page}: {error}"));
    let under = text.split_once(heading).and_then(|(_, rest)| rest.split_once(&format!("```{kind}\n")));
    let example = under.and_then(|(_, rest)| rest.split_once("```"));
    example.unwrap_or_else(|| panic!("{page} has no example under {heading}")).0.to_owned()
}

/// Waits until something is so, and fails when it is not in time.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {LIMIT:?} in vain until {what}");
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that polls, between two looks at the condition")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
