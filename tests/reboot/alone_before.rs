//! All is built, without Docker and without a daemon, and runs when the power goes.

use crate::alone::{address, container, namespace, pod, pods};
use crate::machine::{boot_id, faults, note};
use crate::world::{NEIGHBOUR, Standpoint, run};

#[test]
fn all_runs_when_the_power_goes() {
    for module in ["dummy numdummies=0", "ipvlan"] {
        run(&format!("modprobe {module}"));
    }
    run("engine images podman");
    let subnet = "--subnet 192.168.1.0/24 --gateway 192.168.1.1 -o parent=eth0";
    run(&format!("podman network create -d ipvland {subnet} lan"));
    run("podman network create -d ipvland --subnet 192.168.10.0/24 --gateway 192.168.10.1 -o parent=eth0.10 ten");
    run("podman run -d --name web --network lan alpine sleep 1d");
    run("podman run -d --name db --network ten:ip=192.168.10.70 alpine sleep 1d");
    let (shed, db) = (namespace("shed"), namespace("db"));
    run(&format!("ipvland network create {subnet} shells"));
    run(&format!("ipvland attach shells --netns {} --name shed", shed.path()));
    pod("c1", db).call("ADD", &pods()).done();

    let addresses = [address(&container("web")), address(&shed), address(&db)];
    for address in &addresses {
        NEIGHBOUR.reaches(address.split('/').next().expect("an address"));
    }
    assert_eq!(faults(), [""; 0]);
    note("boot id", &boot_id());
    note("addresses", &addresses.join(" "));
    // Endpoints are not written through, as they do not outlive their links. The next life is to find some all the same.
    run("sync");
}
