//! Against a reference: the same verbs on plain maps. Random sequences of verbs, through two connections that are
//! closed and opened again at any time, must be answered alike and leave the same records.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{
    Announcements, Endpoint, EndpointId, EndpointState, Flag, Frontend, Generation, InterfaceName, Mode, Moment,
    Network, NetworkId, NetworkState, Parent, PortSettings, SandboxKey, SandboxLink, SandboxRoutes, Segment,
    SegmentName, Subnet, Sysctls,
};
use proptest::prelude::*;
use proptest::sample::select;
use store::{Store, StoreError};

use crate::{id, quick_folder};

#[derive(Debug, Clone)]
enum Verb {
    AddNetwork(Network),
    ConfirmNetwork(NetworkId),
    DoomNetwork(NetworkId),
    RemoveNetwork(NetworkId),
    Claim(Endpoint),
    BeginAttach(EndpointId, SandboxKey),
    ConfirmAttach(EndpointId),
    UndoAttach(EndpointId),
    BeginDetach(EndpointId),
    Release(EndpointId),
    BeginGeneration,
    Reopen,
}

/// A refusal, in a form that can be compared.
#[derive(Debug, PartialEq)]
enum Refusal {
    NetworkExists(NetworkId),
    NoNetwork(NetworkId),
    PortHeld(InterfaceName, Vec<NetworkId>, PortSettings),
    EndpointExists(EndpointId),
    NoEndpoint(EndpointId),
    AddressHeld(IpAddr, EndpointId, NetworkId),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NetworkExists(id) => Refusal::NetworkExists(id),
            StoreError::NoNetwork(id) => Refusal::NoNetwork(id),
            StoreError::PortHeld { parent, holders, settings } => Refusal::PortHeld(parent, holders, settings),
            StoreError::EndpointExists(id) => Refusal::EndpointExists(id),
            StoreError::NoEndpoint(id) => Refusal::NoEndpoint(id),
            StoreError::AddressHeld { address, holder, network } => Refusal::AddressHeld(address, holder, network),
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Default)]
struct Reference {
    networks: BTreeMap<NetworkId, Network>,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    leases: BTreeMap<(Segment, IpAddr), EndpointId>,
    generation: u64,
}

impl Reference {
    fn apply(&mut self, verb: &Verb) -> Result<(), Refusal> {
        match verb.clone() {
            Verb::AddNetwork(network) => self.add_network(network)?,
            Verb::ConfirmNetwork(id) => match self.networks.get_mut(&id) {
                Some(network) if network.state != NetworkState::Deleting => network.state = NetworkState::Ready,
                _ => return Err(Refusal::NoNetwork(id)),
            },
            Verb::DoomNetwork(id) => {
                self.networks.entry(id.clone()).and_modify(|network| network.state = NetworkState::Deleting);
                let on_it = self.endpoints.values_mut().filter(|endpoint| endpoint.network == id);
                on_it.for_each(|endpoint| endpoint.state = EndpointState::Detaching);
            }
            Verb::RemoveNetwork(id) => {
                self.networks.remove(&id);
                self.endpoints.retain(|_, endpoint| endpoint.network != id);
                self.drop_leases();
            }
            Verb::Claim(endpoint) => self.claim(endpoint)?,
            Verb::BeginAttach(id, sandbox) => match self.endpoints.get_mut(&id) {
                Some(endpoint) if endpoint.state != EndpointState::Detaching => {
                    (endpoint.state, endpoint.sandbox) = (EndpointState::Attaching, Some(sandbox));
                }
                _ => return Err(Refusal::NoEndpoint(id)),
            },
            Verb::ConfirmAttach(id) => match self.endpoints.get_mut(&id) {
                Some(endpoint) if matches!(endpoint.state, EndpointState::Attaching | EndpointState::Attached) => {
                    endpoint.state = EndpointState::Attached;
                }
                _ => return Err(Refusal::NoEndpoint(id)),
            },
            Verb::UndoAttach(id) => {
                if let Some(endpoint) = self.endpoints.get_mut(&id).filter(|e| e.state == EndpointState::Attaching) {
                    endpoint.state = EndpointState::Created;
                }
            }
            Verb::BeginDetach(id) => {
                self.endpoints.entry(id).and_modify(|endpoint| endpoint.state = EndpointState::Detaching);
            }
            Verb::Release(id) => {
                self.endpoints.remove(&id);
                self.drop_leases();
            }
            Verb::BeginGeneration => self.generation += 1,
            Verb::Reopen => {}
        }
        Ok(())
    }

    fn add_network(&mut self, network: Network) -> Result<(), Refusal> {
        if self.networks.contains_key(&network.id) {
            return Err(Refusal::NetworkExists(network.id));
        }
        let parent = network.parent.name();
        let disagrees = |other: &&Network| {
            other.parent.name() == parent && other.state != NetworkState::Deleting && other.settings != network.settings
        };
        let holders: Vec<&Network> = self.networks.values().filter(disagrees).collect();
        match holders.first() {
            Some(first) => {
                let ids = holders.iter().map(|holder| holder.id.clone()).collect();
                Err(Refusal::PortHeld(parent.clone(), ids, first.settings))
            }
            None => {
                let network = Network { state: NetworkState::Creating, ..network };
                self.networks.insert(network.id.clone(), network);
                Ok(())
            }
        }
    }

    fn claim(&mut self, endpoint: Endpoint) -> Result<(), Refusal> {
        if self.endpoints.contains_key(&endpoint.id) {
            return Err(Refusal::EndpointExists(endpoint.id));
        }
        let network = self.networks.get(&endpoint.network).filter(|network| network.state == NetworkState::Ready);
        let segment = network.ok_or_else(|| Refusal::NoNetwork(endpoint.network.clone()))?.segment();
        let wanted: Vec<_> = endpoint.addresses.iter().map(|net| (segment.clone(), net.addr())).collect();
        for lease in &wanted {
            if let Some(holder) = self.leases.get(lease) {
                return Err(Refusal::AddressHeld(lease.1, holder.clone(), self.endpoints[holder].network.clone()));
            }
        }
        self.leases.extend(wanted.into_iter().map(|lease| (lease, endpoint.id.clone())));
        self.endpoints.insert(endpoint.id.clone(), endpoint);
        Ok(())
    }

    fn drop_leases(&mut self) {
        self.leases.retain(|_, holder| self.endpoints.contains_key(holder));
    }

    fn on_parent(&self, parent: &InterfaceName) -> (Vec<Network>, Vec<Endpoint>) {
        let networks: Vec<_> = self.networks.values().filter(|n| n.parent.name() == parent).cloned().collect();
        let on_it = |endpoint: &&Endpoint| networks.iter().any(|network| network.id == endpoint.network);
        (networks.clone(), self.endpoints.values().filter(on_it).cloned().collect())
    }
}

fn apply(verb: &Verb, store: &mut Store, open: impl Fn() -> Store) -> Result<(), StoreError> {
    match verb {
        Verb::AddNetwork(network) => store.add_network(network),
        Verb::ConfirmNetwork(id) => store.confirm_network(id),
        Verb::DoomNetwork(id) => store.doom_network(id),
        Verb::RemoveNetwork(id) => store.remove_network(id),
        Verb::Claim(endpoint) => store.claim(endpoint),
        Verb::BeginAttach(id, sandbox) => store.begin_attach(id, sandbox),
        Verb::ConfirmAttach(id) => store.confirm_attach(id),
        Verb::UndoAttach(id) => store.undo_attach(id),
        Verb::BeginDetach(id) => store.begin_detach(id),
        Verb::Release(id) => store.release(id),
        Verb::BeginGeneration => store.begin_generation().map(|_| ()),
        Verb::Reopen => {
            *store = open();
            Ok(())
        }
    }
}

const PARENTS: [&str; 3] = ["eth0", "eth0.10", "ivd-n3"];

/// Few names, parents and addresses, so that they meet.
fn network() -> impl Strategy<Value = Network> {
    let parents = [
        Parent::Link(id("eth0")),
        Parent::Link(id("eth0.10")),
        Parent::Vlan { name: id("eth0.10"), on: id("eth0"), id: id("10") },
        Parent::dummy_for(&id("n3")),
    ];
    let subnets = [("10.1.0.0/16", Some("10.1.0.1")), ("2001:db8::/64", None), ("0.0.0.0/0", None)]
        .map(|(pool, gateway)| Subnet::new(id(pool), gateway.map(id)).unwrap());
    (
        network_id(),
        select(parents.to_vec()),
        select(vec![Mode::L2, Mode::L2, Mode::L3]),
        select(vec![Flag::Bridge, Flag::Bridge, Flag::Private]),
        select(vec![None, Some(id("1400"))]),
        select(vec![Announcements::default(), Announcements::new(0, 100).unwrap()]),
        proptest::sample::subsequence(subnets.to_vec(), 0..=3).prop_shuffle(),
        select(vec![SegmentName::default(), SegmentName::default(), id("cellar")]),
    )
        .prop_map(|(id, parent, mode, flag, mtu, announcements, subnets, segment_name)| {
            let settings = PortSettings { mode, flag };
            Network { settings, mtu, announcements, subnets, segment_name, ..Network::plain(id, parent) }
        })
}

fn network_id() -> impl Strategy<Value = NetworkId> {
    select(vec!["n1", "n2", "n3"]).prop_map(id)
}

fn endpoint_id() -> impl Strategy<Value = EndpointId> {
    select(vec!["e1", "e2", "e3", "e4"]).prop_map(id)
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let v4 = select(vec![None, Some("10.1.0.2/16"), Some("10.1.0.2/24"), Some("10.1.0.3/16")]);
    let v6 = select(vec![None, Some("2001:db8::2/64"), Some("2001:db8::3/64")]);
    let sysctls = id::<Sysctls>("net.ipv4.conf.IFNAME.forwarding=1,net.ipv6.conf.IFNAME.accept_ra=0");
    let set_up = select(vec![
        None,
        Some(SandboxLink { name: id("lan0"), sysctls: Sysctls::default(), routes: SandboxRoutes::default() }),
        Some(SandboxLink { name: id("lan0"), sysctls, routes: id("0.0.0.0/0 via 10.1.0.1,10.9.0.0/16 metric 5") }),
    ]);
    let all = (endpoint_id(), network_id(), v4, v6, set_up, 0..3_u64);
    all.prop_map(|(name, network, v4, v6, set_up, generation)| Endpoint {
        id: name,
        network,
        frontend: Frontend::Docker,
        addresses: [v4, v6].into_iter().flatten().map(id).collect(),
        set_up,
        sandbox: None,
        born: Moment { generation: Generation(generation), boot: id("b007") },
        state: EndpointState::Created,
    })
}

fn verb() -> impl Strategy<Value = Verb> {
    let sandbox = || select(vec!["/run/a", "/run/b"]).prop_map(id::<SandboxKey>);
    prop_oneof![
        4 => network().prop_map(Verb::AddNetwork),
        5 => network_id().prop_map(Verb::ConfirmNetwork),
        1 => network_id().prop_map(Verb::DoomNetwork),
        1 => network_id().prop_map(Verb::RemoveNetwork),
        9 => endpoint().prop_map(Verb::Claim),
        4 => (endpoint_id(), sandbox()).prop_map(|(id, sandbox)| Verb::BeginAttach(id, sandbox)),
        3 => endpoint_id().prop_map(Verb::ConfirmAttach),
        2 => endpoint_id().prop_map(Verb::UndoAttach),
        1 => endpoint_id().prop_map(Verb::BeginDetach),
        2 => endpoint_id().prop_map(Verb::Release),
        1 => Just(Verb::BeginGeneration),
        1 => Just(Verb::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_verbs_is_answered_as_the_reference_does(
        verbs in prop::collection::vec((verb(), any::<prop::sample::Index>()), 1..120)
    ) {
        let folder = quick_folder();
        let open = || Store::open(&folder.path().join("ledger.db")).unwrap();
        let mut stores = [open(), open()];
        let mut reference = Reference::default();
        for (verb, through) in verbs {
            let through = through.index(2);
            let answer = apply(&verb, &mut stores[through], open).map_err(Refusal::from);
            prop_assert_eq!(answer, reference.apply(&verb), "{:?}", verb);

            // The other connection must see it at once.
            let other = &stores[1 - through];
            prop_assert_eq!(other.generation().unwrap().0, reference.generation);
            prop_assert_eq!(other.networks().unwrap(), reference.networks.values().cloned().collect::<Vec<_>>());
            prop_assert_eq!(other.endpoints().unwrap(), reference.endpoints.values().cloned().collect::<Vec<_>>());
            for parent in PARENTS {
                let port = other.on_parent(&id(parent)).unwrap();
                prop_assert_eq!((port.networks, port.endpoints), reference.on_parent(&id(parent)));
            }
        }
    }
}
