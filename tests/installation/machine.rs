//! The machine: Docker runs, ipvland is not there, and is not there again when a scenario is over.

use std::cell::RefCell;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::world::{Container, NEIGHBOUR, Namespace, ROUTER, Standpoint, attempt, run};

/// The package, and one of the same version with a higher revision.
pub(crate) const PACKAGE: &str = "/opt/ipvland/bin/ipvland.deb";
pub(crate) const NEWER: &str = "/opt/ipvland/bin/ipvland-newer.deb";

/// Where systemd takes additions to the daemon's unit from, until the machine ends.
const DROP_INS: &str = "/run/systemd/system/ipvland.service.d";

/// One scenario's turn.
///
/// Dropped, it removes what was made through it and the driver, and asserts that nothing of ipvland is left.
pub(crate) struct Machine {
    containers: RefCell<Vec<String>>,
    networks: RefCell<Vec<String>>,
    namespaces: RefCell<Vec<String>>,
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    /// Waits for the machine to be free.
    pub(crate) fn begin() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        run("engine start");
        // The lab keeps the ledger in memory; a mount is nothing that a package could remove.
        if attempt("mountpoint --quiet /var/lib/ipvland").is_ok() {
            run("umount /var/lib/ipvland");
            run("rmdir /var/lib/ipvland");
        }
        assert_eq!(traces(), [""; 0], "before the scenario");
        Self {
            containers: RefCell::default(),
            networks: RefCell::default(),
            namespaces: RefCell::default(),
            _turn: turn,
        }
    }

    /// The same, with the package installed.
    pub(crate) fn with_package() -> Self {
        let machine = Self::begin();
        run(&format!("dpkg --install {PACKAGE}"));
        machine
    }

    /// `docker network create -d ipvland ...` on the LAN, and its id.
    #[track_caller]
    pub(crate) fn network(&self, name: &str) -> String {
        self.network_of(name, "--subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0")
    }

    /// `docker network create -d ipvland ...`, and its id.
    #[track_caller]
    pub(crate) fn network_of(&self, name: &str, options: &str) -> String {
        self.networks.borrow_mut().push(name.to_owned());
        run(&format!("docker network create -d ipvland {options} {name}"))
    }

    /// `docker run -d --name NAME --net=NETWORK ...`, which answers to the router.
    #[track_caller]
    pub(crate) fn container(&self, name: &str, network: &str, options: &str) -> Container {
        let container = self.start(name, network, options);
        ROUTER.reaches(&container.address(network));
        container
    }

    /// The same, whoever it answers to.
    #[track_caller]
    pub(crate) fn start(&self, name: &str, network: &str, options: &str) -> Container {
        self.containers.borrow_mut().push(name.to_owned());
        // `sleep` as process 1 would ignore the usual signal, and cost each stop of Docker ten seconds.
        run(&format!("docker run -d --name {name} --net={network} --stop-signal=KILL {options} alpine sleep 1d"));
        Container(name.to_owned())
    }

    /// A namespace of `ip netns`.
    #[track_caller]
    pub(crate) fn namespace<'n>(&self, name: &'n str) -> Namespace<'n> {
        run(&format!("ip netns add {name}"));
        self.namespaces.borrow_mut().push(name.to_owned());
        Namespace(name)
    }

    /// Adds to the daemon's unit, for a daemon that is started from now on, until the scenario is over.
    #[track_caller]
    pub(crate) fn drop_in(&self, text: &str) {
        fs::create_dir_all(DROP_INS).expect("/run is writable");
        fs::write(format!("{DROP_INS}/scenario.conf"), text).expect("/run is writable");
        run("systemctl daemon-reload");
    }

    /// Takes that back.
    #[track_caller]
    pub(crate) fn drop_nothing_in(&self) {
        run(&format!("rm -r {DROP_INS}"));
        run("systemctl daemon-reload");
    }

    /// Removes the containers of this scenario.
    pub(crate) fn remove_containers(&self) {
        remove("docker rm --force", &self.containers.take());
    }

    /// Removes the containers and networks of this scenario.
    pub(crate) fn remove_all(&self) {
        self.remove_containers();
        remove("docker network rm", &self.networks.take());
    }
}

fn remove(command: &str, names: &[String]) {
    if !names.is_empty() {
        run(&format!("{command} {}", names.join(" ")));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- journal\n{}\n---", run("journalctl --no-pager --lines=80 --unit=ipvland* --unit=docker"));
            // As far as it goes: the next scenario says what is left. Docker may be down.
            let _ = attempt("engine start");
            for names in [self.containers.take(), self.networks.take()] {
                let _ = attempt(&format!("docker rm --force {}", names.join(" ")));
                let _ = attempt(&format!("docker network rm {}", names.join(" ")));
            }
            for name in self.namespaces.take() {
                let _ = attempt(&format!("ip netns delete {name}"));
            }
            let _ = attempt("dpkg --purge ipvland");
            let _ = attempt("env FORCE=1 /src/packaging/install uninstall");
            let _ = attempt(&format!("rm -rf /var/lib/ipvland {DROP_INS}"));
            let _ = attempt("systemctl reset-failed ipvland.service ipvland.socket");
            return;
        }
        self.remove_all();
        for name in self.namespaces.take() {
            run(&format!("ip netns delete {name}"));
        }
        if fs::exists(DROP_INS).expect("/run is readable") {
            self.drop_nothing_in();
        }
        if attempt("dpkg --status ipvland").is_ok() {
            run("dpkg --purge ipvland");
        }
        assert_eq!(traces(), [""; 0], "after the scenario");
    }
}

/// Everything on this machine that bears the driver's name: files, units, links. dpkg's own records are not among it.
pub(crate) fn traces() -> Vec<String> {
    // The lab's own are below /opt/ipvland.
    let elsewhere = "-path /var/lib/dpkg -prune -o -path /opt/ipvland -prune";
    let files = run(&format!("find /etc /opt /usr /var/lib /run {elsewhere} -o -name *ipvland* -print"));
    let units = run("systemctl list-units --all --plain --no-legend ipvland*");
    let links = run("ip -brief link");
    let ours = |line: &&str| ["ipl", "ivd-"].iter().any(|prefix| line.starts_with(prefix));
    files.lines().chain(units.lines()).chain(links.lines().filter(ours)).map(str::to_owned).collect()
}

/// One property of a unit.
#[track_caller]
pub(crate) fn property(unit: &str, name: &str) -> String {
    run(&format!("systemctl show --property={name} --value {unit}"))
}

/// Whether the socket and the daemon are up.
#[track_caller]
pub(crate) fn active() -> (bool, bool) {
    let is = |unit| property(unit, "ActiveState") == "active";
    (is("ipvland.socket"), is("ipvland.service"))
}

/// A ping that does not stop, from the neighbour.
pub(crate) struct Pings(Child);

impl Pings {
    /// Begins to send twenty a second.
    #[track_caller]
    pub(crate) fn begin(address: &str) -> Self {
        let command = format!("{} ping -n -O -i 0.05 {address}", NEIGHBOUR.enter());
        let mut words = command.split_whitespace();
        let mut ping = Command::new(words.next().expect("a command has a first word"));
        Self(ping.args(words).stdout(Stdio::piped()).spawn().expect("`nsenter` is on PATH"))
    }

    /// Ends it: how many were answered, and a line for each that was not.
    #[track_caller]
    pub(crate) fn end(self) -> (usize, Vec<String>) {
        run(&format!("kill -INT {}", self.0.id()));
        let output = self.0.wait_with_output().expect("it is our child");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answered = said.lines().filter(|line| line.contains(" bytes from ")).count();
        // One that is on the way when it ends is not among them.
        let lost = said.lines().filter(|line| line.contains("no answer yet") || line.contains("Unreachable"));
        (answered, lost.map(str::to_owned).collect())
    }
}
