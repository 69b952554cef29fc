//! The dependency direction of ARCHITECTURE.md, kept by a machine: `model <- store`, `model <- kernel`,
//! `{model, store, kernel} <- engine <- ipvland`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each crate may use of ours, for itself, for its build and for its tests.
const OURS: [(&str, &[&str]); 9] = [
    ("killpoint", &[]),
    ("model", &[]),
    ("store", &["killpoint", "model"]),
    ("kernel", &["killpoint", "model"]),
    ("engine", &["model", "store", "kernel"]),
    ("ipvland", &["engine", "model"]),
    ("benches", &["model", "store"]),
    ("end-to-end", &[]),
    ("xtask", &[]),
];

/// What the pure crate may use of others: nothing that reads a file, a socket or a clock.
const PURE: [&str; 5] = ["humantime", "ipnet", "sha2", "strsim", "thiserror"];

/// Crates of others that one of ours keeps to itself, and whose it is.
const KEPT: [(&str, &[&str]); 4] = [
    ("ipvland", &["axum", "clap", "hyper", "sd-notify", "serde", "tokio", "tower", "tracing-subscriber"]),
    ("kernel", &["netlink-packet-core", "netlink-packet-route", "netlink-sys", "rtnetlink"]),
    ("kernel", &["rustix", "libc", "nix"]),
    ("store", &["rusqlite", "libsqlite3-sys"]),
];

/// Those that are not part of the product: what they use never gets into it.
const TOOLS: [&str; 4] = ["benches", "end-to-end", "killpoint", "xtask"];

/// What a crate uses, and which of it only its tests do.
struct Uses {
    all: BTreeSet<String>,
    product: BTreeSet<String>,
}

fn workspace() -> BTreeMap<String, Uses> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--no-deps"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let uses = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        let product = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
        Uses { all: dependencies.iter().map(name).collect(), product: product.map(name).collect() }
    };
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), uses(package))).collect()
}

#[test]
fn every_crate_uses_only_what_is_below_it() {
    let workspace = workspace();
    let known: BTreeSet<&str> = OURS.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = workspace.keys().map(String::as_str).collect();
    assert_eq!(there, known, "a new crate needs its place in ARCHITECTURE.md and in this test");
    for (name, below) in OURS {
        let ours = workspace[name].all.iter().map(String::as_str).filter(|used| known.contains(used));
        let above: Vec<&str> = ours.filter(|used| !below.contains(used)).collect();
        assert_eq!(above, [""; 0], "{name} may use {below:?} only");
    }
}

#[test]
fn the_model_uses_nothing_that_does_input_or_output() {
    let impure: Vec<String> =
        workspace()["model"].product.iter().filter(|used| !PURE.contains(&used.as_str())).cloned().collect();
    assert_eq!(impure, [""; 0]);
    let banned = [
        "std::env",
        "std::fs",
        "std::io",
        "std::os",
        "std::path",
        "std::process",
        "std::thread",
        "Instant",
        "now()",
        "TcpStream",
        "UdpSocket",
        "println!",
    ];
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/model/src")).unwrap() {
        let path = file.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<&str> = code.filter(|line| banned.iter().any(|word| line.contains(word))).collect();
        assert_eq!(found, [""; 0], "{}", path.display());
    }
}

#[test]
fn runtime_netlink_and_database_each_stay_in_one_crate() {
    for (name, uses) in workspace().iter().filter(|(name, _)| !TOOLS.contains(&name.as_str())) {
        for (keeper, kept) in KEPT.iter().filter(|(keeper, _)| keeper != name) {
            let taken: Vec<&String> = uses.product.iter().filter(|used| kept.contains(&used.as_str())).collect();
            assert!(taken.is_empty(), "{name} uses {taken:?}, which {keeper} keeps to itself");
        }
    }
}
