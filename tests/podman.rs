//! Podman, of whose network backend ipvland is a driver.

mod deals;
mod networks;
mod plugin;

use serde_json::json;

use crate::world::{
    Host, NEIGHBOUR, Podman, ROUTER, Scene, Standpoint, documented, held_addresses, ipvland_json, links_named,
    recorded_networks, refused_with, run, wait_until,
};

/// On the wire of `eth0`.
const LAN: &str = "--subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 lan";

/// Asserts that nobody is on a network.
#[track_caller]
fn nobody_is_there() {
    assert_eq!((held_addresses(), recorded_networks()), (vec![], vec![]));
    assert_eq!(links_named("ipl"), [""; 0], "neither slave nor sentinel");
}

#[test]
fn the_documented_network_puts_containers_on_the_lan() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    nobody_is_there();
    let web = podman.container("web", "--network lan nginx");
    let eth0 = web.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(
        (web.interfaces(), eth0.addresses),
        (vec!["lo".into(), "eth0".into()], vec!["192.168.1.2/24".to_owned()])
    );
    assert_eq!(web.default_route(), "default via 192.168.1.1 dev eth0");
    let known = podman.endpoint("web", "lan");
    let expected = json!(["192.168.1.2", 24, "192.168.1.1", Host.interface("eth0").mac]);
    assert_eq!(json!([known["IPAddress"], known["IPPrefixLen"], known["Gateway"], known["MacAddress"]]), expected);
    for machine in [ROUTER, NEIGHBOUR] {
        assert_eq!(machine.page("http://192.168.1.2/"), "<h1>Welcome to nginx!</h1>");
    }
    web.reaches("192.168.1.200");
    web.does_not_reach("192.168.1.250");
    let who = ipvland_json("who-has 192.168.1.2")["held"][0].clone();
    assert_eq!((&who["kind"], &who["frontend"], &who["name"]), (&json!("endpoint"), &json!("netavark"), &json!("web")));
    let said = run("podman run --rm --network lan:ip=192.168.1.80 alpine ip address show eth0");
    refused_with(&said, &["192.168.1.80/24"]);
    assert_eq!(held_addresses(), ["192.168.1.1 gateway", "192.168.1.2 endpoint"]);
    scene.has_no_faults();

    run("podman rm --force --time 0 web");
    nobody_is_there();
}

#[test]
fn the_page_of_podman_is_run_as_it_is_written() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.expects("web");
    scene.afterwards("podman network rm --force --time 0 lan");
    let said: Vec<String> = documented("docs/podman.md").iter().map(|command| run(command)).collect();
    let addresses = said.last().expect("the last shows the addresses");
    refused_with(addresses, &["192.168.1.2", "web", "netavark"]);
    assert_eq!(NEIGHBOUR.page("http://192.168.1.2/"), "<h1>Welcome to nginx!</h1>");
}

#[test]
fn a_container_is_stopped_started_restarted_and_killed_and_keeps_its_address() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    podman.container("one", "--network lan alpine sleep 1d");
    // So that one that asks for whichever would get another.
    podman.container("two", "--network lan alpine sleep 1d");
    let is_well = || {
        let one = podman.process("one");
        one.interface("eth0").is_slave_on("eth0", "l2/bridge");
        assert_eq!(one.interface("eth0").addresses, ["192.168.1.2/24"]);
        NEIGHBOUR.reaches("192.168.1.2");
    };
    let is_gone = || !held_addresses().contains(&"192.168.1.2 endpoint".to_owned());
    is_well();
    run("podman stop --time 0 one");
    assert!(is_gone());
    run("podman start one");
    is_well();
    run("podman restart --time 0 one");
    is_well();
    run(&format!("kill -9 {}", podman.process("one").0));
    wait_until("Podman has cleaned up after it", is_gone);
    run("podman start one");
    is_well();
    run("podman rm --force --time 0 one");
    podman.container("one", "--network lan alpine sleep 1d");
    is_well();
    scene.has_no_faults();
}

#[test]
fn a_container_changes_its_networks_while_it_runs() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    podman.network("--subnet 192.168.10.0/24 --gateway 192.168.10.1 -o parent=eth0.10 ten");
    let one = podman.container("one", "--network lan alpine sleep 1d");

    run("podman network connect --ip 192.168.10.60 ten one");
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    let eth1 = one.interface("eth1");
    eth1.is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(eth1.addresses, ["192.168.10.60/24"]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0", "the first network leads out");
    one.reaches("192.168.1.200");
    one.reaches("192.168.10.1");
    scene.has_no_faults();

    run("podman network disconnect lan one");
    assert_eq!(one.interfaces(), ["lo", "eth1"]);
    one.reaches("192.168.10.1");
    run("podman network connect lan one");
    one.reaches("192.168.1.200");
    run("podman network disconnect ten one");
    assert_eq!(links_named("eth0."), [""; 0], "the VLAN link went with the last container on it");
    scene.has_no_faults();
}

#[test]
fn several_networks_under_names_that_are_asked_for() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    podman.network("--subnet 192.168.10.0/24 --gateway 192.168.10.1 -o parent=eth0.10 ten");
    // The host has an eth1, and the container may have one of its own.
    let networks = "--network lan:interface_name=eth1 --network ten:interface_name=cellar0,ip=192.168.10.77";
    let one = podman.container("one", &format!("{networks} alpine sleep 1d"));
    let mut names = one.interfaces();
    names.sort_unstable();
    assert_eq!(names, ["cellar0", "eth1", "lo"]);
    one.interface("eth1").is_slave_on("eth0", "l2/bridge");
    one.interface("cellar0").is_slave_on("eth0.10", "l2/bridge");
    assert_eq!(one.default_route().lines().count(), 1, "{}", one.default_route());
    NEIGHBOUR.reaches("192.168.1.2");
    ROUTER.reaches("192.168.10.77");
    run("podman restart --time 0 one");
    ROUTER.reaches("192.168.10.77");
    scene.has_no_faults();
}

#[test]
fn a_namespace_that_goes_without_a_word_frees_its_address() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    podman.network(LAN);
    let one = podman.container("one", "--network lan:ip=192.168.1.77 alpine sleep 1d");
    // Podman keeps the namespace by a mount. Once that is gone, netavark does not get as far as to call its plugin.
    let sandbox = run("podman inspect --format {{.NetworkSettings.SandboxKey}} one");
    run(&format!("umount --lazy {sandbox}"));
    run(&format!("rm {sandbox}"));
    run(&format!("kill -9 {}", one.0));
    wait_until("Podman has noticed", || run("podman inspect --format {{.State.Running}} one") == "false");
    wait_until("its slave is gone with the namespace, and a repair finds it dead", || {
        run("ipvland repair");
        held_addresses().is_empty()
    });
    nobody_is_there();
    podman.container("two", "--network lan:ip=192.168.1.77 alpine sleep 1d");
    NEIGHBOUR.reaches("192.168.1.77");
    scene.has_no_faults();
}

#[test]
fn rootless_podman_is_refused_in_one_sentence() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let home = "/tmp/rootless";
    scene.by_hand(&format!("install --directory --owner nobody --group nogroup {home}"), &format!("rm -rf {home}"));
    let sentence = crate::world::attempt(&format!(
        "setpriv --reuid nobody --regid nogroup --clear-groups env HOME={home} XDG_RUNTIME_DIR={home} \
         podman network create -d ipvland {LAN}"
    ));
    refused_with(&sentence.expect_err("it is refused"), &["rootless Podman has no access to the links of the host"]);
    nobody_is_there();
}
