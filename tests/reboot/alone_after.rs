//! A boot without Docker and without a daemon: what died with the machine is found dead by whoever needs its address.

use crate::alone::{address, container, namespace, pod, pods};
use crate::machine::{begin_again, faults, noted, our_links, verdicts};
use crate::world::{NEIGHBOUR, ROUTER, Standpoint, held_addresses, recorded_networks, run};

#[test]
fn everybody_comes_back_with_the_address_that_it_had() {
    begin_again();
    assert_eq!(verdicts(), ["dead"; 4], "what ran when the power went");
    run("modprobe dummy numdummies=0");
    run("podman start web db");
    // The runtime forgets its containers with a boot, and makes the pod again.
    let (shed, db) = (namespace("shed"), namespace("db"));
    pod("c2", db).call("ADD", &pods()).done();
    run(&format!("ipvland attach shells --netns {} --name shed", shed.path()));

    let addresses = [address(&container("web")), address(&shed), address(&db)];
    assert_eq!(addresses.join(" "), noted("addresses"));
    for address in &addresses {
        NEIGHBOUR.reaches(address.split('/').next().expect("an address"));
    }
    container("db").interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    ROUTER.reaches("192.168.10.70");
    run("ipvland repair");
    assert_eq!((verdicts(), faults()), (vec!["lives".to_owned(); 4], vec![]));

    // It is told of the old container late.
    pod("c1", db).nowhere().call("DEL", &pods()).done();
    pod("c2", db).call("DEL", &pods()).done();
    run(&format!("ipvland detach shells --netns {}", shed.path()));
    run("podman rm --force --time 0 web db");
    assert_eq!(recorded_networks(), ["shells"]);
    run("ipvland network rm shells");
    assert_eq!((held_addresses(), our_links()), (vec![], vec![]));
}
