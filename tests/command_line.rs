//! `ipvland` at a shell.

use serde_json::json;

use crate::world::{Driver, Host, Scene, Standpoint, attempt, call, ipvland_json, links_named, refused_with, run};

fn attached(scene: &Scene, parent: &str) {
    let sandbox = scene.namespace("sandbox");
    scene.plugin_network("shell-net", &json!({ "parent": parent }), "192.168.10.0/24");
    let interface = json!({ "Address": "192.168.10.5/24", "AddressIPv6": "", "MacAddress": "" });
    call(
        "CreateEndpoint",
        &json!({ "NetworkID": "shell-net", "EndpointID": "shell-end", "Interface": interface, "Options": {} }),
    );
    let join = json!({
        "NetworkID": "shell-net",
        "EndpointID": "shell-end",
        "SandboxKey": sandbox.path(),
        "Options": {},
    });
    let joined = call("Join", &join);
    let source = joined["InterfaceName"]["SrcName"].as_str().expect("a source name").to_owned();
    run(&format!("ip link set {source} netns sandbox"));
}

#[test]
fn status_shows_ports_networks_and_endpoints() {
    let scene = Scene::begin();
    attached(&scene, "eth0");
    let status = ipvland_json("status");
    assert_eq!(status["faults"], json!([]));
    assert_eq!(status["networks"][0]["id"], "shell-net");
    assert_eq!(status["endpoints"][0]["id"], "shell-end");
    assert_eq!(status["ports"][0]["parent"], "eth0");
    let table = run("ipvland status");
    refused_with(&table, &["eth0", "l2", "bridge", "shell-net", "shell-end", "192.168.10.5"]);
    let list = run("ipvland network ls");
    refused_with(&list, &["shell-net", "eth0", "192.168.10.0/24"]);
    let network = run("ipvland network inspect shell-n");
    refused_with(&network, &["shell-net", "shell-end", "192.168.10.0/24"]);
    assert_eq!(ipvland_json("network inspect shell-net")["id"], "shell-net");
}

#[test]
fn faults_have_an_exit_status_of_their_own() {
    let scene = Scene::begin();
    scene.plugin_network("shell-net", &json!({ "parent": "eth1" }), "192.168.10.0/24");
    run("ipvland status");
    scene.by_hand("ip link set eth1 down", "ip link set eth1 up");
    let error = attempt("ipvland status").expect_err("a parent is down");
    refused_with(&error, &["parent `eth1` is down", "exit status: 3"]);
    run("ip link set eth1 up");
    run("ipvland status");
}

#[test]
fn a_network_in_use_is_not_forgotten() {
    let scene = Scene::begin();
    attached(&scene, "eth0");
    let error = attempt("ipvland network forget shell-net").expect_err("an endpoint lives");
    refused_with(&error, &["shell-net", "in use"]);
    refused_with(&attempt("ipvland network forget nothing").expect_err("no such network"), &["no network nothing"]);
    scene.plugin_network("shell-two", &json!({ "parent": "eth0" }), "192.168.11.0/24");
    let error = attempt("ipvland network forget shell-").expect_err("two networks begin so");
    refused_with(&error, &["more than one network's id begins with shell-", "give more of the id"]);
    assert_eq!(ipvland_json("network ls")[0]["id"], "shell-net");
}

#[test]
fn repair_remakes_a_sentinel_and_a_vlan_link() {
    let scene = Scene::begin();
    attached(&scene, "eth0.10");
    assert_eq!(run("ipvland repair --dry-run"), run("ipvland repair"), "nothing to do, either way");
    let sentinel = links_named("ipl");
    assert_eq!(sentinel.len(), 1, "{sentinel:?}");
    run(&format!("ip link delete {}", sentinel[0]));
    let plan = run("ipvland repair --dry-run");
    refused_with(&plan, &["create slave", &sentinel[0]]);
    assert_eq!(links_named("ipl"), [""; 0], "a dry run changes nothing");
    run("ipvland repair");
    assert_eq!(links_named("ipl"), sentinel);
    assert_eq!(Host.interface(&sentinel[0]).settings, "l2/bridge");
    scene.has_no_faults();

    // The daemon would hear of it and make it again.
    Driver::get().kill();
    run("ip link delete eth0.10");
    let faults = ipvland_json("status")["faults"].to_string();
    refused_with(&faults, &["parent `eth0.10` is not there"]);
    run("ipvland repair");
    Driver::get().start_again();
    let vlan = Host.interface("eth0.10");
    assert_eq!((vlan.kind.as_str(), vlan.up), ("vlan", true));
    let faults = ipvland_json("status")["faults"].to_string();
    refused_with(&faults, &["shell-end", "has lost its link"]);
}

#[test]
fn repair_leaves_what_no_record_knows() {
    let scene = Scene::begin();
    scene.plugin_network("shell-net", &json!({ "parent": "eth0" }), "192.168.10.0/24");
    // A name and a mark like ours, and no record.
    scene.by_hand("ip link add ipl0123456789ab link eth0 type ipvlan mode l2", "ip link delete ipl0123456789ab");
    run("ip link set ipl0123456789ab alias ipvland:docker:gone:gone");
    scene.by_hand("ip link add ivd-01234567890 type dummy", "ip link delete ivd-01234567890");
    run("ipvland repair");
    assert_eq!(links_named("ipl"), ["ipl0123456789ab"]);
    assert_eq!(links_named("ivd-"), ["ivd-01234567890"]);
}
