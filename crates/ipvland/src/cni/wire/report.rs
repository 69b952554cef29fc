//! Results: what ADD answers, what plugins before this one in a chain have answered, and what one that deals addresses does.

use std::net::IpAddr;

use engine::ConnectedLink;
use ipnet::IpNet;
use model::SandboxKey;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::dns::Dns;
use super::routes::{RouteWish, Wire as WireRoute};
use super::{Configuration, parse_net, wrong};
use crate::cni::failure::{Code, Failure};
use crate::cni::version::SpecVersion;

#[cfg(test)]
mod tests;

/// What there is after an ADD.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) ips: Vec<Ip>,
    pub(crate) routes: Vec<ReportedRoute>,
    pub(crate) dns: Dns,
}

/// A link, on the host or in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
    /// Where it is; on the host where that is not said.
    pub(crate) sandbox: Option<String>,
    /// What else another plugin says of it. That is passed on.
    others: Map<String, Value>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) address: IpNet,
    pub(crate) gateway: Option<IpAddr>,
    /// Which of the interfaces has it.
    pub(crate) interface: Option<usize>,
}

/// A route, with what another plugin says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReportedRoute {
    /// One of ours.
    Ours(RouteWish),
    /// One of another plugin's. It is passed on.
    Others(Value),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    interfaces: Option<Vec<WireInterface>>,
    ips: Option<Vec<WireIp>>,
    routes: Option<Vec<Value>>,
    dns: Option<Dns>,
}

#[derive(Debug, Deserialize)]
struct WireInterface {
    #[serde(default)]
    name: String,
    mac: Option<String>,
    mtu: Option<u32>,
    sandbox: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct WireIp {
    address: String,
    gateway: Option<String>,
    interface: Option<i64>,
}

impl Report {
    /// What a plugin that deals addresses has answered.
    ///
    /// # Errors
    /// Code 6 for what is no such answer.
    pub(crate) fn of_answer(bytes: &[u8]) -> Result<Self, Failure> {
        let failure = |error: String| Failure::new(Code::DECODE, format!("its answer cannot be read: {error}"));
        // Objects only: serde would also fill a struct from an array, field by field.
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| failure(error.to_string()))?;
        let wire: Wire = serde_json::from_value(object.into()).map_err(|error| failure(error.to_string()))?;
        wire.read("ips").map_err(|wrong| failure(wrong.sentence))
    }

    /// The names of the interfaces that are on the host.
    pub(crate) fn on_host(&self) -> impl Iterator<Item = &str> {
        self.interfaces.iter().filter(|interface| interface.sandbox.is_none()).map(|interface| interface.name.as_str())
    }

    /// As a version has it.
    pub(crate) fn render(&self, version: SpecVersion) -> Value {
        let mut rendered = Map::new();
        rendered.insert("cniVersion".into(), json!(version.as_str()));
        let mut list = |key: &str, items: Vec<Value>| {
            if !items.is_empty() {
                rendered.insert(key.into(), items.into());
            }
        };
        list("interfaces", self.interfaces.iter().map(|interface| interface.render(version)).collect());
        list("ips", self.ips.iter().map(|ip| ip.render(version)).collect());
        list("routes", self.routes.iter().map(|route| route.render(version)).collect());
        if !self.dns.is_empty() {
            rendered.insert("dns".into(), json!(self.dns));
        }
        rendered.into()
    }
}

impl Configuration<'_> {
    /// What the plugin before this one in the chain has answered, or, after ADD, this one.
    ///
    /// # Errors
    /// Code 7 for what is no such answer.
    pub(crate) fn previous(&self) -> Result<Option<Report>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Chained {
            prev_result: Option<Wire>,
        }
        self.part::<Chained>()?.prev_result.map(|wire| wire.read("prevResult.ips")).transpose()
    }
}

impl Wire {
    fn read(self, ips: &str) -> Result<Report, Failure> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let interfaces: Vec<Interface> = self
            .interfaces
            .unwrap_or_default()
            .into_iter()
            .map(|it| Interface {
                name: it.name,
                mac: said(it.mac),
                mtu: it.mtu.filter(|mtu| *mtu > 0),
                sandbox: said(it.sandbox),
                others: it.others,
            })
            .collect();
        let ip = |wire: WireIp| {
            let address = parse_net::<IpNet>(ips, &wire.address, "ADDRESS/LENGTH")?;
            let gateway = said(wire.gateway).map(|text| parse_net::<IpAddr>(ips, &text, "an address")).transpose()?;
            let interface = match wire.interface.map(usize::try_from) {
                None => None,
                Some(Ok(index)) if index < interfaces.len() => Some(index),
                Some(_) => return Err(wrong(ips, format!("{address} is of an interface that is not there"))),
            };
            Ok(Ip { address, gateway, interface })
        };
        let ips = self.ips.unwrap_or_default().into_iter().map(ip).collect::<Result<_, Failure>>()?;
        let routes = self.routes.unwrap_or_default().into_iter().map(ReportedRoute::Others).collect();
        Ok(Report { interfaces, ips, routes, dns: self.dns.unwrap_or_default() })
    }
}

impl Interface {
    /// A link of ours.
    pub(crate) fn in_sandbox(sandbox: &SandboxKey, link: &ConnectedLink) -> Self {
        Self {
            name: link.name.to_string(),
            mac: link.mac.map(|mac| mac.to_string()),
            mtu: Some(link.mtu),
            sandbox: Some(sandbox.to_string()),
            others: Map::new(),
        }
    }

    fn render(&self, version: SpecVersion) -> Value {
        let mut rendered = self.others.clone();
        rendered.insert("name".into(), json!(self.name));
        if let Some(mac) = &self.mac {
            rendered.insert("mac".into(), json!(mac));
        }
        if let Some(mtu) = self.mtu.filter(|_| version >= SpecVersion::V1_1_0) {
            rendered.insert("mtu".into(), json!(mtu));
        }
        if let Some(sandbox) = &self.sandbox {
            rendered.insert("sandbox".into(), json!(sandbox));
        }
        rendered.into()
    }
}

impl Ip {
    fn render(&self, version: SpecVersion) -> Value {
        let mut rendered = Map::new();
        if version < SpecVersion::V1_0_0 {
            rendered.insert("version".into(), json!(if self.address.addr().is_ipv4() { "4" } else { "6" }));
        }
        rendered.insert("address".into(), json!(self.address.to_string()));
        if let Some(gateway) = self.gateway {
            rendered.insert("gateway".into(), json!(gateway.to_string()));
        }
        if let Some(interface) = self.interface {
            rendered.insert("interface".into(), json!(interface));
        }
        rendered.into()
    }
}

impl ReportedRoute {
    /// Reads what another plugin says of a route, for it to be made.
    ///
    /// # Errors
    /// Code 6 or 7 for what is no route, 2 for what is not possible here.
    pub(crate) fn wish(&self) -> Result<RouteWish, Failure> {
        match self {
            ReportedRoute::Ours(wish) => Ok(wish.clone()),
            ReportedRoute::Others(value) => match WireRoute::deserialize(value) {
                Ok(wire) if value.is_object() => wire.read(),
                Ok(_) => Err(Failure::new(Code::DECODE, "key `routes`: an object was expected")),
                Err(error) => Err(Failure::new(Code::DECODE, format!("key `routes`: {error}"))),
            },
        }
    }

    fn render(&self, version: SpecVersion) -> Value {
        match self {
            ReportedRoute::Ours(wish) => wish.render(version),
            ReportedRoute::Others(value) => value.clone(),
        }
    }
}
