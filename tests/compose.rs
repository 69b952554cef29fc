//! The compose file of the README: up, down and up again.

use crate::world::{Container, NEIGHBOUR, Scene, Standpoint, recorded_networks, run};

/// The README's one block of YAML.
fn compose_file() -> String {
    let readme = std::fs::read_to_string("README.md").expect("the scenarios run in the checkout");
    let block = readme.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```"));
    block.expect("the README has a compose file").0.to_owned()
}

#[test]
fn the_documented_file_comes_up_goes_down_and_comes_up_again() {
    let scene = Scene::begin();
    let file = "/tmp/documented.yaml";
    std::fs::write(file, compose_file()).expect("/tmp can be written");
    let compose = format!("docker-compose --project-name documented --file {file}");
    let web = Container("web".into());

    for _ in 0..2 {
        scene.by_hand(&format!("{compose} up --detach"), &format!("{compose} down"));
        let eth0 = web.interface("eth0");
        eth0.is_slave_on("eth0", "l2/bridge");
        assert_eq!(eth0.addresses, ["192.168.1.80/24"]);
        assert_eq!(web.default_route(), "default via 192.168.1.1 dev eth0");
        assert_eq!(NEIGHBOUR.page("http://192.168.1.80/"), "<h1>Welcome to nginx!</h1>");
        scene.has_no_faults();
        run(&format!("{compose} down"));
        assert_eq!(recorded_networks(), [""; 0]);
    }
}
