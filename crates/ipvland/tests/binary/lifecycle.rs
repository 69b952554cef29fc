//! How the daemon comes and goes.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::json;

use crate::daemon::{Daemon, Folder, LIMIT, parse};

#[test]
fn it_ends_when_told_to_and_takes_its_socket_along() {
    for signal in ["TERM", "INT"] {
        let mut daemon = Daemon::start();
        let (status, log) = daemon.end(signal);
        assert!(status.success() && log.ends_with("stopped\n"), "{status} {log}");
        assert!(!daemon.folder().socket().exists());
    }
}

#[test]
fn a_request_on_the_way_is_answered_before_it_ends() {
    let mut daemon = Daemon::start();
    let mut stream = UnixStream::connect(daemon.folder().socket()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let body = br#"{"NetworkID":"net"}"#;
    let head = format!(
        "POST /NetworkDriver.DeleteNetwork HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The daemon asks for the body once the call is at work: only then is the request on the way for sure.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    daemon.signal("TERM");
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(parse(&answer).unwrap().status, 200, "{answer}");
    assert!(daemon.wait().success());
}

#[test]
fn after_a_kill_the_next_one_replaces_the_socket() {
    let mut daemon = Daemon::start();
    daemon.call("NetworkDriver.DeleteNetwork", &json!({ "NetworkID": "net" }));
    daemon.post("Plugin.Activate", "");
    let generation = daemon.generation();
    daemon.end("KILL");
    assert!(daemon.folder().socket().exists(), "a killed daemon leaves it");
    let daemon = Daemon::start_in(Arc::clone(daemon.folder()));
    assert_eq!(daemon.post("NetworkDriver.GetCapabilities", "").status, 200);
    assert_eq!(daemon.generation(), generation, "a plugin that starts again is the same life of its engine");
}

#[test]
fn a_second_one_on_the_same_socket_is_refused() {
    let mut daemon = Daemon::start();
    let second = daemon.folder().serve().output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("error: cannot listen on") && said.contains("another process serves it"), "{said}");
    assert!(daemon.runs());
    assert_eq!(daemon.post("NetworkDriver.GetCapabilities", "").status, 200);
}

#[test]
fn a_socket_from_systemd_is_used_and_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("plugins")).unwrap();
    let listener = UnixListener::bind(folder.socket()).unwrap();
    // The descriptor comes as stdin and goes on as the first that systemd passes: 3.
    let mut serve = folder.serve_by(r#"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&0"#);
    serve.stdin(Stdio::from(OwnedFd::from(listener)));
    let mut daemon = Daemon::spawn(folder, serve);
    assert_eq!(daemon.post("NetworkDriver.GetCapabilities", "").status, 200);
    let (status, log) = daemon.end("TERM");
    assert!(status.success() && log.contains("socket=systemd's"), "{status} {log}");
    assert!(daemon.folder().socket().exists(), "it is systemd's");
}

#[test]
fn systemd_is_told_when_it_is_ready() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(LIMIT)).unwrap();
    let mut serve = folder.serve();
    serve.env("NOTIFY_SOCKET", &path);
    let daemon = Daemon::spawn(folder, serve);
    let told = || {
        let mut text = [0; 100];
        let length = systemd.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    assert_eq!(told(), "READY=1");
    daemon.signal("TERM");
    assert_eq!(told(), "STOPPING=1");
}

/// An empty database of one page that says it is of that version (<https://sqlite.org/fileformat2.html>).
fn ledger_of_version(version: u32) -> Vec<u8> {
    let mut page = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"SQLite format 3\0");
    // Its page size, the version of its format, and fractions that are always these.
    put(16, &[2, 0, 1, 1, 0, 64, 32, 32]);
    // One page, after one change; the format of its schema, and its text in UTF-8.
    put(24, &[0, 0, 0, 1, 0, 0, 0, 1]);
    put(44, &[0, 0, 0, 4]);
    put(56, &[0, 0, 0, 1]);
    put(60, &version.to_be_bytes());
    put(92, &[0, 0, 0, 1]);
    // A table without rows, which begins to grow at the end of the page.
    put(100, &[13, 0, 0, 0, 0, 2, 0, 0]);
    page
}

#[test]
fn a_ledger_of_a_later_version_is_left_alone_and_every_call_says_so() {
    let folder = Folder::new();
    let ledger = folder.path().join("state/ledger.db");
    std::fs::create_dir(folder.path().join("state")).unwrap();
    std::fs::write(&ledger, ledger_of_version(1000)).unwrap();
    let mut daemon = Daemon::start_in(folder);
    for method in ["CreateNetwork", "DeleteNetwork", "Join", "Leave"] {
        let (status, sentence) = daemon.refuse(&format!("NetworkDriver.{method}"), r#"{"NetworkID":"net"}"#);
        assert_eq!(status, 503, "{method}: {sentence}");
        assert!(
            sentence.contains("schema 1000") && sentence.contains("run the version of ipvland that wrote it"),
            "{sentence}"
        );
    }
    assert!(daemon.runs());

    std::fs::remove_file(&ledger).unwrap();
    daemon.call("NetworkDriver.DeleteNetwork", &json!({ "NetworkID": "net" }));
}

#[test]
fn without_a_ledger_it_stays_up_says_why_and_recovers() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    std::fs::write(&state, "a file where a folder should be").unwrap();
    let mut daemon = Daemon::start_in(folder);
    let reply = daemon.post("Plugin.Activate", "");
    assert_eq!((reply.status, reply.body), (200, json!({ "Implements": ["NetworkDriver", "IpamDriver"] })));
    assert_eq!(daemon.post("NetworkDriver.GetCapabilities", "").status, 200);
    for method in ["CreateNetwork", "DeleteNetwork", "Join", "Leave", "DiscoverNew", "GwAllocCheck"] {
        let (status, sentence) = daemon.refuse(&format!("NetworkDriver.{method}"), r#"{"NetworkID":"net"}"#);
        assert_eq!(status, 503, "{method}: {sentence}");
        assert!(sentence.contains("ledger") && sentence.contains(&*state.to_string_lossy()), "{sentence}");
    }
    assert!(daemon.runs());

    std::fs::remove_file(&state).unwrap();
    daemon.call("NetworkDriver.DeleteNetwork", &json!({ "NetworkID": "net" }));
    assert_eq!(daemon.generation(), 1, "the activation is not lost");
}
