//! `make install` and `make uninstall`, from the script that both call.

use crate::machine::{Machine, active, traces};
use crate::world::{NEIGHBOUR, Standpoint, attempt, run};

fn script(verb: &str, force: &str) -> Result<String, String> {
    attempt(&format!("env BUILT=/opt/ipvland/bin/ipvland-built FORCE={force} /src/packaging/install {verb}"))
}

#[test]
fn installed_from_source_it_says_what_to_do_next_and_leaves_nothing() {
    let machine = Machine::begin();
    let said = script("install", "").expect("it installs");
    assert!(said.contains("next: systemctl enable --now ipvland.socket"), "{said}");
    assert_eq!(active(), (false, false), "nothing is started unasked");
    for link in ["/usr/local/lib/netavark/ipvland", "/opt/cni/bin/ipvland"] {
        assert_eq!(run(&format!("realpath {link}")), "/usr/local/bin/ipvland");
    }
    run("systemctl enable --now ipvland.socket");
    machine.network("lan");
    let one = machine.container("one", "lan", "");
    one.interface("eth0").is_slave_on("eth0", "l2/bridge");
    run("ipvland status");

    let before = traces();
    let said = script("install", "").expect("it installs over itself");
    assert!(said.contains("a daemon that ran is now this one"), "{said}");
    assert_eq!((traces(), active()), (before, (true, true)));
    NEIGHBOUR.reaches(&one.address("lan"));

    machine.remove_all();
    script("uninstall", "").expect("no network needs it");
    assert_eq!(traces(), [""; 0]);
}

#[test]
fn uninstalling_is_refused_while_a_network_needs_it_unless_forced() {
    let machine = Machine::begin();
    script("install", "").expect("it installs");
    run("systemctl enable --now ipvland.socket");
    let id = machine.network("lan");
    let one = machine.container("one", "lan", "");
    let before = traces();
    let refusal = script("uninstall", "").expect_err("a network needs it");
    for part in [&id[..12], "docker network rm", "make uninstall FORCE=1"] {
        assert!(refusal.contains(part), "`{part}` was expected in: {refusal}");
    }
    assert_eq!((traces(), active()), (before, (true, true)));

    let said = script("uninstall", "1").expect("it is forced");
    assert!(said.contains("the ledger stays"), "{said}");
    assert!(attempt("which ipvland").is_err());
    NEIGHBOUR.reaches(&one.address("lan"));

    script("install", "").expect("it installs again");
    run("systemctl enable --now ipvland.socket");
    assert!(run("ipvland network ls").contains(&id[..12]), "it goes on from the ledger");
    machine.container("two", "lan", "");
    machine.remove_all();
    script("uninstall", "").expect("no network needs it any more");
}
