//! The program as Podman and netavark start it: a verb, JSON on stdin, JSON on stdout.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::daemon::Folder;

/// What Podman sets in the environment of all it starts while it is rootless.
const ROOTLESS: (&str, &str) = ("_CONTAINERS_USERNS_CONFIGURED", "done");
/// As much as is read.
const LIMIT: usize = 1 << 20;
const NAMESPACE: &str = "/run/netns/netns-00000000-0000-0000-0000-000000000000";

struct Podman {
    folder: Folder,
    rootless: bool,
}

impl Podman {
    fn new() -> Self {
        Self { folder: Folder::new(), rootless: false }
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut ipvland = self.folder.ipvland();
        ipvland.args(arguments).env("RUST_LOG", "netavark=warn").env_remove(ROOTLESS.0);
        if self.rootless {
            ipvland.env(ROOTLESS.0, ROOTLESS.1);
        }
        let mut child = ipvland.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all(input);
        if input.len() <= LIMIT {
            written.expect("all of it is read, whatever becomes of it: Podman takes a broken pipe for the answer");
        }
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn answer(&self, arguments: &[&str], input: &Value) -> Value {
        let output = self.run(arguments, input.to_string().as_bytes());
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The sentence of a refusal, which is the only thing on stdout. Nothing is on record after it.
    #[track_caller]
    fn refusal(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run(arguments, input);
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        for (command, none) in
            [(&["network", "ls"][..], json!([])), (&["addresses"], json!({ "addresses": [], "pools": [] }))]
        {
            let shown = self.folder.ipvland().args(command).args(["--output", "json"]).output().unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&shown.stdout).unwrap(), none, "{command:?}");
        }
        answer["error"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], input: &Value) -> String {
        self.refusal(arguments, input.to_string().as_bytes())
    }
}

/// What `podman network create -d ipvland ...` writes.
fn network(change: &Value) -> Value {
    let mut network = json!({
        "name": "lan", "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9", "driver": "ipvland",
        "created": "0001-01-01T00:00:00Z", "subnets": [{ "subnet": "10.77.0.0/24" }],
        "ipv6_enabled": false, "internal": false, "dns_enabled": true, "labels": { "place": "cellar" },
    });
    network.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    network
}

/// What netavark writes for a container on such a network.
fn container(network: &Value, options: &Value) -> Value {
    let mut per_network = json!({ "aliases": ["752947ff91f9"], "interface_name": "eth0" });
    per_network.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    json!({
        "container_id": "752947ff91f961eb3cb47ffe9315016979f3ffbec09e4d96a4fae3fb03391697", "container_name": "web",
        "port_mappings": null, "network": network, "network_options": per_network,
    })
}

#[test]
fn the_plugin_says_which_it_is() {
    let podman = Podman { rootless: true, ..Podman::new() };
    let info = podman.run(&["info"], b"");
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info, json!({ "version": env!("CARGO_PKG_VERSION"), "api_version": "1.0.0" }));
}

#[test]
fn a_network_comes_back_as_it_came_with_what_is_known_better() {
    let podman = Podman::new();
    let apart = network(&json!({ "internal": true, "options": { "mode": "l3" } }));
    let answer = podman.answer(&["create"], &apart);
    let mut expected = apart;
    expected["ipam_options"] = json!({ "driver": "ipvland" });
    expected["dns_enabled"] = json!(false);
    assert_eq!(answer, expected);
    assert_eq!(podman.answer(&["create"], &answer), expected, "as it is on record, it is taken again");

    let named = network(&json!({
        "internal": true, "network_dns_servers": ["10.77.0.53"], "ipam_options": { "driver": "host-local" }
    }));
    assert_eq!(podman.answer(&["create"], &named), named, "servers of the user's need the name service on record");
    let bare = network(&json!({ "internal": true, "subnets": [], "ipam_options": { "driver": "none" } }));
    let answer = podman.answer(&["create"], &bare);
    assert_eq!((&answer["ipam_options"], &answer["subnets"]), (&json!({ "driver": "none" }), &json!([])));
}

#[test]
fn a_network_that_cannot_be_is_refused_at_its_creation() {
    let podman = Podman::new();
    for (change, sentence) in [
        (
            json!({ "network_interface": "none0" }),
            "parent `none0` is no link of this host; name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made",
        ),
        (
            json!({ "network_interface": "eth0", "options": { "parent": "eth1" } }),
            "--interface-name names eth0 as the parent, and option `parent` names eth1; leave one of them out",
        ),
        (json!({ "options": { "mod": "l2" } }), "there is no option `mod`; did you mean `mode`?"),
        (
            json!({ "internal": true, "options": { "flag": "shy" } }),
            "option `flag`: `shy` was given and bridge, private or vepa was expected; pass a value that `flag` takes, or leave it out",
        ),
        (
            json!({ "internal": true, "subnets": [{ "subnet": "10.1.2.0/23" }, { "subnet": "10.1.3.248/30" }] }),
            "--subnet: 10.1.2.0/23 and 10.1.3.248/30 overlap; leave one of them out",
        ),
        (json!({ "internal": true, "subnets": [] }), "the network has no subnet; pass one with --subnet"),
        (
            json!({ "internal": true, "ipv6_enabled": true }),
            "IPv6 is enabled and there is no IPv6 subnet; pass one with --subnet",
        ),
        (
            json!({ "internal": true, "subnets": [{ "subnet": "10.77.0.255/32" }, { "subnet": "10.78.0.0/24",
                "lease_range": { "start_ip": "10.78.0.255", "end_ip": "10.78.0.255" } }] }),
            "range 10.78.0.255/32 has no address that a container may have; pass another part of the subnet",
        ),
    ] {
        assert_eq!(podman.refuses(&["create"], &network(&change)), sentence);
    }
    let lo = podman.refuses(&["create"], &network(&json!({ "options": { "parent": "lo" } })));
    assert!(lo.starts_with("parent `lo` is the loopback"), "{lo}");
    let dhcp = podman.refuses(&["create"], &network(&json!({ "ipam_options": { "driver": "dhcp" } })));
    assert!(dhcp.starts_with("--ipam-driver: `dhcp` was given"), "{dhcp}");
}

#[test]
fn a_container_that_asks_for_what_cannot_be_is_refused() {
    let podman = Podman::new();
    let apart = || network(&json!({ "internal": true, "ipam_options": { "driver": "ipvland" } }));
    let set_up = ["setup", NAMESPACE];
    for (options, sentence) in [
        (
            json!({ "static_ips": ["10.99.0.1"] }),
            "--ip: 10.99.0.1 is in no subnet of the network; pass an address of one of them",
        ),
        (
            json!({ "options": { "host_interface_name": "veth0" } }),
            "a container's connection to an ipvland network has no option `host_interface_name`; leave it out",
        ),
        (
            json!({ "static_mac": "aa:bb" }),
            "--mac-address: `aa:bb` is no MAC address: six bytes as in `02:00:00:00:00:07` were expected",
        ),
        (
            json!({ "interface_name": "sixteen-bytes-xx" }),
            "field interface_name: `sixteen-bytes-xx` is 16 bytes long and an interface name has at most 15",
        ),
    ] {
        assert_eq!(podman.refuses(&set_up, &container(&apart(), &options)), sentence);
    }
    let relative = podman.refuses(&["setup", "netns/1"], &container(&apart(), &json!({})));
    assert!(relative.starts_with("the network namespace: `netns/1` is no sandbox"), "{relative}");
}

#[test]
fn taking_off_what_is_not_there_is_success() {
    let podman = Podman::new();
    let gone = container(&network(&json!({})), &json!({}));
    for _ in 0..2 {
        let output = podman.run(&["teardown", NAMESPACE], gone.to_string().as_bytes());
        assert_eq!(
            (output.status.code(), output.stdout.as_slice(), output.stderr.as_slice()),
            (Some(0), &b""[..], &b""[..])
        );
    }
    let sentence = podman.refusal(&["teardown", NAMESPACE], b"{}");
    assert!(sentence.contains("missing field `container_id`"), "{sentence}");
}

#[test]
fn rootless_podman_is_refused_in_a_sentence() {
    let podman = Podman { rootless: true, ..Podman::new() };
    // More than fits into a pipe.
    let request = container(&network(&json!({ "labels": { "long": "x".repeat(LIMIT / 2) } })), &json!({})).to_string();
    for arguments in [&["create"][..], &["setup", NAMESPACE]] {
        let output = podman.run(arguments, request.as_bytes());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            answer["error"],
            "rootless Podman has no access to the links of the host, which ipvland puts containers on; run Podman as root"
        );
    }
    let output = podman.run(&["teardown", NAMESPACE], request.as_bytes());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    assert!(!podman.folder.path().join("state").exists(), "nothing was even looked at");
}

#[test]
fn what_is_no_request_is_refused_by_every_verb() {
    let podman = Podman::new();
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(LIMIT));
    let deep = [&b"{\"id\":"[..], &b"[".repeat(10_000)].concat();
    let inputs: [&[u8]; 9] = [b"", b" ", b"{", b"null", b"7", b"[]", b"{}", b"{\"id\":\"\xff\"}", &deep];
    for verb in [&["create"][..], &["setup", NAMESPACE], &["teardown", NAMESPACE]] {
        for input in inputs {
            let sentence = podman.refusal(verb, input);
            assert!(sentence.starts_with("what came on stdin is no"), "{verb:?}: {sentence}");
        }
        let sentence = podman.refusal(verb, long.as_bytes());
        assert_eq!(sentence, "what came on stdin is too long: at most 1048576 bytes are read");
    }
}

#[test]
fn a_ledger_that_cannot_be_opened_is_told_of_as_any_refusal() {
    let podman = Podman::new();
    std::fs::write(podman.folder.path().join("state"), "a file where a folder should be").unwrap();
    let output = podman.run(&["create"], network(&json!({ "internal": true })).to_string().as_bytes());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(answer["error"].as_str().unwrap().starts_with("the ledger "), "{answer}");
}

#[test]
fn the_verbs_are_for_podman_and_not_for_people() {
    let folder = Folder::new();
    let help = folder.ipvland().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for verb in ["setup", "teardown"] {
        assert!(!help.contains(verb), "{help}");
    }
}
