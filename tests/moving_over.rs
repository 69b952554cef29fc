//! From Docker's own drivers to this one, by the recipe of `docs/moving-over.md`: its commands are run as they stand there.

use crate::world::{Container, NEIGHBOUR, Scene, Standpoint, run};

/// The commands of the page that begin with this, without their prompt.
fn recipe(beginning: &str) -> Vec<String> {
    let page = std::fs::read_to_string("docs/moving-over.md").expect("the scenarios run in the checkout");
    let commands = page.lines().filter_map(|line| line.strip_prefix("$ ")).filter(|line| line.starts_with(beginning));
    commands.map(str::to_owned).collect()
}

/// Follows the recipe with the container `db` on `db_net`, as some driver has it.
#[track_caller]
fn move_over(scene: &Scene, db: &Container) {
    assert_eq!(db.address("db_net"), "192.168.1.5");
    let before = db.pid();
    for command in recipe("docker network ") {
        // The one with quotes in it only shows what the page says.
        if !command.contains("--format") {
            run(&command);
        }
    }
    assert_eq!(db.pid(), before, "the container ran all the while");
    assert_eq!(db.address("db_net"), "192.168.1.5");
    assert_eq!(scene.inspect_network("db_net")["Driver"], "ipvland");
    on_the_lan(db);
    run("docker restart --time 0 db");
    assert_eq!(db.address("db_net"), "192.168.1.5", "and after a restart");
    on_the_lan(db);
    scene.has_no_faults();
}

/// Engines before 28 count on for the name of an interface that comes back.
fn on_the_lan(db: &Container) {
    let name = db.interfaces().into_iter().find(|name| name != "lo").expect("it has an interface");
    db.interface(&name).is_slave_on("eth0", "l2/bridge");
    assert_eq!(db.interface(&name).addresses, ["192.168.1.5/24"]);
    assert_eq!(db.default_route(), format!("default via 192.168.1.1 dev {name}"));
    db.reaches("192.168.1.1");
    NEIGHBOUR.reaches("192.168.1.5");
}

const LAN: &str = "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0";

#[test]
fn a_running_container_moves_from_ipvlan_and_keeps_its_address() {
    let scene = Scene::begin();
    scene.network_of("ipvlan", &format!("{LAN} -o ipvlan_mode=l2 db_net"));
    // Whatever a scenario before has left there: Docker's own drivers do not announce.
    NEIGHBOUR.run("ip neigh flush dev lan0");
    let db = scene.container("db", "--net=db_net --ip=192.168.1.5 alpine sleep 1d");
    NEIGHBOUR.reaches("192.168.1.5");
    move_over(&scene, &db);
}

#[test]
fn a_running_container_moves_from_macvlan_and_keeps_its_address() {
    let scene = Scene::begin();
    scene.network_of("macvlan", &format!("{LAN} -o macvlan_mode=bridge db_net"));
    // Whatever a scenario before has left there: Docker's own drivers do not announce.
    NEIGHBOUR.run("ip neigh flush dev lan0");
    let db = scene.container("db", "--net=db_net --ip=192.168.1.5 alpine sleep 1d");
    // The neighbour now knows the address at the container's own MAC, and must be told of the parent's.
    NEIGHBOUR.reaches("192.168.1.5");
    move_over(&scene, &db);
}

#[test]
fn a_compose_file_moves_over_by_its_driver_alone() {
    let scene = Scene::begin();
    let (file, project) = ("/tmp/moving.yaml", "docker-compose --project-name moving --file /tmp/moving.yaml");
    let with_driver = |driver: &str| {
        let readme = std::fs::read_to_string("README.md").expect("the scenarios run in the checkout");
        let block = readme.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).expect("it has a file");
        std::fs::write(file, block.0.replace("driver: ipvland", &format!("driver: {driver}"))).expect("/tmp is there");
    };
    with_driver("ipvlan");
    scene.by_hand(&format!("{project} up --detach"), &format!("{project} down"));
    assert_eq!(NEIGHBOUR.page("http://192.168.1.80/"), "<h1>Welcome to nginx!</h1>");

    with_driver("ipvland");
    run(&format!("{project} down"));
    run(&format!("{project} up --detach"));
    assert_eq!(Container("web".into()).interface("eth0").addresses, ["192.168.1.80/24"]);
    assert_eq!(NEIGHBOUR.page("http://192.168.1.80/"), "<h1>Welcome to nginx!</h1>");
    assert_eq!(scene.inspect_network("moving_lan")["Driver"], "ipvland");
    scene.has_no_faults();
}
