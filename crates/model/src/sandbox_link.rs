//! Links that ipvland sets up in their sandbox itself, in the container engine's stead.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::name::InterfaceName;
use crate::settings::SettingError;

/// How a slave is set up in its sandbox, where the container engine does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxLink {
    /// Its name there.
    pub name: InterfaceName,
    /// Kernel settings of the interface.
    pub sysctls: Sysctls,
    /// Routes out of it, the default ones among them.
    pub routes: SandboxRoutes,
}

/// Routes out of one interface, in the order in which they are made; where two are the same, the first one counts.
///
/// As text they stand with commas in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxRoutes(Vec<SandboxRoute>);

/// A route out of an interface: `192.168.0.0/16 via 192.168.1.1 metric 100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SandboxRoute {
    /// Where to.
    pub to: IpNet,
    /// The router; none where the interface itself leads there.
    pub via: Option<IpAddr>,
    /// The lower, the better; the kernel's own choice where it is not given.
    pub metric: Option<u32>,
}

const ROUTE: &str = "DESTINATION [via ROUTER] [metric NUMBER]";

impl SandboxRoutes {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = SandboxRoute> {
        self.0.iter().copied()
    }
}

impl FromIterator<SandboxRoute> for SandboxRoutes {
    fn from_iter<I: IntoIterator<Item = SandboxRoute>>(routes: I) -> Self {
        Self(routes.into_iter().collect())
    }
}

impl FromStr for SandboxRoutes {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        text.split(',').filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for SandboxRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(","))
    }
}

impl SandboxRoute {
    /// Whether it leads everywhere.
    pub fn is_default(&self) -> bool {
        self.to.prefix_len() == 0
    }
}

impl FromStr for SandboxRoute {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let parse = || {
            let mut words = text.split_ascii_whitespace();
            let mut route = Self { to: words.next()?.parse().ok()?, via: None, metric: None };
            while let Some(word) = words.next() {
                match word {
                    "via" => route.via = Some(words.next()?.parse().ok()?),
                    "metric" => route.metric = Some(words.next()?.parse().ok()?),
                    _ => return None,
                }
            }
            let one_family = route.via.is_none_or(|via| via.is_ipv4() == route.to.addr().is_ipv4());
            one_family.then_some(route)
        };
        parse().ok_or_else(|| SettingError { value: text.chars().take(80).collect(), expected: ROUTE })
    }
}

impl fmt::Display for SandboxRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to)?;
        self.via.map_or(Ok(()), |via| write!(f, " via {via}"))?;
        self.metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))
    }
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
    fn routes_read_as_they_are_written() {
        let text = "0.0.0.0/0 via 192.168.1.1,10.0.0.0/8 metric 100,::/0 via fe80::1 metric 5";
        assert_eq!(text.parse::<SandboxRoutes>().unwrap().to_string(), text);
        assert_eq!("".parse(), Ok(SandboxRoutes::default()));
        for other in
            ["10.0.0.0/8 via", "10.0.0.0/8 via ::1", "via 10.0.0.1", "10.0.0.0/8 dev eth0", "10.0.0.0/8 metric -1"]
        {
            assert!(other.parse::<SandboxRoute>().is_err(), "{other}");
        }
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
