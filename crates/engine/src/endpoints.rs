//! Endpoints: made, attached, removed.

use kernel::Scope;
use model::{
    Addresses, Announcements, Endpoint, EndpointId, EndpointState, InterfaceName, LinkIntent, Network, NetworkId,
    NetworkState, Observed, Parent, Place, Presence, Routes, SandboxKey, SandboxLink, Verdict, converge, judge,
};
use store::StoreError;

use crate::networks::check_mtu;
use crate::port::{Port, ensure_present};
use crate::{Engine, EngineError};

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct EndpointRequest {
    /// Its identity.
    pub id: EndpointId,
    /// The network it is to be on.
    pub network: NetworkId,
    /// The addresses it gets, as the address management deals them.
    pub addresses: Addresses,
    /// How its slave is to be set up in its sandbox, where that is not left to the container engine.
    pub set_up: Option<SandboxLink>,
}

/// What the container engine needs to go on with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The slave's name in the host namespace, for the engine to move; `None` where it is in its sandbox, set up.
    pub link: Option<InterfaceName>,
    /// The default routes.
    pub routes: Routes,
    /// How its addresses are to be announced, once it is set up; `None` where nobody would listen.
    pub announcements: Option<Announcements>,
}

impl Engine {
    /// Records an endpoint and the addresses it holds. The kernel is not touched yet.
    ///
    /// An address whose holder is dead is taken over. An endpoint that exists with the same content is success.
    ///
    /// # Errors
    /// When the address is held by a living endpoint or by the host, or there is no such network.
    pub fn create_endpoint(&self, request: &EndpointRequest) -> Result<(), EngineError> {
        let network = self.ready_network(&request.network)?;
        let endpoint = Endpoint {
            id: request.id.clone(),
            network: network.id.clone(),
            frontend: network.frontend,
            addresses: request.addresses.clone(),
            set_up: request.set_up.clone(),
            sandbox: None,
            born: self.now()?,
            state: EndpointState::Created,
        };
        if let Some(existing) = self.store.endpoint(&endpoint.id)? {
            let asked =
                |endpoint: &Endpoint| (endpoint.network.clone(), endpoint.addresses.clone(), endpoint.set_up.clone());
            let same = asked(&existing) == asked(&endpoint);
            return if same { Ok(()) } else { Err(EngineError::EndpointDiffers(existing.id)) };
        }
        refuse_host_address(&network, &request.addresses, &kernel::observe(Scope::Host)?)?;
        let mut first = None;
        loop {
            match self.store.claim(&endpoint) {
                Err(StoreError::AddressHeld { address, holder, network }) => {
                    // An engine that got no answer, because we died, has let go of an endpoint without a word: it deals the
                    // address again. Whoever took it while we waited came later than we did.
                    let first = *first.get_or_insert_with(|| holder.clone()) == holder;
                    if !self.bury_if_dead(&holder, first && network == endpoint.network)? {
                        return Err(StoreError::AddressHeld { address, holder, network }.into());
                    }
                }
                claimed => return Ok(claimed?),
            }
        }
    }

    /// Makes the slave of an endpoint, to be moved into `sandbox` by the caller, or sets it up there.
    ///
    /// Done already, it answers the same again.
    ///
    /// # Errors
    /// When the slave cannot be made, or would change the mode of others. The endpoint is as before then.
    pub fn attach(&self, id: &EndpointId, sandbox: &SandboxKey) -> Result<Attachment, EngineError> {
        let (port, network, endpoint) = self.lock_endpoint(id)?.ok_or_else(|| EngineError::NoEndpoint(id.clone()))?;
        let attachment = Attachment {
            link: endpoint.set_up.is_none().then(|| endpoint.mark().birth_name()),
            routes: network.routes(&endpoint.addresses),
            announcements: network.announced(),
        };
        let endpoint = Endpoint { sandbox: Some(sandbox.clone()), ..endpoint };
        let slave = LinkIntent::slave_of(&endpoint, &network, Presence::Present);
        let observed = kernel::observe(Scope::Sandboxes(std::slice::from_ref(sandbox)))?;
        if endpoint.state == EndpointState::Attached && !slave.find(&observed).is_empty() {
            return Ok(attachment);
        }
        if endpoint.set_up.is_some() && !observed.sandboxes.contains_key(sandbox) {
            return Err(EngineError::NoSandbox(sandbox.clone()));
        }
        let made = self.attach_on(&port, &network, &endpoint, sandbox, &observed);
        made.inspect_err(|_| self.withdraw_attach(&port, &slave, sandbox, id))?;
        Ok(attachment)
    }

    /// Makes the slave of an endpoint on its port, which is locked. After an error the intent stays.
    pub(crate) fn attach_on(
        &self,
        port: &Port<'_>,
        network: &Network,
        endpoint: &Endpoint,
        sandbox: &SandboxKey,
        observed: &Observed,
    ) -> Result<(), EngineError> {
        check_parent(network, observed)?;
        port.check_settings(network, observed)?;
        self.store.begin_attach(&endpoint.id, sandbox)?;
        let endpoint = Endpoint { sandbox: Some(sandbox.clone()), ..endpoint.clone() };
        make_slave(port, network, &LinkIntent::slave_of(&endpoint, network, Presence::Present), observed)?;
        Ok(self.store.confirm_attach(&endpoint.id)?)
    }

    /// Takes the slave out of its sandbox, where it was set up there by us. Elsewhere there is nothing to do: it is the
    /// engine that moves the link back, after this answer, and what is left of it goes with the endpoint.
    ///
    /// The record stays, for the engine to delete; on its way back the link is seen neither here nor there, and an endpoint of a
    /// life before would be taken for dead. Gone is success.
    ///
    /// # Errors
    /// When ledger or kernel fail.
    pub fn leave(&self, id: &EndpointId) -> Result<(), EngineError> {
        let Some(endpoint) = self.store.endpoint(id)? else { return Ok(()) };
        if endpoint.set_up.is_none() && endpoint.born == self.now()? {
            return Ok(());
        }
        // Under the lock: whoever repairs has looked before it is on its way, or knows better.
        let Some((port, network, endpoint)) = self.lock_endpoint(id)? else { return Ok(()) };
        self.recognise(&endpoint)?;
        if endpoint.set_up.is_none() {
            return Ok(());
        }
        let slave = LinkIntent::slave_of(&endpoint, &network, Presence::Absent);
        let observed = look_for(&slave)?;
        port.apply(&converge(std::slice::from_ref(&slave), &observed), &observed)
    }

    /// Removes an endpoint, its slave wherever it is, and its hold on its addresses. Gone already is success.
    ///
    /// # Errors
    /// When kernel or ledger fail. The intent stays, and repair finishes it.
    pub fn delete_endpoint(&self, id: &EndpointId) -> Result<(), EngineError> {
        let Some((port, network, endpoint)) = self.lock_endpoint(id)? else { return Ok(()) };
        self.recognise(&endpoint)?;
        self.detach(&port, &network, &endpoint)?;
        Ok(self.store.release(id)?)
    }

    /// Of the engine's present life nothing need be written.
    fn recognise(&self, endpoint: &Endpoint) -> Result<(), EngineError> {
        if endpoint.born == self.now()? { Ok(()) } else { Ok(self.store.recognise(&endpoint.id)?) }
    }

    pub(crate) fn detach(&self, port: &Port<'_>, network: &Network, endpoint: &Endpoint) -> Result<(), EngineError> {
        self.store.begin_detach(&endpoint.id)?;
        if let Parent::Elsewhere(_) = network.parent {
            return Ok(());
        }
        let slave = LinkIntent::slave_of(endpoint, network, Presence::Absent);
        let observed = look_for(&slave)?;
        port.settle(&observed, |mark| *mark == slave.mark)
    }

    /// The record of an endpoint.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, EngineError> {
        Ok(self.store.endpoint(id)?)
    }

    /// Locks the port of an endpoint, and reads the records once nobody else can be at work on them.
    pub(crate) fn lock_endpoint(&self, id: &EndpointId) -> Result<Option<(Port<'_>, Network, Endpoint)>, EngineError> {
        let Some(endpoint) = self.store.endpoint(id)? else { return Ok(None) };
        let Some(network) = self.store.network(&endpoint.network)? else { return Ok(None) };
        let port = self.lock(&network.parent)?;
        Ok(self.store.endpoint(id)?.map(|endpoint| (port, network, endpoint)))
    }

    pub(crate) fn ready_network(&self, id: &NetworkId) -> Result<Network, EngineError> {
        let network = self.store.network(id)?.filter(|network| network.state == NetworkState::Ready);
        network.ok_or_else(|| EngineError::NoNetwork(id.short().to_owned()))
    }

    /// Removes the holder of an address that somebody needs, if it can be shown that it is not alive: or that it is in no
    /// sandbox, where its engine has `let_go` of it.
    pub(crate) fn bury_if_dead(&self, holder: &EndpointId, let_go: bool) -> Result<bool, EngineError> {
        let Some((port, network, endpoint)) = self.lock_endpoint(holder)? else { return Ok(true) };
        self.bury_if_dead_on(&port, &network, &endpoint, let_go)
    }

    /// The same on its port, which is locked.
    pub(crate) fn bury_if_dead_on(
        &self,
        port: &Port<'_>,
        network: &Network,
        endpoint: &Endpoint,
        let_go: bool,
    ) -> Result<bool, EngineError> {
        let observed = look_for(&LinkIntent::slave_of(endpoint, network, Presence::Present))?;
        let place = place_of(endpoint, network, &observed);
        match judge(endpoint, place.as_ref(), &self.now()?) {
            Verdict::Lives => Ok(false),
            Verdict::Pending if !let_go => Ok(false),
            Verdict::Pending | Verdict::Missing | Verdict::Dead => {
                tracing::info!(endpoint = endpoint.id.short(), "it is dead, and what it has is wanted");
                self.remove_endpoint(port, network, endpoint)?;
                Ok(true)
            }
        }
    }

    /// Removes an endpoint that no engine comes for.
    pub(crate) fn remove_endpoint(
        &self,
        port: &Port<'_>,
        network: &Network,
        endpoint: &Endpoint,
    ) -> Result<(), EngineError> {
        self.detach(port, network, endpoint)?;
        Ok(self.store.bury(&endpoint.id)?)
    }

    /// Undoes an attach that failed. What cannot be undone now is left to repair, which sees the same intent.
    fn withdraw_attach(&self, port: &Port<'_>, slave: &LinkIntent, sandbox: &SandboxKey, id: &EndpointId) {
        let undo = || {
            self.store.undo_attach(id)?;
            let observed = kernel::observe(Scope::Sandboxes(std::slice::from_ref(sandbox)))?;
            port.settle(&observed, |mark| *mark == slave.mark)
        };
        if let Err(error) = undo() {
            tracing::warn!(endpoint = id.short(), %error, "a failed attach is not all undone; repair goes on");
        }
    }
}

/// Makes a slave, to be moved into its sandbox or set up there.
fn make_slave(port: &Port<'_>, network: &Network, slave: &LinkIntent, observed: &Observed) -> Result<(), EngineError> {
    port.settle(observed, |mark| *mark == slave.mark)?;
    // Others wait for the port: no more is looked at than where it must be.
    let seen = match &slave.sandbox {
        Some(sandbox) if slave.set_up.is_some() => kernel::observe_on(network.parent.name(), sandbox)?,
        _ => Observed { host: kernel::host_link(&slave.name())?.into_iter().collect(), ..Observed::default() },
    };
    ensure_present(slave, &seen)
}

/// Looks where the slave should be, and only if it is not there everywhere else.
fn look_for(slave: &LinkIntent) -> Result<Observed, EngineError> {
    let sandboxes: Vec<SandboxKey> = slave.sandbox.iter().cloned().collect();
    let near = kernel::observe(Scope::Sandboxes(&sandboxes))?;
    if sandboxes.is_empty() || !slave.find(&near).is_empty() {
        return Ok(near);
    }
    Ok(kernel::observe(Scope::Everywhere(&sandboxes))?)
}

fn check_parent(network: &Network, observed: &Observed) -> Result<(), EngineError> {
    match (observed.host_link(network.parent.name()), &network.parent) {
        (Some(link), _) => check_mtu(network, link),
        (None, Parent::Link(parent)) => {
            Err(EngineError::ParentGone { parent: parent.clone(), network: network.id.clone() })
        }
        (None, Parent::Vlan { on, .. }) if observed.host_link(on).is_none() => {
            Err(EngineError::ParentGone { parent: on.clone(), network: network.id.clone() })
        }
        (None, _) => Ok(()),
    }
}

/// The kernel does not compare a slave's address with the parent's own (`ipvlan_addr_busy()` looks at slaves only):
/// the container would take the host off the network.
pub(crate) fn refuse_host_address(
    network: &Network,
    addresses: &Addresses,
    observed: &Observed,
) -> Result<(), EngineError> {
    let parent = network.parent.name();
    let held = observed.host_link(parent).map(|link| link.addresses.as_slice()).unwrap_or_default();
    match addresses.iter().find(|wanted| held.iter().any(|held| held.addr() == wanted.addr())) {
        Some(wanted) => Err(EngineError::HostAddress { address: wanted.addr(), parent: parent.clone() }),
        None => Ok(()),
    }
}

/// Where a slave is, as far as it is in sight.
///
/// Where another plugin makes the links, the namespace stands for them.
pub(crate) fn place_of(endpoint: &Endpoint, network: &Network, observed: &Observed) -> Option<Place> {
    if let Parent::Elsewhere(_) = network.parent {
        let there = endpoint.sandbox.as_ref().filter(|key| observed.sandboxes.contains_key(key));
        return there.cloned().map(Place::Sandbox);
    }
    let slave = LinkIntent::slave_of(endpoint, network, Presence::Present);
    slave.find(observed).into_iter().map(|(place, _)| place).next()
}
