//! Networks and attachments of a person at a shell, as far as they get without the kernel's ipvlan: refusals, each of which
//! leaves nothing behind.

use std::process::Output;

use serde_json::{Value, json};

use crate::daemon::Folder;

fn run(folder: &Folder, command: &str) -> Output {
    folder.ipvland().args(command.split_whitespace()).output().unwrap()
}

/// What an output says on stderr.
fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn refused(folder: &Folder, command: &str, sentence: &str) {
    let output = run(folder, command);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{command}: {output:?}");
    assert_eq!(said(&output), format!("error: {sentence}\n"), "{command}");
}

/// Nothing is on record, and nothing is set aside.
#[track_caller]
fn is_empty(folder: &Folder) {
    let read = |command: &str| -> Value { serde_json::from_slice(&run(folder, command).stdout).unwrap() };
    assert_eq!(read("network ls --output json"), json!([]));
    assert_eq!(read("addresses --output json"), json!({ "addresses": [], "pools": [] }));
}

#[test]
fn a_network_that_cannot_be_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let check = |flags: &str, sentence: &str| refused(&folder, &format!("network create lan {flags}"), sentence);
    check("-o paren=eth0", "there is no option `paren`; did you mean `parent`?");
    check(
        "-o ipvlan_mode=l4 --subnet 192.0.2.0/24",
        "option `ipvlan_mode`: `l4` was given and l2, l3 or l3s was expected; pass a value that `ipvlan_mode` takes, or leave \
         it out",
    );
    check("--ipam-opt exlude=192.0.2.9", "there is no option `exlude`; did you mean `exclude`?");
    check(
        "",
        "addresses of IPv4 are to be dealt, and neither a subnet nor a parent is named\n\
         hint: pass --subnet, or `--ipam-opt parent=IFACE` to take the subnet of that link's own address",
    );
    check("--ip-range 192.0.2.0/28", "a range is named and no subnet\nhint: pass --subnet too");
    check(
        "--subnet 192.0.2.0/24 --gateway 198.51.100.1",
        "gateway 198.51.100.1 is in none of the subnets 192.0.2.0/24; pass one that is, or --subnet for it",
    );
    check(
        "--subnet 192.0.2.0/24 --aux-address nas=198.51.100.9",
        "auxiliary address 198.51.100.9 is in none of the subnets 192.0.2.0/24; pass one that is, or --subnet for it",
    );
    check(
        "--subnet 192.0.2.0/24 --subnet 192.0.2.128/25",
        "subnets 192.0.2.0/24 and 192.0.2.128/25 overlap; pass subnets that do not, or make a network of each",
    );
    let missing = "parent `nosuch0` is no link of this host\n\
                   hint: name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made";
    check("-o parent=nosuch0", missing);
    check(
        "-o parent=nosuch0 --subnet 192.0.2.0/24,2001:db8::/64 --gateway 192.0.2.1 --aux-address a=192.0.2.9",
        missing,
    );
    check(
        "--internal --subnet 192.0.2.0/24 -o segment=cellar --ipam-opt segment=attic",
        "the network is in segment `cellar` and its addresses are dealt in segment `attic`\n\
         hint: pass the same name twice, as `-o segment=` and as `--ipam-opt segment=`",
    );
    is_empty(&folder);
}

#[test]
fn what_is_no_network_is_wrong_usage() {
    let folder = Folder::new();
    for flags in [
        "a/b --subnet 192.0.2.0/24",
        "lan --subnet 192.0.2.0",
        "lan --gateway router",
        "lan -o parent",
        "lan --aux-address 192.0.2.9",
        "lan --aux-address nas=nowhere",
        "lan -o json",
        "",
    ] {
        let output = run(&folder, &format!("network create {flags}"));
        assert_eq!(output.status.code(), Some(2), "{flags}: {output:?}");
    }
}

#[test]
fn networks_that_are_not_there_are_not_removed() {
    let folder = Folder::new();
    let output = run(&folder, "network rm lan dmz --output json");
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told, json!({ "removed": [] }));
    let each =
        |name: &str| format!("error: there is no network {name}\nhint: `ipvland network ls` lists those there are\n");
    assert_eq!(said(&output), each("lan") + &each("dmz"));
    assert_eq!(run(&folder, "network rm").status.code(), Some(2));
}

#[test]
fn an_attachment_needs_a_network_and_a_namespace() {
    let folder = Folder::new();
    for command in ["attach lan --netns web", "attach lan --pid 1", "detach lan --name web"] {
        refused(&folder, command, "there is no network lan\nhint: `ipvland network ls` lists those there are");
    }
    for command in [
        "attach lan",
        "attach lan --netns web --pid 1",
        "attach lan --netns jails/web",
        "attach lan --pid self",
        "attach lan --netns web --ip 192.0.2.7/24",
        "attach lan --netns web --ifname a/b",
        "detach lan",
        "detach lan --name web --pid 1",
    ] {
        assert_eq!(run(&folder, command).status.code(), Some(2), "{command}");
    }
}
