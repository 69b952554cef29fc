//! Engines that do not say who has which address: nothing is taken for free then.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Output;
use std::thread;

use serde_json::{Value, json};

use crate::daemon::Folder;

fn adopt(folder: &Folder, socket: &Path) -> Output {
    let mut command = folder.ipvland();
    command.args(["adopt", "--dry-run", "--output", "json", "--engine-socket"]).arg(socket);
    command.arg("--cni-dir").arg(folder.path().join("cni")).output().unwrap()
}

/// An engine that answers each path with what is said of it here, and all others with 404.
pub(crate) fn engine(socket: &Path, answers: Vec<(&'static str, String)>) {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut request = [0; 200];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let known = answers.iter().find(|(known, _)| *known == path);
            let answer = known.map_or("HTTP/1.0 404 Not Found\r\n\r\n{}", |(_, answer)| answer);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
}

pub(crate) fn ok(body: &Value) -> String {
    format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}")
}

#[track_caller]
fn refused(folder: &Folder, socket: &Path, cause: &str) {
    let output = adopt(folder, socket);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{said}");
    let expected = format!("error: the engine at {} does not tell which addresses", socket.display());
    assert!(said.starts_with(&expected) && said.contains(cause), "{cause} was expected in: {said}");
}

#[test]
fn an_engine_that_is_not_there_has_nothing_to_tell() {
    let folder = Folder::new();
    let output = adopt(&folder, &folder.path().join("none.sock"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn an_engine_that_does_not_answer_is_an_error() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    drop(UnixListener::bind(at("dead.sock")).unwrap());
    refused(&folder, &at("dead.sock"), "Connection refused");
    let _silent = UnixListener::bind(at("silent.sock")).unwrap();
    refused(&folder, &at("silent.sock"), "the engine's answer");
}

#[test]
fn an_engine_that_cannot_be_understood_is_an_error() {
    let folder = Folder::new();
    let network = |address: &str| {
        let containers = json!({ "4e5f": { "Name": "web", "IPv4Address": address, "IPv6Address": "" } });
        json!({ "Name": "lan", "Id": "3f1e", "Driver": "weave", "IPAM": { "Config": null }, "Containers": containers })
    };
    let version = || ("/version", ok(&json!({ "Components": [{ "Name": "Podman Engine" }] })));
    let list = |network: &Value| ("/networks", ok(&json!([network])));
    let check = |name: &str, answers: Vec<(&'static str, String)>, cause: &str| {
        let socket = folder.path().join(name);
        engine(&socket, answers);
        refused(&folder, &socket, cause);
    };
    check("mute.sock", vec![], "the engine does not tell its version");
    check("garbage.sock", vec![("/version", "\u{1b}[2J".into())], "the engine's answer is no HTTP");
    check("failing.sock", vec![("/version", "HTTP/1.0 500 \u{1b}\r\n\r\n{}".into())], r"HTTP/1.0 500 \x1b");
    check("half.sock", vec![version(), ("/networks", "HTTP/1.0 200 OK\r\n\r\n[{\"Id\":".into())], "the engine's list");
    let odd = network("192.0.2");
    check("odd.sock", vec![version(), list(&odd), ("/networks/3f1e", ok(&odd))], "`192.0.2` is no address");
    let mut forged = network("192.0.2.5/24");
    forged["Id"] = json!("3f1e HTTP/1.0\r\n");
    check("forged.sock", vec![version(), list(&forged)], "is no id");

    // And one that can; a network that is gone meanwhile is none.
    let socket = folder.path().join("good.sock");
    let mut gone = network("192.0.2.6/24");
    gone["Id"] = json!("gone");
    let good = network("192.0.2.5/24");
    engine(&socket, vec![version(), ("/networks", ok(&json!([gone, good]))), ("/networks/3f1e", ok(&good))]);
    let output = adopt(&folder, &socket);
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let told: Vec<&Value> = told.iter().filter(|it| it["holder"].as_str().unwrap().contains("Podman")).collect();
    assert_eq!(
        told,
        [&json!({ "address": "192.0.2.5", "entry": "new", "holder": "container web on Podman's network lan" })]
    );
}
