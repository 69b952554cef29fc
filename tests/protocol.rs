//! The plugin protocol, spoken directly: what is repeated succeeds, what is wrong is an error, and neither changes
//! anything.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::world::{
    Driver, SOCKET, Scene, call, create_network, host_links, links_named, post, recorded_networks, refuse, refused_with,
};

fn endpoint(address: &str) -> Value {
    json!({
        "NetworkID": "net",
        "EndpointID": "end",
        "Interface": { "Address": address, "AddressIPv6": "", "MacAddress": "" },
        "Options": { "com.docker.network.portmap": [], "com.docker.network.endpoint.exposedports": [] },
    })
}

fn ids() -> Value {
    json!({ "NetworkID": "net", "EndpointID": "end" })
}

fn join(sandbox: &str) -> Value {
    json!({ "NetworkID": "net", "EndpointID": "end", "SandboxKey": sandbox, "Options": {} })
}

#[test]
fn the_driver_says_what_it_is() {
    let _scene = Scene::begin();
    let activated = post("Plugin.Activate", b"");
    assert_eq!(activated.body["Implements"], json!(["NetworkDriver", "IpamDriver"]));
    let capabilities = post("NetworkDriver.GetCapabilities", b"");
    assert_eq!(capabilities.body["Scope"], "local");
    let mode = std::fs::metadata(SOCKET).expect("the socket is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only root may speak to it");
}

#[test]
fn the_allocation_of_a_gateway_is_wanted_in_l2_with_a_parent_only() {
    let _scene = Scene::begin();
    for (options, skip) in [
        (json!({ "parent": "eth0" }), false),
        (json!({ "parent": "eth0", "ipvlan_mode": "l2" }), false),
        (json!({ "parent": "eth0", "ipvlan_mode": "l3" }), true),
        (json!({ "parent": "eth0", "ipvlan_mode": "l3s" }), true),
        (json!({}), true),
    ] {
        let body = json!({ "Options": { "com.docker.network.generic": options } });
        let reply = call("GwAllocCheck", &body);
        assert_eq!((&reply["SkipIPv4"], &reply["SkipIPv6"]), (&json!(skip), &json!(skip)), "{body}");
    }
    let internal = json!({ "Options": { "com.docker.network.internal": true, "com.docker.network.generic": { "parent": "eth0" } } });
    assert_eq!(call("GwAllocCheck", &internal)["SkipIPv4"], true);
}

#[test]
fn what_is_repeated_succeeds_and_what_differs_is_an_error() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    let options = json!({ "parent": "eth0.10" });
    scene.plugin_network("net", &options, "192.168.10.0/24");
    let links = host_links();
    call("CreateNetwork", &create_network("net", &options, "192.168.10.0/24"));
    assert_eq!(host_links(), links);
    for (options, pool) in [
        (json!({ "parent": "eth0.10", "ipvlan_mode": "l3" }), "192.168.10.0/24"),
        (json!({ "parent": "eth0.10" }), "192.168.11.0/24"),
        (json!({ "parent": "eth0.20" }), "192.168.10.0/24"),
    ] {
        let sentence = refuse("CreateNetwork", &create_network("net", &options, pool));
        refused_with(&sentence, &["network net exists"]);
        assert_eq!(host_links(), links);
    }

    call("CreateEndpoint", &endpoint("192.168.10.5/24"));
    call("CreateEndpoint", &endpoint("192.168.10.5/24"));
    refused_with(&refuse("CreateEndpoint", &endpoint("192.168.10.6/24")), &["endpoint end exists"]);
    let joined = call("Join", &join(&sandbox.path()));
    let slaves = links_named("ipl");
    assert_eq!(slaves.len(), 2, "the slave and the sentinel: {slaves:?}");
    assert_eq!(call("Join", &join(&sandbox.path())), joined);
    assert_eq!(links_named("ipl"), slaves);
    for _ in 0..2 {
        call("Leave", &ids());
    }
    for _ in 0..2 {
        call("DeleteEndpoint", &ids());
        assert_eq!(links_named("ipl"), [""; 0]);
    }
    for _ in 0..2 {
        call("DeleteNetwork", &json!({ "NetworkID": "net" }));
        assert_eq!(links_named("eth0."), [""; 0]);
    }
}

#[test]
fn what_nobody_made_cannot_be_used_and_can_be_removed() {
    let scene = Scene::begin();
    refused_with(&refuse("CreateEndpoint", &endpoint("192.168.1.5/24")), &["there is no network net"]);
    refused_with(&refuse("Join", &join("/run/netns/none")), &["there is no endpoint end"]);
    call("Leave", &ids());
    call("DeleteEndpoint", &ids());
    call("DeleteNetwork", &json!({ "NetworkID": "net" }));
    scene.has_no_faults();
}

#[test]
fn a_network_that_is_removed_takes_its_endpoints_with_it() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    scene.plugin_network("net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    call("CreateEndpoint", &endpoint("192.168.1.95/24"));
    call("Join", &join(&sandbox.path()));
    call("DeleteNetwork", &json!({ "NetworkID": "net" }));
    assert_eq!(links_named("ipl"), [""; 0]);
    scene.has_no_faults();
}

#[test]
fn broken_bodies_are_errors_and_change_nothing() {
    let scene = Scene::begin();
    scene.plugin_network("net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    call("CreateEndpoint", &endpoint("192.168.1.96/24"));
    let before = (host_links(), recorded_networks());

    let oversized = format!(r#"{{"NetworkID":"{}"}}"#, "x".repeat(8 << 20)).into_bytes();
    let deep = [b"{\"NetworkID\":".to_vec(), b"[".repeat(10_000)].concat();
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        br#"{"NetworkID":"net","EndpointID":"en"#,
        b"null",
        b"[]",
        br#""net""#,
        b"{}",
        br#"{"NetworkID":7,"EndpointID":{}}"#,
        b"{\"NetworkID\":\"\xff\xfe\"}",
        &deep,
        &oversized,
    ];
    for method in ["CreateNetwork", "DeleteNetwork", "CreateEndpoint", "DeleteEndpoint", "Join", "Leave"] {
        for body in bodies {
            let reply = post(&format!("NetworkDriver.{method}"), body);
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let sentence = reply.error().unwrap_or_else(|| panic!("{method} took {shown}: {reply:?}"));
            assert!(!sentence.is_empty(), "{method} {shown}: an error without a sentence: {reply:?}");
        }
    }
    assert_eq!((host_links(), recorded_networks()), before);
    assert!(Driver::get().is_running());
    // The endpoint is still there, and as it was.
    call("CreateEndpoint", &endpoint("192.168.1.96/24"));
}

#[test]
fn wrong_values_are_errors_and_change_nothing() {
    let scene = Scene::begin();
    scene.plugin_network("net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    let before = (host_links(), recorded_networks());
    for address in ["192.168.1.5", "192.168.1.5/33", "192.168.1.500/24", "2001:db8:1::5/64", "one", "/24"] {
        refuse("CreateEndpoint", &endpoint(address));
    }
    for sandbox in ["", "relative/path"] {
        call("CreateEndpoint", &endpoint("192.168.1.97/24"));
        refuse("Join", &join(sandbox));
        call("DeleteEndpoint", &ids());
    }
    for id in ["", "a b", "../../etc", &"x".repeat(65)] {
        refuse("CreateNetwork", &create_network(id, &json!({ "parent": "eth0" }), "192.168.2.0/24"));
        refuse("DeleteNetwork", &json!({ "NetworkID": id }));
    }
    for pool in ["", "192.168.2.0", "192.168.2.0/33", "fe80::/129"] {
        refuse("CreateNetwork", &create_network("other", &json!({ "parent": "eth0" }), pool));
    }
    refuse("CreateNetwork", &create_network("other", &json!({ "parent": 7 }), "192.168.2.0/24"));
    refuse("CreateNetwork", &create_network("other", &json!("parent=eth0"), "192.168.2.0/24"));
    assert_eq!((host_links(), recorded_networks()), before);
}

#[test]
fn a_method_that_is_not_there_is_not_found() {
    let _scene = Scene::begin();
    let reply = post("NetworkDriver.MakeCoffee", b"{}");
    assert_eq!(reply.status, 404);
}
