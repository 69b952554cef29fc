//! `docs/engines.md`: what each engine does in each scenario, as the runs have shown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use crate::lab::checkout;
use crate::tally::{Outcome, Results};

const FILE: &str = "docs/engines.md";

const HEAD: &str = "\
# Engines

What the engines of each Debian release do in each scenario of `tests/`, one file of it a heading. `make test-full` writes this page from
what it saw, and fails when it saw something else than the page said.

- **passes**: the engine and the driver do it.
- **refused**: the driver does not do it there, and says so; the sentence is below.
- **cannot**: the engine does not do it, whatever the driver does; the reason is below.
";

/// Compares what the runs have shown with the committed page, and writes the new one where they differ.
///
/// Gives whether they agree.
pub(crate) fn agree_with(runs: &[Results]) -> Result<bool> {
    let path = checkout().join(FILE);
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let seen = page(runs);
    if seen == committed {
        return Ok(true);
    }
    fs::write(&path, seen).with_context(|| format!("{FILE} cannot be written"))?;
    println!("{FILE} said something else than what was seen; it is rewritten: `git diff {FILE}` shows where");
    Ok(false)
}

fn page(runs: &[Results]) -> String {
    // By capability, then by scenario: what each run has to say.
    let mut capabilities: BTreeMap<&str, BTreeMap<&str, Vec<Option<&Outcome>>>> = BTreeMap::new();
    for (column, run) in runs.iter().enumerate() {
        for (name, outcome) in &run.tests {
            let (capability, scenario) = name.split_once("::").unwrap_or(("", name));
            let row = capabilities.entry(capability).or_default().entry(scenario);
            row.or_insert_with(|| vec![None; runs.len()])[column] = Some(outcome);
        }
    }
    let engines: Vec<&str> = runs.iter().map(|run| run.engine.as_deref().unwrap_or("no engine")).collect();
    let mut notes = Vec::new();
    let mut page = String::from(HEAD);
    for (capability, scenarios) in capabilities {
        let rule = "| --- ".repeat(engines.len() + 1);
        let _ = write!(page, "\n## {}\n\n| | {} |\n{rule}|\n", spaced(capability), engines.join(" | "));
        for (scenario, outcomes) in scenarios {
            let cells: Vec<String> = outcomes.into_iter().map(|outcome| cell(outcome, &mut notes)).collect();
            let _ = writeln!(page, "| {} | {} |", spaced(scenario), cells.join(" | "));
        }
    }
    if !notes.is_empty() {
        page.push_str("\n## Notes\n\n");
    }
    for (number, note) in (1..).zip(notes) {
        let _ = writeln!(page, "{number}. {note}");
    }
    page
}

fn spaced(name: &str) -> String {
    name.replace("::", ": ").replace('_', " ")
}

fn cell<'r>(outcome: Option<&'r Outcome>, notes: &mut Vec<&'r str>) -> String {
    let mut note = |text: &'r str| {
        let known = notes.iter().position(|note| *note == text);
        known.unwrap_or_else(|| {
            notes.push(text);
            notes.len() - 1
        }) + 1
    };
    match outcome {
        None => "not run".into(),
        Some(Outcome::Passed) => "passes".into(),
        Some(Outcome::Failed) => "**fails**".into(),
        Some(Outcome::Refused(sentence)) => format!("refused ({})", note(sentence)),
        Some(Outcome::Skipped(reason)) => format!("cannot ({})", note(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(engine: &str, outcomes: &[(&str, Outcome)]) -> Results {
        let tests = outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), outcome.clone())).collect();
        Results { engine: Some(engine.to_owned()), tests, ..Results::default() }
    }

    #[test]
    fn a_row_tells_of_a_scenario_and_a_column_of_an_engine() {
        let lacking = || Outcome::Skipped("it is too old".into());
        let old = [("l2::one", Outcome::Passed), ("l2::the_other", lacking()), ("mtu::part::any", lacking())];
        let new = [("l2::the_other", Outcome::Refused("leave it out".into())), ("mtu::part::any", Outcome::Failed)];
        let page = page(&[run("Docker 20.10", &old), run("Docker 28.5", &new)]);
        let expected = "
## l2

| | Docker 20.10 | Docker 28.5 |
| --- | --- | --- |
| one | passes | not run |
| the other | cannot (1) | refused (2) |

## mtu

| | Docker 20.10 | Docker 28.5 |
| --- | --- | --- |
| part: any | cannot (1) | **fails** |

## Notes

1. it is too old
2. leave it out
";
        assert_eq!(page.strip_prefix(HEAD), Some(expected));
    }
}
