//! A scene: what a scenario makes, and that nothing of it stays.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::command::{attempt, run};
use super::driver::{Driver, call, post};
use super::engine::{Ability, remark};
use super::standpoint::{Container, Namespace, docker};

/// One scenario's turn on the machine.
///
/// Dropped, it removes what was made through it and asserts that the host is as it was before. A scenario that fails
/// is cleaned up after as well, so that it does not spoil the next one.
pub(crate) struct Scene {
    before: HostState,
    log_from: usize,
    containers: RefCell<Vec<String>>,
    networks: RefCell<Vec<String>>,
    plugin_networks: RefCell<Vec<String>>,
    undo: RefCell<Vec<String>>,
    _turn: MutexGuard<'static, ()>,
}

/// What a refused request must not change, and a scenario must leave behind as it found it.
#[derive(Debug, PartialEq, Eq)]
struct HostState {
    links: BTreeSet<String>,
    networks: Vec<String>,
    endpoints: usize,
    addresses: Vec<String>,
    pools: usize,
}

impl HostState {
    fn now() -> Self {
        let (status, ledger) = (ipvland_json("status"), ipvland_json("addresses"));
        Self {
            links: host_links(),
            networks: recorded_networks(),
            endpoints: status["endpoints"].as_array().map_or(usize::MAX, Vec::len),
            addresses: held(&ledger),
            pools: ledger["pools"].as_array().map_or(usize::MAX, Vec::len),
        }
    }
}

impl Scene {
    /// Waits for the machine to be free, and starts the driver when no scenario has yet.
    pub(crate) fn begin() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        drop(Driver::get());
        Self {
            before: HostState::now(),
            log_from: Driver::log_length(),
            containers: RefCell::default(),
            networks: RefCell::default(),
            plugin_networks: RefCell::default(),
            undo: RefCell::default(),
            _turn: turn,
        }
    }

    /// As [`Scene::begin`], where the engine can do what the scenario is about. Where it cannot, the scenario is skipped,
    /// with the reason.
    pub(crate) fn where_engine_can(ability: Ability) -> Option<Self> {
        match ability.lacking() {
            None => Some(Self::begin()),
            Some(reason) => {
                remark("skipped", &reason);
                None
            }
        }
    }

    /// `docker network create -d ipvland ...`; the last word is the network's name.
    #[track_caller]
    pub(crate) fn network(&self, arguments: &str) {
        self.network_of("ipvland", arguments);
    }

    /// The same with a driver of choice.
    #[track_caller]
    pub(crate) fn network_of(&self, driver: &str, arguments: &str) {
        let name = arguments.split_whitespace().last().expect("a network has a name");
        self.networks.borrow_mut().push(name.to_owned());
        run(&format!("docker network create -d {driver} {arguments}"));
    }

    /// `docker network create -d ipvland ...`, which must be refused and change nothing: the sentence.
    #[track_caller]
    pub(crate) fn refused_network(&self, arguments: &str) -> String {
        let before = HostState::now();
        let sentence = match attempt(&format!("docker network create -d ipvland {arguments}")) {
            Err(sentence) => sentence,
            Ok(id) => {
                self.networks.borrow_mut().push(id);
                panic!("a network with `{arguments}` was not refused");
            }
        };
        assert_eq!(HostState::now(), before, "after the refusal of `{arguments}`");
        sentence
    }

    /// `docker run -d --name NAME ...`.
    #[track_caller]
    pub(crate) fn container(&self, name: &str, arguments: &str) -> Container {
        self.try_container(name, arguments).unwrap_or_else(|error| panic!("`docker run {arguments}` failed: {error}"))
    }

    /// `docker run -d --name NAME ...`, which must be refused: the sentence.
    #[track_caller]
    pub(crate) fn refused_container(&self, name: &str, arguments: &str) -> String {
        match self.try_container(name, arguments) {
            Err(sentence) => sentence,
            Ok(_) => panic!("`docker run {arguments}` was not refused"),
        }
    }

    /// The same where only this engine's containers are refused: the table of the engines shows this part of the sentence.
    #[track_caller]
    pub(crate) fn container_is_refused_here(&self, arguments: &str, part: &str) {
        refused_with(&self.refused_container("refused", arguments), &[part]);
        remark("refused", part);
    }

    /// `docker run -d --name NAME ...`, which may fail: why.
    pub(crate) fn try_container(&self, name: &str, arguments: &str) -> Result<Container, String> {
        self.containers.borrow_mut().push(name.to_owned());
        attempt(&format!("docker run -d --name {name} {arguments}")).map(|_| Container(name.to_owned()))
    }

    /// `docker rm --force` of containers of this scene, all at once.
    #[track_caller]
    pub(crate) fn remove_containers(&self, names: &[&str]) {
        run(&format!("docker rm --force {}", names.join(" ")));
        self.containers.borrow_mut().retain(|name| !names.contains(&name.as_str()));
    }

    /// `docker network rm` of a network of this scene.
    #[track_caller]
    pub(crate) fn remove_network(&self, name: &str) {
        run(&format!("docker network rm {name}"));
        self.networks.borrow_mut().retain(|network| network != name);
    }

    /// `docker network rm` while nobody answers: whatever it says, it is not asked again.
    pub(crate) fn try_to_remove_network(&self, name: &str) {
        let _ = attempt(&format!("docker network rm {name}"));
        self.networks.borrow_mut().retain(|network| network != name);
    }

    /// What `docker network inspect` says.
    #[track_caller]
    pub(crate) fn inspect_network(&self, name: &str) -> Value {
        docker(&format!("/networks/{name}"))
    }

    /// The id that Docker gave to a network.
    #[track_caller]
    pub(crate) fn network_id(&self, name: &str) -> String {
        self.inspect_network(name)["Id"].as_str().expect("a network has an id").to_owned()
    }

    /// Makes a network through the plugin's socket, without an engine.
    #[track_caller]
    pub(crate) fn plugin_network(&self, id: &str, options: &Value, pool: &str) {
        self.plugin_networks.borrow_mut().push(id.to_owned());
        call("CreateNetwork", &create_network(id, options, pool));
    }

    /// A network namespace without anything in it.
    #[track_caller]
    pub(crate) fn namespace<'n>(&self, name: &'n str) -> Namespace<'n> {
        self.by_hand(&format!("ip netns add {name}"), &format!("ip netns delete {name}"));
        Namespace(name)
    }

    /// Does something by hand, and undoes it when the scene is over. To undo what is gone already is fine.
    #[track_caller]
    pub(crate) fn by_hand(&self, command: &str, undo: &str) {
        self.afterwards(undo);
        run(command);
    }

    /// Does something when the scene is over, before what was asked for earlier. It may fail.
    pub(crate) fn afterwards(&self, command: &str) {
        self.undo.borrow_mut().push(command.to_owned());
    }

    /// Stops the engine and starts it with these options, which are gone when the scene is over.
    #[track_caller]
    pub(crate) fn restart_engine(&self, options: &str) {
        self.undo.borrow_mut().extend(["engine start", "engine stop"].map(str::to_owned));
        run("engine stop");
        run(&format!("engine start {options}"));
    }

    /// What the driver has logged in this scene so far.
    pub(crate) fn log(&self) -> String {
        Driver::log(self.log_from)
    }

    /// Asserts that the driver finds nothing wrong.
    #[track_caller]
    pub(crate) fn has_no_faults(&self) {
        assert_eq!(ipvland_json("status")["faults"], json!([]), "ipvland status");
    }

    /// Removes a container when the scene is over that Docker is asked for by other means than these.
    pub(crate) fn expects_container(&self, name: &str) {
        self.containers.borrow_mut().push(name.to_owned());
    }

    fn clean_up(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut all_of = |command: &str, names: &[String]| {
            if !names.is_empty()
                && let Err(error) = attempt(&format!("{command} {}", names.join(" ")))
            {
                failures.push(error);
            }
        };
        all_of("docker rm --force", &self.containers.take());
        all_of("docker network rm", &self.networks.take());
        for id in self.plugin_networks.take() {
            let reply = post("NetworkDriver.DeleteNetwork", json!({ "NetworkID": id }).to_string().as_bytes());
            failures.extend(reply.error().map(str::to_owned));
        }
        for undo in self.undo.take().into_iter().rev() {
            // It may have been undone by the scenario itself.
            let _ = attempt(&undo);
        }
        // What networks of CNI and Podman were dealt from stays for the next one, until an engine's next life.
        if HostState::now().pools > self.before.pools {
            let _ = post("Plugin.Activate", b"");
        }
        failures
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let failures = self.clean_up();
        if std::thread::panicking() {
            println!("--- what ipvland logged in this scenario\n{}\n--- end; {failures:?}", self.log());
            return;
        }
        assert_eq!(failures, Vec::<String>::new(), "what could not be removed");
        assert_eq!(HostState::now(), self.before, "the host after the scenario and before it");
        self.has_no_faults();
    }
}

/// The body of CreateNetwork as Docker sends it.
pub(crate) fn create_network(id: &str, options: &Value, pool: &str) -> Value {
    let data = json!([{ "AddressSpace": "LocalDefault", "Pool": pool }]);
    let (v4, v6) = if pool.contains(':') { (json!([]), data) } else { (data, json!([])) };
    json!({
        "NetworkID": id,
        "Options": { "com.docker.network.enable_ipv6": pool.contains(':'), "com.docker.network.generic": options },
        "IPv4Data": v4,
        "IPv6Data": v6,
    })
}

/// Asserts that a refusal says all of this.
#[track_caller]
pub(crate) fn refused_with(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "`{part}` was expected in: {sentence}");
    }
}

/// What `ipvland COMMAND --output json` prints. Status 3 says that there are faults, which are printed all the same.
#[track_caller]
pub(crate) fn ipvland_json(command: &str) -> Value {
    let output = std::process::Command::new("ipvland")
        .args(command.split_whitespace())
        .args(["--output", "json"])
        .output()
        .expect("`ipvland` is on PATH");
    assert!(matches!(output.status.code(), Some(0 | 3)), "ipvland {command}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("ipvland {command}: {error}: {output:?}"))
}

/// The addresses that are not free, as `ADDRESS KIND`. Who was found on the wire is remembered for a while.
#[track_caller]
pub(crate) fn held_addresses() -> Vec<String> {
    held(&ipvland_json("addresses"))
}

fn held(ledger: &Value) -> Vec<String> {
    let holdings = ledger["addresses"].as_array().expect("a list of addresses").iter();
    let text = |holding: &Value| {
        let word = |key: &str| holding[key].as_str().expect("a text").to_owned();
        format!("{} {}", word("address"), word("kind"))
    };
    holdings.filter(|holding| holding["kind"] != "foreign").map(text).collect()
}

/// The ids of the networks on record.
#[track_caller]
pub(crate) fn recorded_networks() -> Vec<String> {
    let networks = ipvland_json("network ls");
    let id = |network: &Value| network["id"].as_str().expect("a network has an id").to_owned();
    networks.as_array().expect("a list").iter().map(id).collect()
}

/// The links of the host: index, name, MTU and master of each.
#[track_caller]
pub(crate) fn host_links() -> BTreeSet<String> {
    let links: Vec<Value> = serde_json::from_str(&run("ip -j link")).expect("ip prints JSON");
    links
        .iter()
        .map(|link| format!("{} {} mtu {} master {}", link["ifindex"], link["ifname"], link["mtu"], link["master"]))
        .collect()
}

/// The names of the host's links that begin so.
#[track_caller]
pub(crate) fn links_named(prefix: &str) -> Vec<String> {
    use super::standpoint::{Host, Standpoint};
    Host.interfaces().into_iter().filter(|name| name.starts_with(prefix)).collect()
}
