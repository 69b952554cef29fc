//! A daemon that may die, what an engine has made through it, and that all of it is as it should be.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::audit;
use crate::command::run;
use crate::daemon::{Daemon, Died, repair};
use crate::engine::{Endpoint, Network};

/// The parents, apart from those of isolated networks.
const LINKS: [&str; 1] = ["eth1"];

/// One play: it begins with nothing, and must end with nothing.
pub(crate) struct Stage {
    daemon: Daemon,
    /// How often it died.
    pub(crate) deaths: u32,
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
        Self { daemon, deaths, known: Known::default() }
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
    fn act<T>(&mut self, in_flight: &str, action: impl Fn(&mut Daemon) -> Result<T, Died>) -> T {
        action(&mut self.daemon).unwrap_or_else(|Died| {
            self.rise();
            audit(&self.known, Some(in_flight));
            action(&mut self.daemon).expect("nobody told this one to die")
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

    /// Asserts that everything is as the engine knows it.
    #[track_caller]
    pub(crate) fn is_as_known(&self) {
        audit(&self.known, None);
    }
}
