//! Cargo, asked to build and to say what it built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// What a build made.
pub(crate) struct Built {
    executables: Vec<(String, PathBuf)>,
}

impl Built {
    /// The executable of the target of that name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(crate) fn executable(&self, target: &str) -> Result<&Path> {
        let found: Vec<&PathBuf> =
            self.executables.iter().filter(|(name, _)| name == target).map(|(_, path)| path).collect();
        ensure!(found.len() == 1, "one `{target}` was to be built, and {} were", found.len());
        Ok(found[0])
    }
}

/// Builds, with cargo's own account of it on stderr.
///
/// # Errors
/// When that fails.
pub(crate) fn build(arguments: &[&str]) -> Result<Built> {
    let output = cargo(arguments)
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo does not run")?;
    ensure!(output.status.success(), "`cargo {}` failed", arguments.join(" "));
    let messages = String::from_utf8(output.stdout).context("cargo says what is no text")?;
    let mut executables = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("cargo says what is no JSON")?;
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            executables.push((name.to_owned(), path.into()));
        }
    }
    Ok(Built { executables })
}
