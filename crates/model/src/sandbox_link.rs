//! Links that ipvland sets up in their sandbox itself, in the container engine's stead.

use std::fmt;
use std::str::FromStr;

use crate::name::InterfaceName;
use crate::settings::SettingError;

/// How a slave is set up in its sandbox, where the container engine does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxLink {
    /// Its name there.
    pub name: InterfaceName,
    /// Kernel settings of the interface.
    pub sysctls: Sysctls,
}

/// Kernel settings of one interface, in the order in which they are made.
///
/// As text they are what Docker's endpoint option `com.docker.network.endpoint.sysctls` has: with commas in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sysctls(Vec<Sysctl>);

impl Sysctls {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Sysctl> {
        self.0.iter()
    }
}

impl FromStr for Sysctls {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        text.split(',').filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Sysctls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(","))
    }
}

/// A kernel setting of an interface, `net.FAMILY.AREA.IFNAME.LEAF=VALUE`, where `IFNAME` stands for whatever the interface
/// is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    family: &'static str,
    area: &'static str,
    leaf: String,
    value: String,
}

const FAMILIES: [&str; 3] = ["ipv4", "ipv6", "mpls"];
const AREAS: [&str; 2] = ["conf", "neigh"];
const EXPECTED: &str = "net.ipv4.conf.IFNAME.NAME=VALUE (or ipv6, mpls, neigh)";

impl Sysctl {
    /// Whether the interface does without IPv6: without it, every interface has a link-local address.
    pub fn disable_ipv6(disable: bool) -> Self {
        let value = if disable { "1" } else { "0" };
        Self { family: "ipv6", area: "conf", leaf: "disable_ipv6".into(), value: value.into() }
    }

    /// Where the kernel has it for the interface of that name.
    pub fn path(&self, interface: &InterfaceName) -> String {
        format!("/proc/sys/net/{}/{}/{interface}/{}", self.family, self.area, self.leaf)
    }

    /// What is written there.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl FromStr for Sysctl {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let known = |name: &str, of: &'static [&'static str]| of.iter().copied().find(|known| *known == name);
        let parse = || {
            let (key, value) = text.split_once('=')?;
            let ["net", family, area, interface, leaf] = key.split('.').collect::<Vec<_>>()[..] else { return None };
            // Docker's command line may turn it into small letters on the way (seen with 28.5).
            interface.eq_ignore_ascii_case("IFNAME").then_some(())?;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let valid = !leaf.is_empty() && leaf.len() <= 64 && leaf.chars().all(plain);
            let writable =
                !value.is_empty() && value.len() <= 256 && !value.contains(|c: char| c == ',' || c.is_control());
            (valid && writable).then_some(())?;
            Some(Self {
                family: known(family, &FAMILIES)?,
                area: known(area, &AREAS)?,
                leaf: leaf.to_owned(),
                value: value.to_owned(),
            })
        };
        parse().ok_or_else(|| SettingError { value: text.chars().take(80).collect(), expected: EXPECTED })
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "net.{}.{}.IFNAME.{}={}", self.family, self.area, self.leaf, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sysctls_name_a_file_of_the_interface() {
        let text = "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.IFNAME.gc_stale_time=60";
        let sysctls: Sysctls = text.parse().unwrap();
        let paths: Vec<String> = sysctls.iter().map(|sysctl| sysctl.path(&"lan.0".parse().unwrap())).collect();
        assert_eq!(
            paths,
            ["/proc/sys/net/ipv4/conf/lan.0/log_martians", "/proc/sys/net/ipv6/neigh/lan.0/gc_stale_time"]
        );
        assert_eq!(sysctls.iter().map(Sysctl::value).collect::<Vec<_>>(), ["1", "60"]);
        assert_eq!(sysctls.to_string(), text);
        assert_eq!(text.to_lowercase().parse(), Ok(sysctls));
        assert_eq!("".parse(), Ok(Sysctls::default()));
    }

    #[test]
    fn nothing_but_settings_of_the_interface_can_be_named() {
        for text in [
            "net.ipv4.conf.eth0.log_martians=1",
            "net.ipv4.conf.all.log_martians=1",
            "net.ipv4.ip_forward=1",
            "kernel.x.y.IFNAME.z=1",
            "net.ipv4.conf.IFNAME./../../all/forwarding=1",
            "net.ipv4.conf.IFNAME.=1",
            "net.ipv4.conf.IFNAME.forwarding=",
            "net.ipv4.conf.IFNAME.forwarding",
            "net.ipv4.conf.IFNAME.forwarding=1\n",
            "net.unix.conf.IFNAME.x=1",
        ] {
            assert!(text.parse::<Sysctls>().is_err(), "{text}");
        }
    }
}
