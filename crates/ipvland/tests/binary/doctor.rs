//! `ipvland doctor`, as far as it gets on whatever host this is.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::adopt::{engine, ok};
use crate::daemon::{Daemon, Folder};

fn doctor(folder: &Folder, engine: &Path, arguments: &[&str]) -> Output {
    let mut command = folder.ipvland();
    command.arg("doctor").arg("--engine-socket").arg(engine).arg("--socket").arg(folder.socket());
    command.args(arguments).output().unwrap()
}

/// What is found about something.
fn found(output: &Output, about: &str) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["about"] == about).cloned().collect()
}

#[test]
fn a_host_is_looked_at_and_nothing_is_made() {
    let folder = Folder::new();
    let none = folder.path().join("none.sock");
    let output = doctor(&folder, &none, &["--output", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(report["engines"], json!([]), "one that is not there is passed over");
    assert!(found(&output, "socket").is_empty(), "without Docker nobody needs it");
    let faults = report["findings"].as_array().unwrap().iter().any(|finding| finding["severity"] == "fault");
    assert_eq!(output.status.code(), Some(if faults { 3 } else { 0 }));
    let table = String::from_utf8(doctor(&folder, &none, &[]).stdout).unwrap();
    assert!(table.starts_with("kernel ") && table.contains("\nParents\n") && table.contains("\nFindings\n"), "{table}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "neither ledger nor locks");
}

#[test]
fn an_engine_with_a_fault_is_named() {
    let folder = Folder::new();
    let socket = folder.path().join("docker.sock");
    let version = json!({ "Version": "29.0.1", "Components": [{ "Name": "Engine" }] });
    engine(&socket, vec![("/version", ok(&version))]);
    let output = doctor(&folder, &socket, &["--output", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let expected = json!({
        "severity": "fault", "about": "Docker 29.0.1", "remedy": "install 29.0.3 or newer",
        "sentence": "Docker 29.0.1 crashes when a container leaves a network whose driver is a plugin",
    });
    assert_eq!(found(&output, "Docker 29.0.1"), [expected]);
    assert_eq!(found(&output, "socket")[0]["severity"], "warning", "there is no daemon");

    let daemon = Daemon::start_in(folder);
    let output = doctor(daemon.folder(), &socket, &["--output", "json"]);
    let told =
        found(&output, "socket").iter().all(|finding| finding["sentence"].as_str().unwrap().contains("next boot"));
    assert!(told, "a daemon listens: {output:?}");
}

#[test]
fn an_engine_that_does_not_answer_is_told_of() {
    let folder = Folder::new();
    let socket = folder.path().join("dead.sock");
    drop(UnixListener::bind(&socket).unwrap());
    let about = socket.display().to_string();
    let told = found(&doctor(&folder, &socket, &["--output", "json"]), &about);
    assert_eq!(told[0]["severity"], "warning");
    assert!(told[0]["sentence"].as_str().unwrap().contains("Connection refused"), "{told:?}");
}

#[test]
fn a_ledger_that_cannot_be_opened_is_a_finding_among_others() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    std::fs::create_dir(folder.path().join("state/ledger.db")).unwrap();
    let output = doctor(&folder, &folder.path().join("none.sock"), &["--output", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let told = found(&output, "ledger").iter().any(|finding| finding["severity"] == "fault");
    assert!(told, "{output:?}");
}
