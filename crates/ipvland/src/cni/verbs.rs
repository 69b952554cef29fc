//! DEL, GC and STATUS.

use engine::{Engine, EngineError, Repair};
use model::{EndpointId, Frontend, Pool};

use super::call::Attachment;
use super::choice::Choice;
use super::delegate::Delegate;
use super::failure::{Code, Failure};
use super::guest::with_next;
use super::identity;
use super::plan::Plan;
use super::wire::{Configuration, Dealer, Role};

/// Takes a container off its network. One that is not on it is success.
///
/// # Errors
/// All that keeps something of it there.
pub(super) fn del(configuration: &Configuration<'_>, attachment: &Attachment) -> Result<(), Failure> {
    let id = identity::endpoint(&configuration.name, attachment);
    let take_off =
        || Engine::open(&configuration.paths).and_then(|engine| engine.disconnect(&id)).map_err(Failure::from);
    let give_back = || pass_on(configuration, "DEL");
    match &configuration.dealer {
        Dealer::Plugin(name) if name.speaks_on_the_link() => all([give_back(), take_off()]),
        // Whose the addresses are is told only when no link has them any more.
        _ => all([take_off(), give_back()]),
    }
}

/// Takes all off the network that are not valid any more.
///
/// # Errors
/// All that keeps something of one of them there.
pub(super) fn gc(configuration: &Configuration<'_>) -> Result<(), Failure> {
    let valid = configuration.valid_attachments()?;
    let valid: Vec<EndpointId> = valid.iter().map(|it| identity::endpoint(&configuration.name, it)).collect();
    let engine = Engine::open(&configuration.paths)?;
    let mut there = engine.endpoints_of(Frontend::Cni)?;
    there.retain(|endpoint| identity::is_of(&endpoint.network, &configuration.name) && !valid.contains(&endpoint.id));
    let gone = there.iter().map(|endpoint| engine.disconnect(&endpoint.id).map_err(Failure::from));
    all(gone.chain([pass_on(configuration, "GC")]))
}

/// Tells whether a container could be put on the network now.
///
/// # Errors
/// Code 50 when it could not, 51 when those that are on it may not reach all that they should.
pub(super) fn status(configuration: &Configuration<'_>) -> Result<(), Failure> {
    let unavailable = |failure: Failure| Failure { code: Code::UNAVAILABLE, ..failure };
    match configuration.role {
        Role::Ipam => {
            let plan = Plan::of_addresses(configuration, configuration.ledger(None)?)?;
            let engine = Engine::open(&configuration.paths).map_err(|error| unavailable(error.into()))?;
            ready(&engine, &plan)
        }
        Role::Main => {
            let link = configuration.link()?;
            let ipam = match configuration.dealer {
                Dealer::Ledger => Some(configuration.ledger(link.options.segment.as_ref())?),
                Dealer::Nobody | Dealer::Plugin(_) => None,
            };
            let engine = Engine::open(&configuration.paths).map_err(|error| unavailable(error.into()))?;
            let plan = Plan::of_links(configuration, &link, ipam, None, &engine).map_err(unavailable)?;
            ready(&engine, &plan)
        }
    }?;
    pass_on(configuration, "STATUS")
}

fn ready(engine: &Engine, plan: &Plan) -> Result<(), Failure> {
    let choice = Choice::first(&plan.sets, &[])?;
    let ready = could_connect(engine, plan, choice.clone()).or_else(|error| {
        if error.exhausted().is_none() {
            return Err(error);
        }
        // As ADD would do: there may be nobody else to free what the dead hold.
        engine.repair(Repair::Apply)?;
        could_connect(engine, plan, choice)
    });
    ready.map_err(|error| {
        let flipped = matches!(error, EngineError::PortFlipped { .. });
        Failure { code: if flipped { Code::LIMITED } else { Code::UNAVAILABLE }, ..error.into() }
    })
}

fn could_connect(engine: &Engine, plan: &Plan, mut choice: Choice<'_>) -> Result<(), EngineError> {
    with_next(&mut choice, |choice| {
        let pools: Vec<Pool> = choice.ranges().map(|(range, _)| range.pool.clone()).collect();
        engine.ready_for(&plan.request, &pools)
    })
}

/// Has the plugin that deals the addresses do the same.
fn pass_on(configuration: &Configuration<'_>, verb: &str) -> Result<(), Failure> {
    match &configuration.dealer {
        Dealer::Plugin(name) => Delegate::find(name, configuration)?.pass_on(verb),
        Dealer::Nobody | Dealer::Ledger => Ok(()),
    }
}

/// Success where all are.
fn all(outcomes: impl IntoIterator<Item = Result<(), Failure>>) -> Result<(), Failure> {
    Failure::of_all(outcomes.into_iter().filter_map(Result::err).collect())
}
