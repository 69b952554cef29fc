//! Slaves that a container has renamed or moved, without an engine: namespaces and the plugin's socket.

use serde_json::json;

use crate::world::{Namespace, Scene, Standpoint, call, run};

/// Makes an endpoint and its slave, and does what the engine would: moves it, renames it, gives it its address.
fn attach(network: &str, endpoint: &str, address: &str, sandbox: Namespace<'_>) {
    call(
        "CreateEndpoint",
        &json!({
            "NetworkID": network,
            "EndpointID": endpoint,
            "Interface": { "Address": address, "AddressIPv6": "", "MacAddress": "" },
            "Options": {},
        }),
    );
    let joined = call(
        "Join",
        &json!({ "NetworkID": network, "EndpointID": endpoint, "SandboxKey": sandbox.path(), "Options": {} }),
    );
    let source = joined["InterfaceName"]["SrcName"].as_str().expect("a source name");
    run(&format!("ip link set {source} netns {}", sandbox.0));
    sandbox.run(&format!("ip link set {source} name eth0"));
    sandbox.run(&format!("ip address add {address} dev eth0"));
    sandbox.run("ip link set eth0 up");
}

fn delete(network: &str, endpoint: &str) {
    call("Leave", &json!({ "NetworkID": network, "EndpointID": endpoint }));
    call("DeleteEndpoint", &json!({ "NetworkID": network, "EndpointID": endpoint }));
}

#[test]
fn a_slave_renamed_by_its_container_goes_with_its_endpoint() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    scene.plugin_network("stray-net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    attach("stray-net", "stray", "192.168.1.91/24", sandbox);
    sandbox.reaches("192.168.1.200");
    scene.has_no_faults();

    // Kernel 6.1 renames only what is down.
    sandbox.run("ip link set eth0 down");
    sandbox.run("ip link set eth0 name uplink");
    sandbox.run("ip link set uplink up");
    scene.has_no_faults();
    delete("stray-net", "stray");
    assert_eq!(sandbox.interfaces(), ["lo"]);
}

#[test]
fn a_slave_moved_to_another_namespace_goes_with_its_endpoint() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    let hideout = scene.namespace("hideout");
    scene.plugin_network("stray-net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    attach("stray-net", "stray", "192.168.1.92/24", sandbox);

    sandbox.run("ip link set eth0 netns hideout name uplink");
    // A move takes the addresses away.
    hideout.run("ip address add 192.168.1.92/24 dev uplink");
    hideout.run("ip link set uplink up");
    hideout.reaches("192.168.1.200");
    delete("stray-net", "stray");
    assert_eq!(hideout.interfaces(), ["lo"]);
}

#[test]
fn a_link_with_a_forged_mark_is_left_alone() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    let forger = scene.namespace("forger");
    scene.plugin_network("stray-net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    attach("stray-net", "stray", "192.168.1.93/24", sandbox);
    let mark = sandbox.run("ip -j link show eth0");
    let mark: serde_json::Value = serde_json::from_str(&mark).expect("ip prints JSON");
    let mark = mark[0]["ifalias"].as_str().expect("a slave of ours is marked").to_owned();

    run("ip link add theirs link eth0 netns forger type ipvlan mode l2");
    forger.run(&format!("ip link set theirs alias {mark}"));
    sandbox.run("ip link delete eth0");
    delete("stray-net", "stray");
    assert_eq!(forger.interfaces(), ["lo", "theirs"]);
    forger.run("ip link delete theirs");
}

#[test]
fn a_slave_whose_sandbox_is_gone_goes_with_its_endpoint() {
    let scene = Scene::begin();
    let sandbox = scene.namespace("sandbox");
    scene.plugin_network("stray-net", &json!({ "parent": "eth0" }), "192.168.1.0/24");
    attach("stray-net", "stray", "192.168.1.94/24", sandbox);
    run("ip netns delete sandbox");
    delete("stray-net", "stray");
}
