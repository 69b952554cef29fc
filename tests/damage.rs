//! A ledger that is lost or cannot be used: what lives goes on, and nothing is given out twice.

use std::os::unix::fs::FileExt;

use crate::world::{
    Driver, NEIGHBOUR, Scene, Standpoint, attempt, ipvland_json, recorded_networks, refused_with, run, wait_until,
};

const LEDGER: &str = "/var/lib/ipvland/ledger.db";

#[test]
fn a_damaged_ledger_is_put_aside_and_what_lives_is_found_again() {
    let scene = Scene::begin();
    // Of the first, Docker will tell no gateway.
    scene.network("--subnet=192.168.1.0/24 -o parent=eth0 db_net");
    scene.network("--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10 tagged");
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    let two = scene.container("two", "--net=tagged alpine sleep 1d");
    let address = one.address("db_net");
    let (networks, before) = (recorded_networks(), one.interface("eth0"));

    Driver::get().kill();
    let file = std::fs::OpenOptions::new().write(true).open(LEDGER).expect("the ledger is there");
    file.write_all_at(&[0xa5; 4000], 100).expect("it can be written");
    let _ = std::fs::remove_file(format!("{LEDGER}-wal"));
    Driver::get().start_again();
    wait_until("it is seen", || scene.log().contains("the ledger is damaged and was put aside"));
    wait_until("both endpoints are found", || scene.log().contains("was found again by its marks endpoints=2"));
    assert_eq!(ipvland_json("status")["endpoints"].as_array().map(Vec::len), Some(2));
    assert!(std::path::Path::new(&format!("{LEDGER}.damaged-1")).exists());
    wait_until("Docker was asked for the networks", || {
        ipvland_json("network ls").to_string().matches("\"gateway\":\"192.168.").count() == 2
    });
    assert_eq!(recorded_networks(), networks);
    assert_eq!(one.interface("eth0"), before);

    // Nothing is given out twice, and new containers find their router.
    let sentence = scene.refused_container("thief", &format!("--net=db_net --ip={address} alpine sleep 1d"));
    assert!(sentence.contains("in use") || sentence.contains("is held by"), "{sentence}");
    let new = scene.container("new", "--net=db_net alpine sleep 1d");
    assert_eq!(new.default_route(), "default via 192.168.1.1 dev eth0");
    NEIGHBOUR.reaches(&new.address("db_net"));
    scene.has_no_faults();

    // The VLAN link is known as ours: it goes with its network.
    scene.remove_containers(&["two"]);
    scene.remove_network("tagged");
    drop(two);
    assert!(!std::path::Path::new("/sys/class/net/eth0.10").exists());
    run(&format!("rm {LEDGER}.damaged-1"));
}

#[test]
fn a_full_disk_is_said_and_changes_nothing_and_what_runs_goes_on() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    // The ledger's folder is in memory, and may be made as small as it is full.
    scene.by_hand("mount -o remount,size=8m /var/lib/ipvland", "mount -o remount,size=50% /var/lib/ipvland");
    let filled = std::process::Command::new("sh")
        .args(["-c", "dd if=/dev/zero of=/var/lib/ipvland/ballast bs=4k 2>/dev/null; true"])
        .status();
    assert!(filled.is_ok_and(|status| status.success()));
    // What there is room for in its log is done still.
    let reserve = |number: &u8| attempt(&format!("ipvland reserve {number:0>250} 10.9.0.{number}")).is_ok();
    let reserved: Vec<u8> = (0..250).take_while(reserve).collect();
    assert!(reserved.len() < 250, "the log has room without end");
    let sentence = scene.refused_container("two", "--net=db_net alpine sleep 1d");
    refused_with(&sentence, &["the ledger cannot be used", "check the disk and the rights of its folder"]);
    NEIGHBOUR.reaches(&one.address("db_net"));
    assert!(Driver::get().is_running());

    run("rm /var/lib/ipvland/ballast");
    reserved.iter().for_each(|number| drop(run(&format!("ipvland unreserve 10.9.0.{number}"))));
    scene.remove_containers(&["two"]);
    let two = scene.container("two", "--net=db_net alpine sleep 1d");
    two.reaches(&one.address("db_net"));
    scene.has_no_faults();
}

#[test]
fn a_ledger_that_cannot_be_written_is_said_and_changes_nothing_and_what_runs_goes_on() {
    let scene = Scene::begin();
    scene.network("--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 db_net");
    let one = scene.container("one", "--net=db_net alpine sleep 1d");
    // Nobody may have it open for that.
    Driver::get().kill();
    scene.by_hand("mount -o remount,ro /var/lib/ipvland", "mount -o remount,rw /var/lib/ipvland");
    Driver::get().start_again();
    let sentence = scene.refused_container("two", "--net=db_net alpine sleep 1d");
    refused_with(&sentence, &["the ledger can be read and not written", "check the disk and the rights of its folder"]);
    assert_eq!(ipvland_json("status")["endpoints"].as_array().map(Vec::len), Some(1), "it is still told of");
    NEIGHBOUR.reaches(&one.address("db_net"));
    assert!(Driver::get().is_running());

    run("mount -o remount,rw /var/lib/ipvland");
    scene.remove_containers(&["two"]);
    let two = scene.container("two", "--net=db_net alpine sleep 1d");
    two.reaches(&one.address("db_net"));
    scene.has_no_faults();
}
