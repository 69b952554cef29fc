//! The Podman frontend: a network driver for netavark, as its `plugin-API.md` has it.
//!
//! Podman, or netavark for it, starts the program with a verb, writes JSON to its stdin and reads JSON from its stdout. `wire`
//! has the shapes of both and turns requests into values of the model at once, `options` reads what users pass, `ranges`
//! and `addressing` say which addresses a container gets, `network` puts a network together, `create` and `setup` have the
//! verbs.

mod addressing;
mod create;
mod network;
mod options;
mod ranges;
mod refusal;
mod setup;
mod wire;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Subcommand;
use engine::{Engine, Paths};
use serde::Serialize;

use refusal::Refusal;
use wire::{Failure, Info};

/// What Podman may ask for.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Say whether there can be a network, and what Podman is to remember of it
    #[command(hide = true)]
    Create,
    /// Put a container on a network
    #[command(hide = true)]
    Setup {
        /// The path of the container's network namespace
        namespace: String,
    },
    /// Take a container off a network
    #[command(hide = true)]
    Teardown {
        /// The path of the container's network namespace
        namespace: String,
    },
    /// Say which plugin this is
    #[command(hide = true)]
    Info,
}

/// Carries out a verb and answers as netavark reads it: JSON on stdout, also for what is not done.
pub(crate) fn run(paths: &Paths, verb: &Verb) -> ExitCode {
    match answer(paths, verb) {
        Ok(answer) => {
            write(&answer);
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            write(&json(&Failure::of(&refusal)));
            ExitCode::FAILURE
        }
    }
}

fn answer(paths: &Paths, verb: &Verb) -> Result<String, Refusal> {
    if let Verb::Info = verb {
        return Ok(json(&Info::OURS));
    }
    // Before anything else: netavark, still writing to somebody who is gone, would tell of a broken pipe and not of our answer.
    let input = input()?;
    match verb {
        // Nothing of what it has was set up by us.
        Verb::Teardown { .. } if is_rootless() => Ok(String::new()),
        _ if is_rootless() => Err(Refusal(
            "rootless Podman has no access to the links of the host, which ipvland puts containers on; run Podman as root"
                .into(),
        )),
        Verb::Create => Ok(json(&create::create(&Engine::open(paths)?, &input)?)),
        Verb::Setup { namespace } => Ok(json(&setup::setup(&Engine::open(paths)?, namespace, &input)?)),
        Verb::Teardown { namespace } => {
            tracing::debug!(namespace, "teardown");
            setup::teardown(&Engine::open(paths)?, &input)?;
            Ok(String::new())
        }
        Verb::Info => unreachable!("answered above"),
    }
}

/// Whether it is a rootless Podman that asks. Its word counts rather than the user namespace: root of a system container is in
/// one too, and has links there. (`containers/storage`, `pkg/unshare`; Podman decides by the same.)
fn is_rootless() -> bool {
    std::env::var_os("_CONTAINERS_USERNS_CONFIGURED").is_some_and(|value| value == "done")
}

/// The level that Podman's own is, as it tells netavark in `RUST_LOG`. (`libnetwork/netavark/exec.go`; of its levels, two are
/// above `error`.)
pub(crate) fn log_level(filter: &str) -> Option<&'static str> {
    let level = filter.strip_prefix("netavark=")?;
    ["warn", "info", "debug", "trace"].into_iter().find(|known| *known == level).or(Some("error"))
}

/// What is on stdin, up to a limit far above what a network takes.
fn input() -> Result<Vec<u8>, Refusal> {
    const LIMIT: u64 = 1 << 20;
    let mut input = Vec::new();
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut input);
    read.map_err(|error| Refusal(format!("stdin cannot be read: {error}")))?;
    if input.len() as u64 > LIMIT {
        return Err(Refusal(format!("what came on stdin is too long: at most {LIMIT} bytes are read")));
    }
    Ok(input)
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("maps with text for keys, of text, numbers and truth") + "\n"
}

/// Whoever stopped reading has what it wanted.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Tells whoever runs Podman something that is no error.
fn say(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "ipvland: {sentence}");
}

/// Reads what a verb would: its name, a line break, and what comes on stdin.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_request(input: &[u8]) {
    use network::Network;

    let line = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let request = input.get(line + 1..).unwrap_or_default();
    match &input[..line] {
        b"create" => {
            let Ok(given) = wire::read::<wire::Network>(request) else { return };
            let _ = (given.routes(), given.dns_servers());
            let _ = Network::read(&given).and_then(|network| network.pools());
        }
        b"setup" => {
            let Ok(request) = wire::read::<wire::Setup>(request) else { return };
            let _ = (request.endpoint(), request.name(), request.mac(), request.refuse_options());
            let Ok(addresses) = request.addresses() else { return };
            let _ = Network::read(&request.network).and_then(|network| network.wanted(&addresses));
        }
        _ => drop(wire::read::<wire::Teardown>(request).map(|request| request.endpoint().is_ok())),
    }
}
