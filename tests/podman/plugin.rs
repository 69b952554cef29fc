//! The plugin's verbs, called as netavark calls them: the cases of its own tests, and those that no Podman would ask for.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::world::{Host, Namespace, Scene, Standpoint, held_addresses, refused_with, run};

use super::nobody_is_there;

/// Calls a verb: the answer, or the sentence of the refusal.
#[track_caller]
fn call(arguments: &[&str], variables: &[(&str, &str)], request: &str) -> Result<Value, String> {
    let mut command = Command::new("ipvland");
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("`ipvland` is on PATH");
    // One that does not want it need not read it.
    let _ = child.stdin.take().expect("it is piped").write_all(request.as_bytes());
    let output = child.wait_with_output().expect("it is our child");
    let answer: Value = match &output.stdout[..] {
        [] => Value::Null,
        text => {
            serde_json::from_slice(text).unwrap_or_else(|error| panic!("{arguments:?} {request}: {error}: {output:?}"))
        }
    };
    if output.status.success() {
        return Ok(answer);
    }
    let sentence = answer["error"].as_str().unwrap_or_else(|| panic!("{arguments:?}: no sentence in {output:?}"));
    Err(sentence.to_owned())
}

/// A container on a network with these settings, and what it wants of it.
fn request(network: &Value, options: &Value) -> Value {
    let mut of_network = json!({
        "name": "lan",
        "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
        "driver": "ipvland",
        "network_interface": "eth0",
        "subnets": [{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }],
        "ipv6_enabled": false,
        "internal": false,
        "dns_enabled": false,
        "ipam_options": { "driver": "ipvland" },
    });
    let mut wanted = json!({ "interface_name": "eth0" });
    for (base, changes) in [(&mut of_network, network), (&mut wanted, options)] {
        base.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    }
    json!({ "container_id": "c1", "container_name": "one", "network": of_network, "network_options": wanted })
}

fn setup(sandbox: Namespace<'_>, request: &Value) -> Result<Value, String> {
    call(&["setup", &sandbox.path()], &[], &request.to_string())
}

#[track_caller]
fn teardown(sandbox: &str, request: &Value) {
    call(&["teardown", sandbox], &[], &request.to_string()).expect("it is taken off");
}

#[test]
fn it_says_what_it_is() {
    let info = call(&["info"], &[], "").expect("it says so");
    assert_eq!(info["api_version"], "1.0.0");
    assert!(info["version"].is_string(), "{info}");
}

#[test]
fn a_network_is_completed_and_nothing_is_made() {
    let _scene = Scene::begin();
    let given = json!({
        "name": "lan",
        "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
        "driver": "ipvland",
        "created": "0001-01-01T00:00:00Z",
        "subnets": [{ "subnet": "192.168.1.0/24" }],
        "ipv6_enabled": false,
        "internal": false,
        "dns_enabled": true,
        "labels": { "place": "cellar" },
        "options": { "mode": "l2" },
    });
    let mut expected = given.clone();
    expected["network_interface"] = json!("eth0");
    expected["subnets"] = json!([{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]);
    expected["ipam_options"] = json!({ "driver": "ipvland" });
    expected["dns_enabled"] = json!(false);
    assert_eq!(call(&["create"], &[], &given.to_string()), Ok(expected));
    nobody_is_there();
}

#[test]
fn what_is_asked_twice_is_answered_twice_and_what_is_gone_is_gone() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    for mode in ["l2", "l3", "l3s"] {
        let request = request(&json!({ "options": { "mode": mode } }), &json!({ "static_ips": ["192.168.1.77"] }));
        teardown(&one.path(), &request);
        let status = setup(one, &request).expect("it is set up");
        assert_eq!(setup(one, &request), Ok(status.clone()));
        let eth0 = one.interface("eth0");
        eth0.is_slave_on("eth0", &format!("{mode}/bridge"));
        let interface = &status["interfaces"]["eth0"];
        assert_eq!(interface["mac_address"], json!(Host.interface("eth0").mac), "{status}");
        assert_eq!(interface["subnets"][0]["ipnet"], "192.168.1.77/24", "{status}");
        assert_eq!(interface["subnets"][0]["gateway"], if mode == "l2" { json!("192.168.1.1") } else { Value::Null });
        for _ in 0..2 {
            teardown(&one.path(), &request);
        }
        assert_eq!(one.interfaces(), ["lo"]);
        nobody_is_there();
    }
}

#[test]
fn a_namespace_that_is_gone_is_no_obstacle() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let request = request(&json!({}), &json!({}));
    setup(one, &request).expect("it is set up");
    run("ip netns delete one");
    teardown("/run/netns/one", &request);
    nobody_is_there();
    refused_with(
        &setup(one, &request).expect_err("there is no namespace"),
        &["no network namespace at /run/netns/one"],
    );
    nobody_is_there();
}

#[test]
fn a_name_that_the_host_has_is_fine_and_one_that_the_container_has_is_refused() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let as_the_host = request(&json!({}), &json!({ "interface_name": "eth1" }));
    setup(one, &as_the_host).expect("it is set up");
    one.interface("eth1").is_slave_on("eth0", "l2/bridge");
    teardown(&one.path(), &as_the_host);

    one.run("ip link add eth0 type dummy");
    let sentence = setup(one, &request(&json!({}), &json!({}))).expect_err("there is one of that name");
    refused_with(&sentence, &["eth0"]);
    assert_eq!((one.interfaces(), one.interface("eth0").kind), (vec!["lo".into(), "eth0".into()], "dummy".into()));
    nobody_is_there();
}

#[test]
fn several_addresses_of_one_subnet_and_of_two() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let subnets = json!([
        { "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" },
        { "subnet": "192.168.66.0/24", "gateway": "192.168.66.1" },
    ]);
    for (network, addresses, expected) in [
        (json!({}), vec!["192.168.1.75", "192.168.1.76"], vec!["192.168.1.75/24", "192.168.1.76/24"]),
        (
            json!({ "subnets": subnets }),
            vec!["192.168.1.75", "192.168.66.7", "192.168.1.76"],
            vec!["192.168.1.75/24", "192.168.1.76/24", "192.168.66.7/24"],
        ),
    ] {
        let request = request(&network, &json!({ "static_ips": addresses }));
        let status = setup(one, &request).expect("it is set up");
        let answered = status["interfaces"]["eth0"]["subnets"].as_array().expect("a list").clone();
        let answered: Vec<&str> = answered.iter().map(|address| address["ipnet"].as_str().expect("a text")).collect();
        assert_eq!(answered, expected);
        let mut there = one.interface("eth0").addresses;
        there.sort_unstable();
        assert_eq!(there, expected);
        assert_eq!(one.default_route().lines().count(), 1, "{}", one.default_route());
        one.reaches("192.168.1.200");
        teardown(&one.path(), &request);
        nobody_is_there();
    }
}

#[test]
fn static_routes_and_no_default_route() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let network = json!({
        "subnets": [
            { "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" },
            { "subnet": "2001:db8:1::/64", "gateway": "2001:db8:1::1" },
        ],
        "ipv6_enabled": true,
        "options": { "no_default_route": "true" },
        "routes": [
            { "destination": "10.89.0.0/24", "gateway": "192.168.1.200" },
            { "destination": "2001:db8:89::/64", "gateway": "2001:db8:1::200", "metric": 5 },
        ],
    });
    let request = request(&network, &json!({}));
    setup(one, &request).expect("it is set up");
    assert_eq!(one.routes_to("10.89.0.0/24"), "10.89.0.0/24 via 192.168.1.200 dev eth0");
    let six = one.routes_to("2001:db8:89::/64");
    assert!(six.starts_with("2001:db8:89::/64 via 2001:db8:1::200 dev eth0 metric 5"), "{six}");
    assert_eq!((one.default_route(), one.default_route_v6()), (String::new(), String::new()));
    teardown(&one.path(), &request);
    assert_eq!(one.run("ip route show"), "");
}

#[test]
fn what_cannot_be_had_is_refused_and_nothing_is_left() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let twice = json!({ "subnets": [{ "subnet": "10.88.0.0/16" }, { "subnet": "10.88.0.0/16" }] });
    let within = json!({ "subnets": [{ "subnet": "10.1.2.0/23" }, { "subnet": "10.1.3.248/30" }] });
    for (network, options, part) in [
        (twice, json!({}), "overlap"),
        (within, json!({}), "overlap"),
        (json!({}), json!({ "static_ips": ["10.7.7.7"] }), "10.7.7.7 is in no subnet of the network"),
        (json!({}), json!({ "static_mac": "02:00:00:00:00:01" }), "leave --mac-address out"),
        (json!({}), json!({ "options": { "vrf": "blue" } }), "no option `vrf`"),
        (json!({ "network_interface": "eth7" }), json!({}), "parent `eth7` is no link of this host"),
        (json!({ "options": { "mtu": "9000" } }), json!({}), "an MTU of 9000 is more than the 1500"),
    ] {
        let sentence = setup(one, &request(&network, &options)).expect_err("it is refused");
        refused_with(&sentence, &[part]);
        assert_eq!(one.interfaces(), ["lo"], "{sentence}");
        nobody_is_there();
    }
}

#[test]
fn what_is_no_request_and_who_may_not_ask() {
    let _scene = Scene::begin();
    for garbage in ["", "{", "[]", "\"lan\"", "{}", "{\"container_id\": 7}"] {
        for arguments in [&["create"][..], &["setup", "/run/netns/one"], &["teardown", "/run/netns/one"]] {
            let sentence = call(arguments, &[], garbage).expect_err("it is refused");
            refused_with(&sentence, &["stdin"]);
        }
    }
    let rootless = [("_CONTAINERS_USERNS_CONFIGURED", "done")];
    let request = request(&json!({}), &json!({}));
    let sentence = call(&["setup", "/run/netns/one"], &rootless, &request.to_string()).expect_err("it is rootless");
    refused_with(&sentence, &["rootless Podman has no access to the links of the host"]);
    assert_eq!(held_addresses(), [""; 0]);
}
