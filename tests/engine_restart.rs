//! The engine stops or dies and starts again, alone or together with the driver, with and without live-restore.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::world::{
    Container, Driver, Host, NEIGHBOUR, ROUTER, Scene, Standpoint, held_addresses, ipvland_json, refused_with, run,
    wait_until,
};

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";
/// The same wire, with addresses that the ledger deals.
const LEASED: &str = "--ipam-driver=ipvland --ip-range=192.168.1.96/28";

fn endpoints() -> usize {
    ipvland_json("status")["endpoints"].as_array().expect("a list").len()
}

/// Four containers that are to be restarted, and one that is not.
struct Crew {
    /// One with an address of its own choice, one with any: Docker keeps them for them.
    restarted: Vec<(Container, String)>,
    /// Dealt by the ledger. Docker gives these addresses back as it starts, and asks for new ones.
    leased: [Container; 2],
    /// Stays down until somebody starts it.
    idle: Container,
}

impl Crew {
    fn begin(scene: &Scene) -> Self {
        scene.network(&format!("{LAN} db_net"));
        scene.network("--subnet=192.168.70.0/24 --gateway=192.168.70.1 -o parent=eth0.70 seventy");
        scene.network(&format!("{LEASED} {LAN} leased"));
        let container = |name, arguments: &str| {
            scene.container(name, &format!("--net={arguments} --stop-signal=KILL alpine sleep 1d"))
        };
        let fixed = container("fixed", "db_net --ip=192.168.1.70 --restart=always");
        let dealt = container("dealt", "db_net --restart=always");
        let leased = ["leased1", "leased2"].map(|name| container(name, "leased --restart=always"));
        let idle = container("idle", "seventy");
        let restarted = [fixed, dealt].map(|container| {
            let address = container.address("db_net");
            (container, address)
        });
        Self { restarted: restarted.into(), leased, idle }
    }

    fn is_reached(&self) {
        self.restarted.iter().for_each(|(_, address)| NEIGHBOUR.reaches(address));
    }

    /// Those that the engine is to start by itself.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.restarted.iter().map(|(container, _)| container).chain(&self.leased).map(|container| container.0.as_str())
    }

    /// Those to be restarted are there again with the addresses they had, and nothing else is.
    fn comes_back(&self, scene: &Scene) {
        for (container, address) in &self.restarted {
            wait_until("it runs again", || container.inspect()["State"]["Running"] == true);
            container.interface("eth0").is_slave_on("eth0", "l2/bridge");
            assert_eq!(container.address("db_net"), *address);
        }
        let leased = self.leased.each_ref().map(|container| {
            wait_until("it runs again", || container.inspect()["State"]["Running"] == true);
            let (address, eth0) = (container.address("leased"), container.interface("eth0"));
            assert_eq!(eth0.addresses, [format!("{address}/24")]);
            NEIGHBOUR.reaches(&address);
            address
        });
        self.is_reached();
        assert_eq!(self.idle.inspect()["State"]["Running"], false, "nobody asked for it");
        let living = self.restarted.iter().map(|(_, address)| address).chain(&leased);
        holds_only(&["192.168.1.1", "192.168.1.1", "192.168.70.1"], &living.map(String::as_str).collect::<Vec<_>>());
        run("docker start idle");
        self.idle.interface("eth0").is_slave_on("eth0.70", "l2/bridge");
        scene.has_no_faults();
    }
}

/// Waits until the ledger knows of these gateways, one for each network, and endpoints and of nothing else.
#[track_caller]
fn holds_only(gateways: &[&str], endpoints: &[&str]) {
    let of = |kind: &'static str, addresses: &[&str]| addresses.iter().map(|it| format!("{it} {kind}")).collect();
    let all: [Vec<String>; 2] = [of("gateway", gateways), of("endpoint", endpoints)];
    let expected = sorted(all.concat());
    let held = || sorted(held_addresses());
    wait_until(&format!("{:?} is {expected:?}", held()), || held() == expected);
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

#[test]
fn networks_and_their_links_outlive_the_engine_and_containers_come_back() {
    let scene = Scene::begin();
    let crew = Crew::begin(&scene);
    let link = Host.interface("eth0.70");
    run("engine stop");
    assert_eq!(Host.interface("eth0.70"), link);
    run("engine start");
    crew.comes_back(&scene);
    assert_eq!(Host.interface("eth0.70"), link);
}

#[test]
fn an_engine_that_is_killed_has_its_containers_back_with_their_addresses() {
    let scene = Scene::begin();
    let crew = Crew::begin(&scene);
    run("engine kill");
    crew.is_reached();
    run("engine start");
    crew.comes_back(&scene);
}

#[test]
fn an_engine_and_a_driver_that_are_killed_together_come_back_together() {
    let scene = Scene::begin();
    let crew = Crew::begin(&scene);
    Driver::get().kill();
    run("engine kill");
    crew.is_reached();
    Driver::get().start_again();
    run("engine start");
    crew.comes_back(&scene);
}

#[test]
fn an_engine_that_starts_without_the_driver_has_its_networks_once_that_is_there() {
    let scene = Scene::begin();
    let crew = Crew::begin(&scene);
    run("engine stop");
    Driver::get().kill();
    run("engine start");
    Driver::get().start_again();
    // Whether the engine still tries by itself depends on how long it has waited already.
    run(&format!("docker start {}", crew.names().collect::<Vec<_>>().join(" ")));
    crew.comes_back(&scene);
}

/// Starts a container on a driver that dies after so many steps, and removes it; whether the driver died. What a start that
/// failed has left must not keep the next one from succeeding.
fn start_on_mortal(scene: &Scene, arguments: &str, steps: u32) -> bool {
    let start = || scene.try_container("one", &format!("--net=db_net {arguments} alpine sleep 1d"));
    Driver::get().replace_by_mortal(steps);
    let over = AtomicBool::new(false);
    let (died, one) = std::thread::scope(|scope| {
        // Somebody starts it again at once, as systemd does.
        let watch = scope.spawn(|| Driver::get().start_again_if_it_dies(&over));
        let one = start();
        over.store(true, Ordering::Relaxed);
        (watch.join().expect("the thread that watches"), one)
    });
    if !died {
        Driver::get().kill();
        Driver::get().start_again();
    }
    let one = one.unwrap_or_else(|sentence| {
        // The engine asks again, but without what it has sent already.
        refused_with(&sentence, &["the request has an empty body", "try again"]);
        scene.remove_containers(&["one"]);
        start().unwrap_or_else(|error| panic!("after {steps} steps, and again: {error}"))
    });
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    NEIGHBOUR.reaches(&one.address("db_net"));
    scene.has_no_faults();
    scene.remove_containers(&["one"]);
    assert_eq!(endpoints(), 0);
    died
}

#[test]
fn a_driver_that_dies_at_any_step_of_a_start_keeps_no_container_from_starting_again() {
    let scene = Scene::begin();
    scene.network(&format!("{LAN} db_net"));
    let last = (1..).find(|steps| !start_on_mortal(&scene, "--ip=192.168.1.70", *steps));
    assert!(last.is_some_and(|steps| steps > 5), "{last:?}");
}

#[test]
fn an_address_that_nobody_heard_of_is_free_in_the_next_life_of_the_engine() {
    let scene = Scene::begin();
    scene.network(&format!("{LEASED} {LAN} db_net"));
    // It is dealt, and that is all. The next one is given back by the engine, as it knows of that one.
    for steps in [1, 2] {
        assert!(start_on_mortal(&scene, "", steps));
        assert_eq!(held_addresses(), ["192.168.1.1 gateway", "192.168.1.96 claim"], "after {steps} steps");
    }
    run("engine stop");
    run("engine start");
    holds_only(&["192.168.1.1"], &[]);
}

#[test]
fn containers_outlive_the_engine_with_live_restore() {
    let scene = Scene::begin();
    scene.restart_engine("--live-restore");
    scene.network(&format!("{LAN} db_net"));
    scene.network_of("bridge", "--subnet=172.30.0.0/24 inside");
    let one = scene.container("one", "--net=db_net --ip=192.168.1.70 alpine sleep 1d");
    let both = scene.container("both", "--net=db_net --ip=192.168.1.71 alpine sleep 1d");
    run("docker network connect inside both");
    scene.network(&format!("{LEASED} {LAN} leased"));
    let leased = scene.container("leased", "--net=leased alpine sleep 1d");
    let (before, held) = (one.interface("eth0"), held_addresses());

    let inside = format!("nsenter --net --target {}", one.pid());
    run("engine stop");
    for address in ["192.168.1.70", "192.168.1.71", "192.168.1.96"] {
        NEIGHBOUR.reaches(address);
        ROUTER.reaches(address);
    }
    run(&format!("{inside} ping -q -n -c 1 -w 8 192.168.1.200"));
    run("engine start --live-restore");
    assert_eq!((one.interface("eth0"), held_addresses()), (before, held));
    assert_eq!(endpoints(), 3);
    scene.has_no_faults();

    // What lived through it can be taken apart as if nothing had been.
    run("docker network disconnect db_net both");
    assert_eq!(endpoints(), 2);
    Host.reaches(&both.address("inside"));
    run("docker network connect --ip=192.168.1.72 db_net both");
    run("docker network disconnect inside both");
    NEIGHBOUR.reaches("192.168.1.72");
    run("docker restart --time 0 one leased");
    NEIGHBOUR.reaches("192.168.1.70");
    let dealt = leased.address("leased");
    NEIGHBOUR.reaches(&dealt);
    holds_only(&["192.168.1.1", "192.168.1.1"], &["192.168.1.70", "192.168.1.72", &dealt]);
    scene.has_no_faults();
}
