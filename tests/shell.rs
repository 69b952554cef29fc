//! A person at a shell: networks, and containers on them, without any engine.

use serde_json::{Value, json};

use crate::world::{
    Container, Host, NEIGHBOUR, Namespace, NoDaemon, ROUTER, Scene, Standpoint, attempt, documented, held_addresses,
    ipvland_json, links_named, recorded_networks, refused_with, run,
};

const LAN: &str = "--subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0 lan";

/// `ipvland network create ...`; the last word is the network's name.
#[track_caller]
fn network(scene: &Scene, arguments: &str) {
    let name = arguments.split_whitespace().last().expect("a network has a name");
    scene.by_hand(&format!("ipvland network create {arguments}"), &format!("ipvland network rm {name}"));
}

/// `ipvland attach NETWORK --netns ...`.
#[track_caller]
fn attach(scene: &Scene, network: &str, sandbox: Namespace<'_>, arguments: &str) {
    let of = format!("{network} --netns {}", sandbox.path());
    scene.by_hand(&format!("ipvland attach {of} {arguments}"), &format!("ipvland detach {of}"));
}

/// A command that must be refused: the sentence.
#[track_caller]
fn refused(command: &str) -> String {
    attempt(command).expect_err("it is refused")
}

/// The only address of an interface, by itself.
#[track_caller]
fn address(place: &impl Standpoint) -> String {
    let [address] = &place.interface("eth0").addresses[..] else { panic!("it has one address") };
    address.split('/').next().expect("an address").to_owned()
}

#[test]
fn a_namespace_is_put_on_the_lan_and_taken_off() {
    let scene = Scene::begin();
    network(&scene, LAN);
    assert_eq!(recorded_networks(), ["lan"]);
    let one = scene.namespace("one");
    attach(&scene, "lan", one, "--name web");
    let eth0 = one.interface("eth0");
    eth0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(
        (one.interfaces(), eth0.addresses),
        (vec!["lo".into(), "eth0".into()], vec!["192.168.1.2/24".to_owned()])
    );
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    one.reaches("192.168.1.200");
    NEIGHBOUR.reaches("192.168.1.2");
    let who = ipvland_json("who-has 192.168.1.2")["held"][0].clone();
    assert_eq!((&who["kind"], &who["frontend"], &who["name"]), (&json!("endpoint"), &json!("shell"), &json!("web")));
    assert_eq!(who["network"], "lan");
    refused_with(&run("ipvland who-has 192.168.1.2"), &["web"]);
    scene.has_no_faults();

    run(&format!("ipvland detach lan --netns {}", one.path()));
    assert_eq!(one.interfaces(), ["lo"]);
    assert_eq!((held_addresses(), recorded_networks()), (vec!["192.168.1.1 gateway".into()], vec!["lan".to_owned()]));
    run("ipvland network rm lan");
    assert_eq!((held_addresses(), recorded_networks()), (vec![], vec![]));
    assert_eq!(links_named("ipl"), [""; 0]);
}

#[test]
fn a_process_is_as_good_as_a_namespace() {
    let scene = Scene::begin();
    network(&scene, LAN);
    let bare: Container = scene.container("bare", "--net=none alpine sleep 1d");
    let of = format!("lan --pid {}", bare.pid());
    scene.by_hand(&format!("ipvland attach {of} --ifname lan0 --ip 192.168.1.77"), &format!("ipvland detach {of}"));
    let lan0 = bare.interface("lan0");
    lan0.is_slave_on("eth0", "l2/bridge");
    assert_eq!(lan0.addresses, ["192.168.1.77/24"]);
    NEIGHBOUR.reaches("192.168.1.77");
    scene.has_no_faults();
    run(&format!("ipvland detach {of}"));
    assert_eq!(bare.interfaces(), ["lo"]);
}

#[test]
fn both_families_with_chosen_addresses() {
    let scene = Scene::begin();
    network(
        &scene,
        "--ipv6 --subnet 192.168.1.0/24 --gateway 192.168.1.1 --subnet 2001:db8:1::/64 --gateway 2001:db8:1::1 \
         -o parent=eth0 dual",
    );
    let (one, two) = (scene.namespace("one"), scene.namespace("two"));
    attach(&scene, "dual", one, "--ip 192.168.1.77 --ip 2001:db8:1::77");
    assert_eq!(one.interface("eth0").addresses, ["192.168.1.77/24", "2001:db8:1::77/64"]);
    assert!(one.default_route_v6().starts_with("default via 2001:db8:1::1 dev eth0"), "{}", one.default_route_v6());
    NEIGHBOUR.reaches("2001:db8:1::77");
    for (asked, why) in [
        ("192.168.1.77", "held by endpoint"),
        ("2001:db8:1::77", "held by endpoint"),
        ("192.168.1.1", "is the gateway of network"),
        ("192.168.1.250", "belongs to this host"),
        ("192.168.7.7", "192.168.7.7"),
    ] {
        refused_with(&refused(&format!("ipvland attach dual --netns {} --ip {asked}", two.path())), &[why]);
        assert_eq!(two.interfaces(), ["lo"]);
    }
    scene.has_no_faults();
}

#[test]
fn networks_of_every_kind() {
    let scene = Scene::begin();
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    for (arguments, name, parent, settings) in [
        ("--subnet 192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3 routed", "routed", "eth0", "l3/bridge"),
        ("--subnet 192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3s routed", "routed", "eth0", "l3s/bridge"),
        ("--subnet 192.168.1.0/24 -o parent=eth0 -o ipvlan_flag=private apart", "apart", "eth0", "l2/private"),
        ("--subnet 192.168.10.0/24 -o parent=eth0.10 ten", "ten", "eth0.10", "l2/bridge"),
        ("--subnet 192.168.1.0/24 --internal island", "island", "ivd-", "l2/bridge"),
    ] {
        network(&scene, arguments);
        attach(&scene, name, one, "");
        attach(&scene, name, two, "");
        let made = links_named(parent);
        let parent = made.first().filter(|_| name == "island").map_or(parent, String::as_str);
        one.interface("eth0").is_slave_on(parent, settings);
        match name {
            "apart" => one.does_not_reach(&address(&two)),
            _ => {
                one.reaches(&address(&two));
                String::new()
            }
        };
        match name {
            "routed" => NEIGHBOUR.reaches(&address(&one)),
            "apart" => NEIGHBOUR.reaches(&address(&two)),
            "ten" => ROUTER.reaches(&address(&one)),
            _ => assert_eq!(one.default_route(), ""),
        }
        scene.has_no_faults();
        for sandbox in [one, two] {
            run(&format!("ipvland detach {name} --netns {}", sandbox.path()));
        }
        run(&format!("ipvland network rm {name}"));
    }
    assert_eq!((links_named("ivd-"), links_named("eth0.")), (vec![], vec![]));
}

#[test]
fn what_is_done_twice_is_done_once() {
    let scene = Scene::begin();
    network(&scene, LAN);
    run(&format!("ipvland network create {LAN}"));
    let other = LAN.replace("192.168.1.0/24", "192.168.2.0/24").replace("192.168.1.1", "192.168.2.1");
    refused_with(&refused(&format!("ipvland network create {other}")), &["lan", "remove it first"]);
    let one = scene.namespace("one");
    let of = format!("lan --netns {}", one.path());
    run(&format!("ipvland detach {of}"));
    attach(&scene, "lan", one, "");
    let before = (one.interface("eth0"), held_addresses());
    run(&format!("ipvland attach {of}"));
    assert_eq!((one.interface("eth0"), held_addresses()), before);
    refused_with(&refused("ipvland network rm lan"), &["lan", "in use"]);
    one.reaches("192.168.1.1");
    for _ in 0..2 {
        run(&format!("ipvland detach {of}"));
    }
    assert_eq!(one.interfaces(), ["lo"]);
}

#[test]
fn one_that_is_attached_again_under_its_name_has_the_address_it_had() {
    let scene = Scene::begin();
    network(&scene, LAN);
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    attach(&scene, "lan", one, "--name db");
    attach(&scene, "lan", two, "--name web");
    let had = [address(&one), address(&two)];
    for sandbox in [one, two] {
        run(&format!("ipvland detach lan --netns {}", sandbox.path()));
    }
    attach(&scene, "lan", one, "--name web");
    attach(&scene, "lan", two, "--name db");
    assert_eq!([address(&two), address(&one)], had);
}

#[test]
fn a_namespace_that_goes_without_a_word_frees_its_address_and_leaves_its_network() {
    let scene = Scene::begin();
    network(&scene, LAN);
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    attach(&scene, "lan", one, "--ip 192.168.1.77");
    run("ip netns delete one");
    // Whoever needs the address finds its holder dead.
    attach(&scene, "lan", two, "--ip 192.168.1.77");
    NEIGHBOUR.reaches("192.168.1.77");
    run("ip netns delete two");
    run("ipvland repair");
    assert_eq!((held_addresses(), recorded_networks()), (vec!["192.168.1.1 gateway".into()], vec!["lan".to_owned()]));
    scene.has_no_faults();
}

#[test]
fn mistakes_are_refused_in_one_sentence_and_change_nothing() {
    let scene = Scene::begin();
    network(&scene, LAN);
    let one = scene.namespace("one");
    let before = (recorded_networks(), held_addresses());
    let (create, subnet) = ("ipvland network create", "--subnet 192.168.2.0/24");
    for (command, parts) in [
        (
            format!("{create} {subnet} -o parent=eth0 -o ipvlan_mod=l3 no"),
            ["`ipvlan_mod`", "did you mean `ipvlan_mode`?"],
        ),
        (
            format!("{create} {subnet} -o parent=eth0 -o ipvlan_mode=l4 no"),
            ["`l4` was given", "l2, l3 or l3s was expected"],
        ),
        (format!("{create} {subnet} -o parent=eth7 no"), ["parent `eth7` is no link of this host", "`ip link` shows"]),
        (
            format!("{create} {subnet} -o parent=eth0 -o ipvlan_mode=l3 no"),
            ["network lan as l2/bridge", "ipvlan_mode=l2"],
        ),
        (format!("{create} --subnet 192.168.2.0/33 -o parent=eth0 no"), ["192.168.2.0/33", ""]),
        (format!("ipvland attach nowhere --netns {}", one.path()), ["no network nowhere", "ipvland network ls"]),
        ("ipvland attach lan --netns /run/netns/none".to_owned(), ["/run/netns/none", ""]),
        ("ipvland attach lan --netns /etc/hostname".to_owned(), ["/etc/hostname", ""]),
        ("ipvland attach lan --pid 4194304".to_owned(), ["4194304", ""]),
        (format!("ipvland attach lan --netns {} --ifname a/b", one.path()), ["a/b", ""]),
        (format!("ipvland attach lan --netns {} --ip ten", one.path()), ["ten", ""]),
        ("ipvland network rm nowhere".to_owned(), ["no network nowhere", "ipvland network ls"]),
    ] {
        let sentence = refused(&command);
        refused_with(&sentence, &parts);
        assert_eq!((recorded_networks(), held_addresses()), before, "after `{command}`");
    }
    one.run("ip link add eth0 type dummy");
    refused_with(&refused(&format!("ipvland attach lan --netns {} --ifname eth0", one.path())), &["eth0"]);
    assert_eq!(one.interfaces(), ["lo", "eth0"]);
    assert_eq!((recorded_networks(), held_addresses()), before);
    attach(&scene, "lan", one, "--ifname lan0");
}

#[test]
fn no_daemon_is_needed() {
    let scene = Scene::begin();
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    let nobody = NoDaemon::from_now_on();
    network(&scene, LAN);
    attach(&scene, "lan", one, "");
    NEIGHBOUR.reaches(&address(&one));
    scene.has_no_faults();
    drop(nobody);
    // Docker knows nothing of the network, and says so to the daemon.
    attach(&scene, "lan", two, "");
    one.reaches(&address(&two));
    assert_eq!(recorded_networks(), ["lan"]);
    assert_eq!(run("ipvland repair"), "nothing to repair");
    scene.has_no_faults();
}

#[test]
fn one_screen_tells_what_is_on_the_network() {
    let scene = Scene::begin();
    network(&scene, LAN);
    let one = scene.namespace("one");
    attach(&scene, "lan", one, "--name web");
    let screen = run("ipvland status");
    refused_with(&screen, &["eth0", "l2", "lan", "192.168.1.2", "web", "shell"]);
    assert!(screen.lines().count() <= 25, "{screen}");
    let status = ipvland_json("status");
    assert_eq!(status["networks"][0]["frontend"], "shell", "{status}");
    refused_with(&run("ipvland addresses"), &["192.168.1.2", "web", "shell"]);
    refused_with(
        &run("ipvland network inspect lan"),
        &["lan", "192.168.1.2", "gateway of 192.168.1.0/24: 192.168.1.1"],
    );
}

/// What `ipvland doctor` finds about something.
#[track_caller]
fn findings_about(what: &str) -> Vec<Value> {
    let found = ipvland_json("doctor")["findings"].as_array().expect("a list").clone();
    let all = found.iter().all(|finding| ["severity", "sentence", "remedy"].iter().all(|key| finding[key].is_string()));
    assert!(all, "each has a remedy: {found:?}");
    found.into_iter().filter(|finding| finding["about"] == what).collect()
}

#[test]
fn the_doctor_tells_what_is_wrong_and_what_to_do() {
    let scene = Scene::begin();
    network(&scene, &LAN.replace("eth0", "eth1"));
    let healthy = ipvland_json("doctor");
    let faults =
        healthy["findings"].as_array().expect("a list").iter().filter(|finding| finding["severity"] == "fault");
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<&Value>::new());
    assert!(
        healthy["engines"].as_array().is_some_and(|engines| engines.iter().any(|engine| engine["name"] == "Docker"))
    );

    scene.by_hand("ip link set eth1 down", "ip link set eth1 up");
    scene.by_hand("ip link add busy0 type dummy", "ip link delete busy0");
    run("ip link add mv0 link busy0 type macvlan");
    let down = findings_about("eth1");
    assert!(down.iter().any(|finding| finding["severity"] == "fault"), "{down:?}");
    refused_with(&json!(down).to_string(), &["down", "ip link set eth1 up"]);
    let links = ipvland_json("doctor")["links"].clone();
    let busy =
        links.as_array().expect("a list").iter().find(|link| link["name"] == "busy0").expect("it may be a parent");
    refused_with(&busy["obstacle"].to_string(), &["mv0"]);
    let error = attempt("ipvland doctor").expect_err("there are faults");
    refused_with(&error, &["eth1", "ip link set eth1 up", "exit status: 3"]);
    run("ip link set eth1 up");
    run("ipvland doctor");
    assert_eq!(Host.interface("busy0").kind, "dummy");
}

#[test]
fn the_page_of_the_shell_is_run_as_it_is_written() {
    let scene = Scene::begin();
    for undo in ["ip netns delete web", "ipvland network rm lan", "ipvland detach lan --netns web"] {
        scene.afterwards(undo);
    }
    let said: Vec<String> = documented("docs/shell.md").iter().map(|command| run(command)).collect();
    refused_with(&said.join("\n"), &["192.168.1.2/24", "shell", "lives", "by hand"]);
}
