//! The report for people.

use engine::{Diagnosis, ParentLink};

use super::{Report, engines};
use crate::cli::table::{or_dash, section, shown, table};

pub(super) fn report(report: &Report) -> String {
    let mut text = format!("kernel {}", report.examination.kernel);
    for engine in &report.engines {
        text += &format!(", {}", engines::called(&engine.program));
    }
    text += "\n";
    text += &section("Parents", &links(&report.examination.links));
    text + &section("Findings", &findings(&report.examination.findings))
}

fn links(links: &[ParentLink]) -> String {
    let mut table = table(["LINK", "KIND", "STATE", "MTU", "PORT", "NETWORKS", "SUITABLE"]);
    for link in links {
        table.add_row([
            link.name.to_string(),
            link.kind.clone(),
            if link.up { "up" } else { "down" }.to_owned(),
            link.mtu.to_string(),
            or_dash(link.port),
            link.networks.len().to_string(),
            if link.obstacle.is_none() { "yes" } else { "no" }.to_owned(),
        ]);
    }
    shown(&table)
}

fn findings(findings: &[Diagnosis]) -> String {
    if findings.is_empty() {
        return "nothing\n".to_owned();
    }
    let mut table = table(["SEVERITY", "ABOUT", "FINDING"]);
    for finding in findings {
        let Diagnosis { severity, about, sentence, remedy } = finding;
        table.add_row([severity.as_str().to_owned(), about.clone(), format!("{sentence}; {remedy}")]);
    }
    shown(&table)
}
