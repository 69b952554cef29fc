//! The kernel and its settings.

use kernel::{Host, KernelError, Module};
use model::{Flag, KernelVersion, Mode, PortSettings};

use super::Diagnosis;

/// `rp_filter` when it is strict (RFC 3704, section 2.2); 2 is loose.
const STRICT: u32 = 1;

pub(super) fn judge(kernel: KernelVersion, host: &Host) -> Vec<Diagnosis> {
    let mut findings = versions(kernel);
    if !host.root {
        findings.push(Diagnosis::warning(
            "host",
            "only root sees into all namespaces and the ledger, so that this is not all there is to find",
            "run `sudo ipvland doctor`",
        ));
    }
    match host.ipvlan {
        Some(Module::Missing) => {
            findings.push(Diagnosis::refusal("kernel", KernelError::NoModule { kind: "ipvlan" }));
        }
        None => findings.push(Diagnosis::warning(
            "kernel",
            "neither modules nor symbols tell whether this kernel has ipvlan",
            "create a network, which asks the kernel itself",
        )),
        Some(Module::Present | Module::OnDemand) => {}
    }
    for (module, kind, need) in [
        (host.vlan, "8021q", "a parent such as eth0.10 must be there already"),
        (host.dummy, "dummy", "every network needs a parent, and none can be internal"),
    ] {
        if module == Some(Module::Missing) {
            let error = KernelError::NoModule { kind };
            findings.push(Diagnosis::warning("kernel", format!("{error}: {need}"), error.hint()));
        }
    }
    if !host.ipv6 {
        findings.push(Diagnosis::note(
            "host",
            "this host has no IPv6, and neither have its containers",
            "boot it without `ipv6.disable=1`, if they need that",
        ));
    }
    if host.rp_filter == STRICT {
        findings.push(Diagnosis::note(
            "host",
            "rp_filter is strict, and containers inherit that: one on several networks drops what comes in by another \
             interface than its answer would go out by",
            "`sysctl -w net.ipv4.conf.default.rp_filter=2` before they start",
        ));
    }
    findings
}

fn versions(kernel: KernelVersion) -> Vec<Diagnosis> {
    let lacks = |settings| kernel.supports(settings).err();
    let plain = PortSettings::default();
    if let Some(error) = lacks(plain) {
        return vec![Diagnosis::fault("kernel", error.to_string(), "run a newer kernel")];
    }
    let newer = [PortSettings { mode: Mode::L3s, ..plain }, PortSettings { flag: Flag::Private, ..plain }];
    let lacking = newer.into_iter().filter_map(lacks);
    lacking.map(|error| Diagnosis::note("kernel", error.to_string(), "run a newer kernel, if you need that")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::{host, shown};

    #[track_caller]
    fn check(kernel: &str, change: impl FnOnce(&mut Host), expected: &[&str]) {
        let mut host = host();
        change(&mut host);
        assert_eq!(shown(judge(kernel.parse().unwrap(), &host)), expected);
    }

    #[test]
    fn nothing_is_wrong_with_a_plain_host() {
        check("6.12", |_| {}, &[]);
        check("6.12", |host| host.ipvlan = Some(Module::Present), &[]);
        check("6.12", |host| host.rp_filter = 2, &[]);
    }

    #[test]
    fn an_old_kernel_lacks_something() {
        check(
            "4.1",
            |_| {},
            &["fault kernel: this host runs kernel 4.1 and ipvlan needs 4.2 or newer; run a newer kernel"],
        );
        check(
            "4.4",
            |_| {},
            &[
                "note kernel: this host runs kernel 4.4 and ipvlan_mode=l3s needs 4.9 or newer; run a newer kernel, if you need \
                 that",
                "note kernel: this host runs kernel 4.4 and ipvlan_flag=private needs 4.15 or newer; run a newer kernel, if you \
                 need that",
            ],
        );
    }

    #[test]
    fn a_module_that_is_missing() {
        check(
            "6.12",
            |host| host.ipvlan = Some(Module::Missing),
            &[
                "fault kernel: this kernel has no `ipvlan` links, and no module that brings them; `modprobe ipvlan` must work; \
               slim kernels have the module in a package of its own, such as linux-modules-extra-$(uname -r)",
            ],
        );
        check(
            "6.12",
            |host| host.ipvlan = None,
            &[
                "warning kernel: neither modules nor symbols tell whether this kernel has ipvlan; create a network, which asks \
               the kernel itself",
            ],
        );
        check(
            "6.12",
            |host| host.vlan = Some(Module::Missing),
            &[
                "warning kernel: this kernel has no `8021q` links, and no module that brings them: a parent such as eth0.10 must \
               be there already; `modprobe 8021q` must work; slim kernels have the module in a package of its own, such as \
               linux-modules-extra-$(uname -r)",
            ],
        );
        check("6.12", |host| (host.vlan, host.dummy) = (None, None), &[]);
    }

    #[test]
    fn settings_that_surprise() {
        check(
            "6.12",
            |host| host.root = false,
            &[
                "warning host: only root sees into all namespaces and the ledger, so that this is not all there is to find; run \
               `sudo ipvland doctor`",
            ],
        );
        check(
            "6.12",
            |host| host.ipv6 = false,
            &[
                "note host: this host has no IPv6, and neither have its containers; boot it without `ipv6.disable=1`, if they \
               need that",
            ],
        );
        check(
            "6.12",
            |host| host.rp_filter = 1,
            &[
                "note host: rp_filter is strict, and containers inherit that: one on several networks drops what comes in by \
               another interface than its answer would go out by; `sysctl -w net.ipv4.conf.default.rp_filter=2` before they \
               start",
            ],
        );
    }
}
