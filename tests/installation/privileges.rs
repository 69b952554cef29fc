//! What the unit allows the daemon: enough for all it does, and not more than `docs/installing.md` says.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::machine::{Machine, active, property};
use crate::world::{NEIGHBOUR, ROUTER, Standpoint, attempt, call, post, run, wait_until};

/// Bits of `include/uapi/linux/capability.h`.
const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;
const SYS_ADMIN: u64 = 1 << 21;

const INSTALLING: &str = "/src/docs/installing.md";

#[test]
fn it_has_three_capabilities_and_writes_in_its_own_folders_only() {
    let machine = Machine::with_package();
    machine.network("lan");
    let daemon = property("ipvland.service", "MainPID");
    let status = fs::read_to_string(format!("/proc/{daemon}/status")).expect("the daemon runs");
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    let capabilities = |name| u64::from_str_radix(field(name), 16).expect("a mask");
    for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
        assert_eq!(capabilities(set), NET_ADMIN | NET_RAW | SYS_ADMIN, "{set}");
    }
    assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1", "2"));

    // With the daemon's eyes, and all of root's capabilities.
    let beside_it = |command: &str| attempt(&format!("nsenter --mount --target {daemon} {command}"));
    for folder in ["/var/lib/ipvland", "/run/ipvland"] {
        beside_it(&format!("touch {folder}/trial")).expect(folder);
        run(&format!("rm {folder}/trial"));
    }
    let others = ["/etc/trial", "/usr/bin/trial", "/var/lib/trial", "/run/trial", "/run/docker/plugins/trial"];
    for file in others.into_iter().chain(["/proc/sys/kernel/panic"]) {
        let refused = beside_it(&format!("touch {file}")).expect_err(file);
        assert!(refused.contains("Read-only file system"), "{file}: {refused}");
    }
}

#[test]
fn its_exposure_is_what_the_documentation_says() {
    let _machine = Machine::with_package();
    let rated = run("systemd-analyze security --no-pager ipvland.service");
    let is = number_after(&rated, "Overall exposure level for ipvland.service: ");
    let documented = fs::read_to_string(INSTALLING).expect("the checkout is there");
    let may_be = number_after(&documented, "the exposure of the unit is ");
    assert!(is <= may_be, "{is} and not {may_be}: {rated}");
}

#[track_caller]
fn number_after(text: &str, words: &str) -> f64 {
    let rest = text.split(words).nth(1).unwrap_or_else(|| panic!("`{words}` was expected in: {text}"));
    let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    number.trim_end_matches('.').parse().expect("a number")
}

#[test]
fn every_kind_of_network_works_and_modules_are_loaded_on_demand() {
    let machine = Machine::with_package();
    run("modprobe --remove ipvlan dummy");
    let loaded = |module: &str| attempt(&format!("grep -q ^{module} /proc/modules")).is_ok();
    assert_eq!((loaded("ipvlan"), loaded("dummy")), (false, false));

    machine.network_of("lan", "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth1");
    machine.network_of("vlan", "--subnet=192.168.10.0/24 --gateway=192.168.10.1 -o parent=eth0.10");
    machine.network_of("routed", "--subnet=192.168.214.0/24 -o parent=eth0 -o ipvlan_mode=l3");
    machine.network_of("alone", "--subnet=192.168.11.0/24 --internal");
    assert_eq!((loaded("ipvlan"), loaded("dummy")), (true, true));

    // The neighbour has another machine's MAC for the address, and does not ask: it must be told.
    let address = "192.168.1.77";
    NEIGHBOUR.run(&format!("ip neigh replace {address} lladdr 02:00:00:00:00:99 dev lan0 nud stale"));
    let told = machine.start("one", "lan", &format!("--ip={address}"));
    let mac = told.interface("eth0").mac;
    wait_until("the neighbour knows", || NEIGHBOUR.run(&format!("ip neigh show {address}")).contains(&mac));
    machine.container("two", "vlan", "").interface("eth0").is_slave_on("eth0.10", "l2/bridge");
    machine.container("three", "routed", "").interface("eth0").is_slave_on("eth0", "l3/bridge");
    machine.start("four", "alone", "--ip=192.168.11.4");
    machine.start("five", "alone", "").reaches("192.168.11.4");
    run("ipvland status");

    machine.remove_all();
    assert!(attempt("ip link show eth0.10").is_err(), "the VLAN link is left");
    assert_eq!(status()["endpoints"], json!([]));
}

fn status() -> Value {
    run("ipvland status --output json").parse().expect("ipvland prints JSON")
}

#[test]
fn what_is_mounted_after_its_start_is_in_its_sight() {
    let machine = Machine::with_package();
    machine.drop_in("[Service]\nEnvironment=IPVLAND_LOG=debug\n");
    machine.network("lan");
    let daemon = property("ipvland.service", "MainPID");
    let own = |of: &str| fs::read_link(format!("/proc/{of}/ns/mnt")).expect("it runs");
    assert_ne!(own(&daemon), own("self"), "it has a mount namespace of its own");

    let one = machine.container("one", "lan", "");
    let sandbox = one.inspect()["NetworkSettings"]["SandboxKey"].as_str().expect("it has one").to_owned();
    // Docker writes /var/run.
    let sandbox = fs::canonicalize(sandbox).expect("it is there").display().to_string();
    let sees = |daemon: &str, sandbox: &str| {
        fs::read_to_string(format!("/proc/{daemon}/mountinfo")).expect("it runs").contains(sandbox)
    };
    assert!(sees(&daemon, &sandbox), "it sees {sandbox}");

    // In a new life of Docker, an endpoint whose slave it does not see is dead.
    activate();
    it_lives();
    // Docker's API is asked.
    wait_until("the record is compared with what Docker remembers", || {
        journal().contains("the record was compared with what the engine remembers")
    });

    // What Docker does when a container ends, of which nobody tells. Docker itself removes the file within a minute.
    let gone = "/run/docker/netns/gone";
    run(&format!("touch {gone}"));
    run(&format!("mount --bind {} {gone}", NEIGHBOUR.path()));
    assert!(sees(&daemon, gone), "it sees {gone}");
    run(&format!("umount {gone}"));
    assert!(!sees(&daemon, gone), "it still holds {gone}");
    let before = comparisons();
    run(&format!("rm {gone}"));
    wait_until("it hears of a namespace that went", || comparisons() > before);
    it_lives();

    run("systemctl restart ipvland.service");
    activate();
    it_lives();
    NEIGHBOUR.reaches(&one.address("lan"));

    // It holds no namespace that is gone, and with it its links.
    let daemon = property("ipvland.service", "MainPID");
    assert!(sees(&daemon, &sandbox), "it sees {sandbox}");
    machine.remove_containers();
    assert!(!sees(&daemon, &sandbox), "it still holds {sandbox}");
    run("ipvland status");
}

/// Tells the daemon that an engine has come to life, and waits until it has compared ledger and kernel since.
fn activate() {
    let generations = || journal().matches("a container engine has come to life").count();
    let (life, before) = (generations(), comparisons());
    assert_eq!(post("Plugin.Activate", b"").status, 200);
    wait_until("it has compared ledger and kernel since", || generations() > life && comparisons() > before);
}

/// Asserts that the one endpoint is on record still, and alive.
#[track_caller]
fn it_lives() {
    let status = status();
    let verdicts: Vec<&Value> = status["endpoints"].as_array().expect("a list").iter().map(|e| &e["verdict"]).collect();
    assert_eq!(verdicts, ["lives"], "{}", journal());
    assert!(!journal().contains("dead"), "{}", journal());
}

fn comparisons() -> usize {
    journal().matches("ledger and kernel were compared").count()
}

/// What the daemon that runs has logged.
fn journal() -> String {
    let life = property("ipvland.service", "InvocationID");
    run(&format!("journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID={life}"))
}

#[test]
fn an_interface_with_an_exact_name_is_set_up() {
    let machine = Machine::with_package();
    let sandbox = machine.namespace("sandbox");
    let options = json!({ "parent": "eth0" });
    // As Docker 28 asks, whatever Docker is here.
    call("GwAllocCheck", &json!({ "Options": { "com.docker.network.generic": options } }));
    let pool = json!([{ "AddressSpace": "LocalDefault", "Pool": "192.168.1.0/24" }]);
    let network = json!({
        "NetworkID": "net",
        "Options": { "com.docker.network.generic": options },
        "IPv4Data": pool,
        "IPv6Data": [],
    });
    call("CreateNetwork", &network);
    let wanted = json!({
        "com.docker.network.endpoint.ifname": "lan0",
        "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1",
    });
    let address = json!({ "Address": "192.168.1.78/24", "AddressIPv6": "", "MacAddress": "" });
    let ids = json!({ "NetworkID": "net", "EndpointID": "end" });
    let endpoint = json!({ "NetworkID": "net", "EndpointID": "end", "Interface": address, "Options": wanted });
    call("CreateEndpoint", &endpoint);
    let join = json!({ "NetworkID": "net", "EndpointID": "end", "SandboxKey": sandbox.path(), "Options": wanted });
    call("Join", &join);

    sandbox.interface("lan0").is_slave_on("eth0", "l2/bridge");
    assert_eq!(sandbox.run("cat /proc/sys/net/ipv4/conf/lan0/log_martians"), "1");
    ROUTER.reaches("192.168.1.78");
    call("Leave", &ids);
    call("DeleteEndpoint", &ids);
    call("DeleteNetwork", &json!({ "NetworkID": "net" }));
    assert_eq!(sandbox.interfaces(), ["lo"]);
}

#[test]
fn what_only_a_process_holds_is_seen_with_one_capability_more() {
    let machine = Machine::with_package();
    machine.drop_in("[Service]\nCapabilityBoundingSet=CAP_SYS_PTRACE\n");
    let mut holder = Command::new("unshare").args(["--net", "sleep", "1d"]).spawn().expect("unshare can be run");
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).ok();
    let pid = holder.id().to_string();
    wait_until("it has a namespace of its own", || namespace(&pid) != namespace("self"));
    run("ip link add theirs link eth1 type ipvlan mode l3");
    run(&format!("ip link set theirs netns {pid}"));
    let refused = attempt("docker network create -d ipvland --subnet=192.168.1.0/24 -o parent=eth1 lan");
    holder.kill().expect("it was running");
    holder.wait().expect("it is our child");
    let refused = refused.expect_err("their mode would change");
    assert!(refused.contains("parent `eth1` is held by link `theirs`"), "{refused}");
}

#[test]
fn the_walk_through_runs_under_the_units() {
    let _machine = Machine::with_package();
    let walk = attempt("/src/lab/demo").unwrap_or_else(|said| panic!("{said}"));
    assert!(walk.contains("systemd holds /run/docker/plugins/ipvland.sock"), "it brought a daemon of its own: {walk}");
    assert_eq!(active(), (true, true));
}
