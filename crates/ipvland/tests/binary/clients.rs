//! Clients that take their time, and too many of them: the one that is in earnest gets its answer.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::json;

use crate::daemon::{Daemon, Folder};

/// Half of a request, and never more.
const SLOW: [&[u8]; 3] = [b"", b"POST /Plugin.Act", b"POST /Plugin.Activate HTTP/1.1\r\nHost: docker\r\n"];

#[test]
fn a_request_is_answered_beside_a_thousand_that_never_come() {
    let mut daemon = Daemon::start();
    let open = |number: usize| {
        let mut stream = UnixStream::connect(daemon.folder().socket()).unwrap();
        let _ = stream.write_all(SLOW[number % SLOW.len()]);
        stream
    };
    let idle: Vec<UnixStream> = (0..1000).map(open).collect();
    assert_eq!(daemon.call("NetworkDriver.GetCapabilities", &json!(null))["Scope"], "local");
    drop(idle);
    assert!(daemon.runs());
}

#[test]
fn a_request_is_answered_by_a_daemon_that_may_have_few_files_open() {
    let folder = Folder::new();
    let serve = folder.serve_by(r#"ulimit -n 64; exec "$0" "$@""#);
    let mut daemon = Daemon::spawn(folder, serve);
    let idle: Vec<UnixStream> = (0..200).map(|_| UnixStream::connect(daemon.folder().socket()).unwrap()).collect();
    for _ in 0..50 {
        // This one opens the ledger, and a lock.
        daemon.call("NetworkDriver.DeleteNetwork", &json!({ "NetworkID": "net" }));
    }
    drop(idle);
    let (_, log) = daemon.end("TERM");
    assert!(!log.contains("Too many open files"), "{log}");
}

#[test]
fn whoever_is_slow_is_hung_up_on() {
    let daemon = Daemon::start();
    for beginning in SLOW {
        let mut stream = UnixStream::connect(daemon.folder().socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(beginning).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the other end hangs up, and not this one");
    }
}

#[test]
fn a_gigabyte_is_not_waited_for() {
    let mut daemon = Daemon::start();
    let mut stream = UnixStream::connect(daemon.folder().socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "POST /NetworkDriver.CreateNetwork HTTP/1.1\r\nHost: docker\r\nContent-Length: 1073741824\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(&[b' '; 1 << 16]);
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    assert!(daemon.runs());
}
