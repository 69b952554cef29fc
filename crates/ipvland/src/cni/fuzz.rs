//! What a fuzzer throws at the parsers of this frontend, and what must hold of whatever they read.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::call::Call;
use super::choice::Choice;
use super::delegate;
use super::version::SpecVersion;
use super::wire::{Configuration, Dns, Report};

/// The environment of a call: variables as `NAME=VALUE`, a line each.
pub(crate) fn call(input: &[u8]) {
    let variables: Vec<(&[u8], &[u8])> = input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| Some(line.split_at(line.iter().position(|byte| *byte == b'=')?)))
        .collect();
    let value =
        |name: &str| variables.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| &value[1..]);
    let _ = Call::read(|name| value(name).map(|value| OsString::from_vec(value.to_vec())));
}

/// A configuration: everything that a verb would read of it is read.
pub(crate) fn configuration(input: &[u8]) {
    let Ok(configuration) = Configuration::read(input) else { return };
    let _ = configuration.valid_attachments();
    let _ = configuration.dns();
    if let Ok(Some(report)) = configuration.previous() {
        check_report(&report);
    }
    let segment = configuration.link().ok().and_then(|link| link.options.segment);
    let (Ok(ipam), Ok(asked)) = (configuration.ledger(segment.as_ref()), configuration.asked()) else { return };
    for range in ipam.sets.iter().flatten() {
        let text = range.pool.to_string();
        assert_eq!(text.parse().as_ref(), Ok(&range.pool), "the ledger keeps it as text");
        assert!(range.gateway(true).is_none_or(|gateway| range.pool.admits(gateway)), "{text}");
    }
    let _ = Choice::first(&ipam.sets, &asked);
}

/// What another plugin answers, be it yes or no.
pub(crate) fn answer(input: &[u8]) {
    let said = delegate::fuzz(input);
    assert!(!said.contains(char::is_control), "{said:?}");
    if let Ok(report) = Report::of_answer(input) {
        check_report(&report);
    }
}

/// A file in the format of resolv.conf(5).
pub(crate) fn resolv_conf(input: &str) {
    let dns = Dns::of_resolv_conf(input);
    let rendered = serde_json::to_value(&dns).expect("it has texts only");
    assert_eq!(serde_json::from_value::<Dns>(rendered).ok(), Some(dns));
}

/// It is passed on as it was read; of what is not read here, a number may have lost its last digits.
fn check_report(report: &Report) {
    for version in SpecVersion::ALL {
        let rendered = report.render(version).to_string();
        let again = Report::of_answer(rendered.as_bytes()).expect("it was read before");
        assert_eq!((&again.ips, &again.dns), (&report.ips, &report.dns), "{rendered}");
        assert!(again.on_host().eq(report.on_host()) && again.routes.len() == report.routes.len(), "{rendered}");
    }
    report.routes.iter().for_each(|route| drop(route.wish()));
}
