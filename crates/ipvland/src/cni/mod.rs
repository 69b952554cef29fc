//! The CNI plugin: started for each container, without a daemon and without an asynchronous runtime.
//!
//! `call` is what the runtime says in the environment, `wire` what it says in JSON; both are read in full before anything is
//! done. `add`, `check` and `verbs` are what the verbs do, `delegate` asks another plugin for addresses, and `failure` has
//! the numbers that errors have. The specification is <https://www.cni.dev/docs/spec>.

mod add;
mod call;
mod check;
mod choice;
mod delegate;
mod failure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod guest;
mod identity;
mod plan;
mod share;
mod text;
mod verbs;
mod version;
mod wire;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use call::Call;
use failure::{Code, Failure};
use version::SpecVersion;
use wire::Configuration;

use crate::logs;

/// More than any configuration has, in bytes.
const CONFIGURATION_LIMIT: u64 = 1 << 20;

/// Whether a runtime calls: the binary is a CNI plugin then, whatever its arguments are.
pub(crate) fn is_called() -> bool {
    std::env::var_os(call::COMMAND).is_some()
}

/// Does what the runtime asks for, and answers on stdout.
pub(crate) fn run() -> ExitCode {
    logs::start(&std::env::var("IPVLAND_LOG").unwrap_or_else(|_| "warn".into()));
    let mut bytes = Vec::new();
    let call = Call::read(|name| std::env::var_os(name));
    let outcome = call.and_then(|call| read(&mut bytes).and_then(|()| answer(&call, &bytes)));
    let (answer, code) = match outcome {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(result)) => (result, ExitCode::SUCCESS),
        Err(failure) => {
            tracing::info!(?failure, "refused");
            (failure.render(wire::spoken(&bytes).unwrap_or(SpecVersion::LATEST)), ExitCode::FAILURE)
        }
    };
    match say(&answer) {
        Ok(()) => code,
        Err(error) => {
            tracing::error!(%error, "the answer cannot be written");
            ExitCode::FAILURE
        }
    }
}

fn read(bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let failure = |why| Failure::new(Code::INPUT_OUTPUT, format!("the configuration cannot be read from stdin: {why}"));
    io::stdin().lock().take(CONFIGURATION_LIMIT + 1).read_to_end(bytes).map_err(|error| failure(error.to_string()))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= CONFIGURATION_LIMIT => Ok(()),
        _ => Err(failure(format!("it has more than {CONFIGURATION_LIMIT} bytes"))),
    }
}

fn say(answer: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // At once: written bit by bit, each line is a call.
    stdout.write_all(format!("{answer:#}\n").as_bytes())?;
    stdout.flush()
}

/// Does what is asked for. Most verbs have no answer but that it is done.
fn answer(call: &Call, bytes: &[u8]) -> Result<Option<Value>, Failure> {
    let configuration = |since| Configuration::read(bytes).and_then(|read| read.since(since));
    match call {
        Call::Version => return Ok(Some(versions(wire::spoken(bytes)?))),
        Call::Add(attachment, sandbox, arguments) => {
            return add::add(&configuration(SpecVersion::V0_3_1)?, attachment, sandbox, arguments).map(Some);
        }
        Call::Del(attachment) => verbs::del(&configuration(SpecVersion::V0_3_1)?, attachment),
        Call::Check(attachment, sandbox) => check::check(&configuration(SpecVersion::V0_4_0)?, attachment, sandbox),
        Call::Gc => verbs::gc(&configuration(SpecVersion::V1_1_0)?),
        Call::Status => verbs::status(&configuration(SpecVersion::V1_1_0)?),
    }?;
    Ok(None)
}

fn versions(spoken: SpecVersion) -> Value {
    json!({ "cniVersion": spoken.as_str(), "supportedVersions": SpecVersion::ALL.map(SpecVersion::as_str) })
}
