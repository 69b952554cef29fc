//! One port at a time: its lock, and the way from the ledger's intents to the kernel.

use std::time::{Duration, Instant};

use kernel::{LockKey, PortLock, Scope};
use model::{
    Endpoint, InterfaceName, Kind, LinkIntent, Mark, Network, Observed, Parent, PortSettings, Shape, Step, converge,
    desired, foreign_slaves, port_settings,
};
use store::PortRecords;

use crate::{Engine, EngineError};

/// How long an operation waits for others on the same port: a crowd of containers that start together is let through, and
/// time is left to answer the container engine within its limit.
const LOCK_LIMIT: Duration = Duration::from_secs(8);

/// A port that is ours alone until this is dropped.
pub(crate) struct Port<'e> {
    engine: &'e Engine,
    parent: InterfaceName,
    _lock: PortLock,
}

impl Engine {
    /// Locks the port on `parent`. What was observed of the host before is out of date then.
    pub(crate) fn lock(&self, parent: &Parent) -> Result<Port<'_>, EngineError> {
        let mut key = lock_key(parent)?;
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            let limit = deadline.saturating_duration_since(Instant::now());
            let lock = PortLock::acquire(self.run_dir(), &key, parent.name(), limit)?;
            // While we waited, the parent may have come, gone or been replaced, and others may hold its new lock.
            let current = lock_key(parent)?;
            if current == key {
                return Ok(Port { engine: self, parent: parent.name().clone(), _lock: lock });
            }
            key = current;
        }
    }
}

/// A port is known by the index of its parent, which survives a rename. The key must be the same before and after the
/// parent is made, or a repair could undo a creation that is at work: a VLAN link counts as the link below it, a dummy of
/// ours as its name, which is its network's alone.
fn lock_key(parent: &Parent) -> Result<LockKey, EngineError> {
    let index = match parent {
        Parent::Dummy(_) | Parent::Elsewhere(_) => None,
        Parent::Vlan { on, .. } => kernel::host_link(on)?.map(|link| link.index),
        Parent::Link(name) => kernel::host_link(name)?.map(|link| match link.kind {
            Kind::Vlan(_) => link.on.unwrap_or(link.index),
            _ => link.index,
        }),
    };
    Ok(index.map_or_else(|| LockKey::Name(parent.name().clone()), LockKey::Index))
}

impl Port<'_> {
    /// What the ledger has on this port.
    pub(crate) fn records(&self) -> Result<PortRecords, EngineError> {
        Ok(self.engine.store.on_parent(&self.parent)?)
    }

    /// Takes the steps to the intents of the port itself and of those slaves that `concerns` picks.
    ///
    /// `observed` must show every place where those slaves may be. After an error the intents stay as they are: the
    /// caller withdraws them and settles again, or leaves them to repair.
    pub(crate) fn settle(&self, observed: &Observed, concerns: impl Fn(&Mark) -> bool) -> Result<(), EngineError> {
        let records = self.records()?;
        let concerned = |intent: &LinkIntent| !matches!(intent.mark, Mark::Endpoint { .. }) || concerns(&intent.mark);
        let intents: Vec<_> = desired(&records.networks, &records.endpoints).into_iter().filter(concerned).collect();
        self.apply(&converge(&intents, observed), observed)
    }

    /// Takes steps, and explains a bare refusal of the kernel's by what was observed.
    pub(crate) fn apply(&self, steps: &[Step], observed: &Observed) -> Result<(), EngineError> {
        steps.iter().for_each(|step| tracing::debug!(%step, "kernel"));
        kernel::apply(steps).map_err(|(at, error)| {
            let parent = observed.host_link(&self.parent);
            match (&steps[at], parent.map(|parent| model::parent::suitable(parent, observed))) {
                (Step::CreateSlave { .. }, Some(Err(fault))) => fault.into(),
                _ => error.into(),
            }
        })
    }

    /// Makes sure that a slave with the network's settings may be put on the port: nobody is flipped by it, and
    /// nobody has flipped it.
    ///
    /// While our sentinel is on the port it shows the settings. Without it the port may be free, or somebody else's:
    /// then every namespace in reach is searched, since a slave shows in its own only.
    ///
    /// # Errors
    /// [`EngineError::PortHeld`] or [`EngineError::PortFlipped`].
    pub(crate) fn check_settings(&self, network: &Network, observed: &Observed) -> Result<(), EngineError> {
        let wanted = network.settings;
        let sentinel = Mark::Sentinel(self.parent.clone()).birth_name();
        if observed.host_link(&sentinel).is_some() {
            return match port_settings(&self.parent, observed) {
                Some(found) if found != wanted => Err(EngineError::PortFlipped {
                    parent: self.parent.clone(),
                    found,
                    wanted,
                    network: network.id.clone(),
                }),
                _ => Ok(()),
            };
        }
        if observed.host_link(&self.parent).is_none() {
            return Ok(()); // still to be made, so free
        }
        let marks: Vec<Mark> = self.records()?.endpoints.iter().map(Endpoint::mark).collect();
        let everywhere = kernel::observe(Scope::Everywhere(&[]))?;
        let foreign = foreign_slaves(&self.parent, &marks, &everywhere);
        match foreign.into_iter().find(|holder| holder.settings != wanted) {
            Some(holder) => Err(EngineError::PortHeld { parent: self.parent.clone(), holder, wanted }),
            None => Ok(()),
        }
    }
}

/// What somebody else has done to a port, a sentence each: it shows other settings than its networks need, or carries
/// slaves that are not ours.
pub(crate) fn intrusions<'e>(
    parent: &InterfaceName,
    wanted: PortSettings,
    endpoints: impl Iterator<Item = &'e Endpoint>,
    observed: &Observed,
) -> Vec<String> {
    let marks: Vec<Mark> = endpoints.map(Endpoint::mark).chain([Mark::Sentinel(parent.clone())]).collect();
    let flipped = port_settings(parent, observed).filter(|found| *found != wanted);
    let flipped = flipped.map(|found| format!("the port on `{parent}` is {found} and its networks need {wanted}"));
    let foreign = foreign_slaves(parent, &marks, observed).into_iter();
    let foreign = foreign.map(|holder| format!("the port on `{parent}` is shared with {holder}, which is not ours"));
    flipped.into_iter().chain(foreign).collect()
}

/// Whether an intent's link is in sight; an error that says so where it should be and is not.
pub(crate) fn ensure_present(intent: &LinkIntent, observed: &Observed) -> Result<(), EngineError> {
    let there = !intent.find(observed).is_empty();
    if there { Ok(()) } else { Err(EngineError::Vanished(intent.mark.to_string())) }
}

/// The intent that the sentinel of a network's port realises.
pub(crate) fn sentinel_of(network: &Network) -> LinkIntent {
    let parent = network.parent.name().clone();
    LinkIntent {
        mark: Mark::Sentinel(parent.clone()),
        shape: Shape::Slave { on: parent, settings: network.settings, mtu: None },
        presence: model::Presence::Present,
        sandbox: None,
        addresses: model::Addresses::default(),
        set_up: None,
    }
}
