//! Mode l2: containers are machines on the LAN.

use crate::world::{Host, NEIGHBOUR, ROUTER, Scene, Standpoint, attempt, run};

#[test]
fn the_documented_network_puts_containers_on_the_lan() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o ipvlan_mode=l2 -o parent=eth0 db_net");
    let web = scene.container("web", "--net=db_net nginx");
    let client = scene.container("client", "--net=db_net alpine sleep 1d");

    let network = scene.inspect_network("db_net");
    assert_eq!(network["Driver"], "ipvland");
    assert_eq!(network["Options"]["parent"], "eth0");
    let address = web.address("db_net");
    let endpoint = web.endpoint("db_net");
    assert_eq!(endpoint["Gateway"], "192.168.1.1");

    let eth0 = web.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(eth0.addresses, [format!("{address}/24")]);
    assert_eq!(web.interfaces(), ["lo", "eth0"]);
    assert_eq!(web.default_route(), "default via 192.168.1.1 dev eth0");

    for machine in ["192.168.1.1", "192.168.1.200"] {
        web.reaches(machine);
    }
    ROUTER.reaches(&address);
    NEIGHBOUR.reaches(&address);
    client.reaches_by_name("web");
    web.reaches_by_name("client");
    for machine in [ROUTER, NEIGHBOUR] {
        assert_eq!(machine.page(&format!("http://{address}/")), "<h1>Welcome to nginx!</h1>");
    }
    assert_eq!(client.page("http://192.168.1.200/"), "neighbour");

    // That is how ipvlan is built: the parent's own addresses are out of reach, and the host reaches no container.
    web.does_not_reach("192.168.1.250");
    Host.does_not_reach(&address);
    scene.has_no_faults();
}

#[test]
fn mode_and_gateway_have_defaults() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 -o parent=eth0 plain_net");
    let one = scene.container("one", "--net=plain_net alpine sleep 1d");

    assert_eq!(one.endpoint("plain_net")["Gateway"], "192.168.1.1", "the first usable address");
    assert_ne!(one.address("plain_net"), "192.168.1.1");
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    assert_eq!(one.run("cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6"), "1", "no subnet, no IPv6");
    one.reaches("192.168.1.1");
    NEIGHBOUR.reaches(&one.address("plain_net"));
}

#[test]
fn published_ports_change_nothing() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let rules = run("iptables-save");
    let web = scene.container("web", "--net=db_net -p 8080:80 nginx");

    let without_counters = |rules: &str| -> Vec<String> {
        rules.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
    };
    assert_eq!(without_counters(&run("iptables-save")), without_counters(&rules));
    assert!(attempt("curl --silent --max-time 3 http://127.0.0.1:8080/").is_err(), "nothing listens on the host");
    let address = web.address("db_net");
    assert_eq!(NEIGHBOUR.page(&format!("http://{address}/")), "<h1>Welcome to nginx!</h1>");
    assert!(NEIGHBOUR.attempt(&format!("curl --silent --max-time 3 http://{address}:8080/")).is_err());
    assert!(scene.log().contains("publish"), "the log says that -p has no effect: {}", scene.log());
}
