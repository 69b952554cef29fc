//! What a configuration says of the links, where this is the main plugin.

use std::collections::BTreeMap;

use model::{DriverOptions, Mtu, Sysctls};
use serde::Deserialize;

use super::{Configuration, parse, wrong};
use crate::cni::failure::{Code, Failure};
use crate::cni::text::cut;

/// How links on a network are made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LinkSettings {
    /// What a network of any frontend has; no parent where it is left to us.
    pub(crate) options: DriverOptions,
    /// Whether the network reaches nothing but itself.
    pub(crate) internal: bool,
    /// Kernel settings of each interface.
    pub(crate) sysctls: Sysctls,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    master: Option<String>,
    mode: Option<String>,
    mtu: Option<i64>,
    link_in_container: Option<bool>,
    flag: Option<String>,
    segment: Option<String>,
    announcements: Option<bool>,
    internal: Option<bool>,
    sysctl: Option<BTreeMap<String, String>>,
    runtime_config: Option<RuntimeConfig>,
}

#[derive(Deserialize)]
struct RuntimeConfig {
    mac: Option<String>,
}

impl Configuration<'_> {
    /// What it says of the links. A text that is empty and a number that is zero say nothing, as in Go.
    ///
    /// # Errors
    /// Code 7 with the key that is wrong, 2 for what ipvlan does not have.
    pub(crate) fn link(&self) -> Result<LinkSettings, Failure> {
        let wire: Wire = self.part()?;
        if wire.link_in_container == Some(true) {
            return Err(wrong(
                "linkInContainer",
                "`true` was given, and a parent in the container is not known to the ledger: name a parent of the host",
            ));
        }
        if let Some(mac) = wire.runtime_config.and_then(|config| config.mac).filter(|mac| !mac.is_empty()) {
            let mac = cut(&mac);
            return Err(Failure::new(
                Code::FIELD,
                format!(
                    "key `runtimeConfig.mac`: `{mac}` was given, and an ipvlan container has the MAC address of its parent"
                ),
            ));
        }
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut options = DriverOptions { parent: None, ..DriverOptions::default() };
        if let Some(text) = said(wire.master) {
            options.parent = Some(parse("master", &text)?);
        }
        if let Some(text) = said(wire.mode) {
            options.settings.mode = parse("mode", &text)?;
        }
        if let Some(text) = said(wire.flag) {
            options.settings.flag = parse("flag", &text)?;
        }
        if let Some(text) = said(wire.segment) {
            options.segment = Some(parse("segment", &text)?);
        }
        options.mtu = wire.mtu.filter(|mtu| *mtu != 0).map(mtu).transpose()?;
        // A plugin ends when the container may start: there is time for one.
        let count = if wire.announcements == Some(false) { "0" } else { "1" };
        options.announcements = options.announcements.with_count(count).expect("a number from 0 to 3");
        let sysctls: Vec<String> =
            wire.sysctl.unwrap_or_default().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        Ok(LinkSettings {
            options,
            internal: wire.internal == Some(true),
            sysctls: parse("sysctl", &sysctls.join(","))?,
        })
    }
}

fn mtu(bytes: i64) -> Result<Mtu, Failure> {
    parse("mtu", &bytes.to_string())
}
