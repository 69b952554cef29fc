//! The report for machines. Keys are stable; new ones may come.

use engine::{Diagnosis, ParentLink};
use serde::Serialize;

use crate::cli::json::Settings;

/// `ipvland doctor`.
#[derive(Serialize)]
pub(super) struct Report {
    kernel: String,
    engines: Vec<Engine>,
    links: Vec<Link>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Engine {
    /// `Docker` or `Podman`.
    name: &'static str,
    version: String,
    socket: String,
}

#[derive(Serialize)]
struct Link {
    name: String,
    /// `ethernet`, `wifi`, or the kernel's word for it.
    kind: String,
    up: bool,
    mtu: u32,
    /// Null while no slave is in sight.
    port: Option<Settings>,
    networks: Vec<String>,
    /// Why no network can be made on it; null where one can.
    obstacle: Option<String>,
}

#[derive(Serialize)]
struct Finding {
    /// `fault`, `warning` or `note`.
    severity: &'static str,
    about: String,
    sentence: String,
    remedy: String,
}

impl Report {
    pub(super) fn of(report: &super::Report) -> Self {
        Self {
            kernel: report.examination.kernel.to_string(),
            engines: report.engines.iter().map(Engine::of).collect(),
            links: report.examination.links.iter().map(Link::of).collect(),
            findings: report.examination.findings.iter().map(Finding::of).collect(),
        }
    }
}

impl Engine {
    fn of(engine: &super::Engine) -> Self {
        let super::Engine { program, socket } = engine;
        Self { name: program.name, version: program.version.clone(), socket: socket.display().to_string() }
    }
}

impl Link {
    fn of(link: &ParentLink) -> Self {
        Self {
            name: link.name.to_string(),
            kind: link.kind.clone(),
            up: link.up,
            mtu: link.mtu,
            port: link.port.map(Settings::of),
            networks: link.networks.iter().map(ToString::to_string).collect(),
            obstacle: link.obstacle.as_ref().map(ToString::to_string),
        }
    }
}

impl Finding {
    fn of(finding: &Diagnosis) -> Self {
        let Diagnosis { severity, about, sentence, remedy } = finding.clone();
        Self { severity: severity.as_str(), about, sentence, remedy }
    }
}
