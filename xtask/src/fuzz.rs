//! `cargo xtask fuzz`: broken bytes for every parser, for as long as wanted.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::cargo::cargo;
use crate::lab::checkout;

/// The release of cargo-fuzz that drives the targets.
const CARGO_FUZZ: &str = "0.13.2";

/// Runs one target, or each in turn, for so many seconds, from the corpus that the tests replay. What makes one fail lies in
/// `fuzz/artifacts`, and belongs into the corpus once it is mended; what else is found stays in `target/fuzz`.
pub(crate) fn run(target: Option<String>, seconds: u32) -> Result<ExitCode> {
    let tools = checkout().join("target/tools");
    let root = tools.to_str().context("the checkout's path is no text")?;
    let install = ["install", "--quiet", "--locked", "--root", root, "--version", CARGO_FUZZ, "cargo-fuzz"];
    ensure!(cargo(&install).status()?.success(), "cargo-fuzz could not be installed");
    let targets = target.map_or_else(targets, |target| Ok(vec![target]))?;
    for target in targets {
        println!("{target}: {seconds} s");
        let found = checkout().join("target/fuzz").join(&target);
        fs::create_dir_all(&found).with_context(|| format!("{} cannot be made", found.display()))?;
        // The sanitizers want a nightly compiler, and there is no unsafe code in what is run here.
        let status = Command::new(tools.join("bin/cargo-fuzz"))
            .args(["run", "--sanitizer", "none", &target])
            .args([&found, &checkout().join("fuzz/corpus").join(&target)])
            .arg("--")
            .args([format!("-max_total_time={seconds}"), "-max_len=4096".into(), "-print_final_stats=1".into()])
            .current_dir(checkout())
            .status()
            .context("cargo-fuzz does not run")?;
        ensure!(status.success(), "`{target}` failed; fuzz/artifacts/{target} has the input");
    }
    Ok(ExitCode::SUCCESS)
}

fn targets() -> Result<Vec<String>> {
    let folder: &Path = &checkout().join("fuzz/fuzz_targets");
    let name = |file: fs::DirEntry| file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let files = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut names: Vec<String> = files.flatten().filter_map(name).collect();
    names.sort();
    Ok(names)
}
