//! ADD: a container is put on a network.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use engine::{Connected, Engine, EngineError};
use model::{SandboxKey, Sysctls};
use serde_json::Value;

use super::call::{Arguments, Attachment};
use super::choice::Choice;
use super::delegate::Delegate;
use super::failure::{Code, Failure};
use super::guest::{Guest, with_next};
use super::plan::{Plan, has_router};
use super::share::{Share, take_unplaced};
use super::wire::{
    Configuration, Dealer, Dns, Interface, LinkSettings, PluginName, Report, ReportedRoute, Role, RouteWish,
};

/// More than any resolv.conf has, in bytes; what else a file may hold is not read.
const RESOLV_CONF_LIMIT: u64 = 1 << 16;

/// Puts a container on a network, and answers with what it has got there.
///
/// # Errors
/// Why it is not there. Nothing has changed then.
pub(super) fn add(
    configuration: &Configuration<'_>,
    attachment: &Attachment,
    sandbox: &SandboxKey,
    arguments: &Arguments,
) -> Result<Value, Failure> {
    refuse_own_namespace(sandbox)?;
    let asked = arguments.addresses.iter().copied().chain(configuration.asked()?).collect();
    let guest = Guest { configuration, attachment, sandbox, name: arguments.pod.clone(), asked };
    let report = match (configuration.role, &configuration.dealer) {
        (Role::Ipam, _) => addresses_only(&guest),
        (Role::Main, Dealer::Nobody) => chained(&guest),
        (Role::Main, Dealer::Ledger) => dealt(&guest),
        (Role::Main, Dealer::Plugin(name)) => delegated(&guest, name),
    }?;
    Ok(report.render(configuration.version))
}

/// With the addresses that a chain before us has left for it, or without any.
fn chained(guest: &Guest<'_>) -> Result<Report, Failure> {
    let link = guest.configuration.link()?;
    let mut before = guest.configuration.previous()?;
    let dns = guest.configuration.dns()?;
    let ips = before.as_mut().map(take_unplaced).unwrap_or_default();
    // Without addresses for ours they are of those who have others, and made already.
    let routes = before.as_ref().filter(|_| !ips.is_empty()).map_or(&[][..], |before| &before.routes);
    let share = Share::of_report(&ips, routes, has_router(&link))?;
    let engine = Engine::open(&guest.configuration.paths)?;
    let plan = Plan::of_links(guest.configuration, &link, None, before.as_ref(), &engine)?;
    let connected = guest.connect(&engine, &plan, &share, &link.sysctls)?;
    guest.announce(&engine, &connected);
    Ok(told(before, &connected, &share, Vec::new(), dns))
}

/// With addresses from the ledger.
fn dealt(guest: &Guest<'_>) -> Result<Report, Failure> {
    let link = guest.configuration.link()?;
    let before = guest.configuration.previous()?;
    let ipam = guest.configuration.ledger(link.options.segment.as_ref())?;
    let dns = guest.configuration.dns()?.or(served(ipam.resolv_conf.as_deref())?);
    let routes = ipam.routes.clone();
    let engine = Engine::open(&guest.configuration.paths)?;
    let plan = Plan::of_links(guest.configuration, &link, Some(ipam), before.as_ref(), &engine)?;
    let mut choice = Choice::first(&plan.sets, &guest.asked)?;
    let (connected, share) = with_next(&mut choice, |choice| {
        let share = Share::of_ranges(choice, &routes, has_router(&link));
        guest.connect(&engine, &plan, &share, &link.sysctls).map(|connected| (connected, share))
    })?;
    guest.announce(&engine, &connected);
    let made = share.made();
    Ok(told(before, &connected, &share, made, dns))
}

/// With addresses from another plugin, which takes them back if anything fails.
fn delegated(guest: &Guest<'_>, name: &PluginName) -> Result<Report, Failure> {
    let link = guest.configuration.link()?;
    let before = guest.configuration.previous()?;
    let dns = guest.configuration.dns()?;
    let delegate = Delegate::find(name, guest.configuration)?;
    let speaks_on_the_link = delegate.speaks_on_the_link(link.options.settings.mode)?;
    let engine = Engine::open(&guest.configuration.paths)?;
    let plan = Plan::of_links(guest.configuration, &link, None, before.as_ref(), &engine)?;
    let (connected, share, served) = if speaks_on_the_link {
        let bare = Share::of_report(&[], &[], has_router(&link))?;
        guest.connect(&engine, &plan, &bare, &link.sysctls)?;
        let extend = |share: &Share| engine.extend(&guest.endpoint(), &share.given(), &share.routes());
        with_addresses_of(&delegate, &link, extend).inspect_err(|_| guest.take_off(&engine))
    } else {
        with_addresses_of(&delegate, &link, |share| guest.connect(&engine, &plan, share, &link.sysctls))
    }?;
    guest.announce(&engine, &connected);
    let made = share.made();
    Ok(told(before, &connected, &share, made, dns.or(served)))
}

/// Has a plugin deal addresses, does something with them, and has it take them back where that fails.
fn with_addresses_of(
    delegate: &Delegate<'_>,
    link: &LinkSettings,
    connect: impl Fn(&Share) -> Result<Connected, EngineError>,
) -> Result<(Connected, Share, Dns), Failure> {
    let answer = delegate.add()?;
    let share = Share::of_report(&answer.ips, &answer.routes, has_router(link));
    let connected = share.and_then(|share| Ok((connect(&share)?, share)));
    let (connected, share) = connected.inspect_err(|_| delegate.undo())?;
    Ok((connected, share, answer.dns))
}

/// With addresses from the ledger, for a link that another plugin makes.
fn addresses_only(guest: &Guest<'_>) -> Result<Report, Failure> {
    let ipam = guest.configuration.ledger(None)?;
    let dns = served(ipam.resolv_conf.as_deref())?;
    let routes = ipam.routes.clone();
    let plan = Plan::of_addresses(guest.configuration, ipam)?;
    let mut choice = Choice::first(&plan.sets, &guest.asked)?;
    let engine = Engine::open(&guest.configuration.paths)?;
    let (connected, share) = with_next(&mut choice, |choice| {
        let share = Share::of_ranges(choice, &[], true);
        guest.connect(&engine, &plan, &share, &Sysctls::default()).map(|connected| (connected, share))
    })?;
    // Whoever makes the link makes the routes, and finds the routers beside the addresses.
    let routes = routes.into_iter().map(ReportedRoute::Ours).collect();
    Ok(Report { interfaces: Vec::new(), ips: share.ips(&connected.addresses, None), routes, dns })
}

/// What the chain before us has told, and behind it what of ours there is.
fn told(before: Option<Report>, connected: &Connected, share: &Share, made: Vec<RouteWish>, dns: Dns) -> Report {
    let mut report = before.unwrap_or_default();
    let index = report.interfaces.len();
    let link = connected.link.as_ref();
    report.interfaces.extend(link.map(|link| Interface::in_sandbox(&connected.sandbox, link)));
    report.ips.extend(share.ips(&connected.addresses, Some(index)));
    report.routes.extend(made.into_iter().map(ReportedRoute::Ours));
    report.dns = dns.or(report.dns);
    report
}

/// What a file in the format of resolv.conf(5) says, where one is named.
fn served(path: Option<&Path>) -> Result<Dns, Failure> {
    let Some(path) = path else { return Ok(Dns::default()) };
    let mut content = String::new();
    let read = File::open(path).and_then(|file| file.take(RESOLV_CONF_LIMIT).read_to_string(&mut content));
    match read {
        Ok(_) => Ok(Dns::of_resolv_conf(&content)),
        Err(error) => Err(Failure::new(
            Code::INPUT_OUTPUT,
            format!("key `ipam.resolvConf`: {} cannot be read: {error}", path.display()),
        )),
    }
}

/// The host is no container: links would come up among its own.
fn refuse_own_namespace(sandbox: &SandboxKey) -> Result<(), Failure> {
    let identity = |path: &str| -> io::Result<(u64, u64)> {
        let file = fs::metadata(path)?;
        Ok((file.dev(), file.ino()))
    };
    // Of one that is not there the engine speaks.
    match (identity("/proc/self/ns/net"), identity(sandbox.as_str())) {
        (Ok(own), Ok(other)) if own == other => {
            Err(Failure::new(Code::NAMESPACE, format!("CNI_NETNS: {sandbox} is the network namespace of this host")))
        }
        _ => Ok(()),
    }
}
