//! What is known of container engines: docs/engines.md tells what each does in each scenario.

use engine::{Diagnosis, Severity};

use crate::engine_api::Program;

/// Something that holds for some releases of an engine.
struct Known {
    engine: &'static str,
    /// The first release.
    from: Release,
    /// The first release for which it holds no longer.
    before: Release,
    severity: Severity,
    /// What follows the engine's name and version.
    sentence: &'static str,
    remedy: &'static str,
}

type Release = [u32; 3];

const KNOWN: [Known; 10] = [
    Known {
        engine: "Docker",
        from: [29, 0, 0],
        before: [29, 0, 3],
        severity: Severity::Fault,
        sentence: "crashes when a container leaves a network whose driver is a plugin",
        remedy: "install 29.0.3 or newer",
    },
    Known {
        engine: "Docker",
        from: [28, 5, 0],
        before: [28, 6, 0],
        severity: Severity::Note,
        sentence: "crashes, with live-restore, when a container with an exact interface name is removed after a restart of the \
                   engine",
        remedy: "use live-restore or `com.docker.network.endpoint.ifname`, and not both",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [29, 0, 0],
        severity: Severity::Note,
        sentence: "does not tell what a container is called, so that one that is made again has another address",
        remedy: "choose its address with `--ip`, or install 29 or newer",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [28, 0, 0],
        severity: Severity::Note,
        sentence: "puts no other network beside an l3 network, whose default route clashes with the other's",
        remedy: "give such containers one network, or install 28 or newer",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [28, 0, 0],
        severity: Severity::Note,
        sentence: "gives interfaces no exact names, has no IPv6 without IPv4, and takes the subnet of a parent only when it is \
                   named",
        remedy: "install 28 or newer, if you need that",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [28, 0, 0],
        severity: Severity::Note,
        sentence: "spends an address on a gateway in l3 and on internal networks too",
        remedy: "count with one container less in each subnet, or install 28 or newer",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [26, 0, 1],
        severity: Severity::Note,
        sentence: "forwards no names from a network whose default route has no router, as in l3",
        remedy: "pass `--dns`, or install 26.0.1 or newer",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [24, 0, 0],
        severity: Severity::Note,
        sentence: "has no `default-network-opts`",
        remedy: "pass `-o` with each network, or install 24 or newer",
    },
    Known {
        engine: "Docker",
        from: [0; 3],
        before: [23, 0, 0],
        severity: Severity::Note,
        sentence: "makes no kernel settings of one interface, and gives no address out of a subnet of two",
        remedy: "install 23 or newer, if you need that",
    },
    Known {
        engine: "Podman",
        from: [0; 3],
        before: [4, 4, 0],
        severity: Severity::Warning,
        sentence: "knows no network plugins",
        remedy: "install 4.4 or newer, or have it use CNI",
    },
];

/// What is known of an engine.
pub(super) fn judge(program: &Program) -> Vec<Diagnosis> {
    let called = called(program);
    let Some(release) = release(&program.version) else {
        return vec![Diagnosis::warning(
            &called,
            format!("the version of {} cannot be read, so that its faults are not known", program.name),
            "compare it with docs/engines.md",
        )];
    };
    let holds = |known: &&Known| known.engine == program.name && (known.from..known.before).contains(&release);
    let diagnosis = |known: &Known| Diagnosis {
        severity: known.severity,
        about: called.clone(),
        sentence: format!("{called} {}", known.sentence),
        remedy: known.remedy.to_owned(),
    };
    KNOWN.iter().filter(holds).map(diagnosis).collect()
}

/// Name and version, as people call a program.
pub(super) fn called(program: &Program) -> String {
    let version: String = program.version.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("{} {version}", program.name)
}

/// The numbers at the beginning of a version; those that are not there are 0.
fn release(version: &str) -> Option<Release> {
    let number = |part: &str| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..digits].parse().ok()
    };
    let mut parts = version.split('.');
    let major = number(parts.next()?)?;
    let [minor, patch] = [parts.next(), parts.next()].map(|part| part.and_then(number).unwrap_or_default());
    Some([major, minor, patch])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How bad each is, and what the engine is said to do.
    fn known(name: &'static str, version: &str) -> Vec<String> {
        let findings = judge(&Program { name, version: version.into() });
        let prefix = format!("{name} {version} ");
        let line = |it: Diagnosis| format!("{} {}", it.severity.as_str(), it.sentence.replace(&prefix, ""));
        findings.into_iter().map(line).collect()
    }

    #[test]
    fn a_version_is_read_with_whatever_hangs_on_it() {
        for (version, expected) in [
            ("26.1.5+dfsg1", Some([26, 1, 5])),
            ("20.10.24", Some([20, 10, 24])),
            ("29.0.0-rc.1", Some([29, 0, 0])),
            ("28.5", Some([28, 5, 0])),
            ("dev", None),
            ("", None),
        ] {
            assert_eq!(release(version), expected, "{version}");
        }
    }

    #[test]
    fn the_releases_that_crash_are_faults() {
        let crash = "fault crashes when a container leaves a network whose driver is a plugin";
        for (version, crashes) in
            [("28.5.2", false), ("29.0.0", true), ("29.0.2", true), ("29.0.3", false), ("29.7.2", false)]
        {
            assert_eq!(known("Docker", version).iter().any(|line| line == crash), crashes, "{version}");
        }
    }

    #[test]
    fn a_newer_engine_has_fewer_faults() {
        let counts = ["20.10.24", "23.0.0", "24.0.9", "26.1.5", "28.0.0", "28.5.2", "29.7.2"]
            .map(|version| known("Docker", version).len());
        assert_eq!(counts, [7, 6, 5, 4, 1, 2, 0]);
        let forwards = "note forwards no names from a network whose default route has no router, as in l3";
        assert!(known("Docker", "26.0.0").contains(&forwards.to_owned()));
        assert!(!known("Docker", "26.0.1").contains(&forwards.to_owned()));
    }

    #[test]
    fn a_podman_without_plugins_is_named() {
        assert_eq!(known("Podman", "4.3.1"), ["warning knows no network plugins"]);
        assert_eq!(known("Podman", "5.4.2"), [""; 0]);
    }

    #[test]
    fn an_engine_is_not_blamed_for_a_version_that_cannot_be_read() {
        let findings = judge(&Program { name: "Docker", version: "\u{1b}[2J".into() });
        assert_eq!((findings.len(), findings[0].about.as_str()), (1, "Docker ?[2J"));
    }
}
