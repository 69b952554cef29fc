//! A kernel, simulated as far as plans can tell.

use std::collections::BTreeSet;

use ipnet::IpNet;
use model::{InterfaceName, Kind, Layer, Link, Observed, Place, PortSettings, Step};

/// What there is, and how it changes.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub(crate) links: Observed,
    next_index: u32,
}

/// A step the kernel will not take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// A link of that name is there.
    NameTaken(InterfaceName),
    /// The link to work on is not there.
    NoSuchLink(InterfaceName),
    /// Another VLAN link has the tag on that link.
    TagTaken(InterfaceName),
    /// The parent cannot have a port.
    Busy(InterfaceName),
    /// No namespace is there.
    NoSuchSandbox,
    /// The link has the address.
    AddressThere(IpNet),
    /// Old kernels rename only what is down.
    Up(InterfaceName),
    /// A link that is down has no routes.
    Down(InterfaceName),
}

impl Kernel {
    pub(crate) fn new(links: Observed) -> Self {
        Self { links, next_index: 1000 }
    }

    /// Takes the steps up to the first that is refused, as the engine does.
    pub(crate) fn take(&mut self, steps: &[Step]) -> Result<(), Refusal> {
        steps.iter().try_for_each(|step| self.apply(step))
    }

    pub(crate) fn apply(&mut self, step: &Step) -> Result<(), Refusal> {
        match step {
            Step::CreateDummy { name } => self.create(name, Kind::Dummy, None),
            Step::CreateVlan { name, on, id } => {
                let below = self.index_of(on)?;
                let taken = |link: &Link| link.on == Some(below) && link.kind == Kind::Vlan(*id);
                if self.links.all().any(|(_, link)| taken(link)) {
                    return Err(Refusal::TagTaken(on.clone()));
                }
                self.create(name, Kind::Vlan(*id), Some(below))
            }
            Step::CreateSlave { name, on, settings, .. } => {
                let below = self.index_of(on)?;
                if !self.can_be_parent(below) {
                    return Err(Refusal::Busy(on.clone()));
                }
                self.create(name, Kind::Slave(*settings), Some(below))?;
                self.set_port(below, *settings);
                Ok(())
            }
            Step::SetAlias { name, mark } => {
                self.link(name)?.alias = Some(mark.to_string());
                Ok(())
            }
            Step::Rename { from, to } => {
                if self.links.host_link(to).is_some() {
                    return Err(Refusal::NameTaken(to.clone()));
                }
                let link = self.link(from)?;
                if link.up {
                    return Err(Refusal::Up(from.clone()));
                }
                link.name = to.clone();
                Ok(())
            }
            Step::Move { name, to, called } => {
                let at = self.links.host.iter().position(|link| link.name == *name);
                let at = at.ok_or_else(|| Refusal::NoSuchLink(name.clone()))?;
                let sandbox = self.links.sandboxes.get_mut(to).ok_or(Refusal::NoSuchSandbox)?;
                if sandbox.iter().any(|link| link.name == *called) {
                    return Err(Refusal::NameTaken(called.clone()));
                }
                let index = self.next_index;
                self.next_index += 1;
                sandbox.push(Link { index, name: called.clone(), up: false, ..self.links.host.remove(at) });
                Ok(())
            }
            Step::SetSysctl { sandbox, name, .. } => self.link_at(&Place::Sandbox(sandbox.clone()), name).map(|_| ()),
            Step::AddAddress { sandbox, name, address } => {
                let link = self.link_at(&Place::Sandbox(sandbox.clone()), name)?;
                if link.addresses.contains(address) {
                    return Err(Refusal::AddressThere(*address));
                }
                link.addresses.push(*address);
                Ok(())
            }
            Step::AddRoute { sandbox, name, .. } => {
                let link = self.link_at(&Place::Sandbox(sandbox.clone()), name)?;
                if link.up { Ok(()) } else { Err(Refusal::Down(name.clone())) }
            }
            Step::SetMtu { place, name, mtu } => {
                self.link_at(place, name)?.mtu = mtu.get();
                Ok(())
            }
            Step::SetUp { place, name } => {
                self.link_at(place, name)?.up = true;
                Ok(())
            }
            Step::Delete { place, index, name } => {
                let there =
                    self.links.all().any(|(at, link)| at == *place && link.index == *index && link.name == *name);
                if !there {
                    return Err(Refusal::NoSuchLink(name.clone()));
                }
                self.delete(place, *index);
                Ok(())
            }
        }
    }

    fn link(&mut self, name: &InterfaceName) -> Result<&mut Link, Refusal> {
        self.link_at(&Place::Host, name)
    }

    fn link_at(&mut self, place: &Place, name: &InterfaceName) -> Result<&mut Link, Refusal> {
        let links = match place {
            Place::Host => &mut self.links.host,
            Place::Sandbox(key) => self.links.sandboxes.get_mut(key).ok_or(Refusal::NoSuchSandbox)?,
        };
        links.iter_mut().find(|link| link.name == *name).ok_or_else(|| Refusal::NoSuchLink(name.clone()))
    }

    fn index_of(&mut self, name: &InterfaceName) -> Result<u32, Refusal> {
        self.link(name).map(|link| link.index)
    }

    fn create(&mut self, name: &InterfaceName, kind: Kind, on: Option<u32>) -> Result<(), Refusal> {
        if self.links.host_link(name).is_some() {
            return Err(Refusal::NameTaken(name.clone()));
        }
        let index = self.next_index;
        self.next_index += 1;
        self.links.host.push(Link { kind, on, up: false, ..crate::scene::link(index, name.as_str()) });
        Ok(())
    }

    fn can_be_parent(&self, index: u32) -> bool {
        let parent = self.links.host.iter().find(|link| link.index == index);
        let carries_macvlan =
            self.links.all().any(|(_, link)| link.on == Some(index) && link.kind == Kind::Other("macvlan".into()));
        let suits = |link: &Link| link.layer == Layer::Ethernet && !matches!(link.kind, Kind::Slave(_));
        parent.is_some_and(suits) && !carries_macvlan
    }

    /// A new slave sets mode and flag of every slave on its port, wherever that is.
    fn set_port(&mut self, parent: u32, settings: PortSettings) {
        for link in self.links.host.iter_mut().chain(self.links.sandboxes.values_mut().flatten()) {
            if matches!(link.kind, Kind::Slave(_)) && link.on == Some(parent) {
                link.kind = Kind::Slave(settings);
            }
        }
    }

    /// What sits on a link goes with it, in whatever namespace it is.
    fn delete(&mut self, place: &Place, index: u32) {
        let Place::Sandbox(key) = place else { return self.delete_from_host(index) };
        self.links.sandboxes.get_mut(key).expect("the link is there").retain(|link| link.index != index);
    }

    fn delete_from_host(&mut self, index: u32) {
        let mut doomed = BTreeSet::from([index]);
        loop {
            let above = |link: &&Link| link.on.is_some_and(|below| doomed.contains(&below));
            let above: Vec<u32> = self.links.host.iter().filter(above).map(|link| link.index).collect();
            let before = doomed.len();
            doomed.extend(above);
            if doomed.len() == before {
                break;
            }
        }
        self.links.host.retain(|link| !doomed.contains(&link.index));
        for links in self.links.sandboxes.values_mut() {
            links.retain(|link| !link.on.is_some_and(|below| doomed.contains(&below)));
        }
    }
}
