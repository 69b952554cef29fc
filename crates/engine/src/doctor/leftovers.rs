//! Links that look like ours and that no record knows.

use std::collections::BTreeSet;

use model::{Kind, Link, Mark, Observed, Place, is_birth_name};

use super::Diagnosis;
use super::ledger::Records;

pub(super) fn judge(records: &Records, observed: &Observed) -> Vec<Diagnosis> {
    if !records.known {
        return Vec::new();
    }
    let known: BTreeSet<Mark> = records.marks().collect();
    let born: BTreeSet<_> = known.iter().map(Mark::birth_name).collect();
    let left_over = |link: &Link| match link.alias.as_deref().map(str::parse::<Mark>) {
        Some(Ok(mark)) => !known.contains(&mark),
        // One that died between its making and its marking.
        _ => is_birth_name(&link.name) && !born.contains(&link.name) && is_of_our_kind(&link.kind),
    };
    observed.all().filter(|(_, link)| left_over(link)).map(|(place, link)| of_link(&place, link)).collect()
}

fn is_of_our_kind(kind: &Kind) -> bool {
    matches!(kind, Kind::Slave(_) | Kind::Dummy | Kind::Vlan(_))
}

fn of_link(place: &Place, link: &Link) -> Diagnosis {
    let name = &link.name;
    match place {
        Place::Host => Diagnosis::warning(
            name.as_str(),
            format!("link `{name}` looks like ipvland's, and no record knows it"),
            format!("`ip link delete {name}`, if nobody else uses it"),
        ),
        Place::Sandbox(key) => Diagnosis::warning(
            name.as_str(),
            format!("link `{name}` in namespace {key} looks like ipvland's, and no record knows it"),
            "start the daemon anew, which enters what lives, or stop that container",
        ),
    }
}

#[cfg(test)]
mod tests {
    use model::PortSettings;

    use super::*;
    use crate::doctor::tests::{endpoint, link, network, records, shown};

    fn slave(name: &str, mark: Option<&Mark>) -> Link {
        let kind = Kind::Slave(PortSettings::default());
        Link { kind, on: Some(2), alias: mark.map(ToString::to_string), ..link(7, name) }
    }

    #[track_caller]
    fn check(records: &Records, place: &Place, link: Link, expected: &[&str]) {
        let mut observed = Observed::default();
        match place {
            Place::Host => observed.host.push(link),
            Place::Sandbox(key) => drop(observed.sandboxes.insert(key.clone(), vec![link])),
        }
        assert_eq!(shown(judge(records, &observed)), expected);
    }

    #[test]
    fn a_link_of_ours_without_a_record_is_left_over() {
        let sandbox = Place::Sandbox("/run/netns/a".parse().unwrap());
        let whole = records(vec![network("lan")], vec![endpoint("one", "lan")]);
        let empty = records(Vec::new(), Vec::new());
        let mark = endpoint("one", "lan").endpoint.mark();
        let told = "warning eth0: link `eth0` in namespace /run/netns/a looks like ipvland's, and no record knows it; start the \
                    daemon anew, which enters what lives, or stop that container";
        check(&whole, &sandbox, slave("eth0", Some(&mark)), &[]);
        check(&empty, &sandbox, slave("eth0", Some(&mark)), &[told]);
        check(&empty, &sandbox, slave("eth0", None), &[]);

        let sentinel = Mark::Sentinel("eth0".parse().unwrap());
        let name = sentinel.birth_name();
        let told = format!(
            "warning {name}: link `{name}` looks like ipvland's, and no record knows it; `ip link delete {name}`, if nobody \
             else uses it"
        );
        for marked in [Some(&sentinel), None] {
            check(&whole, &Place::Host, slave(name.as_str(), marked), &[]);
            check(&empty, &Place::Host, slave(name.as_str(), marked), &[&told]);
        }
        check(&empty, &Place::Host, Link { alias: Some("uplink".into()), ..link(2, "eth0") }, &[]);
    }

    #[test]
    fn without_a_ledger_nobody_can_say_what_is_left_over() {
        let unknown = Records { known: false, ..records(Vec::new(), Vec::new()) };
        let mark = endpoint("one", "lan").endpoint.mark();
        check(&unknown, &Place::Host, slave(mark.birth_name().as_str(), Some(&mark)), &[]);
    }
}
