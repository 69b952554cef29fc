//! Cargo, asked to build and to say what it built.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Builds, and returns the one executable that bears `name`.
pub(crate) fn executable(arguments: &[&str], name: &str) -> Result<PathBuf> {
    let output = cargo(arguments)
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo does not run")?;
    ensure!(output.status.success(), "`cargo {}` failed", arguments.join(" "));
    let messages = String::from_utf8(output.stdout).context("cargo says what is no text")?;
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("cargo says what is no JSON")?;
        if message["target"]["name"] == name
            && let Some(path) = message["executable"].as_str()
        {
            return Ok(path.into());
        }
    }
    bail!("`cargo {}` built no `{name}`", arguments.join(" "))
}
