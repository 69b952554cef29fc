//! A daemon that may die, what an engine has made through it, and that all of it is as it should be.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{Fault, audit};
use crate::command::run;
use crate::daemon::{Daemon, Died, forget, repair};
use crate::engine::{Endpoint, Ipam, Network};

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
    /// What was dealt to it, and no endpoint has yet, or any more.
    pub(crate) owed: BTreeSet<String>,
    /// How many calls on addresses were not answered in this life of its. What they have left is nobody's until the next.
    pub(crate) unheard: usize,
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
        self.once(in_flight, &action).unwrap_or_else(|| action(&self.daemon).expect("nobody told this one to die"))
    }

    /// The same where the engine does not ask again. `None`: it was not answered.
    #[track_caller]
    fn once<T>(&mut self, in_flight: &str, action: impl Fn(&Daemon) -> Result<T, Died>) -> Option<T> {
        self.operations += 1;
        let answer = action(&self.daemon).ok();
        if answer.is_none() {
            self.rise();
            self.audit(Some(in_flight));
        }
        answer
    }

    #[track_caller]
    pub(crate) fn create_network(&mut self, network: Network) {
        match network.ipam {
            Ipam::Engine => self.act(network.id, |daemon| network.create(daemon)),
            Ipam::Ledger => while !self.create_dealt(network) {},
        }
        self.known.networks.insert(network);
    }

    /// The engine that gets no answer gives up what it knows of, and its user tries again.
    #[track_caller]
    fn create_dealt(&mut self, network: Network) -> bool {
        if self.once(network.id, |daemon| network.request_pool(daemon)).is_none() {
            // It was not told what the pool is called.
            self.known.unheard += 1;
            self.live_anew();
            return false;
        }
        let made = self.once(network.id, |daemon| network.request_gateway(daemon)).is_some() && {
            let made = self.once(network.id, |daemon| network.create(daemon)).is_some();
            if !made {
                self.act(network.id, |daemon| network.release_gateway(daemon));
            }
            made
        };
        if !made {
            self.act(network.id, |daemon| network.release_pool(daemon));
            forget(network.id);
            self.is_as_known();
        }
        made
    }

    #[track_caller]
    pub(crate) fn delete_network(&mut self, network: Network) {
        if network.ipam == Ipam::Ledger {
            // Whether or not these are answered, the engine goes on.
            self.once(network.id, |daemon| network.release_gateway(daemon));
            self.once(network.id, |daemon| network.release_pool(daemon));
        }
        self.act(network.id, |daemon| network.delete(daemon));
        self.known.networks.remove(&network);
        if network.ipam == Ipam::Ledger {
            // Another may be on its pool.
            self.is_as_known();
        }
    }

    /// As it was made: one whose address is dealt differs.
    #[track_caller]
    pub(crate) fn create_endpoint(&mut self, endpoint: &Endpoint) -> Endpoint {
        if endpoint.network.ipam == Ipam::Ledger {
            return (1..).find_map(|attempt| self.start_dealt(endpoint, attempt)).expect("one that is answered");
        }
        run(&format!("ip netns add {}", endpoint.sandbox()));
        self.act(&endpoint.id, |daemon| endpoint.create(daemon));
        self.known.endpoints.insert(endpoint.clone(), Attached::No);
        endpoint.clone()
    }

    /// An engine that gets no answer gives up, with what it knows of. When the container is started again, nothing is as it
    /// was but the name.
    #[track_caller]
    fn start_dealt(&mut self, endpoint: &Endpoint, attempt: u32) -> Option<Endpoint> {
        let network = endpoint.network;
        let unheard = self.known.unheard;
        // Should it die, one more claim may be there than is known of.
        self.known.unheard += 1;
        let host = self.once("", |daemon| network.request_address(daemon))?;
        self.known.unheard = unheard;
        let endpoint = Endpoint { id: format!("{}-{attempt}", endpoint.id), host, ..endpoint.clone() };
        self.known.owed.insert(endpoint.address());
        run(&format!("ip netns add {}", endpoint.sandbox()));
        if self.once(&endpoint.id, |daemon| endpoint.create(daemon)).is_some() {
            self.known.owed.remove(&endpoint.address());
            self.known.endpoints.insert(endpoint.clone(), Attached::No);
            return Some(endpoint);
        }
        self.release_address(&endpoint);
        self.is_as_known();
        run(&format!("ip netns delete {}", endpoint.sandbox()));
        None
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
        match endpoint.network.ipam {
            Ipam::Engine => self.act(&endpoint.id, |daemon| endpoint.delete(daemon)),
            Ipam::Ledger => {
                self.known.owed.insert(endpoint.address());
                // Whether or not it is answered, the engine gives the address back.
                self.once(&endpoint.id, |daemon| endpoint.delete(daemon));
                self.release_address(endpoint);
            }
        }
        self.known.endpoints.remove(endpoint);
        run(&format!("ip netns delete {}", endpoint.sandbox()));
    }

    #[track_caller]
    fn release_address(&mut self, endpoint: &Endpoint) {
        self.known.owed.remove(&endpoint.address());
        self.known.unheard += 1;
        if self.once(&endpoint.id, |daemon| endpoint.release_address(daemon)).is_some() {
            self.known.unheard -= 1;
        }
    }

    /// The engine comes to life again; its containers have run on. What it had not joined yet, it removes.
    #[track_caller]
    pub(crate) fn live_anew(&mut self) {
        self.operations += 1;
        let idle: Vec<Endpoint> =
            self.known.endpoints.iter().filter(|it| *it.1 == Attached::No).map(|it| it.0.clone()).collect();
        self.known.endpoints.retain(|_, attached| *attached != Attached::No);
        self.known.owed.clear();
        if self.daemon.activate().is_err() {
            self.rise();
            self.daemon.activate().expect("nobody told this one to die");
        }
        self.known.unheard = 0;
        repair();
        self.is_as_known();
        for endpoint in idle {
            // They are gone, and the engine goes on as if they were not.
            if endpoint.network.ipam == Ipam::Ledger {
                self.act(&endpoint.id, |daemon| endpoint.delete(daemon));
                self.act(&endpoint.id, |daemon| endpoint.release_address(daemon));
            }
            run(&format!("ip netns delete {}", endpoint.sandbox()));
        }
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
