//! Ports: what the slaves of one parent share.

use crate::mark::Mark;
use crate::name::InterfaceName;
use crate::observed::{Kind, Link, Observed, Place};
use crate::settings::PortSettings;

/// A slave that somebody else put on a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Where it is.
    pub place: Place,
    /// Its name there.
    pub name: InterfaceName,
    /// The settings of its port.
    pub settings: PortSettings,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Host => write!(f, "link `{}` of the host", self.name),
            Place::Sandbox(key) => write!(f, "link `{}` in namespace {key}", self.name),
        }
    }
}

/// All slaves seen on the parent with this index.
fn slaves(parent: u32, observed: &Observed) -> impl Iterator<Item = (Place, &Link, PortSettings)> {
    observed.all().filter_map(move |(place, link)| match link.kind {
        Kind::Slave(settings) if link.on == Some(parent) => Some((place, link, settings)),
        _ => None,
    })
}

/// Mode and flag of the port on `parent`, as any slave in sight shows them; `None` when none is in sight.
///
/// The kernel reports the port's settings in every slave (`ipvlan_nl_fillinfo` in `drivers/net/ipvlan/ipvlan_main.c`).
/// The host's slaves come first: there the sentinel sits.
pub fn port_settings(parent: &InterfaceName, observed: &Observed) -> Option<PortSettings> {
    let parent = observed.host_link(parent)?;
    slaves(parent.index, observed).next().map(|(_, _, settings)| settings)
}

/// The slaves on `parent` that carry none of `marks`.
pub fn foreign_slaves(parent: &InterfaceName, marks: &[Mark], observed: &Observed) -> Vec<Holder> {
    let Some(parent) = observed.host_link(parent) else { return Vec::new() };
    let ours = |link: &Link| {
        let by_alias = |mark: &Mark| link.alias.as_deref() == Some(mark.to_string().as_str());
        marks.iter().any(|mark| by_alias(mark) || link.name == mark.birth_name())
    };
    slaves(parent.index, observed)
        .filter(|(_, link, _)| !ours(link))
        .map(|(place, link, settings)| Holder { place, name: link.name.clone(), settings })
        .collect()
}
