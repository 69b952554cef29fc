//! The engine stops or dies and starts again, alone or together with the driver, with and without live-restore.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::world::{
    Container, Driver, Host, NEIGHBOUR, ROUTER, Scene, Standpoint, ipvland_json, refused_with, run, wait_until,
};

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";

fn endpoints() -> usize {
    ipvland_json("status")["endpoints"].as_array().expect("a list").len()
}

/// Three containers, of which two are to be restarted: one with an address of its own choice, one with any.
struct Crew {
    restarted: Vec<(Container, String)>,
    /// Stays down until somebody starts it.
    idle: Container,
}

impl Crew {
    fn begin(scene: &Scene) -> Self {
        scene.network(&format!("{LAN} db_net"));
        scene.network("--subnet=192.168.70.0/24 --gateway=192.168.70.1 -o parent=eth0.70 seventy");
        let container = |name, arguments: &str| {
            scene.container(name, &format!("--net={arguments} --stop-signal=KILL alpine sleep 1d"))
        };
        let fixed = container("fixed", "db_net --ip=192.168.1.70 --restart=always");
        let dealt = container("dealt", "db_net --restart=always");
        let idle = container("idle", "seventy");
        let restarted = [fixed, dealt].map(|container| {
            let address = container.address("db_net");
            (container, address)
        });
        Self { restarted: restarted.into(), idle }
    }

    fn is_reached(&self) {
        self.restarted.iter().for_each(|(_, address)| NEIGHBOUR.reaches(address));
    }

    /// Those to be restarted are there again with the addresses they had, and nothing else is.
    fn comes_back(&self, scene: &Scene) {
        for (container, address) in &self.restarted {
            wait_until("it runs again", || container.inspect()["State"]["Running"] == true);
            container.interface("eth0").is_slave_on("eth0", "l2/bridge");
            assert_eq!(container.address("db_net"), *address);
        }
        self.is_reached();
        assert_eq!(self.idle.inspect()["State"]["Running"], false, "nobody asked for it");
        wait_until("nothing is left of it", || endpoints() == self.restarted.len());
        run("docker start idle");
        self.idle.interface("eth0").is_slave_on("eth0.70", "l2/bridge");
        scene.has_no_faults();
    }
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
    for (container, _) in &crew.restarted {
        // Whether the engine still tries by itself depends on how long it has waited already.
        run(&format!("docker start {}", container.0));
    }
    crew.comes_back(&scene);
}

#[test]
fn a_driver_that_dies_at_any_step_of_a_start_keeps_no_container_from_starting_again() {
    let scene = Scene::begin();
    scene.network(&format!("{LAN} db_net"));
    let start = || scene.try_container("one", "--net=db_net --ip=192.168.1.70 alpine sleep 1d");
    let last = (1..).find(|steps| {
        Driver::get().replace_by_mortal(*steps);
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
        NEIGHBOUR.reaches("192.168.1.70");
        scene.has_no_faults();
        scene.remove_containers(&["one"]);
        assert_eq!(endpoints(), 0);
        !died
    });
    assert!(last.is_some_and(|steps| steps > 5), "{last:?}");
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
    let before = one.interface("eth0");

    let inside = format!("nsenter --net --target {}", one.pid());
    run("engine stop");
    for address in ["192.168.1.70", "192.168.1.71"] {
        NEIGHBOUR.reaches(address);
        ROUTER.reaches(address);
    }
    run(&format!("{inside} ping -q -n -c 1 -w 8 192.168.1.200"));
    run("engine start --live-restore");
    assert_eq!(one.interface("eth0"), before);
    assert_eq!(endpoints(), 2);
    scene.has_no_faults();

    // What lived through it can be taken apart as if nothing had been.
    run("docker network disconnect db_net both");
    assert_eq!(endpoints(), 1);
    Host.reaches(&both.address("inside"));
    run("docker network connect --ip=192.168.1.72 db_net both");
    run("docker network disconnect inside both");
    NEIGHBOUR.reaches("192.168.1.72");
    run("docker restart --time 0 one");
    NEIGHBOUR.reaches("192.168.1.70");
    scene.has_no_faults();
}
