//! Addresses from a DHCP server on the wire. CNI's dhcp plugin asks for them on the interface, and its daemon keeps the lease.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{address, addresses, lan, network, nothing_is_left, with};
use crate::world::{
    Attachment, NEIGHBOUR, ROUTER, Runtime, Scene, Standpoint, held_addresses, refused_with, wait_until,
};

/// What the server has dealt, a line each: until when, MAC address, address, name, client identifier.
const LEASES: &str = "/run/dhcp-leases";

/// What the daemon of the plugin says.
const LOG: &str = "/run/dhcp-log";

/// The server, at the router, and the daemon of the plugin.
struct Dhcp([Child; 2]);

impl Dhcp {
    /// Deals from the first to the last of these.
    #[track_caller]
    fn deals(first: &str, last: &str) -> Self {
        let _ = std::fs::remove_file(LEASES);
        let range = format!("--dhcp-range={first},{last},255.255.255.0,1h");
        let leases = format!("--dhcp-leasefile={LEASES}");
        let (server, daemon) = ("ip netns exec router dnsmasq", "/usr/lib/cni/dhcp daemon -broadcast");
        let options = "--keep-in-foreground --conf-file=/dev/null --pid-file --user=root --port=0 --interface=lan0 --no-ping \
                       --dhcp-broadcast --dhcp-option=option:router,192.168.1.1";
        let log = File::create(LOG).expect("a file in /run");
        let server = spawn(&format!("{server} {options} {range} {leases}"), Stdio::null());
        let running = Self([server, spawn(daemon, log.into())]);
        wait_until("the server listens", || ROUTER.run("ss --udp --listening --numeric").contains(":67 "));
        wait_until("the daemon listens", || UnixStream::connect("/run/cni/dhcp.sock").is_ok());
        running
    }
}

impl Drop for Dhcp {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_file("/run/cni/dhcp.sock");
    }
}

#[track_caller]
fn spawn(command: &str, stderr: Stdio) -> Child {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command has a first word");
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    command.spawn().unwrap_or_else(|error| panic!("`{program}` cannot be run: {error}"))
}

/// Waits until the daemon gives back what it was dealt for a container. That of newer plugins says so, and dnsmasq hears nothing.
#[track_caller]
fn is_given_back(container: &str) {
    let line = format!("{container}/leased/eth0: releasing lease");
    wait_until("the lease is given back", || std::fs::read_to_string(LOG).is_ok_and(|log| log.contains(&line)));
}

/// The addresses that the server has dealt.
fn leased() -> Vec<String> {
    let lines = std::fs::read_to_string(LEASES).unwrap_or_default();
    let mut leased: Vec<String> = lines.lines().filter_map(|line| line.split(' ').nth(2)).map(str::to_owned).collect();
    leased.sort_unstable();
    leased
}

fn asking() -> Value {
    network("leased", &json!({ "master": "eth0", "ipam": { "type": "dhcp" } }))
}

#[test]
fn a_server_deals_to_each_container_and_gets_back_what_it_dealt() {
    let scene = Scene::begin();
    let _dhcp = Dhcp::deals("192.168.1.100", "192.168.1.101");
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let attachments = [one, two].map(|sandbox| Attachment::of(sandbox.0, sandbox));
    // All have the MAC address of the parent, and are told apart all the same.
    let [first, second] = attachments.clone().map(|attachment| address(&runtime.add(&attachment, &asking())));
    let mut dealt = [first.clone(), second.clone()];
    dealt.sort_unstable();
    assert_eq!((leased(), &dealt), (dealt.to_vec(), &["192.168.1.100".to_owned(), "192.168.1.101".to_owned()]));
    assert_eq!(one.interface("eth0").addresses, [format!("{first}/24")]);
    assert_eq!(one.default_route(), "default via 192.168.1.1 dev eth0");
    one.reaches(&second);
    NEIGHBOUR.reaches(&first);
    assert_eq!(held_addresses(), dealt.map(|address| format!("{address} endpoint")));
    runtime.check(&attachments[0]).done();
    attachments.iter().for_each(|attachment| runtime.del(attachment));
    ["one", "two"].into_iter().for_each(is_given_back);
    assert_eq!([one, two].map(|sandbox| sandbox.interfaces()), [["lo"], ["lo"]]);
    nothing_is_left();
}

#[test]
fn what_the_server_deals_and_somebody_holds_is_refused_and_given_back() {
    let scene = Scene::begin();
    let _dhcp = Dhcp::deals("192.168.1.100", "192.168.1.100");
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let holder = runtime.add(&Attachment::of("c1", one).arguments("IP=192.168.1.100"), &lan());
    assert_eq!(addresses(&holder), ["192.168.1.100/24"]);
    let refusal = Attachment::of("c2", two).call("ADD", &asking()).refused();
    refused_with(&refusal.sentence, &["192.168.1.100", "held by"]);
    assert_eq!(two.interfaces(), ["lo"]);
    is_given_back("c2");
    one.reaches("192.168.1.1");
}

#[test]
fn a_server_is_not_asked_where_it_would_not_be_heard() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let refusal = Attachment::of("c1", one).call("ADD", &with(&asking(), &json!({ "mode": "l3" }))).refused();
    refused_with(&refusal.sentence, &["`l3` was given, and `dhcp` needs l2"]);
    assert_eq!((refusal.code, one.interfaces()), (7, vec!["lo".to_owned()]));
    nothing_is_left();
}
