//! Records and a kernel that match them in part: every way a crash, a person or a container can leave things in.
//!
//! What is generated are choices; from them the records are made as the ledger could hold them, and the links with
//! the knowledge of whose they are, so that the tests need not ask the code they test.

use std::collections::BTreeSet;

use ipnet::IpNet;
use model::{
    Endpoint, EndpointState, Flag, Kind, Link, LinkIntent, Mark, Mode, Network, NetworkState, Observed, Parent, Place,
    PortSettings, SandboxLink, SandboxRoutes, Sysctls, desired,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::kernel::Kernel;
use crate::scene::{endpoint, link, marked, network, slave, text};

/// Where a link is: its place and its index there.
pub(crate) type Spot = (Place, u32);

/// One state of the world.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) networks: Vec<Network>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) kernel: Kernel,
    /// The links that are not ours.
    pub(crate) foreign: BTreeSet<Spot>,
    /// The mode and flag that the port shows, if it has slaves.
    pub(crate) shown: PortSettings,
}

impl Case {
    pub(crate) fn intents(&self) -> Vec<LinkIntent> {
        desired(&self.networks, &self.endpoints)
    }

    pub(crate) fn parent(&self) -> &Parent {
        &self.networks[0].parent
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum On {
    Link,
    Vlan,
    Dummy,
}

/// How a link that carries slaves is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Base {
    Whole,
    Missing,
    /// `Parent::Link`: renamed by somebody. A link of ours: just born.
    HalfMade,
    Marked,
    Down,
    /// Made by somebody else under our final name.
    Foreign,
    /// The same, of another kind and with our mark.
    Disguised,
}

/// Where the slave of an endpoint is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Nowhere,
    Born,
    Marked,
    InSandbox,
    Elsewhere,
    /// In its sandbox, with nothing done to it there.
    JustMoved,
}

/// A link of somebody else's.
#[derive(Debug, Clone, Copy)]
enum Stranger {
    HostSlave,
    SandboxSlave,
    /// With an endpoint's mark, on the port, in a sandbox that is not the endpoint's.
    ForgedElsewhere,
    /// With an endpoint's mark, on the port, on the host under another name.
    ForgedOnHost,
    /// With an endpoint's mark and address, on the port of another parent, in the endpoint's sandbox.
    ForgedOnOtherParent,
    /// A dummy with an endpoint's mark and address, in the endpoint's sandbox.
    ForgedDummy,
    /// With an endpoint's birth name, on the port of another parent.
    BirthNameElsewhere,
    /// On the port's parent.
    Macvlan,
    /// On the port's parent.
    Vlan,
}

#[derive(Debug, Clone)]
struct NetworkChoice {
    state: NetworkState,
    /// Of other settings, where it is on its way out.
    odd: bool,
    /// Made when a link of the parent's name was there.
    found: bool,
}

#[derive(Debug, Clone)]
struct EndpointChoice {
    network: usize,
    state: EndpointState,
    with_address: bool,
    found: Found,
    /// Ours to set up in its sandbox, and whether that is there.
    set_up: Option<bool>,
}

#[derive(Debug, Clone)]
struct Choices {
    on: On,
    base: Base,
    eth0_there: bool,
    wanted: PortSettings,
    shown: PortSettings,
    networks: Vec<NetworkChoice>,
    endpoints: Vec<EndpointChoice>,
    sentinel: Found,
    strangers: Vec<(Stranger, usize)>,
}

/// Any case.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    choices().prop_map(|choices| Builder::new(&choices).build(&choices))
}

fn choices() -> impl Strategy<Value = Choices> {
    let l2 = PortSettings::default();
    let l3 = PortSettings { mode: Mode::L3, ..l2 };
    let private = PortSettings { flag: Flag::Private, ..l2 };
    use NetworkState::{Creating, Deleting, Ready};
    let network = (select(vec![Creating, Ready, Ready, Deleting]), any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(state, odd, found)| NetworkChoice { state, odd, found });
    use EndpointState::{Attached, Attaching, Created, Detaching};
    let found =
        select(vec![Found::Nowhere, Found::Born, Found::Marked, Found::InSandbox, Found::JustMoved, Found::Elsewhere]);
    let state = select(vec![Created, Attaching, Attaching, Attached, Detaching]);
    let set_up = select(vec![None, None, Some(true), Some(true), Some(false)]);
    let endpoint =
        (0..3_usize, state, any::<bool>(), found, set_up).prop_map(|(network, state, with_address, found, set_up)| {
            EndpointChoice { network, state, with_address, found, set_up }
        });
    use Stranger::*;
    let stranger = select(vec![
        HostSlave,
        SandboxSlave,
        ForgedElsewhere,
        ForgedOnHost,
        ForgedOnOtherParent,
        ForgedDummy,
        BirthNameElsewhere,
        Macvlan,
        Vlan,
    ]);
    use Base::{Disguised, Down, Foreign, HalfMade, Missing, Whole};
    (
        select(vec![On::Link, On::Vlan, On::Dummy]),
        select(vec![Whole, Whole, Missing, HalfMade, Base::Marked, Down, Foreign, Disguised]),
        prop::bool::weighted(0.9),
        select(vec![l2, l3]),
        select(vec![l2, l3, private]),
        prop::collection::vec(network, 1..=3),
        prop::collection::vec(endpoint, 0..=4),
        select(vec![Found::Nowhere, Found::Born, Found::Marked]),
        prop::collection::vec((stranger, 0..4_usize), 0..=3),
    )
        .prop_map(|(on, base, eth0_there, wanted, shown, networks, endpoints, sentinel, strangers)| Choices {
            on,
            base,
            eth0_there,
            wanted,
            shown,
            networks,
            endpoints,
            sentinel,
            strangers,
        })
}

const ETH0: u32 = 2;
const ETH1: u32 = 3;

struct Builder {
    parent: Parent,
    networks: Vec<Network>,
    endpoints: Vec<Endpoint>,
    links: Observed,
    foreign: BTreeSet<Spot>,
    /// The index of the link that the port is on.
    port: Option<u32>,
    next: u32,
}

impl Builder {
    fn new(choices: &Choices) -> Self {
        let parent = match choices.on {
            On::Link => Parent::Link(text("eth0")),
            On::Vlan => Parent::Vlan { name: text("eth0.10"), on: text("eth0"), id: text("10") },
            On::Dummy => Parent::dummy_for(&text("net0")),
        };
        let links = Observed { host: vec![link(1, "lo"), link(ETH1, "eth1")], ..Observed::default() };
        let foreign = [(Place::Host, 1), (Place::Host, ETH1)].into();
        Self { parent, networks: Vec::new(), endpoints: Vec::new(), links, foreign, port: None, next: 4 }
    }

    fn build(mut self, choices: &Choices) -> Case {
        self.add_networks(choices);
        self.add_endpoints(choices);
        self.add_base(choices);
        self.add_slaves(choices);
        for (stranger, whose) in &choices.strangers {
            self.add_stranger(*stranger, *whose, choices.shown);
        }
        Case {
            networks: self.networks,
            endpoints: self.endpoints,
            kernel: Kernel::new(self.links),
            foreign: self.foreign,
            shown: choices.shown,
        }
    }

    /// As the ledger could hold them: those that are not on their way out agree on the settings, and an isolated
    /// network is alone.
    fn add_networks(&mut self, choices: &Choices) {
        let odd = PortSettings { mode: Mode::L3s, flag: Flag::Vepa };
        let most = if choices.on == On::Dummy { 1 } else { choices.networks.len() };
        for (number, choice) in choices.networks.iter().take(most).enumerate() {
            let leaving = choice.state == NetworkState::Deleting;
            let settings = if leaving && choice.odd { odd } else { choices.wanted };
            let parent = match &self.parent {
                Parent::Vlan { name, .. } if choice.found => Parent::Link(name.clone()),
                parent => parent.clone(),
            };
            self.networks.push(Network { state: choice.state, ..network(&format!("net{number}"), parent, settings) });
        }
    }

    /// As the ledger could hold them: those of a network on its way out are so too.
    fn add_endpoints(&mut self, choices: &Choices) {
        for (number, choice) in (2_u8..).zip(&choices.endpoints) {
            let network = &self.networks[choice.network % self.networks.len()];
            let leaving = network.state == NetworkState::Deleting;
            let state = if leaving { EndpointState::Detaching } else { choice.state };
            let made = Endpoint { network: network.id.clone(), ..endpoint(&format!("end{number}"), number, state) };
            let addresses = if choice.with_address { made.addresses.clone() } else { model::Addresses::default() };
            let name = text(&format!("lan{number}"));
            let set_up = choice.set_up.map(|_| SandboxLink {
                name,
                sysctls: Sysctls::default(),
                routes: SandboxRoutes::default(),
            });
            if let (Some(true), Some(key)) = (choice.set_up, &made.sandbox) {
                self.links.sandboxes.entry(key.clone()).or_default();
            }
            self.endpoints.push(Endpoint { addresses, set_up, ..made });
        }
    }

    fn add_base(&mut self, choices: &Choices) {
        let name = self.parent.name().to_string();
        if choices.on == On::Link {
            match choices.base {
                Base::Missing => return,
                Base::HalfMade => self.foreign_on_host(link(ETH0, "lan0")),
                _ => self.foreign_on_host(link(ETH0, "eth0")),
            }
            self.port = Some(ETH0);
            return;
        }
        if choices.eth0_there {
            self.foreign_on_host(link(ETH0, "eth0"));
        }
        let (kind, on) = match &self.parent {
            Parent::Vlan { id, .. } => (Kind::Vlan(*id), Some(ETH0)),
            _ => (Kind::Dummy, None),
        };
        if choices.base == Base::Missing || on.is_some() && !choices.eth0_there {
            return;
        }
        let mark = Mark::Parent(text(&name));
        // Of networks that all found the link, none says that it is ours.
        let ours = self.networks.iter().any(|network| network.parent == self.parent);
        let index = self.index();
        let made = Link { kind, on, ..link(index, &name) };
        let born = Link { up: false, ..Link { name: mark.birth_name(), ..made.clone() } };
        let made = match choices.base {
            Base::HalfMade => born,
            Base::Marked => marked(born, &mark),
            Base::Down => marked(Link { up: false, ..made }, &mark),
            Base::Whole => marked(made, &mark),
            Base::Disguised => Link { kind: Kind::Other("bridge".into()), ..marked(made, &mark) },
            Base::Foreign | Base::Missing => made,
        };
        if choices.base != Base::HalfMade && choices.base != Base::Marked {
            self.port = Some(index);
        }
        if matches!(choices.base, Base::Foreign | Base::Disguised) || !ours {
            self.foreign_on_host(made);
        } else {
            self.links.host.push(made);
        }
    }

    fn add_slaves(&mut self, choices: &Choices) {
        let Some(port) = self.port else { return };
        let sentinel = Mark::Sentinel(self.parent.name().clone());
        self.add_slave(&sentinel, choices.sentinel, None, &[], port, choices.shown);
        for (endpoint, choice) in self.endpoints.clone().iter().zip(&choices.endpoints) {
            let sandbox = endpoint.sandbox.clone().map(Place::Sandbox);
            let addresses: Vec<IpNet> = endpoint.addresses.iter().collect();
            self.add_slave(&endpoint.mark(), choice.found, sandbox, &addresses, port, choices.shown);
        }
    }

    fn add_slave(
        &mut self,
        mark: &Mark,
        found: Found,
        sandbox: Option<Place>,
        addresses: &[IpNet],
        port: u32,
        shown: PortSettings,
    ) {
        let born = slave(0, mark.birth_name().as_str(), port, shown);
        let moved = Link { addresses: addresses.to_vec(), up: true, ..marked(born.clone(), mark) };
        match (found, sandbox) {
            (Found::Nowhere, _) | (Found::InSandbox | Found::JustMoved, None) => {}
            (Found::JustMoved, Some(sandbox)) => {
                drop(self.put(sandbox, Link { name: text("eth7"), ..marked(born, mark) }));
            }
            (Found::Born, _) => drop(self.put(Place::Host, born)),
            (Found::Marked, _) => drop(self.put(Place::Host, marked(born, mark))),
            (Found::InSandbox, Some(sandbox)) => drop(self.put(sandbox, Link { name: text("eth7"), ..moved })),
            (Found::Elsewhere, _) if addresses.is_empty() => {}
            (Found::Elsewhere, _) => drop(self.put(elsewhere(), Link { name: text("eth7"), ..moved })),
        }
    }

    fn add_stranger(&mut self, stranger: Stranger, whose: usize, shown: PortSettings) {
        let Some(port) = self.port else { return };
        // Once the parent is gone by its name, a slave cannot be told from one on another parent by what it sits on.
        let parent_stays = self.parent == Parent::Link(text("eth0")) && self.links.host_link(&text("eth0")).is_some();
        if !parent_stays && matches!(stranger, Stranger::ForgedOnOtherParent | Stranger::BirthNameElsewhere) {
            return;
        }
        let endpoint = (!self.endpoints.is_empty()).then(|| self.endpoints[whose % self.endpoints.len()].clone());
        let mark = endpoint.as_ref().map_or(Mark::Sentinel(self.parent.name().clone()), Endpoint::mark);
        let home = endpoint.as_ref().and_then(|endpoint| endpoint.sandbox.clone()).map_or(elsewhere(), Place::Sandbox);
        let addresses: Vec<IpNet> = endpoint.iter().flat_map(|endpoint| endpoint.addresses.iter()).collect();
        let on_port = |name: &str| slave(0, name, port, shown);
        let on_other = |name: &str| slave(0, name, ETH1, PortSettings { mode: Mode::L3s, flag: Flag::Private });
        let name = format!("other{}", self.next);
        let (place, link) = match stranger {
            Stranger::HostSlave => (Place::Host, on_port(&name)),
            Stranger::SandboxSlave => (home, on_port(&name)),
            Stranger::ForgedElsewhere => (elsewhere(), marked(on_port(&name), &mark)),
            Stranger::ForgedOnHost => (Place::Host, marked(on_port(&name), &mark)),
            Stranger::ForgedOnOtherParent => (home, Link { addresses, ..marked(on_other(&name), &mark) }),
            Stranger::ForgedDummy => (home, Link { addresses, kind: Kind::Dummy, ..marked(link(0, &name), &mark) }),
            Stranger::BirthNameElsewhere => (Place::Host, on_other(mark.birth_name().as_str())),
            Stranger::Macvlan => {
                (Place::Host, Link { kind: Kind::Other("macvlan".into()), on: Some(port), ..link(0, &name) })
            }
            Stranger::Vlan => (Place::Host, Link { kind: Kind::Vlan(text("20")), on: Some(port), ..link(0, &name) }),
        };
        if let Some(spot) = self.put(place, link) {
            self.foreign.insert(spot);
        }
    }

    /// Puts a link where no other has its name, under the next index of that place.
    fn put(&mut self, place: Place, link: Link) -> Option<Spot> {
        let index = match &place {
            Place::Host => self.index(),
            // A namespace counts by itself, so its indices are some of the host's.
            Place::Sandbox(key) => 2 + u32::try_from(self.links.sandboxes.get(key).map_or(0, Vec::len)).unwrap(),
        };
        let links = match &place {
            Place::Host => &mut self.links.host,
            Place::Sandbox(key) => self.links.sandboxes.entry(key.clone()).or_default(),
        };
        // Two of ours may both be called eth7 by their container's engine; the kernel would not have it.
        let name = if links.iter().any(|other| other.name == link.name) {
            if matches!(place, Place::Host) {
                return None;
            }
            text(&format!("eth{}", 10 + index))
        } else {
            link.name.clone()
        };
        links.push(Link { index, name, ..link });
        Some((place, index))
    }

    fn foreign_on_host(&mut self, link: Link) {
        self.foreign.insert((Place::Host, link.index));
        self.links.host.push(link);
    }

    fn index(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}

/// A sandbox that no record names.
fn elsewhere() -> Place {
    Place::Sandbox(text("/run/elsewhere"))
}
