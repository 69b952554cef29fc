//! The command line, as far as it gets without a network.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::daemon::Folder;

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    folder.ipvland().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn on_an_empty_host_all_is_well() {
    let folder = Folder::new();
    let status = run(&folder, &["status"]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    assert!(stdout(&status).starts_with("kernel "), "{status:?}");
    let json: Value = serde_json::from_slice(&run(&folder, &["status", "--output", "json"]).stdout).unwrap();
    assert_eq!((&json["faults"], &json["networks"], &json["generation"]), (&json!([]), &json!([]), &json!(0)));
    assert_eq!(stdout(&run(&folder, &["network", "ls", "-o", "json"])), "[]\n");
    for repair in [&["repair"][..], &["repair", "--dry-run"]] {
        let output = run(&folder, repair);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "nothing to repair\n"));
    }
    assert_eq!(stdout(&run(&folder, &["repair", "--output", "json"])), "[]\n");
}

#[test]
fn an_error_says_what_to_do() {
    let folder = Folder::new();
    for command in ["inspect", "forget"] {
        let output = run(&folder, &["network", command, "3f2a"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "error: there is no network 3f2a\nhint: `ipvland network ls` lists those there are\n"
        );
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn a_cause_is_told() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("state"), "a file where a folder should be").unwrap();
    let output = run(&folder, &["status"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.starts_with("error: the ledger ") && said.contains("\n  because: "), "{said}");
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    let folder = Folder::new();
    for arguments in [&["nothing"][..], &[], &["network", "inspect"], &["status", "--output", "xml"]] {
        assert_eq!(run(&folder, arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_teaches() {
    let folder = Folder::new();
    let help = stdout(&run(&folder, &["--help"]));
    for part in ["docker network create -d ipvland", "Exit status", "/var/lib/ipvland", "IPVLAND_LOG"] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}

#[test]
fn every_command_has_a_manual_page_with_examples() {
    let folder = Folder::new();
    let output = run(&folder, &["man", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let commands = ["serve", "status", "doctor", "repair", "adopt", "attach", "detach", "removable", "completions"];
    let of_networks = ["network-create", "network-rm", "network-ls", "network-inspect", "network-forget"];
    let below = commands.into_iter().chain(of_networks).map(|command| format!("ipvland-{command}.8"));
    for page in below.chain(["ipvland.8".into()]) {
        let text = std::fs::read_to_string(folder.path().join(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        for section in [".TH", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXAMPLES"] {
            assert!(text.contains(section), "{page} has no {section}:\n{text}");
        }
    }
    let nowhere = run(&folder, &["man", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).starts_with("error: the manual cannot be written to /nowhere\n"), "{nowhere:?}");
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(&Folder::new(), &["completions", shell]));
        for word in ["inspect", "dry-run", "removable", "doctor", "attach", "detach", "aux-address", "netns"] {
            assert!(script.contains(word), "{shell}: no {word} in\n{script}");
        }
        if let Ok(read) = Command::new(shell).args(["-n", "-c", &script]).output() {
            assert!(read.status.success(), "{shell} does not read it: {read:?}");
        }
    }
}

#[test]
fn without_networks_it_is_removable() {
    let output = run(&Folder::new(), &["removable"]);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "no network is on record; ipvland can be removed\n")
    );
}

#[test]
fn the_version_names_the_commit() {
    let version = stdout(&run(&Folder::new(), &["--version"]));
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let commit = if checkout.join(".git").exists() {
        let git = Command::new("git").args(["show", "--no-patch", "--abbrev=12", "--format=%h %cs"]).output().unwrap();
        stdout(&git).trim().to_owned()
    } else {
        "commit unknown, built without git".to_owned()
    };
    assert_eq!(version, format!("ipvland {} ({commit})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn whoever_stops_reading_has_what_it_wanted() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = folder.ipvland().arg("status").stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}
