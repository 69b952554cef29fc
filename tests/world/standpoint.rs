//! Places to look from: the host, the machines on the LAN, the containers.

use serde_json::Value;

use super::command::{attempt, run};
use super::http::request;

/// The router on the LAN: 192.168.1.1, 2001:db8:1::1, and `.1` of the VLANs 10 and 20.
pub(crate) const ROUTER: Namespace<'static> = Namespace("router");
/// The other machine on the LAN: 192.168.1.200, 2001:db8:1::200.
pub(crate) const NEIGHBOUR: Namespace<'static> = Namespace("neighbour");

/// A network namespace to look from.
///
/// The host's own programs run in it, through `nsenter`: `docker exec` would say the same and takes a second.
pub(crate) trait Standpoint {
    /// What to put before a command to run it here.
    fn enter(&self) -> String;

    /// Runs a command here that must succeed.
    #[track_caller]
    fn run(&self, command: &str) -> String {
        run(&format!("{} {command}", self.enter()))
    }

    /// Runs a command here.
    #[track_caller]
    fn attempt(&self, command: &str) -> Result<String, String> {
        attempt(&format!("{} {command}", self.enter()))
    }

    /// Asserts that an answer to a ping comes back, within seconds.
    #[track_caller]
    fn reaches(&self, address: &str) {
        if let Err(error) = self.attempt(&format!("ping -q -n -c 1 -w 8 {address}")) {
            panic!("{address} does not answer to `{}`: {error}", self.enter());
        }
    }

    /// Asserts that no answer to several pings comes back within a second, and gives what `ping` says to that.
    #[track_caller]
    fn does_not_reach(&self, address: &str) -> String {
        match self.attempt(&format!("ping -q -n -c 1 -i 0.3 -w 1 {address}")) {
            Ok(answer) => panic!("{address} answers to `{}`: {answer}", self.enter()),
            Err(error) => error,
        }
    }

    /// The page served at an address.
    #[track_caller]
    fn page(&self, url: &str) -> String {
        self.run(&format!("curl --silent --fail --globoff --max-time 10 {url}"))
    }

    /// An interface as the kernel shows it here.
    #[track_caller]
    fn interface(&self, name: &str) -> Interface {
        let shown: Value =
            serde_json::from_str(&self.run(&format!("ip -d -j address show dev {name}"))).expect("ip prints JSON");
        Interface::read(&shown[0])
    }

    /// The same, where there may be none of that name.
    fn try_interface(&self, name: &str) -> Option<Interface> {
        let shown = self.attempt(&format!("ip -d -j address show dev {name}")).ok()?;
        let shown: Value = serde_json::from_str(&shown).expect("ip prints JSON");
        Some(Interface::read(&shown[0]))
    }

    /// The names of the interfaces here.
    #[track_caller]
    fn interfaces(&self) -> Vec<String> {
        let shown: Vec<Value> = serde_json::from_str(&self.run("ip -j link")).expect("ip prints JSON");
        shown.iter().map(|link| text(&link["ifname"])).collect()
    }

    /// The default routes of IPv4, as `ip route` prints them, but for who has made them.
    #[track_caller]
    fn default_route(&self) -> String {
        self.run("ip -4 route show default").replace(" proto static", "")
    }

    /// The default routes of IPv6, likewise.
    #[track_caller]
    fn default_route_v6(&self) -> String {
        self.run("ip -6 route show default").replace(" proto static", "")
    }

    /// The routes to a destination, likewise.
    #[track_caller]
    fn routes_to(&self, destination: &str) -> String {
        let family = if destination.contains(':') { "-6" } else { "-4" };
        self.run(&format!("ip {family} route show {destination}")).replace(" proto static", "")
    }
}

/// The machine itself.
pub(crate) struct Host;

impl Standpoint for Host {
    fn enter(&self) -> String {
        String::from("env")
    }
}

/// A namespace with a name.
#[derive(Clone, Copy)]
pub(crate) struct Namespace<'n>(pub(crate) &'n str);

impl Namespace<'_> {
    /// Its path, which is what Docker would call a sandbox key.
    pub(crate) fn path(self) -> String {
        format!("/run/netns/{}", self.0)
    }
}

impl Standpoint for Namespace<'_> {
    fn enter(&self) -> String {
        format!("nsenter --net={}", self.path())
    }
}

/// Where a process is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u64);

impl Standpoint for Process {
    fn enter(&self) -> String {
        format!("nsenter --net --target {}", self.0)
    }
}

/// A container, known by its name.
pub(crate) struct Container(pub(crate) String);

impl Standpoint for Container {
    fn enter(&self) -> String {
        format!("nsenter --net --target {}", self.pid())
    }
}

impl Container {
    /// What `docker inspect` says.
    #[track_caller]
    pub(crate) fn inspect(&self) -> Value {
        docker(&format!("/containers/{}/json", self.0))
    }

    /// Its first process, now.
    #[track_caller]
    pub(crate) fn pid(&self) -> u64 {
        let pid = self.inspect()["State"]["Pid"].as_u64().unwrap_or(0);
        assert!(pid > 0, "container {} does not run", self.0);
        pid
    }

    /// Its address, gateway and so on on a network, as Docker knows them.
    #[track_caller]
    pub(crate) fn endpoint(&self, network: &str) -> Value {
        let endpoint = self.inspect()["NetworkSettings"]["Networks"][network].clone();
        assert!(endpoint.is_object(), "container {} is not on {network}", self.0);
        endpoint
    }

    /// Its IPv4 address on a network, as Docker knows it.
    #[track_caller]
    pub(crate) fn address(&self, network: &str) -> String {
        text(&self.endpoint(network)["IPAddress"])
    }

    /// Asserts that another container answers to a ping by its name, with the container's own eyes: its resolver, its
    /// programs.
    #[track_caller]
    pub(crate) fn reaches_by_name(&self, name: &str) {
        let command = format!("nsenter --net --mount --target {} ping -q -c 1 -w 8 {name}", self.pid());
        if let Err(error) = attempt(&command) {
            panic!("`{name}` does not answer to container {}: {error}", self.0);
        }
    }

    /// What the container's resolver says to a name.
    pub(crate) fn looks_up(&self, name: &str) -> Result<String, String> {
        attempt(&format!("nsenter --net --mount --target {} nslookup -retry=1 -timeout=3 {name}", self.pid()))
    }
}

/// What Docker's API says; `docker inspect` shows the same and starts a program for it.
#[track_caller]
pub(crate) fn docker(path: &str) -> Value {
    // With HTTP/1.0 the body comes in one piece.
    let (status, body) =
        request("/run/docker.sock", &format!("GET {path} HTTP/1.0"), b"").unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("Docker answers JSON")
}

/// An interface as the kernel shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    /// Its index in its namespace.
    pub(crate) index: u64,
    /// The index of the link it is on, in that link's namespace.
    pub(crate) on: Option<u64>,
    /// `ipvlan`, `vlan`, `dummy`, ...
    pub(crate) kind: String,
    /// For an ipvlan slave, `MODE/FLAG`.
    pub(crate) settings: String,
    /// The hardware address.
    pub(crate) mac: String,
    /// Bytes.
    pub(crate) mtu: u64,
    /// Whether it is set up.
    pub(crate) up: bool,
    /// Global addresses with their prefix lengths.
    pub(crate) addresses: Vec<String>,
}

impl Interface {
    fn read(shown: &Value) -> Self {
        let data = &shown["linkinfo"]["info_data"];
        let flag = ["private", "vepa", "bridge"].into_iter().find(|flag| data[flag] == true).unwrap_or_default();
        let global = |address: &&Value| address["scope"] == "global";
        let with_prefix = |address: &Value| format!("{}/{}", text(&address["local"]), address["prefixlen"]);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            index: shown["ifindex"].as_u64().expect("a link has an index"),
            on: shown["link_index"].as_u64(),
            kind: text(&shown["linkinfo"]["info_kind"]),
            settings: format!("{}/{flag}", text(&data["mode"])),
            mac: text(&shown["address"]),
            mtu: shown["mtu"].as_u64().unwrap_or(0),
            up: list(&shown["flags"]).iter().any(|flag| flag == "UP"),
            addresses: list(&shown["addr_info"]).iter().filter(global).map(with_prefix).collect(),
        }
    }

    /// Asserts that it is a slave with these settings on a link of the host, and has that link's hardware address.
    #[track_caller]
    pub(crate) fn is_slave_on(&self, parent: &str, settings: &str) {
        let parent = Host.interface(parent);
        assert_eq!(
            (self.kind.as_str(), self.settings.as_str(), self.on, self.up),
            ("ipvlan", settings, Some(parent.index), true),
            "{self:?}"
        );
        assert_eq!(self.mac, parent.mac, "{self:?}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
