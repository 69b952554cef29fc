//! One life of the machine, and what it knows of the ones before.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::world::{ipvland_json, links_named, run};

/// On the disk that outlives the machine.
const NOTES: &str = "/disk/notes";

/// Notes something for a later life.
pub(crate) fn note(name: &str, text: &str) {
    std::fs::create_dir_all(NOTES).expect("the machine has a disk: lab/lab run --disk");
    let mut file = File::create(Path::new(NOTES).join(name)).expect("the disk can be written");
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).expect("the disk can be written");
    // A new file is on the disk when its folder is.
    File::open(NOTES).and_then(|folder| folder.sync_all()).expect("the disk can be written");
}

/// What an earlier life has noted.
#[track_caller]
pub(crate) fn noted(name: &str) -> String {
    std::fs::read_to_string(Path::new(NOTES).join(name))
        .unwrap_or_else(|error| panic!("no earlier life has noted {name}: {error}"))
}

/// Begins another life: the kernel is another one, and shows nothing of what was.
pub(crate) fn begin_again() {
    assert_ne!(boot_id(), noted("boot id"), "the machine has not booted since");
    note("boot id", &boot_id());
    assert_eq!(our_links(), [""; 0], "a kernel that has just booted");
}

/// The kernel's name for this life.
pub(crate) fn boot_id() -> String {
    run("cat /proc/sys/kernel/random/boot_id")
}

/// The links that are ours by their names: VLAN links, dummies, sentinels and slaves on their way.
pub(crate) fn our_links() -> Vec<String> {
    ["eth0.", "dum7.", "ivd-", "ipl"].into_iter().flat_map(links_named).collect()
}

/// The networks on record, in the order of their ids. With or without a driver that runs, and an engine that tells what they are
/// called.
#[track_caller]
pub(crate) fn record() -> String {
    let mut networks = ipvland_json("network ls").as_array().expect("a list").clone();
    networks.iter_mut().filter_map(Value::as_object_mut).for_each(|network| drop(network.remove("name")));
    networks.sort_by_key(|network| network["id"].to_string());
    Value::from(networks).to_string()
}

/// The endpoints on record, each by its verdict.
#[track_caller]
pub(crate) fn verdicts() -> Vec<String> {
    let status = ipvland_json("status");
    let endpoints = status["endpoints"].as_array().expect("a list");
    endpoints.iter().map(|endpoint| endpoint["verdict"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What is wrong, a sentence each.
#[track_caller]
pub(crate) fn faults() -> Vec<String> {
    let status = ipvland_json("status");
    let faults = status["faults"].as_array().expect("a list");
    faults.iter().map(|fault| fault.as_str().unwrap_or_default().to_owned()).collect()
}
