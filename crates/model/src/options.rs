//! The `-o` options of a network.

use crate::announcements::Announcements;
use crate::name::{InterfaceName, NameError, SegmentName};
use crate::settings::{Mtu, PortSettings, SettingError};

/// What the user asked for with `-o KEY=VALUE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverOptions {
    /// `parent`.
    pub parent: Option<InterfaceName>,
    /// `ipvlan_mode` and `ipvlan_flag`.
    pub settings: PortSettings,
    /// `com.docker.network.driver.mtu`.
    pub mtu: Option<Mtu>,
    /// `com.docker.network.advertise_addr_nmsgs` and `com.docker.network.advertise_addr_ms`.
    pub announcements: Announcements,
    /// `segment`.
    pub segment: Option<SegmentName>,
}

const PARENT: &str = "parent";
const MODE: &str = "ipvlan_mode";
const FLAG: &str = "ipvlan_flag";
const SEGMENT: &str = "segment";
const MTU: &str = "com.docker.network.driver.mtu";
const COUNT: &str = "com.docker.network.advertise_addr_nmsgs";
const INTERVAL: &str = "com.docker.network.advertise_addr_ms";
const KEYS: [&str; 7] = [PARENT, MODE, FLAG, SEGMENT, MTU, COUNT, INTERVAL];

impl DriverOptions {
    /// Reads options as an engine passes them. Other keys under `com.docker.` belong to the engine and are left alone.
    ///
    /// # Errors
    /// An [`OptionError`] for the first key or value that is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, OptionError> {
        let mut options = Self::default();
        let wrong = |key| move |error| OptionError::Value { key, wrong: error };
        for (key, value) in pairs {
            let announcements = options.announcements;
            match key {
                PARENT if value.is_empty() => {}
                PARENT => options.parent = Some(value.parse().map_err(OptionError::Parent)?),
                MODE => options.settings.mode = value.parse().map_err(wrong(MODE))?,
                FLAG => options.settings.flag = value.parse().map_err(wrong(FLAG))?,
                SEGMENT => options.segment = Some(value.parse().map_err(OptionError::Segment)?),
                MTU => options.mtu = Some(value.parse().map_err(wrong(MTU))?),
                COUNT => options.announcements = announcements.with_count(value).map_err(wrong(COUNT))?,
                INTERVAL => options.announcements = announcements.with_interval_ms(value).map_err(wrong(INTERVAL))?,
                other if other.starts_with("com.docker.") => {}
                other => return Err(OptionError::unknown(other, &KEYS)),
            }
        }
        Ok(options)
    }
}

/// An option that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A key that means nothing here.
    #[error("there is no option `{key}`")]
    Unknown {
        /// The key as given.
        key: String,
        /// The valid key most like it, where one is near.
        nearest: Option<&'static str>,
        /// All valid keys.
        valid: &'static [&'static str],
    },
    /// A value that the key does not take.
    #[error("option `{key}`: {wrong}")]
    Value {
        /// The key.
        key: &'static str,
        /// Value and expectation.
        wrong: SettingError,
    },
    /// A parent that is no interface name.
    #[error("option `parent`: {0}")]
    Parent(NameError),
    /// A segment that is no name.
    #[error("option `segment`: {0}")]
    Segment(NameError),
}

impl OptionError {
    /// The refusal of a key that is none of the valid ones.
    pub fn unknown(key: &str, valid: &'static [&'static str]) -> Self {
        let key: String = key.chars().take(80).collect();
        // Compared without the prefix and in small letters, so that `mode`, `Parent` and `ipvlan-mode` find theirs.
        let plain =
            |text: &str| text.to_ascii_lowercase().replace('-', "_").replace("macvlan_", "").replace("ipvlan_", "");
        let near = |valid: &&str| strsim::normalized_levenshtein(&plain(&key), &plain(valid));
        let nearest =
            valid.iter().copied().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|valid| near(valid) >= 0.5);
        // `master` is what CNI and `ip link` call the parent; `mtu` is the natural short form.
        let nearest = match key.as_str() {
            "master" | "link" | "dev" | "interface" => Some(PARENT),
            "mtu" => Some(MTU),
            _ => nearest,
        };
        OptionError::Unknown { key, nearest: nearest.filter(|nearest| valid.contains(nearest)), valid }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            OptionError::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            OptionError::Unknown { nearest: None, valid, .. } => format!("valid are {}", valid.join(", ")),
            OptionError::Value { key, .. } => format!("pass a value that `{key}` takes, or leave it out"),
            OptionError::Parent(NameError::TooLong(name)) => match name.rsplit_once('.') {
                Some((on, id)) => format!(
                    "make the VLAN link under a shorter name (`ip link add link {on} name v{id} type vlan id {id}`) and pass that"
                ),
                None => "pass the name that `ip link` shows".into(),
            },
            OptionError::Parent(_) => "pass the name that `ip link` shows".into(),
            OptionError::Segment(_) => "pass such a name, or leave it out".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Flag, Mode};

    fn check(pairs: &[(&str, &str)]) -> Result<DriverOptions, String> {
        DriverOptions::parse(pairs.iter().copied()).map_err(|error| format!("{error}; {}", error.hint()))
    }

    #[test]
    fn defaults_are_l2_and_bridge() {
        assert_eq!(check(&[]).unwrap(), DriverOptions::default());
        let options = check(&[("parent", "")]).unwrap();
        assert_eq!(options.parent, None);
    }

    #[test]
    fn every_option_is_read() {
        let options = check(&[
            ("parent", "eth0.10"),
            (MODE, "l3s"),
            (FLAG, "vepa"),
            (MTU, "1400"),
            (INTERVAL, "200"),
            (COUNT, "1"),
            (SEGMENT, "cellar-2"),
        ])
        .unwrap();
        assert_eq!(options.parent.unwrap().as_str(), "eth0.10");
        assert_eq!(options.settings, PortSettings { mode: Mode::L3s, flag: Flag::Vepa });
        assert_eq!(options.mtu.unwrap().get(), 1400);
        assert_eq!(options.announcements, Announcements::new(1, 200).unwrap());
        assert_eq!(options.segment.unwrap().as_str(), "cellar-2");
    }

    #[test]
    fn the_engines_own_keys_pass() {
        assert!(check(&[("com.docker.network.container_iface_prefix", "lan")]).is_ok());
    }

    #[test]
    fn each_wrong_option_gets_one_sentence_and_a_remedy() {
        for (key, value, sentence) in [
            ("ipvlan_mod", "l2", "there is no option `ipvlan_mod`; did you mean `ipvlan_mode`?"),
            ("mode", "l2", "there is no option `mode`; did you mean `ipvlan_mode`?"),
            ("macvlan_mode", "l2", "there is no option `macvlan_mode`; did you mean `ipvlan_mode`?"),
            ("Parent", "eth0", "there is no option `Parent`; did you mean `parent`?"),
            ("master", "eth0", "there is no option `master`; did you mean `parent`?"),
            ("mtu", "9000", "there is no option `mtu`; did you mean `com.docker.network.driver.mtu`?"),
            (
                "x",
                "",
                "there is no option `x`; valid are parent, ipvlan_mode, ipvlan_flag, segment, \
                 com.docker.network.driver.mtu, com.docker.network.advertise_addr_nmsgs, com.docker.network.advertise_addr_ms",
            ),
            (
                MODE,
                "l4",
                "option `ipvlan_mode`: `l4` was given and l2, l3 or l3s was expected; pass a value that `ipvlan_mode` takes, or leave it out",
            ),
            (
                COUNT,
                "4",
                "option `com.docker.network.advertise_addr_nmsgs`: `4` was given and a number of messages from 0 to 3 was \
                 expected; pass a value that `com.docker.network.advertise_addr_nmsgs` takes, or leave it out",
            ),
            (
                SEGMENT,
                "isolated:net",
                "option `segment`: `isolated:net` is no name of a segment: 1 to 64 letters, digits, `_`, `-` or `.` were \
                 expected; pass such a name, or leave it out",
            ),
            (
                "parent",
                "enx001122334455.10",
                "option `parent`: `enx001122334455.10` is 18 bytes long and an interface name has at most 15; \
                 make the VLAN link under a shorter name (`ip link add link enx001122334455 name v10 type vlan id 10`) and pass that",
            ),
        ] {
            assert_eq!(check(&[(key, value)]).unwrap_err(), sentence);
        }
    }
}
