//! Bodies that no engine should send: a clear error, and no change.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::daemon::Daemon;

/// Every call that takes a body, with one that it takes.
fn calls() -> Vec<(&'static str, Value)> {
    let network = json!({ "NetworkID": "net" });
    let ids = json!({ "NetworkID": "net", "EndpointID": "end" });
    let create_network = json!({
        "NetworkID": "net",
        "Options": { "com.docker.network.generic": { "parent": "eth0" } },
        "IPv4Data": [{ "AddressSpace": "LocalDefault", "Pool": "192.168.1.0/24" }],
        "IPv6Data": [],
    });
    let create_endpoint = json!({
        "NetworkID": "net",
        "EndpointID": "end",
        "Interface": { "Address": "192.168.1.5/24", "AddressIPv6": "", "MacAddress": "" },
        "Options": {},
    });
    let join = json!({ "NetworkID": "net", "EndpointID": "end", "SandboxKey": "/run/netns/none", "Options": {} });
    let news = json!({ "DiscoveryType": 1, "DiscoveryData": {} });
    vec![
        ("NetworkDriver.GwAllocCheck", json!({ "Options": {} })),
        ("NetworkDriver.AllocateNetwork", network.clone()),
        ("NetworkDriver.FreeNetwork", network.clone()),
        ("NetworkDriver.CreateNetwork", create_network),
        ("NetworkDriver.DeleteNetwork", network),
        ("NetworkDriver.CreateEndpoint", create_endpoint),
        ("NetworkDriver.DeleteEndpoint", ids.clone()),
        ("NetworkDriver.EndpointOperInfo", ids.clone()),
        ("NetworkDriver.Join", join),
        ("NetworkDriver.Leave", ids.clone()),
        ("NetworkDriver.ProgramExternalConnectivity", ids.clone()),
        ("NetworkDriver.RevokeExternalConnectivity", ids),
        ("NetworkDriver.DiscoverNew", news.clone()),
        ("NetworkDriver.DiscoverDelete", news),
    ]
}

#[test]
fn broken_bodies_are_refused_by_every_call() {
    let mut daemon = Daemon::start();
    let deep = [b"{\"NetworkID\":".to_vec(), b"[".repeat(10_000)].concat();
    let bodies: [&[u8]; 11] = [
        b"",
        b" ",
        b"{",
        b"null",
        b"7",
        b"\"net\"",
        b"[]",
        b"[\"net\",\"end\",{},{}]",
        b"{}",
        b"{\"NetworkID\":\"\xff\xfe\",\"EndpointID\":\"end\",\"Options\":\"\xff\",\"DiscoveryType\":\"\xff\"}",
        &deep,
    ];
    for (method, _) in calls() {
        for body in bodies {
            assert_eq!(daemon.refuse(method, body).0, 400, "{method} {}", String::from_utf8_lossy(body));
        }
    }
    assert!(daemon.runs());
}

#[test]
fn fields_of_another_type_are_refused_by_every_call() {
    let daemon = Daemon::start();
    for (method, body) in calls() {
        // What these two are is nobody's concern here.
        let concerns = |field: &&String| {
            *field != "DiscoveryData" && (method, field.as_str()) != ("NetworkDriver.Join", "Options")
        };
        let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        for field in fields.iter().filter(concerns) {
            let mut body = body.clone();
            body[field] = json!([[7]]);
            let (status, sentence) = daemon.refuse(method, body.to_string());
            assert_eq!(status, 400, "{method} {body}: {sentence}");
        }
    }
}

#[test]
fn a_body_that_is_cut_off_is_refused_wherever_that_is() {
    let daemon = Daemon::start();
    for (method, body) in calls() {
        let body = body.to_string();
        for end in 0..body.len() {
            daemon.refuse(method, &body[..end]);
        }
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let mut daemon = Daemon::start();
    for length in [(1 << 20) + 1, 8 << 20] {
        let body = format!(r#"{{"NetworkID":"{}"}}"#, "x".repeat(length));
        let (status, sentence) = daemon.refuse("NetworkDriver.DeleteNetwork", body);
        assert_eq!(status, 413);
        assert!(sentence.contains("at most 1048576 bytes"), "{sentence}");
    }
    // Below the limit the field itself is too long, and the sentence does not repeat all of it.
    let (status, sentence) =
        daemon.refuse("NetworkDriver.DeleteNetwork", format!(r#"{{"NetworkID":"{}"}}"#, "x".repeat(1 << 19)));
    assert!(status == 400 && sentence.len() < 400, "{status} {sentence}");
    assert!(daemon.runs());
}

#[test]
fn arbitrary_bytes_never_succeed_and_never_kill() {
    let mut daemon = Daemon::start();
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let calls = calls();
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        // Closer to JSON, so that more of it gets past the first byte.
        r#"[\[\]{}:,"0-9a-z\\ ]{0,60}"#.prop_map(String::into_bytes),
        (0..calls.len(), any::<prop::sample::Index>(), any::<u8>()).prop_map({
            let calls = calls.clone();
            move |(call, at, byte)| {
                let mut body = calls[call].1.to_string().into_bytes();
                // Those below tab are valid nowhere in JSON.
                let at = at.index(body.len());
                body.splice(at..at, [byte & 7]);
                body
            }
        }),
    ];
    let outcome = runner.run(&(0..calls.len(), body), |(call, body)| {
        let reply = daemon.post(calls[call].0, &body);
        prop_assert!(reply.status != 200 && reply.sentence().is_some(), "{} {body:?}: {reply:?}", calls[call].0);
        Ok(())
    });
    outcome.unwrap();
    assert!(daemon.runs());
    let (_, log) = daemon.end("TERM");
    assert!(!log.contains("panic"), "{log}");
}
