//! What the releases have shown, from one part of the full extent to the next: what was printed, by commit and release.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::lab::checkout;
use crate::tally::{self, Results};

/// What a release prints. Kept at its end: one that was cut off has shown nothing.
pub(crate) struct Record {
    path: PathBuf,
    lines: Vec<String>,
}

impl Record {
    /// Of a release, on the commit as it is.
    pub(crate) fn of(release: &str) -> Result<Self> {
        Ok(Self { path: path(release)?, lines: Vec::new() })
    }

    pub(crate) fn note(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    pub(crate) fn keep(self) -> Result<()> {
        let folder = self.path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let write = || {
            let mut file = BufWriter::new(File::create(&self.path)?);
            self.lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            file.flush()
        };
        write().with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// What these releases have shown on the commit as it is, if all of them have run on it.
pub(crate) fn read(releases: &[&str]) -> Result<Option<Vec<Results>>> {
    let mut all = Vec::new();
    for release in releases {
        let path = path(release)?;
        if !path.exists() {
            return Ok(None);
        }
        let file = File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        all.push(tally::read(file)?);
    }
    Ok(Some(all))
}

fn path(release: &str) -> Result<PathBuf> {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(checkout()).output();
    let output = output.context("git does not run")?;
    ensure!(output.status.success(), "git does not tell the commit");
    let commit = String::from_utf8(output.stdout).context("a commit is no text")?;
    Ok(checkout().join("target/test-full").join(commit.trim()).join(format!("{release}.log")))
}
