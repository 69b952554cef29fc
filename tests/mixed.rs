//! Docker, Podman, a CNI runtime and a person at a shell on one parent and one subnet: one ledger knows of all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::world::{
    Attachment, Containerd, Namespace, NoDaemon, Podman, Process, Recording, Runtime, Scene, Standpoint, attempt,
    held_addresses, ipvland_json, post, refused_with, run, wait_until,
};

const SUBNET: &str = "--subnet 192.168.1.0/24 --gateway 192.168.1.1";

/// The same subnet as a CNI runtime has it.
fn lan() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "lan",
        "type": "ipvland",
        "master": "eth0",
        "ipam": {
            "type": "ipvland",
            "ranges": [[{ "subnet": "192.168.1.0/24", "gateway": "192.168.1.1" }]],
            "routes": [{ "dst": "0.0.0.0/0" }],
        },
    })
}

fn list() -> Value {
    json!({ "cniVersion": "1.0.0", "name": "lan", "plugins": [lan()] })
}

/// The shell's network, and Docker's and Podman's where there is one, each by its own name.
fn networks(scene: &Scene, podman: Option<&Podman<'_>>) {
    let create = format!("ipvland network create {SUBNET} -o parent=eth0 shells");
    scene.by_hand(&create, "ipvland network rm shells");
    scene.network(&format!("--ipam-driver ipvland {SUBNET} -o parent=eth0 dockers"));
    if let Some(podman) = podman {
        podman.network(&format!("{SUBNET} -o parent=eth0 podmans"));
    }
}

#[track_caller]
fn attach(scene: &Scene, sandbox: Namespace<'_>, arguments: &str) {
    let of = format!("shells --netns {}", sandbox.path());
    scene.by_hand(&format!("ipvland attach {of} {arguments}"), &format!("ipvland detach {of}"));
}

/// The only address of a container, by itself.
#[track_caller]
fn address(place: &impl Standpoint) -> String {
    let [address] = &place.interface("eth0").addresses[..] else { panic!("it has one address") };
    address.split('/').next().expect("an address").to_owned()
}

/// The addresses of endpoints, each with its frontend.
#[track_caller]
fn endpoints() -> BTreeMap<String, String> {
    let ledger = ipvland_json("addresses");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let endpoints = ledger["addresses"].as_array().expect("a list").iter().filter(|held| held["kind"] == "endpoint");
    endpoints.map(|held| (text(&held["address"]), text(&held["frontend"]))).collect()
}

/// How many containers of each engine start at once. `make demo-mixed` starts more.
const EACH: usize = 4;

/// How one starts a container of each engine: the frontend, and what one types.
const ENGINES: [(&str, &str); 3] = [
    ("docker", "docker run -d --net=dockers --name=NAME alpine sleep 1d"),
    ("netavark", "podman run -d --network=podmans --name=NAME alpine sleep 1d"),
    (
        "cni",
        "ctr run -d --cni --null-io --runc-binary crun --pid-file /run/NAME.pid docker.io/library/alpine:latest NAME sleep 1d",
    ),
];

#[test]
fn containers_of_all_engines_start_at_once_on_one_subnet() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let (podman, containerd) = (Podman::of(&scene), Containerd::of(&scene, &list()));
    networks(&scene, Some(&podman));
    let name = |frontend: &str, number: usize| format!("{frontend}{number}");
    (0..EACH).for_each(|number| scene.expects_container(&name("docker", number)));
    (0..EACH).for_each(|number| podman.expects(&name("netavark", number)));
    containerd.expects(&(0..EACH).map(|number| name("cni", number)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for (frontend, command) in ENGINES {
            for number in 0..EACH {
                scope.spawn(move || run(&command.replace("NAME", &name(frontend, number))));
            }
        }
        for number in 0..EACH {
            let one = name("shell", number);
            attach(&scene, scene.namespace(&one), "");
        }
    });

    let mut places: Vec<(&str, Process)> = Vec::new();
    for number in 0..EACH {
        let docker = run(&format!("docker inspect --format {{{{.State.Pid}}}} {}", name("docker", number)));
        let ctr = std::fs::read_to_string(format!("/run/{}.pid", name("cni", number))).expect("`ctr` wrote it");
        places.push(("docker", Process(docker.parse().expect("a number"))));
        places.push(("netavark", podman.process(&name("netavark", number))));
        places.push(("cni", Process(ctr.trim().parse().expect("a number"))));
    }
    let mut there: BTreeMap<String, String> =
        places.iter().map(|(frontend, place)| (address(place), (*frontend).to_owned())).collect();
    for number in 0..EACH {
        there.insert(address(&Namespace(&name("shell", number))), "shell".to_owned());
    }
    assert_eq!(there.len(), 4 * EACH, "no address twice: {there:?}");
    assert_eq!(endpoints(), there, "the ledger knows them all");
    for (_, place) in &places {
        there.keys().for_each(|address| place.reaches(address));
    }
    let table = run("ipvland addresses");
    refused_with(&table, &["docker", "netavark", "cni", "shell"]);
    scene.has_no_faults();
}

/// What `ipvland` says at a shell, without what to do about it.
#[track_caller]
fn sentence(command: &str) -> String {
    let said = attempt(command).expect_err("it is refused");
    let sentence = said.lines().next().and_then(|line| line.strip_prefix("error: "));
    sentence.unwrap_or_else(|| panic!("`{command}`: {said}")).to_owned()
}

#[test]
fn a_mode_that_conflicts_is_refused_by_all_in_the_same_sentence() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    let create = format!("ipvland network create {SUBNET} -o parent=eth0 shells");
    scene.by_hand(&create, "ipvland network rm shells");
    let one = scene.namespace("one");
    attach(&scene, one, "");

    let routed = "--subnet 192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3 late";
    let expected = sentence(&format!("ipvland network create {routed}"));
    refused_with(&expected, &["parent `eth0` carries network shells as l2/bridge"]);
    refused_with(&scene.refused_network(routed), &[&expected]);
    refused_with(&podman.refused_network(routed), &[&expected]);
    let mut config = lan();
    config["mode"] = json!("l3");
    config["ipam"]["ranges"] = json!([[{ "subnet": "192.168.214.0/24" }]]);
    let refusal = Attachment::of("c1", scene.namespace("two")).call("ADD", &config).refused();
    refused_with(&refusal.sentence, &[&expected]);
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    scene.has_no_faults();
}

#[test]
fn an_address_that_one_holds_is_refused_to_all_in_the_same_sentence() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let podman = Podman::of(&scene);
    networks(&scene, Some(&podman));
    let runtime = Runtime::default();
    let [one, two, three] = ["one", "two", "three"].map(|name| scene.namespace(name));
    attach(&scene, one, "--ip 192.168.1.77");
    scene.container("docker0", "--net=dockers --ip=192.168.1.78 alpine sleep 1d");
    podman.container("podman0", "--network podmans --ip 192.168.1.79 alpine sleep 1d");
    runtime.add(&Attachment::of("c1", two).arguments("IP=192.168.1.80"), &lan());

    for held in ["192.168.1.77", "192.168.1.78", "192.168.1.79", "192.168.1.80"] {
        let expected = sentence(&format!("ipvland attach shells --netns {} --ip {held}", three.path()));
        refused_with(&expected, &[held, "is held by endpoint"]);
        let said = scene.refused_container("docker1", &format!("--net=dockers --ip={held} alpine sleep 1d"));
        refused_with(&said, &[&expected]);
        scene.remove_containers(&["docker1"]);
        let said = podman.refused_container("podman1", &format!("--network podmans --ip {held} alpine sleep 1d"));
        refused_with(&said, &[&expected]);
        let refusal = Attachment::of("c2", three).arguments(&format!("IP={held}")).call("ADD", &lan()).refused();
        refused_with(&refusal.sentence, &[&expected]);
        assert_eq!(three.interfaces(), ["lo"]);
    }
    scene.has_no_faults();
}

#[test]
fn a_new_life_of_docker_ends_nothing_of_the_others() {
    let scene = Scene::begin();
    let runtime = Runtime::default();
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    networks(&scene, None);
    attach(&scene, one, "");
    let attachment = Attachment::of("c1", two);
    runtime.add(&attachment, &lan());
    let before = endpoints();
    for _ in 0..2 {
        assert!(post("Plugin.Activate", b"").error().is_none());
        run("ipvland repair");
    }
    assert_eq!(endpoints(), before);
    one.reaches(&address(&two));
    runtime.check(&attachment).done();
    scene.has_no_faults();
}

#[test]
fn without_the_daemon_all_but_docker_go_on() {
    let Some(scene) = Scene::where_podman_is() else { return };
    let (podman, runtime) = (Podman::of(&scene), Runtime::default());
    networks(&scene, Some(&podman));
    let docker = scene.container("docker0", "--net=dockers alpine sleep 1d");
    let [one, two] = ["one", "two"].map(|name| scene.namespace(name));
    let nobody = NoDaemon::from_now_on();
    let told = Recording::at_neighbour("arp and arp[14:4] = arp[24:4]");
    attach(&scene, one, "");
    runtime.add(&Attachment::of("c1", two), &lan());
    let third = podman.container("podman0", "--network podmans alpine sleep 1d");
    let there = BTreeSet::from([address(&docker), address(&one), address(&two), address(&third)]);
    assert_eq!(there.len(), 4, "{there:?}");
    // Itself it would reach over its loopback, which nobody has set up.
    there.iter().filter(|other| **other != address(&one)).for_each(|other| one.reaches(other));
    for address in [address(&one), address(&two), address(&third)] {
        let about = format!("who-has {address} ");
        wait_until("neighbours are told", || told.lines().iter().any(|line| line.contains(&about)));
    }
    drop(nobody);
    let fifth = scene.container("docker1", "--net=dockers alpine sleep 1d");
    assert!(!there.contains(&address(&fifth)), "{there:?}");
    third.reaches(&address(&fifth));
    scene.has_no_faults();
}

#[test]
fn after_the_loss_of_the_ledger_nobodys_address_is_given_out_again() {
    let scene = Scene::begin();
    let runtime = Runtime::default();
    let [one, two, three] = ["one", "two", "three"].map(|name| scene.namespace(name));
    networks(&scene, None);
    attach(&scene, one, "--ip 192.168.1.77");
    let attachment = Attachment::of("c1", two).arguments("IP=192.168.1.78");
    runtime.add(&attachment, &lan());
    let nobody = NoDaemon::from_now_on();
    run("find /var/lib/ipvland -mindepth 1 -delete");
    drop(nobody);
    wait_until("both are found again by their marks", || {
        let held = held_addresses();
        ["192.168.1.77", "192.168.1.78"].iter().all(|address| held.contains(&format!("{address} endpoint")))
    });
    for held in ["192.168.1.77", "192.168.1.78"] {
        let refusal = Attachment::of("c2", three).arguments(&format!("IP={held}")).call("ADD", &lan()).refused();
        refused_with(&refusal.sentence, &[held]);
    }
    one.reaches("192.168.1.78");
    runtime.check(&attachment).done();
    runtime.del(&attachment);
    run(&format!("ipvland detach shells --netns {}", one.path()));
    assert_eq!((one.interfaces(), two.interfaces()), (vec!["lo".to_owned()], vec!["lo".to_owned()]));
    assert!(endpoints().is_empty(), "{:?}", endpoints());
    wait_until("Docker was asked for its network", || {
        ipvland_json("network ls").to_string().contains("192.168.1.0/24")
    });
}
