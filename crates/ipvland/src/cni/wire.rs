//! The JSON of CNI. Nothing of it is seen beyond this module.
//!
//! CNI specification 1.1.0, sections 1 and 5, and its conventions for `runtimeConfig` and `args`. Keys that mean nothing here
//! pass, as the specification demands; those that do are of the types and names that the reference plugins `ipvlan` and
//! `host-local` give them, so that a configuration of theirs is one of ours once it says so in `type`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use engine::Paths;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::failure::{Code, Failure};
use super::text::{cut, word};
use super::version::SpecVersion;

mod attachments;
mod dns;
mod ipam;
mod link;
mod ranges;
mod report;
mod routes;
#[cfg(test)]
mod tests;

pub(crate) use dns::Dns;
pub(crate) use ipam::LedgerIpam;
pub(crate) use link::LinkSettings;
pub(crate) use ranges::Range;
pub(crate) use report::{Interface, Ip, Report, ReportedRoute};
pub(crate) use routes::RouteWish;

/// What this plugin is called in `type` and in `ipam.type`.
const OURS: &str = "ipvland";
/// The reference plugin that asks a server on the wire.
const DHCP: &str = "dhcp";

/// A network's configuration: read as far as every verb needs it, and further by those that do.
#[derive(Debug)]
pub(crate) struct Configuration<'b> {
    bytes: &'b [u8],
    pub(crate) version: SpecVersion,
    pub(crate) name: NetworkName,
    pub(crate) role: Role,
    pub(crate) dealer: Dealer,
    pub(crate) paths: Paths,
}

/// What a network is called: a letter or a digit, and behind it these, `_`, `.` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkName(String);

/// What this plugin is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// To make links.
    Main,
    /// To deal addresses for links that another plugin makes.
    Ipam,
}

/// Who deals the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dealer {
    /// Nobody: the links have none, or those of a plugin before this one in a chain.
    Nobody,
    /// The ledger.
    Ledger,
    /// Another plugin.
    Plugin(PluginName),
}

/// The name of an executable: no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginName(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    cni_version: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    ipam: Option<IpamHeader>,
    /// Where the ledger is, for hosts where the daemon has been told another place than the usual one.
    state_dir: Option<PathBuf>,
    run_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct IpamHeader {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl<'b> Configuration<'b> {
    /// Reads what every verb needs.
    ///
    /// # Errors
    /// Code 6 for what is no JSON object, 1 for a version that is not spoken, 7 for what is missing or wrong.
    pub(crate) fn read(bytes: &'b [u8]) -> Result<Self, Failure> {
        let header: Header = decode(bytes)?;
        let version = match header.cni_version {
            Some(text) => {
                text.parse().map_err(|error| Failure::new(Code::VERSION, format!("key `cniVersion`: {error}")))
            }
            None => Err(Failure::new(Code::VERSION, "key `cniVersion` is missing")),
        }?;
        let name = parse("name", header.name.as_deref().unwrap_or_default())?;
        let kind = header.kind.unwrap_or_default();
        let dealer = match header.ipam.and_then(|ipam| ipam.kind).as_deref() {
            None | Some("") => Dealer::Nobody,
            Some(OURS) => Dealer::Ledger,
            Some(other) => Dealer::Plugin(parse("ipam.type", other)?),
        };
        let role = match &dealer {
            _ if kind == OURS => Role::Main,
            Dealer::Ledger => Role::Ipam,
            _ => {
                let kind = cut(&kind);
                return Err(wrong("type", format!("`{kind}` was given, and neither that nor `ipam.type` is `{OURS}`")));
            }
        };
        let mut paths = Paths::default();
        for (key, given, path) in
            [("stateDir", header.state_dir, &mut paths.state_dir), ("runDir", header.run_dir, &mut paths.run_dir)]
        {
            match given {
                Some(given) if !given.is_absolute() => return Err(wrong(key, "an absolute path was expected")),
                Some(given) => *path = given,
                None => {}
            }
        }
        Ok(Self { bytes, version, name, role, dealer, paths })
    }

    /// The same, for a verb that there is since a version.
    ///
    /// # Errors
    /// Code 1 when it is of an earlier one.
    pub(crate) fn since(self, first: SpecVersion) -> Result<Self, Failure> {
        if self.version >= first {
            return Ok(self);
        }
        let sentence = format!("key `cniVersion`: `{}` was given, and this verb there is since {first}", self.version);
        Err(Failure::new(Code::VERSION, sentence))
    }

    /// All of it, for another plugin.
    pub(crate) fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    fn part<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        decode(self.bytes)
    }
}

/// The version that somebody speaks who asks for versions; the latest where nothing is said.
///
/// # Errors
/// Code 6 for what is no JSON object.
pub(crate) fn spoken(bytes: &[u8]) -> Result<SpecVersion, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(SpecVersion::LATEST);
    }
    let header: Header = decode(bytes)?;
    Ok(header.cni_version.and_then(|text| text.parse().ok()).unwrap_or(SpecVersion::LATEST))
}

/// Reads what is said in JSON.
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let failure = |error| Failure::new(Code::DECODE, format!("the network's configuration cannot be read: {error}"));
    // Objects only: serde would also fill a struct from an array, field by field.
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(bytes).map_err(failure)?;
    serde_json::from_slice(bytes).map_err(failure)
}

/// A field that may be null, as Go writes an empty list.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads the value of a key, whose errors name the value.
fn parse<T: FromStr<Err: Display>>(key: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| wrong(key, error))
}

/// Reads an address or a range, whose errors name neither the value nor what it should be.
fn parse_net<T: FromStr>(key: &str, text: &str, expected: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| {
        let text = cut(text);
        wrong(key, format!("`{text}` was given and {expected} was expected"))
    })
}

/// A key whose value cannot be taken.
fn wrong(key: &str, why: impl Display) -> Failure {
    Failure::new(Code::CONFIGURATION, format!("key `{key}`: {why}"))
}

impl NetworkName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NetworkName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        word(text, "network's name").map(Self)
    }
}

impl PluginName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the plugin deals over the interface.
    pub(crate) fn speaks_on_the_link(&self) -> bool {
        self.0 == DHCP
    }
}

impl FromStr for PluginName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.is_empty() || text == "." || text == ".." || text.contains(['/', '\0']);
        match path {
            false => Ok(Self(text.to_owned())),
            true => Err(format!(
                "`{}` was given and the name of a plugin was expected, without a path",
                cut(text).escape_debug()
            )),
        }
    }
}
