//! A container that is put on a network.

use std::net::IpAddr;

use engine::{Announced, Connected, Connection, Engine, EngineError, Membership};
use model::{EndpointId, EndpointName, SandboxKey, SandboxLink, Sysctls};

use super::call::Attachment;
use super::choice::Choice;
use super::identity;
use super::plan::Plan;
use super::share::Share;
use super::wire::Configuration;
use crate::sentence;

/// Who is to be put on the network, and what is asked for.
pub(super) struct Guest<'a> {
    pub(super) configuration: &'a Configuration<'a>,
    pub(super) attachment: &'a Attachment,
    pub(super) sandbox: &'a SandboxKey,
    /// What people call it.
    pub(super) name: Option<EndpointName>,
    /// The addresses that are asked for.
    pub(super) asked: Vec<IpAddr>,
}

impl Guest<'_> {
    /// Puts it there.
    pub(super) fn connect(
        &self,
        engine: &Engine,
        plan: &Plan,
        share: &Share,
        sysctls: &Sysctls,
    ) -> Result<Connected, EngineError> {
        engine.connect(&Connection {
            endpoint: self.endpoint(),
            network: Membership::MadeFor(plan.request.clone()),
            sandbox: self.sandbox.clone(),
            name: self.name.clone(),
            addresses: share.wanted.clone(),
            link: SandboxLink {
                name: self.attachment.interface.clone(),
                sysctls: sysctls.clone(),
                routes: share.routes(),
            },
            default_routes: false,
        })
    }

    /// What the engine calls it.
    pub(super) fn endpoint(&self) -> EndpointId {
        identity::endpoint(&self.configuration.name, self.attachment)
    }

    /// Takes it off again, because something else failed.
    pub(super) fn take_off(&self, engine: &Engine) {
        if let Err(error) = engine.disconnect(&self.endpoint()) {
            tracing::warn!("what failed is not all undone; repair goes on: {}", sentence::in_full(&error));
        }
    }

    /// Tells the neighbours where its addresses are, if anybody listens. Without that they find out by and by.
    pub(super) fn announce(&self, engine: &Engine, connected: &Connected) {
        if connected.link.is_none() || connected.network.announced().is_none() {
            return;
        }
        match engine.announce(&self.endpoint()) {
            Ok(Announced::Sent) => {}
            Ok(other) => tracing::warn!(?other, "the addresses are not announced"),
            Err(error) => tracing::warn!("the addresses are not announced: {}", sentence::in_full(&error)),
        }
    }
}

/// Does something with what is chosen, and again with the next ranges as long as those that are chosen have no address left.
pub(super) fn with_next<T>(
    choice: &mut Choice<'_>,
    attempt: impl Fn(&Choice<'_>) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    loop {
        match attempt(choice) {
            Err(error) if error.exhausted().is_some_and(|pool| choice.go_on(pool)) => {}
            outcome => return outcome,
        }
    }
}
