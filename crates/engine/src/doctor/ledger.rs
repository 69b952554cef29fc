//! The ledger: whether it can be used, where it is, and how far the kernel is from what it says.

use std::path::Path;
use std::time::{Duration, SystemTime};

use kernel::{FileSystem, Medium};
use model::{Fill, Holding, Mark, Network};
use store::StoreError;

use super::Diagnosis;
use crate::{EndpointReport, Engine, EngineError, Finding, Paths, PortReport, Repair};

/// What the ledger says.
#[derive(Default)]
pub(super) struct Records {
    /// Whether it could be read. One that is not there yet has nothing in it, and that is known.
    pub(super) known: bool,
    pub(super) ports: Vec<PortReport>,
    pub(super) networks: Vec<Network>,
    pub(super) endpoints: Vec<EndpointReport>,
}

impl Records {
    /// The marks of all links that the records may call for.
    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        let of_endpoints = self.endpoints.iter().map(|report| report.endpoint.mark());
        let parents = self.networks.iter().map(|network| network.parent.name());
        of_endpoints.chain(parents.flat_map(|name| [Mark::Sentinel(name.clone()), Mark::Parent(name.clone())]))
    }
}

/// How much room the ledger needs to go on, in bytes: its log grows to 4 MiB before it is played back
/// (`SQLITE_DEFAULT_WAL_AUTOCHECKPOINT`).
const ROOM: u64 = 16 << 20;

/// How far two clocks may be apart without anybody having set one.
const LEEWAY: Duration = Duration::from_secs(60);

/// 2026-01-01: before there was an ipvland.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

/// Opens the ledger, where there is one, and looks for all that can be wrong with it.
pub(super) fn examine(paths: &Paths, now: SystemTime) -> (Records, Vec<Diagnosis>) {
    let mut findings = clock(now);
    if let Ok(found) = kernel::file_system(&paths.state_dir) {
        findings.extend(disk(&paths.state_dir, found));
    }
    let ledger = paths.ledger();
    // Opening it would make it.
    let records = match ledger.try_exists() {
        Ok(false) => Ok(Records { known: true, ..Records::default() }),
        Ok(true) => read(paths, now, &mut findings),
        Err(error) => Err(StoreError::Open { path: ledger, source: error.into() }.into()),
    };
    let records = records.unwrap_or_else(|error| {
        findings.push(Diagnosis::refusal("ledger", error));
        Records::default()
    });
    (records, findings)
}

fn read(paths: &Paths, now: SystemTime, findings: &mut Vec<Diagnosis>) -> Result<Records, EngineError> {
    let engine = Engine::open(paths)?;
    engine.store.check()?;
    let addresses = engine.addresses()?;
    findings.extend(pools(addresses.pools));
    findings.extend(times(&addresses.holdings, now));
    findings.extend(engine.repair(Repair::DryRun)?.iter().filter_map(difference));
    let status = engine.status()?;
    Ok(Records { known: true, ports: status.ports, networks: status.networks, endpoints: status.endpoints })
}

fn disk(folder: &Path, found: FileSystem) -> Vec<Diagnosis> {
    let folder = folder.display();
    let medium = match found.medium {
        Medium::Disk => None,
        Medium::Memory => Some(Diagnosis::warning(
            "ledger",
            format!("the ledger is in memory, in {folder}, so that a reboot forgets all networks"),
            "put it on a disk, with `--state-dir` for daemon and commands",
        )),
        Medium::Network => Some(Diagnosis::fault(
            "ledger",
            format!(
                "the ledger is on another host's disk, in {folder}, where processes do not see each other's changes"
            ),
            "put it on a disk of this host, with `--state-dir` for daemon and commands",
        )),
    };
    let full = (found.free < ROOM).then(|| {
        let left = found.free >> 10;
        let sentence = format!("the disk of the ledger has {left} KiB left, and without room each change is refused");
        Diagnosis::fault("ledger", sentence, format!("make room in {folder}"))
    });
    medium.into_iter().chain(full).collect()
}

fn clock(now: SystemTime) -> Vec<Diagnosis> {
    let set = now >= SystemTime::UNIX_EPOCH + BEGINNING;
    let sentence = "the clock says that it is before 2026, and addresses rest by it";
    let remedy = "set it, for example with `timedatectl set-ntp true`";
    if set { Vec::new() } else { vec![Diagnosis::warning("clock", sentence, remedy)] }
}

/// An address that is held since a time to come rests the longer for it.
fn times(holdings: &[Holding], now: SystemTime) -> Option<Diagnosis> {
    let to_come = |holding: &&Holding| holding.since.is_some_and(|since| since > now + LEEWAY);
    let count = holdings.iter().filter(to_come).count();
    (count > 0).then(|| {
        Diagnosis::warning(
            "clock",
            format!("the clock was set back: {count} of the addresses on record are held since a time to come"),
            "set it, for example with `timedatectl set-ntp true`; where it is right, there is nothing to do",
        )
    })
}

fn pools(pools: Vec<Fill>) -> impl Iterator<Item = Diagnosis> {
    let full = pools.into_iter().filter(|fill| u128::from(fill.taken) >= fill.pool.size());
    full.map(|fill| {
        let exhausted = StoreError::PoolExhausted(Box::new(fill.pool.clone()));
        Diagnosis::warning(&fill.pool.range().to_string(), exhausted.to_string(), exhausted.hint())
    })
}

/// What repair would do. What is somebody else's or dead is told of with its port.
fn difference(finding: &Finding) -> Option<Diagnosis> {
    let differs = |about: &str, sentence: String| Some(Diagnosis::warning(about, sentence, "run `ipvland repair`"));
    match finding {
        Finding::NetworkUndone(id) => {
            differs(id.short(), format!("the creation of network {} was cut off", id.short()))
        }
        Finding::NetworkFinished(id) => {
            differs(id.short(), format!("the removal of network {} was cut off", id.short()))
        }
        Finding::NetworkBare(id) => differs(id.short(), format!("nothing is on network {} any more", id.short())),
        Finding::AttachUndone(id) => differs(id.short(), format!("the attach of endpoint {} was cut off", id.short())),
        Finding::EndpointFinished(id) => {
            differs(id.short(), format!("the removal of endpoint {} was cut off", id.short()))
        }
        Finding::Step(step) => {
            differs("ledger", format!("the kernel is not as the ledger says, and would have to {step}"))
        }
        Finding::EndpointDead(_) | Finding::Foreign { .. } => None,
        Finding::Failed { parent, error } => Some(Diagnosis::fault(
            parent.as_str(),
            format!("the port on `{parent}` could not be compared with the ledger: {error}"),
            "try again; `lslocks` names who holds it",
        )),
    }
}

#[cfg(test)]
mod tests {
    use model::{Hold, Segment};

    use super::*;
    use crate::doctor::tests::shown;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_disk_of_the_ledger_is_this_hosts_and_has_room() {
        let check = |medium, free, expected: &[&str]| {
            assert_eq!(shown(disk(Path::new("/var/lib/ipvland"), FileSystem { medium, free })), expected);
        };
        check(Medium::Disk, ROOM, &[]);
        check(
            Medium::Disk,
            ROOM - 1,
            &[
                "fault ledger: the disk of the ledger has 16383 KiB left, and without room each change is refused; make room in \
               /var/lib/ipvland",
            ],
        );
        check(
            Medium::Memory,
            ROOM,
            &[
                "warning ledger: the ledger is in memory, in /var/lib/ipvland, so that a reboot forgets all networks; put it on a \
               disk, with `--state-dir` for daemon and commands",
            ],
        );
        check(
            Medium::Network,
            ROOM,
            &[
                "fault ledger: the ledger is on another host's disk, in /var/lib/ipvland, where processes do not see each other's \
               changes; put it on a disk of this host, with `--state-dir` for daemon and commands",
            ],
        );
    }

    #[test]
    fn a_clock_that_is_wrong_shows() {
        assert_eq!(shown(clock(at(1_767_225_600))), [""; 0]);
        assert_eq!(
            shown(clock(at(0))),
            [
                "warning clock: the clock says that it is before 2026, and addresses rest by it; set it, for example with \
              `timedatectl set-ntp true`"
            ]
        );
        let held = |since: Option<SystemTime>| Holding {
            segment: Segment::default(),
            address: "192.0.2.7".parse().unwrap(),
            hold: Hold::Claim,
            name: None,
            since,
        };
        assert_eq!(times(&[held(Some(at(1060))), held(None)], at(1000)), None);
        let told = times(&[held(Some(at(1061))), held(Some(at(5000))), held(Some(at(1)))], at(1000));
        assert_eq!(
            shown(told),
            [
                "warning clock: the clock was set back: 2 of the addresses on record are held since a time to come; set it, for \
              example with `timedatectl set-ntp true`; where it is right, there is nothing to do"
            ]
        );
    }

    #[test]
    fn a_pool_without_a_free_address_is_told() {
        let pool = |taken| Fill { pool: "v1/default/192.0.2.0/30/192.0.2.0/30".parse().unwrap(), taken, resting: 0 };
        assert_eq!(shown(pools(vec![pool(1)])), [""; 0]);
        assert_eq!(
            shown(pools(vec![pool(2)])),
            [
                "warning 192.0.2.0/30: no address is left in 192.0.2.0/30; `ipvland addresses` lists who has them; remove \
              containers, or make a network with a larger range"
            ]
        );
    }

    #[test]
    fn what_was_cut_off_is_told_without_mending_it() {
        let check = |finding: Finding, expected: &[&str]| assert_eq!(shown(difference(&finding)), expected);
        let lan = || "lan".parse().unwrap();
        let end = || "end".parse().unwrap();
        check(
            Finding::NetworkUndone(lan()),
            &["warning lan: the creation of network lan was cut off; run `ipvland repair`"],
        );
        check(
            Finding::EndpointFinished(end()),
            &["warning end: the removal of endpoint end was cut off; run `ipvland repair`"],
        );
        check(Finding::EndpointDead(end()), &[]);
        check(
            Finding::Failed { parent: "eth0".parse().unwrap(), error: "it is busy".into() },
            &[
                "fault eth0: the port on `eth0` could not be compared with the ledger: it is busy; try again; `lslocks` names \
               who holds it",
            ],
        );
    }

    #[test]
    fn a_ledger_is_neither_made_nor_missed() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state_dir: folder.path().join("state"), run_dir: folder.path().join("run") };
        let of_the_ledger = |findings: Vec<Diagnosis>| -> Vec<String> {
            // Wherever this host keeps its temporary files.
            findings
                .into_iter()
                .filter(|it| !it.sentence.contains(" the ledger is in memory"))
                .map(|it| it.sentence)
                .collect()
        };
        let (records, findings) = examine(&paths, at(1_800_000_000));
        assert!(records.known && of_the_ledger(findings).is_empty());
        assert!(!paths.state_dir.exists(), "looking makes nothing");

        std::fs::create_dir(&paths.state_dir).unwrap();
        std::fs::write(
            paths.ledger(),
            "no ledger at all, but long enough to be taken for a file with a header of SQLite's\n".repeat(9),
        )
        .unwrap();
        let (records, findings) = examine(&paths, at(1_800_000_000));
        let told = of_the_ledger(findings);
        assert!(!records.known && told.iter().any(|sentence| sentence.contains("file is not a database")), "{told:?}");
    }
}
