//! An interface is called in its container as the user asked, where the engine leaves it to the driver to set it up.

use crate::world::{Ability, NEIGHBOUR, Scene, Standpoint, refused_with, run, wait_until};

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";
const IFNAME: &str = "com.docker.network.endpoint.ifname";

/// `--network` of a network with an exact name for the interface on it.
fn called(name: &str, network: &str) -> String {
    format!("--network=name={network},driver-opt={IFNAME}={name}")
}

#[test]
fn an_interface_is_called_as_asked_and_is_whole() {
    let scene = Scene::begin();
    scene.network(&format!("{LAN} -o com.docker.network.driver.mtu=1400 db_net"));
    let sysctl = "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1";
    let named = format!("{},{sysctl} alpine sleep 1d", called("lan0", "db_net"));
    if Ability::ExactNames.lacking().is_some() {
        return scene.container_is_refused_here(&named, "an exact interface name works with Docker 28 and newer only");
    }
    let one = scene.container("one", &named);
    let two = scene.container("two", "--net=db_net alpine sleep 1d");

    let address = one.address("db_net");
    assert_eq!(one.interfaces(), ["lo", "lan0"]);
    let lan0 = one.interface("lan0");
    lan0.is_slave_on("eth0", "l2/bridge");
    assert_eq!((lan0.mtu, &lan0.addresses), (1400, &vec![format!("{address}/24")]));
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev lan0");
    // What the engine does elsewhere.
    assert_eq!(run("docker exec one cat /proc/sys/net/ipv4/conf/lan0/log_martians"), "1");
    assert_eq!(run("docker exec one cat /proc/sys/net/ipv6/conf/lan0/disable_ipv6"), "1");

    one.reaches("192.168.1.1");
    NEIGHBOUR.reaches(&address);
    one.reaches_by_name("two");
    two.reaches_by_name("one");
    scene.has_no_faults();
    run("docker restart --time 0 one");
    assert_eq!(one.interfaces(), ["lo", "lan0"]);
    two.reaches(&one.address("db_net"));
    scene.has_no_faults();
}

#[test]
fn both_families_get_their_address_and_are_announced() {
    let Some(scene) = Scene::where_engine_can(Ability::ExactNames) else { return };
    let v6 = "--ipv6 --subnet=2001:db8:1::/64 --gateway=2001:db8:1::1";
    scene.network(&format!("{LAN} {v6} dual"));
    let addresses = ["192.168.1.77", "2001:db8:1::77"];
    for address in addresses {
        NEIGHBOUR.run(&format!("ip neigh replace {address} lladdr 02:00:00:00:00:99 dev lan0 nud stale"));
    }
    let one = scene.container(
        "one",
        &format!("{},ip={},ip6={} alpine sleep 1d", called("lan0", "dual"), addresses[0], addresses[1]),
    );
    let mac = run("cat /sys/class/net/eth0/address");
    for address in addresses {
        let known = || NEIGHBOUR.run(&format!("ip neigh show {address} dev lan0"));
        wait_until("the neighbour was told", || known().contains(&mac));
        NEIGHBOUR.reaches(address);
    }
    assert_eq!(one.default_route_v6().split(" metric").next(), Some("default via 2001:db8:1::1 dev lan0"));
    assert_eq!(run("docker exec one cat /proc/sys/net/ipv6/conf/lan0/disable_ipv6"), "0");
    scene.has_no_faults();
}

#[test]
fn beside_a_second_network_in_both_orders() {
    let Some(scene) = Scene::where_engine_can(Ability::ExactNames) else { return };
    scene.network(&format!("{LAN} exact"));
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 plain");

    let first = scene.container("first", &format!("{} alpine sleep 1d", called("lan0", "exact")));
    run("docker network connect plain first");
    assert_eq!(first.interfaces(), ["lo", "lan0", "eth0"]);
    first.reaches("192.168.10.1");
    first.reaches("192.168.1.1");
    run("docker network disconnect exact first");
    assert_eq!(first.interfaces(), ["lo", "eth0"]);
    first.reaches("192.168.10.1");

    let second = scene.container("second", "--net=plain alpine sleep 1d");
    run(&format!("docker network connect --driver-opt {IFNAME}=lan0 exact second"));
    assert_eq!(second.interfaces(), ["lo", "eth0", "lan0"]);
    second.reaches("192.168.10.1");
    second.reaches("192.168.1.1");
    run("docker network disconnect plain second");
    assert_eq!(second.interfaces(), ["lo", "lan0"]);
    second.reaches("192.168.1.1");
    assert_eq!(second.default_route(), "default via 192.168.1.1 dev lan0");
    scene.has_no_faults();
}

#[test]
fn what_cannot_be_had_is_refused() {
    let Some(scene) = Scene::where_engine_can(Ability::ExactNames) else { return };
    scene.network(&format!("{LAN} l2_net"));
    scene.network("--subnet=192.168.214.0/24 -o parent=eth1 -o ipvlan_mode=l3 l3_net");
    let refused = |arguments: &str, parts: &[&str]| {
        refused_with(&scene.refused_container("refused", &format!("{arguments} alpine sleep 1d")), parts);
        scene.remove_containers(&["refused"]);
    };
    refused(&called("lan0", "l3_net"), &["an exact interface name works in l2 only"]);
    refused(&called("eth7", "l2_net"), &["`eth7` was given", "such as lan0"]);
    refused(&called("lo", "l2_net"), &["the container has an interface `lo` already", "ask for another name"]);
    let sysctl = "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.no_such_setting=1";
    refused(&format!("{},{sysctl}", called("lan0", "l2_net")), &["this kernel has no setting"]);
    scene.has_no_faults();
}
