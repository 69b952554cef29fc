//! The package's copyright file: whose work the program is made of, and under which licences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo::cargo;

/// What cargo does not know of: ipvland itself, what Rust brings along, the C library inside a crate.
const OWN: &str = "packaging/debian/copyright";

/// `packaging/debian/copyright`, and a paragraph for each crate that is linked into the program.
pub(crate) fn text(checkout: &Path) -> Result<String> {
    let mut metadata = cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()?]);
    let output = metadata.current_dir(checkout).output().context("cargo metadata does not run")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata prints JSON")?;

    let mut text = fs::read_to_string(checkout.join(OWN)).with_context(|| format!("{OWN} cannot be read"))?;
    for package in linked(&metadata) {
        text.push_str(&paragraph(package)?);
    }
    Ok(text)
}

/// What the compiler that builds the package builds for.
fn host() -> Result<String> {
    let said = std::process::Command::new("rustc").arg("-vV").output().context("rustc does not run")?;
    let said = String::from_utf8(said.stdout).context("rustc prints text")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

/// The crates of others that end up in the program, by name: not those that only build it or only test it.
fn linked(metadata: &Value) -> Vec<&Value> {
    let by_id =
        |list| -> BTreeMap<&str, &Value> { objects(list).map(|object| (word(&object["id"]), object)).collect() };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let is_macro = |id: &str| objects(&packages[id]["targets"]).any(|target| target["kind"][0] == "proc-macro");
    let is_linked = |needed: &&Value| objects(&needed["dep_kinds"]).any(|how| how["kind"].is_null());
    let program = packages.iter().filter(|(_, package)| package["name"] == "ipvland");
    let mut open: Vec<&str> = program.map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !is_macro(id) && seen.insert(id) {
            open.extend(objects(&nodes[id]["deps"]).filter(is_linked).map(|needed| word(&needed["pkg"])));
        }
    }
    let mut linked: Vec<&Value> = seen.into_iter().map(|id| packages[id]).collect();
    linked.retain(|package| package["source"].is_string());
    linked.sort_by_key(|package| (word(&package["name"]), word(&package["version"])));
    linked
}

/// Where the licence may be Apache's, it is that one, whose text is on every Debian system. Else the texts of the crate
/// are quoted.
fn paragraph(package: &Value) -> Result<String> {
    let (name, version) = (word(&package["name"]), word(&package["version"]));
    let licence = word(&package["license"]);
    let folder = Path::new(word(&package["manifest_path"])).parent().context("a manifest is in a folder")?;
    let texts = licence_texts(folder)?;
    let holders: Vec<&str> = texts.iter().flat_map(|text| text.lines()).filter_map(holder).collect();
    let holders = if holders.is_empty() { format!("the authors of {name}") } else { holders.join("\n ") };
    let mut paragraph = format!("\nFiles: {name}-{version}/*\nCopyright: {holders}\n");
    if licence.replace('/', " OR ").split(" OR ").any(|choice| choice == "Apache-2.0") {
        paragraph.push_str("License: Apache-2.0\n");
        return Ok(paragraph);
    }
    ensure!(!texts.is_empty(), "{name} is under {licence} and brings no text of it");
    writeln!(paragraph, "License: {licence}")?;
    for line in texts.join("\n\n").lines() {
        // An empty line would end the paragraph.
        writeln!(paragraph, " {}", if line.trim().is_empty() { "." } else { line.trim_end() })?;
    }
    Ok(paragraph)
}

/// The files of a crate that say what its licence is.
fn licence_texts(folder: &Path) -> Result<Vec<String>> {
    let unreadable = || format!("{} cannot be read", folder.display());
    let mut files = Vec::new();
    for file in fs::read_dir(folder).with_context(unreadable)? {
        let file = file.with_context(unreadable)?;
        let name = file.file_name().to_string_lossy().to_uppercase();
        if file.path().is_file()
            && ["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "NOTICE"].iter().any(|begins| name.starts_with(begins))
        {
            files.push(file.path());
        }
    }
    files.sort();
    files.into_iter().map(|file| fs::read_to_string(&file).with_context(unreadable)).collect()
}

/// Who a line says has the copyright: `(c) 2015 Somebody`.
fn holder(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Copyright ")?.trim();
    let begins = rest.chars().next()?;
    (begins == '(' || begins == '©' || begins.is_ascii_digit() || begins.is_uppercase()).then_some(rest)
}

fn objects(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_told_from_talk_of_them() {
        assert_eq!(holder("Copyright (c) 2015 Andrew Gallant"), Some("(c) 2015 Andrew Gallant"));
        assert_eq!(holder("Copyright 2023 The Authors"), Some("2023 The Authors"));
        for talk in ["The above copyright notice", "   Copyright [yyyy] [name of copyright owner]", "Copyright notice"]
        {
            assert_eq!(holder(talk), None, "{talk}");
        }
    }

    #[test]
    fn what_is_linked_is_named_and_what_builds_or_tests_it_is_not() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = text(checkout).unwrap();
        let names = |part: &str| text.contains(&format!("\nFiles: {part}"));
        assert_eq!([names("serde-1"), names("tokio-1"), names("rusqlite-0")], [true; 3]);
        assert_eq!([names("serde_derive-1"), names("proptest-1"), names("cc-1")], [false; 3]);
        assert!(!text.contains("\n\n\n"), "a paragraph is empty");
    }
}
