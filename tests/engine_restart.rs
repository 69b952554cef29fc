//! The engine stops and starts again, with and without live-restore.

use crate::world::{Host, NEIGHBOUR, ROUTER, Scene, Standpoint, ipvland_json, run, wait_until};

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";

fn endpoints() -> usize {
    ipvland_json("status")["endpoints"].as_array().expect("a list").len()
}

#[test]
fn networks_and_their_links_outlive_the_engine_and_containers_come_back() {
    let scene = Scene::begin();
    scene.network(&format!("{LAN} db_net"));
    scene.network("--subnet=192.168.70.0/24 -o parent=eth0.70 seventy");
    let one =
        scene.container("one", "--net=db_net --ip=192.168.1.70 --restart=always --stop-signal=KILL alpine sleep 1d");
    let two = scene.container("two", "--net=seventy --ip=192.168.70.70 --stop-signal=KILL alpine sleep 1d");
    let link = Host.interface("eth0.70");

    run("engine stop");
    assert_eq!(Host.interface("eth0.70"), link);
    run("engine start");
    wait_until("the container is back", || one.inspect()["State"]["Running"] == true);
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(one.address("db_net"), "192.168.1.70");
    NEIGHBOUR.reaches("192.168.1.70");

    assert_eq!(Host.interface("eth0.70"), link);
    assert_eq!(two.inspect()["State"]["Running"], false, "nobody asked for it");
    wait_until("nothing is left of it", || endpoints() == 1);
    run("docker start two");
    two.interface("eth0").is_slave_on("eth0.70", "l2/bridge");
    scene.has_no_faults();
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
