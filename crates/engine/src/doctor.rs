//! What is wrong with this host, or may go wrong, and what to do about it. Only looks: nothing is changed, and a ledger that
//! cannot be opened is one of the things that are found.
//!
//! What there is is gathered here; each module below judges one side of it, and is pure.

mod host;
mod ledger;
mod leftovers;
mod links;
mod networks;
mod routed;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::SystemTime;

use kernel::{Host, LinkSettings, Scope};
use model::{Family, InterfaceName, KernelVersion, Mode, NetworkId, Observed, ParentFault, PortSettings, SandboxKey};

use self::ledger::Records;
use crate::{EngineError, Paths};

/// What was found on a host.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The kernel of this host.
    pub kernel: KernelVersion,
    /// Links that somebody may name as a parent.
    pub links: Vec<ParentLink>,
    /// What is wrong or may go wrong, the worst first.
    pub findings: Vec<Diagnosis>,
}

/// A link that somebody may name as a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentLink {
    /// Its name.
    pub name: InterfaceName,
    /// `ethernet`, `wifi`, or the kernel's word for it, such as `bond`.
    pub kind: String,
    /// Administratively up.
    pub up: bool,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// Mode and flag of the port on it, whoever made that; `None` while no slave is in sight.
    pub port: Option<PortSettings>,
    /// The networks on it.
    pub networks: Vec<NetworkId>,
    /// Why no network can be made on it.
    pub obstacle: Option<ParentFault>,
}

/// One thing that is wrong or may go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a link, a network, a program.
    pub about: String,
    /// What there is, in one sentence.
    pub sentence: String,
    /// What to do, in one sentence.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something does not work.
    Fault,
    /// Something may not work.
    Warning,
    /// Something is good to know.
    Note,
}

impl Severity {
    /// The word used in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Fault => "fault",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl Diagnosis {
    /// Something that does not work.
    pub fn fault(about: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Fault, about, sentence, remedy)
    }

    /// Something that may not work.
    pub fn warning(about: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Warning, about, sentence, remedy)
    }

    /// Something that is good to know.
    pub fn note(about: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Note, about, sentence, remedy)
    }

    fn new(severity: Severity, about: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity, about: about.to_owned(), sentence: sentence.into(), remedy: remedy.into() }
    }

    /// What the engine says no to, with its causes.
    fn refusal(about: &str, error: impl Into<EngineError>) -> Self {
        let error = error.into();
        let causes = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
        let sentence: Vec<String> = causes.map(ToString::to_string).collect();
        Self::fault(about, sentence.join(": "), error.hint().unwrap_or_default())
    }
}

/// What there is beside the ledger.
struct Surroundings {
    host: Host,
    /// The links of the host, and of all namespaces in reach.
    observed: Observed,
    /// Settings of the links that may be parents, by name.
    settings: BTreeMap<InterfaceName, LinkSettings>,
    /// The families of which a default route leads to a router through a link. Of parents in l3 and l3s only.
    routers: BTreeSet<(InterfaceName, Family)>,
}

/// Looks at the host: its kernel, its links, the ledger, and how the two agree.
///
/// # Errors
/// When the kernel cannot be read.
pub fn examine(paths: &Paths) -> Result<Examination, EngineError> {
    let (records, mut findings) = ledger::examine(paths, SystemTime::now());
    let kernel = kernel::release()?;
    let surroundings = Surroundings::observe(&records)?;
    let links = links::candidates(&surroundings, &records.networks);

    findings.extend(host::judge(kernel, &surroundings.host));
    findings.extend(links::judge(&links, &surroundings.observed));
    findings.extend(networks::judge(&records, &surroundings));
    findings.extend(leftovers::judge(&records, &surroundings.observed));
    findings.sort_by_key(|finding| finding.severity);
    Ok(Examination { kernel, links, findings })
}

impl Surroundings {
    fn observe(records: &Records) -> Result<Self, EngineError> {
        let sandboxes: Vec<SandboxKey> =
            records.endpoints.iter().filter_map(|report| report.endpoint.sandbox.clone()).collect();
        let observed = kernel::observe(Scope::Everywhere(&sandboxes))?;
        let settings = links::parents(&observed).map(|link| (link.name.clone(), kernel::link_settings(&link.name)));
        let settings = settings.collect();
        let routed = records.networks.iter().filter(|network| network.settings.mode != Mode::L2);
        let mut routers = BTreeSet::new();
        for link in routed.filter_map(|network| observed.host_link(network.parent.name())) {
            for family in [Family::V4, Family::V6] {
                if kernel::router(link, family)?.is_some() {
                    routers.insert((link.name.clone(), family));
                }
            }
        }
        Ok(Self { host: kernel::host(), observed, settings, routers })
    }
}

#[cfg(test)]
mod tests {
    //! A plain host, for the tests of the judges to change.

    use kernel::Module;
    use model::{
        Addresses, Endpoint, EndpointState, Frontend, Generation, Kind, Layer, Link, Moment, Network, NetworkState,
        Parent, Verdict,
    };

    use super::*;
    use crate::EndpointReport;

    pub(super) fn host() -> Host {
        let module = Some(Module::OnDemand);
        Host {
            root: true,
            ipvlan: module,
            vlan: module,
            dummy: module,
            ipv6: true,
            forwards_v4: false,
            forwards_v6: false,
            rp_filter: 0,
        }
    }

    pub(super) fn kind(word: &str) -> Kind {
        Kind::Other(word.to_owned())
    }

    pub(super) fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.parse().unwrap(),
            alias: None,
            kind: kind(""),
            layer: Layer::Ethernet,
            on: None,
            master: None,
            up: true,
            mtu: 1500,
            mac: None,
            addresses: Vec::new(),
        }
    }

    pub(super) fn host_with(links: Vec<Link>) -> Surroundings {
        Surroundings {
            host: host(),
            observed: Observed { host: links, ..Observed::default() },
            settings: BTreeMap::new(),
            routers: BTreeSet::new(),
        }
    }

    /// A host with one link, `eth0`.
    pub(super) fn surroundings() -> Surroundings {
        host_with(vec![link(2, "eth0")])
    }

    /// A network on `eth0`.
    pub(super) fn network(id: &str) -> Network {
        let parent = Parent::Link("eth0".parse().unwrap());
        Network { state: NetworkState::Ready, ..Network::plain(id.parse().unwrap(), parent) }
    }

    pub(super) fn endpoint(id: &str, network: &str) -> EndpointReport {
        let endpoint = Endpoint {
            id: id.parse().unwrap(),
            network: network.parse().unwrap(),
            frontend: Frontend::Docker,
            addresses: Addresses::default(),
            set_up: None,
            sandbox: Some("/run/netns/a".parse().unwrap()),
            born: Moment { generation: Generation(1), boot: "b".parse().unwrap() },
            state: EndpointState::Attached,
        };
        EndpointReport { endpoint, verdict: Verdict::Lives, place: None }
    }

    /// A ledger that says this.
    pub(super) fn records(networks: Vec<Network>, endpoints: Vec<EndpointReport>) -> Records {
        Records { known: true, networks, endpoints, ..Records::default() }
    }

    pub(super) fn shown(findings: impl IntoIterator<Item = Diagnosis>) -> Vec<String> {
        let line = |it: Diagnosis| format!("{} {}: {}; {}", it.severity.as_str(), it.about, it.sentence, it.remedy);
        findings.into_iter().map(line).collect()
    }

    #[test]
    fn the_worst_comes_first() {
        assert!(Severity::Fault < Severity::Warning && Severity::Warning < Severity::Note);
    }
}
