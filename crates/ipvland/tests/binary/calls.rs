//! Calls that are answered without a change of the kernel.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::daemon::{Daemon, request};

fn create_network(id: &str, options: &Value) -> Value {
    json!({
        "NetworkID": id,
        "Options": { "com.docker.network.generic": options },
        "IPv4Data": [{ "AddressSpace": "LocalDefault", "Pool": "192.168.1.0/24", "Gateway": "192.168.1.1/24" }],
        "IPv6Data": null,
    })
}

fn create_endpoint(mac: &str, options: &Value) -> Value {
    json!({
        "NetworkID": "net",
        "EndpointID": "end",
        "Interface": { "Address": "192.168.1.5/24", "AddressIPv6": "", "MacAddress": mac },
        "Options": options,
    })
}

#[test]
fn the_driver_says_what_it_is() {
    let daemon = Daemon::start();
    let reply = daemon.post("Plugin.Activate", "");
    assert_eq!((reply.status, reply.body), (200, json!({ "Implements": ["NetworkDriver", "IpamDriver"] })));
    assert_eq!(reply.content_type, "application/vnd.docker.plugins.v1.2+json");
    let reply = daemon.post("NetworkDriver.GetCapabilities", "");
    let capabilities = json!({ "Scope": "local", "ConnectivityScope": "local", "GwAllocChecker": true });
    assert_eq!((reply.status, reply.body), (200, capabilities));
    let mode = std::fs::metadata(daemon.folder().socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_activation_begins_a_generation() {
    let daemon = Daemon::start();
    let before = daemon.generation();
    daemon.post("Plugin.Activate", "");
    daemon.post("Plugin.Activate", "");
    assert_eq!(daemon.generation(), before + 2);
}

#[test]
fn a_gateway_is_allocated_in_l2_with_a_parent_only() {
    let daemon = Daemon::start();
    for (options, internal, skip) in [
        (json!({ "parent": "eth0" }), Value::Null, false),
        (json!({ "parent": "eth0", "ipvlan_mode": "l2" }), json!(false), false),
        (json!({ "parent": "eth0" }), json!(true), true),
        (json!({ "parent": "eth0", "ipvlan_mode": "l3" }), Value::Null, true),
        (json!({ "parent": "eth0", "ipvlan_mode": "l3s" }), Value::Null, true),
        (json!({}), Value::Null, true),
    ] {
        let options = json!({ "com.docker.network.generic": options, "com.docker.network.internal": internal });
        let reply = daemon.call("NetworkDriver.GwAllocCheck", &json!({ "Options": options }));
        assert_eq!(reply, json!({ "SkipIPv4": skip, "SkipIPv6": skip }), "{options}");
    }
    let wrong = json!({ "Options": { "com.docker.network.generic": { "ipvlan_mode": "l4" } } });
    daemon.refuse("NetworkDriver.GwAllocCheck", wrong.to_string());
}

#[test]
fn wrong_networks_are_refused_with_one_sentence() {
    let daemon = Daemon::start();
    for (options, sentence) in [
        (json!({ "ipvlan_mod": "l2" }), "there is no option `ipvlan_mod`; did you mean `ipvlan_mode`?"),
        (json!({ "master": "eth0" }), "there is no option `master`; did you mean `parent`?"),
        (
            json!({ "ipvlan_flag": "none" }),
            "option `ipvlan_flag`: `none` was given and bridge, private or vepa was expected; \
             pass a value that `ipvlan_flag` takes, or leave it out",
        ),
        (json!({ "parent": 7 }), "option `parent`: `7` was given and a text was expected"),
    ] {
        let refusal = daemon.refuse("NetworkDriver.CreateNetwork", create_network("net", &options).to_string());
        assert_eq!(refusal, (400, sentence.to_owned()));
    }
    let mut no_pool = create_network("net", &json!({}));
    no_pool["Options"]["com.docker.network.enable_ipv6"] = json!(true);
    let (_, sentence) = daemon.refuse("NetworkDriver.CreateNetwork", no_pool.to_string());
    assert!(sentence.starts_with("IPv6 is enabled and there is no IPv6 subnet"), "{sentence}");
    let (_, sentence) = daemon.refuse("NetworkDriver.CreateNetwork", create_network("", &json!({})).to_string());
    assert!(sentence.starts_with("field NetworkID of the request: `` is no id"), "{sentence}");
    let networks = daemon.folder().ipvland().args(["network", "ls", "--output", "json"]).output().unwrap();
    assert_eq!(networks.stdout, b"[]\n");
}

#[test]
fn wishes_that_ipvlan_cannot_fulfil_are_refused() {
    let daemon = Daemon::start();
    for (mac, options, part) in [
        ("02:42:c0:a8:01:05", json!({}), "MAC address 02:42:c0:a8:01:05 was asked for"),
        ("", json!({ "colour": "blue" }), "an endpoint has no option `colour`"),
        ("", json!({ "com.docker.network.endpoint.ifname": "lan0" }), "works with Docker 28 and newer only"),
        ("", json!({ "com.docker.network.endpoint.ifname": "eth7" }), "the engine deals names of `eth` and a number"),
        ("", json!({ "com.docker.network.endpoint.sysctls": "x" }), "there is no network net"),
    ] {
        let body = create_endpoint(mac, &options).to_string();
        let (status, sentence) = daemon.refuse("NetworkDriver.CreateEndpoint", body);
        assert_eq!(status, 400);
        assert!(sentence.contains(part), "{sentence}");
    }
    // An engine that asks this is new enough, and that is remembered.
    daemon.call("NetworkDriver.GwAllocCheck", &json!({ "Options": {} }));
    let exact = json!({ "com.docker.network.endpoint.ifname": "lan0" });
    let (_, sentence) = daemon.refuse("NetworkDriver.CreateEndpoint", create_endpoint("", &exact).to_string());
    assert!(sentence.contains("there is no network net"), "{sentence}");
    let (_, sentence) = daemon.refuse("NetworkDriver.AllocateNetwork", r#"{"NetworkID":"net"}"#);
    assert!(sentence.contains("managed plugins only"), "{sentence}");
}

#[test]
fn a_pool_that_is_refused_takes_nothing_from_whoever_is_making_a_network() {
    let daemon = Daemon::start();
    let addresses = || {
        let told = daemon.folder().ipvland().args(["addresses", "--output", "json"]).output().unwrap();
        serde_json::from_slice::<Value>(&told.stdout).unwrap()
    };
    let without_subnet = || {
        let request = json!({ "Pool": "", "Options": { "parent": "lo" }, "V6": false });
        daemon.refuse("IpamDriver.RequestPool", request.to_string()).1
    };
    let sentence =
        "Docker before 28 takes the parent's subnet 127.0.0.0/8 only when it is named; pass `--subnet 127.0.0.0/8`";
    assert_eq!(without_subnet(), sentence);
    assert_eq!(addresses(), json!({ "addresses": [], "pools": [] }));

    let pool = daemon.call("IpamDriver.RequestPool", &json!({ "Pool": "127.0.0.0/8" }))["PoolID"].take();
    let router = json!({ "RequestAddressType": "com.docker.network.gateway" });
    daemon.call("IpamDriver.RequestAddress", &json!({ "PoolID": pool, "Address": "", "Options": router }));
    daemon.call("IpamDriver.RequestAddress", &json!({ "PoolID": pool, "Address": "127.0.0.9" }));
    let before = addresses();
    assert_eq!(before["addresses"].as_array().map(Vec::len), Some(2), "{before}");
    assert_eq!(without_subnet(), sentence);
    assert_eq!(addresses(), before);
}

#[test]
fn what_nobody_made_cannot_be_used_and_can_be_removed() {
    let daemon = Daemon::start();
    let ids = json!({ "NetworkID": "net", "EndpointID": "end" });
    let join = json!({ "NetworkID": "net", "EndpointID": "end", "SandboxKey": "/run/netns/none", "Options": null });
    let (_, sentence) = daemon.refuse("NetworkDriver.Join", join.to_string());
    assert_eq!(sentence, "there is no endpoint end; `ipvland status` lists those there are");
    daemon.refuse("NetworkDriver.EndpointOperInfo", ids.to_string());
    for method in ["Leave", "DeleteEndpoint", "ProgramExternalConnectivity", "RevokeExternalConnectivity"] {
        assert_eq!(daemon.call(&format!("NetworkDriver.{method}"), &ids), json!({}), "{method}");
    }
    for method in ["DeleteNetwork", "FreeNetwork"] {
        assert_eq!(daemon.call(&format!("NetworkDriver.{method}"), &ids), json!({}), "{method}");
    }
    let news = json!({ "DiscoveryType": 1, "DiscoveryData": { "Address": "192.168.1.2", "Self": true } });
    assert_eq!(daemon.call("NetworkDriver.DiscoverNew", &news), json!({}));
}

#[test]
fn what_is_no_call_is_refused_as_json_too() {
    let daemon = Daemon::start();
    for path in ["NetworkDriver.MakeCoffee", "", "a/b/c", "IpamDriver.RequestEverything"] {
        assert_eq!(daemon.refuse(path, "{}").0, 404, "{path}");
    }
    let reply = request(&daemon.folder().socket(), "GET", "Plugin.Activate", b"");
    assert_eq!(reply.status, 405);
    assert!(reply.sentence().is_some(), "{reply:?}");
}

#[test]
fn lines_in_the_log_say_whom_they_are_about() {
    let mut daemon = Daemon::start();
    let body = json!({ "NetworkID": "0123456789abcdef", "EndpointID": "fedcba9876543210" });
    daemon.call("NetworkDriver.DeleteEndpoint", &body);
    daemon.refuse("NetworkDriver.EndpointOperInfo", body.to_string());
    let (_, log) = daemon.end("TERM");
    for parts in
        [["INFO", "NetworkDriver.DeleteEndpoint", "done"], ["WARN", "EndpointOperInfo", "there is no endpoint"]]
    {
        let about = |line: &&str| parts.iter().all(|part| line.contains(part));
        let line = log.lines().find(about).unwrap_or_else(|| panic!("{parts:?} is not in\n{log}"));
        assert!(line.contains("0123456789ab") && line.contains("fedcba987654"), "{line}");
    }
}
