//! A daemon that may die, what an engine has made through it, and that all of it is as it should be.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{Fault, audit};
use crate::command::run;
use crate::daemon::{Daemon, Died, repair};
use crate::engine::{Endpoint, Network};

/// The parents, apart from those of isolated networks.
const LINKS: [&str; 1] = ["eth1"];

/// One play: it begins with nothing, and must end with nothing.
pub(crate) struct Stage {
    daemon: Daemon,
    /// How often it died.
    pub(crate) deaths: u64,
    /// What was asked of it.
    pub(crate) operations: u64,
    /// What was found that must not be.
    pub(crate) faults: Vec<Fault>,
    pub(crate) known: Known,
}

/// What the engine knows of.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    pub(crate) networks: BTreeSet<Network>,
    /// Endpoints, each with whether it is attached.
    pub(crate) endpoints: BTreeMap<Endpoint, Attached>,
}

/// How far an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attached {
    No,
    /// Its link is in its sandbox; with the name it had on the host, where the engine moved it.
    Yes(Option<String>),
}

impl Stage {
    /// With a daemon that dies after so many steps, unless nobody says so.
    pub(crate) fn open(kill_after: Option<u64>) -> Self {
        let _ = std::fs::remove_dir_all("/run/mortal/state");
        for link in LINKS {
            run(&format!("ip link set {link} up"));
        }
        let (mut deaths, daemon) = (0, Daemon::start(kill_after));
        let daemon = daemon.unwrap_or_else(|Died| {
            deaths += 1;
            Daemon::start_immortal()
        });
        Self { daemon, deaths, operations: 0, faults: Vec::new(), known: Known::default() }
    }

    /// The one that runs.
    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Replaces the daemon by one that dies after so many steps.
    pub(crate) fn arm(&mut self, kill_after: u64) {
        if self.daemon.replace(kill_after).is_err() {
            self.rise();
        }
    }

    /// Another daemon takes the place of a dead one, which has not finished what is in flight; what is found is mended.
    fn rise(&mut self) {
        self.deaths += 1;
        self.daemon = Daemon::start_immortal();
        repair();
    }

    /// Does something, which the daemon may not live to answer: then it is done again, as the engine does.
    #[track_caller]
    fn act<T>(&mut self, in_flight: &str, action: impl Fn(&Daemon) -> Result<T, Died>) -> T {
        self.operations += 1;
        action(&self.daemon).unwrap_or_else(|Died| {
            self.rise();
            self.audit(Some(in_flight));
            action(&self.daemon).expect("nobody told this one to die")
        })
    }

    #[track_caller]
    pub(crate) fn create_network(&mut self, network: Network) {
        self.act(network.id, |daemon| network.create(daemon));
        self.known.networks.insert(network);
    }

    #[track_caller]
    pub(crate) fn delete_network(&mut self, network: Network) {
        self.act(network.id, |daemon| network.delete(daemon));
        self.known.networks.remove(&network);
    }

    #[track_caller]
    pub(crate) fn create_endpoint(&mut self, endpoint: &Endpoint) {
        run(&format!("ip netns add {}", endpoint.sandbox()));
        self.act(&endpoint.id, |daemon| endpoint.create(daemon));
        self.known.endpoints.insert(endpoint.clone(), Attached::No);
    }

    #[track_caller]
    pub(crate) fn join(&mut self, endpoint: &Endpoint) {
        let link = self.act(&endpoint.id, |daemon| endpoint.join(daemon));
        self.known.endpoints.insert(endpoint.clone(), Attached::Yes(link));
    }

    #[track_caller]
    pub(crate) fn leave(&mut self, endpoint: &Endpoint) {
        let Some(Attached::Yes(link)) = self.known.endpoints.get(endpoint).cloned() else { return };
        self.act(&endpoint.id, |daemon| endpoint.leave(daemon, link.as_deref()));
    }

    #[track_caller]
    pub(crate) fn delete_endpoint(&mut self, endpoint: &Endpoint) {
        self.act(&endpoint.id, |daemon| endpoint.delete(daemon));
        self.known.endpoints.remove(endpoint);
        run(&format!("ip netns delete {}", endpoint.sandbox()));
    }

    /// Asks for an address that is held.
    #[track_caller]
    pub(crate) fn rob(&mut self, endpoint: &Endpoint) {
        if !self.act("thief", |daemon| endpoint.rob(daemon)) {
            self.faults.push(Fault::Duplicate(format!("the address of {} was given out again", endpoint.id)));
        }
    }

    /// Everything should be as the engine knows it.
    #[track_caller]
    pub(crate) fn is_as_known(&mut self) {
        self.audit(None);
    }

    #[track_caller]
    fn audit(&mut self, in_flight: Option<&str>) {
        let found = audit(&self.known, in_flight);
        found.iter().for_each(|fault| println!("{fault}"));
        self.faults.extend(found);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        assert!(self.faults.is_empty() || std::thread::panicking(), "{:?}", self.faults);
    }
}
