//! `ipvland doctor`: what the engine finds on this host, and what is known of the programs that use it.

mod arguments;
mod engines;
#[cfg(test)]
mod golden;
mod json;
mod service;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use engine::{Diagnosis, Examination, Paths, Severity};

pub(crate) use arguments::DoctorArguments;

use self::service::Service;
use super::output::print;
use crate::engine_api::{self, Program};
use crate::sentence;

/// Something is wrong, says `doctor`.
const FAULTS: u8 = 3;

/// What was found, and the engines that were asked.
struct Report {
    examination: Examination,
    engines: Vec<Engine>,
}

/// A container engine that answers.
struct Engine {
    program: Program,
    socket: PathBuf,
}

/// Looks at the host and everything on it, and tells what is wrong.
pub(crate) fn doctor(paths: &Paths, arguments: &DoctorArguments) -> Result<ExitCode> {
    let mut report = Report { examination: engine::examine(paths)?, engines: Vec::new() };
    for socket in &arguments.engine_socket {
        match ask(socket) {
            None => {}
            Some(Ok(program)) => report.engines.push(Engine { program, socket: socket.clone() }),
            Some(Err(finding)) => report.examination.findings.push(finding),
        }
    }
    let findings = &mut report.examination.findings;
    findings.extend(report.engines.iter().flat_map(|engine| engines::judge(&engine.program)));
    if report.engines.iter().any(|engine| engine.program.name == "Docker") {
        findings.extend(Service::look(&arguments.socket).judge(&arguments.socket));
    }
    findings.sort_by_key(|finding| finding.severity);

    let wrong = findings.iter().any(|finding| finding.severity == Severity::Fault);
    print(arguments.output.output, || table::report(&report), || json::Report::of(&report))?;
    Ok(if wrong { ExitCode::from(FAULTS) } else { ExitCode::SUCCESS })
}

/// Which engine answers at a socket; `None` where there is none.
fn ask(socket: &Path) -> Option<Result<Program, Diagnosis>> {
    let there = socket.try_exists().unwrap_or(true);
    there.then(|| {
        engine_api::program(socket).map_err(|error| {
            let socket = socket.display().to_string();
            Diagnosis::warning(
                &socket,
                format!("the engine at {socket} does not answer: {}", sentence::chain(error.as_ref())),
                "start it, or remove the socket that it has left",
            )
        })
    })
}
